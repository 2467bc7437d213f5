//! S3: operations by what they touch, and objects that jobs read and write.

use http::HeaderMap;
use iam_policy::{Attached, Kind, Policy};

use super::asker::{Asker, Refused};
use super::table::{self, S3Resource};
use crate::account::Caller;
use crate::protocol::{decode, pairs};
use crate::s3::{self, Bucket};
use crate::{ApiError, Fake};

/// A request for S3, as far as IAM is asked about it.
pub struct Call<'a> {
    /// E.g. `GetObject`.
    pub operation: &'a str,
    /// The bucket's name, if it names one.
    pub bucket: Option<&'a str>,
    /// The object's key, if it names one.
    pub key: Option<&'a str>,
    /// Its headers.
    pub headers: &'a HeaderMap,
    /// Its query.
    pub query: &'a str,
}

/// Condition keys, and the parameters of the query that they come from.
const PARAMETERS: [(&str, &str); 3] =
    [("s3:prefix", "prefix"), ("s3:delimiter", "delimiter"), ("s3:max-keys", "max-keys")];

/// Condition keys that are headers too.
const HEADERS: [&str; 7] = [
    "x-amz-acl",
    "x-amz-bucket-namespace",
    "x-amz-copy-source",
    "x-amz-metadata-directive",
    "x-amz-server-side-encryption",
    "x-amz-server-side-encryption-aws-kms-key-id",
    "x-amz-storage-class",
];

/// Actions that a header asks for beside the operation's own.
const BESIDE: [(&str, &str, &str); 3] = [
    ("PutObject", "x-amz-tagging", "PutObjectTagging"),
    ("PutObject", "x-amz-acl", "PutObjectAcl"),
    ("CreateBucket", "x-amz-object-ownership", "PutBucketOwnershipControls"),
];

/// Refuses a request that its caller may not make. Only where IAM is enforced.
///
/// # Errors
/// `AccessDenied`; an internal failure when the store cannot be read.
pub fn check(fake: &Fake, caller: &Caller, region: &str, call: &Call<'_>) -> Result<(), ApiError> {
    let (action, about) = table::s3_action(call.operation)
        .ok_or_else(|| ApiError::internal(format!("the table of actions lacks S3's {}", call.operation)))?;
    let asker = Asker::of(fake, caller, region)?;
    // Every key of a batch is asked for when its turn comes.
    if action.is_empty() {
        return Ok(());
    }
    let name = match about {
        S3Resource::Other => None,
        S3Resource::Bucket | S3Resource::Object => call.bucket,
    };
    let key = call.key.filter(|_| about == S3Resource::Object);
    let store = Storage { fake, asker };
    store.ask(action, name, key, Some(call)).map_err(Refused::in_xml)?;
    for (_, _, beside) in BESIDE.iter().filter(|(to, header, _)| *to == action && call.headers.contains_key(*header)) {
        store.ask(beside, name, key, Some(call)).map_err(Refused::in_xml)?;
    }
    if let Some((bucket, key)) = call.headers.get("x-amz-copy-source").and_then(|source| copied(source.to_str().ok()?))
    {
        store.ask("GetObject", Some(&bucket), Some(&key), None).map_err(Refused::in_xml)?;
    }
    if let ("GetObject", Some(bucket), Some(key)) = (action, name, key) {
        store.tell_missing(bucket, key)?;
    }
    Ok(())
}

/// The refusal of a request that no policy allows, whatever the policies say.
pub fn unallowed(caller: &Caller, call: &Call<'_>) -> ApiError {
    let (action, about) = table::s3_action(call.operation).unwrap_or((call.operation, S3Resource::Other));
    // A batch is a deletion of every key in it.
    let action = if action.is_empty() { "DeleteObject" } else { action };
    let key = call.key.filter(|_| about == S3Resource::Object).map(|key| format!("/{key}")).unwrap_or_default();
    let resource = call.bucket.map(|bucket| format!("\"arn:aws:s3:::{bucket}{key}\""));
    Refused::unallowed(caller, &format!("s3:{action}"), resource.as_deref()).in_xml()
}

/// Refuses to delete this object of a batch. Only where IAM is enforced.
///
/// # Errors
/// `AccessDenied`; an internal failure when the store cannot be read.
pub fn check_deletion(fake: &Fake, caller: &Caller, region: &str, bucket: &str, key: &str) -> Result<(), ApiError> {
    let store = Storage { fake, asker: Asker::of(fake, caller, region)? };
    store.ask("DeleteObject", Some(bucket), Some(key), None).map_err(Refused::in_xml)
}

/// Refuses an action on an object, or on a bucket if there is no key, to somebody who is no client of S3: a job's role.
///
/// # Errors
/// AWS's sentence.
pub fn ask(fake: &Fake, asker: &Asker, action: &str, bucket: &str, key: Option<&str>) -> Result<(), Refused> {
    Storage { fake, asker: asker.clone() }.ask(action, Some(bucket), key, None)
}

struct Storage<'a> {
    fake: &'a Fake,
    asker: Asker,
}

impl Storage<'_> {
    fn ask(
        &self,
        action: &str,
        bucket: Option<&str>,
        key: Option<&str>,
        call: Option<&Call<'_>>,
    ) -> Result<(), Refused> {
        let resource = match (bucket, key) {
            (None, _) => "*".to_owned(),
            (Some(bucket), None) => format!("arn:aws:s3:::{bucket}"),
            (Some(bucket), Some(key)) => format!("arn:aws:s3:::{bucket}/{key}"),
        };
        // A store that cannot be read has no bucket, and the request goes no further than that.
        let bucket = bucket.and_then(|name| s3::bucket(self.fake, name).ok().flatten());
        let asker = self.asker.before(bucket.as_ref().and_then(policy));
        let mut request = asker.request(format!("s3:{action}"), resource.as_str());
        match bucket {
            Some(bucket) => {
                request.context.set("aws:ResourceAccount", [&bucket.owner]);
                request.resource_account = Some(bucket.owner);
            }
            // What does not exist yet is nobody's.
            None => request.context.set("aws:ResourceAccount", [""; 0]),
        }
        if let Some(call) = call {
            let given: Vec<_> = pairs(call.query.as_bytes()).collect();
            for (key, parameter) in PARAMETERS {
                request.context.set(key, given.iter().filter(|(name, _)| name == parameter).map(|(_, value)| value));
            }
            for name in HEADERS {
                let value = call.headers.get(name).and_then(|value| value.to_str().ok());
                request.context.set(&format!("s3:{name}"), value);
            }
        }
        // S3 alone quotes the resource.
        asker.ask(request).map_err(|Refused(sentence)| {
            Refused(sentence.replacen(&format!("resource: {resource}"), &format!("resource: \"{resource}\""), 1))
        })
    }

    /// Whether an object is there is told only to who may list the bucket.
    fn tell_missing(&self, bucket: &str, key: &str) -> Result<(), ApiError> {
        match s3::get(self.fake, bucket, key)? {
            Some(_) => Ok(()),
            None => self.ask("ListBucket", Some(bucket), None, None).map_err(Refused::in_xml),
        }
    }
}

/// The policy of a bucket. One that cannot be read lets nobody in.
fn policy(bucket: &Bucket) -> Option<Attached> {
    let policy = Policy::parse(bucket.settings.policy.as_deref()?, Kind::Resource).ok()?;
    Some(Attached::new(format!("arn:aws:s3:::{}", bucket.name), policy))
}

/// Bucket and key of `x-amz-copy-source`.
fn copied(source: &str) -> Option<(String, String)> {
    let source = decode(source.split('?').next()?.replace('+', "%2B").as_bytes());
    let (bucket, key) = source.trim_start_matches('/').split_once('/')?;
    Some((bucket.to_owned(), key.to_owned()))
}
