//! Executions of pipelines. What makes them go on is [`crate::engine`].

use std::collections::BTreeMap;

use pipeline_definition::parameters;
use pipeline_definition::resolve::text_of;
use serde_json::{Map, Value, json};

use super::idempotency;
use super::names::UserContext;
use super::paging::{self, Order, SortKey};
use super::pipeline::{self, Pipeline};
use super::pipeline_version::{self, PipelineVersion};
use super::selective;
use crate::ApiError;
use crate::engine::execution::{self, existing, keys_of_pipeline};
use crate::engine::{self, Execution, ExecutionStatus, StepRecord};
use crate::fake::Context;
use crate::store::{Change, Record, Records};

pub(super) fn start(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let mut started = None;
    let answer =
        idempotency::once(context, "StartPipelineExecution", input["ClientRequestToken"].as_str(), input, |change| {
            let mut pipeline = pipeline::existing(change, context, input["PipelineName"].as_str().unwrap_or_default())?;
            let mut version = pipeline_version::existing(change, &pipeline, pipeline_version::id(input))?;
            let mut execution = new(context, &pipeline, &version, input)?;
            selective::apply(change, &mut execution, &version, &input["SelectiveExecutionConfig"])?;
            pipeline.last_run = Some(execution.created);
            version.last_execution = Some(execution.arn.clone());
            change.put(&execution)?;
            change.put(&version)?;
            change.put(&pipeline)?;
            started = Some(execution.arn.clone());
            Ok(json!({"PipelineExecutionArn": execution.arn}))
        })?;
    if let Some(arn) = started {
        engine::launch(context.fake, &arn);
    }
    Ok(answer)
}

pub(super) fn stop(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let arn = input["PipelineExecutionArn"].as_str().unwrap_or_default();
    let answer =
        idempotency::once(context, "StopPipelineExecution", input["ClientRequestToken"].as_str(), input, |change| {
            let mut execution = existing(change, arn)?;
            if execution.status != ExecutionStatus::Executing {
                return Err(ApiError::validation("Only pipelines with 'Executing' status can be stopped"));
            }
            execution.status = ExecutionStatus::Stopping;
            execution.modified = context.fake.clock.now();
            change.put(&execution)?;
            Ok(json!({"PipelineExecutionArn": execution.arn}))
        })?;
    context.fake.engine.notify();
    Ok(answer)
}

pub(super) fn retry(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let arn = input["PipelineExecutionArn"].as_str().unwrap_or_default();
    let mut retried = false;
    let answer =
        idempotency::once(context, "RetryPipelineExecution", input["ClientRequestToken"].as_str(), input, |change| {
            let mut execution = existing(change, arn)?;
            if !matches!(execution.status, ExecutionStatus::Failed | ExecutionStatus::Stopped) {
                return Err(ApiError::validation("Only pipelines with 'Failed' or 'Stopped' status can be retried"));
            }
            execution.retry();
            execution.max_parallel_execution_steps = most(input).or(execution.max_parallel_execution_steps);
            execution.modified = context.fake.clock.now();
            change.put(&execution)?;
            retried = true;
            Ok(json!({"PipelineExecutionArn": execution.arn}))
        })?;
    if retried {
        engine::launch(context.fake, arn);
    }
    Ok(answer)
}

pub(super) fn update(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let arn = input["PipelineExecutionArn"].as_str().unwrap_or_default();
    let updated = context.fake.store.write(|change| {
        let mut execution = existing(change, arn)?;
        if let Some(name) = input["PipelineExecutionDisplayName"].as_str() {
            name.clone_into(&mut execution.display_name);
        }
        if let Some(description) = input["PipelineExecutionDescription"].as_str() {
            execution.description = Some(description.to_owned());
        }
        execution.max_parallel_execution_steps = most(input).or(execution.max_parallel_execution_steps);
        execution.modified = context.fake.clock.now();
        change.put(&execution)?;
        Ok(json!({"PipelineExecutionArn": execution.arn}))
    })?;
    // With a higher limit, more steps may start now.
    context.fake.engine.notify();
    Ok(updated)
}

pub(super) fn describe(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let execution = of(context, input)?;
    let by = execution.created_by.shape();
    let mut output = json!({
        "PipelineArn": execution.pipeline_arn,
        "PipelineExecutionArn": execution.arn,
        "PipelineExecutionDisplayName": execution.display_name,
        "PipelineExecutionStatus": execution.status,
        "PipelineVersionId": execution.version,
        "CreationTime": execution.created,
        "LastModifiedTime": execution.modified,
        "CreatedBy": by,
        "LastModifiedBy": by,
    });
    if let Some(description) = execution.description {
        output["PipelineExecutionDescription"] = json!(description);
    }
    if let Some(reason) = execution.failure_reason {
        output["FailureReason"] = json!(reason);
    }
    if let Some(most) = execution.max_parallel_execution_steps {
        output["ParallelismConfiguration"] = json!({"MaxParallelExecutionSteps": most});
    }
    if let Some(selective) = &execution.selective {
        output["SelectiveExecutionConfig"] = selective::shape(selective);
    }
    Ok(output)
}

pub(super) fn definition(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let execution = of(context, input)?;
    let version = context.fake.store.read(|view| pipeline_version::of_execution(view, &execution))?;
    Ok(json!({"PipelineDefinition": version.definition, "CreationTime": execution.created}))
}

pub(super) fn list(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let executions = context.fake.store.read(|view| {
        let pipeline = pipeline::existing(view, context, input["PipelineName"].as_str().unwrap_or_default())?;
        view.list::<Execution>(&keys_of_pipeline(context.region, &pipeline.name))
    })?;
    let executions = executions
        .into_iter()
        .filter(|execution| paging::within(execution.created, input, "CreatedAfter", "CreatedBefore"));
    let by_arn = input["SortBy"] == "PipelineExecutionArn";
    let sort_key =
        |execution: &Execution| if by_arn { SortKey::name(&execution.arn) } else { SortKey::time(execution.created) };
    let (page, token) =
        paging::page("ListPipelineExecutions", input, Order::Descending, executions, sort_key, Record::key)?;
    Ok(listed("PipelineExecutionSummaries", page.iter().map(summary).collect(), token))
}

pub(super) fn list_steps(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let steps = of(context, input)?.steps.into_iter().enumerate();
    // Steps that start together keep their order.
    let sort_key = |(_, step): &(usize, StepRecord)| SortKey::time(step.start);
    let (page, token) =
        paging::page("ListPipelineExecutionSteps", input, Order::Descending, steps, sort_key, |(index, _)| {
            format!("{index:06}")
        })?;
    Ok(listed("PipelineExecutionSteps", page.iter().map(|(_, step)| step_shape(step)).collect(), token))
}

pub(super) fn list_parameters(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let parameters = of(context, input)?.parameters.into_iter().enumerate();
    let position = |(index, _): &(usize, _)| SortKey::Number(i64::try_from(*index).unwrap_or(i64::MAX));
    let (page, token) = paging::page(
        "ListPipelineParametersForExecution",
        input,
        Order::Ascending,
        parameters,
        position,
        |(_, (name, _))| name.clone(),
    )?;
    let shape = |(_, (name, value)): &(usize, (String, Value))| json!({"Name": name, "Value": text_of(value).unwrap_or_default()});
    Ok(listed("PipelineParameters", page.iter().map(shape).collect(), token))
}

/// A pipeline is deleted: its executions go with it.
///
/// # Errors
/// `ConflictException` while one of them runs.
pub(super) fn delete_all(change: &mut Change<'_>, pipeline: &Pipeline) -> Result<(), ApiError> {
    let executions = change.list::<Execution>(&keys_of_pipeline(&pipeline.region, &pipeline.name))?;
    if let Some(running) = executions.iter().find(|execution| !execution.status.is_final()) {
        return Err(ApiError::new(
            "ConflictException",
            format!("Pipeline '{}' has a running execution '{}': stop it first.", pipeline.arn, running.arn),
        ));
    }
    for execution in executions {
        change.delete::<Execution>(&execution.key())?;
    }
    Ok(())
}

/// The execution that a request names.
fn of(context: &Context<'_>, input: &Value) -> Result<Execution, ApiError> {
    let arn = input["PipelineExecutionArn"].as_str().unwrap_or_default();
    context.fake.store.read(|view| execution::existing(view, arn))
}

fn new(
    context: &Context<'_>,
    pipeline: &Pipeline,
    version: &PipelineVersion,
    input: &Value,
) -> Result<Execution, ApiError> {
    let (fake, now) = (context.fake, context.fake.clock.now());
    let id = fake.ids.lower(12);
    let given = |name: &str| input[name].as_str().map(str::to_owned);
    Ok(Execution {
        region: pipeline.region.clone(),
        pipeline: pipeline.name.clone(),
        pipeline_arn: pipeline.arn.clone(),
        version: version.id,
        arn: format!("{}/execution/{id}", pipeline.arn),
        id,
        display_name: given("PipelineExecutionDisplayName").unwrap_or_else(|| format!("execution-{}", now.0)),
        description: given("PipelineExecutionDescription"),
        role_arn: pipeline.role_arn.clone(),
        status: ExecutionStatus::Executing,
        failure_reason: None,
        parameters: bind(version, &input["PipelineParameters"])?,
        max_parallel_execution_steps: most(input).or(pipeline.max_parallel_execution_steps),
        created: now,
        created_by: UserContext::of(context.caller),
        modified: now,
        selective: None,
        steps: Vec::new(),
        attempts: BTreeMap::new(),
    })
}

fn most(input: &Value) -> Option<u32> {
    input["ParallelismConfiguration"]["MaxParallelExecutionSteps"].as_u64()?.try_into().ok()
}

fn bind(version: &PipelineVersion, given: &Value) -> Result<Map<String, Value>, ApiError> {
    let definition = version.parsed()?;
    let text = |parameter: &Value, member: &str| parameter[member].as_str().unwrap_or_default().to_owned();
    let given: Vec<_> =
        given.as_array().into_iter().flatten().map(|given| (text(given, "Name"), text(given, "Value"))).collect();
    let bound = parameters::bind(&definition, &given).map_err(|error| ApiError::validation(error.to_string()))?;
    Ok(bound.iter().map(|(name, value)| (name.to_owned(), value.clone())).collect())
}

fn summary(execution: &Execution) -> Value {
    let mut summary = json!({
        "PipelineExecutionArn": execution.arn,
        "StartTime": execution.created,
        "PipelineExecutionStatus": execution.status,
        "PipelineExecutionDisplayName": execution.display_name,
    });
    if let Some(description) = &execution.description {
        summary["PipelineExecutionDescription"] = json!(description);
    }
    if let Some(reason) = &execution.failure_reason {
        summary["PipelineExecutionFailureReason"] = json!(reason);
    }
    summary
}

fn step_shape(step: &StepRecord) -> Value {
    let mut shape = json!({"StepName": step.name});
    let optional = [
        ("StepDisplayName", json!(step.display_name)),
        ("StepDescription", json!(step.description)),
        ("StartTime", json!(step.start)),
        ("EndTime", json!(step.end)),
        ("StepStatus", json!(step.status)),
        ("CacheHitResult", source(step.cache_source())),
        ("SelectiveExecutionResult", source(step.taken_from.as_deref())),
        ("FailureReason", json!(step.failure_reason)),
        ("Metadata", step.metadata.clone()),
        ("AttemptCount", json!(step.attempts)),
    ];
    super::set_present(&mut shape, optional);
    shape
}

fn source(execution: Option<&str>) -> Value {
    execution.map_or(Value::Null, |arn| json!({"SourcePipelineExecutionArn": arn}))
}

fn listed(member: &str, items: Vec<Value>, token: Option<String>) -> Value {
    paging::with_token(json!({member: items}), token)
}
