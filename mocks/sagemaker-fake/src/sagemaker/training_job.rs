//! Training jobs.

use serde_json::{Map, Value, json};

use super::{job_list, pipeline};
use crate::ApiError;
use crate::authorisation::{NotAssumed, Work, could_not_assume};
use crate::fake::Context;
use crate::jobs::{Job, Kind, job, training};
use crate::protocol::Service;
use crate::store::Records;

pub(super) fn create(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    Ok(json!({"TrainingJobArn": start(context, input, None)?.arn}))
}

/// Creates a job and starts it; `tuning` is the ARN of the tuning job that does so.
///
/// # Errors
/// `ResourceInUse` if there is one of this name; `ValidationException` for what cannot be run.
pub(crate) fn start(context: &Context<'_>, input: &Value, tuning: Option<&str>) -> Result<Job, ApiError> {
    let name = input["TrainingJobName"].as_str().unwrap_or_default();
    let role = input["RoleArn"].as_str().unwrap_or_default();
    context.fake.store.read(|view| pipeline::check_role(view, role))?;
    let mut request = Service::SageMaker.api().members_of_output("DescribeTrainingJob", input);
    with_defaults(&mut request);
    if let Some(tuning) = tuning {
        request.insert("TuningJobArn".to_owned(), json!(tuning));
    }
    let request = Value::Object(request);
    let arn = context.sagemaker_arn(&format!("training-job/{}", name.to_lowercase()));
    let work = Work::start(context.fake, context.region, role, &arn)?.map_err(|NotAssumed| could_not_assume(role))?;
    check_image(&work, &request, role)?;
    if let Some((uri, bucket)) = training::missing_input(&work, &request)? {
        return Err(ApiError::validation(format!(
            "No S3 objects found under S3 URL \"{uri}\" given in input data source. Please ensure that the bucket exists in the selected \
             region ({}), that objects exist under that S3 prefix, and that the role \"{role}\" has \"s3:ListBucket\" permissions on bucket \
             \"{bucket}\".",
            context.region
        )));
    }
    job::start(context.fake, Job::new(context, Kind::TrainingJob, name, request), input)
}

/// Whether the image is there, and the role may pull it.
///
/// # Errors
/// `ValidationException`.
pub(super) fn check_image(work: &Work<'_>, request: &Value, role: &str) -> Result<(), ApiError> {
    let image = request["AlgorithmSpecification"]["TrainingImage"].as_str().unwrap_or_default();
    work.pull(image).map_err(|none| none.of_training(image, role))
}

pub(super) fn describe(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let job = context.fake.store.read(|view| view.get::<Job>(&key(context, input)))?.ok_or_else(not_found)?;
    Ok(description(&job))
}

pub(super) fn stop(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    job::stop(context.fake, &key(context, input), not_found)?;
    Ok(Value::Null)
}

pub(super) fn delete(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    // Declared for this operation, unlike for the older ones.
    job::delete(context.fake, &key(context, input), || ApiError::not_found("Requested resource not found."))?;
    Ok(Value::Null)
}

pub(super) fn list(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    job_list::list(context, Kind::TrainingJob, input, "ListTrainingJobs", "TrainingJobSummaries", summary)
}

/// What DescribeTrainingJob answers.
pub(crate) fn description(job: &Job) -> Value {
    let mut output = job.request.clone();
    output["TrainingJobArn"] = json!(job.arn);
    output["TrainingJobStatus"] = json!(job.status.as_str());
    output["SecondaryStatus"] = json!(job.transitions.last().map_or("Starting", |last| last.status.as_str()));
    output["CreationTime"] = json!(job.created);
    output["LastModifiedTime"] = json!(job.modified);
    output["SecondaryStatusTransitions"] = transitions(job);
    output["ModelArtifacts"] = json!({"S3ModelArtifacts": training::model_uri(&job.request, &job.name)});
    if let Some(started) = job.started {
        output["TrainingStartTime"] = json!(started);
    }
    if let (Some(started), Some(ended)) = (job.started, job.ended) {
        output["TrainingEndTime"] = json!(ended);
        // Begun seconds count. AWS bills them for each instance and leaves the multiplication to the reader.
        let seconds = u64::try_from(ended.0 - started.0).unwrap_or(0).div_ceil(1000);
        output["TrainingTimeInSeconds"] = json!(seconds);
        output["BillableTimeInSeconds"] = json!(seconds);
    }
    if !job.metrics.is_empty() {
        let metric =
            |metric: &job::Metric| json!({"MetricName": metric.name, "Value": metric.value, "Timestamp": metric.time});
        output["FinalMetricDataList"] = job.metrics.iter().map(metric).collect();
    }
    if let Some(reason) = &job.failure_reason {
        output["FailureReason"] = json!(reason);
    }
    output
}

fn transitions(job: &Job) -> Value {
    let shape = |transition: &job::Transition| {
        let mut shape =
            json!({"Status": transition.status, "StartTime": transition.start, "StatusMessage": transition.message});
        if let Some(end) = transition.end {
            shape["EndTime"] = json!(end);
        }
        shape
    };
    job.transitions.iter().map(shape).collect()
}

fn summary(job: &Job) -> Value {
    let all = description(job);
    let names = [
        "TrainingJobName",
        "TrainingJobArn",
        "CreationTime",
        "TrainingEndTime",
        "LastModifiedTime",
        "TrainingJobStatus",
        "SecondaryStatus",
    ];
    super::some_of(&all, names)
}

fn key(context: &Context<'_>, input: &Value) -> String {
    job::key(context.region, Kind::TrainingJob, input["TrainingJobName"].as_str().unwrap_or_default())
}

/// AWS names no job in this sentence.
fn not_found() -> ApiError {
    ApiError::validation("Requested resource not found.")
}

/// What SageMaker answers even if it was not given.
fn with_defaults(request: &mut Map<String, Value>) {
    let mut object = |name: &str, defaults: &[(&str, Value)]| {
        if let Some(object) = request.get_mut(name).and_then(Value::as_object_mut) {
            for (name, default) in defaults {
                object.entry(*name).or_insert_with(|| default.clone());
            }
        }
    };
    object("AlgorithmSpecification", &[("EnableSageMakerMetricsTimeSeries", json!(false))]);
    object("OutputDataConfig", &[("KmsKeyId", json!("")), ("CompressionType", json!("GZIP"))]);
    object("StoppingCondition", &[("MaxRuntimeInSeconds", json!(86_400))]);
    for name in ["EnableNetworkIsolation", "EnableInterContainerTrafficEncryption", "EnableManagedSpotTraining"] {
        request.entry(name).or_insert(json!(false));
    }
    for channel in request
        .get_mut("InputDataConfig")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
        .filter_map(Value::as_object_mut)
    {
        for name in ["CompressionType", "RecordWrapperType"] {
            channel.entry(name).or_insert(json!("None"));
        }
        let source = channel
            .get_mut("DataSource")
            .and_then(|source| source.get_mut("S3DataSource"))
            .and_then(Value::as_object_mut);
        if let Some(source) = source {
            source.entry("S3DataDistributionType").or_insert(json!("FullyReplicated"));
        }
    }
}
