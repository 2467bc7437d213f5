//! Model package groups: the versions of one model.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::model_package::ModelPackage;
use super::names::{self, UserContext};
use super::paging::{self, Order, SortKey};
use super::tags;
use crate::ApiError;
use crate::clock::Timestamp;
use crate::fake::Context;
use crate::store::{Record, Records};

/// A model package group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelPackageGroup {
    /// Its region.
    pub region: String,
    /// Its name, in the case it was given in.
    pub name: String,
    /// `arn:aws:sagemaker:REGION:ACCOUNT:model-package-group/NAME`.
    pub arn: String,
    /// What it is for.
    pub description: Option<String>,
    /// When it was made.
    pub created: Timestamp,
    /// By whom.
    pub created_by: UserContext,
    /// The greatest version that it has ever had: a version that was deleted does not come again.
    pub last_version: u32,
    /// Its resource policy, as JSON text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
}

impl Record for ModelPackageGroup {
    const KIND: &'static str = "model-package-group";
    fn key(&self) -> String {
        names::key(&self.region, &self.name)
    }
}

/// The group of this name or ARN.
///
/// # Errors
/// `ValidationException`: SageMaker declares no other for a group that does not exist.
pub fn existing(
    records: &impl Records,
    context: &Context<'_>,
    name_or_arn: &str,
) -> Result<ModelPackageGroup, ApiError> {
    find(records, context, name_or_arn)?.ok_or_else(|| {
        let arn = arn(context, name_or_arn);
        ApiError::validation(format!("ModelPackageGroup {arn} does not exist."))
    })
}

/// The group of this name or ARN, if there is one.
pub(super) fn find(
    records: &impl Records,
    context: &Context<'_>,
    name_or_arn: &str,
) -> Result<Option<ModelPackageGroup>, ApiError> {
    match names::plain(context, "model-package-group", name_or_arn) {
        Some(name) => records.get(&names::key(context.region, name)),
        None => Ok(None),
    }
}

/// The ARN that this name or ARN means, whether there is such a group or not.
pub(super) fn arn(context: &Context<'_>, name_or_arn: &str) -> String {
    match name_or_arn.starts_with("arn:") {
        true => name_or_arn.to_owned(),
        false => context.sagemaker_arn(&format!("model-package-group/{name_or_arn}")),
    }
}

pub(super) fn create(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let name = input["ModelPackageGroupName"].as_str().unwrap_or_default();
    let arn = context.sagemaker_arn(&format!("model-package-group/{name}"));
    context.fake.store.write(|change| {
        if let Some(existing) = change.get::<ModelPackageGroup>(&names::key(context.region, name))? {
            return Err(ApiError::validation(format!("Model Package Group already exists: {}", existing.arn)));
        }
        change.put(&ModelPackageGroup {
            region: context.region.to_owned(),
            name: name.to_owned(),
            arn: arn.clone(),
            description: input["ModelPackageGroupDescription"].as_str().map(str::to_owned),
            created: context.fake.clock.now(),
            created_by: UserContext::of(context.caller),
            last_version: 0,
            policy: None,
        })?;
        tags::create(change, &arn, input)?;
        Ok(json!({"ModelPackageGroupArn": arn}))
    })
}

pub(super) fn describe(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let name = input["ModelPackageGroupName"].as_str().unwrap_or_default();
    let group = context.fake.store.read(|view| existing(view, context, name))?;
    let mut output = summary(&group);
    output["CreatedBy"] = group.created_by.shape();
    Ok(output)
}

pub(super) fn delete(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    context.fake.store.write(|change| {
        let group = existing(change, context, input["ModelPackageGroupName"].as_str().unwrap_or_default())?;
        if !change.list::<ModelPackage>(&ModelPackage::keys_of_group(&group))?.is_empty() {
            let message = format!(
                "Model Package Group {} cannot be deleted because it still contains Model Packages.",
                group.arn
            );
            return Err(ApiError::new("ConflictException", message));
        }
        change.delete::<ModelPackageGroup>(&group.key())?;
        tags::delete(change, &group.arn)?;
        Ok(Value::Null)
    })
}

pub(super) fn list(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let groups = context.fake.store.read(|view| view.list::<ModelPackageGroup>(&names::key(context.region, "")))?;
    let groups = groups.into_iter().filter(|group| {
        // There is no other account whose groups could be shared with this one.
        input["CrossAccountFilterOption"] != "CrossAccount"
            && paging::name_contains(&group.name, input)
            && paging::within(group.created, input, "CreationTimeAfter", "CreationTimeBefore")
    });
    let by_name = input["SortBy"] == "Name";
    let sort_key =
        |group: &ModelPackageGroup| if by_name { SortKey::name(&group.name) } else { SortKey::time(group.created) };
    let (page, token) = paging::page("ListModelPackageGroups", input, Order::Ascending, groups, sort_key, Record::key)?;
    Ok(paging::with_token(json!({"ModelPackageGroupSummaryList": page.iter().map(summary).collect::<Vec<_>>()}), token))
}

fn summary(group: &ModelPackageGroup) -> Value {
    let mut summary = json!({
        "ModelPackageGroupName": group.name,
        "ModelPackageGroupArn": group.arn,
        "CreationTime": group.created,
        "ModelPackageGroupStatus": "Completed",
    });
    if let Some(description) = &group.description {
        summary["ModelPackageGroupDescription"] = json!(description);
    }
    summary
}
