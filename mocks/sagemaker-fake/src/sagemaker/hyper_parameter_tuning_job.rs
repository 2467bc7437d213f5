//! Hyperparameter tuning jobs. What makes them go on is [`crate::tuning`].

use serde_json::{Value, json};

use super::paging::{self, Order, SortKey};
use super::{names, pipeline, tags, training_job};
use crate::ApiError;
use crate::authorisation::{NotAssumed, Work, could_not_assume};
use crate::fake::Context;
use crate::jobs::Status;
use crate::protocol::Service;
use crate::store::{Record, Records};
use crate::tuning::{self, Request, TrialState, TuningJob};

/// As ARNs have it.
const RESOURCE: &str = "hyper-parameter-tuning-job";

pub(super) fn create(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let mut details = Service::SageMaker.api().members_of_output("DescribeHyperParameterTuningJob", input);
    if let Some(config) = details.get_mut("HyperParameterTuningJobConfig").and_then(Value::as_object_mut) {
        config.entry("TrainingJobEarlyStoppingType").or_insert(json!("Off"));
    }
    let details = Value::Object(details);
    let request = Request::read(&details)?;
    let (fake, now) = (context.fake, context.fake.clock.now());
    let job = TuningJob {
        region: context.region.to_owned(),
        name: name(input).to_owned(),
        arn: context.sagemaker_arn(&format!("{RESOURCE}/{}", name(input))),
        seed: details["HyperParameterTuningJobConfig"]["RandomSeed"].as_u64().unwrap_or_else(|| seed(context)),
        request: details,
        status: Status::InProgress,
        created: now,
        modified: now,
        ended: None,
        failure_reason: None,
        trials: Vec::new(),
    };
    for definition in request.definitions() {
        let role = definition.body["RoleArn"].as_str().unwrap_or_default();
        fake.store.read(|view| pipeline::check_role(view, role))?;
        let work = Work::start(fake, context.region, role, &job.arn)?.map_err(|NotAssumed| could_not_assume(role))?;
        training_job::check_image(&work, &definition.body, role)?;
    }
    fake.store.write(|change| {
        if change.get::<TuningJob>(&job.key())?.is_some() {
            let message = format!(
                "A hyperparameter tuning job with the name, {}, already exists. Choose a different name.",
                job.name
            );
            return Err(ApiError::new("ResourceInUse", message));
        }
        change.put(&job)?;
        tags::create(change, &job.arn, input)
    })?;
    tuning::launch(fake, &job);
    Ok(json!({"HyperParameterTuningJobArn": job.arn}))
}

/// Of a job that has none of its own.
fn seed(context: &Context<'_>) -> u64 {
    u64::from_str_radix(&context.fake.ids.hex(8), 16).unwrap_or_default()
}

pub(super) fn describe(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    context.fake.store.read(|view| description(view, &existing(view, context, name(input))?))
}

pub(super) fn stop(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    context.fake.store.write(|change| {
        let mut job = existing(change, context, name(input))?;
        if job.status.is_final() {
            return Err(in_status(&job));
        }
        job.status = Status::Stopping;
        job.modified = context.fake.clock.now();
        change.put(&job)
    })?;
    context.fake.engine.notify();
    Ok(Value::Null)
}

/// Takes the tuning job off the record; its training jobs stay. AWS declares no errors for this: those are inferred.
pub(super) fn delete(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    context.fake.store.write(|change| {
        let job = existing(change, context, name(input))?;
        if !job.status.is_final() {
            return Err(in_status(&job));
        }
        change.delete::<TuningJob>(&job.key())?;
        tags::delete(change, &job.arn)?;
        Ok(Value::Null)
    })
}

pub(super) fn list(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    context.fake.store.read(|view| {
        let jobs = view.list::<TuningJob>(&names::key(context.region, ""))?.into_iter().filter(|job| {
            paging::name_contains(&job.name, input)
                && input["StatusEquals"].as_str().is_none_or(|status| job.status.as_str() == status)
                && paging::within(job.created, input, "CreationTimeAfter", "CreationTimeBefore")
                && paging::within(job.modified, input, "LastModifiedTimeAfter", "LastModifiedTimeBefore")
        });
        let sort_key = |job: &TuningJob| match input["SortBy"].as_str() {
            Some("CreationTime") => SortKey::time(job.created),
            Some("Status") => SortKey::name(job.status.as_str()),
            _ => SortKey::name(&job.name),
        };
        let (page, token) =
            paging::page("ListHyperParameterTuningJobs", input, Order::Ascending, jobs, sort_key, Record::key)?;
        // What has become of the training jobs is looked up for those alone that are listed.
        let summaries =
            page.iter().map(|job| Ok(summary(&description(view, job)?))).collect::<Result<Vec<_>, ApiError>>()?;
        Ok(paging::with_token(json!({"HyperParameterTuningJobSummaries": summaries}), token))
    })
}

pub(super) fn list_training_jobs(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let (job, trials) = context.fake.store.read(|view| {
        let job = existing(view, context, name(input))?;
        let trials = trials(view, &job)?;
        Ok((job, trials))
    })?;
    let by_value = input["SortBy"] == "FinalObjectiveMetricValue";
    let shown: Vec<_> = trials.iter().filter_map(|trial| Some((trial, trial_summary(&job, trial)?))).collect();
    let shown = shown.into_iter().filter(|(trial, summary)| {
        // Sorted by what they measured, those that measured nothing are not listed.
        (!by_value || trial.value().is_some())
            && input["StatusEquals"].as_str().is_none_or(|status| summary["TrainingJobStatus"] == status)
    });
    let sort_key = |(trial, summary): &(&TrialState, Value)| match input["SortBy"].as_str() {
        Some("FinalObjectiveMetricValue") => SortKey::Number(ordered(trial.value().unwrap_or_default())),
        Some("CreationTime") => SortKey::time(trial.job.as_ref().map_or(job.created, |job| job.created)),
        Some("Status") => SortKey::name(summary["TrainingJobStatus"].as_str().unwrap_or_default()),
        _ => SortKey::name(&trial.trial.name),
    };
    let operation = "ListTrainingJobsForHyperParameterTuningJob";
    let id = |(trial, _): &(&TrialState, Value)| trial.trial.name.clone();
    let (page, token) = paging::page(operation, input, Order::Ascending, shown, sort_key, id)?;
    let summaries: Vec<_> = page.into_iter().map(|(_, summary)| summary).collect();
    Ok(paging::with_token(json!({"TrainingJobSummaries": summaries}), token))
}

/// A number that is as much less or greater than others as the number that it stands for.
fn ordered(value: f64) -> i64 {
    let bits = value.to_bits().cast_signed();
    if bits < 0 { i64::MIN - bits } else { bits }
}

/// What DescribeHyperParameterTuningJob answers, and the training jobs, the best first: what a pipeline's other steps may
/// refer to.
pub(crate) fn properties(records: &impl Records, job: &TuningJob) -> Result<Value, ApiError> {
    let mut properties = description(records, job)?;
    let mut trials = trials(records, job)?;
    let loss = |trial: &TrialState| trial.loss().unwrap_or(f64::INFINITY);
    trials.sort_by(|one, other| loss(one).total_cmp(&loss(other)));
    properties["TrainingJobSummaries"] = trials.iter().filter_map(|trial| trial_summary(job, trial)).collect();
    Ok(properties)
}

fn description(records: &impl Records, job: &TuningJob) -> Result<Value, ApiError> {
    let trials = trials(records, job)?;
    let mut output = job.request.clone();
    output["HyperParameterTuningJobArn"] = json!(job.arn);
    output["HyperParameterTuningJobStatus"] = json!(job.status.as_str());
    output["CreationTime"] = json!(job.created);
    output["LastModifiedTime"] = json!(job.modified);
    let count = |is: &dyn Fn(&TrialState) -> bool| trials.iter().filter(|trial| is(trial)).count();
    let in_status = |trial: &TrialState, status: Status| trial.job.as_ref().is_some_and(|job| job.status == status);
    let failed = |trial: &TrialState, retryable: bool| {
        let reason = trial.job.as_ref().and_then(|job| job.failure_reason.as_deref()).unwrap_or_default();
        in_status(trial, Status::Failed) && reason.starts_with("InternalServerError") == retryable
    };
    output["TrainingJobStatusCounters"] = json!({
        "Completed": count(&|trial| in_status(trial, Status::Completed)),
        "InProgress": count(&|trial| trial.job.is_some() && !trial.is_over()),
        "RetryableError": count(&|trial| failed(trial, true)),
        "NonRetryableError": count(&|trial| failed(trial, false)),
        "Stopped": count(&|trial| in_status(trial, Status::Stopped)),
    });
    output["ObjectiveStatusCounters"] = json!({
        "Succeeded": count(&|trial| trial.value().is_some()),
        "Pending": count(&|trial| trial.job.is_some() && !trial.is_over()),
        "Failed": count(&|trial| trial.is_over() && trial.value().is_none()),
    });
    if let Some(ended) = job.ended {
        output["HyperParameterTuningEndTime"] = json!(ended);
    }
    if let Some(reason) = &job.failure_reason {
        output["FailureReason"] = json!(reason);
    }
    let measured = trials.iter().filter_map(|trial| Some((trial.loss()?, trial)));
    let best = measured.min_by(|(one, _), (other, _)| one.total_cmp(other));
    if let Some(best) = best.and_then(|(_, trial)| trial_summary(job, trial)) {
        output["BestTrainingJob"] = best;
    }
    Ok(output)
}

fn summary(described: &Value) -> Value {
    let config = &described["HyperParameterTuningJobConfig"];
    let names = [
        "HyperParameterTuningJobName",
        "HyperParameterTuningJobArn",
        "HyperParameterTuningJobStatus",
        "CreationTime",
        "HyperParameterTuningEndTime",
        "LastModifiedTime",
        "TrainingJobStatusCounters",
        "ObjectiveStatusCounters",
    ];
    let mut summary = super::some_of(described, names);
    summary["Strategy"] = config["Strategy"].clone();
    summary["ResourceLimits"] = config["ResourceLimits"].clone();
    summary
}

/// A training job of a tuning job; nothing if it is not made yet.
fn trial_summary(tuning: &TuningJob, trial: &TrialState) -> Option<Value> {
    let job = trial.job.as_ref()?;
    let definition = &tuning.request["TrainingJobDefinitions"][trial.trial.definition]["DefinitionName"];
    let objective = match (trial.value(), trial.is_over()) {
        (Some(_), _) => "Succeeded",
        (None, true) => "Failed",
        (None, false) => "Pending",
    };
    let mut summary = json!({
        "TrainingJobName": job.name,
        "TrainingJobArn": job.arn,
        "TuningJobName": tuning.name,
        "CreationTime": job.created,
        "TrainingJobStatus": job.status.as_str(),
        "TunedHyperParameters": trial.trial.tuned,
        "ObjectiveStatus": objective,
    });
    let metric = trial
        .value()
        .map(|value| json!({"Type": trial.objective.kind, "MetricName": trial.objective.metric_name, "Value": value}));
    let optional = [
        ("TrainingJobDefinitionName", definition.clone()),
        ("TrainingStartTime", json!(job.started)),
        ("TrainingEndTime", json!(job.ended)),
        ("FailureReason", json!(job.failure_reason)),
        ("FinalHyperParameterTuningJobObjectiveMetric", json!(metric)),
    ];
    super::set_present(&mut summary, optional);
    Some(summary)
}

fn trials(records: &impl Records, job: &TuningJob) -> Result<Vec<TrialState>, ApiError> {
    tuning::states(records, job, &Request::read(&job.request)?)
}

fn existing(records: &impl Records, context: &Context<'_>, name: &str) -> Result<TuningJob, ApiError> {
    let found = records.get(&names::key(context.region, name))?;
    found.ok_or_else(|| {
        ApiError::not_found(format!("Amazon SageMaker can't find a tuning job called {name}. Type another name."))
    })
}

fn in_status(job: &TuningJob) -> ApiError {
    let status = job.status.as_str();
    ApiError::validation(format!(
        "The request was rejected because the hyper parameter tuning job is in status {status}."
    ))
}

fn name(input: &Value) -> &str {
    input["HyperParameterTuningJobName"].as_str().unwrap_or_default()
}
