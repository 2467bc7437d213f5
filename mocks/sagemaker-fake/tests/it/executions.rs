//! Executions of pipelines: scheduled as SageMaker schedules them, their steps really run.

use pipeline_definition::build::{
    Condition, ConditionStep, Expr, FailStep, Pipeline, ProcessingStep, RegisterModelStep, StepOptions, TrainingStep,
};
use pipeline_definition::{Definition, Parameter, Step};
use sagemaker_fake::engine::{self, ExecutionStatus, StepStatus};
use sagemaker_fake::jobs::Kind;
use sagemaker_fake::{ApiError, Fake};
use serde_json::{Value, json};

use crate::account::{Account, BUCKET, Meeting, ROLE, SHELL, definition};

/// A Processing step that runs a script.
fn script(name: &str, script: &str) -> ProcessingStep {
    ProcessingStep::new(name, SHELL, ROLE).arguments([script])
}

/// A step that writes `report.json` with this error rate.
fn evaluation(mse: &str) -> Step {
    let write = format!(
        "echo '{{\"regression_metrics\": {{\"mse\": {{\"value\": {mse}}}}}}}' > $STSMM_OPT_ML/processing/evaluation/report.json"
    );
    script("Evaluate", &write)
        .output("evaluation", "/opt/ml/processing/evaluation", format!("s3://{BUCKET}/evaluation"))
        .property_file("Report", "evaluation", "report.json")
}

fn gate(if_step: impl Into<Step>, else_step: impl Into<Step>) -> ConditionStep {
    let mse = Expr::json_get("Evaluate", "Report", "regression_metrics.mse.value");
    ConditionStep::new("Check")
        .condition(Condition::less_than_or_equal_to(mse, 0.3))
        .if_step(if_step)
        .else_step(else_step)
}

/// The names of the steps, in the order in which they are listed.
fn names(steps: &[Value]) -> Vec<&str> {
    steps.iter().map(|step| step["StepName"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn branches_run_at_the_same_time() {
    let account = Account::new();
    let meeting = Meeting::new(&["to-a", "to-b"]);
    // Each waits for the other: one after the other they would wait for ever.
    let folder = meeting.folder().display();
    let a = script("A", &format!("cd {folder}; echo x > to-b; read x < to-a"));
    let b = script("B", &format!("cd {folder}; read x < to-b; echo x > to-a"));
    let last = script("Last", "exit 0").depends_on(["A", "B"]);
    let execution = account.run([last, a.into(), b.into()]).await;
    assert_eq!(execution.status, ExecutionStatus::Succeeded);
    let (a, b, last) = (execution.step("A").unwrap(), execution.step("B").unwrap(), execution.step("Last").unwrap());
    assert!(last.start >= a.end.unwrap() && last.start >= b.end.unwrap());
    assert_eq!(execution.steps.last().unwrap().name, "Last");
}

#[tokio::test]
async fn a_condition_reads_the_real_report() {
    let account = Account::new();
    let fail = FailStep::new("TooBad", Expr::join(" ", ["MSE >".into(), Expr::from(0.3)]));
    let execution = account.run([evaluation("0.25"), gate(script("Good", "exit 0"), fail).into()]).await;
    assert_eq!(execution.status, ExecutionStatus::Succeeded);
    let steps = account.steps(&execution.arn);
    assert_eq!(names(&steps), ["Good", "Check", "Evaluate"], "the other branch is not listed");
    assert_eq!(steps[1]["Metadata"], json!({"Condition": {"Outcome": "True"}}));
}

#[tokio::test]
async fn a_fail_step_fails_the_execution_with_its_message() {
    let account = Account::new();
    let fail = FailStep::new("TooBad", Expr::join(" ", ["MSE >".into(), Expr::parameter("Threshold")]));
    let steps = [evaluation("0.45"), gate(script("Good", "exit 0"), fail).into()];
    let threshold = Parameter::float("Threshold").with_default(3.0);
    let definition = Definition { parameters: vec![threshold], ..definition(steps) };
    account.pipeline("p", &definition);
    let execution = account.settled(&account.start("p", &[]).unwrap()).await;
    assert_eq!(execution.status, ExecutionStatus::Failed);
    let steps = account.steps(&execution.arn);
    assert_eq!(names(&steps), ["TooBad", "Check", "Evaluate"]);
    assert_eq!(steps[0]["StepStatus"], "Failed");
    assert_eq!(steps[0]["FailureReason"], "MSE > 3.0");
    assert_eq!(steps[0]["Metadata"], json!({"Fail": {"ErrorMessage": "MSE > 3.0"}}));
    let described = account.call("DescribePipelineExecution", json!({"PipelineExecutionArn": execution.arn})).unwrap();
    assert_eq!(described["PipelineExecutionStatus"], "Failed");
    assert_eq!(described["FailureReason"], "Step failure: One or multiple steps failed.");
}

#[tokio::test]
async fn branches_nest() {
    let account = Account::new();
    let inner = ConditionStep::new("Inner")
        .condition(Condition::equals("a", "b"))
        .if_step(script("No", "exit 1"))
        .else_step(script("Yes", "exit 0"));
    let outer = ConditionStep::new("Outer")
        .condition(Condition::equals(1, 1))
        .if_step(inner)
        .else_step(script("Never", "exit 1"));
    let after = script("After", "exit 0").depends_on(["Yes"]);
    let never = script("AfterNever", "exit 0").depends_on(["Never"]);
    let execution = account.run([never, after, outer.into()]).await;
    assert_eq!(execution.status, ExecutionStatus::Succeeded);
    let order: Vec<_> = execution.steps.iter().map(|step| step.name.as_str()).collect();
    assert_eq!(order, ["Outer", "Inner", "Yes", "After"]);
}

#[tokio::test]
async fn a_step_uses_what_another_made() {
    let account = Account::new();
    account.put("in/data.csv", "1,2,3");
    let prepare = script("Prepare", "cd $STSMM_OPT_ML/processing; tr , '\\n' < in/data.csv > train/rows.csv")
        .input("data", Expr::parameter("Input"), "/opt/ml/processing/in")
        .output(
            "train",
            "/opt/ml/processing/train",
            Expr::join(
                "/",
                [Expr::from(format!("s3://{BUCKET}/out")), Expr::execution("PipelineExecutionId"), "train".into()],
            ),
        );
    let train = TrainingStep::new("Train", SHELL, ROLE, format!("s3://{BUCKET}/models"))
        .arguments([
            "cd $STSMM_OPT_ML; cat input/config/hyperparameters.json; wc -l < input/data/train/rows.csv > model/lines",
        ])
        .hyperparameter("l2", Expr::parameter("L2"))
        .channel("train", Expr::processing_output("Prepare", "train"), "text/csv");
    let read = script("Read", "cd $STSMM_OPT_ML/processing; tar xzf model/model.tar.gz; cat lines").input(
        "model",
        Expr::model_artifacts("Train"),
        "/opt/ml/processing/model",
    );
    let definition = Pipeline::new()
        .parameter(Parameter::string("Input"))
        .parameter(Parameter::float("L2").with_default(1.0))
        .step(read)
        .step(train)
        .step(prepare)
        .build();
    account.pipeline("p", &definition);
    let execution = account.start("p", &[("Input", "s3://sts-bucket/in/data.csv")]).unwrap();
    let execution = account.settled(&execution).await;
    assert_eq!(execution.status, ExecutionStatus::Succeeded, "{execution:#?}");
    let [prepare, train, read] = ["Prepare", "Train", "Read"].map(|name| execution.step(name).unwrap());
    assert!(prepare.resource.starts_with(&format!("pipelines-{}-Prepare-", execution.id)), "{}", prepare.resource);
    assert_eq!(account.keys("out"), [format!("out/{}/train/rows.csv", execution.id)]);
    assert_eq!(
        account.log(Kind::TrainingJob, &train.resource),
        [r#"{"l2":"1.0"}"#],
        "a Float is a string as a hyperparameter"
    );
    assert_eq!(account.log(Kind::ProcessingJob, &read.resource), ["2"]);
    let arn = format!("arn:aws:sagemaker:eu-west-1:111122223333:training-job/{}", train.resource);
    assert_eq!(train.metadata, json!({"TrainingJob": {"Arn": arn}}));
}

#[tokio::test]
async fn a_model_is_registered_as_the_role() {
    let account = Account::new();
    let train = TrainingStep::new("Train", SHELL, ROLE, format!("s3://{BUCKET}/models"))
        .arguments(["echo m > $STSMM_OPT_ML/model/m"]);
    let register = RegisterModelStep::new("Register", "sts-group")
        .container(SHELL, Expr::model_artifacts("Train"))
        .mime_types(["text/csv"], ["text/csv"])
        .instance_types(["ml.m5.large"], ["ml.m5.large"])
        .approval_status("Approved");
    let execution = account.run([train.into(), register.into()]).await;
    assert_eq!(execution.status, ExecutionStatus::Succeeded, "{execution:#?}");
    let arn = "arn:aws:sagemaker:eu-west-1:111122223333:model-package/sts-group/1";
    assert_eq!(execution.step("Register").unwrap().metadata, json!({"RegisterModel": {"Arn": arn}}));
    let package = account.call("DescribeModelPackage", json!({"ModelPackageName": arn})).unwrap();
    assert_eq!(package["ModelApprovalStatus"], "Approved");
    let model = format!("s3://{BUCKET}/models/{}/output/model.tar.gz", execution.step("Train").unwrap().resource);
    assert_eq!(package["InferenceSpecification"]["Containers"][0]["ModelDataUrl"], json!(model));

    let calls = account.fake.calls.snapshot();
    let made: Vec<_> = calls.iter().map(|call| call.operation.as_str()).collect();
    assert_eq!(made, ["CreateTrainingJob", "CreateModelPackageGroup", "CreateModelPackage"]);
    assert!(
        calls.iter().all(|call| call.caller == "arn:aws:sts::111122223333:assumed-role/sts-execution/SageMaker"
            && call.error.is_none())
    );
}

#[tokio::test]
async fn a_failed_job_fails_its_step_and_what_runs_goes_on() {
    let account = Account::new();
    let meeting = Meeting::new(&["running", "go"]);
    let folder = meeting.folder().display();
    let long = script("Long", &format!("cd {folder}; echo x > running; read x < go"));
    let bad = TrainingStep::new("Bad", SHELL, ROLE, format!("s3://{BUCKET}/models"))
        .arguments(["printf 'no rows' > $STSMM_OPT_ML/output/failure; exit 1"]);
    let after_bad = script("AfterBad", "exit 0").depends_on(["Bad"]);
    account.pipeline("p", &definition([long.into(), bad.into(), after_bad]));
    let arn = account.start("p", &[]).unwrap();
    meeting.hear("running").await;
    let bad_job = loop {
        // The training job is on record as soon as its step runs; it ends by itself.
        let found = account.fake.calls.snapshot().iter().any(|call| call.operation == "CreateTrainingJob");
        if found {
            break account.call("ListTrainingJobs", json!({})).unwrap()["TrainingJobSummaries"][0]["TrainingJobName"]
                .as_str()
                .unwrap()
                .to_owned();
        }
        tokio::task::yield_now().await;
    };
    account.ended(Kind::TrainingJob, &bad_job).await;
    let described = account.call("DescribePipelineExecution", json!({"PipelineExecutionArn": arn})).unwrap();
    assert_eq!(described["PipelineExecutionStatus"], "Executing", "a step still runs");
    meeting.tell("go").await;
    let execution = account.settled(&arn).await;
    assert_eq!(execution.status, ExecutionStatus::Failed);
    assert_eq!(execution.step("Long").unwrap().status, StepStatus::Succeeded);
    assert_eq!(
        execution.step("Bad").unwrap().failure_reason.as_deref(),
        Some("ClientError: AlgorithmError: no rows, exit code: 1")
    );
    assert_eq!(execution.step("AfterBad"), None);
}

#[tokio::test]
async fn a_refused_call_fails_the_step_in_awss_words() {
    let account = Account::new();
    let train = TrainingStep::new("Train", SHELL, ROLE, format!("s3://{BUCKET}/models")).channel(
        "train",
        format!("s3://{BUCKET}/nothing"),
        "text/csv",
    );
    let execution = account.run([train.into()]).await;
    let reason = execution.step("Train").unwrap().failure_reason.clone().unwrap();
    assert!(reason.starts_with("ClientError: Failed to invoke sagemaker:CreateTrainingJob. Error Details: No S3 objects found under S3 URL \"s3://sts-bucket/nothing\""), "{reason}");
    assert!(
        reason.ends_with(&format!(
            "\nRetry not appropriate on execution of step with PipelineExecutionArn {} and StepId Train.",
            execution.arn
        )),
        "{reason}"
    );
    assert_eq!(execution.status, ExecutionStatus::Failed);
}

#[tokio::test]
async fn what_cannot_be_resolved_or_run_fails_the_step() {
    let account = Account::new();
    let reason = async |name: &str, step: Step| {
        account.pipeline(name, &definition([evaluation("\"low\""), step]));
        let execution = account.settled(&account.start(name, &[]).unwrap()).await;
        assert_eq!(execution.status, ExecutionStatus::Failed);
        execution.steps.last().unwrap().failure_reason.clone().unwrap()
    };
    let no_number = reason("no-number", gate(script("A", ""), script("B", "")).into()).await;
    assert!(no_number.contains("cannot compare \"low\" (a string) with 0.3"), "{no_number}");
    let lambda: Value = json!({"Name": "Lambda", "Type": "Lambda", "Arguments": {}, "DependsOn": ["Evaluate"]});
    let lambda = Definition::from_value(json!({"Version": "2020-12-01", "Steps": [lambda]})).unwrap().steps.remove(0);
    assert_eq!(reason("lambda", lambda).await, "ClientError: this fake does not run steps of type Lambda.");
}

#[tokio::test]
async fn an_execution_is_stopped_with_its_jobs() {
    let account = Account::new();
    let meeting = Meeting::new(&["started", "never"]);
    let long = script("Long", &format!("cd {}; echo x > started; read x < never", meeting.folder().display()));
    let after = script("After", "exit 0").depends_on(["Long"]);
    account.pipeline("p", &definition([long.into(), after]));
    let arn = account.start("p", &[]).unwrap();
    meeting.hear("started").await;
    account.stop(&arn).unwrap();
    let execution = account.settled(&arn).await;
    assert_eq!(execution.status, ExecutionStatus::Stopped);
    let long = execution.step("Long").unwrap();
    assert_eq!((long.status, execution.steps.len()), (StepStatus::Stopped, 1));
    let job = account.call("DescribeProcessingJob", json!({"ProcessingJobName": long.resource})).unwrap();
    assert_eq!(job["ProcessingJobStatus"], "Stopped");
    let again = account.stop(&arn).unwrap_err();
    assert_eq!(again, ApiError::validation("Only pipelines with 'Executing' status can be stopped"));
}

#[tokio::test]
async fn a_closed_fake_goes_on_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let meeting = Meeting::new(&["started", "go"]);
    let first = script("First", "exit 0");
    let long = script("Long", &format!("cd {}; echo $STSMM_OPT_ML > started; read x < go", meeting.folder().display()))
        .depends_on(["First"]);
    let last = script("Last", "exit 0").depends_on(["Long"]);
    let account = Account::build(Fake::builder().state(folder.path()));
    account.pipeline("p", &definition([first.into(), long, last]));
    let arn = account.start("p", &[]).unwrap();
    meeting.hear("started").await;
    let before = account.steps(&arn);
    engine::close(account.fake).await;

    let account = Account::reopen(Fake::builder().state(folder.path())).await;
    assert!(meeting.hear("started").await.contains("/2/algo-1"));
    assert_eq!(account.steps(&arn), before, "the same steps with the same jobs");
    meeting.tell("go").await;
    let execution = account.settled(&arn).await;
    assert_eq!(execution.status, ExecutionStatus::Succeeded);
    assert_eq!(execution.steps.len(), 3);
    let jobs = account.call("ListProcessingJobs", json!({})).unwrap();
    assert_eq!(jobs["ProcessingJobSummaries"].as_array().unwrap().len(), 3, "no job is made twice");
}

#[tokio::test]
async fn an_execution_that_was_stopping_stops_when_the_fake_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let meeting = Meeting::new(&["started", "never"]);
    let long = script("Long", &format!("cd {}; echo x > started; read x < never", meeting.folder().display()));
    let account = Account::build(Fake::builder().state(folder.path()));
    account.pipeline("p", &definition([long.into(), script("After", "exit 0").depends_on(["Long"])]));
    let arn = account.start("p", &[]).unwrap();
    meeting.hear("started").await;
    account.stop(&arn).unwrap();
    engine::close(account.fake).await;

    let account = Account::reopen(Fake::builder().state(folder.path())).await;
    let execution = account.settled(&arn).await;
    assert_eq!(execution.status, ExecutionStatus::Stopped);
    let steps: Vec<_> = execution.steps.iter().map(|step| (step.name.as_str(), step.status)).collect();
    assert_eq!(steps, [("Long", StepStatus::Stopped)]);
}

#[tokio::test]
async fn a_limit_of_parallel_steps_holds() {
    let account = Account::new();
    let folder = tempfile::tempdir().unwrap();
    // A folder can be made by one at a time.
    let alone = format!("mkdir {0}/lock && rmdir {0}/lock", folder.path().display());
    account.pipeline("p", &definition(["A", "B", "C", "D"].map(|name| script(name, &alone).into())));
    let input = json!({"PipelineName": "p", "ParallelismConfiguration": {"MaxParallelExecutionSteps": 1}, "ClientRequestToken": account.fake.ids.uuid()});
    let arn =
        account.call("StartPipelineExecution", input).unwrap()["PipelineExecutionArn"].as_str().unwrap().to_owned();
    let execution = account.settled(&arn).await;
    assert_eq!(execution.status, ExecutionStatus::Succeeded);
    assert!(execution.steps.windows(2).all(|pair| pair[1].start >= pair[0].end.unwrap()), "{execution:#?}");
}

#[tokio::test]
async fn an_execution_is_updated_while_it_runs() {
    let account = Account::new();
    let meeting = Meeting::new(&["to-a", "to-b"]);
    let folder = meeting.folder().display();
    // Each waits for the other: under the limit of one they would wait for ever.
    let a = script("A", &format!("cd {folder}; echo x > to-b; read x < to-a"));
    let b = script("B", &format!("cd {folder}; read x < to-b; echo x > to-a"));
    account.pipeline("p", &definition([a.into(), b.into()]));
    let one = json!({"MaxParallelExecutionSteps": 1});
    let input =
        json!({"PipelineName": "p", "ParallelismConfiguration": one, "ClientRequestToken": account.fake.ids.uuid()});
    let started = account.call("StartPipelineExecution", input).unwrap();
    let arn = started["PipelineExecutionArn"].as_str().unwrap();
    let update = json!({
        "PipelineExecutionArn": arn,
        "PipelineExecutionDisplayName": "nightly",
        "PipelineExecutionDescription": "with two at once",
        "ParallelismConfiguration": {"MaxParallelExecutionSteps": 2},
    });
    assert_eq!(account.call("UpdatePipelineExecution", update).unwrap(), started);
    assert_eq!(account.settled(arn).await.status, ExecutionStatus::Succeeded);
    let described = account.call("DescribePipelineExecution", json!({"PipelineExecutionArn": arn})).unwrap();
    assert_eq!(described["PipelineExecutionDisplayName"], "nightly");
    assert_eq!(described["PipelineExecutionDescription"], "with two at once");
    assert_eq!(described["ParallelismConfiguration"], json!({"MaxParallelExecutionSteps": 2}));
}

#[tokio::test]
async fn parameters_are_bound_or_refused() {
    let account = Account::new();
    let definition = Pipeline::new()
        .parameter(Parameter::integer("Count").with_default(1))
        .parameter(Parameter::string("Name"))
        .step(script("A", "exit 0"))
        .build();
    account.pipeline("p", &definition);
    let refused = |parameters: &[(&str, &str)]| {
        let error = account.start("p", parameters).unwrap_err();
        assert_eq!(error.code, "ValidationException");
        error.message
    };
    assert!(refused(&[("Name", "x"), ("Typo", "1")]).starts_with("Unknown parameter 'Typo'"));
    assert_eq!(refused(&[]), "Parameter 'Name' is undefined.");
    assert!(refused(&[("Name", "x"), ("Count", "many")]).starts_with("Unexpected type for parameter 'Count'."));
    assert_eq!(account.start("nothing", &[]).unwrap_err().code, "ResourceNotFound");

    let arn = account.start("p", &[("Name", "x")]).unwrap();
    account.settled(&arn).await;
    let listed = account.call("ListPipelineParametersForExecution", json!({"PipelineExecutionArn": arn})).unwrap();
    assert_eq!(listed["PipelineParameters"], json!([{"Name": "Count", "Value": "1"}, {"Name": "Name", "Value": "x"}]));
}

#[tokio::test]
async fn an_execution_keeps_the_definition_it_began_with() {
    let account = Account::new();
    let first = definition([script("A", "exit 0").into()]);
    account.pipeline("p", &first);
    let arn = account.start("p", &[]).unwrap();
    let second = definition([script("B", "exit 0").into()]).to_json();
    account.call("UpdatePipeline", json!({"PipelineName": "p", "PipelineDefinition": second})).unwrap();
    account.settled(&arn).await;
    let kept = account.call("DescribePipelineDefinitionForExecution", json!({"PipelineExecutionArn": arn})).unwrap();
    assert_eq!(kept["PipelineDefinition"], json!(first.to_json()));
}

#[tokio::test]
async fn a_token_starts_one_execution() {
    let account = Account::new();
    account.pipeline("p", &definition([script("A", "exit 0").into()]));
    let input = json!({"PipelineName": "p", "ClientRequestToken": "0123456789012345678901234567890123456789"});
    let first = account.call("StartPipelineExecution", input.clone()).unwrap();
    assert_eq!(account.call("StartPipelineExecution", input).unwrap(), first);
    account.settled(first["PipelineExecutionArn"].as_str().unwrap()).await;
    let listed = account.call("ListPipelineExecutions", json!({"PipelineName": "p"})).unwrap();
    assert_eq!(listed["PipelineExecutionSummaries"].as_array().unwrap().len(), 1);
    assert_eq!(listed["PipelineExecutionSummaries"][0]["PipelineExecutionStatus"], "Succeeded");
}

#[tokio::test]
async fn steps_are_listed_in_pages() {
    let account = Account::new();
    let step = |name: &str, after: &[&str]| script(name, "exit 0").depends_on(after.iter().copied());
    let execution = account.run([step("A", &[]), step("B", &["A"]), step("C", &["B"])]).await;
    let page = |input: Value| {
        let output = account.call("ListPipelineExecutionSteps", input).unwrap();
        (names(output["PipelineExecutionSteps"].as_array().unwrap()).join(" "), output["NextToken"].clone())
    };
    let arn = &execution.arn;
    let (first, token) = page(json!({"PipelineExecutionArn": arn, "MaxResults": 2}));
    assert_eq!(first, "C B");
    assert_eq!(
        page(json!({"PipelineExecutionArn": arn, "MaxResults": 2, "NextToken": token})),
        ("A".to_owned(), Value::Null)
    );
    assert_eq!(page(json!({"PipelineExecutionArn": arn, "SortOrder": "Ascending"})).0, "A B C");
    assert_eq!(account.steps(arn)[0]["AttemptCount"], 1);
}

#[tokio::test]
async fn a_pipeline_takes_its_executions_along() {
    let account = Account::new();
    let meeting = Meeting::new(&["started", "go"]);
    account.pipeline(
        "p",
        &definition([script("A", &format!("cd {}; echo x > started; read x < go", meeting.folder().display())).into()]),
    );
    let arn = account.start("p", &[]).unwrap();
    meeting.hear("started").await;
    let delete =
        |token: &str| account.call("DeletePipeline", json!({"PipelineName": "p", "ClientRequestToken": token}));
    assert_eq!(delete("token-token-token-token-token-token-1").unwrap_err().code, "ConflictException");
    meeting.tell("go").await;
    account.settled(&arn).await;
    delete("token-token-token-token-token-token-2").unwrap();
    let gone = account.call("DescribePipelineExecution", json!({"PipelineExecutionArn": arn})).unwrap_err();
    assert_eq!(gone.code, "ResourceNotFound");
}
