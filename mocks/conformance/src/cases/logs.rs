//! CloudWatch Logs: what jobs print.

use anyhow::ensure;
use serde_json::json;

use super::jobs;
use crate::World;
use crate::case::Cost::{Cents, Free};
use crate::case::cases;
use crate::refusal::refused;

cases! { "logs":
    a_job_is_logged (Cents(5)) ["logs:DescribeLogGroups", "logs:DescribeLogStreams", "logs:GetLogEvents", "logs:FilterLogEvents"];
    a_group_that_is_missing_is_not_found (Free) ["logs:DescribeLogStreams", "logs:GetLogEvents"];
}

const API: &str = "Logs_20140328";
const GROUP: &str = "/aws/sagemaker/ProcessingJobs";

async fn a_job_is_logged(world: &World) -> anyhow::Result<()> {
    let (job, _) = jobs::preprocess(world).await?;
    let logs = &world.clients.logs;
    let groups = logs.call(API, "DescribeLogGroups", &json!({"logGroupNamePrefix": GROUP})).await?;
    ensure!(groups["logGroups"][0]["logGroupName"] == GROUP, "{groups}");
    let prefix = json!({"logGroupName": GROUP, "logStreamNamePrefix": format!("{job}/")});
    let streams = logs.call(API, "DescribeLogStreams", &prefix).await?;
    let stream = &streams["logStreams"][0]["logStreamName"];
    ensure!(stream.as_str().is_some_and(|name| name.starts_with(&format!("{job}/algo-1-"))), "{streams}");
    let whole = json!({"logGroupName": GROUP, "logStreamName": stream, "startFromHead": true});
    let read = logs.call(API, "GetLogEvents", &whole).await?;
    ensure!(read["events"][0]["message"].is_string() && read["nextForwardToken"].is_string(), "{read}");
    // Whoever goes on from the end is given the same token again.
    let mut rest = whole.clone();
    rest["nextToken"] = read["nextForwardToken"].clone();
    let rest = logs.call(API, "GetLogEvents", &rest).await?;
    ensure!(rest["events"] == json!([]) && rest["nextForwardToken"] == read["nextForwardToken"], "{rest}");
    let filtered = logs.call(API, "FilterLogEvents", &prefix).await?;
    let messages = |events: &serde_json::Value| -> Vec<serde_json::Value> {
        events["events"].as_array().into_iter().flatten().map(|event| event["message"].clone()).collect()
    };
    ensure!(messages(&filtered) == messages(&read), "{filtered}");
    Ok(())
}

async fn a_group_that_is_missing_is_not_found(world: &World) -> anyhow::Result<()> {
    let group = world.name("no-group");
    let code = "ResourceNotFoundException";
    let describe = world.clients.logs.call(API, "DescribeLogStreams", &json!({"logGroupName": group})).await;
    refused(describe, code, "The specified log group does not exist.")?;
    let get = json!({"logGroupName": group, "logStreamName": "none"});
    refused(world.clients.logs.call(API, "GetLogEvents", &get).await, code, "The specified log group does not exist.")
}
