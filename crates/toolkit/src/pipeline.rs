//! Our pipeline: preprocess, train, evaluate, check, then register with a baseline for the monitor, or fail.

use pipeline_definition::build::{
    Condition, ConditionStep, Expr, FailStep, Pipeline, ProcessingStep, RegisterModelStep, StepOptions, TrainingStep,
};
use pipeline_definition::{Definition, Parameter};

use crate::site::Site;

/// The steps' names.
pub mod step {
    /// Pairs in; rows of features, raw test pairs and the vocabulary out.
    pub const PREPROCESS: &str = "PreprocessSTSData";
    /// Rows in, model out.
    pub const TRAIN: &str = "TrainSTSModel";
    /// Model and test rows in, `evaluation.json` out.
    pub const EVALUATE: &str = "EvaluateSTSModel";
    /// The gate.
    pub const CHECK: &str = "CheckMSESTSEvaluation";
    /// Predictions on the validation rows, for the monitor's baseline.
    pub const BASELINE: &str = "SetupMonitoringData";
    /// A new version in the model package group.
    pub const REGISTER: &str = "RegisterSTSModel";
    /// Where a model ends that is not good enough.
    pub const FAIL: &str = "FailSTSModel";
}

/// The parameters' names.
pub mod parameter {
    /// The machine of the processing steps.
    pub const PROCESSING_INSTANCE_TYPE: &str = "ProcessingInstanceType";
    /// How many machines preprocess.
    pub const PROCESSING_INSTANCE_COUNT: &str = "ProcessingInstanceCount";
    /// The machine that trains.
    pub const TRAINING_INSTANCE_TYPE: &str = "TrainingInstanceType";
    /// `Approved` or `PendingManualApproval`.
    pub const MODEL_APPROVAL_STATUS: &str = "ModelApprovalStatus";
    /// The S3 URI of the sentence pairs.
    pub const INPUT_DATA_URL: &str = "InputDataUrl";
    /// The largest share of wrong labels that passes the gate.
    pub const MSE_THRESHOLD: &str = "MseThreshold";
    /// The weight of the penalty on large coefficients.
    pub const L2: &str = "L2";
}

/// The definition for this site. The same site gives the same bytes.
#[must_use]
pub fn definition(site: &Site) -> Definition {
    let machine = Parameter::string(parameter::PROCESSING_INSTANCE_TYPE).with_default("ml.m5.xlarge");
    let machines = Parameter::integer(parameter::PROCESSING_INSTANCE_COUNT).with_default(1);
    let training_machine = Parameter::string(parameter::TRAINING_INSTANCE_TYPE).with_default("ml.m5.xlarge");
    let approval = Parameter::string(parameter::MODEL_APPROVAL_STATUS)
        .with_default("Approved")
        .with_enum_values(["Approved", "PendingManualApproval"]);
    let input = Parameter::string(parameter::INPUT_DATA_URL);
    let threshold = Parameter::float(parameter::MSE_THRESHOLD).with_default(0.3);
    let l2 = Parameter::float(parameter::L2).with_default(1.0);

    let preprocess = site
        .processing(step::PREPROCESS, "preprocess", &machine, &machines)
        .input("input", &input, "/opt/ml/processing/input")
        .output("train", "/opt/ml/processing/train", site.output(step::PREPROCESS, "train"))
        .output("validation", "/opt/ml/processing/validation", site.output(step::PREPROCESS, "validation"))
        .output("test", "/opt/ml/processing/test", site.output(step::PREPROCESS, "test"))
        .output("vocabulary", "/opt/ml/processing/vocabulary", site.output(step::PREPROCESS, "vocabulary"));

    let mut train = TrainingStep::new(step::TRAIN, &site.image, &site.role, site.key(["model"]))
        .instances(&training_machine, 1)
        .channel("train", Expr::processing_output(step::PREPROCESS, "train"), "text/csv")
        .channel("validation", Expr::processing_output(step::PREPROCESS, "validation"), "text/csv")
        .channel("vocabulary", Expr::processing_output(step::PREPROCESS, "vocabulary"), "application/json")
        .hyperparameter("l2", &l2)
        .tags(site.job_tags());
    if let Some(key) = &site.kms_key {
        train = train.kms_key(key);
    }
    if let Some(network) = &site.network {
        train = train.network(&network.subnets, &network.security_groups);
    }

    let evaluation = site.output(step::EVALUATE, "evaluation");
    let evaluate = site
        .processing(step::EVALUATE, "evaluate", &machine, 1)
        .input("model", Expr::model_artifacts(step::TRAIN), "/opt/ml/processing/model")
        .input("test", Expr::processing_output(step::PREPROCESS, "test"), "/opt/ml/processing/test")
        .output("evaluation", "/opt/ml/processing/evaluation", evaluation)
        .property_file(REPORT, "evaluation", "evaluation.json");

    Pipeline::new()
        .parameter(machine.clone())
        .parameter(machines)
        .parameter(training_machine)
        .parameter(approval.clone())
        .parameter(input)
        .parameter(threshold.clone())
        .parameter(l2)
        .step(preprocess.cache(KEPT))
        .step(train.cache(KEPT))
        .step(evaluate.cache(KEPT))
        .step(site.check(&machine, &approval, &threshold))
        .build()
}

/// For how long a job of the same image, input and settings need not run again.
const KEPT: &str = "P30D";

/// The name of the evaluation's property file.
const REPORT: &str = "stsEvaluationReport";

impl Site {
    /// The gate: the share of wrong labels is at most the threshold, and smaller than that of a constant prediction, so
    /// that a majority vote passes at no threshold.
    fn check(&self, machine: &Parameter, approval: &Parameter, threshold: &Parameter) -> ConditionStep {
        let mse = || Expr::json_get(step::EVALUATE, REPORT, "regression_metrics.mse.value");
        let constant = Expr::json_get(step::EVALUATE, REPORT, "regression_metrics.mse_best_constant_classifier.value");
        let message = [
            Expr::from("The model is not good enough: its MSE on the test part is above the threshold of"),
            threshold.into(),
            Expr::from("or no better than that of a constant prediction"),
        ];
        ConditionStep::new(step::CHECK)
            .condition(Condition::less_than_or_equal_to(mse(), threshold))
            .condition(Condition::less_than(mse(), constant))
            .if_step(self.baseline(machine).cache(KEPT))
            .if_step(self.register(approval))
            .else_step(FailStep::new(step::FAIL, Expr::join(" ", message)))
    }

    fn baseline(&self, machine: &Parameter) -> ProcessingStep {
        self.processing(step::BASELINE, "baseline", machine, 1)
            .input("model", Expr::model_artifacts(step::TRAIN), "/opt/ml/processing/model")
            .input(
                "validation",
                Expr::processing_output(step::PREPROCESS, "validation"),
                "/opt/ml/processing/validation",
            )
            .output("validate", "/opt/ml/processing/validate", self.output(step::BASELINE, "validate"))
    }

    /// Waits for the baseline: no approved package lacks the one that its monitor will compare with.
    fn register(&self, approval: &Parameter) -> pipeline_definition::Step {
        let file = |step, output, name: &str| Expr::join("/", [Expr::processing_output(step, output), name.into()]);
        let evaluation = file(step::EVALUATE, "evaluation", "evaluation.json");
        RegisterModelStep::new(step::REGISTER, &self.package_group)
            .container(&self.image, Expr::model_artifacts(step::TRAIN))
            .mime_types(["text/csv", "application/jsonlines"], ["text/csv", "application/jsonlines"])
            .instance_types(["ml.t2.medium", "ml.m5.large", "ml.m5.xlarge"], ["ml.m5.large", "ml.m5.xlarge"])
            .approval_status(approval)
            .quality_statistics(&evaluation)
            .customer_metadata("ExecutionArn", Expr::execution("PipelineExecutionArn"))
            .customer_metadata("TestSet", Expr::processing_output(step::PREPROCESS, "test"))
            .customer_metadata("BaselineSet", file(step::BASELINE, "validate", "baseline.csv"))
            .customer_metadata("Evaluation", evaluation)
            .customer_metadata("Image", &self.image)
            .depends_on([step::BASELINE])
    }

    /// A Processing step that runs one verb of our container.
    fn processing(&self, name: &str, verb: &str, machine: &Parameter, count: impl Into<Expr>) -> ProcessingStep {
        let mut step = ProcessingStep::new(name, &self.image, &self.role)
            .entrypoint(["/usr/bin/sts-container"])
            .arguments([verb])
            .instances(machine, count)
            .tags(self.job_tags());
        if let Some(key) = &self.kms_key {
            step = step.kms_key(key);
        }
        if let Some(network) = &self.network {
            step = step.network(&network.subnets, &network.security_groups);
        }
        step
    }

    /// `s3://BUCKET/PREFIX/PIPELINE/EXECUTION/STEP/OUTPUT`.
    fn output(&self, step: &str, output: &str) -> Expr {
        self.key([step, output])
    }

    fn key<const N: usize>(&self, parts: [&str; N]) -> Expr {
        let fixed = [Expr::from("s3:/"), (&self.bucket).into(), (&self.prefix).into(), (&self.pipeline).into()];
        let execution = [Expr::execution("PipelineExecutionId")];
        Expr::join("/", fixed.into_iter().chain(execution).chain(parts.map(Expr::from)))
    }

    fn job_tags(&self) -> impl Iterator<Item = (&str, &str)> {
        self.tags.iter().map(|tag| (tag.key.as_str(), tag.value.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use pipeline_definition::Graph;

    use super::*;
    use crate::settings::{Network, Settings, Sources};

    fn site() -> Site {
        let settings = Settings::resolve(&Sources::default()).unwrap();
        Site::new(&settings, "111122223333", Some("arn:aws:iam::111122223333:role/sts-execution"))
    }

    #[test]
    fn forms_a_graph_and_keeps_its_bytes() {
        let one = definition(&site());
        assert!(Graph::new(&one).is_ok());
        assert_eq!(one.to_json(), definition(&site()).to_json());
        assert_eq!(Definition::parse(&one.to_json()).unwrap().to_json(), one.to_json());
    }

    #[test]
    fn network_and_key_reach_every_job() {
        let network = Network { subnets: vec!["subnet-1".to_owned()], security_groups: vec!["sg-1".to_owned()] };
        let site = Site { kms_key: Some("alias/x".to_owned()), network: Some(network), ..site() };
        let json = definition(&site).to_json();
        assert_eq!(json.matches("subnet-1").count(), 4, "{json}");
        assert!(json.matches("alias/x").count() >= 4, "{json}");
    }
}
