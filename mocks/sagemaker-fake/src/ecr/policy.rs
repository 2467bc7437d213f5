//! The policies of a repository: who else may use it, and which images it may forget.
//!
//! Both are kept and given back. The fake forgets no image by itself.

use serde_json::{Value, json};

use super::Repository;
use super::repository::{change, existing, named};
use crate::ApiError;
use crate::fake::Context;

/// One of the two.
struct Policy {
    /// What requests and answers call its text.
    member: &'static str,
    /// What it is called where there is none, and the code of that error.
    missing: (&'static str, &'static str),
    of: fn(&mut Repository) -> &mut Option<String>,
}

/// Who else may use the repository.
const REPOSITORY: Policy = Policy {
    member: "policyText",
    missing: ("Repository policy", "RepositoryPolicyNotFoundException"),
    of: |repository| &mut repository.policy,
};

/// Which images it may forget.
const LIFECYCLE: Policy = Policy {
    member: "lifecyclePolicyText",
    missing: ("Lifecycle policy", "LifecyclePolicyNotFoundException"),
    of: |repository| &mut repository.lifecycle_policy,
};

pub(super) fn get(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    REPOSITORY.get(context, input)
}

pub(super) fn set(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    REPOSITORY.set(context, input)
}

pub(super) fn delete(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    REPOSITORY.delete(context, input)
}

pub(super) fn get_lifecycle(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    LIFECYCLE.get(context, input)
}

pub(super) fn put_lifecycle(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    LIFECYCLE.set(context, input)
}

pub(super) fn delete_lifecycle(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    LIFECYCLE.delete(context, input)
}

impl Policy {
    fn get(&self, context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
        let mut repository = context.fake.store.read(|view| existing(context, view, named(input)))?;
        let text = (self.of)(&mut repository).take().ok_or_else(|| self.not_found(context, input))?;
        Ok(self.output(context, input, &text))
    }

    fn set(&self, context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
        let text = input[self.member].as_str().unwrap_or_default();
        if !matches!(serde_json::from_str(text), Ok(Value::Object(_))) {
            // The rule is ECR's, the words are inferred.
            let message =
                format!("Invalid parameter at '{}' failed to satisfy constraint: 'Invalid JSON'", self.member);
            return Err(ApiError::new("InvalidParameterException", message));
        }
        change(context, input, |repository| {
            *(self.of)(repository) = Some(text.to_owned());
            Ok(self.output(context, input, text))
        })
    }

    fn delete(&self, context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
        change(context, input, |repository| {
            let text = (self.of)(repository).take().ok_or_else(|| self.not_found(context, input))?;
            Ok(self.output(context, input, &text))
        })
    }

    fn output(&self, context: &Context<'_>, input: &Value, text: &str) -> Value {
        let mut output = json!({"registryId": context.fake.account(), "repositoryName": named(input)});
        output[self.member] = json!(text);
        output
    }

    fn not_found(&self, context: &Context<'_>, input: &Value) -> ApiError {
        let ((what, code), name, account) = (self.missing, named(input), context.fake.account());
        let message =
            format!("{what} does not exist for the repository with name '{name}' in the registry with id '{account}'");
        ApiError::new(code, message)
    }
}
