//! The pipeline of this workspace on its own program: preprocess, train, evaluate, gate, register, baseline.

use pipeline_definition::build::{
    Condition, ConditionStep, Expr, FailStep, Pipeline, ProcessingStep, RegisterModelStep, StepOptions, TrainingStep,
};
use pipeline_definition::{Definition, Parameter};
use sagemaker_fake::engine::{ExecutionStatus, StepStatus};
use sagemaker_fake::jobs::Kind;
use serde_json::{Value, json};

use crate::account::{Account, BUCKET, ROLE, STS};

/// A step that runs a verb of the program.
fn verb(name: &str, verb: &str) -> ProcessingStep {
    ProcessingStep::new(name, STS, ROLE).entrypoint(["/usr/bin/sts-container"]).arguments([verb])
}

fn uri(step: &str, output: &str) -> Expr {
    Expr::join(
        "/",
        [Expr::from(format!("s3://{BUCKET}/sts")), Expr::execution("PipelineExecutionId"), step.into(), output.into()],
    )
}

fn definition() -> Definition {
    let parts = ["train", "validation", "test", "vocabulary"];
    let preprocess = verb("Preprocess", "preprocess").instances("ml.m5.xlarge", Expr::parameter("Instances")).input(
        "input",
        Expr::parameter("Input"),
        "/opt/ml/processing/input",
    );
    let preprocess = parts.iter().fold(preprocess, |step, part| {
        step.output(part, &format!("/opt/ml/processing/{part}"), uri("Preprocess", part))
    });
    let train = TrainingStep::new("Train", STS, ROLE, format!("s3://{BUCKET}/models")).hyperparameter("l2", 1.0);
    let train = ["train", "validation", "vocabulary"]
        .iter()
        .fold(train, |step, channel| step.channel(channel, Expr::processing_output("Preprocess", channel), "text/csv"));
    let evaluate = verb("Evaluate", "evaluate")
        .input("model", Expr::model_artifacts("Train"), "/opt/ml/processing/model")
        .input("test", Expr::processing_output("Preprocess", "test"), "/opt/ml/processing/test")
        .output("evaluation", "/opt/ml/processing/evaluation", uri("Evaluate", "evaluation"))
        .property_file("Report", "evaluation", "evaluation.json");
    let baseline = verb("Baseline", "baseline")
        .input("model", Expr::model_artifacts("Train"), "/opt/ml/processing/model")
        .input("validation", Expr::processing_output("Preprocess", "validation"), "/opt/ml/processing/validation")
        .output("validate", "/opt/ml/processing/validate", uri("Baseline", "validate"));
    let register = RegisterModelStep::new("Register", "sts-group")
        .container(STS, Expr::model_artifacts("Train"))
        .mime_types(["text/csv"], ["text/csv"])
        .instance_types(["ml.m5.large"], ["ml.m5.large"])
        .approval_status("Approved")
        .depends_on(["Baseline"]);
    let mse = Expr::json_get("Evaluate", "Report", "regression_metrics.mse.value");
    let gate = ConditionStep::new("Gate")
        .condition(Condition::less_than_or_equal_to(mse, Expr::parameter("Threshold")))
        .if_step(register)
        .if_step(baseline)
        .else_step(FailStep::new("Fail", Expr::join(" ", ["MSE >".into(), Expr::parameter("Threshold")])));
    Pipeline::new()
        .parameter(Parameter::string("Input"))
        .parameter(Parameter::integer("Instances").with_default(1))
        .parameter(Parameter::float("Threshold").with_default(0.5))
        .step(preprocess)
        .step(train)
        .step(evaluate)
        .step(gate)
        .build()
}

/// With the sample in its bucket and the pipeline created.
fn account() -> (Account, String) {
    let account = Account::new();
    account.put("input/pairs.tsv", sts_model::sample::tsv(&sts_model::sample::pairs(600)));
    account.pipeline("sts", &definition());
    (account, format!("s3://{BUCKET}/input/pairs.tsv"))
}

#[tokio::test]
async fn trains_evaluates_and_registers() {
    let (account, input) = account();
    let execution = account.start("sts", &[("Input", &input), ("Instances", "2")]).unwrap();
    let execution = account.settled(&execution).await;
    assert_eq!(execution.status, ExecutionStatus::Succeeded, "{execution:#?}");
    let order: Vec<_> = execution.steps.iter().map(|step| step.name.as_str()).collect();
    assert_eq!(order, ["Preprocess", "Train", "Evaluate", "Gate", "Baseline", "Register"]);

    let report: Value =
        serde_json::from_str(&account.text(&format!("sts/{}/Evaluate/evaluation/evaluation.json", execution.id)))
            .unwrap();
    let mse = report["regression_metrics"]["mse"]["value"].as_f64().unwrap();
    let constant =
        report["binary_classification_metrics"]["accuracy_best_constant_classifier"]["value"].as_f64().unwrap();
    assert!(mse > 0.0 && mse < 1.0 - constant, "a real model, better than a majority vote: {mse} {constant}");
    let baseline = account.text(&format!("sts/{}/Baseline/validate/baseline.csv", execution.id));
    assert!(baseline.starts_with("prediction,probability,label\n") && baseline.lines().count() > 20, "{baseline}");
    let rows = account.keys(&format!("sts/{}/Preprocess/train", execution.id));
    assert_eq!(rows.len(), 2, "each instance has written its own rows: {rows:?}");

    let package = &execution.step("Register").unwrap().metadata["RegisterModel"]["Arn"];
    let package = account.call("DescribeModelPackage", json!({"ModelPackageName": package})).unwrap();
    let model = package["InferenceSpecification"]["Containers"][0]["ModelDataUrl"].as_str().unwrap();
    assert_eq!(account.keys("models"), [model.strip_prefix(&format!("s3://{BUCKET}/")).unwrap()]);
    assert!(!account.log(Kind::TrainingJob, &execution.step("Train").unwrap().resource).is_empty());
}

#[tokio::test]
async fn a_strict_gate_registers_nothing() {
    let (account, input) = account();
    let execution = account.start("sts", &[("Input", &input), ("Threshold", "0.001")]).unwrap();
    let execution = account.settled(&execution).await;
    assert_eq!(execution.status, ExecutionStatus::Failed);
    let last = execution.steps.last().unwrap();
    assert_eq!((last.name.as_str(), last.failure_reason.as_deref()), ("Fail", Some("MSE > 0.001")));
    assert!(account.fake.calls.snapshot().iter().all(|call| !call.operation.contains("ModelPackage")));
}

#[tokio::test]
async fn bad_input_tells_what_is_wrong() {
    let (account, _) = account();
    account.put("input/bad.tsv", "Quality\t#1 ID\t#2 ID\t#1 String\t#2 String\nmaybe\t1\t2\ta\tb\n");
    let execution = account.start("sts", &[("Input", &format!("s3://{BUCKET}/input/bad.tsv"))]).unwrap();
    let execution = account.settled(&execution).await;
    let step = execution.step("Preprocess").unwrap();
    assert_eq!((step.status, execution.steps.len()), (StepStatus::Failed, 1));
    assert_eq!(step.failure_reason.as_deref(), Some("ClientError: AlgorithmError: See job logs for more information"));
    let job = account.call("DescribeProcessingJob", json!({"ProcessingJobName": step.resource})).unwrap();
    assert!(job["ExitMessage"].as_str().unwrap().contains("maybe"), "{job}");
}
