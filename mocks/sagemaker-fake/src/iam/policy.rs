//! Managed policies: those of the account, and of AWS's own those in `aws_managed`.

use std::collections::BTreeMap;

use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::attachment::{self, Usage};
use super::page::page;
use super::{already_exists, aws_managed, delete_conflict, document, limit_exceeded, no_such_entity, path, tags, text};
use crate::ApiError;
use crate::clock::Timestamp;
use crate::fake::Context;
use crate::store::{Record, Records};

/// The most characters of a document, without white space.
const SIZE_LIMIT: usize = 6144;

/// How the ARNs of AWS's own policies begin.
pub const AWS_PREFIX: &str = "arn:aws:iam::aws:policy/";

/// A managed policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// With its path.
    pub arn: String,
    /// `ANPA` and 17 more.
    pub id: String,
    /// Without its path.
    pub name: String,
    /// Begins and ends with `/`.
    pub path: String,
    /// Free text.
    pub description: Option<String>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// Oldest first; never empty.
    pub versions: Vec<Version>,
    /// The number of the version in force.
    pub default_version: u32,
    /// The number of the version that was made last, which may have gone.
    pub last_version: u32,
    /// When it was made.
    pub created: Timestamp,
    /// When its newest version was made.
    pub updated: Timestamp,
}

/// A version of a managed policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// Its id is `v` and this number, which is never given twice.
    pub number: u32,
    /// JSON text.
    pub document: String,
    /// When it was made.
    pub created: Timestamp,
}

impl Policy {
    /// The document in force.
    #[must_use]
    pub fn document(&self) -> &str {
        let version = self.versions.iter().find(|version| version.number == self.default_version);
        version.map_or("", |version| &version.document)
    }
}

impl Record for Policy {
    const KIND: &'static str = "policy";
    /// Names are unique in the account whatever their case and path.
    fn key(&self) -> String {
        self.name.to_lowercase()
    }
}

/// Makes a managed policy with one version.
///
/// # Errors
/// `EntityAlreadyExists`, `MalformedPolicyDocument`, `LimitExceeded`, `InvalidInput`.
pub fn create(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let (fake, now) = (context.fake, context.fake.clock.now());
    let (name, path, policy) = (text(input, "PolicyName"), path(input, "Path"), text(input, "PolicyDocument"));
    let made = fake.store.write(|change| {
        if change.get::<Policy>(&name.to_lowercase())?.is_some() {
            return Err(already_exists(format!(
                "A policy called {name} already exists. Duplicate names are not allowed."
            )));
        }
        check_document(policy)?;
        let policy = Policy {
            arn: format!("arn:aws:iam::{}:policy{path}{name}", fake.account()),
            id: format!("ANPA{}", fake.ids.base32(17)),
            name: name.to_owned(),
            path: path.to_owned(),
            description: input["Description"].as_str().map(str::to_owned),
            tags: tags::added(BTreeMap::new(), input)?,
            versions: vec![Version { number: 1, document: policy.to_owned(), created: now }],
            default_version: 1,
            last_version: 1,
            created: now,
            updated: now,
        };
        change.put(&policy)?;
        Ok(policy)
    })?;
    Ok(json!({"Policy": details(&made, Usage::default())?}))
}

/// A managed policy, without its document.
///
/// # Errors
/// `NoSuchEntity`, `InvalidInput` for what is no ARN.
pub fn get(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let arn = text(input, "PolicyArn");
    let (policy, entities) = context.fake.store.read(|view| {
        let policy = find(view, arn)?.ok_or_else(|| not_found(arn))?;
        Ok((policy, attachment::all_entities(view)?))
    })?;
    Ok(json!({"Policy": details(&policy, attachment::usage(&entities, arn))?}))
}

/// The managed policies under a path, by name.
///
/// # Errors
/// `ValidationError` for a wrong marker.
pub fn list(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let prefix = path(input, "PathPrefix");
    let (scope, usage_filter) = (input["Scope"].as_str().unwrap_or("All"), input["PolicyUsageFilter"].as_str());
    let only_attached = input["OnlyAttached"].as_bool().unwrap_or(false);
    let (own, entities) =
        context.fake.store.read(|view| Ok((view.list::<Policy>("")?, attachment::all_entities(view)?)))?;
    let own = own.into_iter().filter(|_| scope != "AWS");
    let aws = aws_managed::all().iter().filter(|_| scope != "Local").cloned();
    let wanted = own.chain(aws).filter(|policy| policy.path.starts_with(prefix)).filter_map(|policy| {
        let usage = attachment::usage(&entities, &policy.arn);
        let used = match usage_filter {
            Some("PermissionsBoundary") => usage.bounds > 0,
            Some("PermissionsPolicy") => usage.attached > 0,
            _ => usage.attached > 0 || usage.bounds > 0,
        };
        (used || (!only_attached && usage_filter.is_none())).then_some((policy, usage))
    });
    page(input, wanted, |(policy, _)| sort_key(&policy.arn))?
        .answer("Policies", |(policy, usage)| summary(policy, *usage))
}

/// Deletes a managed policy that nobody uses, with its only version.
///
/// # Errors
/// `NoSuchEntity`, `DeleteConflict`, `InvalidInput` for what is no ARN, `AccessDenied` for one of AWS's own.
pub fn delete(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let arn = text(input, "PolicyArn");
    context.fake.store.write(|change| {
        let policy = own(context, change, arn, "iam:DeletePolicy")?;
        if attachment::usage(&attachment::all_entities(change)?, arn) != Usage::default() {
            return Err(delete_conflict("Cannot delete a policy attached to entities."));
        }
        if policy.versions.len() > 1 {
            return Err(delete_conflict(
                "This policy has more than one version. Before you delete a policy, you must delete the policy's \
                 versions. The default version is deleted with the policy.",
            ));
        }
        change.delete::<Policy>(&policy.key())
    })?;
    Ok(Value::Null)
}

/// Changes the managed policy that the input names. There is nothing to answer.
///
/// # Errors
/// Those of [`own`] and of `f`.
pub fn change(
    context: &Context<'_>,
    action: &str,
    input: &Value,
    f: impl FnOnce(&mut Policy) -> Result<(), ApiError>,
) -> Result<Value, ApiError> {
    context.fake.store.write(|change| {
        let mut policy = own(context, change, text(input, "PolicyArn"), action)?;
        f(&mut policy)?;
        change.put(&policy)
    })?;
    Ok(Value::Null)
}

/// The managed policy with this ARN, the account's own or one of AWS's, if there is one.
///
/// # Errors
/// `InvalidInput` for what is no ARN.
pub fn find(records: &impl Records, arn: &str) -> Result<Option<Policy>, ApiError> {
    check_arn(arn)?;
    if arn.starts_with(AWS_PREFIX) {
        return Ok(aws_managed::all().iter().find(|policy| policy.arn == arn).cloned());
    }
    Ok(records.get::<Policy>(&name_of(arn).to_lowercase())?.filter(|policy| policy.arn == arn))
}

/// The managed policy with this ARN, to be used.
///
/// # Errors
/// `NoSuchEntity`, `InvalidInput` for what is no ARN.
pub fn existing(records: &impl Records, arn: &str) -> Result<Policy, ApiError> {
    find(records, arn)?.ok_or_else(|| no_such_entity(format!("Policy {arn} does not exist or is not attachable.")))
}

/// The managed policy with this ARN, to be changed by this action.
///
/// # Errors
/// As [`existing`]; `AccessDenied` for one of AWS's own, which nobody but AWS changes.
pub fn own(context: &Context<'_>, records: &impl Records, arn: &str, action: &str) -> Result<Policy, ApiError> {
    let policy = existing(records, arn)?;
    if arn.starts_with(AWS_PREFIX) {
        let caller = &context.caller.arn;
        let message = format!("User: {caller} is not authorized to perform: {action} on resource: policy {arn}");
        return Err(ApiError::new("AccessDenied", message).with_status(StatusCode::FORBIDDEN));
    }
    Ok(policy)
}

/// Whether this may be the document of a managed policy.
///
/// # Errors
/// `MalformedPolicyDocument`, `LimitExceeded`.
pub fn check_document(policy: &str) -> Result<(), ApiError> {
    if document::size(policy) > SIZE_LIMIT {
        return Err(limit_exceeded(format!("Cannot exceed quota for PolicySize: {SIZE_LIMIT}")));
    }
    document::check_managed(policy).map(drop)
}

/// Whether this is the ARN of some managed policy.
///
/// # Errors
/// `InvalidInput`.
pub fn check_arn(arn: &str) -> Result<(), ApiError> {
    let mut parts = arn.splitn(6, ':');
    let good = parts.next() == Some("arn")
        && parts.next().is_some_and(|partition| partition.starts_with("aws"))
        && parts.next() == Some("iam")
        && parts.nth(2).is_some_and(|resource| resource.starts_with("policy/"));
    if good { Ok(()) } else { Err(ApiError::new("InvalidInput", format!("ARN {arn} is not valid."))) }
}

/// The name in an ARN.
pub fn name_of(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or_default()
}

/// The path in an ARN: what is between `policy` and the name.
pub fn path_of(arn: &str) -> &str {
    let resource = arn.splitn(6, ':').nth(5).unwrap_or_default();
    resource.strip_prefix("policy").and_then(|rest| rest.strip_suffix(name_of(arn))).unwrap_or_default()
}

/// What lists of policies are sorted by. Names are unique among the account's own policies, and among AWS's.
pub fn sort_key(arn: &str) -> String {
    format!("{}/{}", name_of(arn).to_lowercase(), arn.starts_with(AWS_PREFIX))
}

/// What is said of a policy that is looked for and not there.
pub fn not_found(arn: &str) -> ApiError {
    no_such_entity(format!("Policy {arn} was not found."))
}

/// What lists show. They leave out the description and the tags.
fn summary(policy: &Policy, usage: Usage) -> Result<Value, ApiError> {
    Ok(json!({
        "PolicyName": policy.name,
        "PolicyId": policy.id,
        "Arn": policy.arn,
        "Path": policy.path,
        "DefaultVersionId": format!("v{}", policy.default_version),
        "AttachmentCount": usage.attached,
        "PermissionsBoundaryUsageCount": usage.bounds,
        "IsAttachable": true,
        "CreateDate": super::date(policy.created)?,
        "UpdateDate": super::date(policy.updated)?,
    }))
}

fn details(policy: &Policy, usage: Usage) -> Result<Value, ApiError> {
    let mut shape = summary(policy, usage)?;
    if let Some(description) = &policy.description {
        shape["Description"] = json!(description);
    }
    if !policy.tags.is_empty() {
        shape["Tags"] = tags::shape(&policy.tags);
    }
    Ok(shape)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arns_of_policies_have_a_path_and_a_name() {
        let check = |arn: &str, expected: Option<(&str, &str)>| {
            let found = check_arn(arn).ok().map(|()| (path_of(arn), name_of(arn)));
            assert_eq!(found, expected, "{arn}");
        };
        check("arn:aws:iam::111122223333:policy/p", Some(("/", "p")));
        check("arn:aws:iam::aws:policy/service-role/X", Some(("/service-role/", "X")));
        check("arn:aws:iam::111122223333:role/service-role/X", None);
        check("arn:aws:s3:::bucket", None);
        check("AmazonSageMakerFullAccess", None);
    }
}
