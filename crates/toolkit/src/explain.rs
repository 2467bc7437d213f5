//! `run --explain-cache`: which jobs a run would take over from an earlier execution, and why the others have to run.
//!
//! SageMaker itself only says that a step was cached, and only afterwards. What it compares is known, so the earlier
//! executions are read back (definition, parameters, what each job made) and compared in the same way.

use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_sdk_sagemaker::Client;
use pipeline_definition::cache::{self, Key, Miss, Run, Verdict};
use pipeline_definition::parameters::{self, Bound};
use pipeline_definition::resolve::{Scope, resolve};
use pipeline_definition::{Definition, Graph};
use serde::Serialize;
use serde_json::{Value, json};

use crate::aws::Session;
use crate::aws::errors::describe;
use crate::error::Failure;
use crate::execution::{self, Execution, StepResult};
use crate::observe::registry;

/// How many of the newest executions are read back.
const EXECUTIONS: i32 = 10;

/// What will become of one step.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explanation {
    /// The step.
    pub step: String,
    /// Whether its job will be taken over.
    pub hit: bool,
    /// From where, or why not.
    pub because: String,
}

/// Explains every step that runs a job, in the order in which they run.
///
/// # Errors
/// When a call is refused.
pub async fn explain(session: &Session, definition: &Definition, bound: Bound) -> Result<Vec<Explanation>, Failure> {
    let earlier = earlier(&session.clients.sagemaker, &session.site.pipeline, session.now()).await?;
    let graph =
        Graph::new(definition).map_err(|error| Failure::operation("our own definition is no graph").because(error))?;
    let mut scope = Known { bound, execution: None, made: BTreeMap::new() };
    let mut explanations = Vec::new();
    for name in graph.order() {
        let Some(step) = definition.step(name).filter(|step| cache::attributes(&step.kind).is_some()) else { continue };
        let key = resolve(&step.arguments, &scope).ok().and_then(|arguments| Key::of(&step.kind, &arguments));
        let Some(key) = key else {
            let anew =
                graph.parents(name).into_iter().find(|parent| !scope.made.contains_key(*parent)).unwrap_or("a step");
            explanations.push(Explanation {
                step: name.to_owned(),
                hit: false,
                because: format!("what it reads is made anew by {anew}"),
            });
            continue;
        };
        let runs = earlier.iter().filter(|past| past.step == name);
        let verdict = cache::look_up(step.cache_config.as_ref(), &key, runs.clone().map(Past::run));
        if let Verdict::Hit(source) = &verdict {
            let made = runs.into_iter().find(|past| past.execution == *source).map(|past| past.made.clone());
            scope.made.insert(name.to_owned(), made.unwrap_or_default());
        }
        explanations.push(Explanation {
            step: name.to_owned(),
            hit: matches!(verdict, Verdict::Hit(_)),
            because: words(&verdict),
        });
    }
    Ok(explanations)
}

fn words(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Hit(source) => format!("the same as in execution {}", execution::id(source)),
        Verdict::Miss(Miss::NeverSucceeded) => format!("it has not succeeded in the newest {EXECUTIONS} executions"),
        Verdict::Miss(Miss::Differs { execution, differences }) => {
            let places: Vec<_> = differences.iter().map(|it| format!("{}{}", it.attribute, it.pointer)).collect();
            format!("differs from execution {} in {}", execution::id(execution), places.join(", "))
        }
        Verdict::Miss(Miss::Expired { execution, age, expire_after }) => {
            let days = |seconds: &u64| *seconds / 86_400;
            let source = crate::execution::id(execution);
            format!("execution {source} is {} days old, and a result is kept for {}", days(age), days(expire_after))
        }
        Verdict::Miss(Miss::Off) => "its caching is off".to_owned(),
        Verdict::Miss(Miss::NoDuration(written)) => format!("`{written}` is no duration"),
    }
}

/// An earlier run of a step.
struct Past {
    execution: String,
    step: String,
    key: Key,
    age: Duration,
    /// The part of the Describe answer that later steps refer to.
    made: Value,
}

impl Past {
    fn run(&self) -> Run<'_> {
        Run { execution: &self.execution, key: &self.key, age: self.age }
    }
}

/// The runs of the newest executions that succeeded and were not cached themselves.
async fn earlier(sagemaker: &Client, pipeline: &str, now: SystemTime) -> Result<Vec<Past>, Failure> {
    let now = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
    let mut runs = Vec::new();
    for arn in registry::latest_executions(sagemaker, pipeline, EXECUTIONS).await? {
        let execution = Execution::observe(sagemaker, &arn).await?;
        let asked = sagemaker.describe_pipeline_definition_for_execution().pipeline_execution_arn(&arn).send().await;
        let asked = asked.map_err(|error| describe("DescribePipelineDefinitionForExecution", error))?;
        let Ok(definition) = Definition::parse(&asked.pipeline_definition.unwrap_or_default()) else { continue };
        let given = registry::parameters(sagemaker, &arn).await?;
        let Ok(bound) = parameters::bind(&definition, &given) else { continue };
        let mut scope = Known { bound, execution: Some(execution::id(&arn).to_owned()), made: BTreeMap::new() };
        for step in execution.steps.iter().filter(|step| step.status == "Succeeded") {
            let made = match &step.result {
                Some(StepResult::ProcessingJob(job)) => json!({"ProcessingOutputConfig": {
                    "Outputs": registry::outputs_of(sagemaker, job).await?.into_iter().map(|(name, uri)| {
                        json!({"OutputName": name, "S3Output": {"S3Uri": uri}})
                    }).collect::<Vec<_>>(),
                }}),
                Some(StepResult::TrainingJob(job)) => {
                    json!({"ModelArtifacts": {"S3ModelArtifacts": registry::model_of(sagemaker, job).await?}})
                }
                _ => continue,
            };
            let declared = definition.step(&step.name);
            let arguments = declared.and_then(|it| resolve(&it.arguments, &scope).ok());
            let key = declared.zip(arguments).and_then(|(it, arguments)| Key::of(&it.kind, &arguments));
            // What another execution stands in for was no run of this one.
            let own = step.cached_from.is_none() && step.taken_from.is_none();
            if let (Some(key), true, Some(ended)) = (key, own, step.ended) {
                let age = Duration::try_from_secs_f64(now - ended).unwrap_or_default();
                runs.push(Past { execution: arn.clone(), step: step.name.clone(), key, age, made: made.clone() });
            }
            scope.made.insert(step.name.clone(), made);
        }
    }
    Ok(runs)
}

/// What is known of an execution, past or to come.
struct Known {
    bound: Bound,
    /// The id; an execution to come has none yet, and no key contains it.
    execution: Option<String>,
    /// What its steps made.
    made: BTreeMap<String, Value>,
}

impl Scope for Known {
    fn execution(&self, variable: &str) -> Option<Value> {
        let id = self.execution.as_deref().unwrap_or("{execution id}");
        (variable == "PipelineExecutionId").then(|| json!(id))
    }

    fn parameter(&self, name: &str) -> Option<Value> {
        self.bound.get(name).cloned()
    }

    fn step(&self, name: &str) -> Option<Value> {
        self.made.get(name).cloned()
    }

    fn property_file(&self, step: &str, _: &str) -> Result<Value, String> {
        Err(format!("the files of {step} are not read to explain the cache"))
    }

    fn s3_json(&self, uri: &str) -> Result<Value, String> {
        Err(format!("{uri} is not read to explain the cache"))
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = if self.hit { "cached" } else { "runs" };
        write!(f, "  {:<22} {verdict:<7} {}", self.step, self.because)
    }
}
