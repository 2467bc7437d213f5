//! Putting an object, and what an upload claims about its bytes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use futures::StreamExt as _;
use http::{Extensions, HeaderMap};
use s3s::S3Request;
use s3s::dto::{ETag, PutObjectInput, PutObjectOutput, ServerSideEncryption, StreamingBlob};

use super::bucket;
use super::checksum::{Algorithm, Checksum, show_checksum};
use super::conditions;
use super::content::{Content, Draft};
use super::envelope::Trailer;
use super::object::{self, Object};
use super::wishes::wishes;
use crate::{ApiError, Fake};

/// How many bytes are gathered before they are written.
const BLOCK: usize = 256 * 1024;

/// Puts an object, all or nothing.
///
/// # Errors
/// `BadDigest`, `InvalidDigest`, `IncompleteBody`, `PreconditionFailed`, those of tags, `NoSuchBucket`.
pub async fn object(fake: &Fake, request: S3Request<PutObjectInput>) -> Result<PutObjectOutput, ApiError> {
    let claims = Claims::of(&request.headers, &request.extensions)?;
    let mut input = request.input;
    let wishes = wishes!(input);
    wishes.check(&fake.store.read(|view| bucket::existing(view, &input.bucket))?)?;
    let draft = receive(fake, &claims, input.body.take()).await?;
    let put = on_disk(fake, move |fake| {
        let bucket = fake.store.read(|view| bucket::existing(view, &input.bucket))?;
        let content = draft.finish(|content| claims.check(content))?;
        let mut object = Object::new(fake, &bucket, &input.key, content);
        object.encryption = wishes.encryption(&bucket);
        object.tags = wishes.tags;
        object.headers = wishes.headers;
        let conditions = conditions::Write { if_match: input.if_match, if_none_match: input.if_none_match };
        object::replace(fake, object, |_, there| conditions.check(there))
    });
    let object = put.await?;
    let mut output = PutObjectOutput {
        e_tag: Some(ETag::Strong(object.etag)),
        server_side_encryption: Some(ServerSideEncryption::from(object.encryption.algorithm)),
        ssekms_key_id: object.encryption.kms_key_id,
        bucket_key_enabled: object.encryption.bucket_key.then_some(true),
        ..PutObjectOutput::default()
    };
    show_checksum!(output, object.checksum);
    output.checksum_type = Some(object.checksum.kind());
    Ok(output)
}

/// What an upload claims about its bytes.
pub struct Claims {
    /// The algorithm of its checksum, if the client chose one.
    pub algorithm: Option<Algorithm>,
    checksum: Option<String>,
    /// The checksum comes after the body, in a header of this name.
    trailer: Option<(String, Trailer)>,
    md5: Option<[u8; 16]>,
}

impl Claims {
    /// What the headers say.
    ///
    /// # Errors
    /// `InvalidDigest`, `InvalidRequest`.
    pub fn of(headers: &HeaderMap, extensions: &Extensions) -> Result<Self, ApiError> {
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let mut given = Algorithm::ALL
            .into_iter()
            .filter_map(|algorithm| Some((algorithm, header(&algorithm.header())?.to_owned())));
        let checksum = given.next();
        if given.next().is_some() {
            let message = "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.";
            return Err(ApiError::new("InvalidRequest", message));
        }
        let announced = header("x-amz-trailer")
            .and_then(|name| Algorithm::ALL.into_iter().find(|algorithm| algorithm.header() == name));
        let trailer = announced.and_then(|algorithm| Some((algorithm.header(), extensions.get::<Trailer>()?.clone())));
        let named = header("x-amz-sdk-checksum-algorithm").and_then(Algorithm::named);
        let invalid = || ApiError::new("InvalidDigest", "The Content-MD5 you specified was invalid.");
        let md5 = header("content-md5").map(|md5| BASE64.decode(md5).ok()?.try_into().ok());
        Ok(Self {
            algorithm: checksum.as_ref().map(|(algorithm, _)| *algorithm).or(announced).or(named),
            checksum: checksum.map(|(_, value)| value),
            trailer,
            md5: md5.map(|md5| md5.ok_or_else(invalid)).transpose()?,
        })
    }

    /// Whether the bytes are what was claimed.
    ///
    /// # Errors
    /// `BadDigest`; `MalformedTrailerError` when a checksum was announced and did not come.
    pub fn check(&self, content: &Content) -> Result<(), ApiError> {
        if self.md5.is_some_and(|md5| md5 != content.md5) {
            return Err(ApiError::new("BadDigest", "The Content-MD5 you specified did not match what we received."));
        }
        let trailed = match &self.trailer {
            Some((name, trailer)) => Some(trailer.get(name).ok_or_else(|| {
                ApiError::new("MalformedTrailerError", "The request contained trailing data that was not well-formed or did not conform to our published schema.")
            })?),
            None => None,
        };
        compare(self.checksum.as_ref().or(trailed.as_ref()), &content.checksum)
    }

    /// Whether the checksum of the parts' checksums is what was claimed.
    ///
    /// # Errors
    /// `BadDigest`.
    pub fn check_composite(&self, checksum: &Checksum) -> Result<(), ApiError> {
        compare(self.checksum.as_ref(), checksum)
    }
}

fn compare(claimed: Option<&String>, computed: &Checksum) -> Result<(), ApiError> {
    if claimed.is_none_or(|claimed| *claimed == computed.value) {
        return Ok(());
    }
    let message = format!("The {} you specified did not match the calculated checksum.", computed.algorithm.name());
    Err(ApiError::new("BadDigest", message))
}

/// Writes a body to disk as it comes in. If the client goes away, so does what was written.
///
/// # Errors
/// `IncompleteBody`; an internal failure when the disk does not take it.
pub async fn receive(fake: &Fake, claims: &Claims, body: Option<StreamingBlob>) -> Result<Draft, ApiError> {
    let failed = |error| ApiError::internal(format!("cannot write a content: {error}"));
    let algorithm = claims.algorithm.unwrap_or_default();
    let mut draft = on_disk(fake, move |fake| Draft::new(fake, algorithm).map_err(failed)).await?;
    let mut gathered = Vec::new();
    let mut size = 0;
    let Some(mut body) = body else { return Ok(draft) };
    loop {
        let next = body.next().await.transpose().map_err(|error| {
            tracing::debug!("an upload was cut off: {error}");
            ApiError::new(
                "IncompleteBody",
                "You did not provide the number of bytes specified by the Content-Length HTTP header",
            )
        })?;
        let ended = next.is_none();
        if let Some(bytes) = next {
            size += bytes.len();
            gathered.push(bytes);
        }
        if size >= BLOCK || (ended && size > 0) {
            let blocks = std::mem::take(&mut gathered);
            size = 0;
            draft = on_disk(fake, move |_| {
                blocks.iter().try_for_each(|bytes| draft.write(bytes)).map_err(failed)?;
                Ok(draft)
            })
            .await?;
        }
        if ended {
            return Ok(draft);
        }
    }
}

/// Runs something where waiting for the disk holds up nobody else.
///
/// # Errors
/// Those of `f`.
pub async fn on_disk<T: Send + 'static>(
    fake: &Fake,
    f: impl FnOnce(&Fake) -> Result<T, ApiError> + Send + 'static,
) -> Result<T, ApiError> {
    let fake = fake.clone();
    tokio::task::spawn_blocking(move || f(&fake)).await.map_err(ApiError::internal)?
}
