//! Hyperparameter tuning: training jobs that really run, with hyperparameters that are searched for.

use aws_sdk_sagemaker::types::HyperParameterTuningJobStatus;
use pipeline_definition::Definition;
use sagemaker_fake::engine::{self, ExecutionStatus};
use sagemaker_fake::jobs::{Kind, Status};
use sagemaker_fake::testing::FakeAws;
use sagemaker_fake::tuning::{self, TuningJob};
use sagemaker_fake::{ApiError, Fake, FakeBuilder, s3};
use serde_json::{Value, json};

use crate::account::{Account, BUCKET, Meeting, ROLE, SHELL, patiently, programs};
use crate::clients::{REGION, sagemaker, said};
use crate::hosting::model;

/// A training program: its loss is the hyperparameter `l2`, its model an empty file.
const LOSS_IS_L2: &str = "cd $STSMM_OPT_ML; echo m > model/m; \
     sed -n 's/.*\"l2\":\"\\([^\"]*\\)\".*/loss=\\1/p' input/config/hyperparameters.json";

/// An account in which every training program is this script.
fn account(builder: FakeBuilder, script: &str) -> Account {
    let account =
        Account::of(builder.programs(programs().with("*/shell:*", ["/bin/sh", "-c", script])).build().unwrap());
    account.put("train/rows.csv", "1,2,3");
    account
}

/// A tuning job of `l2` over categories, with some members of its configuration otherwise.
fn request(name: &str, config: Value) -> Value {
    let mut request = json!({
        "HyperParameterTuningJobName": name,
        "HyperParameterTuningJobConfig": {
            "Strategy": "Grid",
            "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "loss"},
            "ResourceLimits": {"MaxParallelTrainingJobs": 2},
            "ParameterRanges": {"CategoricalParameterRanges": [
                {"Name": "l2", "Values": ["0.5", "0.25", "0.75"]}, {"Name": "solver", "Values": ["a", "b"]},
            ]},
        },
        "TrainingJobDefinition": definition(),
    });
    let own = request["HyperParameterTuningJobConfig"].as_object_mut().unwrap();
    own.extend(config.as_object().unwrap().clone());
    request
}

fn definition() -> Value {
    json!({
        "StaticHyperParameters": {"epochs": "3"},
        "AlgorithmSpecification": {
            "TrainingImage": SHELL,
            "TrainingInputMode": "File",
            "MetricDefinitions": [{"Name": "loss", "Regex": "loss=([0-9.]+)"}],
        },
        "RoleArn": ROLE,
        "OutputDataConfig": {"S3OutputPath": format!("s3://{BUCKET}/models")},
        "ResourceConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1},
        "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
    })
}

/// A search of a range.
fn search(strategy: &str, jobs: usize, more: Value) -> Value {
    let mut config = json!({
        "Strategy": strategy,
        "RandomSeed": 7,
        "ResourceLimits": {"MaxParallelTrainingJobs": 2, "MaxNumberOfTrainingJobs": jobs},
        "ParameterRanges": {"ContinuousParameterRanges": [{"Name": "l2", "MinValue": "0.001", "MaxValue": "1", "ScalingType": "Logarithmic"}]},
    });
    config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    config
}

fn create(account: &Account, request: Value) -> Result<Value, ApiError> {
    account.call("CreateHyperParameterTuningJob", request)
}

async fn ended(account: &Account, name: &str) -> TuningJob {
    patiently(tuning::ended(&account.fake, REGION, name)).await.unwrap()
}

fn describe(account: &Account, name: &str) -> Value {
    account.call("DescribeHyperParameterTuningJob", json!({"HyperParameterTuningJobName": name})).unwrap()
}

fn listed(account: &Account, name: &str, more: Value) -> Vec<Value> {
    let mut input = json!({"HyperParameterTuningJobName": name, "MaxResults": 100});
    input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let answer = account.call("ListTrainingJobsForHyperParameterTuningJob", input).unwrap();
    answer["TrainingJobSummaries"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_grid_tries_every_combination_and_finds_the_best() {
    let account = account(Fake::builder(), LOSS_IS_L2);
    create(&account, request("grid", json!({}))).unwrap();
    let job = ended(&account, "grid").await;
    assert_eq!(job.status, Status::Completed, "{job:#?}");
    let described = describe(&account, "grid");
    let counters = json!({"Completed": 6, "InProgress": 0, "RetryableError": 0, "NonRetryableError": 0, "Stopped": 0});
    assert_eq!(described["TrainingJobStatusCounters"], counters);
    assert_eq!(described["ObjectiveStatusCounters"], json!({"Succeeded": 6, "Pending": 0, "Failed": 0}));
    let best = &described["BestTrainingJob"];
    assert_eq!(best["TunedHyperParameters"]["l2"], "0.25");
    let metric = json!({"Type": "Minimize", "MetricName": "loss", "Value": 0.25});
    assert_eq!(best["FinalHyperParameterTuningJobObjectiveMetric"], metric);

    let trials = listed(&account, "grid", json!({"SortBy": "FinalObjectiveMetricValue", "SortOrder": "Descending"}));
    let tuned: Vec<_> = trials.iter().map(|trial| trial["TunedHyperParameters"]["l2"].as_str().unwrap()).collect();
    assert_eq!(tuned, ["0.75", "0.75", "0.5", "0.5", "0.25", "0.25"]);
    let names = regex::Regex::new("^grid-00[1-6]-[0-9a-f]{8}$").unwrap();
    assert!(trials.iter().all(|trial| names.is_match(trial["TrainingJobName"].as_str().unwrap())), "{trials:?}");

    let name = best["TrainingJobName"].as_str().unwrap();
    let training = account.call("DescribeTrainingJob", json!({"TrainingJobName": name})).unwrap();
    assert_eq!(training["TuningJobArn"], json!(job.arn));
    let hyperparameters = &training["HyperParameters"];
    assert_eq!(
        (&hyperparameters["epochs"], &hyperparameters["_tuning_objective_metric"]),
        (&json!("3"), &json!("loss"))
    );
    assert!(account.keys("models").contains(&format!("models/{name}/output/model.tar.gz")));
    assert_eq!(account.log(Kind::TrainingJob, name), ["loss=0.25"]);
}

#[tokio::test]
async fn a_seed_finds_the_same_again() {
    let account = account(Fake::builder(), LOSS_IS_L2);
    for strategy in ["Random", "Bayesian"] {
        let mut found = Vec::new();
        for turn in ["one", "two"] {
            let name = format!("{strategy}-{turn}");
            create(&account, request(&name, search(strategy, 6, json!({})))).unwrap();
            let job = ended(&account, &name).await;
            assert_eq!((job.status, job.trials.len()), (Status::Completed, 6));
            found.push(
                job.trials.into_iter().map(|trial| trial.tuned["l2"].parse::<f64>().unwrap()).collect::<Vec<_>>(),
            );
        }
        assert_eq!(found[0], found[1], "{strategy}");
        assert!(found[0].iter().all(|l2| (0.001..=1.0).contains(l2)));
        if strategy == "Bayesian" {
            // The third is from around the best of the first two: a tenth of three decades, up or down.
            let best = found[0][0].min(found[0][1]);
            assert!((found[0][2] / best).log10().abs() <= 0.3 + 1e-9, "{found:?}");
        }
    }
}

#[tokio::test]
async fn a_job_ends_when_it_is_good_enough() {
    let account = account(Fake::builder(), LOSS_IS_L2);
    let one = json!({"MaxParallelTrainingJobs": 1});
    let enough = json!({"ResourceLimits": one, "TuningJobCompletionCriteria": {"TargetObjectiveMetricValue": 0.5}});
    create(&account, request("target", enough)).unwrap();
    let job = ended(&account, "target").await;
    assert_eq!((job.status, job.trials.len()), (Status::Completed, 1), "the first loss is 0.5");
    let stale = json!({"ResourceLimits": one, "TuningJobCompletionCriteria": {
        "BestObjectiveNotImproving": {"MaxNumberOfTrainingJobsNotImproving": 3}}});
    create(&account, request("stale", stale)).unwrap();
    // 0.5, 0.25, and three that are no better.
    assert_eq!(ended(&account, "stale").await.trials.len(), 5);
}

#[tokio::test]
async fn definitions_take_turns() {
    let account = account(Fake::builder(), LOSS_IS_L2);
    let of = |name: &str, values: &[&str]| {
        let mut definition = definition();
        definition["DefinitionName"] = json!(name);
        definition["TuningObjective"] = json!({"Type": "Maximize", "MetricName": "loss"});
        definition["HyperParameterRanges"] = json!({"CategoricalParameterRanges": [{"Name": "l2", "Values": values}]});
        definition
    };
    let mut several = request("several", json!({}));
    let config = several["HyperParameterTuningJobConfig"].as_object_mut().unwrap();
    config.remove("ParameterRanges");
    config.remove("HyperParameterTuningJobObjective");
    several.as_object_mut().unwrap().remove("TrainingJobDefinition");
    several["TrainingJobDefinitions"] = json!([of("short", &["0.1"]), of("long", &["0.2", "0.3", "0.4"])]);
    create(&account, several).unwrap();
    let job = ended(&account, "several").await;
    assert_eq!(job.status, Status::Completed, "{job:#?}");
    let trials = listed(&account, "several", json!({"SortBy": "Name"}));
    let names: Vec<_> = trials.iter().map(|trial| trial["TrainingJobDefinitionName"].as_str().unwrap()).collect();
    assert_eq!(names, ["short", "long", "long", "long"]);
    assert_eq!(describe(&account, "several")["BestTrainingJob"]["TunedHyperParameters"]["l2"], "0.4");
}

#[tokio::test]
async fn a_job_of_which_nothing_comes_fails() {
    let account = account(Fake::builder(), "exit 1");
    create(&account, request("hopeless", json!({"ResourceLimits": {"MaxParallelTrainingJobs": 1}}))).unwrap();
    let job = ended(&account, "hopeless").await;
    let reason = job.failure_reason.clone().unwrap();
    assert_eq!(job.status, Status::Failed);
    assert!(reason.starts_with("No training job succeeded after 5 attempts."), "{reason}");
    let few = json!({"ParameterRanges": {"CategoricalParameterRanges": [{"Name": "l2", "Values": ["1"]}]}});
    create(&account, request("few", few)).unwrap();
    let reason = ended(&account, "few").await.failure_reason.unwrap();
    assert!(reason.starts_with("All training jobs failed."), "{reason}");
    assert_eq!(describe(&account, "few")["ObjectiveStatusCounters"]["Failed"], 1);

    let mut nothing = request("nothing", json!({}));
    nothing["TrainingJobDefinition"]["InputDataConfig"] = json!([crate::account::channel("train", "nowhere")]);
    create(&account, nothing).unwrap();
    let job = ended(&account, "nothing").await;
    let reason = job.failure_reason.unwrap();
    assert!(job.status == Status::Failed && reason.starts_with("No S3 objects found"), "{reason}");
}

#[tokio::test]
async fn a_job_is_stopped_with_what_it_runs() {
    let meeting = Meeting::new(&["running"]);
    let script = format!("echo x > {}/running; exec tail -f /dev/null", meeting.folder().display());
    let account = account(Fake::builder(), &script);
    let one = json!({"ResourceLimits": {"MaxParallelTrainingJobs": 1}});
    create(&account, request("long", one)).unwrap();
    meeting.hear("running").await;
    account.call("StopHyperParameterTuningJob", json!({"HyperParameterTuningJobName": "long"})).unwrap();
    let job = ended(&account, "long").await;
    assert_eq!((job.status, job.trials.len()), (Status::Stopped, 1));
    assert_eq!(describe(&account, "long")["TrainingJobStatusCounters"]["Stopped"], 1);
    let late = account.call("StopHyperParameterTuningJob", json!({"HyperParameterTuningJobName": "long"})).unwrap_err();
    assert_eq!(late.message, "The request was rejected because the hyper parameter tuning job is in status Stopped.");
}

#[tokio::test]
async fn a_job_goes_on_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let first = account(Fake::builder().state(folder.path()), LOSS_IS_L2);
    create(&first, request("restarted", json!({}))).unwrap();
    engine::close(first.fake).await;
    let builder =
        Fake::builder().state(folder.path()).programs(programs().with("*/shell:*", ["/bin/sh", "-c", LOSS_IS_L2]));
    let account = Account::of(sagemaker_fake::testing::opened(builder).await);
    let job = ended(&account, "restarted").await;
    assert_eq!((job.status, job.trials.len()), (Status::Completed, 6));
    let jobs = account.call("ListTrainingJobs", json!({"MaxResults": 100})).unwrap();
    assert_eq!(jobs["TrainingJobSummaries"].as_array().unwrap().len(), 6, "none was made twice");
}

#[tokio::test]
async fn what_cannot_be_done_is_refused() {
    let account = account(Fake::builder(), LOSS_IS_L2);
    let refused = |change: &dyn Fn(&mut Value), said: &str| {
        let mut request = request("refused", json!({}));
        change(&mut request);
        let error = create(&account, request).unwrap_err();
        assert!(error.code == "ValidationException" && error.message.contains(said), "{error}");
    };
    let config = "HyperParameterTuningJobConfig";
    refused(&|request| request[config]["Strategy"] = json!("Hyperband"), "not Hyperband");
    refused(&|request| request[config]["ResourceLimits"]["MaxNumberOfTrainingJobs"] = json!(5), "which is 6");
    refused(&|request| request[config]["ParameterRanges"] = json!({}), "no hyperparameter to tune");
    refused(&|request| request[config]["Strategy"] = json!("Random"), "needs MaxNumberOfTrainingJobs");
    refused(
        &|request| {
            let parents = json!([{"HyperParameterTuningJobName": "other"}]);
            request["WarmStartConfig"] =
                json!({"ParentHyperParameterTuningJobs": parents, "WarmStartType": "TransferLearning"});
        },
        "leave WarmStartConfig out",
    );
    refused(&|request| request["Autotune"] = json!({"Mode": "Enabled"}), "leave Autotune out");
    refused(
        &|request| request["TrainingJobDefinition"]["StaticHyperParameters"] = json!({"l2": "1"}),
        "a range and a static value",
    );
    refused(
        &|request| request[config]["HyperParameterTuningJobObjective"]["MetricName"] = json!("other"),
        "'other' is not among the MetricDefinitions",
    );
    refused(&|request| request["TrainingJobDefinitions"] = json!([definition()]), "Exactly one of");
    let unknown = account.call("DescribeHyperParameterTuningJob", json!({"HyperParameterTuningJobName": "nobody"}));
    let sentence = "Amazon SageMaker can't find a tuning job called nobody. Type another name.";
    assert_eq!(unknown.unwrap_err(), ApiError::not_found(sentence));
}

#[tokio::test]
async fn a_job_through_the_sdk() {
    let builder = Fake::builder().programs(programs().with("*/shell:*", ["/bin/sh", "-c", LOSS_IS_L2]));
    let aws = FakeAws::start_with(builder).await;
    s3::create_bucket(aws.fake(), BUCKET, REGION, aws.fake().account()).unwrap();
    let account = Account::of(aws.fake().clone());
    create(&account, request("job", json!({}))).unwrap();
    ended(&account, "job").await;
    let client = sagemaker(&aws);
    let described =
        client.describe_hyper_parameter_tuning_job().hyper_parameter_tuning_job_name("job").send().await.unwrap();
    assert_eq!(described.hyper_parameter_tuning_job_status(), Some(&HyperParameterTuningJobStatus::Completed));
    assert_eq!(described.training_job_status_counters().unwrap().completed(), Some(6));
    assert_eq!(described.best_training_job().unwrap().tuning_job_name(), Some("job"));
    let listed = client.list_hyper_parameter_tuning_jobs().name_contains("JO").send().await.unwrap();
    assert_eq!(listed.hyper_parameter_tuning_job_summaries()[0].hyper_parameter_tuning_job_name(), Some("job"));
    let pages = client.list_training_jobs_for_hyper_parameter_tuning_job().hyper_parameter_tuning_job_name("job");
    let all = pages.max_results(4).into_paginator().items().send().try_collect().await.unwrap();
    assert_eq!(all.len(), 6);
    let nobody = client.stop_hyper_parameter_tuning_job().hyper_parameter_tuning_job_name("nobody").send().await;
    assert_eq!(said(nobody).0, "ResourceNotFound");
}

/// The pipeline `tuning` of `definitions/`: a search, and a model of the best that was found.
#[tokio::test]
async fn a_pipeline_of_the_sdk_tunes_and_takes_the_best() {
    let account = account(Fake::builder(), LOSS_IS_L2);
    account.put("model.tar.gz", model());
    account.pipeline("tuning", &Definition::parse(include_str!("definitions/tuning.json")).unwrap());
    let execution = account.settled(&account.start("tuning", &[]).unwrap()).await;
    assert_eq!(execution.status, ExecutionStatus::Succeeded, "{execution:#?}");
    let step = execution.step("TuneSTS").unwrap();
    assert!(step.resource.starts_with(&format!("{}-TuneSTS-", execution.id)) && step.resource.len() <= 32);
    let arn = format!("arn:aws:sagemaker:{REGION}:111122223333:hyper-parameter-tuning-job/{}", step.resource);
    assert_eq!(account.steps(&execution.arn)[1]["Metadata"], json!({"TuningJob": {"Arn": arn}}));
    let best = describe(&account, &step.resource)["BestTrainingJob"]["TrainingJobName"].clone();
    let made = &execution.step("BestSTS-CreateModel").unwrap().resource;
    let model = account.call("DescribeModel", json!({"ModelName": made})).unwrap();
    let expected = format!("s3://{BUCKET}/models/{}/output/model.tar.gz", best.as_str().unwrap());
    assert_eq!(model["PrimaryContainer"]["ModelDataUrl"], json!(expected));
}
