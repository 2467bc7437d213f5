//! What `run --dry` prints: the plan, and what follows from it.

use pipeline_definition::Definition;
use serde::Serialize;

use crate::cost::{self, Estimate};
use crate::explain::Explanation;
use crate::pipeline::{parameter, step};
use crate::plan::{Parameter, Plan};

/// What `--dry` prints.
#[derive(Debug, Serialize)]
pub(super) struct Preview {
    #[serde(flatten)]
    pub plan: Plan,
    parameters: Vec<Parameter>,
    /// The calls that SageMaker makes as the role, once the execution has started.
    steps: Vec<(&'static str, &'static str)>,
    /// What the gate decides about; none if it does not run.
    #[serde(skip)]
    gate: Option<Gate>,
    cost: Estimate,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache: Option<Vec<Explanation>>,
}

/// The steps that run if the model passes, and if it does not.
#[derive(Debug)]
struct Gate {
    passed: Vec<&'static str>,
    refused: Vec<&'static str>,
}

impl Preview {
    /// The plan, and what an execution of these steps (all of them if that is none) with these parameters makes.
    pub fn new(plan: Plan, definition: &Definition, given: &[Parameter], only: Option<&[&str]>) -> Self {
        let defaults = definition.parameters.iter().filter_map(|it| {
            let value = it.default.as_ref()?;
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            Some(Parameter { name: it.name.clone(), value })
        });
        let mut parameters: Vec<_> = defaults.filter(|it| given.iter().all(|given| given.name != it.name)).collect();
        parameters.extend(given.iter().cloned());
        let value =
            |name: &str| parameters.iter().find(|it| it.name == name).map(|it| it.value.clone()).unwrap_or_default();
        let processing = value(parameter::PROCESSING_INSTANCE_TYPE);
        let count = value(parameter::PROCESSING_INSTANCE_COUNT).parse().unwrap_or(1);
        let runs = |step: &str| only.is_none_or(|only| only.contains(&step));
        let mut jobs = vec![
            (step::PREPROCESS, processing.clone(), count),
            (step::TRAIN, value(parameter::TRAINING_INSTANCE_TYPE), 1),
            (step::EVALUATE, processing.clone(), 1),
            (step::BASELINE, processing, 1),
        ];
        jobs.retain(|(step, ..)| runs(step));
        let mut steps = vec![
            (step::PREPROCESS, "sagemaker:CreateProcessingJob"),
            (step::TRAIN, "sagemaker:CreateTrainingJob"),
            (step::EVALUATE, "sagemaker:CreateProcessingJob"),
            (step::BASELINE, "sagemaker:CreateProcessingJob"),
            (step::REGISTER, "sagemaker:CreateModelPackage"),
        ];
        steps.retain(|(step, _)| runs(step));
        let branches = [&[step::BASELINE, step::REGISTER][..], &[step::FAIL]];
        let [passed, refused] = branches.map(|steps| steps.iter().copied().filter(|step| runs(step)).collect());
        let gate = runs(step::CHECK).then_some(Gate { passed, refused });
        Self { plan, parameters, steps, gate, cost: cost::estimate(&jobs), cache: None }
    }
}

impl std::fmt::Display for Preview {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{}", self.plan)?;
        writeln!(f, "parameters")?;
        for parameter in &self.parameters {
            writeln!(f, "  {:<24} {}", parameter.name, parameter.value)?;
        }
        writeln!(f, "then SageMaker calls, as the role")?;
        for (step, call) in &self.steps {
            writeln!(f, "  {step:<24} {call}")?;
        }
        if let Some(Gate { passed, refused }) = &self.gate {
            let then = |steps: &[&str]| if steps.is_empty() { "nothing".to_owned() } else { steps.join(", ") };
            writeln!(f, "  {:<24} if the model passes: {}; else {}", step::CHECK, then(passed), then(refused))?;
        }
        if let Some(cache) = &self.cache {
            writeln!(f, "cache")?;
            cache.iter().try_for_each(|explanation| writeln!(f, "{explanation}"))?;
        }
        write!(f, "cost: {}", self.cost)
    }
}
