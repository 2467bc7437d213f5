//! The input: sentence pairs in a local file, in the sample that comes with the project, or in S3.

use std::path::{Path, PathBuf};

use aws_sdk_s3::Client;
use sha2::{Digest, Sha256};
use sts_model::pairs;

use super::Seen;
use crate::aws::errors::describe;
use crate::error::Failure;

/// The sample that comes with the project.
pub const SAMPLE: &str = include_str!("../../../../mocks/data/pairs.tsv");

/// Where the sentence pairs come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// Bytes on this machine, to be uploaded.
    Local {
        /// What to call it: the file's path, or "the sample".
        label: String,
        /// The bytes.
        content: Vec<u8>,
        /// Their SHA-256, in hexadecimal: the key is made of it.
        sha256: String,
        /// How many pairs there are.
        rows: usize,
    },
    /// An object or a prefix that is in S3 already.
    S3 {
        /// `s3://bucket/key`.
        uri: String,
    },
}

impl Input {
    /// What `--input` means: nothing is the sample, `s3://...` is S3, anything else a file, which is read and checked
    /// here: better a sentence now than a failed job in four minutes.
    ///
    /// # Errors
    /// When the file cannot be read, or is not what `preprocess` accepts.
    pub fn read(argument: Option<&str>) -> Result<Self, Failure> {
        let (label, content) = match argument {
            None => ("the sample".to_owned(), SAMPLE.as_bytes().to_vec()),
            Some(uri) if uri.starts_with("s3://") => return Self::s3(uri),
            Some(path) => {
                let content = std::fs::read(Path::new(path)).map_err(|error| {
                    Failure::usage(format!("cannot read the input `{path}`: {error}"))
                        .hint("--input takes a file of sentence pairs, or s3://bucket/key")
                })?;
                (PathBuf::from(path).display().to_string(), content)
            }
        };
        let mut rows = 0;
        for pair in pairs::Reader::new(content.as_slice(), pairs::Labels::Required)
            .map_err(|error| unreadable(&label, &error))?
        {
            pair.map_err(|error| unreadable(&label, &error))?;
            rows += 1;
        }
        let sha256 = Sha256::digest(&content).iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self::Local { label, content, sha256, rows })
    }

    fn s3(uri: &str) -> Result<Self, Failure> {
        match split_uri(uri) {
            Some((bucket, key)) if !bucket.is_empty() && !key.is_empty() => Ok(Self::S3 { uri: uri.to_owned() }),
            _ => Err(Failure::usage(format!("`{uri}` names no object")).hint("s3://bucket/key/of/pairs.tsv")),
        }
    }
}

fn unreadable(label: &str, error: &dyn std::fmt::Display) -> Failure {
    Failure::usage(format!("{label} is no file of sentence pairs: {error}")).hint(
        "a header and then a pair a line, separated by tabs and without quoting: Quality, #1 ID, #2 ID, #1 String, #2 String",
    )
}

/// `s3://bucket/key` as (bucket, key).
#[must_use]
pub fn split_uri(uri: &str) -> Option<(&str, &str)> {
    uri.strip_prefix("s3://")?.split_once('/')
}

/// Whether an object of this size is at the key already.
///
/// # Errors
/// When the call is refused for another reason than that there is no such object.
pub async fn object(s3: &Client, bucket: &str, key: &str, account: &str) -> Result<Seen<u64>, Failure> {
    match s3.head_object().bucket(bucket).key(key).expected_bucket_owner(account).send().await {
        Ok(head) => Ok(Seen::Present(head.content_length().and_then(|size| u64::try_from(size).ok()).unwrap_or(0))),
        Err(error) if error.raw_response().is_some_and(|raw| raw.status().as_u16() == 404) => Ok(Seen::Absent),
        // Without s3:ListBucket a missing object is a 403, and a HEAD has no body to say more.
        Err(error) if error.raw_response().is_some_and(|raw| raw.status().as_u16() == 403) => {
            Ok(Seen::Unknown("HeadObject answers 403".to_owned()))
        }
        Err(error) => Err(describe("HeadObject", error)),
    }
}

/// Whether anything is at or below a URI that the user named. It may be anybody's bucket, so no owner is expected.
///
/// # Errors
/// When nothing is there, or the call is refused.
pub async fn foreign(s3: &Client, uri: &str) -> Result<(), Failure> {
    let Some((bucket, key)) = split_uri(uri) else { return Ok(()) };
    let listed = s3.list_objects_v2().bucket(bucket).prefix(key).max_keys(1).send().await;
    let listed = listed.map_err(|error| describe("ListObjectsV2", error))?;
    if listed.contents().is_empty() {
        return Err(Failure::usage(format!("there is nothing at {uri}")).hint("check --input"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_sample() {
        let Input::Local { rows, sha256, .. } = Input::read(None).unwrap() else { panic!("the sample is local") };
        assert!(rows > 1000, "{rows}");
        assert_eq!(sha256.len(), 64);
    }

    #[test]
    fn what_is_no_input_is_refused() {
        for (argument, complaint) in [
            ("/nonexistent/pairs.tsv", "cannot read the input"),
            ("s3://bucket", "names no object"),
            ("s3://bucket/", "names no object"),
            (concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"), "is no file of sentence pairs"),
        ] {
            let failure = Input::read(Some(argument)).unwrap_err().to_string();
            assert!(failure.contains(complaint), "{argument}: {failure}");
        }
    }
}
