//! Configurations that are kept as S3's own XML: whatever a client puts there comes back to it.

use s3s::xml::{Deserialize, Deserializer, Serialize, Serializer};

use crate::ApiError;

/// As S3 writes it.
///
/// # Errors
/// An internal failure when it cannot be written.
pub fn write(configuration: &impl Serialize) -> Result<String, ApiError> {
    let mut xml = Vec::new();
    configuration.serialize(&mut Serializer::new(&mut xml)).map_err(ApiError::internal)?;
    String::from_utf8(xml).map_err(ApiError::internal)
}

/// What [`write`] has written.
///
/// # Errors
/// An internal failure when it cannot be read.
pub fn read<T: for<'xml> Deserialize<'xml>>(xml: &str) -> Result<T, ApiError> {
    T::deserialize(&mut Deserializer::new(xml.as_bytes())).map_err(ApiError::internal)
}
