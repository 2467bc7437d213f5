//! Bytes that are named by their digest: what registries store.

use std::fmt;

use sha2::{Digest as _, Sha256};

/// `sha256:` and 64 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Digest(String);

impl Digest {
    /// That of these bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(format!("sha256:{:x}", Sha256::digest(bytes)))
    }

    /// With `sha256:` before it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The digits alone.
    #[must_use]
    pub fn hex(&self) -> &str {
        self.0.trim_start_matches("sha256:")
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Bytes, what they are, and their digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blob {
    media_type: &'static str,
    digest: Digest,
    bytes: Vec<u8>,
}

impl Blob {
    /// These bytes, of this type.
    #[must_use]
    pub fn new(media_type: &'static str, bytes: Vec<u8>) -> Self {
        Self { media_type, digest: Digest::of(&bytes), bytes }
    }

    /// Docker's name for what they are.
    #[must_use]
    pub fn media_type(&self) -> &'static str {
        self.media_type
    }

    /// The name by which a registry knows them.
    #[must_use]
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// The bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}
