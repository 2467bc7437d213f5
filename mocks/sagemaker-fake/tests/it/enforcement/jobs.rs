//! What a job does is authorised as its role.

use sagemaker_fake::Fake;
use sagemaker_fake::account::Scenario;
use sagemaker_fake::jobs::{Job, Kind, Status, logs};
use serde_json::{Value, json};

use super::{policy, role, role_arn, trust};
use crate::account::{Account, BUCKET, STS, channel, input, output, processing_job, training_job};
use crate::hosting::{model, row};

const SAGEMAKER: &str = r#"{"Service": "sagemaker.amazonaws.com"}"#;

/// All that a role of jobs needs.
pub const NEEDED: [&str; 10] = [
    "s3:ListBucket",
    "s3:GetObject",
    "s3:PutObject",
    "ecr:GetAuthorizationToken",
    "ecr:BatchCheckLayerAvailability",
    "ecr:GetDownloadUrlForLayer",
    "ecr:BatchGetImage",
    "logs:CreateLogGroup",
    "logs:CreateLogStream",
    "logs:PutLogEvents",
];

/// An account whose user may do anything, and whose role `job` what it needs but for this action.
fn account(lacks: &str) -> Account {
    let mut scenario = Scenario::ready();
    scenario.users[0].policies.inline = [("all".to_owned(), policy("Allow", &["*"], "*"))].into();
    let actions: Vec<_> = NEEDED.into_iter().filter(|action| *action != lacks).collect();
    scenario.roles.push(role("job", &trust(SAGEMAKER), &[policy("Allow", &actions, "*")]));
    let account = Account::build(Fake::builder().scenario(scenario).enforce_iam(true));
    account.put("in/a.txt", "one");
    account
}

/// As the role `job`, reading and writing.
fn processing() -> Value {
    let mut request =
        processing_job("job", "cat $STSMM_OPT_ML/processing/data/* > $STSMM_OPT_ML/processing/out/o; echo said");
    request["ProcessingInputs"] = json!([input("data", "in")]);
    request["ProcessingOutputConfig"] = json!({"Outputs": [output("out", "results")]});
    request["RoleArn"] = json!(role_arn("job"));
    request
}

fn training() -> Value {
    let mut request = training_job("job", "echo weights > $STSMM_OPT_ML/model/m; echo said");
    request["InputDataConfig"] = json!([channel("train", "in")]);
    request["RoleArn"] = json!(role_arn("job"));
    request
}

fn reason(job: &Job) -> &str {
    job.failure_reason.as_deref().unwrap_or_default()
}

#[tokio::test]
async fn a_role_with_all_it_needs_does_all() {
    let account = account("");
    let job = account.process(processing()).await;
    assert_eq!((job.status, reason(&job)), (Status::Completed, ""));
    let job = account.train(training()).await;
    assert_eq!((job.status, reason(&job)), (Status::Completed, ""));
    // What was done was asked, and as the role.
    let who = "arn:aws:sts::111122223333:assumed-role/job/SageMaker";
    let asked = account.fake.enforcement.asked();
    for action in NEEDED {
        let mut questions = asked.iter().map(|asked| &asked.request);
        assert!(questions.any(|request| request.action == action && request.caller.name() == who), "{action}");
    }
}

#[tokio::test]
async fn a_processing_job_fails_for_want_of_a_permission() {
    let check = async |lacks: &str, expected: &[&str]| {
        let account = account(lacks);
        let job = account.process(processing()).await;
        let whole = expected.iter().all(|part| reason(&job).contains(part));
        assert!(job.status == Status::Failed && whole, "{lacks}: {}", reason(&job));
    };
    let refused = |action: &str, resource: &str| {
        format!(
            "User: arn:aws:sts::111122223333:assumed-role/job/SageMaker is not authorized to perform: {action} on resource: \
             \"arn:aws:s3:::{resource}\" because no identity-based policy allows the {action} action"
        )
    };
    check("s3:ListBucket", &["ClientError: Failed to download data.", &refused("s3:ListBucket", BUCKET)]).await;
    let object = format!("{BUCKET}/in/a.txt");
    check("s3:GetObject", &["ClientError: Failed to download data.", &refused("s3:GetObject", &object)]).await;
    let object = format!("{BUCKET}/results/o");
    check("s3:PutObject", &["ClientError: Failed to upload data.", &refused("s3:PutObject", &object)]).await;
    for action in &NEEDED[3..7] {
        check(action, &["ClientError: Cannot pull algorithm container."]).await;
    }
}

#[tokio::test]
async fn a_job_that_may_not_log_runs_unheard() {
    for action in &NEEDED[7..] {
        let account = account(action);
        let job = account.process(processing()).await;
        assert_eq!((job.status, reason(&job)), (Status::Completed, ""), "{action}");
        assert_eq!(logs::streams(&account.fake, "eu-west-1", Kind::ProcessingJob.log_group(), "").unwrap(), []);
    }
}

/// SageMaker looks at a training job's inputs and image before it takes it.
#[tokio::test]
async fn a_training_job_is_not_taken_for_want_of_a_permission() {
    let check = |lacks: &str, expected: &str| {
        let refusal = account(lacks).call("CreateTrainingJob", training()).unwrap_err();
        assert!(refusal.code == "ValidationException" && refusal.message.contains(expected), "{lacks}: {refusal}");
    };
    check("s3:ListBucket", "has \"s3:ListBucket\" permissions on bucket \"sts-bucket\"");
    check(
        "ecr:BatchGetImage",
        "Cannot find repository: shell in registry ID: 111122223333 Please check if your ECR repository exists and role \
         arn:aws:iam::111122223333:role/job has proper pull permissions for SageMaker:",
    );
}

/// A batch transform job works as the role of its model.
#[tokio::test]
async fn a_transform_job_fails_for_want_of_a_permission() {
    let check = async |lacks: &str, expected: &str| {
        let account = account(lacks);
        account.put("model.tar.gz", model());
        account.put("rows/a.csv", row());
        let container = json!({"Image": STS, "ModelDataUrl": format!("s3://{BUCKET}/model.tar.gz")});
        let model = json!({"ModelName": "m", "ExecutionRoleArn": role_arn("job"), "PrimaryContainer": container});
        let source = json!({"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": format!("s3://{BUCKET}/rows")}});
        let request = json!({
            "TransformJobName": "job",
            "ModelName": "m",
            "TransformInput": {"DataSource": source, "ContentType": "text/csv"},
            "TransformOutput": {"S3OutputPath": format!("s3://{BUCKET}/scored")},
            "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
        });
        account.call("CreateModel", model).unwrap();
        account.call("CreateTransformJob", request).unwrap();
        let job = account.ended(Kind::TransformJob, "job").await;
        let status = if expected.is_empty() { Status::Completed } else { Status::Failed };
        assert!(job.status == status && reason(&job).contains(expected), "{lacks}: {}", reason(&job));
        if lacks.starts_with("logs:") {
            assert_eq!(logs::streams(&account.fake, "eu-west-1", job.kind.log_group(), "").unwrap(), []);
        }
    };
    check("", "").await;
    check("s3:ListBucket", "ClientError: Failed to download data.").await;
    check("s3:PutObject", "ClientError: Failed to upload data.").await;
    check("ecr:BatchGetImage", "ClientError: Cannot pull algorithm container.").await;
    check("logs:PutLogEvents", "").await;
}

#[tokio::test]
async fn a_role_must_let_sagemaker_in() {
    let only_if = |key: &str, value: &str| {
        format!(
            r#"{{"Version": "2012-10-17", "Statement": {{"Effect": "Allow", "Principal": {SAGEMAKER}, "Action": "sts:AssumeRole",
                "Condition": {{"ArnLike": {{"{key}": "{value}"}}}}}}}}"#
        )
    };
    let check = async |trust: String, is_let_in: bool| {
        let mut scenario = Scenario::ready();
        scenario.users[0].policies.inline = [("all".to_owned(), policy("Allow", &["*"], "*"))].into();
        scenario.roles.push(role("job", &trust, &[policy("Allow", &NEEDED, "*")]));
        let account = Account::build(Fake::builder().scenario(scenario).enforce_iam(true));
        account.put("in/a.txt", "one");
        for (operation, request) in [("CreateProcessingJob", processing()), ("CreateTrainingJob", training())] {
            let answer = account.call(operation, request).map(drop).map_err(|error| error.message);
            let refusal = "Could not assume role arn:aws:iam::111122223333:role/job. Please ensure that the role exists and allows \
                           principal 'sagemaker.amazonaws.com' to assume the role.";
            assert_eq!(answer, if is_let_in { Ok(()) } else { Err(refusal.to_owned()) }, "{operation} {trust}");
        }
    };
    check(trust(SAGEMAKER), true).await;
    check(trust(r#"{"Service": "lambda.amazonaws.com"}"#), false).await;
    check(trust(r#"{"AWS": "arn:aws:iam::111122223333:user/sts-developer"}"#), false).await;
    check(only_if("aws:SourceArn", "arn:aws:sagemaker:*:111122223333:*"), true).await;
    check(only_if("aws:SourceArn", "arn:aws:sagemaker:*:999999999999:*"), false).await;
}
