//! IAM: roles.

use http::StatusCode;
use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;

use crate::ApiError;
use crate::account::Role;
use crate::fake::Context;
use crate::protocol::Service;
use crate::store::Records;

/// Calls an operation by its name.
///
/// # Errors
/// Those of the operation; `InvalidAction` for one that is not served.
pub fn call(context: &Context<'_>, operation: &str, input: &Value) -> Result<Value, ApiError> {
    Service::Iam.api().check_input(operation, input, "ValidationError")?;
    match operation {
        "GetRole" => get_role(context, input),
        "ListRoles" => list_roles(context, input),
        other => {
            Err(ApiError::new("InvalidAction", format!("Could not find operation {other} for version 2010-05-08")))
        }
    }
}

/// The role with this ARN, path included.
///
/// # Errors
/// An internal failure when the store cannot be read.
pub fn role_by_arn(records: &impl Records, arn: &str) -> Result<Option<Role>, ApiError> {
    let name = arn.rsplit('/').next().unwrap_or_default().to_lowercase();
    Ok(records.get::<Role>(&name)?.filter(|role| role.arn == arn))
}

fn get_role(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let name = input["RoleName"].as_str().unwrap_or_default();
    let role = context.fake.store.read(|view| view.get::<Role>(&name.to_lowercase()))?.ok_or_else(|| {
        let message = format!("The role with name {name} cannot be found.");
        ApiError::new("NoSuchEntity", message).with_status(StatusCode::NOT_FOUND)
    })?;
    Ok(json!({"Role": shape(&role)?}))
}

fn list_roles(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let prefix = input["PathPrefix"].as_str().unwrap_or("/");
    let most = usize::try_from(input["MaxItems"].as_u64().unwrap_or(100)).unwrap_or(100);
    // The marker is the name of the last role that was listed. Names are in order.
    let after = input["Marker"].as_str().unwrap_or_default();
    let roles = context.fake.store.read(|view| view.list::<Role>(""))?;
    let mut roles =
        roles.into_iter().filter(|role| role.path.starts_with(prefix) && role.name.to_lowercase().as_str() > after);
    let page = roles.by_ref().take(most).collect::<Vec<_>>();
    let more = roles.next().is_some();
    let mut output = json!({"Roles": page.iter().map(shape).collect::<Result<Vec<_>, _>>()?, "IsTruncated": more});
    if let Some(last) = page.last().filter(|_| more) {
        output["Marker"] = json!(last.name.to_lowercase());
    }
    Ok(output)
}

fn shape(role: &Role) -> Result<Value, ApiError> {
    let created = role.created.date().replace_nanosecond(0).map_err(ApiError::internal)?;
    let mut output = json!({
        "Path": role.path,
        "RoleName": role.name,
        "RoleId": role.role_id,
        "Arn": role.arn,
        "CreateDate": created.format(&Rfc3339).map_err(ApiError::internal)?,
        "AssumeRolePolicyDocument": percent_encoded(&role.trust),
        "MaxSessionDuration": role.max_session_duration_seconds,
    });
    if let Some(description) = &role.description {
        output["Description"] = json!(description);
    }
    Ok(output)
}

/// As RFC 3986 has it: everything but letters, digits and `-._~` is escaped.
fn percent_encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(byte.into()),
            other => out.push_str(&format!("%{other:02X}")),
        }
        out
    })
}
