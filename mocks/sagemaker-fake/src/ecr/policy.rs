//! The policies of a repository: who else may use it, and which images it may forget.
//!
//! Both are kept and given back. The fake forgets no image by itself.

use serde_json::{Value, json};

use super::repository::{change, existing, named};
use crate::ApiError;
use crate::fake::Context;

pub(super) fn get(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let repository = context.fake.store.read(|view| existing(context, view, named(input)))?;
    let policy = repository.policy.ok_or_else(|| no_policy(context, input))?;
    Ok(policy_output(context, input, &policy))
}

pub(super) fn set(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let policy = json_text(input, "policyText")?;
    change(context, input, |repository| {
        repository.policy = Some(policy.clone());
        Ok(policy_output(context, input, &policy))
    })
}

pub(super) fn delete(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    change(context, input, |repository| {
        let policy = repository.policy.take().ok_or_else(|| no_policy(context, input))?;
        Ok(policy_output(context, input, &policy))
    })
}

pub(super) fn get_lifecycle(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let repository = context.fake.store.read(|view| existing(context, view, named(input)))?;
    let policy = repository.lifecycle_policy.ok_or_else(|| no_lifecycle_policy(context, input))?;
    Ok(lifecycle_output(context, input, &policy))
}

pub(super) fn put_lifecycle(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let policy = json_text(input, "lifecyclePolicyText")?;
    change(context, input, |repository| {
        repository.lifecycle_policy = Some(policy.clone());
        Ok(lifecycle_output(context, input, &policy))
    })
}

pub(super) fn delete_lifecycle(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    change(context, input, |repository| {
        let policy = repository.lifecycle_policy.take().ok_or_else(|| no_lifecycle_policy(context, input))?;
        Ok(lifecycle_output(context, input, &policy))
    })
}

fn policy_output(context: &Context<'_>, input: &Value, policy: &str) -> Value {
    json!({"registryId": context.fake.account(), "repositoryName": named(input), "policyText": policy})
}

fn lifecycle_output(context: &Context<'_>, input: &Value, policy: &str) -> Value {
    json!({"registryId": context.fake.account(), "repositoryName": named(input), "lifecyclePolicyText": policy})
}

fn json_text(input: &Value, member: &str) -> Result<String, ApiError> {
    let text = input[member].as_str().unwrap_or_default();
    match serde_json::from_str(text) {
        Ok(Value::Object(_)) => Ok(text.to_owned()),
        // The rule is ECR's, the words are inferred.
        _ => Err(ApiError::new(
            "InvalidParameterException",
            format!("Invalid parameter at '{member}' failed to satisfy constraint: 'Invalid JSON'"),
        )),
    }
}

fn no_policy(context: &Context<'_>, input: &Value) -> ApiError {
    missing(context, input, "RepositoryPolicyNotFoundException", "Repository policy")
}

fn no_lifecycle_policy(context: &Context<'_>, input: &Value) -> ApiError {
    missing(context, input, "LifecyclePolicyNotFoundException", "Lifecycle policy")
}

fn missing(context: &Context<'_>, input: &Value, code: &str, what: &str) -> ApiError {
    let (name, account) = (named(input), context.fake.account());
    ApiError::new(
        code,
        format!("{what} does not exist for the repository with name '{name}' in the registry with id '{account}'"),
    )
}
