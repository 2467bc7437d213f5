//! Service Quotas: how much of SageMaker the account may use. The fake says so; it does not hold anyone to it.

use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::fake::Context;
use crate::protocol::Service;
use crate::{ApiError, authorisation};

/// The service whose quotas are here.
const SAGEMAKER: &str = "sagemaker";

/// The number of quotas on a page when `MaxResults` does not say.
const DEFAULT_SIZE: usize = 100;

/// A quota as the data have it.
#[derive(Deserialize)]
struct Quota {
    code: String,
    name: String,
    /// AWS's default.
    value: f64,
}

static QUOTAS: LazyLock<Vec<Quota>> = LazyLock::new(|| {
    let table = include_str!("../../data/sagemaker-quotas.json");
    let mut quotas: Vec<Quota> = serde_json::from_str(table).expect("a test reads the table");
    quotas.sort_by(|one, other| one.code.cmp(&other.code));
    quotas
});

/// Which value of a quota is asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Which {
    /// That of this account: the scenario's, or else AWS's default.
    Applied,
    /// AWS's default.
    Default,
}

/// Calls an operation by its name.
///
/// # Errors
/// Those of the operation; `UnknownOperationException` for one that is not served.
pub fn call(context: &Context<'_>, operation: &str, input: &Value) -> Result<Value, ApiError> {
    Service::ServiceQuotas.api().check_input(operation, input, "ValidationException")?;
    authorisation::check(context, Service::ServiceQuotas, operation, input)?;
    if input["ServiceCode"] != SAGEMAKER {
        return Err(no_such("The request failed because the specified service does not exist."));
    }
    match operation {
        "GetServiceQuota" => get(context, input, Which::Applied),
        "GetAWSDefaultServiceQuota" => get(context, input, Which::Default),
        "ListServiceQuotas" => list(context, input, Which::Applied),
        "ListAWSDefaultServiceQuotas" => list(context, input, Which::Default),
        other => {
            Err(ApiError::new("UnknownOperationException", format!("ServiceQuotas.{other} is not served by this fake")))
        }
    }
}

/// Whether there is a quota of this name, which a scenario may set.
#[cfg(test)]
pub(crate) fn is_known(name: &str) -> bool {
    QUOTAS.iter().any(|quota| quota.name == name)
}

fn get(context: &Context<'_>, input: &Value, which: Which) -> Result<Value, ApiError> {
    let quota = QUOTAS.iter().find(|quota| input["QuotaCode"] == quota.code.as_str());
    let quota =
        quota.ok_or_else(|| no_such("The request failed because the specified service quota does not exist."))?;
    Ok(json!({"Quota": shape(context, quota, which)}))
}

/// By their codes. A token is the code of the last quota of the page before.
fn list(context: &Context<'_>, input: &Value, which: Which) -> Result<Value, ApiError> {
    let size = input["MaxResults"].as_u64().and_then(|size| usize::try_from(size).ok()).unwrap_or(DEFAULT_SIZE);
    let after = input["NextToken"].as_str().map(read).transpose()?;
    // No quota here is set for one resource alone.
    let of_account = input["QuotaAppliedAtLevel"] != "RESOURCE";
    let mut wanted = QUOTAS.iter().filter(|quota| {
        of_account
            && after.as_ref().is_none_or(|last| quota.code > *last)
            && input["QuotaCode"].as_str().is_none_or(|code| quota.code == code)
    });
    let page: Vec<_> = wanted.by_ref().take(size).collect();
    let more = wanted.next().is_some();
    let quotas: Vec<_> = page.iter().map(|quota| shape(context, quota, which)).collect();
    let mut output = json!({"Quotas": quotas});
    if let Some(last) = page.last().filter(|_| more) {
        output["NextToken"] = json!(STANDARD.encode(&last.code));
    }
    Ok(output)
}

fn shape(context: &Context<'_>, quota: &Quota, which: Which) -> Value {
    let (region, code) = (context.region, &quota.code);
    // The ARN of a default names no account.
    let (account, value) = match which {
        Which::Applied => {
            (context.fake.account(), context.fake.scenario().quotas.get(&quota.name).copied().unwrap_or(quota.value))
        }
        Which::Default => ("", quota.value),
    };
    let mut shape = json!({
        "ServiceCode": SAGEMAKER,
        "ServiceName": "Amazon SageMaker",
        "QuotaArn": format!("arn:aws:servicequotas:{region}:{account}:{SAGEMAKER}/{code}"),
        "QuotaCode": code,
        "QuotaName": quota.name,
        "Value": value,
        "Unit": "None",
        "Adjustable": true,
        "GlobalQuota": false,
    });
    if which == Which::Applied {
        shape["QuotaAppliedAtLevel"] = json!("ACCOUNT");
    }
    shape
}

fn read(token: &str) -> Result<String, ApiError> {
    let bytes = STANDARD.decode(token).ok();
    let code = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    code.filter(|code| QUOTAS.iter().any(|quota| quota.code == *code))
        .ok_or_else(|| ApiError::new("InvalidPaginationTokenException", "Invalid NextToken"))
}

fn no_such(message: &str) -> ApiError {
    ApiError::new("NoSuchResourceException", message)
}
