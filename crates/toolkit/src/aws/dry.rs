//! A dry run is enforced, not promised: whatever is not known to only read is refused before it is sent.

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::BeforeSerializationInterceptorContextRef;
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;

/// Whether anything may be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Calls are made as asked.
    Live,
    /// Only calls that read are made.
    Dry,
}

impl Mode {
    /// The mode that `--dry` asks for.
    #[must_use]
    pub fn dry(dry: bool) -> Self {
        if dry { Self::Dry } else { Self::Live }
    }
}

/// A call that was refused in a dry run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{service}:{operation} is not known to only read, and was not sent in a dry run")]
pub struct Refused {
    /// The service, e.g. `SageMaker`.
    pub service: String,
    /// The operation, e.g. `CreatePipeline`.
    pub operation: String,
}

/// Lets calls pass that only read.
#[derive(Debug)]
pub struct ReadsOnly;

#[dyn_dispatch_hint]
impl Intercept for ReadsOnly {
    fn name(&self) -> &'static str {
        "ReadsOnly"
    }

    /// Before this hook the operation is not known; after it credentials would be looked for.
    fn read_before_serialization(
        &self,
        _: &BeforeSerializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let (service, operation) = config.load::<Metadata>().map_or(("?", "?"), |it| (it.service(), it.name()));
        if only_reads(service, operation) {
            return Ok(());
        }
        Err(Refused { service: service.to_owned(), operation: operation.to_owned() }.into())
    }
}

/// The list of what may pass. AWS names its operations by their first word, and these words never change anything in
/// the services that the toolkit calls.
fn only_reads(service: &str, operation: &str) -> bool {
    match service {
        "STS" => matches!(operation, "GetCallerIdentity" | "AssumeRole"),
        "IAM" if operation == "SimulatePrincipalPolicy" => true,
        "ECR" if operation == "BatchGetImage" => true,
        _ => ["Describe", "List", "Get", "Head"].iter().any(|word| operation.starts_with(word)),
    }
}
