//! ECR: the repository of the image, the image in it, and what its registry is signed in with.

use std::collections::BTreeMap;
use std::fmt;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::errors::describe;
use super::signed::{self, ServiceError};
use crate::error::Failure;
use crate::plan::Tag;

const API: &str = "AmazonEC2ContainerRegistry_V20150921";

/// What a manifest may be: whatever there is shall be shown, and not converted.
pub(crate) const MANIFESTS: [&str; 4] = [
    container_image::manifest::MANIFEST_TYPE,
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.oci.image.index.v1+json",
];

/// ECR.
#[derive(Debug, Clone)]
pub struct Client(signed::Client);

/// A repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repository {
    /// Its ARN.
    pub arn: String,
    /// Whether a tag stays with the image that it was given to.
    pub immutable: bool,
    /// Whether what is pushed is scanned for vulnerabilities.
    pub scan_on_push: bool,
}

/// An image of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// That of its manifest: `sha256:...`.
    pub digest: String,
    /// That of its manifest.
    pub media_type: String,
}

/// How the registry is signed in at. The password is as good as the session that asked for it.
#[derive(Clone, PartialEq, Eq)]
pub struct SignIn {
    /// The registry, as a URL.
    pub endpoint: String,
    /// The user: `AWS`.
    pub user: String,
    /// The password.
    pub password: String,
}

impl fmt::Debug for SignIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignIn").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

impl Client {
    pub(super) fn new(client: signed::Client) -> Self {
        Self(client)
    }

    /// How the registry of the account is signed in at.
    ///
    /// # Errors
    /// When the call is refused, or its answer is none.
    pub async fn sign_in(&self) -> Result<SignIn, Failure> {
        const CALL: &str = "GetAuthorizationToken";
        let answer = self.0.call(API, CALL, &json!({})).await.map_err(|error| describe(CALL, error))?;
        let given = &answer["authorizationData"][0];
        let token = given["authorizationToken"].as_str().and_then(|token| STANDARD.decode(token).ok());
        let token = token.and_then(|token| String::from_utf8(token).ok());
        let signed = token.as_deref().and_then(|token| token.split_once(':'));
        match (signed, given["proxyEndpoint"].as_str()) {
            (Some((user, password)), Some(endpoint)) => {
                Ok(SignIn { endpoint: endpoint.to_owned(), user: user.to_owned(), password: password.to_owned() })
            }
            _ => Err(Failure::operation(format!("{CALL} was answered without a token")).hint(super::hints::ENDPOINT)),
        }
    }

    /// The repository; nothing if there is none.
    ///
    /// # Errors
    /// When the call is refused.
    pub async fn repository(&self, account: &str, name: &str) -> Result<Option<Repository>, Failure> {
        const CALL: &str = "DescribeRepositories";
        let answer = self.0.call(API, CALL, &json!({"registryId": account, "repositoryNames": [name]})).await;
        let found = unless_absent(CALL, answer)?.map(|mut answer| answer["repositories"][0].take());
        Ok(found.filter(Value::is_object).map(|found| Repository {
            arn: found["repositoryArn"].as_str().unwrap_or_default().to_owned(),
            // With exclusions it is immutable but for some tags.
            immutable: found["imageTagMutability"].as_str().is_some_and(|it| it.starts_with("IMMUTABLE")),
            scan_on_push: found["imageScanningConfiguration"]["scanOnPush"] == true,
        }))
    }

    /// The tags of a repository, by its ARN; nothing if there is none.
    ///
    /// # Errors
    /// When the call is refused.
    pub async fn tags(&self, arn: &str) -> Result<Option<BTreeMap<String, String>>, Failure> {
        const CALL: &str = "ListTagsForResource";
        let answer = unless_absent(CALL, self.0.call(API, CALL, &json!({"resourceArn": arn})).await)?;
        let text = |tag: &Value, name: &str| tag[name].as_str().unwrap_or_default().to_owned();
        let tags = |answer: Value| answer["tags"].as_array().cloned().unwrap_or_default();
        Ok(answer.map(|answer| tags(answer).iter().map(|tag| (text(tag, "Key"), text(tag, "Value"))).collect()))
    }

    /// The image of this tag or digest; nothing if there is none, or no such repository.
    ///
    /// # Errors
    /// When the call is refused: who may not read a manifest may not pull the image either.
    pub async fn image(&self, account: &str, repository: &str, reference: &str) -> Result<Option<Image>, Failure> {
        const CALL: &str = "BatchGetImage";
        let id = if reference.starts_with("sha256:") { "imageDigest" } else { "imageTag" };
        let input = json!({
            "registryId": account, "repositoryName": repository,
            "imageIds": [{id: reference}], "acceptedMediaTypes": MANIFESTS,
        });
        let Some(answer) = unless_absent(CALL, self.0.call(API, CALL, &input).await)? else { return Ok(None) };
        let failed = &answer["failures"][0];
        match (&answer["images"][0], failed["failureCode"].as_str()) {
            (image @ Value::Object(_), _) => {
                let text = |member: &Value| member.as_str().unwrap_or_default().to_owned();
                Ok(Some(Image {
                    digest: text(&image["imageId"]["imageDigest"]),
                    media_type: text(&image["imageManifestMediaType"]),
                }))
            }
            (_, None | Some("ImageNotFound" | "InvalidImageDigest" | "InvalidImageTag")) => Ok(None),
            (_, Some(code)) => {
                let reason = failed["failureReason"].as_str().unwrap_or_default();
                Err(Failure::operation(format!("{CALL} was refused: {code}: {reason}")))
            }
        }
    }

    /// Makes a repository whose tags stay, and what is pushed to which is scanned. One that is there already stays as it
    /// is.
    ///
    /// # Errors
    /// When the call is refused.
    pub async fn create_repository(&self, name: &str, tags: &[Tag]) -> Result<(), Failure> {
        const CALL: &str = "CreateRepository";
        let tags: Vec<_> = tags.iter().map(|tag| json!({"Key": tag.key, "Value": tag.value})).collect();
        let input = json!({
            "repositoryName": name, "tags": tags,
            "imageTagMutability": "IMMUTABLE", "imageScanningConfiguration": {"scanOnPush": true},
        });
        match self.0.call(API, CALL, &input).await {
            // Somebody of our account was quicker, or the answer to our own call was lost.
            Err(error) if code(&error) == Some("RepositoryAlreadyExistsException") => Ok(()),
            made => made.map(drop).map_err(|error| describe(CALL, error)),
        }
    }

    /// Removes a repository with all its images; one that is gone is as it should be.
    ///
    /// # Errors
    /// When the call is refused.
    pub async fn delete_repository(&self, name: &str) -> Result<(), Failure> {
        const CALL: &str = "DeleteRepository";
        let answer = self.0.call(API, CALL, &json!({"repositoryName": name, "force": true})).await;
        unless_absent(CALL, answer).map(drop)
    }
}

/// The answer; nothing if there is no such repository.
fn unless_absent(
    call: &str,
    answer: Result<Value, SdkError<ServiceError, HttpResponse>>,
) -> Result<Option<Value>, Failure> {
    match answer {
        Err(error) if code(&error) == Some("RepositoryNotFoundException") => Ok(None),
        answer => answer.map(Some).map_err(|error| describe(call, error)),
    }
}

fn code(error: &SdkError<ServiceError, HttpResponse>) -> Option<&str> {
    error.as_service_error().and_then(ProvideErrorMetadata::code)
}
