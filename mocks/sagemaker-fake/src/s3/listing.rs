//! Listing the objects of a bucket.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use s3s::S3Request;
use s3s::dto::{
    ChecksumAlgorithm, CommonPrefix, ETag, EncodingType, ListObjectVersionsInput, ListObjectVersionsOutput,
    ListObjectsInput, ListObjectsOutput, ListObjectsV2Input, ListObjectsV2Output, Object as Summary,
    ObjectStorageClass, ObjectVersion, ObjectVersionStorageClass,
};

use super::bucket;
use super::buckets::owner;
use super::get::signed;
use super::object::{self, Object};
use crate::store::Records;
use crate::{ApiError, Fake};

/// How many S3 lists at most at a time.
const MOST: usize = 1000;
/// How many records are read at a time.
const STEP: usize = 128;

/// `ListObjectsV2`.
///
/// # Errors
/// `NoSuchBucket`, `InvalidArgument`.
pub fn objects_v2(fake: &Fake, request: S3Request<ListObjectsV2Input>) -> Result<ListObjectsV2Output, ApiError> {
    let input = request.input;
    let after = match &input.continuation_token {
        Some(token) => After::Item(read_token(token)?),
        None => After::Key(input.start_after.clone().unwrap_or_default()),
    };
    let encode = Encoding::of(input.encoding_type.as_ref())?;
    let limit = limit(input.max_keys)?;
    let (page, account) =
        page_of(fake, &input.bucket, input.prefix.as_deref(), input.delimiter.as_deref(), after, limit)?;
    let owner = (input.fetch_owner == Some(true)).then(|| owner(&account));
    Ok(ListObjectsV2Output {
        name: Some(input.bucket),
        prefix: Some(encode.text(input.prefix.unwrap_or_default())),
        max_keys: Some(shown(limit)),
        key_count: Some(shown(page.objects.len() + page.prefixes.len())),
        is_truncated: Some(page.next.is_some()),
        next_continuation_token: page.next.map(|last| BASE64.encode(last)),
        continuation_token: input.continuation_token,
        contents: summaries(page.objects, owner.as_ref(), encode),
        common_prefixes: common_prefixes(page.prefixes, encode),
        delimiter: input.delimiter.map(|text| encode.text(text)),
        start_after: input.start_after.map(|text| encode.text(text)),
        encoding_type: input.encoding_type,
        request_charged: None,
    })
}

/// `ListObjects`, the older one.
///
/// # Errors
/// As [`objects_v2`].
pub fn objects(fake: &Fake, request: S3Request<ListObjectsInput>) -> Result<ListObjectsOutput, ApiError> {
    let input = request.input;
    let encode = Encoding::of(input.encoding_type.as_ref())?;
    let limit = limit(input.max_keys)?;
    let after = After::Item(input.marker.clone().unwrap_or_default());
    let (page, account) =
        page_of(fake, &input.bucket, input.prefix.as_deref(), input.delimiter.as_deref(), after, limit)?;
    Ok(ListObjectsOutput {
        name: Some(input.bucket),
        prefix: Some(encode.text(input.prefix.unwrap_or_default())),
        marker: Some(encode.text(input.marker.unwrap_or_default())),
        max_keys: Some(shown(limit)),
        is_truncated: Some(page.next.is_some()),
        // Without a delimiter the last key is the marker, and AWS leaves it to the client to see that.
        next_marker: page.next.filter(|_| input.delimiter.is_some()).map(|text| encode.text(text)),
        contents: summaries(page.objects, Some(&owner(&account)), encode),
        common_prefixes: common_prefixes(page.prefixes, encode),
        delimiter: input.delimiter.map(|text| encode.text(text)),
        encoding_type: input.encoding_type,
        request_charged: None,
    })
}

/// `ListObjectVersions`: every object has one version, whose id is `null`, as in a bucket that was never versioned.
///
/// # Errors
/// As [`objects_v2`].
pub fn versions(
    fake: &Fake,
    request: S3Request<ListObjectVersionsInput>,
) -> Result<ListObjectVersionsOutput, ApiError> {
    let input = request.input;
    let encode = Encoding::of(input.encoding_type.as_ref())?;
    let limit = limit(input.max_keys)?;
    let after = After::Item(input.key_marker.clone().unwrap_or_default());
    let (page, account) =
        page_of(fake, &input.bucket, input.prefix.as_deref(), input.delimiter.as_deref(), after, limit)?;
    let versions = page.objects.into_iter().map(|object| ObjectVersion {
        checksum_algorithm: Some(vec![ChecksumAlgorithm::from_static(object.checksum.algorithm.name())]),
        checksum_type: Some(object.checksum.kind()),
        e_tag: Some(ETag::Strong(object.etag)),
        is_latest: Some(true),
        key: Some(encode.text(object.key)),
        last_modified: Some(object.last_modified.date().into()),
        owner: Some(owner(&account)),
        size: Some(signed(object.size)),
        storage_class: Some(ObjectVersionStorageClass::from_static(ObjectVersionStorageClass::STANDARD)),
        version_id: Some("null".to_owned()),
        restore_status: None,
    });
    let versions = versions.collect::<Vec<_>>();
    Ok(ListObjectVersionsOutput {
        name: Some(input.bucket),
        prefix: Some(encode.text(input.prefix.unwrap_or_default())),
        key_marker: Some(encode.text(input.key_marker.unwrap_or_default())),
        max_keys: Some(shown(limit)),
        is_truncated: Some(page.next.is_some()),
        next_version_id_marker: page.next.as_ref().map(|_| "null".to_owned()),
        next_key_marker: page.next.map(|text| encode.text(text)),
        versions: (!versions.is_empty()).then_some(versions),
        common_prefixes: common_prefixes(page.prefixes, encode),
        delimiter: input.delimiter.map(|text| encode.text(text)),
        encoding_type: input.encoding_type,
        version_id_marker: input.version_id_marker,
        delete_markers: None,
        request_charged: None,
    })
}

/// Where a page begins.
pub enum After {
    /// After this key; a common prefix that it is in may still come.
    Key(String),
    /// After this key or common prefix, the last one of the page before.
    Item(String),
}

/// A page of a listing.
#[derive(Debug, Default)]
pub struct Page {
    objects: Vec<Object>,
    /// Common prefixes, each with its delimiter at the end.
    prefixes: Vec<String>,
    /// The last item, key or prefix, if there are more after it.
    next: Option<String>,
}

fn page_of(
    fake: &Fake,
    bucket: &str,
    prefix: Option<&str>,
    delimiter: Option<&str>,
    after: After,
    limit: usize,
) -> Result<(Page, String), ApiError> {
    fake.store.read(|view| {
        let owner = bucket::existing(view, bucket)?.owner;
        Ok((
            page(view, bucket, prefix.unwrap_or_default(), delimiter.filter(|it| !it.is_empty()), after, limit)?,
            owner,
        ))
    })
}

/// Walks over the objects in the order of their keys and steps over the insides of common prefixes.
fn page(
    records: &impl Records,
    bucket: &str,
    prefix: &str,
    delimiter: Option<&str>,
    after: After,
    limit: usize,
) -> Result<Page, ApiError> {
    let mut page = Page::default();
    let mut last = None;
    let mut from = match after {
        After::Item(item)
            if delimiter.is_some_and(|delimiter| item.len() > prefix.len() && item.ends_with(delimiter)) =>
        {
            past(&item)
        }
        After::Key(key) | After::Item(key) if key.is_empty() => String::new(),
        After::Key(key) | After::Item(key) => format!("{key}\0"),
    };
    loop {
        let read = records.page::<Object>(&object::id(bucket, prefix), &object::id(bucket, &from), STEP)?;
        let is_last = read.len() < STEP;
        let mut stepped_over = false;
        for object in read {
            let rest = &object.key[prefix.len()..];
            let group = delimiter
                .and_then(|it| Some(&object.key[..prefix.len() + rest.find(it)? + it.len()]))
                .map(str::to_owned);
            if page.objects.len() + page.prefixes.len() == limit {
                page.next = last;
                return Ok(page);
            }
            last = Some(group.clone().unwrap_or_else(|| object.key.clone()));
            if let Some(group) = group {
                from = past(&group);
                page.prefixes.push(group);
                stepped_over = true;
                break;
            }
            from = format!("{}\0", object.key);
            page.objects.push(object);
        }
        if is_last && !stepped_over {
            return Ok(page);
        }
    }
}

/// What comes after everything that begins with `prefix`.
fn past(prefix: &str) -> String {
    format!("{prefix}{}", char::MAX)
}

fn limit(asked: Option<i32>) -> Result<usize, ApiError> {
    match asked.map(usize::try_from) {
        None => Ok(MOST),
        Some(Ok(limit)) => Ok(limit.min(MOST)),
        Some(Err(_)) => {
            Err(ApiError::new("InvalidArgument", "Argument maxKeys must be an integer between 0 and 2147483647"))
        }
    }
}

fn read_token(token: &str) -> Result<String, ApiError> {
    let read = BASE64.decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    read.ok_or_else(|| ApiError::new("InvalidArgument", "The continuation token provided is incorrect"))
}

fn shown(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

fn summaries(objects: Vec<Object>, owner: Option<&s3s::dto::Owner>, encode: Encoding) -> Option<Vec<Summary>> {
    let summaries = objects.into_iter().map(|object| Summary {
        checksum_algorithm: Some(vec![ChecksumAlgorithm::from_static(object.checksum.algorithm.name())]),
        checksum_type: Some(object.checksum.kind()),
        e_tag: Some(ETag::Strong(object.etag)),
        key: Some(encode.text(object.key)),
        last_modified: Some(object.last_modified.date().into()),
        owner: owner.cloned(),
        restore_status: None,
        size: Some(signed(object.size)),
        storage_class: Some(ObjectStorageClass::from(
            object.headers.storage_class.unwrap_or_else(|| "STANDARD".to_owned()),
        )),
    });
    let summaries = summaries.collect::<Vec<_>>();
    (!summaries.is_empty()).then_some(summaries)
}

fn common_prefixes(prefixes: Vec<String>, encode: Encoding) -> Option<Vec<CommonPrefix>> {
    (!prefixes.is_empty())
        .then(|| prefixes.into_iter().map(|prefix| CommonPrefix { prefix: Some(encode.text(prefix)) }).collect())
}

/// How keys are written in the answer.
#[derive(Clone, Copy)]
pub enum Encoding {
    Plain,
    /// Percent-encoded, so that any key fits into XML.
    Url,
}

impl Encoding {
    pub fn of(asked: Option<&EncodingType>) -> Result<Self, ApiError> {
        match asked.map(EncodingType::as_str) {
            None => Ok(Self::Plain),
            Some("url") => Ok(Self::Url),
            Some(_) => Err(ApiError::new("InvalidArgument", "Invalid Encoding Method specified in Request")),
        }
    }

    pub fn text(self, text: String) -> String {
        match self {
            Self::Plain => text,
            Self::Url => text.bytes().fold(String::new(), |mut encoded, byte| {
                match byte {
                    b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'*' | b'/' => {
                        encoded.push(char::from(byte));
                    }
                    _ => encoded.push_str(&format!("%{byte:02X}")),
                }
                encoded
            }),
        }
    }
}
