//! What cases make, and how each is removed again.

use std::fmt;

use aws_sdk_sagemaker::types::PipelineExecutionStatus as Execution;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use crate::World;

/// Something that was made, or was about to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Made {
    /// An object of the bucket.
    Object(String),
    /// All objects of the bucket below a prefix.
    Prefix(String),
    /// A bucket, with what is in it.
    Bucket(String),
    /// A pipeline, whose executions are stopped first.
    Pipeline(String),
    /// A model package group, with its packages and its policy.
    Group(String),
    /// A model package that is on its own.
    Package(String),
    Model(String),
    EndpointConfig(String),
    Endpoint(String),
    ProcessingJob(String),
    TrainingJob(String),
    /// A batch transform job, which AWS keeps for good: it is stopped.
    TransformJob(String),
    /// A tuning job, with its training jobs.
    TuningJob(String),
    Definition(String),
    Schedule(String),
    Role(String),
    Alarm(String),
}

impl fmt::Display for Made {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, name) = match self {
            Self::Object(name) => ("object", name),
            Self::Prefix(name) => ("objects below", name),
            Self::Bucket(name) => ("bucket", name),
            Self::Pipeline(name) => ("pipeline", name),
            Self::Group(name) => ("model package group", name),
            Self::Package(name) => ("model package", name),
            Self::Model(name) => ("model", name),
            Self::EndpointConfig(name) => ("endpoint configuration", name),
            Self::Endpoint(name) => ("endpoint", name),
            Self::ProcessingJob(name) => ("processing job", name),
            Self::TrainingJob(name) => ("training job", name),
            Self::TransformJob(name) => ("transform job", name),
            Self::TuningJob(name) => ("tuning job", name),
            Self::Definition(name) => ("model quality job definition", name),
            Self::Schedule(name) => ("monitoring schedule", name),
            Self::Role(name) => ("role", name),
            Self::Alarm(name) => ("alarm", name),
        };
        write!(f, "{kind} {name}")
    }
}

impl Made {
    /// Removes it; that it is not there is fine.
    pub(crate) async fn remove(&self, world: &World) -> anyhow::Result<()> {
        let sagemaker = &world.clients.sagemaker;
        match self {
            Self::Object(key) => {
                let (s3, bucket) = (&world.clients.s3, &world.account.bucket);
                gone(s3.delete_object().bucket(bucket).key(key).send().await)
            }
            Self::Prefix(prefix) => empty(world, &world.account.bucket, prefix).await,
            Self::Bucket(bucket) => {
                if world.clients.s3.head_bucket().bucket(bucket).send().await.is_err() {
                    return Ok(());
                }
                empty(world, bucket, "").await?;
                gone(world.clients.s3.delete_bucket().bucket(bucket).send().await)
            }
            Self::Pipeline(name) => {
                stop_executions(world, name).await?;
                gone(sagemaker.delete_pipeline().pipeline_name(name).client_request_token(world.token()).send().await)
            }
            Self::Group(name) => {
                let mut pages =
                    sagemaker.list_model_packages().model_package_group_name(name).into_paginator().items().send();
                while let Some(Ok(package)) = pages.next().await {
                    let arn = package.model_package_arn().unwrap_or_default();
                    gone(sagemaker.delete_model_package().model_package_name(arn).send().await)?;
                }
                gone(sagemaker.delete_model_package_group().model_package_group_name(name).send().await)
            }
            Self::Package(name) => gone(sagemaker.delete_model_package().model_package_name(name).send().await),
            Self::Model(name) => gone(sagemaker.delete_model().model_name(name).send().await),
            Self::EndpointConfig(name) => {
                gone(sagemaker.delete_endpoint_config().endpoint_config_name(name).send().await)
            }
            Self::Endpoint(name) => {
                // What is still being made cannot be deleted yet.
                world
                    .until("an endpoint that can be deleted", async || {
                        let deleted = sagemaker.delete_endpoint().endpoint_name(name).send().await;
                        let busy = deleted
                            .as_ref()
                            .is_err_and(|error| error.message().is_some_and(|message| message.contains("in-progress")));
                        if busy { Ok(None) } else { gone(deleted).map(Some) }
                    })
                    .await?;
                world
                    .until("an endpoint to be gone", async || {
                        let found = sagemaker.describe_endpoint().endpoint_name(name).send().await;
                        Ok(found.is_err().then_some(()))
                    })
                    .await
            }
            Self::ProcessingJob(name) => {
                // A job that has ended cannot be stopped.
                drop(sagemaker.stop_processing_job().processing_job_name(name).send().await);
                world
                    .until("a processing job that can be deleted", async || {
                        let deleted = sagemaker.delete_processing_job().processing_job_name(name).send().await;
                        let busy = deleted.as_ref().is_err_and(|error| error.code() == Some("ResourceInUse"));
                        if busy { Ok(None) } else { gone(deleted).map(Some) }
                    })
                    .await
            }
            Self::TrainingJob(name) => remove_training_job(world, name).await,
            Self::TransformJob(name) => {
                drop(sagemaker.stop_transform_job().transform_job_name(name).send().await);
                Ok(())
            }
            Self::TuningJob(name) => {
                drop(sagemaker.stop_hyper_parameter_tuning_job().hyper_parameter_tuning_job_name(name).send().await);
                world
                    .until("a tuning job that can be deleted", async || {
                        let delete = sagemaker.delete_hyper_parameter_tuning_job();
                        let deleted = delete.hyper_parameter_tuning_job_name(name).send().await;
                        let busy = deleted
                            .as_ref()
                            .is_err_and(|error| error.message().is_some_and(|said| said.contains("is in status")));
                        if busy { Ok(None) } else { gone(deleted).map(Some) }
                    })
                    .await?;
                // Their names begin with its own.
                let list = sagemaker.list_training_jobs().name_contains(format!("{name}-"));
                let mut jobs = list.into_paginator().items().send();
                while let Some(Ok(job)) = jobs.next().await {
                    remove_training_job(world, job.training_job_name().unwrap_or_default()).await?;
                }
                Ok(())
            }
            Self::Definition(name) => {
                gone(sagemaker.delete_model_quality_job_definition().job_definition_name(name).send().await)
            }
            Self::Schedule(name) => {
                world
                    .until("a schedule that can be deleted", async || {
                        let deleted =
                            sagemaker.delete_monitoring_schedule().monitoring_schedule_name(name).send().await;
                        let busy = deleted.as_ref().is_err_and(|error| {
                            error.message().is_some_and(|said| said.contains("Pending") || said.contains("in-progress"))
                        });
                        if busy { Ok(None) } else { gone(deleted).map(Some) }
                    })
                    .await
            }
            Self::Role(name) => {
                let form = vec![("RoleName".to_owned(), name.clone())];
                gone(world.clients.iam.ask("2010-05-08", "DeleteRole", &form).await)
            }
            Self::Alarm(name) => {
                let form = vec![("AlarmNames.member.1".to_owned(), name.clone())];
                gone(world.clients.cloudwatch.ask("2010-08-01", "DeleteAlarms", &form).await)
            }
        }
    }
}

/// An answer to a deletion: that there was nothing is as good.
fn gone<T, E>(deleted: Result<T, E>) -> anyhow::Result<()>
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let Err(error) = deleted else { return Ok(()) };
    let message = error.message().unwrap_or_default().to_lowercase();
    let code = error.code().unwrap_or_default();
    let absent = ["ResourceNotFound", "NoSuchEntity", "NoSuchKey", "NoSuchBucket"].contains(&code)
        || ["does not exist", "could not find", "not found", "cannot find", "can't find"]
            .iter()
            .any(|words| message.contains(words));
    if absent { Ok(()) } else { Err(error.into()) }
}

async fn remove_training_job(world: &World, name: &str) -> anyhow::Result<()> {
    let sagemaker = &world.clients.sagemaker;
    drop(sagemaker.stop_training_job().training_job_name(name).send().await);
    world
        .until("a training job that can be deleted", async || {
            let deleted = sagemaker.delete_training_job().training_job_name(name).send().await;
            let busy = deleted.as_ref().is_err_and(|error| error.code() == Some("ResourceInUse"));
            if busy { Ok(None) } else { gone(deleted).map(Some) }
        })
        .await
}

async fn empty(world: &World, bucket: &str, prefix: &str) -> anyhow::Result<()> {
    let s3 = &world.clients.s3;
    let mut pages = s3.list_objects_v2().bucket(bucket).prefix(prefix).into_paginator().send();
    while let Some(page) = pages.next().await {
        for object in page?.contents() {
            gone(s3.delete_object().bucket(bucket).key(object.key().unwrap_or_default()).send().await)?;
        }
    }
    Ok(())
}

async fn stop_executions(world: &World, pipeline: &str) -> anyhow::Result<()> {
    let sagemaker = &world.clients.sagemaker;
    let mut items = sagemaker.list_pipeline_executions().pipeline_name(pipeline).into_paginator().items().send();
    while let Some(Ok(execution)) = items.next().await {
        let arn = execution.pipeline_execution_arn().unwrap_or_default();
        if execution.pipeline_execution_status() == Some(&Execution::Executing) {
            let stop = sagemaker.stop_pipeline_execution().pipeline_execution_arn(arn);
            drop(stop.client_request_token(world.token()).send().await);
        }
        world
            .until("an execution to stop", async || {
                let found = sagemaker.describe_pipeline_execution().pipeline_execution_arn(arn).send().await?;
                let runs = [Some(&Execution::Executing), Some(&Execution::Stopping)];
                Ok((!runs.contains(&found.pipeline_execution_status())).then_some(()))
            })
            .await?;
    }
    Ok(())
}
