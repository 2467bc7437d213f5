//! AWS STS: who am I, and sessions of roles.

pub mod session;

use std::time::{Duration, SystemTime};

use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::ApiError;
use crate::account::{Caller, Role};
use crate::fake::Context;
use crate::protocol::Service;

use session::NewSession;

/// The longest session of a role that was assumed by a session of a role.
const CHAINED_LIMIT: u32 = 3600;

/// The most session tags.
const MOST_TAGS: usize = 50;

/// Calls an operation by its name.
///
/// # Errors
/// Those of the operation; `InvalidAction` for one that is not served.
pub fn call(context: &Context<'_>, operation: &str, input: Value) -> Result<Value, ApiError> {
    Service::Sts.api().check_input(operation, &input, "ValidationError")?;
    match operation {
        "GetCallerIdentity" => {
            Ok(json!({"UserId": context.caller.user_id, "Account": context.caller.account, "Arn": context.caller.arn}))
        }
        "AssumeRole" => assume_role(context, serde_json::from_value(input).map_err(ApiError::internal)?),
        other => {
            Err(ApiError::new("InvalidAction", format!("Could not find operation {other} for version 2011-06-15")))
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AssumeRole {
    role_arn: String,
    role_session_name: String,
    duration_seconds: Option<u32>,
    #[serde(default)]
    tags: Vec<Tag>,
    policy: Option<String>,
    source_identity: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Tag {
    key: String,
    value: String,
}

/// Issues a session. Nothing is stored: the token carries all there is to know, as AWS's own does.
fn assume_role(context: &Context<'_>, input: AssumeRole) -> Result<Value, ApiError> {
    let fake = context.fake;
    check_tags(&input.tags)?;
    if let Some(policy) = &input.policy
        && serde_json::from_str::<Value>(policy).is_err()
    {
        return Err(ApiError::new("MalformedPolicyDocument", "This policy contains invalid Json"));
    }
    // AWS does not tell a role that does not exist from one that must not be assumed.
    let role = fake
        .store
        .read(|view| crate::iam::role_by_arn(view, &input.role_arn))?
        .ok_or_else(|| denied(context.caller, &input.role_arn))?;
    let duration = input.duration_seconds.unwrap_or(3600);
    check_duration(context.caller, &role, duration)?;

    // Credentials expire by real time: a client whose own clock says otherwise would never believe them.
    let expires = SystemTime::now() + Duration::from_secs(duration.into());
    let session = session::issue(
        fake,
        NewSession {
            role: &role,
            name: &input.role_session_name,
            tags: input.tags.iter().map(|tag| (tag.key.clone(), tag.value.clone())).collect(),
            expires,
        },
    );
    let expiration = OffsetDateTime::from(expires).replace_nanosecond(0).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let mut output = json!({
        "Credentials": {
            "AccessKeyId": session.access_key_id,
            "SecretAccessKey": session.secret_access_key,
            "SessionToken": session.token,
            "Expiration": expiration.format(&Rfc3339).map_err(ApiError::internal)?,
        },
        "AssumedRoleUser": {"AssumedRoleId": session.caller.user_id, "Arn": session.caller.arn},
    });
    if !input.tags.is_empty() || input.policy.is_some() {
        // In percent of the room that AWS has for them, which is about 2,048 characters packed.
        let size: usize = input.tags.iter().map(|tag| tag.key.len() + tag.value.len()).sum();
        output["PackedPolicySize"] =
            json!((size + input.policy.map_or(0, |policy| policy.len())).div_ceil(21).min(100));
    }
    if let Some(identity) = input.source_identity {
        output["SourceIdentity"] = json!(identity);
    }
    Ok(output)
}

fn check_tags(tags: &[Tag]) -> Result<(), ApiError> {
    let invalid = |message: &str| Err(ApiError::new("InvalidParameterValue", message));
    if tags.len() > MOST_TAGS {
        return invalid("Number of tags exceeds the limit of 50.");
    }
    for (index, tag) in tags.iter().enumerate() {
        if tag.key.to_lowercase().starts_with("aws:") {
            return invalid("Tag keys with the prefix aws: are reserved for system use.");
        }
        if tags[..index].iter().any(|other| other.key.eq_ignore_ascii_case(&tag.key)) {
            return invalid("Duplicate tag keys found. Please note that Tag keys are case insensitive.");
        }
    }
    Ok(())
}

fn check_duration(caller: &Caller, role: &Role, duration: u32) -> Result<(), ApiError> {
    let error = |message: &str| Err(ApiError::new("ValidationError", message));
    if duration > role.max_session_duration_seconds {
        return error("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.");
    }
    if caller.is_session() && duration > CHAINED_LIMIT {
        return error(
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.",
        );
    }
    Ok(())
}

fn denied(caller: &Caller, role: &str) -> ApiError {
    let message = format!("User: {} is not authorized to perform: sts:AssumeRole on resource: {role}", caller.arn);
    ApiError::new("AccessDenied", message).with_status(StatusCode::FORBIDDEN)
}
