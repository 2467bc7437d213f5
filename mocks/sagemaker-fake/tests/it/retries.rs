//! Failed steps that are tried again by their policies, and failed executions that are retried.

use std::time::Duration;

use pipeline_definition::build::{ProcessingStep, StepOptions};
use pipeline_definition::definition::RetryPolicy;
use pipeline_definition::{Definition, Step, StepType};
use sagemaker_fake::clock::{Clock, Timestamp};
use sagemaker_fake::engine::{self, Execution, ExecutionStatus, StepRecord, StepStatus};
use sagemaker_fake::faults::{CallFault, JobFault, Rule};
use sagemaker_fake::jobs::Kind;
use sagemaker_fake::{ApiError, Fake, FakeBuilder};
use serde_json::{Value, json};

use crate::account::{Account, BUCKET, Meeting, ROLE, SHELL, STS, definition, patiently};

const NOW: Timestamp = Timestamp(1_790_000_000_000);

fn after(seconds: i64) -> Timestamp {
    Timestamp(NOW.0 + seconds * 1000)
}

fn builder() -> FakeBuilder {
    Fake::builder().clock(Clock::frozen(NOW))
}

fn script(name: &str, script: &str) -> ProcessingStep {
    ProcessingStep::new(name, SHELL, ROLE).arguments([script])
}

impl Account {
    fn advance(&self, seconds: u64) {
        self.fake.clock.advance(Duration::from_secs(seconds));
    }

    /// Waits until a step waits for its next attempt after so many failures.
    async fn waiting(&self, arn: &str, name: &str, failures: usize) -> StepRecord {
        let look = async || loop {
            let execution = self.fake.store.read(|view| engine::execution::existing(view, arn)).unwrap();
            match execution.step(name) {
                Some(step) if step.retried.len() == failures && step.retry_at.is_some() => return step.clone(),
                _ => tokio::task::yield_now().await,
            }
        };
        patiently(look()).await
    }

    fn fail(&self, rule: Rule) {
        self.fake.faults.add(rule).unwrap();
    }

    fn fail_calls(&self, fault: CallFault, times: u64) {
        self.fail(Rule::new(fault).operation("CreateProcessingJob").times(times));
    }

    fn retry(&self, arn: &str, token: &str) -> Result<Value, ApiError> {
        let token = format!("retry-token-000000000000000000000000000-{token}");
        self.call("RetryPipelineExecution", json!({"PipelineExecutionArn": arn, "ClientRequestToken": token}))
    }

    /// Starts a pipeline of one step.
    fn start_one(&self, pipeline: &str, step: impl Into<Step>) -> String {
        self.pipeline(pipeline, &definition([step.into()]));
        self.start(pipeline, &[]).unwrap()
    }

    /// When the jobs were asked for, and the code of the refusal.
    fn attempts(&self) -> Vec<(Timestamp, Option<String>)> {
        let calls = self.fake.calls.snapshot().into_iter();
        calls.filter(|call| call.operation == "CreateProcessingJob").map(|call| (call.time, call.error)).collect()
    }
}

#[tokio::test]
async fn a_throttled_step_succeeds_at_the_third_attempt_at_the_right_times() {
    let account = Account::build(builder());
    account.fail_calls(CallFault::Throttle, 2);
    let policy = RetryPolicy::up_to_attempts(["Step.THROTTLING"], 2).with_interval(10, 3.0);
    let arn = account.start_one("p", script("A", "exit 0").retry(policy));
    assert_eq!(account.waiting(&arn, "A", 1).await.retry_at, Some(after(10)));
    let [step] = account.steps(&arn).try_into().unwrap();
    assert_eq!((&step["StepStatus"], &step["AttemptCount"]), (&json!("Starting"), &json!(2)));
    account.advance(9);
    account.advance(1);
    assert_eq!(account.waiting(&arn, "A", 2).await.retry_at, Some(after(40)));
    account.advance(30);
    let execution = account.settled(&arn).await;
    assert_eq!(execution.status, ExecutionStatus::Succeeded);
    let throttled = Some("ThrottlingException".to_owned());
    assert_eq!(account.attempts(), [(NOW, throttled.clone()), (after(10), throttled), (after(40), None)]);
    assert_eq!(account.steps(&arn)[0]["AttemptCount"], 3);
    let step = execution.step("A").unwrap();
    assert_eq!((step.start, step.end, step.failure_reason.as_deref()), (NOW, Some(after(40)), None));
    assert!(step.retried[0].reason.ends_with("Error Details: Rate exceeded"), "{}", step.retried[0].reason);
}

#[tokio::test]
async fn what_no_policy_is_for_fails_at_once_but_for_throttling_and_service_faults() {
    let account = Account::build(builder());
    account.fail_calls(CallFault::ResourceLimit, 1);
    let policy = RetryPolicy::up_to_attempts(["SageMaker.CAPACITY_ERROR"], 5);
    let arn = account.start_one("limit", script("A", "exit 0").retry(policy));
    let failed = account.settled(&arn).await;
    let reason = failed.step("A").unwrap().failure_reason.clone().unwrap();
    let expected = format!(
        "\nRetry not appropriate on execution of step with PipelineExecutionArn {arn} and StepId A. No retry policy configured for the \
         exception type SAGEMAKER_RESOURCE_LIMIT."
    );
    assert!(reason.ends_with(&expected), "{reason}");

    account.fail_calls(CallFault::InternalError, 1);
    let arn = account.start_one("fault", script("A", "exit 0"));
    assert_eq!(account.waiting(&arn, "A", 1).await.retry_at, Some(after(1)));
    account.advance(1);
    assert_eq!(account.settled(&arn).await.status, ExecutionStatus::Succeeded);

    account.fail_calls(CallFault::Throttle, 2);
    let policy = RetryPolicy::up_to_attempts(["Step.THROTTLING"], 1);
    let arn = account.start_one("exhausted", script("A", "exit 0").retry(policy));
    account.waiting(&arn, "A", 1).await;
    account.advance(1);
    let step = account.settled(&arn).await.step("A").unwrap().clone();
    assert_eq!((step.status, step.attempts), (StepStatus::Failed, 2));
    let reason = step.failure_reason.unwrap();
    assert!(reason.ends_with("The retries for the exception type THROTTLING are used up."), "{reason}");
}

#[tokio::test]
async fn a_failed_job_is_followed_by_a_new_one() {
    let account = Account::build(builder());
    account.fail(Rule::new(JobFault::CapacityError).kind(Kind::ProcessingJob).times(1));
    account.fail(Rule::new(JobFault::InternalServerError).kind(Kind::ProcessingJob).times(1));
    let policy = RetryPolicy::up_to_attempts(["SageMaker.CAPACITY_ERROR", "SageMaker.JOB_INTERNAL_ERROR"], 5);
    let arn = account.start_one("p", script("A", "exit 0").retry(policy));
    let first = account.waiting(&arn, "A", 1).await;
    assert!(first.retried[0].reason.starts_with("ClientError: CapacityError: "), "{}", first.retried[0].reason);
    account.advance(1);
    assert_eq!(account.waiting(&arn, "A", 2).await.retry_at, Some(after(3)), "the policy counts both");
    account.advance(2);
    let execution = account.settled(&arn).await;
    assert_eq!(execution.status, ExecutionStatus::Succeeded);
    let step = execution.step("A").unwrap();
    let listed =
        account.call("ListProcessingJobs", json!({"SortBy": "CreationTime", "SortOrder": "Ascending"})).unwrap();
    let jobs = listed["ProcessingJobSummaries"].as_array().unwrap();
    let statuses: Vec<_> = jobs.iter().map(|job| job["ProcessingJobStatus"].as_str().unwrap()).collect();
    assert_eq!(statuses, ["Failed", "Failed", "Completed"]);
    assert_eq!(step.metadata, json!({"ProcessingJob": {"Arn": jobs[2]["ProcessingJobArn"]}}));
    assert_eq!(jobs[2]["ProcessingJobName"], json!(step.resource));

    // A program that fails is no exception that a policy is for.
    let policy = RetryPolicy::up_to_attempts(["SageMaker.JOB_INTERNAL_ERROR"], 5);
    let arn = account.start_one("bad", script("A", "exit 1").retry(policy));
    assert_eq!(account.settled(&arn).await.step("A").unwrap().attempts, 1);
}

/// The first step of a type in a definition of `definitions/`, alone and with a retry policy.
fn one_of(definition: &str, kind: &StepType, policy: RetryPolicy) -> Definition {
    let mut definition = Definition::parse(definition).unwrap();
    definition.steps.retain(|step| step.kind == *kind);
    definition.steps.truncate(1);
    definition.steps[0].retry_policies = vec![policy];
    definition
}

#[tokio::test]
async fn steps_of_every_type_that_makes_a_job_are_tried_again() {
    let account = Account::build(builder());
    let model = json!({"Image": STS, "ModelDataUrl": format!("s3://{BUCKET}/model.tar.gz")});
    account.put("model.tar.gz", crate::hosting::model());
    account.put("rows/a.csv", format!("1,{}\n", crate::hosting::row()));
    account.put("baseline/data.csv", "size,kind\n1,a\n2,b\n");
    account
        .call("CreateModel", json!({"ModelName": "m", "ExecutionRoleArn": ROLE, "PrimaryContainer": model}))
        .unwrap();
    let capacity = || RetryPolicy::up_to_attempts(["SageMaker.CAPACITY_ERROR"], 2);
    let transform = || {
        let mut score = one_of(include_str!("definitions/score.json"), &StepType::Transform, capacity());
        score.steps[0].arguments["ModelName"] = json!("m");
        score
    };
    let check = || one_of(include_str!("definitions/checks.json"), &StepType::QualityCheck, capacity());
    let parameters = [("SkipCheck", "true")];
    for (name, definition, kind, parameters) in
        [("score", transform(), Kind::TransformJob, &[][..]), ("checks", check(), Kind::ProcessingJob, &parameters[..])]
    {
        account.fail(Rule::new(JobFault::CapacityError).kind(kind).times(1));
        account.pipeline(name, &definition);
        let arn = account.start(name, parameters).unwrap();
        let step = &definition.steps[0].name;
        let failed = account.waiting(&arn, step, 1).await;
        assert!(failed.retried[0].reason.starts_with("ClientError: CapacityError: "), "{name}: {failed:?}");
        account.advance(1);
        let execution = account.settled(&arn).await;
        assert_eq!(execution.status, ExecutionStatus::Succeeded, "{execution:#?}");
        // What is listed is the job of the attempt that succeeded.
        let metadata = account.steps(&arn)[0]["Metadata"].to_string();
        let job = &execution.step(step).unwrap().resource;
        assert!(metadata.contains(&format!("/{job}\"")) && failed.resource == *job, "{metadata}");
    }

    account.fail(Rule::new(CallFault::Throttle).operation("CreateHyperParameterTuningJob").times(2));
    let policy = RetryPolicy::up_to_attempts(["Step.THROTTLING"], 1);
    account.pipeline("tuning", &one_of(include_str!("definitions/tuning.json"), &StepType::Tuning, policy));
    let arn = account.start("tuning", &[]).unwrap();
    account.waiting(&arn, "TuneSTS", 1).await;
    account.advance(1);
    let step = account.settled(&arn).await.step("TuneSTS").unwrap().clone();
    let reason = step.failure_reason.unwrap();
    assert!(
        step.attempts == 2 && reason.contains("Failed to invoke sagemaker:CreateHyperParameterTuningJob."),
        "{reason}"
    );
}

#[tokio::test]
async fn a_step_that_waits_is_stopped_at_once() {
    let account = Account::build(builder());
    account.fail_calls(CallFault::Throttle, 1);
    let arn = account.start_one("p", script("A", "exit 0"));
    account.waiting(&arn, "A", 1).await;
    account.stop(&arn).unwrap();
    let execution = account.settled(&arn).await;
    assert_eq!(execution.status, ExecutionStatus::Stopped);
    assert_eq!((execution.step("A").unwrap().status, account.attempts().len()), (StepStatus::Stopped, 1));
}

#[tokio::test]
async fn a_closed_fake_still_waits_when_it_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let account = Account::build(builder().state(folder.path()));
    account.fail_calls(CallFault::Throttle, 1);
    let arn = account.start_one("p", script("A", "exit 0"));
    let waiting = account.waiting(&arn, "A", 1).await;
    engine::close(account.fake).await;

    let account = Account::reopen(builder().state(folder.path())).await;
    assert_eq!(account.waiting(&arn, "A", 1).await, waiting);
    account.advance(1);
    assert_eq!(account.settled(&arn).await.status, ExecutionStatus::Succeeded);
    assert_eq!(account.attempts(), [(after(1), None)]);
}

#[tokio::test]
async fn a_retried_execution_runs_again_what_failed_and_what_never_started() {
    let account = Account::build(builder());
    let repaired = tempfile::tempdir().unwrap();
    let flag = repaired.path().join("flag");
    let steps = [
        script("First", "exit 0").into(),
        script("Bad", &format!("test -e {}", flag.display())).depends_on(["First"]),
        script("Last", "exit 0").depends_on(["Bad"]),
    ];
    let failed = account.run(steps).await;
    let names = |execution: &Execution| execution.steps.iter().map(|step| step.name.clone()).collect::<Vec<_>>();
    assert_eq!((failed.status, names(&failed)), (ExecutionStatus::Failed, vec!["First".to_owned(), "Bad".to_owned()]));
    std::fs::write(flag, "").unwrap();
    account.advance(60);
    let answer = account.retry(&failed.arn, "1").unwrap();
    assert_eq!(answer, json!({"PipelineExecutionArn": failed.arn}));
    let execution = account.settled(&failed.arn).await;
    assert_eq!((execution.status, execution.failure_reason.as_deref()), (ExecutionStatus::Succeeded, None));
    assert_eq!(names(&execution), ["First", "Bad", "Last"]);
    assert_eq!(execution.step("First"), failed.step("First"), "what succeeded stays as it is");
    let bad = execution.step("Bad").unwrap();
    assert_eq!((bad.attempts, bad.start, bad.failure_reason.as_deref()), (2, after(60), None));
    assert_ne!(bad.resource, failed.step("Bad").unwrap().resource);
    let counts: Vec<_> = account.steps(&failed.arn).iter().map(|step| step["AttemptCount"].clone()).collect();
    assert_eq!((counts, account.attempts().len()), (vec![json!(1), json!(2), json!(1)], 4));

    // The same token again is the same retry.
    assert_eq!(account.retry(&failed.arn, "1").unwrap(), answer);
    let refused = ApiError::validation("Only pipelines with 'Failed' or 'Stopped' status can be retried");
    assert_eq!(account.retry(&failed.arn, "2").unwrap_err(), refused);
    let other = account.retry(&failed.arn.replace("execution/", "execution/x"), "3").unwrap_err();
    assert_eq!(other.code, "ResourceNotFound");
}

#[tokio::test]
async fn a_stopped_execution_goes_on_when_it_is_retried() {
    let account = Account::new();
    let meeting = Meeting::new(&["started", "go"]);
    let folder = meeting.folder().display();
    let arn = account.start_one("p", script("Long", &format!("cd {folder}; echo x > started; read x < go")));
    meeting.hear("started").await;
    let refused = account.retry(&arn, "1").unwrap_err();
    assert_eq!(refused.message, "Only pipelines with 'Failed' or 'Stopped' status can be retried");
    account.stop(&arn).unwrap();
    assert_eq!(account.settled(&arn).await.status, ExecutionStatus::Stopped);
    account.retry(&arn, "2").unwrap();
    meeting.hear("started").await;
    meeting.tell("go").await;
    let execution = account.settled(&arn).await;
    assert_eq!((execution.status, execution.steps.len()), (ExecutionStatus::Succeeded, 1));
    assert_eq!(execution.step("Long").unwrap().attempts, 2);
}
