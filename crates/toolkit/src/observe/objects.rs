//! Objects of ours in S3.

use std::time::SystemTime;

use aws_sdk_s3::Client;
use aws_sdk_s3::error::ProvideErrorMetadata;

use crate::aws::errors::describe;
use crate::error::Failure;

/// An object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// Its key.
    pub key: String,
    /// In bytes.
    pub size: u64,
    /// When it was written last.
    pub modified: Option<SystemTime>,
}

/// The objects whose keys begin with `prefix`, in the order of their keys, all pages of them; none if there is no such
/// bucket.
///
/// # Errors
/// When the call is refused.
pub async fn list(s3: &Client, bucket: &str, prefix: &str, account: &str) -> Result<Vec<Object>, Failure> {
    let listed = s3.list_objects_v2().bucket(bucket).prefix(prefix).expected_bucket_owner(account);
    let mut pages = listed.into_paginator().send();
    let mut objects = Vec::new();
    while let Some(page) = pages.next().await {
        let page = match page {
            Ok(page) => page,
            Err(error) if error.code() == Some("NoSuchBucket") => return Ok(Vec::new()),
            Err(error) => return Err(describe("ListObjectsV2", error)),
        };
        objects.extend(page.contents.unwrap_or_default().into_iter().filter_map(|object| {
            Some(Object {
                key: object.key?,
                size: object.size.and_then(|size| u64::try_from(size).ok()).unwrap_or_default(),
                modified: object.last_modified.and_then(|time| SystemTime::try_from(time).ok()),
            })
        }));
    }
    Ok(objects)
}

/// How often an object is asked for whose content breaks off: the SDK makes a call again, but what is streamed after it has
/// succeeded is not its business any more.
const ATTEMPTS: usize = 3;

/// An object, whole. Nothing if it is not there.
///
/// # Errors
/// When the call is refused for another reason than that there is no such object, or breaks off again and again.
pub async fn read(s3: &Client, bucket: &str, key: &str, account: &str) -> Result<Option<Vec<u8>>, Failure> {
    let mut attempt = 1;
    loop {
        let object = match s3.get_object().bucket(bucket).key(key).expected_bucket_owner(account).send().await {
            Ok(object) => object,
            Err(error) if error.code() == Some("NoSuchKey") => return Ok(None),
            Err(error) => return Err(describe("GetObject", error)),
        };
        match object.body.collect().await {
            Ok(body) => return Ok(Some(body.to_vec())),
            Err(_) if attempt < ATTEMPTS => attempt += 1,
            Err(error) => {
                let failure = Failure::operation(format!("GetObject: s3://{bucket}/{key} broke off")).because(error);
                return Err(failure.hint("check the network and the proxy (HTTPS_PROXY, NO_PROXY), and try again"));
            }
        }
    }
}
