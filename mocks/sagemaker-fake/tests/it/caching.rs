//! Step caching: an earlier run of the same step stands in, and a miss says why.

use std::time::Duration;

use pipeline_definition::build::{Condition, ConditionStep, Expr, Pipeline, ProcessingStep, StepOptions, TrainingStep};
use pipeline_definition::cache::{Miss, Verdict};
use pipeline_definition::{Definition, Parameter, StepType};
use sagemaker_fake::Fake;
use sagemaker_fake::clock::{Clock, Timestamp};
use sagemaker_fake::engine::{Execution, ExecutionStatus};
use serde_json::{Value, json};

use crate::account::{Account, BUCKET, ROLE, SHELL};

/// Preprocess, train and evaluate, cached for a day, and a condition on what the evaluation found.
fn cached() -> Definition {
    let uri = |step: &str| {
        Expr::join("/", [Expr::from(format!("s3://{BUCKET}/out")), Expr::execution("PipelineExecutionId"), step.into()])
    };
    let prepare = ProcessingStep::new("Prepare", SHELL, ROLE)
        .arguments(["cd $STSMM_OPT_ML/processing; cat in/* > train/rows.csv"])
        .input("data", Expr::parameter("Input"), "/opt/ml/processing/in")
        .output("train", "/opt/ml/processing/train", uri("train"))
        .cache("P1D");
    let train = TrainingStep::new("Train", SHELL, ROLE, format!("s3://{BUCKET}/models"))
        .arguments(["cp $STSMM_OPT_ML/input/config/hyperparameters.json $STSMM_OPT_ML/model/"])
        .hyperparameter("l2", Expr::parameter("L2"))
        .channel("train", Expr::processing_output("Prepare", "train"), "text/csv")
        .cache("1d");
    let evaluate = ProcessingStep::new("Evaluate", SHELL, ROLE)
        .arguments(["echo '{\"mse\": 0.25}' > $STSMM_OPT_ML/processing/evaluation/report.json"])
        .input("model", Expr::model_artifacts("Train"), "/opt/ml/processing/model")
        .output("evaluation", "/opt/ml/processing/evaluation", uri("evaluation"))
        .property_file("Report", "evaluation", "report.json");
    let evaluate = StepOptions::cache(evaluate, "PT24H");
    let gate = ConditionStep::new("Gate").condition(Condition::less_than_or_equal_to(
        Expr::json_get("Evaluate", "Report", "mse"),
        Expr::parameter("Threshold"),
    ));
    Pipeline::new()
        .parameter(Parameter::string("Input").with_default(format!("s3://{BUCKET}/in/a.csv")))
        .parameter(Parameter::float("L2").with_default(1.0))
        .parameter(Parameter::float("Threshold").with_default(0.3))
        .step(prepare)
        .step(train)
        .step(evaluate)
        .step(gate)
        .build()
}

const NOW: Timestamp = Timestamp(1_790_000_000_000);

fn account(definition: &Definition) -> Account {
    let account = Account::build(Fake::builder().clock(Clock::frozen(NOW)));
    account.put("in/a.csv", "1,2,3");
    account.put("in/b.csv", "4,5,6");
    account.pipeline("p", definition);
    account
}

async fn run(account: &Account, parameters: &[(&str, &str)]) -> Execution {
    let execution = account.settled(&account.start("p", parameters).unwrap()).await;
    assert_eq!(execution.status, ExecutionStatus::Succeeded, "{execution:#?}");
    execution
}

/// Whether each of the cached steps was a hit (`=`), and if not, why.
fn verdicts(execution: &Execution) -> [String; 3] {
    ["Prepare", "Train", "Evaluate"].map(|name| {
        let lookup = execution.step(name).unwrap().cache.as_ref().unwrap();
        match &lookup.verdict {
            Verdict::Hit(_) => "=".to_owned(),
            Verdict::Miss(Miss::Differs { differences, .. }) => {
                differences.iter().map(|found| format!("{}{}", found.attribute, found.pointer)).collect()
            }
            Verdict::Miss(Miss::Expired { age, expire_after, .. }) => format!("{age} > {expire_after}"),
            Verdict::Miss(miss) => miss.to_string(),
        }
    })
}

fn jobs(account: &Account) -> usize {
    let of = |operation, member: &str| {
        account.call(operation, json!({"MaxResults": 100})).unwrap()[member].as_array().unwrap().len()
    };
    of("ListProcessingJobs", "ProcessingJobSummaries") + of("ListTrainingJobs", "TrainingJobSummaries")
}

#[tokio::test]
async fn a_second_run_takes_everything_from_the_first() {
    let account = account(&cached());
    let first = run(&account, &[]).await;
    assert_eq!(verdicts(&first), ["it has never succeeded before"; 3]);
    assert!(account.steps(&first.arn).iter().all(|step| step.get("CacheHitResult").is_none()));
    account.fake.clock.advance(Duration::from_secs(60));
    let second = run(&account, &[]).await;
    account.fake.clock.advance(Duration::from_secs(60));
    let third = run(&account, &[]).await;
    assert_eq!(
        (verdicts(&second), verdicts(&third), jobs(&account)),
        (["="; 3].map(str::to_owned), ["="; 3].map(str::to_owned), 3)
    );
    let [before, after] = [&first, &third].map(|execution| account.steps(&execution.arn));
    for (before, after) in before.iter().zip(&after) {
        assert_eq!((&before["StepName"], &before["Metadata"]), (&after["StepName"], &after["Metadata"]));
        let source = match before["StepName"].as_str() {
            Some("Gate") => Value::Null,
            // What was taken from the cache is no source: else it would never expire.
            _ => json!({"SourcePipelineExecutionArn": first.arn}),
        };
        assert_eq!(after["CacheHitResult"], source);
        assert_eq!((&after["StepStatus"], &after["EndTime"]), (&json!("Succeeded"), &after["StartTime"]));
    }
    let export = sagemaker_fake::export::state(&account.fake.store).unwrap();
    let kept = export["execution"].as_object().unwrap().values().find(|kept| kept["arn"] == json!(second.arn)).unwrap();
    assert_eq!(kept["steps"][0]["cache"]["verdict"], json!({"Hit": first.arn}));
}

#[tokio::test]
async fn what_differs_runs_and_what_depends_on_it() {
    let account = account(&cached());
    run(&account, &[]).await;
    let other_l2 = run(&account, &[("L2", "0.5")]).await;
    assert_eq!(verdicts(&other_l2), ["=", "HyperParameters/l2", "ProcessingInputs/0/S3Input/S3Uri"]);
    let other_threshold = run(&account, &[("Threshold", "0.2")]).await;
    assert_eq!(verdicts(&other_threshold), ["="; 3]);
    assert_eq!(other_threshold.step("Gate").unwrap().metadata, json!({"Condition": {"Outcome": "False"}}));
    let other_input = run(&account, &[("Input", "s3://sts-bucket/in/b.csv")]).await;
    let uri = "ProcessingInputs/0/S3Input/S3Uri";
    assert_eq!(verdicts(&other_input), [uri, "InputDataConfig/0/DataSource/S3DataSource/S3Uri", uri]);
    assert_eq!(account.text(&format!("out/{}/train/rows.csv", other_input.id)), "4,5,6");
    assert_eq!(
        verdicts(&run(&account, &[("L2", "0.5")]).await),
        ["="; 3],
        "the newest run with the same key, not the newest"
    );
}

#[tokio::test]
async fn an_expired_run_does_not_stand_in() {
    let account = account(&cached());
    run(&account, &[]).await;
    account.fake.clock.advance(Duration::from_secs(86_400));
    assert_eq!(verdicts(&run(&account, &[]).await), ["="; 3]);
    account.fake.clock.advance(Duration::from_secs(1));
    let late = run(&account, &[]).await;
    let differs =
        ["86401 > 86400", "InputDataConfig/0/DataSource/S3DataSource/S3Uri", "ProcessingInputs/0/S3Input/S3Uri"];
    assert_eq!(verdicts(&late), differs, "the new outputs are other inputs");
}

#[tokio::test]
async fn only_successful_runs_of_this_pipeline_with_caching_on_stand_in() {
    let step = |script: &str| ProcessingStep::new("A", SHELL, ROLE).arguments([script]).cache("P1D");
    let failing = crate::account::definition([step("exit 1")]);
    let account = account(&failing);
    for _ in 0..2 {
        let failed = account.settled(&account.start("p", &[]).unwrap()).await;
        let lookup = failed.step("A").unwrap().cache.clone().unwrap();
        assert_eq!((failed.status, lookup.verdict), (ExecutionStatus::Failed, Verdict::Miss(Miss::NeverSucceeded)));
    }
    let good = crate::account::definition([step("exit 0")]);
    account.pipeline("other", &good);
    account.settled(&account.start("other", &[]).unwrap()).await;
    let mut off = good.clone();
    off.steps[0].cache_config = None;
    let update = |definition: &Definition| {
        let input = json!({"PipelineName": "p", "PipelineDefinition": definition.to_json()});
        account.call("UpdatePipeline", input).unwrap();
    };
    update(&off);
    let verdict = |execution: Execution| execution.step("A").unwrap().cache.clone().unwrap().verdict;
    let source = run(&account, &[]).await;
    assert_eq!(verdict(source.clone()), Verdict::Miss(Miss::Off));
    assert_eq!(verdict(run(&account, &[]).await), Verdict::Miss(Miss::Off));
    update(&good);
    assert!(matches!(verdict(run(&account, &[]).await), Verdict::Hit(_)), "whatever the source's own setting");
    // A step of the same name and another type makes something else.
    let train = TrainingStep::new("A", SHELL, ROLE, format!("s3://{BUCKET}/models")).arguments(["exit 0"]).cache("P1D");
    assert_eq!(train.kind, StepType::Training);
    update(&crate::account::definition([train]));
    assert_eq!(verdict(run(&account, &[]).await), Verdict::Miss(Miss::NeverSucceeded));
}
