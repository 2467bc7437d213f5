//! The model registry and the pipeline: what cleaning up removes.

use super::Executor;
use super::serving::unless_gone;
use crate::error::Failure;

impl Executor<'_> {
    pub(super) async fn delete_model_package(&self, arn: &str) -> Result<(), Failure> {
        let done = self.clients.sagemaker.delete_model_package().model_package_name(arn).send().await;
        unless_gone("DeleteModelPackage", done)
    }

    pub(super) async fn delete_model_package_group(&self, name: &str) -> Result<(), Failure> {
        let done = self.clients.sagemaker.delete_model_package_group().model_package_group_name(name).send().await;
        unless_gone("DeleteModelPackageGroup", done)
    }

    pub(super) async fn delete_pipeline(&self, name: &str) -> Result<(), Failure> {
        // SageMaker wants a token on every such call; there is one deletion of a name at a time.
        let done = self.clients.sagemaker.delete_pipeline().pipeline_name(name);
        let done = done.client_request_token(format!("delete-{name}-with-stsmodelmonitor-tool")).send().await;
        unless_gone("DeletePipeline", done)
    }
}
