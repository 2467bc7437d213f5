//! Processing jobs.

use serde_json::{Map, Value, json};

use super::{job_list, pipeline};
use crate::ApiError;
use crate::fake::Context;
use crate::jobs::{Job, Kind, job};
use crate::protocol::Service;
use crate::store::Records;

pub(super) fn create(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    Ok(json!({"ProcessingJobArn": start(context, input, None)?.arn}))
}

/// Creates a job and starts it; `schedule` is the ARN of the monitoring schedule that does so.
///
/// # Errors
/// `ResourceInUse` if there is one of this name; `ValidationException` for what cannot be run.
pub(crate) fn start(context: &Context<'_>, input: &Value, schedule: Option<&str>) -> Result<Job, ApiError> {
    let name = input["ProcessingJobName"].as_str().unwrap_or_default();
    context.fake.store.read(|view| pipeline::check_role(view, input["RoleArn"].as_str().unwrap_or_default()))?;
    let mut request = Service::SageMaker.api().members_of_output("DescribeProcessingJob", input);
    with_defaults(&mut request);
    if let Some(schedule) = schedule {
        request.insert("MonitoringScheduleArn".to_owned(), json!(schedule));
    }
    job::start(context.fake, Job::new(context, Kind::ProcessingJob, name, Value::Object(request)), input)
}

pub(super) fn describe(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    existing(context, input).map(|job| description(&job))
}

pub(super) fn stop(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    job::stop(context.fake, &key(context, input), || not_found(input))?;
    Ok(Value::Null)
}

pub(super) fn delete(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let name = input["ProcessingJobName"].as_str().unwrap_or_default();
    // Declared for this operation, unlike for the older ones.
    let not_found = || ApiError::not_found(format!("Could not find requested job with name: {name}"));
    job::delete(context.fake, &key(context, input), not_found)?;
    Ok(Value::Null)
}

pub(super) fn list(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    job_list::list(context, Kind::ProcessingJob, input, "ListProcessingJobs", "ProcessingJobSummaries", summary)
}

/// What DescribeProcessingJob answers.
pub(crate) fn description(job: &Job) -> Value {
    let mut output = job.request.clone();
    output["ProcessingJobArn"] = json!(job.arn);
    output["ProcessingJobStatus"] = json!(job.status.as_str());
    output["CreationTime"] = json!(job.created);
    output["LastModifiedTime"] = json!(job.modified);
    let optional = [
        ("ProcessingStartTime", json!(job.started)),
        ("ProcessingEndTime", json!(job.ended)),
        ("ExitMessage", json!(job.exit_message)),
        ("FailureReason", json!(job.failure_reason)),
    ];
    super::set_present(&mut output, optional);
    output
}

fn summary(job: &Job) -> Value {
    let all = description(job);
    let names = [
        "ProcessingJobName",
        "ProcessingJobArn",
        "CreationTime",
        "ProcessingEndTime",
        "LastModifiedTime",
        "ProcessingJobStatus",
        "FailureReason",
        "ExitMessage",
    ];
    super::some_of(&all, names)
}

fn existing(context: &Context<'_>, input: &Value) -> Result<Job, ApiError> {
    context.fake.store.read(|view| view.get(&key(context, input)))?.ok_or_else(|| not_found(input))
}

fn key(context: &Context<'_>, input: &Value) -> String {
    job::key(context.region, Kind::ProcessingJob, input["ProcessingJobName"].as_str().unwrap_or_default())
}

fn not_found(input: &Value) -> ApiError {
    let name = input["ProcessingJobName"].as_str().unwrap_or_default();
    ApiError::validation(format!("Could not find requested job with name: {name}"))
}

/// What SageMaker answers even if it was not given.
fn with_defaults(request: &mut Map<String, Value>) {
    request.entry("StoppingCondition").or_insert(json!({"MaxRuntimeInSeconds": 86_400}));
    let inputs = request.get_mut("ProcessingInputs").and_then(Value::as_array_mut);
    for input in inputs.into_iter().flatten().filter_map(Value::as_object_mut) {
        input.entry("AppManaged").or_insert(json!(false));
        if let Some(from) = input.get_mut("S3Input").and_then(Value::as_object_mut) {
            let defaults =
                [("S3InputMode", "File"), ("S3DataDistributionType", "FullyReplicated"), ("S3CompressionType", "None")];
            for (name, default) in defaults {
                from.entry(name).or_insert(json!(default));
            }
        }
    }
    let outputs = request
        .get_mut("ProcessingOutputConfig")
        .and_then(|config| config.get_mut("Outputs"))
        .and_then(Value::as_array_mut);
    for output in outputs.into_iter().flatten().filter_map(Value::as_object_mut) {
        output.entry("AppManaged").or_insert(json!(false));
    }
}
