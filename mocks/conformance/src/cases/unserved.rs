//! What the fake does not serve is refused by name. On AWS these cases prove only that the error of an operation that does
//! not exist has the same shape.

use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use serde_json::json;

use crate::World;
use crate::case::Cost::Free;
use crate::case::cases;

cases! { "unserved":
    an_operation_that_does_not_exist_is_refused_by_name (Free) [];
}

async fn an_operation_that_does_not_exist_is_refused_by_name(world: &World) -> anyhow::Result<()> {
    let error = world.clients.sagemaker_json.call("SageMaker", "CreateSomethingThatIsNot", &json!({})).await.err();
    let code = error.as_ref().and_then(ProvideErrorMetadata::code).unwrap_or_default().to_owned();
    anyhow::ensure!(code == "UnknownOperationException", "{error:?}");
    Ok(())
}
