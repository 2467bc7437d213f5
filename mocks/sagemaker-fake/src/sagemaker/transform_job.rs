//! Batch transform jobs.

use serde_json::{Map, Value, json};

use super::{endpoint, job_list};
use crate::ApiError;
use crate::fake::Context;
use crate::jobs::{Job, Kind, job};
use crate::protocol::Service;
use crate::store::Records;

pub(super) fn create(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let text = |member: &str| input[member].as_str().unwrap_or_default();
    let container = context.fake.store.read(|view| endpoint::container(view, context, text("ModelName")))?;
    let mut request = Service::SageMaker.api().members_of_output("DescribeTransformJob", input);
    with_defaults(&mut request);
    let job = Job::new(context, Kind::TransformJob, text("TransformJobName"), Value::Object(request));
    let job = job::start(context.fake, Job { container: Some(container), ..job }, input)?;
    Ok(json!({"TransformJobArn": job.arn}))
}

pub(super) fn describe(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let found = context.fake.store.read(|view| view.get::<Job>(&key(context, input)))?;
    found.map(|job| description(&job)).ok_or_else(|| not_found(input))
}

pub(super) fn stop(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    job::stop(context.fake, &key(context, input), || not_found(input))?;
    Ok(Value::Null)
}

pub(super) fn list(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    job_list::list(context, Kind::TransformJob, input, "ListTransformJobs", "TransformJobSummaries", summary)
}

/// What DescribeTransformJob answers.
pub(crate) fn description(job: &Job) -> Value {
    let mut output = job.request.clone();
    output["TransformJobArn"] = json!(job.arn);
    output["TransformJobStatus"] = json!(job.status.as_str());
    output["CreationTime"] = json!(job.created);
    let optional = [
        ("TransformStartTime", json!(job.started)),
        ("TransformEndTime", json!(job.ended)),
        ("FailureReason", json!(job.failure_reason)),
    ];
    super::set_present(&mut output, optional);
    output
}

fn summary(job: &Job) -> Value {
    let mut all = description(job);
    all["LastModifiedTime"] = json!(job.modified);
    let names = [
        "TransformJobName",
        "TransformJobArn",
        "CreationTime",
        "TransformEndTime",
        "LastModifiedTime",
        "TransformJobStatus",
        "FailureReason",
    ];
    super::some_of(&all, names)
}

fn key(context: &Context<'_>, input: &Value) -> String {
    job::key(context.region, Kind::TransformJob, input["TransformJobName"].as_str().unwrap_or_default())
}

fn not_found(input: &Value) -> ApiError {
    let name = input["TransformJobName"].as_str().unwrap_or_default();
    ApiError::validation(format!("Could not find requested job with name: {name}"))
}

/// What SageMaker answers even if it was not given.
fn with_defaults(request: &mut Map<String, Value>) {
    let defaults = [
        ("TransformInput", "CompressionType", "None"),
        ("TransformInput", "SplitType", "None"),
        ("TransformOutput", "AssembleWith", "None"),
        ("TransformOutput", "KmsKeyId", ""),
        ("DataProcessing", "InputFilter", "$"),
        ("DataProcessing", "OutputFilter", "$"),
        ("DataProcessing", "JoinSource", "None"),
    ];
    for (member, name, default) in defaults {
        if let Some(object) = request.entry(member).or_insert(json!({})).as_object_mut() {
            object.entry(name).or_insert(json!(default));
        }
    }
}
