//! Lifecycles: objects that go when their time is over, and uploads that are given up.
//!
//! What is due goes when the clock is moved and when the state is opened. Expirations act on objects, and
//! `AbortIncompleteMultipartUpload` on uploads. Transitions to other storage classes and what is said of noncurrent versions
//! are kept and read back, and change nothing: there is one kind of storage here, and one version of an object.

use s3s::S3Request;
use s3s::dto::{
    BucketLifecycleConfiguration, DeleteBucketLifecycleInput, DeleteBucketLifecycleOutput,
    GetBucketLifecycleConfigurationInput, GetBucketLifecycleConfigurationOutput, LifecycleExpiration, LifecycleRule,
    PutBucketLifecycleConfigurationInput, PutBucketLifecycleConfigurationOutput, Tag,
    TransitionDefaultMinimumObjectSize,
};
use serde::{Deserialize, Serialize};

use super::bucket::Bucket;
use super::object::Object;
use super::settings::{malformed_xml, not_found, read, set};
use super::upload::Upload;
use super::{content, delete, document, multipart};
use crate::clock::Timestamp;
use crate::store::Records as _;
use crate::{ApiError, Fake};

/// The most rules of a bucket.
const MOST_RULES: usize = 1000;
const MILLISECONDS_OF_A_DAY: i64 = 86_400_000;

/// The lifecycle of a bucket's objects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lifecycle {
    /// As AWS writes it.
    configuration: String,
    /// Which objects are too small to be moved to another storage class.
    transition_default_minimum_object_size: String,
}

pub fn get(
    fake: &Fake,
    request: S3Request<GetBucketLifecycleConfigurationInput>,
) -> Result<GetBucketLifecycleConfigurationOutput, ApiError> {
    let missing = || not_found("NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist");
    let lifecycle = read(fake, &request.input.bucket)?.lifecycle.ok_or_else(missing)?;
    Ok(GetBucketLifecycleConfigurationOutput {
        rules: Some(lifecycle.rules()?),
        transition_default_minimum_object_size: Some(TransitionDefaultMinimumObjectSize::from(
            lifecycle.transition_default_minimum_object_size,
        )),
    })
}

pub fn put(
    fake: &Fake,
    request: S3Request<PutBucketLifecycleConfigurationInput>,
) -> Result<PutBucketLifecycleConfigurationOutput, ApiError> {
    let input = request.input;
    let mut configuration = input.lifecycle_configuration.ok_or_else(malformed_xml)?;
    check(&configuration.rules)?;
    for rule in configuration.rules.iter_mut().filter(|rule| rule.id.as_deref().is_none_or(str::is_empty)) {
        rule.id = Some(fake.ids.uuid());
    }
    let size = input.transition_default_minimum_object_size;
    let size = size.unwrap_or_else(|| TransitionDefaultMinimumObjectSize::from("all_storage_classes_128K".to_owned()));
    let lifecycle = Lifecycle {
        configuration: document::write(&configuration)?,
        transition_default_minimum_object_size: size.as_str().to_owned(),
    };
    set(fake, &input.bucket, |settings| settings.lifecycle = Some(lifecycle))?;
    Ok(PutBucketLifecycleConfigurationOutput { transition_default_minimum_object_size: Some(size) })
}

pub fn delete(
    fake: &Fake,
    request: S3Request<DeleteBucketLifecycleInput>,
) -> Result<DeleteBucketLifecycleOutput, ApiError> {
    set(fake, &request.input.bucket, |settings| settings.lifecycle = None)?;
    Ok(DeleteBucketLifecycleOutput {})
}

/// Removes what is over by now, in every bucket.
///
/// # Errors
/// An internal failure when the store cannot be read or written.
pub fn expire(fake: &Fake) -> Result<(), ApiError> {
    let now = fake.clock.now();
    for bucket in fake.store.read(|view| view.list::<Bucket>(""))? {
        let Some(lifecycle) = &bucket.settings.lifecycle else { continue };
        let rules = lifecycle.rules()?;
        let rules: Vec<_> = rules.iter().filter(|rule| rule.status.as_str() == "Enabled").collect();
        let over: Vec<_> = super::list(fake, &bucket.name, "")?
            .into_iter()
            .filter(|object| rules.iter().any(|rule| ends(rule, object).is_some_and(|end| end <= now)))
            .map(|object| (object.key, Some(s3s::dto::ETagCondition::ETag(s3s::dto::ETag::Strong(object.etag)))))
            .collect();
        delete::remove(fake, &bucket.name, &over)?;
        let files = fake.store.write(|change| {
            let mut files = Vec::new();
            for upload in change.list::<Upload>(&format!("{}/", bucket.name))? {
                if rules.iter().any(|rule| given_up(rule, &upload).is_some_and(|end| end <= now)) {
                    files.extend(multipart::forget(change, &upload)?);
                }
            }
            Ok(files)
        })?;
        files.iter().for_each(|file| content::remove(fake, file));
    }
    Ok(())
}

impl Lifecycle {
    fn rules(&self) -> Result<Vec<LifecycleRule>, ApiError> {
        Ok(document::read::<BucketLifecycleConfiguration>(&self.configuration)?.rules)
    }
}

/// Whether AWS would take these rules.
fn check(rules: &[LifecycleRule]) -> Result<(), ApiError> {
    let invalid = |message: &str| Err(ApiError::new("InvalidRequest", message));
    if rules.is_empty() || rules.len() > MOST_RULES {
        return Err(malformed_xml());
    }
    for (index, rule) in rules.iter().enumerate() {
        let id = rule.id.as_deref().unwrap_or_default();
        if id.len() > 255 {
            return Err(ApiError::new("InvalidArgument", "ID length should not exceed allowed limit of 255"));
        }
        if !id.is_empty() && rules[..index].iter().any(|other| other.id.as_deref() == Some(id)) {
            return Err(ApiError::new(
                "InvalidArgument",
                "Rule ID must be unique. Found same ID for more than one rule",
            ));
        }
        if !matches!(rule.status.as_str(), "Enabled" | "Disabled") || rule.filter.is_some() == rule.prefix.is_some() {
            return Err(malformed_xml());
        }
        let acts = rule.expiration.is_some()
            || rule.abort_incomplete_multipart_upload.is_some()
            || rule.noncurrent_version_expiration.is_some()
            || rule.transitions.as_ref().is_some_and(|list| !list.is_empty())
            || rule.noncurrent_version_transitions.as_ref().is_some_and(|list| !list.is_empty());
        if !acts {
            return invalid("At least one action needs to be specified in a rule");
        }
        let LifecycleExpiration { date, days, .. } = rule.expiration.clone().unwrap_or_default();
        let abort = rule.abort_incomplete_multipart_upload.as_ref().map(|abort| abort.days_after_initiation);
        if days.is_some_and(|days| days < 1) || abort.flatten().is_some_and(|days| days < 1) {
            let message = "'Days' for Expiration action must be a positive integer";
            return Err(ApiError::new("InvalidArgument", message));
        }
        if date.is_some_and(|date| time::OffsetDateTime::from(date).time() != time::Time::MIDNIGHT) {
            return Err(ApiError::new("InvalidArgument", "'Date' must be at midnight GMT"));
        }
    }
    Ok(())
}

/// When this rule ends an object; nothing if it never does.
fn ends(rule: &LifecycleRule, object: &Object) -> Option<Timestamp> {
    let expiration = rule.expiration.as_ref().filter(|_| applies(rule, object))?;
    match (&expiration.date, expiration.days) {
        (Some(date), _) => Some(super::object::timestamp(date.clone())),
        (None, Some(days)) => Some(midnight_after(object.last_modified, days)),
        // What is left is about the markers of deleted versions.
        (None, None) => None,
    }
}

/// When this rule gives an upload up.
fn given_up(rule: &LifecycleRule, upload: &Upload) -> Option<Timestamp> {
    let days = rule.abort_incomplete_multipart_upload.as_ref()?.days_after_initiation?;
    upload.key.starts_with(prefix(rule)).then(|| midnight_after(upload.initiated, days))
}

/// AWS adds the days, and waits for the next midnight.
fn midnight_after(moment: Timestamp, days: i32) -> Timestamp {
    let later = moment.0.saturating_add(i64::from(days) * MILLISECONDS_OF_A_DAY);
    Timestamp((later / MILLISECONDS_OF_A_DAY + 1) * MILLISECONDS_OF_A_DAY)
}

fn applies(rule: &LifecycleRule, object: &Object) -> bool {
    let filter = rule.filter.clone().unwrap_or_default();
    let and = filter.and.unwrap_or_default();
    let tagged = |tag: &Tag| {
        let value = tag.key.as_ref().and_then(|key| object.tags.get(key));
        value.is_some_and(|value| Some(value) == tag.value.as_ref())
    };
    let size = super::get::signed(object.size);
    object.key.starts_with(prefix(rule))
        && filter.tag.iter().chain(and.tags.iter().flatten()).all(tagged)
        && [filter.object_size_greater_than, and.object_size_greater_than].iter().flatten().all(|least| size > *least)
        && [filter.object_size_less_than, and.object_size_less_than].iter().flatten().all(|most| size < *most)
}

fn prefix(rule: &LifecycleRule) -> &str {
    let filter = rule.filter.as_ref();
    let of_filter = filter.and_then(|filter| filter.prefix.as_ref());
    let of_and = filter.and_then(|filter| filter.and.as_ref()?.prefix.as_ref());
    rule.prefix.as_ref().or(of_filter).or(of_and).map_or("", String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_the_midnight_after() {
        let check = |moment: i64, days: i32, expected: i64| {
            assert_eq!(midnight_after(Timestamp(moment), days), Timestamp(expected), "{moment} {days}");
        };
        check(0, 1, 2 * MILLISECONDS_OF_A_DAY);
        check(1, 1, 2 * MILLISECONDS_OF_A_DAY);
        check(MILLISECONDS_OF_A_DAY - 1, 1, 2 * MILLISECONDS_OF_A_DAY);
        check(MILLISECONDS_OF_A_DAY, 30, 32 * MILLISECONDS_OF_A_DAY);
    }

    #[test]
    fn rules_are_refused_as_aws_refuses_them() {
        let rule = |text: &str| format!("<LifecycleConfiguration>{text}</LifecycleConfiguration>");
        let check = |text: &str, expected: &str| {
            let rules = document::read::<BucketLifecycleConfiguration>(&rule(text)).unwrap().rules;
            let code = super::check(&rules).err().map_or_else(String::new, |error| error.code);
            assert_eq!(code, expected, "{text}");
        };
        let good = "<Rule><ID>a</ID><Status>Enabled</Status><Filter/><Expiration><Days>1</Days></Expiration></Rule>";
        check(good, "");
        check(&format!("{good}{good}"), "InvalidArgument");
        check(&good.replace(">1<", ">0<"), "InvalidArgument");
        check(&good.replace("<Filter/>", ""), "MalformedXML");
        check(&good.replace("<Filter/>", "<Prefix>x</Prefix>"), "");
        check(&good.replace("Enabled", "On"), "MalformedXML");
        check(&good.replace("<Expiration><Days>1</Days></Expiration>", ""), "InvalidRequest");
        check(&good.replace("<Days>1</Days>", "<Date>2026-01-01T00:00:00Z</Date>"), "");
        check(&good.replace("<Days>1</Days>", "<Date>2026-01-01T01:00:00Z</Date>"), "InvalidArgument");
        check(&good.replace(">a<", &format!(">{}<", "a".repeat(256))), "InvalidArgument");
    }
}
