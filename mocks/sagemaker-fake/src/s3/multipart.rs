//! Uploads in parts.

use std::fs::File;

use http::{Extensions, HeaderMap};
use s3s::S3Request;
use s3s::crypto::{Checksum as _, Md5};
use s3s::dto::{
    AbortMultipartUploadInput, AbortMultipartUploadOutput, ChecksumAlgorithm, ChecksumType,
    CompleteMultipartUploadInput, CompleteMultipartUploadOutput, CompletedPart, CreateMultipartUploadInput,
    CreateMultipartUploadOutput, ETag, Initiator, ListMultipartUploadsInput, ListMultipartUploadsOutput,
    ListPartsInput, ListPartsOutput, MultipartUpload, Part as PartSummary, ServerSideEncryption, StorageClass,
    UploadPartInput, UploadPartOutput,
};

use super::bucket;
use super::buckets::owner;
use super::checksum::{Algorithm, Checksum, show_checksum};
use super::conditions;
use super::content::{self, Content, Draft};
use super::get::signed;
use super::listing::Encoding;
use super::object::{self, Object, hex};
use super::put::{Claims, on_disk, receive};
use super::upload::{self, Part, Upload};
use super::wishes::wishes;
use crate::store::{Change, Records as _};
use crate::{ApiError, Fake};

/// What every part but the last must have at least.
const SMALLEST_PART: u64 = 5 * 1024 * 1024;
/// How many parts or uploads are listed at most at a time.
const MOST: usize = 1000;

/// Begins an upload.
///
/// # Errors
/// `NoSuchBucket`, `InvalidRequest`, those of tags.
pub fn create(
    fake: &Fake,
    request: S3Request<CreateMultipartUploadInput>,
) -> Result<CreateMultipartUploadOutput, ApiError> {
    let mut input = request.input;
    let wishes = wishes!(input);
    let algorithm = input.checksum_algorithm.as_ref().and_then(|algorithm| Algorithm::named(algorithm.as_str()));
    let kind = input.checksum_type.as_ref().map(ChecksumType::as_str);
    let composite = is_composite(algorithm, kind)?;
    let upload = fake.store.write(|change| {
        let bucket = bucket::existing(change, &input.bucket)?;
        wishes.check(&bucket)?;
        let upload = Upload {
            id: fake.ids.alphanumeric(64),
            bucket: input.bucket,
            key: input.key,
            initiated: fake.clock.now(),
            encryption: wishes.encryption(&bucket),
            headers: wishes.headers,
            tags: wishes.tags,
            algorithm,
            composite,
        };
        change.put(&upload)?;
        Ok(upload)
    })?;
    Ok(CreateMultipartUploadOutput {
        checksum_algorithm: algorithm.map(|algorithm| ChecksumAlgorithm::from_static(algorithm.name())),
        checksum_type: algorithm.map(|_| kind_of(composite)),
        bucket: Some(upload.bucket),
        key: Some(upload.key),
        upload_id: Some(upload.id),
        server_side_encryption: Some(ServerSideEncryption::from(upload.encryption.algorithm)),
        ssekms_key_id: upload.encryption.kms_key_id,
        ..CreateMultipartUploadOutput::default()
    })
}

/// Uploads a part, in place of one with the same number.
///
/// # Errors
/// `NoSuchUpload`, `InvalidArgument`, and those of putting an object.
pub async fn upload_part(fake: &Fake, request: S3Request<UploadPartInput>) -> Result<UploadPartOutput, ApiError> {
    let mut input = request.input;
    let upload = fake.store.read(|view| upload::existing(view, &input.bucket, &input.key, &input.upload_id))?;
    let claims = claims(&upload, input.part_number, &request.headers, &request.extensions)?;
    let draft = receive(fake, &claims, input.body.take()).await?;
    let algorithm = upload.encryption.algorithm.clone();
    let part = on_disk(fake, move |fake| {
        let content = draft.finish(|content| claims.check(content))?;
        put_part(fake, &upload, input.part_number, content)
    });
    let part = part.await?;
    let mut output = UploadPartOutput {
        e_tag: Some(ETag::Strong(part.etag)),
        server_side_encryption: Some(ServerSideEncryption::from(algorithm)),
        ..UploadPartOutput::default()
    };
    show_checksum!(output, part.checksum);
    Ok(output)
}

/// Commits a part whose content is on disk.
///
/// # Errors
/// `NoSuchUpload`.
pub fn put_part(fake: &Fake, upload: &Upload, number: i32, content: Content) -> Result<Part, ApiError> {
    let part = Part {
        upload: upload.id.clone(),
        number,
        size: content.size,
        etag: hex(&content.md5),
        checksum: content.checksum,
        last_modified: fake.clock.now(),
        file: content.file,
    };
    let committed = fake.store.write(|change| {
        upload::existing(change, &upload.bucket, &upload.key, &upload.id)?;
        let old = change.get::<Part>(&upload::part_id(&upload.id, number))?;
        change.put(&part)?;
        Ok(old)
    });
    match committed {
        Ok(old) => old.into_iter().for_each(|old| content::remove(fake, &old.file)),
        Err(error) => {
            content::remove(fake, &part.file);
            return Err(error);
        }
    }
    Ok(part)
}

/// Makes an object of the parts that the client lists.
///
/// # Errors
/// `NoSuchUpload`, `InvalidPart`, `InvalidPartOrder`, `EntityTooSmall`, `MalformedXML`, `BadDigest`, `PreconditionFailed`.
pub fn complete(
    fake: &Fake,
    request: S3Request<CompleteMultipartUploadInput>,
) -> Result<CompleteMultipartUploadOutput, ApiError> {
    let claims = Claims::of(&request.headers, &request.extensions)?;
    let input = request.input;
    let (bucket, upload, uploaded) = fake.store.read(|view| {
        let bucket = bucket::existing(view, &input.bucket)?;
        let upload = upload::existing(view, &input.bucket, &input.key, &input.upload_id)?;
        let parts = upload::parts(view, &upload.id)?;
        Ok((bucket, upload, parts))
    })?;
    let listed = input.multipart_upload.and_then(|upload| upload.parts).unwrap_or_default();
    let parts = chosen(&uploaded, &listed)?;
    let size: u64 = parts.iter().map(|part| part.size).sum();
    if input.mpu_object_size.is_some_and(|expected| expected != signed(size)) {
        return Err(ApiError::new(
            "InvalidRequest",
            "The provided 'x-amz-mp-object-size' header does not match what was computed",
        ));
    }
    let algorithm = upload.algorithm.unwrap_or_default();
    let checksum =
        upload.composite.then(|| Checksum::composite(algorithm, parts.iter().map(|part| part.checksum.value.as_str())));

    let mut draft = Draft::new(fake, algorithm).map_err(unreadable)?;
    for part in &parts {
        let mut file = File::open(content::path(fake, &part.file)).map_err(unreadable)?;
        draft.append(&mut file).map_err(unreadable)?;
    }
    let mut content = draft.finish(|content| match &checksum {
        Some(composite) => claims.check_composite(composite),
        None => claims.check(content),
    })?;
    if let Some(composite) = checksum {
        content.checksum = composite;
    }
    let mut object = Object::new(fake, &bucket, &input.key, content);
    object.etag = etag(&parts);
    object.parts = parts.iter().map(|part| part.size).collect();
    object.headers = upload.headers.clone();
    object.tags = upload.tags.clone();
    object.encryption = upload.encryption.clone();
    let conditions = conditions::Write { if_match: input.if_match, if_none_match: input.if_none_match };
    let mut files = Vec::new();
    let object = object::replace(fake, object, |change, there| {
        conditions.check(there)?;
        files = forget(change, &upload)?;
        Ok(())
    })?;
    files.iter().for_each(|file| content::remove(fake, file));

    let mut output = CompleteMultipartUploadOutput {
        location: Some(format!("http://{}.s3.amazonaws.com/{}", object.bucket, Encoding::Url.text(object.key.clone()))),
        bucket: Some(object.bucket),
        key: Some(object.key),
        e_tag: Some(ETag::Strong(object.etag)),
        checksum_type: Some(object.checksum.kind()),
        server_side_encryption: Some(ServerSideEncryption::from(object.encryption.algorithm)),
        ssekms_key_id: object.encryption.kms_key_id,
        ..CompleteMultipartUploadOutput::default()
    };
    show_checksum!(output, object.checksum);
    Ok(output)
}

/// Gives an upload up.
///
/// # Errors
/// `NoSuchUpload`.
pub fn abort(
    fake: &Fake,
    request: S3Request<AbortMultipartUploadInput>,
) -> Result<AbortMultipartUploadOutput, ApiError> {
    let input = request.input;
    let files = fake.store.write(|change| {
        let upload = upload::existing(change, &input.bucket, &input.key, &input.upload_id)?;
        forget(change, &upload)
    })?;
    files.iter().for_each(|file| content::remove(fake, file));
    Ok(AbortMultipartUploadOutput::default())
}

/// The parts of an upload so far.
///
/// # Errors
/// `NoSuchUpload`.
pub fn list_parts(fake: &Fake, request: S3Request<ListPartsInput>) -> Result<ListPartsOutput, ApiError> {
    let input = request.input;
    let (bucket, upload, mut parts) = fake.store.read(|view| {
        let bucket = bucket::existing(view, &input.bucket)?;
        let upload = upload::existing(view, &input.bucket, &input.key, &input.upload_id)?;
        let parts = upload::parts(view, &upload.id)?;
        Ok((bucket, upload, parts))
    })?;
    let marker = input.part_number_marker.unwrap_or(0);
    parts.retain(|part| part.number > marker);
    let limit = limit(input.max_parts);
    let is_truncated = parts.len() > limit;
    parts.truncate(limit);
    let next = parts.last().map_or(0, |part| part.number);
    let parts = parts.into_iter().map(|part| {
        let mut summary = PartSummary {
            e_tag: Some(ETag::Strong(part.etag)),
            last_modified: Some(part.last_modified.date().into()),
            part_number: Some(part.number),
            size: Some(signed(part.size)),
            ..PartSummary::default()
        };
        show_checksum!(summary, part.checksum);
        summary
    });
    let owner = owner(&bucket.owner);
    Ok(ListPartsOutput {
        bucket: Some(upload.bucket),
        key: Some(upload.key),
        upload_id: Some(upload.id),
        checksum_algorithm: upload.algorithm.map(|algorithm| ChecksumAlgorithm::from_static(algorithm.name())),
        checksum_type: upload.algorithm.map(|_| kind_of(upload.composite)),
        initiator: Some(Initiator { id: owner.id.clone(), display_name: None }),
        owner: Some(owner),
        storage_class: Some(StorageClass::from(upload.headers.storage_class.unwrap_or_else(|| "STANDARD".to_owned()))),
        part_number_marker: Some(marker),
        next_part_number_marker: Some(next),
        max_parts: Some(i32::try_from(limit).unwrap_or(i32::MAX)),
        is_truncated: Some(is_truncated),
        parts: Some(parts.collect()),
        ..ListPartsOutput::default()
    })
}

/// The unfinished uploads of a bucket, by key and then by age.
///
/// # Errors
/// `NoSuchBucket`.
pub fn list_uploads(
    fake: &Fake,
    request: S3Request<ListMultipartUploadsInput>,
) -> Result<ListMultipartUploadsOutput, ApiError> {
    let input = request.input;
    let encode = Encoding::of(input.encoding_type.as_ref())?;
    let prefix = input.prefix.clone().unwrap_or_default();
    let (bucket, mut uploads) = fake.store.read(|view| {
        let bucket = bucket::existing(view, &input.bucket)?;
        Ok((bucket, view.list::<Upload>(&object::id(&input.bucket, &prefix))?))
    })?;
    uploads.retain(|upload| upload.key.starts_with(&prefix));
    uploads.sort_by(|one, other| (&one.key, one.initiated, &one.id).cmp(&(&other.key, other.initiated, &other.id)));
    if let Some(marker) = &input.key_marker {
        let last = input
            .upload_id_marker
            .as_ref()
            .and_then(|id| uploads.iter().position(|it| it.key == *marker && it.id == *id));
        let seen = last.map_or_else(|| uploads.partition_point(|upload| upload.key <= *marker), |last| last + 1);
        uploads.drain(..seen);
    }
    let limit = limit(input.max_uploads);
    let is_truncated = uploads.len() > limit;
    uploads.truncate(limit);
    let next = uploads.last().filter(|_| is_truncated).map(|last| (encode.text(last.key.clone()), last.id.clone()));
    let owner = owner(&bucket.owner);
    let uploads = uploads.into_iter().map(|upload| MultipartUpload {
        checksum_algorithm: upload.algorithm.map(|algorithm| ChecksumAlgorithm::from_static(algorithm.name())),
        checksum_type: upload.algorithm.map(|_| kind_of(upload.composite)),
        initiated: Some(upload.initiated.date().into()),
        initiator: Some(Initiator { id: owner.id.clone(), display_name: None }),
        key: Some(encode.text(upload.key)),
        owner: Some(owner.clone()),
        storage_class: Some(StorageClass::from(upload.headers.storage_class.unwrap_or_else(|| "STANDARD".to_owned()))),
        upload_id: Some(upload.id),
    });
    Ok(ListMultipartUploadsOutput {
        uploads: Some(uploads.collect()),
        bucket: Some(input.bucket),
        prefix: input.prefix.map(|text| encode.text(text)),
        key_marker: Some(encode.text(input.key_marker.unwrap_or_default())),
        upload_id_marker: input.upload_id_marker,
        next_key_marker: next.as_ref().map(|(key, _)| key.clone()),
        next_upload_id_marker: next.map(|(_, id)| id),
        max_uploads: Some(i32::try_from(limit).unwrap_or(i32::MAX)),
        is_truncated: Some(is_truncated),
        encoding_type: input.encoding_type,
        ..ListMultipartUploadsOutput::default()
    })
}

/// What a part claims about its bytes, by the algorithm of its upload.
///
/// # Errors
/// `InvalidArgument` for a number out of range, `InvalidRequest` for another algorithm than the upload's.
pub fn claims(upload: &Upload, number: i32, headers: &HeaderMap, extensions: &Extensions) -> Result<Claims, ApiError> {
    if !(1..=10_000).contains(&number) {
        return Err(ApiError::new("InvalidArgument", "Part number must be an integer between 1 and 10000, inclusive"));
    }
    let mut claims = Claims::of(headers, extensions)?;
    if let Some(expected) = upload.algorithm {
        if claims.algorithm.is_some_and(|actual| actual != expected) {
            let actual = claims.algorithm.unwrap_or_default().name().to_ascii_lowercase();
            let expected = expected.name().to_ascii_lowercase();
            let message = format!(
                "Checksum Type mismatch occurred, expected checksum Type: {expected}, actual checksum Type: {actual}"
            );
            return Err(ApiError::new("InvalidRequest", message));
        }
        claims.algorithm = Some(expected);
    }
    Ok(claims)
}

/// Removes the records of an upload and its parts; names the contents that are left over.
pub(super) fn forget(change: &mut Change<'_>, upload: &Upload) -> Result<Vec<String>, ApiError> {
    upload::existing(change, &upload.bucket, &upload.key, &upload.id)?;
    change.delete::<Upload>(&upload::id(&upload.bucket, &upload.key, &upload.id))?;
    let parts = upload::parts(change, &upload.id)?;
    for part in &parts {
        change.delete::<Part>(&upload::part_id(&upload.id, part.number))?;
    }
    Ok(parts.into_iter().map(|part| part.file).collect())
}

/// The parts that the client lists, if they are all there and as it says.
fn chosen<'a>(uploaded: &'a [Part], listed: &[CompletedPart]) -> Result<Vec<&'a Part>, ApiError> {
    if listed.is_empty() {
        return Err(ApiError::new(
            "MalformedXML",
            "The XML you provided was not well-formed or did not validate against our published schema",
        ));
    }
    if !listed.is_sorted_by(|one, next| one.part_number < next.part_number) {
        let message =
            "The list of parts was not in ascending order. The parts list must be specified in order by part number.";
        return Err(ApiError::new("InvalidPartOrder", message));
    }
    let parts = listed.iter().map(|listed| uploaded.iter().find(|part| is_part(part, listed)).ok_or_else(invalid_part));
    let parts = parts.collect::<Result<Vec<_>, _>>()?;
    let (_, all_but_the_last) = parts.split_last().ok_or_else(invalid_part)?;
    if all_but_the_last.iter().any(|part| part.size < SMALLEST_PART) {
        return Err(ApiError::new("EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size"));
    }
    Ok(parts)
}

fn is_part(part: &Part, listed: &CompletedPart) -> bool {
    let checksums = [
        (Algorithm::Crc32, &listed.checksum_crc32),
        (Algorithm::Crc32c, &listed.checksum_crc32c),
        (Algorithm::Crc64Nvme, &listed.checksum_crc64nvme),
        (Algorithm::Sha1, &listed.checksum_sha1),
        (Algorithm::Sha256, &listed.checksum_sha256),
    ];
    let contradicts = |(algorithm, value): (Algorithm, &Option<String>)| {
        algorithm == part.checksum.algorithm && value.as_ref().is_some_and(|value| *value != part.checksum.value)
    };
    listed.part_number == Some(part.number)
        && listed.e_tag.as_ref().is_some_and(|etag| etag.value() == part.etag)
        && !checksums.into_iter().any(contradicts)
}

/// The MD5 of the parts' MD5s, and how many there are.
fn etag(parts: &[&Part]) -> String {
    let mut md5 = Md5::new();
    for part in parts {
        md5.update(&unhex(&part.etag));
    }
    format!("{}-{}", hex(&md5.finalize()), parts.len())
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len() / 2).filter_map(|at| u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok()).collect()
}

/// Whether the object's checksum will be one of the parts' checksums: as asked for, or as AWS does by default.
fn is_composite(algorithm: Option<Algorithm>, kind: Option<&str>) -> Result<bool, ApiError> {
    let refuse = |algorithm: Algorithm, kind: &str| {
        let name = algorithm.name().to_ascii_lowercase();
        Err(ApiError::new(
            "InvalidRequest",
            format!("The {kind} checksum type cannot be used with the {name} checksum algorithm."),
        ))
    };
    match (algorithm.unwrap_or_default(), kind) {
        (algorithm @ Algorithm::Crc64Nvme, Some(kind @ "COMPOSITE")) => refuse(algorithm, kind),
        (algorithm @ (Algorithm::Sha1 | Algorithm::Sha256), Some(kind @ "FULL_OBJECT")) => refuse(algorithm, kind),
        (Algorithm::Crc64Nvme, _) | (_, Some("FULL_OBJECT")) => Ok(false),
        _ => Ok(true),
    }
}

fn kind_of(composite: bool) -> ChecksumType {
    ChecksumType::from_static(if composite { ChecksumType::COMPOSITE } else { ChecksumType::FULL_OBJECT })
}

fn limit(asked: Option<i32>) -> usize {
    asked.and_then(|limit| usize::try_from(limit).ok()).map_or(MOST, |limit| limit.min(MOST))
}

fn invalid_part() -> ApiError {
    ApiError::new(
        "InvalidPart",
        "One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified entity tag may \
         not match the part's entity tag.",
    )
}

fn unreadable(error: std::io::Error) -> ApiError {
    ApiError::internal(format!("cannot put the parts of an upload together: {error}"))
}
