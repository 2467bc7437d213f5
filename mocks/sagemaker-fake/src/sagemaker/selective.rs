//! Selective executions: some steps run, and an earlier execution of the pipeline stands in for what they wait for.
//!
//! To take the latest execution when none is named, and to hand its parameters on, are the business of clients: the SDK
//! for Python does both before it calls.

use pipeline_definition::graph::{Progress, Selection, SelectionError};
use pipeline_definition::{Definition, Graph};
use serde_json::{Value, json};

use super::pipeline_version::PipelineVersion;
use crate::ApiError;
use crate::engine::execution::{self, Execution, ExecutionStatus, Selective, StepRecord};
use crate::store::Records;

/// Makes a new execution selective, if that is what was asked for: what it takes over from its source is on record as
/// steps that have succeeded already.
///
/// # Errors
/// `ValidationException` for steps that cannot be selected and a source that cannot be used, `ResourceNotFound` for one
/// that does not exist.
pub(super) fn apply(
    records: &impl Records,
    execution: &mut Execution,
    version: &PipelineVersion,
    config: &Value,
) -> Result<(), ApiError> {
    if config.is_null() {
        return Ok(());
    }
    let selective = read(config);
    let definition = version.parsed()?;
    let graph = Graph::new(&definition).map_err(ApiError::internal)?;
    let selection = graph.select(selective.steps.iter().map(String::as_str)).map_err(|error| refusal(&error))?;
    let source = match &selective.source {
        Some(arn) => Some(source(records, execution, arn)?),
        None => None,
    };
    execution.steps = take(&selection, source.as_ref(), execution, &definition)?;
    execution.selective = Some(selective);
    Ok(())
}

/// As AWS answers it.
pub(super) fn shape(selective: &Selective) -> Value {
    let steps: Vec<_> = selective.steps.iter().map(|step| json!({"StepName": step})).collect();
    let mut shape = json!({"SelectedSteps": steps});
    if let Some(source) = &selective.source {
        shape["SourcePipelineExecutionArn"] = json!(source);
    }
    shape
}

fn read(config: &Value) -> Selective {
    let steps = config["SelectedSteps"].as_array().into_iter().flatten();
    Selective {
        steps: steps.filter_map(|step| step["StepName"].as_str().map(str::to_owned)).collect(),
        source: config["SourcePipelineExecutionArn"].as_str().map(str::to_owned),
    }
}

/// AWS documents these rules and not its sentences; these begin as the one that is known.
fn refusal(error: &SelectionError) -> ApiError {
    ApiError::validation(format!("Invalid SelectedSteps: {error}."))
}

fn source(records: &impl Records, execution: &Execution, arn: &str) -> Result<Execution, ApiError> {
    let source = execution::existing(records, arn)?;
    let refused = |why: String| Err(ApiError::validation(format!("Invalid SourcePipelineExecutionArn: {arn}. {why}")));
    if source.pipeline_arn != execution.pipeline_arn {
        return refused(format!("It is an execution of {}, not of {}.", source.pipeline_arn, execution.pipeline_arn));
    }
    match source.status {
        ExecutionStatus::Succeeded | ExecutionStatus::Failed => Ok(source),
        status => refused(format!("Its status must be Succeeded or Failed, and is {status:?}.")),
    }
}

/// What is taken over, as it stands in the source, in the order of the graph.
fn take(
    selection: &Selection<'_>,
    source: Option<&Execution>,
    execution: &Execution,
    definition: &Definition,
) -> Result<Vec<StepRecord>, ApiError> {
    let missing = selection.missing(|step| source.map_or(Progress::Waiting, |source| source.progress(step)));
    if let Some(missing) = missing {
        let arn = source.map_or("null", |source| source.arn.as_str());
        return Err(ApiError::validation(format!("Invalid SourcePipelineExecutionArn: {arn}. {missing}")));
    }
    let records = selection.takes.iter().filter_map(|name| {
        let (source, step) = source.and_then(|source| Some((source, source.step(name)?)))?;
        let declared = definition.step(name);
        Some(StepRecord {
            display_name: declared.and_then(|it| it.display_name.clone()),
            description: declared.and_then(|it| it.description.clone()),
            start: execution.created,
            end: Some(execution.created),
            cache: None,
            taken_from: Some(source.arn.clone()),
            attempts: 1,
            retried: Vec::new(),
            ..step.clone()
        })
    });
    Ok(records.collect())
}
