//! ECR: repositories of container images, and the registry behind them that `docker push` and its like speak to.
//!
//! | module | what it knows |
//! |---|---|
//! | `repository` | repositories, their settings and tags |
//! | `image` | the images of a repository |
//! | `layer` | the blobs that images are made of |
//! | `put_image` | how an image comes to be on record |
//! | `pull` | what SageMaker finds of the image that a job or a model names |
//! | `policy` | the policies of a repository |
//! | `token` | what a client of the registry signs in with |
//! | [`registry`] | the registry's own protocol, under `/v2/` |

mod image;
pub(crate) mod layer;
mod policy;
mod pull;
mod put_image;
pub mod registry;
mod repository;
mod token;

use serde_json::{Value, json};

use crate::fake::Context;
use crate::protocol::Service;
use crate::{ApiError, authorisation, pages};

pub use image::Image;
pub use layer::Layer;
pub use pull::Strictness;
pub(crate) use pull::{NoImage, check_media_type, look_up};
pub use repository::Repository;

/// An operation: its input as JSON, its output as JSON.
type Operation = fn(&Context<'_>, &Value) -> Result<Value, ApiError>;

/// The operations that are served, by name.
const OPERATIONS: &[(&str, Operation)] = &[
    ("GetAuthorizationToken", token::get),
    ("CreateRepository", repository::create),
    ("DescribeRepositories", repository::describe),
    ("DeleteRepository", repository::delete),
    ("PutImageTagMutability", repository::put_image_tag_mutability),
    ("PutImageScanningConfiguration", repository::put_image_scanning_configuration),
    ("ListTagsForResource", repository::list_tags),
    ("TagResource", repository::tag),
    ("UntagResource", repository::untag),
    ("GetRepositoryPolicy", policy::get),
    ("SetRepositoryPolicy", policy::set),
    ("DeleteRepositoryPolicy", policy::delete),
    ("GetLifecyclePolicy", policy::get_lifecycle),
    ("PutLifecyclePolicy", policy::put_lifecycle),
    ("DeleteLifecyclePolicy", policy::delete_lifecycle),
    ("DescribeImages", image::describe),
    ("ListImages", image::list),
    ("BatchGetImage", image::batch_get),
    ("PutImage", put_image::put_image),
    ("BatchDeleteImage", image::batch_delete),
    ("BatchCheckLayerAvailability", layer::batch_check),
];

/// Calls an operation by its name: validated, authorised, then done.
///
/// # Errors
/// Those of the operation; `UnknownOperationException` for one that is not served.
pub fn call(context: &Context<'_>, operation: &str, input: &Value) -> Result<Value, ApiError> {
    let Some((_, act)) = OPERATIONS.iter().find(|(name, _)| *name == operation) else {
        return Err(ApiError::new("UnknownOperationException", format!("ECR.{operation} is not served by this fake")));
    };
    Service::Ecr.api().check_input(operation, input, "InvalidParameterException")?;
    let registry = input["registryId"].as_str();
    if let Some(other) = registry.filter(|registry| *registry != context.fake.account()) {
        return Err(repository::not_found(input["repositoryName"].as_str().unwrap_or_default(), other));
    }
    authorisation::check(context, Service::Ecr, operation, input)?;
    act(context, input)
}

/// The items from where `nextToken` says, as many as `maxResults` does, and the token of the next page.
fn page<T>(input: &Value, items: Vec<T>, name: impl Fn(&T) -> String) -> (Vec<T>, Option<String>) {
    let size = input["maxResults"].as_u64().and_then(|size| usize::try_from(size).ok()).unwrap_or(100);
    let last = input["nextToken"].as_str().and_then(pages::key_in);
    pages::after(last.as_deref(), size, items, name)
}

/// An output with the token of the next page, if there is one.
fn with_token(mut output: Value, token: Option<String>) -> Value {
    if let Some(token) = token {
        output["nextToken"] = json!(token);
    }
    output
}
