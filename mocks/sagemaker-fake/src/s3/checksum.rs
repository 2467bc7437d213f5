//! The checksums that S3 keeps of an object or a part: one of them, by the algorithm that the client chose.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use s3s::crypto::{Checksum as _, Crc32, Crc32c, Crc64Nvme, Sha1, Sha256};
use s3s::dto::ChecksumType;
use serde::{Deserialize, Serialize};

/// What S3 can compute. Without a choice it is CRC64NVME.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Algorithm {
    /// The CRC of zip and gzip; what the SDKs send unless told otherwise.
    Crc32,
    /// Castagnoli's.
    Crc32c,
    /// S3's own default.
    #[default]
    Crc64Nvme,
    /// SHA-1.
    Sha1,
    /// SHA-256.
    Sha256,
}

impl Algorithm {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Crc32, Self::Crc32c, Self::Crc64Nvme, Self::Sha1, Self::Sha256];

    /// The header that carries it, in lower case.
    pub fn header(self) -> String {
        format!("x-amz-checksum-{}", self.name().to_ascii_lowercase())
    }

    /// The one that AWS gives this name, e.g. `CRC64NVME`.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name() == name)
    }

    /// AWS's name for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Crc32 => "CRC32",
            Self::Crc32c => "CRC32C",
            Self::Crc64Nvme => "CRC64NVME",
            Self::Sha1 => "SHA1",
            Self::Sha256 => "SHA256",
        }
    }
}

/// A checksum as S3 keeps and shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checksum {
    /// How it was computed.
    pub algorithm: Algorithm,
    /// Base64, followed by `-N` if it is a checksum of the checksums of N parts.
    pub value: String,
}

impl Checksum {
    /// AWS's word for what it was computed of.
    pub fn kind(&self) -> ChecksumType {
        ChecksumType::from_static(if self.is_composite() { ChecksumType::COMPOSITE } else { ChecksumType::FULL_OBJECT })
    }

    /// Whether it is a checksum of the parts' checksums, not of the object's bytes.
    pub fn is_composite(&self) -> bool {
        self.value.contains('-')
    }

    /// The checksum of the checksums of parts.
    pub fn composite<'a>(algorithm: Algorithm, parts: impl ExactSizeIterator<Item = &'a str>) -> Self {
        let count = parts.len();
        let mut hasher = Hasher::new(algorithm);
        for part in parts {
            hasher.update(&BASE64.decode(part).unwrap_or_default());
        }
        Self { algorithm, value: format!("{}-{count}", hasher.finish().value) }
    }
}

/// Computes one checksum as the bytes pass.
pub enum Hasher {
    /// See [`Algorithm::Crc32`].
    Crc32(Crc32),
    /// See [`Algorithm::Crc32c`].
    Crc32c(Crc32c),
    /// See [`Algorithm::Crc64Nvme`].
    Crc64Nvme(Crc64Nvme),
    /// See [`Algorithm::Sha1`].
    Sha1(Sha1),
    /// See [`Algorithm::Sha256`].
    Sha256(Sha256),
}

impl Hasher {
    /// One that has seen no byte yet.
    pub fn new(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Crc32 => Self::Crc32(Crc32::new()),
            Algorithm::Crc32c => Self::Crc32c(Crc32c::new()),
            Algorithm::Crc64Nvme => Self::Crc64Nvme(Crc64Nvme::new()),
            Algorithm::Sha1 => Self::Sha1(Sha1::new()),
            Algorithm::Sha256 => Self::Sha256(Sha256::new()),
        }
    }

    /// Takes more bytes in.
    pub fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Crc32(hasher) => hasher.update(bytes),
            Self::Crc32c(hasher) => hasher.update(bytes),
            Self::Crc64Nvme(hasher) => hasher.update(bytes),
            Self::Sha1(hasher) => hasher.update(bytes),
            Self::Sha256(hasher) => hasher.update(bytes),
        }
    }

    /// The checksum of all of them.
    pub fn finish(self) -> Checksum {
        let (algorithm, value) = match self {
            Self::Crc32(hasher) => (Algorithm::Crc32, BASE64.encode(hasher.finalize())),
            Self::Crc32c(hasher) => (Algorithm::Crc32c, BASE64.encode(hasher.finalize())),
            Self::Crc64Nvme(hasher) => (Algorithm::Crc64Nvme, BASE64.encode(hasher.finalize())),
            Self::Sha1(hasher) => (Algorithm::Sha1, BASE64.encode(hasher.finalize())),
            Self::Sha256(hasher) => (Algorithm::Sha256, BASE64.encode(hasher.finalize())),
        };
        Checksum { algorithm, value }
    }
}

/// Puts a checksum into the member of an output that is named after its algorithm.
macro_rules! show_checksum {
    ($output:expr, $checksum:expr) => {{
        let checksum = &$checksum;
        let value = Some(checksum.value.clone());
        match checksum.algorithm {
            $crate::s3::checksum::Algorithm::Crc32 => $output.checksum_crc32 = value,
            $crate::s3::checksum::Algorithm::Crc32c => $output.checksum_crc32c = value,
            $crate::s3::checksum::Algorithm::Crc64Nvme => $output.checksum_crc64nvme = value,
            $crate::s3::checksum::Algorithm::Sha1 => $output.checksum_sha1 = value,
            $crate::s3::checksum::Algorithm::Sha256 => $output.checksum_sha256 = value,
        }
    }};
}
pub(super) use show_checksum;
