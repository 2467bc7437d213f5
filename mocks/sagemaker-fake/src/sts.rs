//! AWS STS: who am I, and sessions of roles.

pub mod session;

use std::time::{Duration, SystemTime};

use http::StatusCode;
use iam_policy::Kind;
use serde::Deserialize;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::account::{Caller, SessionContext};
use crate::authorisation::{Assumption, Refused};
use crate::fake::Context;
use crate::iam::{self, Role};
use crate::protocol::Service;
use crate::{ApiError, authorisation};

use session::{NewSession, Session};

/// The longest session of a role that was assumed by a session of a role.
const CHAINED_LIMIT: u32 = 3600;

/// How long a user's temporary credentials last, in seconds, when nothing else is asked for.
const TWELVE_HOURS: u64 = 43_200;

/// The most session tags.
const MOST_TAGS: usize = 50;

/// Calls an operation by its name.
///
/// # Errors
/// Those of the operation; `InvalidAction` for one that is not served.
pub fn call(context: &Context<'_>, operation: &str, input: Value) -> Result<Value, ApiError> {
    Service::Sts.api().check_input(operation, &input, "ValidationError")?;
    authorisation::check(context, Service::Sts, operation, &input)?;
    match operation {
        "GetCallerIdentity" => {
            Ok(json!({"UserId": context.caller.user_id, "Account": context.caller.account, "Arn": context.caller.arn}))
        }
        "AssumeRole" => assume_role(context, serde_json::from_value(input).map_err(ApiError::internal)?),
        "GetSessionToken" => get_session_token(context, &input),
        "GetAccessKeyInfo" => Ok(get_access_key_info(context)),
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
    #[serde(default)]
    transitive_tag_keys: Vec<String>,
    policy: Option<String>,
    #[serde(default)]
    policy_arns: Vec<PolicyDescriptor>,
    source_identity: Option<String>,
    external_id: Option<String>,
}

#[derive(Deserialize)]
struct PolicyDescriptor {
    arn: Option<String>,
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
    if let Some(policy) = &input.policy {
        iam::check_document(policy, Kind::Session)?;
    }
    let role = fake.store.read(|view| iam::role_by_arn(view, &input.role_arn))?;
    authorise(context, role.as_ref(), &input)?;
    // AWS does not tell a role that does not exist from one that must not be assumed.
    let role = role.ok_or_else(|| denied(context.caller, "sts:AssumeRole", &input.role_arn))?;
    let duration = input.duration_seconds.unwrap_or(3600);
    check_duration(context.caller, &role, duration)?;

    // Credentials expire by real time: a client whose own clock says otherwise would never believe them.
    let now = SystemTime::now();
    let expires = now + Duration::from_secs(duration.into());
    let carried = session_context(context.caller, &input, now)?;
    let size = packed_size(&input);
    let source_identity = carried.source_identity.clone();
    let new = NewSession::of_role(fake, &role, &input.role_session_name, carried, expires);
    let session = session::issue(fake, new);
    let mut output = json!({
        "Credentials": credentials(&session, expires)?,
        "AssumedRoleUser": {"AssumedRoleId": session.caller.user_id, "Arn": session.caller.arn},
    });
    if let Some(size) = size {
        output["PackedPolicySize"] = json!(size);
    }
    if let Some(identity) = source_identity {
        output["SourceIdentity"] = json!(identity);
    }
    Ok(output)
}

/// Refuses a caller who may not assume the role like this.
fn authorise(context: &Context<'_>, role: Option<&Role>, input: &AssumeRole) -> Result<(), ApiError> {
    let tags: Vec<_> = input.tags.iter().map(|tag| (tag.key.as_str(), tag.value.as_str())).collect();
    let wanted = Assumption {
        role: &input.role_arn,
        session_name: &input.role_session_name,
        tags: &tags,
        transitive_tag_keys: &input.transitive_tag_keys,
        external_id: input.external_id.as_deref(),
        source_identity: input.source_identity.as_deref(),
    };
    authorisation::assume_role(context, role, &wanted)?.map_err(Refused::in_xml)
}

/// What the new session carries: what was asked for, and what a session that asks hands down.
fn session_context(caller: &Caller, input: &AssumeRole, now: SystemTime) -> Result<SessionContext, ApiError> {
    let own = caller.session.as_ref();
    let inherited =
        |key: &str| own.is_some_and(|own| own.transitive_tag_keys.iter().any(|known| known.eq_ignore_ascii_case(key)));
    let mut tags: Vec<_> = caller.session_tags().iter().filter(|(key, _)| inherited(key)).cloned().collect();
    let mut transitive_tag_keys: Vec<_> = tags.iter().map(|(key, _)| key.clone()).collect();
    if input.tags.iter().any(|tag| inherited(&tag.key)) {
        let message = "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key \
                       from the calling session.";
        return Err(ApiError::new("InvalidParameterValue", message));
    }
    tags.extend(input.tags.iter().map(|tag| (tag.key.clone(), tag.value.clone())));
    for key in &input.transitive_tag_keys {
        if !tags.iter().any(|(known, _)| known.eq_ignore_ascii_case(key)) {
            let message = "The specified transitive tag key must be included in the requested tags.";
            return Err(ApiError::new("InvalidParameterValue", message));
        }
        if !inherited(key) {
            transitive_tag_keys.push(key.clone());
        }
    }
    // Once set, the source identity stays as it is from session to session.
    let inherited_identity = own.and_then(|own| own.source_identity.clone());
    if inherited_identity.is_some() && input.source_identity.is_some() && inherited_identity != input.source_identity {
        return Err(denied(caller, "sts:SetSourceIdentity", &input.role_arn));
    }
    Ok(SessionContext {
        tags,
        transitive_tag_keys,
        policy: input.policy.clone(),
        policy_arns: input.policy_arns.iter().filter_map(|policy| policy.arn.clone()).collect(),
        source_identity: input.source_identity.clone().or(inherited_identity),
        issued: session::seconds(now),
    })
}

/// In percent of the room that AWS has for policy and tags, which is about 2,048 characters packed.
fn packed_size(input: &AssumeRole) -> Option<usize> {
    if input.tags.is_empty() && input.policy.is_none() {
        return None;
    }
    let tags: usize = input.tags.iter().map(|tag| tag.key.len() + tag.value.len()).sum();
    Some((tags + input.policy.as_ref().map_or(0, String::len)).div_ceil(21).min(100))
}

/// Temporary credentials of the user who calls.
fn get_session_token(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    if context.caller.session.is_some() {
        let message = "Cannot call GetSessionToken with session credentials";
        return Err(ApiError::new("AccessDenied", message).with_status(StatusCode::FORBIDDEN));
    }
    let now = SystemTime::now();
    let expires = now + Duration::from_secs(input["DurationSeconds"].as_u64().unwrap_or(TWELVE_HOURS));
    let session = session::issue(
        context.fake,
        NewSession {
            arn: context.caller.arn.clone(),
            user_id: context.caller.user_id.clone(),
            context: SessionContext { issued: session::seconds(now), ..SessionContext::default() },
            expires,
        },
    );
    Ok(json!({"Credentials": credentials(&session, expires)?}))
}

/// The account that an access key belongs to. The fake knows only its own, and says so of any key.
fn get_access_key_info(context: &Context<'_>) -> Value {
    json!({"Account": context.fake.account()})
}

fn credentials(session: &Session, expires: SystemTime) -> Result<Value, ApiError> {
    let expiration = OffsetDateTime::from(expires).replace_nanosecond(0).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    Ok(json!({
        "AccessKeyId": session.access_key_id,
        "SecretAccessKey": session.secret_access_key,
        "SessionToken": session.token,
        "Expiration": expiration.format(&Rfc3339).map_err(ApiError::internal)?,
    }))
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
    if caller.is_role_session() && duration > CHAINED_LIMIT {
        return error(
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.",
        );
    }
    Ok(())
}

fn denied(caller: &Caller, action: &str, role: &str) -> ApiError {
    let message = format!("User: {} is not authorized to perform: {action} on resource: {role}", caller.arn);
    ApiError::new("AccessDenied", message).with_status(StatusCode::FORBIDDEN)
}
