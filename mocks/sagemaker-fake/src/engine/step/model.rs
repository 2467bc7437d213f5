//! Model and RegisterModel steps.

use pipeline_definition::Step;
use serde_json::json;

use super::{Began, Outcome, arguments, invoke};
use crate::engine::execution::StepRecord;
use crate::engine::role;
use crate::engine::scope::ExecutionScope;

/// Registers a model, in a group that is made if it is not there: nothing in a definition could.
pub(super) fn register(scope: &ExecutionScope<'_>, step: &Step, record: &mut StepRecord) -> Began {
    let mut input = arguments(scope, step, "CreateModelPackage")?;
    if let Some(group) = input["ModelPackageGroupName"].as_str().filter(|group| !group.starts_with("arn:")) {
        let known = role::look_up(
            scope.fake,
            scope.execution,
            "DescribeModelPackageGroup",
            json!({"ModelPackageGroupName": group}),
        );
        if known.is_err() {
            invoke(scope, "CreateModelPackageGroup", json!({"ModelPackageGroupName": group}))?;
        }
    }
    // With the same token, a package that was made before the process was killed is not made again.
    let suffix = record.resource.rsplit('-').next().unwrap_or_default();
    input["ClientToken"] = json!(format!("{}-{suffix}", scope.execution.id));
    let made = invoke(scope, "CreateModelPackage", input)?;
    record.metadata = json!({"RegisterModel": {"Arn": made["ModelPackageArn"]}});
    Ok(Outcome::Succeeded)
}

/// Makes a model.
pub(super) fn make(scope: &ExecutionScope<'_>, step: &Step, record: &mut StepRecord) -> Began {
    let made = role::look_up(scope.fake, scope.execution, "DescribeModel", json!({"ModelName": record.resource}));
    let arn = match made {
        Ok(model) => model["ModelArn"].clone(),
        Err(_) => {
            let mut input = arguments(scope, step, "CreateModel")?;
            input["ModelName"] = json!(record.resource);
            invoke(scope, "CreateModel", input)?["ModelArn"].clone()
        }
    };
    record.metadata = json!({"Model": {"Arn": arn}});
    Ok(Outcome::Succeeded)
}
