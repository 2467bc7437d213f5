//! A job's inputs: from the fake's S3 into the folder of an instance.

use std::fs::File;
use std::io;
use std::path::Path;

use flate2::read::MultiGzDecoder;
use serde::Deserialize;
use serde_json::Value;

use super::tree::{Tree, is_plain};
use crate::ApiError;
use crate::authorisation::Work;

/// One input of a job.
#[derive(Debug, Clone)]
pub(super) struct Input {
    /// What the job calls it.
    pub name: String,
    /// `s3://BUCKET/PREFIX`, or that of a manifest.
    pub uri: String,
    /// What the URI means.
    pub data: DataType,
    /// Where it goes, below `/opt/ml`.
    pub folder: String,
    /// Whether each instance gets its share of the objects instead of all of them.
    pub sharded: bool,
    /// Whether the objects are to be decompressed.
    pub gzip: bool,
}

/// What an input's URI means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(super) enum DataType {
    /// All objects whose keys begin so.
    S3Prefix,
    /// A JSON list of a prefix and names below it.
    ManifestFile,
    /// A JSON-lines list of objects with labels.
    AugmentedManifestFile,
    /// Conversations, for models that SageMaker customises itself.
    Converse,
}

/// An object of an input, and where it goes below the input's folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Item {
    pub bucket: String,
    pub key: String,
    pub path: String,
}

impl Input {
    /// Puts this instance's share into the instance's folder. The error is a sentence.
    pub(super) fn fetch(&self, work: &Work<'_>, tree: &Tree, instance: usize, instances: usize) -> Result<(), String> {
        let folder = tree.make(&self.folder).map_err(|error| self.failed(&error))?;
        let items = self.items(work)?;
        for (number, item) in items.iter().enumerate() {
            if self.sharded && number % instances != instance {
                continue;
            }
            self.copy(work, item, &folder)?;
        }
        Ok(())
    }

    /// Whether there is anything to fetch.
    pub(super) fn is_there(&self, work: &Work<'_>) -> bool {
        self.items(work).is_ok()
    }

    /// Everything that it names. The error is a sentence.
    pub(super) fn items(&self, work: &Work<'_>) -> Result<Vec<Item>, String> {
        let (bucket, prefix) = split_uri(&self.uri).ok_or_else(|| self.failed(&"it is no s3:// URI"))?;
        let items = match self.data {
            DataType::S3Prefix => {
                let objects = work.list(bucket, prefix).map_err(|error| self.failed(&error))?;
                let keys = objects.into_iter().map(|object| object.key);
                // A key that ends in a slash is a folder made in the console: it has no content.
                let keys = keys.filter(|key| !key.ends_with('/'));
                keys.map(|key| Item { bucket: bucket.to_owned(), path: below(prefix, &key).to_owned(), key }).collect()
            }
            DataType::ManifestFile => self.manifest(work, bucket, prefix)?,
            DataType::AugmentedManifestFile => {
                return Err(self.failed(&"this fake does not read augmented manifest files"));
            }
            DataType::Converse => return Err(self.failed(&"this fake does not read conversations")),
        };
        if items.is_empty() {
            return Err(format!(
                "No S3 objects found under S3 URL \"{}\" given in input data source {}.",
                self.uri, self.name
            ));
        }
        match items.iter().find(|item| !is_plain(&item.path) || item.path.is_empty()) {
            Some(item) => Err(self.failed(&format!("the key {} makes no file name", item.key))),
            None => Ok(items),
        }
    }

    /// `[{"prefix": "s3://BUCKET/PREFIX/"}, "NAME", ...]`.
    fn manifest(&self, work: &Work<'_>, bucket: &str, key: &str) -> Result<Vec<Item>, String> {
        let (_, file) = work.open(bucket, key).map_err(|error| self.failed(&error))?;
        let shape = || self.failed(&"the manifest is not a JSON list of {\"prefix\": \"s3://...\"} and names");
        let manifest: Vec<Value> = serde_json::from_reader(io::BufReader::new(file)).map_err(|_| shape())?;
        let (first, names) = manifest.split_first().ok_or_else(shape)?;
        let prefix = first.get("prefix").and_then(Value::as_str).ok_or_else(shape)?;
        let (bucket, prefix) = split_uri(prefix).ok_or_else(shape)?;
        let item = |name: &Value| {
            let name = name.as_str().ok_or_else(shape)?;
            Ok(Item {
                bucket: bucket.to_owned(),
                key: format!("{prefix}{name}"),
                path: name.trim_start_matches('/').to_owned(),
            })
        };
        names.iter().map(item).collect()
    }

    fn copy(&self, work: &Work<'_>, item: &Item, folder: &Path) -> Result<(), String> {
        let (_, mut source) = work.open(&item.bucket, &item.key).map_err(|error| self.missing(item, &error))?;
        let path = if self.gzip { item.path.strip_suffix(".gz").unwrap_or(&item.path) } else { &item.path };
        let path = folder.join(path);
        let copied = path.parent().map_or(Ok(()), std::fs::create_dir_all).and_then(|()| {
            let mut target = File::create(&path)?;
            if self.gzip {
                io::copy(&mut MultiGzDecoder::new(source), &mut target)
            } else {
                io::copy(&mut source, &mut target)
            }
        });
        copied.map(drop).map_err(|error| self.failed(&format!("s3://{}/{}: {error}", item.bucket, item.key)))
    }

    fn missing(&self, item: &Item, error: &ApiError) -> String {
        self.failed(&format!("s3://{}/{}: {error}", item.bucket, item.key))
    }

    fn failed(&self, why: &dyn std::fmt::Display) -> String {
        format!("Failed to download data. {} given in input data source {}: {why}", self.uri, self.name)
    }
}

/// Bucket and key of `s3://BUCKET/KEY`.
pub(crate) fn split_uri(uri: &str) -> Option<(&str, &str)> {
    let rest = uri.strip_prefix("s3://")?;
    let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
    (!bucket.is_empty()).then_some((bucket, key))
}

/// What SageMaker calls an object below the input's folder: what follows the prefix up to its last slash. A prefix that
/// is a whole folder name counts as one, and a prefix that is exactly one object gives that object's own name.
fn below<'a>(prefix: &str, key: &'a str) -> &'a str {
    let rest = key.strip_prefix(prefix).unwrap_or(key);
    match rest.strip_prefix('/') {
        Some(inside) => inside,
        None => &key[prefix.rfind('/').map_or(0, |slash| slash + 1)..],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_below_the_input_folder() {
        fn check(prefix: &str, key: &str, expected: &str) {
            assert_eq!(below(prefix, key), expected, "{prefix} {key}");
        }
        check("input/train", "input/train/a.csv", "a.csv");
        check("input/train/", "input/train/part/a.csv", "part/a.csv");
        check("input/train.csv", "input/train.csv", "train.csv");
        check("train.csv", "train.csv", "train.csv");
        check("input/part-", "input/part-1.csv", "part-1.csv");
        check("", "a/b.csv", "a/b.csv");
        check("input/data", "input/data2/a.csv", "data2/a.csv");
    }

    #[test]
    fn uris() {
        assert_eq!(split_uri("s3://bucket/a/b"), Some(("bucket", "a/b")));
        assert_eq!(split_uri("s3://bucket"), Some(("bucket", "")));
        assert_eq!(split_uri("https://bucket/a"), None);
        assert_eq!(split_uri("s3:///a"), None);
    }
}
