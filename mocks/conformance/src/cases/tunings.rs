//! Hyperparameter tuning jobs, whose training jobs really run.

use anyhow::{Context, ensure};
use aws_sdk_sagemaker::types::{
    CategoricalParameterRange, HyperParameterAlgorithmSpecification, HyperParameterTrainingJobDefinition,
    HyperParameterTuningJobConfig, HyperParameterTuningJobObjective, HyperParameterTuningJobObjectiveType,
    HyperParameterTuningJobStatus as Status, HyperParameterTuningJobStrategyType, MetricDefinition, OutputDataConfig,
    ParameterRanges, ResourceConfig, ResourceLimits, StoppingCondition, TrainingInputMode, TrainingInstanceType,
    TrainingJobSortByOptions,
};

use super::jobs;
use crate::World;
use crate::case::Cost::{Cents, Free};
use crate::case::cases;
use crate::made::Made;
use crate::refusal::refused;

cases! { "tunings":
    a_grid_is_tried_and_the_best_is_named (Cents(20)) ["sagemaker:CreateHyperParameterTuningJob",
        "sagemaker:DescribeHyperParameterTuningJob", "sagemaker:ListHyperParameterTuningJobs",
        "sagemaker:ListTrainingJobsForHyperParameterTuningJob", "sagemaker:StopHyperParameterTuningJob",
        "sagemaker:DeleteHyperParameterTuningJob"];
    what_is_missing_is_named (Free) ["sagemaker:DescribeHyperParameterTuningJob",
        "sagemaker:StopHyperParameterTuningJob", "sagemaker:ListTrainingJobsForHyperParameterTuningJob"];
}

/// As the image tells it in its log.
const METRIC: &str = "validation:mse";

type Tune = aws_sdk_sagemaker::operation::create_hyper_parameter_tuning_job::builders::CreateHyperParameterTuningJobFluentBuilder;

/// A job that trains with each of two values of `l2`, on the rows below a URI.
fn tune(world: &World, name: &str, rows: &str, models: &str) -> Tune {
    let values = CategoricalParameterRange::builder().name("l2").values("0.1").values("10").build();
    let objective = HyperParameterTuningJobObjective::builder()
        .r#type(HyperParameterTuningJobObjectiveType::Minimize)
        .metric_name(METRIC)
        .build();
    let config = HyperParameterTuningJobConfig::builder()
        .strategy(HyperParameterTuningJobStrategyType::Grid)
        .hyper_parameter_tuning_job_objective(objective)
        .resource_limits(ResourceLimits::builder().max_parallel_training_jobs(2).build())
        .parameter_ranges(ParameterRanges::builder().categorical_parameter_ranges(values).build())
        .build();
    let algorithm = HyperParameterAlgorithmSpecification::builder()
        .training_image(&world.account.image)
        .training_input_mode(TrainingInputMode::File)
        .metric_definitions(MetricDefinition::builder().name(METRIC).regex(format!("{METRIC}=([0-9.e-]+)")).build())
        .build();
    let resources = ResourceConfig::builder()
        .instance_count(1)
        .instance_type(TrainingInstanceType::MlM5Large)
        .volume_size_in_gb(1)
        .build();
    let definition = HyperParameterTrainingJobDefinition::builder()
        .algorithm_specification(algorithm)
        .role_arn(&world.account.role)
        .set_input_data_config(Some(jobs::channels(rows)))
        .output_data_config(OutputDataConfig::builder().s3_output_path(models).build())
        .resource_config(resources)
        .stopping_condition(StoppingCondition::builder().max_runtime_in_seconds(3600).build())
        .build();
    let create = world.clients.sagemaker.create_hyper_parameter_tuning_job().hyper_parameter_tuning_job_name(name);
    create.hyper_parameter_tuning_job_config(config).training_job_definition(definition).tags(world.tag())
}

async fn a_grid_is_tried_and_the_best_is_named(world: &World) -> anyhow::Result<()> {
    let (_, rows) = jobs::preprocess(world).await?;
    let sagemaker = &world.clients.sagemaker;
    // The names of tuning jobs have at most 32 characters.
    let (name, models) = (world.name("tune"), world.output("tuned"));
    world.will_make(Made::TuningJob(name.clone()));
    let made = tune(world, &name, &rows, &models).send().await?;
    let arn = world.arn(&format!("hyper-parameter-tuning-job/{name}"));
    ensure!(made.hyper_parameter_tuning_job_arn() == Some(&arn), "{made:?}");
    let taken = format!("A hyperparameter tuning job with the name, {name}, already exists. Choose a different name.");
    refused(tune(world, &name, &rows, &models).send().await, "ResourceInUse", &taken)?;
    let describe = || sagemaker.describe_hyper_parameter_tuning_job().hyper_parameter_tuning_job_name(&name).send();
    let status = world
        .until("a tuning job to end", async || {
            let status = describe().await?.hyper_parameter_tuning_job_status().cloned();
            Ok(status.filter(|status| ![Status::InProgress, Status::Stopping].contains(status)))
        })
        .await?;
    let found = describe().await?;
    ensure!(status == Status::Completed, "{found:?}");
    let completed =
        found.training_job_status_counters().and_then(aws_sdk_sagemaker::types::TrainingJobStatusCounters::completed);
    ensure!(completed == Some(2), "every combination is tried once: {found:?}");

    let list = sagemaker.list_training_jobs_for_hyper_parameter_tuning_job().hyper_parameter_tuning_job_name(&name);
    let tried = list.sort_by(TrainingJobSortByOptions::FinalObjectiveMetricValue).send().await?;
    let [first, second] = tried.training_job_summaries() else { anyhow::bail!("there are two: {tried:?}") };
    let value = |job: &aws_sdk_sagemaker::types::HyperParameterTrainingJobSummary| {
        job.final_hyper_parameter_tuning_job_objective_metric()
            .and_then(aws_sdk_sagemaker::types::FinalHyperParameterTuningJobObjectiveMetric::value)
    };
    ensure!(value(first).is_some() && value(first) <= value(second), "the least first: {tried:?}");
    let best = found.best_training_job().context("the best is named")?;
    ensure!(value(best) == value(first), "{best:?}");
    let tuned = best.tuned_hyper_parameters().and_then(|tuned| tuned.get("l2")).context("what was tuned")?;
    ensure!(["0.1", "10"].contains(&tuned.trim_matches('"')), "{tuned}");
    let trained = best.training_job_name().unwrap_or_default();
    let trained = sagemaker.describe_training_job().training_job_name(trained).send().await?;
    ensure!(trained.tuning_job_arn() == Some(&arn), "{trained:?}");

    let listed = sagemaker.list_hyper_parameter_tuning_jobs().name_contains(&name).send().await?;
    ensure!(listed.hyper_parameter_tuning_job_summaries().len() == 1, "{listed:?}");
    let stop = sagemaker.stop_hyper_parameter_tuning_job().hyper_parameter_tuning_job_name(&name).send().await;
    refused(stop, "ValidationException", "")?;
    sagemaker.delete_hyper_parameter_tuning_job().hyper_parameter_tuning_job_name(&name).send().await?;
    refused(describe().await, "ResourceNotFound", "")?;
    // Its training jobs stay.
    let kept = sagemaker.list_training_jobs().name_contains(&name).send().await?;
    ensure!(kept.training_job_summaries().len() == 2, "{kept:?}");
    Ok(())
}

async fn what_is_missing_is_named(world: &World) -> anyhow::Result<()> {
    let (sagemaker, name, code) = (&world.clients.sagemaker, world.name("none"), "ResourceNotFound");
    let sentence = format!("Amazon SageMaker can't find a tuning job called {name}. Type another name.");
    let describe = sagemaker.describe_hyper_parameter_tuning_job().hyper_parameter_tuning_job_name(&name);
    refused(describe.send().await, code, &sentence)?;
    let stop = sagemaker.stop_hyper_parameter_tuning_job().hyper_parameter_tuning_job_name(&name);
    refused(stop.send().await, code, "")?;
    let list = sagemaker.list_training_jobs_for_hyper_parameter_tuning_job().hyper_parameter_tuning_job_name(&name);
    refused(list.send().await, code, "")
}
