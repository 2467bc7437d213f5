//! Selective executions: some steps run, and an earlier execution stands in for what they wait for.

use pipeline_definition::build::{
    Condition, ConditionStep, Expr, FailStep, ModelStep, Pipeline, ProcessingStep, StepOptions, TrainingStep,
};
use pipeline_definition::{Definition, Parameter};
use sagemaker_fake::engine::{Execution, ExecutionStatus, StepStatus};
use sagemaker_fake::{ApiError, Fake};
use serde_json::{Value, json};

use crate::account::{Account, BUCKET, ROLE, SHELL};

/// Writes a text; trains on it; evaluates; then, if the threshold is met, makes a model of it.
fn pipeline() -> Definition {
    let uri = |step: &str| {
        Expr::join("/", [Expr::from(format!("s3://{BUCKET}/out")), Expr::execution("PipelineExecutionId"), step.into()])
    };
    let prepare = ProcessingStep::new("Prepare", SHELL, ROLE)
        .arguments([Expr::from("printf"), Expr::parameter("Text"), "> $STSMM_OPT_ML/processing/train/rows.csv".into()])
        .output("train", "/opt/ml/processing/train", uri("train"));
    let train = TrainingStep::new("Train", SHELL, ROLE, format!("s3://{BUCKET}/models"))
        .arguments([
            Expr::from("cd $STSMM_OPT_ML; cp input/data/train/rows.csv model/; test"),
            Expr::parameter("Health"),
            "= well".into(),
        ])
        .channel("train", Expr::processing_output("Prepare", "train"), "text/csv");
    let evaluate = ProcessingStep::new("Evaluate", SHELL, ROLE)
        .arguments(["echo '{\"mse\": 0.25}' > $STSMM_OPT_ML/processing/evaluation/report.json"])
        .input("model", Expr::model_artifacts("Train"), "/opt/ml/processing/model")
        .output("evaluation", "/opt/ml/processing/evaluation", uri("evaluation"))
        .property_file("Report", "evaluation", "report.json");
    let gate = ConditionStep::new("Gate")
        .condition(Condition::less_than_or_equal_to(
            Expr::json_get("Evaluate", "Report", "mse"),
            Expr::parameter("Threshold"),
        ))
        .if_step(ModelStep::new("Make", SHELL, Expr::model_artifacts("Train"), ROLE))
        .else_step(FailStep::new("TooBad", "too bad"));
    Pipeline::new()
        .parameter(Parameter::string("Text").with_default("one"))
        .parameter(Parameter::string("Health").with_default("well"))
        .parameter(Parameter::float("Threshold").with_default(0.3))
        .step(prepare)
        .step(train)
        .step(evaluate)
        .step(gate)
        .build()
}

fn account() -> Account {
    let account = Account::new();
    account.pipeline("p", &pipeline());
    account
}

async fn run(account: &Account, parameters: &[(&str, &str)]) -> Execution {
    account.settled(&account.start("p", parameters).unwrap()).await
}

fn start(account: &Account, steps: &[&str], source: Option<&str>, parameters: &Value) -> Result<String, ApiError> {
    let steps: Vec<_> = steps.iter().map(|step| json!({"StepName": step})).collect();
    let mut config = json!({"SelectedSteps": steps});
    if let Some(source) = source {
        config["SourcePipelineExecutionArn"] = json!(source);
    }
    let input = json!({
        "PipelineName": "p",
        "ClientRequestToken": account.fake.ids.uuid(),
        "PipelineParameters": parameters,
        "SelectiveExecutionConfig": config,
    });
    Ok(account.call("StartPipelineExecution", input)?["PipelineExecutionArn"].as_str().unwrap().to_owned())
}

async fn select(account: &Account, steps: &[&str], source: Option<&str>) -> Execution {
    account.settled(&start(account, steps, source, &json!([])).unwrap()).await
}

/// The steps as they are listed, oldest first: name, status, and whether it was taken from `source`.
fn listed(account: &Account, execution: &Execution, source: &str) -> Vec<(String, String, bool)> {
    let steps = account.steps(&execution.arn).into_iter().rev();
    let taken = json!({"SourcePipelineExecutionArn": source});
    steps
        .map(|step| {
            let text = |name: &str| step[name].as_str().unwrap().to_owned();
            let result = &step["SelectiveExecutionResult"];
            assert!(result.is_null() || *result == taken, "{step}");
            (text("StepName"), text("StepStatus"), !result.is_null())
        })
        .collect()
}

fn step(name: &str, taken: bool) -> (String, String, bool) {
    (name.to_owned(), "Succeeded".to_owned(), taken)
}

#[tokio::test]
async fn what_is_not_selected_is_taken_from_the_source() {
    let account = account();
    let first = run(&account, &[("Text", "two")]).await;
    assert_eq!(first.status, ExecutionStatus::Succeeded, "{first:#?}");
    let second = select(&account, &["Evaluate", "Train"], Some(&first.arn)).await;
    assert_eq!(second.status, ExecutionStatus::Succeeded, "{second:#?}");
    // Neither the gate nor what is behind it runs, nor is it listed.
    assert_eq!(
        listed(&account, &second, &first.arn),
        [step("Prepare", true), step("Train", false), step("Evaluate", false)]
    );
    let job = |execution: &Execution, name: &str| execution.step(name).unwrap().resource.clone();
    assert_eq!(job(&second, "Prepare"), job(&first, "Prepare"));
    assert_ne!(job(&second, "Train"), job(&first, "Train"));
    // It was trained on what the first execution prepared, whatever the parameter says now.
    let trained = account.call("DescribeTrainingJob", json!({"TrainingJobName": job(&second, "Train")})).unwrap();
    let uri = &trained["InputDataConfig"][0]["DataSource"]["S3DataSource"]["S3Uri"];
    assert_eq!(*uri, json!(format!("s3://{BUCKET}/out/{}/train", first.id)));
    assert_eq!(account.text(&format!("out/{}/train/rows.csv", first.id)), "two");
    let described = account.call("DescribePipelineExecution", json!({"PipelineExecutionArn": second.arn})).unwrap();
    let config = json!({
        "SelectedSteps": [{"StepName": "Evaluate"}, {"StepName": "Train"}], "SourcePipelineExecutionArn": first.arn});
    assert_eq!(described["SelectiveExecutionConfig"], config);

    // A selective execution is a source as good as any, for what it has, its own or not.
    let third = select(&account, &["Gate"], Some(&second.arn)).await;
    assert_eq!(listed(&account, &third, &second.arn), [step("Evaluate", true), step("Gate", false)]);
    let fourth = select(&account, &["Train"], Some(&second.arn)).await;
    assert_eq!(listed(&account, &fourth, &second.arn), [step("Prepare", true), step("Train", false)]);
}

#[tokio::test]
async fn the_first_steps_need_no_source() {
    let account = account();
    let execution = select(&account, &["Prepare", "Train"], None).await;
    assert_eq!(execution.status, ExecutionStatus::Succeeded);
    assert_eq!(listed(&account, &execution, ""), [step("Prepare", false), step("Train", false)]);
    let described = account.call("DescribePipelineExecution", json!({"PipelineExecutionArn": execution.arn})).unwrap();
    assert_eq!(
        described["SelectiveExecutionConfig"],
        json!({"SelectedSteps": [{"StepName": "Prepare"}, {"StepName": "Train"}]})
    );
}

#[tokio::test]
async fn a_branch_runs_alone_if_the_source_took_it() {
    let account = account();
    let passed = run(&account, &[]).await;
    let refused = run(&account, &[("Threshold", "0.1")]).await;
    assert_eq!((passed.status, refused.status), (ExecutionStatus::Succeeded, ExecutionStatus::Failed));
    let made = select(&account, &["Make"], Some(&passed.arn)).await;
    assert_eq!(listed(&account, &made, &passed.arn), [step("Train", true), step("Gate", true), step("Make", false)]);
    let model = json!({"ModelName": made.step("Make").unwrap().resource});
    let model = account.call("DescribeModel", model).unwrap();
    let trained = json!({"TrainingJobName": passed.step("Train").unwrap().resource});
    let trained = account.call("DescribeTrainingJob", trained).unwrap();
    assert_eq!(model["PrimaryContainer"]["ModelDataUrl"], trained["ModelArtifacts"]["S3ModelArtifacts"]);

    let not_taken = start(&account, &["Make"], Some(&refused.arn), &json!([])).unwrap_err();
    assert_eq!(
        not_taken.message,
        format!(
            "Invalid SourcePipelineExecutionArn: {}. The selected steps [Make] have dependencies on [Gate]",
            refused.arn
        )
    );
    // Deciding again, by another threshold, is another matter.
    let threshold = json!([{"Name": "Threshold", "Value": "0.3"}]);
    let again = start(&account, &["Gate", "Make"], Some(&refused.arn), &threshold).unwrap();
    assert_eq!(account.settled(&again).await.step("Make").unwrap().status, StepStatus::Succeeded);
}

#[tokio::test]
async fn what_failed_is_retried_and_what_was_taken_over_stays() {
    let account = account();
    let first = run(&account, &[("Health", "ill")]).await;
    assert_eq!(first.status, ExecutionStatus::Failed);
    // A failed execution is a source too, and its parameters do not come along by themselves.
    let ill = json!([{"Name": "Health", "Value": "ill"}]);
    let second = account.settled(&start(&account, &["Train"], Some(&first.arn), &ill).unwrap()).await;
    assert_eq!(second.status, ExecutionStatus::Failed);
    let retry = json!({"PipelineExecutionArn": second.arn, "ClientRequestToken": account.fake.ids.uuid()});
    account.call("RetryPipelineExecution", retry).unwrap();
    let again = account.settled(&second.arn).await;
    let attempts: Vec<_> = again.steps.iter().map(|step| (step.name.as_str(), step.attempts)).collect();
    assert_eq!(attempts, [("Prepare", 1), ("Train", 2)]);
    assert_eq!(again.steps[0], second.steps[0]);
    let third = select(&account, &["Train"], Some(&first.arn)).await;
    assert_eq!(third.status, ExecutionStatus::Succeeded);
}

#[tokio::test]
async fn what_cannot_run_alone_is_refused() {
    let account = account();
    let failed = run(&account, &[("Health", "ill")]).await;
    account.pipeline("q", &pipeline());
    let other = account.settled(&account.start("q", &[]).unwrap()).await;
    let check = |steps: &[&str], source: Option<&str>, code: &str, message: String| {
        let error = start(&account, steps, source, &json!([])).unwrap_err();
        assert_eq!((error.code.as_str(), error.message), (code, message), "{steps:?}");
    };
    let invalid = "ValidationException";
    // The one sentence of AWS's own that is known: https://github.com/aws/sagemaker-python-sdk/issues/4444.
    check(
        &["Evaluate", "Gate"],
        None,
        invalid,
        "Invalid SourcePipelineExecutionArn: null. The selected steps [Evaluate] have dependencies on [Train]"
            .to_owned(),
    );
    let source = |arn: &str, why: &str| format!("Invalid SourcePipelineExecutionArn: {arn}. {why}");
    check(
        &["Evaluate"],
        Some(&failed.arn),
        invalid,
        source(&failed.arn, "The selected steps [Evaluate] have dependencies on [Train]"),
    );
    check(
        &["Train"],
        Some(&other.arn),
        invalid,
        source(&other.arn, &format!("It is an execution of {}, not of {}.", other.pipeline_arn, failed.pipeline_arn)),
    );
    check(&["Trian"], None, invalid, "Invalid SelectedSteps: there is no step 'Trian'.".to_owned());
    let between = "Invalid SelectedSteps: the steps between the selected ones must be selected too: Evaluate.";
    check(&["Train", "Gate"], Some(&failed.arn), invalid, between.to_owned());
    let absent = format!("{}/execution/abcdefghijkl", failed.pipeline_arn);
    let message = format!("Pipeline execution '{absent}' does not exist.");
    check(&["Train"], Some(&absent), "ResourceNotFound", message);
    let none = start(&account, &[], None, &json!([])).unwrap_err();
    assert_eq!(none.code, invalid);
    let started = account.call("ListPipelineExecutions", json!({"PipelineName": "p"})).unwrap();
    assert_eq!(started["PipelineExecutionSummaries"].as_array().unwrap().len(), 1, "what is refused is not started");
}

#[tokio::test]
async fn a_source_that_runs_or_was_stopped_is_refused() {
    let account = Account::build(Fake::builder());
    let meeting = crate::account::Meeting::new(&["started", "never"]);
    let script = format!("cd {}; echo x > started; read x < never", meeting.folder().display());
    let long = ProcessingStep::new("Long", SHELL, ROLE).arguments([script]);
    let after = ProcessingStep::new("After", SHELL, ROLE).arguments(["exit 0"]).depends_on(["Long"]);
    account.pipeline("p", &crate::account::definition([long.into(), after]));
    let arn = account.start("p", &[]).unwrap();
    meeting.hear("started").await;
    let refused = |status: &str| {
        let error = start(&account, &["After"], Some(&arn), &json!([])).unwrap_err();
        let why = format!("Its status must be Succeeded or Failed, and is {status}.");
        assert_eq!(error, ApiError::validation(format!("Invalid SourcePipelineExecutionArn: {arn}. {why}")));
    };
    refused("Executing");
    account.stop(&arn).unwrap();
    account.settled(&arn).await;
    refused("Stopped");
}
