//! Executes a plan: the only place from which anything is changed.

mod image;
mod monitoring;
mod patience;
mod registry;
mod serving;

use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{
    BucketLocationConstraint, CreateBucketConfiguration, PublicAccessBlockConfiguration, ServerSideEncryption,
    ServerSideEncryptionByDefault, ServerSideEncryptionConfiguration, ServerSideEncryptionRule, Tagging,
};
use aws_sdk_sagemaker::types::{Parameter, SelectedStep, SelectiveExecutionConfig};

use crate::aws::errors::describe;
use crate::aws::{Clients, Session};
use crate::error::Failure;
use crate::plan::{Operation, Plan, Selective, Tag};
use crate::registry::Registry;

/// The clients that a plan is executed with.
pub struct Executor<'a> {
    /// All of them, working as the same identity.
    pub clients: &'a Clients,
    /// The account that owns the bucket: what is sent to S3 is refused if another one does.
    pub account: &'a str,
    /// Where images are pushed to, if the plan pushes any.
    pub registry: Option<&'a Registry>,
}

/// What executing a plan brought forth.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The execution that was started.
    pub execution: Option<String>,
}

impl<'a> Executor<'a> {
    /// What executes the plans of a session that push no image.
    #[must_use]
    pub fn of(session: &'a Session) -> Self {
        Self { clients: &session.clients, account: &session.site.account, registry: None }
    }
}

impl Executor<'_> {
    /// Makes the calls of the plan, in order, telling `before` of each action first.
    ///
    /// # Errors
    /// That of the first call that is refused. What was done before it stays done: the next run plans from there.
    pub async fn execute(&self, plan: &Plan, mut before: impl FnMut(&crate::plan::Action)) -> Result<Outcome, Failure> {
        let mut outcome = Outcome::default();
        for action in plan.actions.iter().filter(|action| !action.operations.is_empty()) {
            before(action);
            for operation in &action.operations {
                self.call(operation, &mut outcome).await?;
            }
        }
        Ok(outcome)
    }

    async fn call(&self, operation: &Operation, outcome: &mut Outcome) -> Result<(), Failure> {
        let (s3, sagemaker, account) = (&self.clients.s3, &self.clients.sagemaker, self.account);
        match operation {
            Operation::CreateBucket { bucket, region } => {
                let location = CreateBucketConfiguration::builder()
                    .location_constraint(BucketLocationConstraint::from(region.as_str()))
                    .build();
                // us-east-1 is the one region that must not be named.
                let location = (region != "us-east-1").then_some(location);
                let made = s3.create_bucket().bucket(bucket).set_create_bucket_configuration(location).send().await;
                match made {
                    // Somebody of our account was quicker: what follows is the same.
                    Err(error) if error.code() == Some("BucketAlreadyOwnedByYou") => {}
                    made => drop(made.map_err(|error| describe("CreateBucket", error))?),
                }
            }
            Operation::TagBucket { bucket, tags } => {
                let tagging = Tagging::builder().set_tag_set(Some(s3_tags(tags)?)).build().map_err(bug)?;
                let done = s3.put_bucket_tagging().bucket(bucket).tagging(tagging).expected_bucket_owner(account);
                done.send().await.map_err(|error| describe("PutBucketTagging", error))?;
            }
            Operation::BlockPublicAccess { bucket } => {
                let all = PublicAccessBlockConfiguration::builder()
                    .block_public_acls(true)
                    .ignore_public_acls(true)
                    .block_public_policy(true)
                    .restrict_public_buckets(true)
                    .build();
                let done = s3.put_public_access_block().bucket(bucket).public_access_block_configuration(all);
                let done = done.expected_bucket_owner(account).send().await;
                done.map_err(|error| describe("PutPublicAccessBlock", error))?;
            }
            Operation::EncryptBucket { bucket, kms_key } => {
                let algorithm =
                    if kms_key.is_some() { ServerSideEncryption::AwsKms } else { ServerSideEncryption::Aes256 };
                let default = ServerSideEncryptionByDefault::builder()
                    .sse_algorithm(algorithm)
                    .set_kms_master_key_id(kms_key.clone())
                    .build()
                    .map_err(bug)?;
                let rule = ServerSideEncryptionRule::builder()
                    .apply_server_side_encryption_by_default(default)
                    .bucket_key_enabled(kms_key.is_some())
                    .build();
                let rules = ServerSideEncryptionConfiguration::builder().rules(rule).build().map_err(bug)?;
                let done = s3.put_bucket_encryption().bucket(bucket).server_side_encryption_configuration(rules);
                let done = done.expected_bucket_owner(account).send().await;
                done.map_err(|error| describe("PutBucketEncryption", error))?;
            }
            Operation::PutBucketPolicy { bucket, policy } => {
                let done = s3.put_bucket_policy().bucket(bucket).policy(policy).expected_bucket_owner(account);
                done.send().await.map_err(|error| describe("PutBucketPolicy", error))?;
            }
            Operation::PutObject { bucket, key, content, .. } => {
                let body = ByteStream::from(content.0.clone());
                let done = s3.put_object().bucket(bucket).key(key).body(body).expected_bucket_owner(account);
                done.send().await.map_err(|error| describe("PutObject", error))?;
            }
            Operation::DeleteObject { bucket, key } => {
                let done = s3.delete_object().bucket(bucket).key(key).expected_bucket_owner(account);
                done.send().await.map_err(|error| describe("DeleteObject", error))?;
            }
            Operation::CreateModelPackageGroup { name, description, tags } => {
                let made = sagemaker.create_model_package_group().model_package_group_name(name);
                let made = made.model_package_group_description(description).set_tags(Some(sagemaker_tags(tags)));
                match made.send().await {
                    Err(error) if error.message().is_some_and(|message| message.contains("already exists")) => {}
                    made => drop(made.map_err(|error| describe("CreateModelPackageGroup", error))?),
                }
            }
            Operation::CreatePipeline { name, description, definition, role, tags } => {
                let made = sagemaker.create_pipeline().pipeline_name(name).pipeline_description(description);
                let made = made.pipeline_definition(definition).role_arn(role).set_tags(Some(sagemaker_tags(tags)));
                made.send().await.map_err(|error| describe("CreatePipeline", error))?;
            }
            Operation::UpdatePipeline { name, definition, role } => {
                let made =
                    sagemaker.update_pipeline().pipeline_name(name).pipeline_definition(definition).role_arn(role);
                made.send().await.map_err(|error| describe("UpdatePipeline", error))?;
            }
            Operation::AddTags { arn, tags } => {
                let done = sagemaker.add_tags().resource_arn(arn).set_tags(Some(sagemaker_tags(tags)));
                done.send().await.map_err(|error| describe("AddTags", error))?;
            }
            Operation::StartPipelineExecution { pipeline, parameters, selective } => {
                let parameters =
                    parameters.iter().map(|it| Parameter::builder().name(&it.name).value(&it.value).build());
                let started = sagemaker.start_pipeline_execution().pipeline_name(pipeline);
                let started = started.set_pipeline_parameters(Some(parameters.collect()));
                let started = started.set_selective_execution_config(selective.as_ref().map(selected)).send().await;
                outcome.execution =
                    started.map_err(|error| describe("StartPipelineExecution", error))?.pipeline_execution_arn;
            }
            Operation::StopPipelineExecution { execution } => {
                let stopped = sagemaker.stop_pipeline_execution().pipeline_execution_arn(execution).send().await;
                stopped.map_err(|error| describe("StopPipelineExecution", error))?;
            }
            Operation::RetryPipelineExecution { execution } => {
                let retried = sagemaker.retry_pipeline_execution().pipeline_execution_arn(execution).send().await;
                retried.map_err(|error| describe("RetryPipelineExecution", error))?;
            }
            Operation::CreateModel(model) => self.create_model(model).await?,
            Operation::CreateEndpointConfig(config) => self.create_endpoint_config(config).await?,
            Operation::CreateEndpoint(endpoint) => self.create_endpoint(endpoint).await?,
            Operation::UpdateEndpoint(endpoint) => self.update_endpoint(endpoint).await?,
            Operation::DeleteEndpoint { name } => self.delete_endpoint(name).await?,
            Operation::DeleteEndpointConfig { name } => self.delete_endpoint_config(name).await?,
            Operation::DeleteModel { name } => self.delete_model(name).await?,
            Operation::CreateBaselineJob(job) => self.create_baseline_job(job).await?,
            Operation::CreateQualityDefinition(definition) => self.create_quality_definition(definition).await?,
            Operation::CreateSchedule(schedule) => self.create_schedule(schedule).await?,
            Operation::UpdateSchedule(schedule) => self.update_schedule(schedule).await?,
            Operation::StartSchedule { name } => self.start_schedule(name).await?,
            Operation::StopSchedule { name } => self.stop_schedule(name).await?,
            Operation::DeleteSchedule { name } => self.delete_schedule(name).await?,
            Operation::DeleteQualityDefinition { name } => self.delete_quality_definition(name).await?,
            Operation::DeleteModelPackage { arn } => self.delete_model_package(arn).await?,
            Operation::DeleteModelPackageGroup { name } => self.delete_model_package_group(name).await?,
            Operation::DeletePipeline { name } => self.delete_pipeline(name).await?,
            Operation::CreateRepository { name, tags } => self.clients.ecr.create_repository(name, tags).await?,
            Operation::DeleteRepository { name } => self.clients.ecr.delete_repository(name).await?,
            Operation::PushBlob { digest, content, .. } => self.push_blob(digest, content).await?,
            Operation::PutManifest { tag, digest, media_type, content } => {
                self.put_manifest(tag, digest, media_type, content).await?;
            }
        }
        Ok(())
    }
}

fn selected(selective: &Selective) -> SelectiveExecutionConfig {
    let steps = selective.steps.iter().map(|step| SelectedStep::builder().step_name(step).build());
    SelectiveExecutionConfig::builder()
        .set_selected_steps(Some(steps.collect()))
        .set_source_pipeline_execution_arn(selective.source.clone())
        .build()
}

fn sagemaker_tags(tags: &[Tag]) -> Vec<aws_sdk_sagemaker::types::Tag> {
    tags.iter().map(|tag| aws_sdk_sagemaker::types::Tag::builder().key(&tag.key).value(&tag.value).build()).collect()
}

fn s3_tags(tags: &[Tag]) -> Result<Vec<aws_sdk_s3::types::Tag>, Failure> {
    let tag = |tag: &Tag| aws_sdk_s3::types::Tag::builder().key(&tag.key).value(&tag.value).build().map_err(bug);
    tags.iter().map(tag).collect()
}

/// A request that the SDK cannot even build: a member that we forgot.
fn bug(error: aws_sdk_s3::error::BuildError) -> Failure {
    Failure::operation(format!("a request could not be built: {error}"))
}

#[cfg(test)]
mod tests {
    use aws_config::{BehaviorVersion, Region};
    use aws_credential_types::Credentials;
    use aws_smithy_http_client::test_util::NeverClient;

    use super::*;
    use crate::aws::Mode;
    use crate::plan::{
        Action, Content, NewBaselineJob, NewEndpoint, NewEndpointConfig, NewModel, NewQualityDefinition, NewSchedule,
        Resources, Verdict, When,
    };
    use crate::registry::RegistryAuth;

    /// One of each: a new operation is added here when the compiler asks for it below.
    fn every_operation() -> Vec<Operation> {
        let text = || "x".to_owned();
        let (bucket, name, definition, role) = (text, text, text, text);
        let resources =
            || Resources { role: text(), instance_type: text(), kms_key: None, network: None, tags: vec![] };
        let schedule = || NewSchedule { name: text(), definition: text(), when: When::Once { hours: 1 }, tags: vec![] };
        vec![
            Operation::CreateBucket { bucket: bucket(), region: "eu-west-1".to_owned() },
            Operation::TagBucket { bucket: bucket(), tags: vec![] },
            Operation::BlockPublicAccess { bucket: bucket() },
            Operation::EncryptBucket { bucket: bucket(), kms_key: None },
            Operation::PutBucketPolicy { bucket: bucket(), policy: text() },
            Operation::PutObject { bucket: bucket(), key: text(), bytes: 1, content: Content(vec![1]) },
            Operation::CreateModelPackageGroup { name: name(), description: text(), tags: vec![] },
            Operation::CreatePipeline {
                name: name(),
                description: text(),
                definition: definition(),
                role: role(),
                tags: vec![],
            },
            Operation::UpdatePipeline { name: name(), definition: definition(), role: role() },
            Operation::AddTags { arn: text(), tags: vec![] },
            Operation::StartPipelineExecution { pipeline: name(), parameters: vec![], selective: None },
            Operation::StopPipelineExecution { execution: text() },
            Operation::RetryPipelineExecution { execution: text() },
            Operation::DeleteObject { bucket: name(), key: text() },
            Operation::CreateModel(NewModel {
                name: name(),
                package: text(),
                role: role(),
                network: None,
                tags: vec![],
            }),
            Operation::CreateEndpointConfig(NewEndpointConfig {
                name: name(),
                model: text(),
                instance_type: text(),
                capture: None,
                kms_key: None,
                tags: vec![],
            }),
            Operation::CreateEndpoint(NewEndpoint { name: name(), config: text(), tags: vec![] }),
            Operation::UpdateEndpoint(NewEndpoint { name: name(), config: text(), tags: vec![] }),
            Operation::DeleteEndpoint { name: name() },
            Operation::DeleteEndpointConfig { name: name() },
            Operation::DeleteModel { name: name() },
            Operation::CreateBaselineJob(NewBaselineJob {
                name: name(),
                image: text(),
                on: resources(),
                dataset: text(),
                output: text(),
            }),
            Operation::CreateQualityDefinition(NewQualityDefinition {
                name: name(),
                image: text(),
                on: resources(),
                endpoint: text(),
                ground_truth: text(),
                constraints: text(),
                output: text(),
            }),
            Operation::CreateSchedule(schedule()),
            Operation::UpdateSchedule(schedule()),
            Operation::StartSchedule { name: name() },
            Operation::StopSchedule { name: name() },
            Operation::DeleteSchedule { name: name() },
            Operation::DeleteQualityDefinition { name: name() },
            Operation::DeleteModelPackage { arn: text() },
            Operation::DeleteModelPackageGroup { name: name() },
            Operation::DeletePipeline { name: name() },
            Operation::CreateRepository { name: name(), tags: vec![] },
            Operation::DeleteRepository { name: name() },
            Operation::PushBlob { digest: text(), bytes: 1, content: Content(vec![1]) },
            Operation::PutManifest { tag: text(), digest: text(), media_type: "x/y", content: Content(vec![1]) },
        ]
    }

    /// The number of variants, by a match that does not compile without a new one.
    fn number(operation: &Operation) -> usize {
        match operation {
            Operation::CreateBucket { .. } => 0,
            Operation::TagBucket { .. } => 1,
            Operation::BlockPublicAccess { .. } => 2,
            Operation::EncryptBucket { .. } => 3,
            Operation::PutBucketPolicy { .. } => 4,
            Operation::PutObject { .. } => 5,
            Operation::CreateModelPackageGroup { .. } => 6,
            Operation::CreatePipeline { .. } => 7,
            Operation::UpdatePipeline { .. } => 8,
            Operation::AddTags { .. } => 9,
            Operation::StartPipelineExecution { .. } => 10,
            Operation::StopPipelineExecution { .. } => 11,
            Operation::RetryPipelineExecution { .. } => 12,
            Operation::DeleteObject { .. } => 13,
            Operation::CreateModel(_) => 14,
            Operation::CreateEndpointConfig(_) => 15,
            Operation::CreateEndpoint(_) => 16,
            Operation::UpdateEndpoint(_) => 17,
            Operation::DeleteEndpoint { .. } => 18,
            Operation::DeleteEndpointConfig { .. } => 19,
            Operation::DeleteModel { .. } => 20,
            Operation::CreateBaselineJob(_) => 21,
            Operation::CreateQualityDefinition(_) => 22,
            Operation::CreateSchedule(_) => 23,
            Operation::UpdateSchedule(_) => 24,
            Operation::StartSchedule { .. } => 25,
            Operation::StopSchedule { .. } => 26,
            Operation::DeleteSchedule { .. } => 27,
            Operation::DeleteQualityDefinition { .. } => 28,
            Operation::DeleteModelPackage { .. } => 29,
            Operation::DeleteModelPackageGroup { .. } => 30,
            Operation::DeletePipeline { .. } => 31,
            Operation::CreateRepository { .. } => 32,
            Operation::DeleteRepository { .. } => 33,
            Operation::PushBlob { .. } => 34,
            Operation::PutManifest { .. } => 35,
        }
    }

    #[tokio::test]
    async fn a_dry_run_sends_no_operation_of_any_plan() {
        let never = NeverClient::new();
        let config = aws_config::SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-west-1"))
            .credentials_provider(aws_credential_types::provider::SharedCredentialsProvider::new(Credentials::new(
                "AKIA", "secret", None, None, "test",
            )))
            .http_client(never.clone())
            .build();
        let clients = Clients::new(&config, Mode::Dry);
        let registry = Registry::anywhere("localhost:1", "sts", RegistryAuth::Anonymous, Mode::Dry).await.unwrap();
        let executor = Executor { clients: &clients, account: "111122223333", registry: Some(&registry) };
        let operations = every_operation();
        assert_eq!(operations.iter().map(number).collect::<Vec<_>>(), (0..operations.len()).collect::<Vec<_>>());
        for operation in operations {
            let call = operation.call();
            let plan = Plan { actions: vec![Action::new(Verdict::Update, "x", "x", "x", vec![operation])] };
            let refusal = executor.execute(&plan, |_| {}).await.unwrap_err().to_string();
            assert!(refusal.contains("was not sent in a dry run"), "{call}: {refusal}");
        }
        assert_eq!(never.num_calls(), 0, "something was sent");
    }
}
