//! The third depth: calls as the role that change nothing. Whether a thing is there does not matter: who may not look
//! does not get as far as to be told.

use std::future::Future;
use std::pin::Pin;

use futures::future::join_all;

use super::{Answer, By, Depth, Judgement};
use crate::aws::errors::describe;
use crate::doctor::role::Session;
use crate::error::Failure;
use crate::site::Site;

type Probe<'a> = (&'static str, Pin<Box<dyn Future<Output = Result<(), Failure>> + Send + 'a>>);

/// A call of SageMaker's, and the action that it needs.
macro_rules! probe {
    ($action:literal, $call:expr) => {
        ($action, {
            let call = $call.send();
            Box::pin(async move { call.await.map(drop).map_err(|error| describe($action, error)) }) as _
        })
    };
}

impl Judgement {
    /// Tries what can be tried.
    pub(super) async fn probe(&mut self, site: &Site, session: &Session) {
        let (s3, sagemaker, logs) = (&session.clients.s3, &session.clients.sagemaker, &session.clients.logs);
        let (endpoint, schedule) = (format!("{}-endpoint", site.prefix), format!("{}-model-quality", site.prefix));
        let nothing = format!("{}-doctor", site.prefix);
        let execution = site.execution_arn("000000000000");
        let probes: Vec<Probe<'_>> = vec![
            probe!(
                "s3:ListBucket",
                s3.list_objects_v2().bucket(&site.bucket).max_keys(1).expected_bucket_owner(&site.account)
            ),
            probe!("sagemaker:DescribePipeline", sagemaker.describe_pipeline().pipeline_name(&site.pipeline)),
            probe!(
                "sagemaker:ListPipelineExecutions",
                sagemaker.list_pipeline_executions().pipeline_name(&site.pipeline)
            ),
            probe!(
                "sagemaker:DescribePipelineExecution",
                sagemaker.describe_pipeline_execution().pipeline_execution_arn(execution)
            ),
            probe!("sagemaker:DescribeTrainingJob", sagemaker.describe_training_job().training_job_name(&nothing)),
            probe!(
                "sagemaker:DescribeProcessingJob",
                sagemaker.describe_processing_job().processing_job_name(&nothing)
            ),
            probe!(
                "sagemaker:DescribeModelPackageGroup",
                sagemaker.describe_model_package_group().model_package_group_name(&site.package_group)
            ),
            probe!("sagemaker:DescribeModel", sagemaker.describe_model().model_name(&nothing)),
            probe!(
                "sagemaker:DescribeEndpointConfig",
                sagemaker.describe_endpoint_config().endpoint_config_name(&nothing)
            ),
            probe!("sagemaker:DescribeEndpoint", sagemaker.describe_endpoint().endpoint_name(&endpoint)),
            probe!(
                "sagemaker:DescribeMonitoringSchedule",
                sagemaker.describe_monitoring_schedule().monitoring_schedule_name(&schedule)
            ),
            probe!(
                "sagemaker:DescribeModelQualityJobDefinition",
                sagemaker.describe_model_quality_job_definition().job_definition_name(&schedule)
            ),
            (
                "logs:DescribeLogStreams",
                Box::pin(async { logs.streams("/aws/sagemaker/ProcessingJobs", &nothing).await.map(drop) }),
            ),
        ];
        let (actions, calls): (Vec<_>, Vec<_>) = probes.into_iter().unzip();
        let answers: Vec<_> = actions.into_iter().zip(join_all(calls).await).collect();
        for (need, answer) in &mut self.answers {
            *answer = match answers.iter().find(|(action, _)| *action == need.action) {
                Some((_, answered)) => meaning(answered.as_ref().err()),
                None => Answer::Unknown("only a call that changes things would tell".to_owned()),
            };
        }
        (self.depth, self.identity) = (Depth::Probed, session.arn.clone());
    }
}

/// What a refusal of a harmless call means; whatever else is answered, the call was allowed.
fn meaning(refusal: Option<&Failure>) -> Answer {
    match refusal {
        Some(failure) if failure.is_transient() || failure.aws_code().is_none() => Answer::Unknown(failure.to_string()),
        Some(failure) if super::super::finding::is_denied(failure) => {
            let said = failure.to_string();
            Answer::Refused(match () {
                () if said.contains("permissions boundary") => By::Boundary,
                () if said.contains("service control policy") => By::Organization,
                () if said.contains("explicit deny") => By::Deny,
                () => By::Silence,
            })
        }
        _ => Answer::Allowed,
    }
}
