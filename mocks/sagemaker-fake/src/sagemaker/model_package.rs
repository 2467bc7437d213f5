//! Model packages: versions of a model in a group, or on their own under a name.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::model_package_group::{self, ModelPackageGroup};
use super::names::{self, UserContext};
use super::paging::{self, Order, SortKey};
use super::{idempotency, tags};
use crate::ApiError;
use crate::clock::Timestamp;
use crate::fake::Context;
use crate::protocol::Service;
use crate::store::{Change, Record, Records};

/// A model package.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelPackage {
    /// Its region.
    pub region: String,
    /// Its group's name and its version there; nothing for a package on its own.
    pub version: Option<(String, u32)>,
    /// Its name: that of its group if it is a version.
    pub name: String,
    /// `arn:aws:sagemaker:REGION:ACCOUNT:model-package/GROUP/VERSION`, or `.../NAME`.
    pub arn: String,
    /// Whether it may be deployed. A package on its own has none.
    pub approval: Option<String>,
    /// What else it was given, in AWS's own shape: `InferenceSpecification`, `ModelMetrics`, `CustomerMetadataProperties` ...
    pub details: Map<String, Value>,
    /// When it was made.
    pub created: Timestamp,
    /// By whom.
    pub created_by: UserContext,
    /// When and by whom it was last changed, if it was.
    pub modified: Option<(Timestamp, UserContext)>,
}

impl Record for ModelPackage {
    const KIND: &'static str = "model-package";
    fn key(&self) -> String {
        // Versions in their order, and never among packages on their own.
        let name = names::key(&self.region, &self.name);
        self.version.as_ref().map_or_else(|| name.clone(), |(_, version)| format!("{name}/{version:010}"))
    }
}

impl ModelPackage {
    /// How the keys of a group's versions begin.
    pub(super) fn keys_of_group(group: &ModelPackageGroup) -> String {
        format!("{}/", group.key())
    }
}

/// The package of this ARN, or of this name if it is on its own.
///
/// # Errors
/// `ValidationException`: SageMaker declares no other for a package that does not exist.
pub fn existing(records: &impl Records, context: &Context<'_>, name_or_arn: &str) -> Result<ModelPackage, ApiError> {
    let key = names::plain(context, "model-package", name_or_arn).map(|name| match name.split_once('/') {
        Some((group, version)) => format!("{}/{version:0>10}", names::key(context.region, group)),
        None => names::key(context.region, name),
    });
    let found = key.map(|key| records.get(&key)).transpose()?.flatten();
    found.ok_or_else(|| {
        let arn = match name_or_arn.starts_with("arn:") {
            true => name_or_arn.to_owned(),
            false => context.sagemaker_arn(&format!("model-package/{name_or_arn}")),
        };
        ApiError::validation(format!("ModelPackage {arn} does not exist."))
    })
}

pub(super) fn create(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    idempotency::once(context, "CreateModelPackage", input["ClientToken"].as_str(), input, |change| {
        let package = new(context, change, input)?;
        change.put(&package)?;
        if package.version.is_none() {
            tags::create(change, &package.arn, input)?;
        }
        Ok(json!({"ModelPackageArn": package.arn}))
    })
}

fn new(context: &Context<'_>, change: &mut Change<'_>, input: &Value) -> Result<ModelPackage, ApiError> {
    let (name, version) = match (input["ModelPackageName"].as_str(), input["ModelPackageGroupName"].as_str()) {
        (Some(_), Some(_)) => {
            return Err(ApiError::validation(
                "Both ModelPackageName and ModelPackageGroupName are provided in the input. Cannot determine which one to use.",
            ));
        }
        (None, None) => return Err(ApiError::validation("Missing ARN.")),
        (Some(name), None) => {
            if let Some(existing) = change.get::<ModelPackage>(&names::key(context.region, name))? {
                return Err(ApiError::validation(format!("Model Package already exists: {}", existing.arn)));
            }
            (name.to_owned(), None)
        }
        (None, Some(group)) => {
            let mut group = model_package_group::existing(change, context, group)?;
            if input["Tags"].as_array().is_some_and(|tags| !tags.is_empty()) {
                return Err(ApiError::validation(tags::OF_VERSIONS));
            }
            group.last_version += 1;
            change.put(&group)?;
            (group.name.clone(), Some((group.name, group.last_version)))
        }
    };
    let arn = match &version {
        Some((group, version)) => context.sagemaker_arn(&format!("model-package/{group}/{version}")),
        None => context.sagemaker_arn(&format!("model-package/{name}")),
    };
    let mut details = Service::SageMaker.api().members_of_output("DescribeModelPackage", input);
    for own in ["ModelPackageName", "ModelPackageGroupName", "ModelApprovalStatus"] {
        details.remove(own);
    }
    let approval = input["ModelApprovalStatus"].as_str().or(version.is_some().then_some("PendingManualApproval"));
    Ok(ModelPackage {
        region: context.region.to_owned(),
        version,
        name,
        arn,
        approval: approval.map(str::to_owned),
        details,
        created: context.fake.clock.now(),
        created_by: UserContext::of(context.caller),
        modified: None,
    })
}

pub(super) fn describe(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let name = input["ModelPackageName"].as_str().unwrap_or_default();
    let package = context.fake.store.read(|view| existing(view, context, name))?;
    let mut output = summary(&package);
    if let Value::Object(members) = &mut output {
        members.extend(package.details);
        members.insert("ModelPackageName".to_owned(), json!(package.name));
        members
            .insert("ModelPackageStatusDetails".to_owned(), json!({"ValidationStatuses": [], "ImageScanStatuses": []}));
        members.insert("CreatedBy".to_owned(), package.created_by.shape());
        members.entry("CertifyForMarketplace").or_insert(json!(false));
        if let Some((time, by)) = package.modified {
            members.insert("LastModifiedTime".to_owned(), json!(time));
            members.insert("LastModifiedBy".to_owned(), by.shape());
        }
    }
    Ok(output)
}

pub(super) fn update(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    idempotency::once(context, "UpdateModelPackage", input["ClientToken"].as_str(), input, |change| {
        let mut package = existing(change, context, input["ModelPackageArn"].as_str().unwrap_or_default())?;
        if let Some(status) = input["ModelApprovalStatus"].as_str() {
            if package.version.is_none() {
                return Err(ApiError::validation("ModelApprovalStatus does not apply to unversioned model packages."));
            }
            package.approval = Some(status.to_owned());
        }
        for replaced in [
            "ApprovalDescription",
            "InferenceSpecification",
            "SourceUri",
            "ModelCard",
            "ModelLifeCycle",
            "ModelPackageRegistrationType",
        ] {
            if !input[replaced].is_null() {
                package.details.insert(replaced.to_owned(), input[replaced].clone());
            }
        }
        update_metadata(&mut package.details, input)?;
        add_specifications(&mut package.details, &input["AdditionalInferenceSpecificationsToAdd"])?;
        package.modified = Some((context.fake.clock.now(), UserContext::of(context.caller)));
        change.put(&package)?;
        Ok(json!({"ModelPackageArn": package.arn}))
    })
}

/// The most entries of `CustomerMetadataProperties`, and the most additional inference specifications: AWS documents the
/// limits, and not its sentences.
const MOST_METADATA: usize = 50;
const MOST_SPECIFICATIONS: usize = 15;

/// Adds to, and removes from, `CustomerMetadataProperties`.
fn update_metadata(details: &mut Map<String, Value>, input: &Value) -> Result<(), ApiError> {
    const NAME: &str = "CustomerMetadataProperties";
    let mut all = details.get(NAME).and_then(Value::as_object).cloned().unwrap_or_default();
    all.extend(input[NAME].as_object().cloned().unwrap_or_default());
    for gone in input["CustomerMetadataPropertiesToRemove"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        all.remove(gone);
    }
    if all.len() > MOST_METADATA {
        return Err(ApiError::validation(format!("{NAME} cannot have more than {MOST_METADATA} entries.")));
    }
    if all.is_empty() {
        details.remove(NAME);
    } else {
        details.insert(NAME.to_owned(), Value::Object(all));
    }
    Ok(())
}

/// Adds to `AdditionalInferenceSpecifications`, in which every name is unique.
fn add_specifications(details: &mut Map<String, Value>, added: &Value) -> Result<(), ApiError> {
    const NAME: &str = "AdditionalInferenceSpecifications";
    let Some(added) = added.as_array() else { return Ok(()) };
    let mut all = details.get(NAME).and_then(Value::as_array).cloned().unwrap_or_default();
    for new in added {
        if all.iter().any(|old| old["Name"] == new["Name"]) {
            let name = new["Name"].as_str().unwrap_or_default();
            return Err(ApiError::validation(format!("{NAME} already have a specification of the name {name}.")));
        }
        all.push(new.clone());
    }
    if all.len() > MOST_SPECIFICATIONS {
        return Err(ApiError::validation(format!("There can be no more than {MOST_SPECIFICATIONS} {NAME}.")));
    }
    details.insert(NAME.to_owned(), Value::Array(all));
    Ok(())
}

/// Versions by their ARNs. What cannot be described is named beside what can.
pub(super) fn batch_describe(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let (mut found, mut failed) = (Map::new(), Map::new());
    for arn in input["ModelPackageArnList"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        match context.fake.store.read(|view| existing(view, context, arn)).and_then(|package| batch_summary(&package)) {
            Ok(summary) => found.insert(arn.to_owned(), summary),
            Err(error) if error.status.is_server_error() => return Err(error),
            Err(error) => {
                failed.insert(arn.to_owned(), json!({"ErrorCode": error.code, "ErrorResponse": error.message}))
            }
        };
    }
    let mut output = json!({"ModelPackageSummaries": found});
    if !failed.is_empty() {
        output["BatchDescribeModelPackageErrorMap"] = Value::Object(failed);
    }
    Ok(output)
}

/// `BatchDescribeModelPackageSummary`, which only a version of a group has.
fn batch_summary(package: &ModelPackage) -> Result<Value, ApiError> {
    if package.version.is_none() {
        return Err(ApiError::validation(format!("ModelPackage {} is not versioned.", package.arn)));
    }
    let mut shape = summary(package);
    if let Value::Object(members) = &mut shape {
        members.remove("ModelLifeCycle");
        // AWS's model demands it, and a package made from an algorithm or a source has none.
        let specification = package.details.get("InferenceSpecification").cloned();
        let specification = specification.unwrap_or_else(|| json!({"Containers": []}));
        members.insert("InferenceSpecification".to_owned(), specification);
    }
    Ok(shape)
}

pub(super) fn delete(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    context.fake.store.write(|change| {
        let package = existing(change, context, input["ModelPackageName"].as_str().unwrap_or_default())?;
        change.delete::<ModelPackage>(&package.key())?;
        tags::delete(change, &package.arn)?;
        Ok(Value::Null)
    })
}

pub(super) fn list(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let packages = context.fake.store.read(|view| match input["ModelPackageGroupName"].as_str() {
        Some(group) => view
            .list::<ModelPackage>(&ModelPackage::keys_of_group(&model_package_group::existing(view, context, group)?)),
        None => view.list(&names::key(context.region, "")),
    })?;
    // Without a group, only packages on their own are listed unless versions are asked for.
    let default = if input["ModelPackageGroupName"].is_null() { "Unversioned" } else { "Both" };
    let kind = input["ModelPackageType"].as_str().unwrap_or(default);
    let packages = packages.into_iter().filter(|package| {
        (kind == "Both" || (kind == "Versioned") == package.version.is_some())
            && input["ModelApprovalStatus"].as_str().is_none_or(|status| package.approval.as_deref() == Some(status))
            && paging::name_contains(&package.name, input)
            && paging::within(package.created, input, "CreationTimeAfter", "CreationTimeBefore")
    });
    let by_name = input["SortBy"] == "Name";
    let sort_key =
        |package: &ModelPackage| if by_name { SortKey::name(&package.name) } else { SortKey::time(package.created) };
    let (page, token) = paging::page("ListModelPackages", input, Order::Ascending, packages, sort_key, Record::key)?;
    Ok(paging::with_token(json!({"ModelPackageSummaryList": page.iter().map(listed).collect::<Vec<_>>()}), token))
}

/// As a list shows it. Versions are listed without a name.
fn listed(package: &ModelPackage) -> Value {
    let mut summary = summary(package);
    if package.version.is_none() {
        summary["ModelPackageName"] = json!(package.name);
    }
    summary
}

fn summary(package: &ModelPackage) -> Value {
    let mut summary = json!({
        "ModelPackageArn": package.arn,
        "CreationTime": package.created,
        "ModelPackageStatus": "Completed",
    });
    if let Some((group, version)) = &package.version {
        summary["ModelPackageGroupName"] = json!(group);
        summary["ModelPackageVersion"] = json!(version);
    }
    if let Some(approval) = &package.approval {
        summary["ModelApprovalStatus"] = json!(approval);
    }
    for name in ["ModelPackageDescription", "ModelPackageRegistrationType", "ModelLifeCycle"] {
        if let Some(value) = package.details.get(name) {
            summary[name] = value.clone();
        }
    }
    summary
}
