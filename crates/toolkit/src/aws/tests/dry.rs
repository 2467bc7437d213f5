//! Nothing that changes anything gets out in a dry run.

use aws_smithy_http_client::test_util::NeverClient;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::*;
use crate::aws::errors::describe;
use crate::aws::{Clients, Mode};

/// What came of a call: its failure in words.
fn said<T, E>(answer: Result<T, SdkError<E, HttpResponse>>) -> String
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    match answer {
        Ok(_) => "it was answered".to_owned(),
        Err(error) => describe("Call", error).to_string(),
    }
}

/// Every call of the toolkit that changes something.
macro_rules! mutating {
    ($clients:ident, $check:ident: $($service:ident . $operation:ident ( $($set:ident : $value:expr),* ) = $name:literal,)+) => {
        $( $check($name, said($clients.$service.$operation()$(.$set($value))*.send().await)); )+
    };
}

#[tokio::test]
async fn every_mutating_call_is_refused_before_it_is_sent() {
    let never = NeverClient::new();
    let clients = Clients::new(&config(SharedHttpClient::new(never.clone())).await, Mode::Dry);
    let check = |name: &str, said: String| {
        assert_eq!(said, format!("{name} is not known to only read, and was not sent in a dry run"));
    };
    mutating!(clients, check:
        s3.create_bucket(bucket: "b") = "S3:CreateBucket",
        s3.put_bucket_tagging(bucket: "b") = "S3:PutBucketTagging",
        s3.put_public_access_block(bucket: "b") = "S3:PutPublicAccessBlock",
        s3.put_bucket_encryption(bucket: "b") = "S3:PutBucketEncryption",
        s3.put_bucket_policy(bucket: "b", policy: "{}") = "S3:PutBucketPolicy",
        s3.put_object(bucket: "b", key: "k") = "S3:PutObject",
        s3.delete_object(bucket: "b", key: "k") = "S3:DeleteObject",
        sagemaker.create_model_package_group(model_package_group_name: "g") = "SageMaker:CreateModelPackageGroup",
        sagemaker.create_pipeline(pipeline_name: "p") = "SageMaker:CreatePipeline",
        sagemaker.update_pipeline(pipeline_name: "p") = "SageMaker:UpdatePipeline",
        sagemaker.delete_pipeline(pipeline_name: "p") = "SageMaker:DeletePipeline",
        sagemaker.add_tags(resource_arn: "a") = "SageMaker:AddTags",
        sagemaker.start_pipeline_execution(pipeline_name: "p") = "SageMaker:StartPipelineExecution",
        sagemaker.stop_pipeline_execution(pipeline_execution_arn: "a") = "SageMaker:StopPipelineExecution",
        sagemaker.retry_pipeline_execution(pipeline_execution_arn: "a") = "SageMaker:RetryPipelineExecution",
        sts.get_session_token() = "STS:GetSessionToken",
    );
    let logs =
        signed::Client::new(&config(SharedHttpClient::new(never.clone())).await, "CloudWatch Logs", "logs", Mode::Dry);
    let put = logs.call("Logs_20140328", "PutLogEvents", &serde_json::json!({})).await;
    check("CloudWatch Logs:PutLogEvents", said(put));
    assert_eq!(never.num_calls(), 0, "something was sent");
}

#[tokio::test]
async fn reads_pass() {
    let answers = [(200, "{}"), (200, "{}"), (200, "<ListBucketResult/>"), (200, ""), (200, "{}")];
    let http = replay(answers.map(|(status, body)| (status, body.to_owned())));
    let clients = Clients::new(&config(SharedHttpClient::new(http.clone())).await, Mode::Dry);
    assert_eq!(said(clients.sagemaker.describe_pipeline().pipeline_name("p").send().await), "it was answered");
    assert_eq!(said(clients.sagemaker.list_pipelines().send().await), "it was answered");
    assert_eq!(said(clients.s3.list_objects_v2().bucket("b").send().await), "it was answered");
    assert_eq!(said(clients.s3.head_bucket().bucket("b").send().await), "it was answered");
    clients.logs.events("g", "s", None).await.unwrap();
    assert_eq!(http.actual_requests().count(), 5);
}

use crate::aws::signed;
