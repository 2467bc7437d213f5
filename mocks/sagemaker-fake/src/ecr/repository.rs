//! Repositories, their settings and tags.

use std::collections::BTreeMap;

use iam_policy::generate;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Image, layer, page, with_token};
use crate::ApiError;
use crate::clock::Timestamp;
use crate::fake::Context;
use crate::store::{Change, Record, Records};
use crate::wildcard::fits;

/// The most tags that a repository may have.
const MOST_TAGS: usize = 50;

/// A repository of one region.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Repository {
    /// Where it is.
    pub region: String,
    /// `sts-container`, or `team/sts-container`.
    pub name: String,
    created: Timestamp,
    mutability: Mutability,
    scan_on_push: bool,
    encryption: Value,
    tags: BTreeMap<String, String>,
    /// Who else may use it, as JSON text.
    pub(super) policy: Option<String>,
    pub(super) lifecycle_policy: Option<String>,
}

impl Record for Repository {
    const KIND: &'static str = "repository";
    fn key(&self) -> String {
        key(&self.region, &self.name)
    }
}

fn key(region: &str, name: &str) -> String {
    format!("{region}/{name}")
}

impl Repository {
    fn arn(&self, account: &str) -> String {
        format!("arn:aws:ecr:{}:{account}:repository/{}", self.region, self.name)
    }

    fn described(&self, account: &str) -> Value {
        let (region, name) = (self.region.clone(), self.name.clone());
        let uri = generate::Repository { account: account.to_owned(), region, name }.uri();
        let mut described = json!({
            "repositoryArn": self.arn(account),
            "registryId": account,
            "repositoryName": self.name,
            "repositoryUri": uri,
            "createdAt": self.created,
            "imageScanningConfiguration": {"scanOnPush": self.scan_on_push},
            "encryptionConfiguration": self.encryption,
        });
        self.mutability.describe(&mut described);
        described
    }
}

/// Whether a tag stays with the image that it was given to first.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Mutability {
    /// As ECR calls it.
    name: String,
    /// Tags of which the contrary holds: patterns, with `*` for anything.
    exclusions: Vec<String>,
}

impl Mutability {
    fn read(input: &Value) -> Result<Self, ApiError> {
        let name = input["imageTagMutability"].as_str().unwrap_or("MUTABLE").to_owned();
        let filters = input["imageTagMutabilityExclusionFilters"].as_array().map_or(&[][..], Vec::as_slice);
        // The sentences are inferred.
        let wrong = match (name.ends_with("_WITH_EXCLUSION"), filters.is_empty()) {
            (true, true) => format!("imageTagMutabilityExclusionFilters must be given for {name}"),
            (false, false) => format!("imageTagMutabilityExclusionFilters cannot be given for {name}"),
            _ => {
                let exclusions = filters.iter().filter_map(|filter| filter["filter"].as_str().map(str::to_owned));
                return Ok(Self { name, exclusions: exclusions.collect() });
            }
        };
        Err(ApiError::new("InvalidParameterException", format!("Invalid parameter: {wrong}")))
    }

    fn describe(&self, output: &mut Value) {
        output["imageTagMutability"] = json!(self.name);
        if !self.exclusions.is_empty() {
            let filter = |filter: &String| json!({"filterType": "WILDCARD", "filter": filter});
            output["imageTagMutabilityExclusionFilters"] = self.exclusions.iter().map(filter).collect();
        }
    }

    fn holds(&self, tag: &str) -> bool {
        let excluded = self.exclusions.iter().any(|pattern| fits(pattern, tag));
        self.name.starts_with("IMMUTABLE") != excluded
    }
}

/// Whether there is a repository of this name.
///
/// # Errors
/// An internal failure when the store cannot be read.
pub(super) fn is_there(records: &impl Records, region: &str, name: &str) -> Result<bool, ApiError> {
    records.get::<Repository>(&key(region, name)).map(|found| found.is_some())
}

/// The repository of this name.
///
/// # Errors
/// `RepositoryNotFoundException`.
pub(super) fn existing(context: &Context<'_>, records: &impl Records, name: &str) -> Result<Repository, ApiError> {
    let found = records.get(&key(context.region, name))?;
    found.ok_or_else(|| not_found(name, context.fake.account()))
}

pub(super) fn not_found(name: &str, registry: &str) -> ApiError {
    ApiError::new(
        "RepositoryNotFoundException",
        format!("The repository with name '{name}' does not exist in the registry with id '{registry}'"),
    )
}

/// The name that a request is about.
pub(super) fn named(input: &Value) -> &str {
    input["repositoryName"].as_str().unwrap_or_default()
}

/// Changes the repository that a request is about.
pub(super) fn change<T>(
    context: &Context<'_>,
    input: &Value,
    f: impl FnOnce(&mut Repository) -> Result<T, ApiError>,
) -> Result<T, ApiError> {
    context.fake.store.write(|change| {
        let mut repository = existing(context, change, named(input))?;
        let value = f(&mut repository)?;
        change.put(&repository)?;
        Ok(value)
    })
}

pub(super) fn create(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let mut repository = Repository {
        region: context.region.to_owned(),
        name: named(input).to_owned(),
        created: context.fake.clock.now(),
        mutability: Mutability::read(input)?,
        scan_on_push: input["imageScanningConfiguration"]["scanOnPush"] == true,
        encryption: match &input["encryptionConfiguration"] {
            Value::Null => json!({"encryptionType": "AES256"}),
            given => given.clone(),
        },
        tags: BTreeMap::new(),
        policy: None,
        lifecycle_policy: None,
    };
    add_tags(&mut repository, &input["tags"])?;
    let account = context.fake.account();
    context.fake.store.write(|change| {
        if change.get::<Repository>(&repository.key())?.is_some() {
            return Err(ApiError::new(
                "RepositoryAlreadyExistsException",
                format!(
                    "The repository with name '{}' already exists in the registry with id '{account}'",
                    repository.name
                ),
            ));
        }
        change.put(&repository)?;
        Ok(json!({"repository": repository.described(account)}))
    })
}

pub(super) fn describe(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let account = context.fake.account();
    context.fake.store.read(|view| {
        let (found, token) = match input["repositoryNames"].as_array() {
            Some(names) => {
                let names = names.iter().filter_map(Value::as_str);
                (names.map(|name| existing(context, view, name)).collect::<Result<Vec<_>, _>>()?, None)
            }
            None => {
                let all = view.list::<Repository>(&format!("{}/", context.region))?;
                page(input, all, |repository| repository.name.clone())
            }
        };
        let described: Vec<_> = found.iter().map(|repository| repository.described(account)).collect();
        Ok(with_token(json!({"repositories": described}), token))
    })
}

pub(super) fn delete(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let account = context.fake.account();
    let (deleted, dropped) = context.fake.store.write(|change| {
        let repository = existing(context, change, named(input))?;
        let images = images_of(change, &repository)?;
        if !images.is_empty() && input["force"] != true {
            return Err(ApiError::new(
                "RepositoryNotEmptyException",
                format!(
                    "The repository with name '{}' in registry with id '{account}' cannot be deleted because it still contains images",
                    repository.name
                ),
            ));
        }
        for image in images {
            change.delete::<Image>(&image.key())?;
        }
        let dropped = layer::drop_all(change, &repository)?;
        change.delete::<Repository>(&repository.key())?;
        Ok((json!({"repository": repository.described(account)}), dropped))
    })?;
    layer::remove(context.fake, dropped);
    Ok(deleted)
}

/// The images of a repository.
pub(super) fn images_of(records: &impl Records, repository: &Repository) -> Result<Vec<Image>, ApiError> {
    records.list(&format!("{}@", repository.key()))
}

pub(super) fn put_image_tag_mutability(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let mutability = Mutability::read(input)?;
    change(context, input, |repository| {
        repository.mutability = mutability;
        let mut output = json!({"registryId": context.fake.account(), "repositoryName": repository.name});
        repository.mutability.describe(&mut output);
        Ok(output)
    })
}

pub(super) fn put_image_scanning_configuration(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    change(context, input, |repository| {
        repository.scan_on_push = input["imageScanningConfiguration"]["scanOnPush"] == true;
        Ok(json!({
            "registryId": context.fake.account(),
            "repositoryName": repository.name,
            "imageScanningConfiguration": {"scanOnPush": repository.scan_on_push},
        }))
    })
}

pub(super) fn list_tags(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let name = name_of(context, input);
    let repository = context.fake.store.read(|view| existing(context, view, name))?;
    let tags = repository.tags.iter().map(|(key, value)| json!({"Key": key, "Value": value}));
    Ok(json!({"tags": tags.collect::<Vec<_>>()}))
}

pub(super) fn tag(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let about = json!({"repositoryName": name_of(context, input)});
    change(context, &about, |repository| add_tags(repository, &input["tags"]))?;
    Ok(json!({}))
}

pub(super) fn untag(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let about = json!({"repositoryName": name_of(context, input)});
    change(context, &about, |repository| {
        let gone: Vec<_> = input["tagKeys"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        repository.tags.retain(|key, _| !gone.contains(&key.as_str()));
        Ok(json!({}))
    })
}

/// The name of the repository whose ARN a request names; of an ARN of elsewhere, the ARN itself, which is no name.
fn name_of<'a>(context: &Context<'_>, input: &'a Value) -> &'a str {
    let arn = input["resourceArn"].as_str().unwrap_or_default();
    let here = format!("arn:aws:ecr:{}:{}:repository/", context.region, context.fake.account());
    arn.strip_prefix(&here).unwrap_or(arn)
}

fn add_tags(repository: &mut Repository, tags: &Value) -> Result<(), ApiError> {
    for tag in tags.as_array().into_iter().flatten() {
        let text = |member: &str| tag[member].as_str().unwrap_or_default().to_owned();
        if text("Key").to_lowercase().starts_with("aws:") {
            let message = "Tag keys that begin with aws: are reserved for AWS use.";
            return Err(ApiError::new("InvalidTagParameterException", message));
        }
        repository.tags.insert(text("Key"), text("Value"));
    }
    if repository.tags.len() > MOST_TAGS {
        let message = format!("A repository cannot have more than {MOST_TAGS} tags.");
        return Err(ApiError::new("TooManyTagsException", message));
    }
    Ok(())
}

/// Whether a change may be made of this repository's tag: nothing if it may.
///
/// # Errors
/// `ImageTagAlreadyExistsException`, if the tag is another image's and tags stay where they are.
pub(super) fn may_tag(
    change: &Change<'_>,
    repository: &Repository,
    tag: &str,
    digest: &str,
) -> Result<Option<Image>, ApiError> {
    let holder = images_of(change, repository)?.into_iter().find(|image| image.tags.iter().any(|held| held == tag));
    let holder = holder.filter(|image| image.digest != digest);
    if holder.is_some() && repository.mutability.holds(tag) {
        return Err(ApiError::new(
            "ImageTagAlreadyExistsException",
            format!(
                "The image tag '{tag}' already exists in the '{}' repository and cannot be overwritten because the repository is immutable.",
                repository.name
            ),
        ));
    }
    Ok(holder)
}
