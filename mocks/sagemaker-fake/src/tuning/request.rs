//! What a tuning job asks for.

use serde::Deserialize;
use serde_json::{Value, json};

use super::range::Ranges;
use crate::ApiError;
use crate::protocol::Service;

/// The hyperparameter that tells an algorithm what is tuned.
const OBJECTIVE: &str = "_tuning_objective_metric";

/// A request, read.
#[derive(Debug)]
pub(crate) struct Request {
    /// How the next trial is found.
    pub strategy: Strategy,
    /// How many trials there are.
    pub most: usize,
    /// How many run at the same time.
    pub parallel: usize,
    /// How long it may take, in seconds.
    pub max_runtime: Option<u64>,
    /// A value of the objective that is good enough.
    pub target: Option<f64>,
    /// How many trials in a row may be no better.
    pub not_improving: Option<usize>,
    definitions: Vec<Definition>,
}

/// What trains, and over which hyperparameters.
#[derive(Debug)]
pub(crate) struct Definition {
    /// What is to be best.
    pub objective: Objective,
    /// What is searched for.
    pub ranges: Ranges,
    /// The definition as it was given.
    pub body: Value,
}

/// The metric that is to be best.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Objective {
    #[serde(rename = "Type")]
    pub kind: String,
    pub metric_name: String,
}

impl Objective {
    pub(crate) fn is_to_maximize(&self) -> bool {
        self.kind == "Maximize"
    }
}

/// How the next trial is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Strategy {
    /// Every combination of categories.
    Grid,
    /// Anywhere in the ranges.
    Random,
    /// Near the best so far, or anywhere.
    Bayesian,
}

impl Request {
    /// Reads a request.
    ///
    /// # Errors
    /// `ValidationException` for what does not go together, or this fake cannot do. The rules are SageMaker's, its
    /// sentences about them are not known.
    pub(crate) fn read(request: &Value) -> Result<Self, ApiError> {
        let refused = |why: &str| Err(ApiError::validation(why));
        let config = &request["HyperParameterTuningJobConfig"];
        let strategy = match config["Strategy"].as_str().unwrap_or_default() {
            "Grid" => Strategy::Grid,
            "Random" => Strategy::Random,
            "Bayesian" => Strategy::Bayesian,
            other => {
                return refused(&format!(
                    "This fake tunes with the strategies Grid, Random and Bayesian, not {other}: it stops no training job \
                     early, and Hyperband is made of that."
                ));
            }
        };
        if !request["WarmStartConfig"].is_null() {
            return refused("This fake starts no tuning job warm: leave WarmStartConfig out.");
        }
        if !request["Autotune"].is_null() {
            return refused("This fake chooses no ranges: leave Autotune out.");
        }
        let criteria = &config["TuningJobCompletionCriteria"];
        if criteria["ConvergenceDetected"]["CompleteOnConvergence"] == "Enabled" {
            return refused("This fake detects no convergence: leave ConvergenceDetected out.");
        }
        let definitions = definitions(request)?;
        let limits = &config["ResourceLimits"];
        let number = |value: &Value| value.as_u64().and_then(|number| usize::try_from(number).ok());
        let most = match (strategy, number(&limits["MaxNumberOfTrainingJobs"])) {
            (Strategy::Grid, given) => {
                let combinations = definitions.iter().map(|definition| definition.ranges.combinations());
                let Some(combinations) = combinations.sum::<Option<usize>>() else {
                    return refused("The strategy Grid takes CategoricalParameterRanges alone.");
                };
                if given.is_some_and(|given| given != combinations) {
                    return refused(&format!(
                        "MaxNumberOfTrainingJobs must be the number of combinations that Grid tries, which is {combinations}."
                    ));
                }
                combinations
            }
            (_, Some(given)) => given,
            (_, None) => return refused("ResourceLimits needs MaxNumberOfTrainingJobs."),
        };
        Ok(Self {
            strategy,
            most,
            parallel: number(&limits["MaxParallelTrainingJobs"]).unwrap_or(1).max(1),
            max_runtime: limits["MaxRuntimeInSeconds"].as_u64(),
            target: criteria["TargetObjectiveMetricValue"].as_f64(),
            not_improving: number(&criteria["BestObjectiveNotImproving"]["MaxNumberOfTrainingJobsNotImproving"]),
            definitions,
        })
    }

    /// The definition at a place.
    ///
    /// # Errors
    /// An internal failure when there is none.
    pub(crate) fn definition(&self, place: usize) -> Result<&Definition, ApiError> {
        self.definitions
            .get(place)
            .ok_or_else(|| ApiError::internal(format!("there is no training job definition {place}")))
    }

    /// All definitions, in turn.
    pub(crate) fn definitions(&self) -> &[Definition] {
        &self.definitions
    }
}

fn definitions(request: &Value) -> Result<Vec<Definition>, ApiError> {
    let config = &request["HyperParameterTuningJobConfig"];
    let (one, several) = (&request["TrainingJobDefinition"], request["TrainingJobDefinitions"].as_array());
    match (one.is_null(), several) {
        (false, None) => {
            let given = (&config["HyperParameterTuningJobObjective"], &config["ParameterRanges"]);
            Ok(vec![Definition::read(one, given.0, given.1)?])
        }
        (true, Some(several)) => {
            let read = |body: &Value| Definition::read(body, &body["TuningObjective"], &body["HyperParameterRanges"]);
            several.iter().map(read).collect()
        }
        _ => Err(ApiError::validation(
            "Exactly one of TrainingJobDefinition and TrainingJobDefinitions must be specified.",
        )),
    }
}

impl Definition {
    fn read(body: &Value, objective: &Value, ranges: &Value) -> Result<Self, ApiError> {
        let refused = |why: String| Err(ApiError::validation(why));
        let Ok(objective) = Objective::deserialize(objective) else {
            return refused("A training job definition needs an objective: its Type and MetricName.".to_owned());
        };
        let algorithm = &body["AlgorithmSpecification"];
        let metrics = algorithm["MetricDefinitions"].as_array().map_or(&[][..], Vec::as_slice);
        if !metrics.iter().any(|metric| metric["Name"] == objective.metric_name.as_str()) {
            return refused(format!(
                "The objective metric '{}' is not among the MetricDefinitions of the training job definition.",
                objective.metric_name
            ));
        }
        let resources = &body["HyperParameterTuningResourceConfig"];
        if !resources["InstanceConfigs"].is_null() {
            return refused("This fake trains on one type of instance: leave InstanceConfigs out.".to_owned());
        }
        if body["ResourceConfig"].is_null() && resources.is_null() {
            return refused(
                "A training job definition needs ResourceConfig or HyperParameterTuningResourceConfig.".to_owned(),
            );
        }
        let ranges = Ranges::read(ranges).map_err(ApiError::validation)?;
        let fixed = body["StaticHyperParameters"].as_object();
        if let Some(name) = ranges.names().find(|name| fixed.is_some_and(|fixed| fixed.contains_key(*name))) {
            return refused(format!("The hyperparameter '{name}' has a range and a static value."));
        }
        Ok(Self { objective, ranges, body: body.clone() })
    }

    /// CreateTrainingJob of a trial.
    pub(crate) fn training_job(&self, name: &str, tuned: impl IntoIterator<Item = (String, String)>) -> Value {
        let mut input = Service::SageMaker.api().members_of_input("CreateTrainingJob", &self.body);
        input.insert("TrainingJobName".to_owned(), json!(name));
        let mut hyperparameters = self.body["StaticHyperParameters"].as_object().cloned().unwrap_or_default();
        hyperparameters.insert(OBJECTIVE.to_owned(), json!(self.objective.metric_name));
        hyperparameters.extend(tuned.into_iter().map(|(name, value)| (name, json!(value))));
        input.insert("HyperParameters".to_owned(), Value::Object(hyperparameters));
        if let Some(resources) = self.body["HyperParameterTuningResourceConfig"].as_object() {
            let mut resources = resources.clone();
            resources.remove("AllocationStrategy");
            input.insert("ResourceConfig".to_owned(), Value::Object(resources));
        }
        Value::Object(input)
    }
}
