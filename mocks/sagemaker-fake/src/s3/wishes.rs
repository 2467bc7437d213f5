//! What a client wants an object to be, beside its bytes: said alike by a put, a copy and the beginning of an upload.

use std::collections::BTreeMap;

use http::StatusCode;

use super::bucket::{Bucket, Encryption};
use super::object::Headers;
use super::{acl, settings};
use crate::ApiError;

/// What is wanted.
pub struct Wishes {
    /// To be kept with the object.
    pub headers: Headers,
    /// To be the object's tags.
    pub tags: BTreeMap<String, String>,
    /// If not as the bucket says.
    pub encryption: Option<Encryption>,
    /// A canned access list.
    pub acl: Option<String>,
    /// Whether a lock or a legal hold is wanted.
    pub lock: bool,
    /// Whether it is to be encrypted with a key that comes along (SSE-C).
    pub customer_key: bool,
}

impl Wishes {
    /// Whether this bucket, and this fake, can give what is wanted.
    ///
    /// # Errors
    /// `AccessControlListNotSupported`, `InvalidRequest`, `NotImplemented`.
    pub fn check(&self, bucket: &Bucket) -> Result<(), ApiError> {
        acl::check(bucket, self.acl.as_deref())?;
        if self.lock {
            return Err(settings::no_lock());
        }
        if self.customer_key {
            // Contents are not really encrypted: taking the key would promise what is not kept.
            let message = "server-side encryption with keys of the client's own (SSE-C) is not served by this fake";
            return Err(ApiError::new("NotImplemented", message).with_status(StatusCode::NOT_IMPLEMENTED));
        }
        Ok(())
    }

    /// How the object is encrypted: as wanted, else as its bucket says.
    pub fn encryption(&self, bucket: &Bucket) -> Encryption {
        self.encryption.clone().unwrap_or_else(|| bucket.settings.encryption.clone())
    }
}

/// The wishes in an input, moved out of it.
macro_rules! wishes {
    ($input:expr) => {
        $crate::s3::wishes::Wishes {
            headers: $crate::s3::object::Headers {
                content_type: $input.content_type.take(),
                cache_control: $input.cache_control.take(),
                content_disposition: $input.content_disposition.take(),
                content_encoding: $input.content_encoding.take(),
                content_language: $input.content_language.take(),
                expires: $input.expires.take().map($crate::s3::object::timestamp),
                storage_class: $input
                    .storage_class
                    .take()
                    .map(|class| class.as_str().to_owned())
                    .filter(|class| class != "STANDARD"),
                website_redirect_location: $input.website_redirect_location.take(),
                metadata: $input.metadata.take().unwrap_or_default().into_iter().collect(),
            },
            tags: $crate::s3::tags::read_header($input.tagging.as_deref().unwrap_or_default())?,
            encryption: $input.server_side_encryption.take().map(|algorithm| $crate::s3::bucket::Encryption {
                algorithm: algorithm.as_str().to_owned(),
                kms_key_id: $input.ssekms_key_id.take(),
                bucket_key: $input.bucket_key_enabled.unwrap_or(false),
            }),
            acl: $input.acl.take().map(|acl| acl.as_str().to_owned()),
            lock: $input.object_lock_mode.is_some() || $input.object_lock_legal_hold_status.is_some(),
            customer_key: $input.sse_customer_algorithm.is_some(),
        }
    };
}
pub(super) use wishes;
