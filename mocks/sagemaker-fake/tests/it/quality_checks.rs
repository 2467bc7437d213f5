//! QualityCheck steps: what the monitor calculates, what it is compared with, and what becomes of the difference. The
//! pipeline is `checks` of `definitions/`: data quality, then model quality.

use pipeline_definition::Definition;
use sagemaker_fake::engine::{Execution, ExecutionStatus, StepStatus};
use serde_json::{Value, json};

use crate::account::{Account, BUCKET, SHELL};

fn account() -> Account {
    let account = Account::new();
    account.put("baseline/data.csv", data(0));
    account.put("baseline/predictions.csv", predictions(10));
    account.pipeline("checks", &definition());
    account
}

fn definition() -> Definition {
    Definition::parse(include_str!("definitions/checks.json")).unwrap()
}

/// Rows of a number and a category, the number from `start` on.
fn data(start: u32) -> String {
    let rows = (start..start + 300).map(|row| format!("{row},{}\n", ["a", "b"][row as usize % 2]));
    std::iter::once("size,kind\n".to_owned()).chain(rows).collect()
}

/// Predictions, of which one in so many is wrong.
fn predictions(wrong: u32) -> String {
    let row = |row: u32| {
        let (label, right) = (row % 2, !row.is_multiple_of(wrong));
        let prediction = if right { label } else { 1 - label };
        format!("{prediction},{},{label}\n", if prediction == 1 { 0.75 } else { 0.25 })
    };
    std::iter::once("prediction,probability,label\n".to_owned()).chain((0..400).map(row)).collect()
}

async fn run(account: &Account, parameters: &[(&str, &str)]) -> Execution {
    account.settled(&account.start("checks", parameters).unwrap()).await
}

const REGISTERED: [(&str, &str); 2] = [("SkipCheck", "true"), ("RegisterNewBaseline", "true")];

/// What ListPipelineExecutionSteps says of a step.
fn metadata(account: &Account, execution: &Execution, step: &str) -> Value {
    let steps = account.steps(&execution.arn);
    steps.iter().find(|found| found["StepName"] == step).unwrap()["Metadata"]["QualityCheck"].clone()
}

/// Registers and approves a model package with the baselines that an execution says are used.
fn register(account: &Account, execution: &Execution) {
    let files = |step: &str| {
        let used = metadata(account, execution, step);
        let file = |name: &str| json!({"ContentType": "application/json", "S3Uri": used[format!("BaselineUsedForDriftCheck{name}")]});
        json!({"Statistics": file("Statistics"), "Constraints": file("Constraints")})
    };
    let package = json!({
        "ModelPackageGroupName": "sts-group",
        "ModelApprovalStatus": "Approved",
        "InferenceSpecification": {
            "Containers": [{"Image": SHELL}],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
        "DriftCheckBaselines": {"ModelDataQuality": files("DataQuality"), "ModelQuality": files("ModelQuality")},
    });
    account.call("CreateModelPackage", package).unwrap();
}

#[tokio::test]
async fn a_baseline_is_calculated_and_registered() {
    let account = account();
    let execution = run(&account, &REGISTERED).await;
    assert_eq!(execution.status, ExecutionStatus::Succeeded, "{execution:#?}");
    let folder = format!("s3://{BUCKET}/checks/{}/data", execution.id);
    let check = metadata(&account, &execution, "DataQuality");
    let job = check["CheckJobArn"].as_str().unwrap().to_owned();
    assert!(job.contains(&format!(":processing-job/pipelines-{}-DataQuality-", execution.id)), "{job}");
    assert_eq!(
        check,
        json!({
            "CheckType": "DATA_QUALITY",
            "CheckJobArn": job,
            "SkipCheck": true,
            "RegisterNewBaseline": true,
            "ModelPackageGroupName": "sts-group",
            "CalculatedBaselineStatistics": format!("{folder}/statistics.json"),
            "CalculatedBaselineConstraints": format!("{folder}/constraints.json"),
            "BaselineUsedForDriftCheckStatistics": format!("{folder}/statistics.json"),
            "BaselineUsedForDriftCheckConstraints": format!("{folder}/constraints.json"),
        })
    );
    let statistics: Value =
        serde_json::from_slice(&account.read(&format!("checks/{}/data/statistics.json", execution.id))).unwrap();
    assert_eq!(
        (&statistics["dataset"]["item_count"], &statistics["features"][0]["name"]),
        (&json!(300), &json!("size"))
    );
    let constraints = format!("checks/{}/model/constraints.json", execution.id);
    let constraints: Value = serde_json::from_slice(&account.read(&constraints)).unwrap();
    assert_eq!(constraints["binary_classification_constraints"]["accuracy"]["threshold"], 0.9);
}

#[tokio::test]
async fn data_is_compared_with_the_latest_approved_package() {
    let account = account();
    let first = run(&account, &REGISTERED).await;
    account.call("CreateModelPackageGroup", json!({"ModelPackageGroupName": "sts-group"})).unwrap();
    register(&account, &first);
    let same = run(&account, &[]).await;
    assert_eq!(same.status, ExecutionStatus::Succeeded, "{same:#?}");
    let (before, now) = (metadata(&account, &first, "DataQuality"), metadata(&account, &same, "DataQuality"));
    for file in ["Statistics", "Constraints"] {
        let used = format!("BaselineUsedForDriftCheck{file}");
        assert_eq!(now[&used], before[&used], "the registered one");
        assert_ne!(now[format!("CalculatedBaseline{file}")], before[&used]);
    }
    assert!(now["ViolationReport"].is_null());

    account.put("baseline/data.csv", data(200));
    let drifted = run(&account, &[]).await;
    assert_eq!(drifted.status, ExecutionStatus::Failed);
    let step = drifted.step("DataQuality").unwrap();
    let report = format!("s3://{BUCKET}/checks/{}/data/constraint_violations.json", drifted.id);
    let reason = format!("ClientError: Quality check failed. See violation report {report}");
    assert_eq!((step.status, step.failure_reason.as_ref()), (StepStatus::Failed, Some(&reason)));
    assert_eq!(metadata(&account, &drifted, "DataQuality")["ViolationReport"], json!(report));
    assert!(drifted.step("ModelQuality").is_none(), "what waits for it does not start");
    let violations: Value =
        serde_json::from_slice(&account.read(&format!("checks/{}/data/constraint_violations.json", drifted.id)))
            .unwrap();
    assert_eq!(violations["violations"][0]["constraint_check_type"], "baseline_drift_check");

    // Another prediction is another input: the cached run of the same name does not stand in.
    account.put("baseline/data.csv", data(0));
    account.put("baseline/worse.csv", predictions(4));
    let worse = run(&account, &[("Predictions", "s3://sts-bucket/baseline/worse.csv")]).await;
    let step = worse.step("ModelQuality").unwrap();
    assert_eq!(step.status, StepStatus::Failed, "{step:#?}");
    assert!(step.failure_reason.as_ref().unwrap().starts_with("ClientError: Quality check failed."), "{step:#?}");
}

#[tokio::test]
async fn a_supplied_baseline_comes_first() {
    let account = account();
    let first = run(&account, &REGISTERED).await;
    account.put("baseline/data.csv", data(200));
    let supplied = |file: &str| format!("s3://{BUCKET}/checks/{}/data/{file}.json", first.id);
    let (statistics, constraints) = (supplied("statistics"), supplied("constraints"));
    let given = [("SuppliedStatistics", statistics.as_str()), ("SuppliedConstraints", constraints.as_str())];
    let drifted = run(&account, &given).await;
    assert_eq!(drifted.step("DataQuality").unwrap().status, StepStatus::Failed);
    assert_eq!(metadata(&account, &drifted, "DataQuality")["BaselineUsedForDriftCheckStatistics"], json!(statistics));

    let mut tolerant = definition();
    tolerant.steps.truncate(1);
    tolerant.steps[0].other.insert("FailOnViolation".to_owned(), json!(false));
    account.pipeline("tolerant", &tolerant);
    let execution = account.settled(&account.start("tolerant", &given).unwrap()).await;
    assert_eq!(execution.status, ExecutionStatus::Succeeded, "{execution:#?}");
    assert!(metadata(&account, &execution, "DataQuality")["ViolationReport"].is_string());
}

#[tokio::test]
async fn without_a_baseline_there_is_nothing_to_check() {
    let account = account();
    let execution = run(&account, &[]).await;
    let reason = execution.step("DataQuality").unwrap().failure_reason.clone().unwrap();
    assert!(reason.starts_with("ClientError: There is no baseline to check against"), "{reason}");
    assert!(
        account.call("ListProcessingJobs", json!({})).unwrap()["ProcessingJobSummaries"].as_array().unwrap().is_empty()
    );
}

#[tokio::test]
async fn a_check_is_cached() {
    let account = account();
    let first = run(&account, &REGISTERED).await;
    let second = run(&account, &REGISTERED).await;
    let (one, other) = (first.step("ModelQuality").unwrap(), second.step("ModelQuality").unwrap());
    assert_eq!(other.cache_source(), Some(first.arn.as_str()), "{other:#?}");
    assert_eq!(other.metadata, one.metadata);
    let unlike = run(&account, &[("SkipCheck", "true")]).await;
    assert_eq!(unlike.step("ModelQuality").unwrap().cache_source(), None, "RegisterNewBaseline counts");
}
