//! Reading an object: its content, or what is known of it.

use std::fs::File;
use std::io::{Seek as _, SeekFrom};
use std::ops::Range;

use http::StatusCode;
use s3s::S3Request;
use s3s::dto::{
    Checksum, ETag, GetObjectAttributesInput, GetObjectAttributesOutput, GetObjectAttributesParts, GetObjectInput,
    GetObjectOutput, HeadObjectInput, HeadObjectOutput, ServerSideEncryption, StorageClass, StreamingBlob,
};
use tokio::io::AsyncReadExt as _;

use super::checksum::show_checksum;
use super::conditions;
use super::object::{Object, no_such_key};
use crate::{ApiError, Fake};

/// How much of a content is read at a time.
const BLOCK: usize = 256 * 1024;
/// The content type of an object that was put without one.
const UNKNOWN_TYPE: &str = "binary/octet-stream";

/// The members that the outputs of `GetObject` and `HeadObject` share.
macro_rules! show_object {
    ($output:ident, $object:expr, $section:expr, $with_checksum:expr) => {{
        let (object, section): (&Object, &Section) = (&$object, &$section);
        let headers = object.headers.clone();
        let mut output = $output {
            accept_ranges: Some("bytes".to_owned()),
            bucket_key_enabled: object.encryption.bucket_key.then_some(true),
            cache_control: headers.cache_control,
            content_disposition: headers.content_disposition,
            content_encoding: headers.content_encoding,
            content_language: headers.content_language,
            content_length: Some(signed(section.bytes.end - section.bytes.start)),
            content_range: section.content_range(object),
            content_type: Some(headers.content_type.unwrap_or_else(|| UNKNOWN_TYPE.to_owned())),
            e_tag: Some(ETag::Strong(object.etag.clone())),
            expires: headers.expires.map(|expires| expires.date().into()),
            last_modified: Some(object.last_modified.date().into()),
            metadata: (!headers.metadata.is_empty()).then(|| headers.metadata.into_iter().collect()),
            parts_count: section.part.then(|| i32::try_from(object.parts.len().max(1)).unwrap_or(i32::MAX)),
            server_side_encryption: Some(ServerSideEncryption::from(object.encryption.algorithm.clone())),
            ssekms_key_id: object.encryption.kms_key_id.clone(),
            storage_class: headers.storage_class.map(StorageClass::from),
            website_redirect_location: headers.website_redirect_location,
            ..$output::default()
        };
        if $with_checksum {
            show_checksum!(output, object.checksum);
            output.checksum_type = Some(object.checksum.kind());
        }
        output
    }};
}

/// The content of an object or a range of it, streamed.
///
/// # Errors
/// `NoSuchKey`, `PreconditionFailed`, `NotModified`, `InvalidRange`, `InvalidPartNumber`.
pub fn object(fake: &Fake, request: S3Request<GetObjectInput>) -> Result<GetObjectOutput, ApiError> {
    let input = request.input;
    let (object, file) = super::open(fake, &input.bucket, &input.key)?;
    let conditions = conditions::Read {
        if_match: input.if_match,
        if_none_match: input.if_none_match,
        if_modified_since: input.if_modified_since,
        if_unmodified_since: input.if_unmodified_since,
    };
    conditions.check(&object)?;
    let section = Section::of(&object, input.range, input.part_number)?;
    // The checksum is that of all bytes: with a range a client could only stumble over it.
    let with_checksum = input.checksum_mode.is_some() && section.is_all_of(&object);
    let mut output = show_object!(GetObjectOutput, object, section, with_checksum);
    output.tag_count = (!object.tags.is_empty()).then(|| i32::try_from(object.tags.len()).unwrap_or(i32::MAX));
    output.body = Some(
        stream(file, section.bytes).map_err(|error| ApiError::internal(format!("cannot read a content: {error}")))?,
    );
    Ok(output)
}

/// What is known of an object.
///
/// # Errors
/// As [`object`].
pub fn head(fake: &Fake, request: S3Request<HeadObjectInput>) -> Result<HeadObjectOutput, ApiError> {
    let input = request.input;
    let object = super::get(fake, &input.bucket, &input.key)?.ok_or_else(no_such_key)?;
    let conditions = conditions::Read {
        if_match: input.if_match,
        if_none_match: input.if_none_match,
        if_modified_since: input.if_modified_since,
        if_unmodified_since: input.if_unmodified_since,
    };
    conditions.check(&object)?;
    let section = Section::of(&object, input.range, input.part_number)?;
    let with_checksum = input.checksum_mode.is_some() && section.is_all_of(&object);
    Ok(show_object!(HeadObjectOutput, object, section, with_checksum))
}

/// Those attributes of an object that are asked for.
///
/// # Errors
/// `NoSuchKey`.
pub fn attributes(
    fake: &Fake,
    request: S3Request<GetObjectAttributesInput>,
) -> Result<GetObjectAttributesOutput, ApiError> {
    let input = request.input;
    let object = super::get(fake, &input.bucket, &input.key)?.ok_or_else(no_such_key)?;
    // Some clients send one header for all that they ask for, some one for each.
    let asked = |name: &str| {
        input.object_attributes.iter().flat_map(|given| given.as_str().split(',')).any(|given| given.trim() == name)
    };
    let mut checksum = Checksum { checksum_type: Some(object.checksum.kind()), ..Checksum::default() };
    show_checksum!(checksum, object.checksum);
    let parts = GetObjectAttributesParts {
        total_parts_count: Some(i32::try_from(object.parts.len()).unwrap_or(i32::MAX)),
        ..GetObjectAttributesParts::default()
    };
    Ok(GetObjectAttributesOutput {
        checksum: asked("Checksum").then_some(checksum),
        e_tag: asked("ETag").then(|| ETag::Strong(object.etag.clone())),
        last_modified: Some(object.last_modified.date().into()),
        object_parts: (asked("ObjectParts") && !object.parts.is_empty()).then_some(parts),
        object_size: asked("ObjectSize").then(|| signed(object.size)),
        storage_class: asked("StorageClass")
            .then(|| StorageClass::from(object.headers.storage_class.unwrap_or_else(|| "STANDARD".to_owned()))),
        ..GetObjectAttributesOutput::default()
    })
}

/// The bytes that are asked for.
struct Section {
    bytes: Range<u64>,
    /// By the number of a part.
    part: bool,
    /// By either, rather than all of them.
    partial: bool,
}

impl Section {
    fn of(object: &Object, range: Option<s3s::dto::Range>, part: Option<i32>) -> Result<Self, ApiError> {
        if range.is_some() && part.is_some() {
            return Err(ApiError::new(
                "InvalidRequest",
                "Cannot specify both Range header and partNumber query parameter",
            ));
        }
        let out_of = |code, message| ApiError::new(code, message).with_status(StatusCode::RANGE_NOT_SATISFIABLE);
        if let Some(range) = range {
            let bytes = range
                .check(object.size)
                .map_err(|_| out_of("InvalidRange", "The requested range is not satisfiable"))?;
            return Ok(Self { bytes, part: false, partial: true });
        }
        let Some(number) = part else { return Ok(Self { bytes: 0..object.size, part: false, partial: false }) };
        let index = number
            .checked_sub(1)
            .and_then(|index| usize::try_from(index).ok())
            .filter(|index| *index < object.parts.len().max(1));
        let index = index.ok_or_else(|| out_of("InvalidPartNumber", "The requested partnumber is not satisfiable"))?;
        let begins = object.parts.iter().take(index).sum();
        let size = object.parts.get(index).copied().unwrap_or(object.size);
        Ok(Self { bytes: begins..begins + size, part: true, partial: size > 0 })
    }

    fn is_all_of(&self, object: &Object) -> bool {
        self.bytes == (0..object.size)
    }

    fn content_range(&self, object: &Object) -> Option<String> {
        self.partial.then(|| format!("bytes {}-{}/{}", self.bytes.start, self.bytes.end.saturating_sub(1), object.size))
    }
}

fn stream(mut file: File, bytes: Range<u64>) -> std::io::Result<StreamingBlob> {
    file.seek(SeekFrom::Start(bytes.start))?;
    let left = tokio::fs::File::from_std(file).take(bytes.end - bytes.start);
    Ok(StreamingBlob::wrap(futures::stream::try_unfold(left, |mut left| async move {
        let mut block = bytes::BytesMut::with_capacity(BLOCK.min(usize::try_from(left.limit()).unwrap_or(BLOCK)));
        let read = left.read_buf(&mut block).await?;
        std::io::Result::Ok((read > 0).then(|| (block.freeze(), left)))
    })))
}

/// S3's sizes are signed.
pub fn signed(size: u64) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}
