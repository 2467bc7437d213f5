//! `run --only`: some steps run, and an earlier execution stands in for what they wait for.
//!
//! SageMaker takes the source that it is given and starts with the parameters that it is given. To find the source, and
//! to hand its parameters on, is left to clients.

use pipeline_definition::Graph;
use pipeline_definition::graph::{Selection, SelectionError};

use crate::aws::Session;
use crate::error::Failure;
use crate::execution::{self, Execution};
use crate::observe::registry;

/// How many of the newest executions are looked at.
const EXECUTIONS: i32 = 10;

/// The execution that stands in for what is not selected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Its ARN.
    pub arn: String,
    /// Its parameters.
    pub parameters: Vec<(String, String)>,
}

/// Selects steps of the graph, as SageMaker will.
///
/// # Errors
/// With exit code 2, when there is no such step or they cannot be selected together.
pub fn select<'g>(graph: &'g Graph, steps: &'g [String]) -> Result<Selection<'g>, Failure> {
    graph.select(steps.iter().map(String::as_str)).map_err(|error| {
        let hint = match &error {
            SelectionError::UnknownStep { nearest: Some(nearest), .. } => format!("did you mean `{nearest}`?"),
            SelectionError::UnknownStep { nearest: None, .. } => {
                format!("--only takes steps of: {}", graph.order().collect::<Vec<_>>().join(", "))
            }
            SelectionError::Between { steps: between } => {
                let all = graph.order().filter(|step| steps.iter().chain(between).any(|it| it == step));
                format!("add them: --only {}", all.collect::<Vec<_>>().join(","))
            }
            SelectionError::Apart { .. } => "run them one after the other, each with --from".to_owned(),
        };
        Failure::usage(error.to_string()).hint(hint)
    })
}

/// The execution with the ARN `from`, or else the newest one that can stand in for what the selection waits for; none if that is
/// nothing.
///
/// # Errors
/// When there is no such execution, or it cannot stand in.
pub async fn source(
    session: &Session,
    selection: &Selection<'_>,
    from: Option<String>,
) -> Result<Option<Source>, Failure> {
    let sagemaker = &session.clients.sagemaker;
    let found = match from {
        Some(from) => {
            let ours = session.site.execution_arn("");
            if !from.to_lowercase().starts_with(&ours.to_lowercase()) {
                let pipeline = &session.site.pipeline;
                return Err(Failure::usage(format!("{from} is no execution of pipeline {pipeline}"))
                    .hint("--from takes the ARN or the id of an execution of the same pipeline"));
            }
            let execution = Execution::observe(sagemaker, &from).await?;
            if let Some(why) = objection(selection, &execution) {
                let failure = Failure::operation(format!("execution {} cannot be the source: {why}", execution.id()));
                return Err(failure.hint("leave --from out to take the newest execution that can"));
            }
            execution.arn
        }
        None if selection.takes.is_empty() => return Ok(None),
        None => newest(session, selection).await?,
    };
    let parameters = registry::parameters(sagemaker, &found).await?;
    Ok(Some(Source { arn: found, parameters }))
}

async fn newest(session: &Session, selection: &Selection<'_>) -> Result<String, Failure> {
    let (sagemaker, pipeline) = (&session.clients.sagemaker, &session.site.pipeline);
    let mut first = None;
    for arn in registry::latest_executions(sagemaker, pipeline, EXECUTIONS).await? {
        let execution = Execution::observe(sagemaker, &arn).await?;
        let Some(why) = objection(selection, &execution) else { return Ok(arn) };
        first.get_or_insert_with(|| format!("{}: {why}", execution::id(&arn)));
    }
    let takes = selection.takes.join(", ");
    let failure = Failure::operation(match first {
        Some(first) => format!("none of the newest {EXECUTIONS} executions can be the source; the newest is {first}"),
        None => format!("what {takes} leaves must come from an execution, and pipeline {pipeline} has none yet"),
    });
    Err(failure.hint(format!("run all steps once, without --only; or select these too: {takes}")))
}

/// Why an execution cannot be the source.
fn objection(selection: &Selection<'_>, execution: &Execution) -> Option<String> {
    if !matches!(execution.status.as_str(), "Succeeded" | "Failed") {
        return Some(format!("it is {}, and must have succeeded or failed", execution.status));
    }
    let missing = selection.missing(|step| execution.progress(step))?;
    let (steps, dependencies) = (missing.steps.join(", "), missing.dependencies.join(", "));
    Some(format!("{steps} cannot go on from it: {dependencies} did not succeed there, or decided otherwise"))
}

#[cfg(test)]
mod tests {
    use pipeline_definition::Definition;

    use super::*;
    use crate::execution::{Step, StepResult};

    fn graph() -> Graph {
        let definition = r#"{"Steps": [
            {"Name": "Train", "Type": "Training"},
            {"Name": "Evaluate", "Type": "Processing", "DependsOn": ["Train"]},
            {"Name": "Gate", "Type": "Condition", "DependsOn": ["Evaluate"], "Arguments": {"Conditions": [],
                "IfSteps": [{"Name": "Register", "Type": "RegisterModel"}], "ElseSteps": []}},
            {"Name": "Audit", "Type": "Processing"}
        ]}"#;
        Graph::new(&Definition::parse(definition).unwrap()).unwrap()
    }

    #[test]
    fn what_cannot_be_selected_comes_with_a_hint() {
        #[track_caller]
        fn check(steps: &[&str], said: &str, hint: &str) {
            let (graph, steps) = (graph(), steps.iter().map(|&step| step.to_owned()).collect::<Vec<_>>());
            let failure = select(&graph, &steps).unwrap_err();
            assert_eq!((failure.to_string().as_str(), failure.next(), failure.exit_code()), (said, Some(hint), 2));
        }
        check(&["train"], "there is no step 'train'", "did you mean `Train`?");
        check(&["Tune"], "there is no step 'Tune'", "--only takes steps of: Train, Evaluate, Gate, Register, Audit");
        check(
            &["Train", "Gate"],
            "the steps between the selected ones must be selected too: Evaluate",
            "add them: --only Train,Evaluate,Gate",
        );
        check(
            &["Train", "Audit"],
            "the selected steps must be connected, and nothing connects Train with Audit",
            "run them one after the other, each with --from",
        );
    }

    #[test]
    fn a_source_has_ended_and_has_what_is_needed() {
        #[track_caller]
        fn check(step: &str, status: &str, steps: &[(&str, &str, Option<&str>)], objected: Option<&str>) {
            let steps = steps.iter().map(|(name, status, outcome)| Step {
                result: outcome.map(|outcome| StepResult::Condition(outcome.to_owned())),
                ..Step::new(name, status)
            });
            let execution = Execution { steps: steps.collect(), ..Execution::new("arn:x/execution/abc", status) };
            let graph = graph();
            let selection = graph.select([step]).unwrap();
            assert_eq!(objection(&selection, &execution).as_deref(), objected, "{step}");
        }
        let trained = ("Train", "Succeeded", None);
        check("Evaluate", "Succeeded", &[trained], None);
        check("Evaluate", "Failed", &[trained], None);
        check("Evaluate", "Stopped", &[trained], Some("it is Stopped, and must have succeeded or failed"));
        let nothing = Some("Evaluate cannot go on from it: Train did not succeed there, or decided otherwise");
        check("Evaluate", "Failed", &[("Train", "Failed", None)], nothing);
        check("Evaluate", "Failed", &[], nothing);
        check("Register", "Succeeded", &[("Gate", "Succeeded", Some("True"))], None);
        let refused = Some("Register cannot go on from it: Gate did not succeed there, or decided otherwise");
        check("Register", "Succeeded", &[("Gate", "Succeeded", Some("False"))], refused);
    }
}
