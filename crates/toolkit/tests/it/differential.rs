//! Three opinions of what the role may do, in every account: our evaluator's, the simulator's as the doctor asks it, and
//! what is really answered to a session of the role. Where they differ, the reason has a name here.

use std::future::Future;
use std::pin::Pin;

use aws_credential_types::Credentials;
use aws_sdk_s3::error::DisplayErrorContext;
use iam_policy::generate::{Feature, Need};
use iam_policy::simulate::{Simulation, simulate};
use iam_policy::{Caller, Context, Outcome};
use sagemaker_fake::account::{Scenario, ScenarioPolicies, ScenarioUser};
use sagemaker_fake::authorisation::{Asker, principal};
use sagemaker_fake::iam::Role;
use sagemaker_fake::store::Records;
use serde_json::json;
use toolkit::aws::config::{Target, http, load};
use toolkit::aws::{Clients, Mode};
use toolkit::doctor::permissions::Judgement;
use toolkit::settings::{RoleArn, Settings, Sources};
use toolkit::site::Site;

use crate::account::Account;

const ROLE: &str = "arn:aws:iam::111122223333:role/sts-execution";
const ADMINISTRATOR: &str = "arn:aws:iam::111122223333:user/administrator";
const REGION: &str = "eu-west-1";

/// Why what is answered is not what policies of the role say.
fn reason(scenario: &str, need: &Need) -> Option<&'static str> {
    let is_object = need.resource.starts_with("arn:aws:s3:::") && need.resource.contains('/');
    match scenario {
        "bucket-squatted" if is_object => Some("the simulator is told that the bucket is ours"),
        _ => None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_evaluator_the_simulator_and_what_is_answered_agree() {
    for scenario in Scenario::names() {
        let world = World::open(scenario).await;
        for need in world.needs() {
            check(&world, scenario, &need).await;
        }
    }
}

async fn check(world: &World, scenario: &str, need: &Need) {
    let evaluated = world.evaluated(need);
    let simulated = world.simulated(need);
    assert_eq!(evaluated, simulated, "{scenario}: evaluated, and simulated: {need:?}");
    let decided = world.asker.may(need.action, &need.resource, &need.context).is_ok();
    match reason(scenario, need) {
        None => assert_eq!(decided, evaluated, "{scenario}: decided, and evaluated: {need:?}"),
        Some(why) => assert_ne!(decided, evaluated, "{scenario}: no difference, though {why}: {need:?}"),
    }
    if let Some(answered) = world.answered(need).await {
        assert_eq!(answered, decided, "{scenario}: answered, and decided: {need:?}");
    }
}

/// An account in which somebody may look at everything, and work as the role.
struct World {
    account: Account,
    judgement: Judgement,
    /// What a session of the role is told.
    asker: Asker,
    /// Of a session of the role.
    clients: Clients,
}

impl World {
    async fn open(scenario: &'static str) -> Self {
        let account = Account::open(scenario, |scenario| {
            scenario.enforce_iam = true;
            // What clients do wrong is not what the role may do.
            scenario.client.clock_skew = 0;
            let all = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}"#;
            scenario.users.push(ScenarioUser {
                name: "administrator".to_owned(),
                path: "/".to_owned(),
                access_key_id: "AKIAADMINISTRATOR000".to_owned(),
                secret_access_key: "secret".to_owned(),
                policies: ScenarioPolicies {
                    inline: [("all".to_owned(), all.to_owned())].into(),
                    ..ScenarioPolicies::default()
                },
            });
        })
        .await;
        let administrator =
            clients(&account, Credentials::new("AKIAADMINISTRATOR000", "secret", None, None, "test")).await;
        // A bucket that does not exist yet is nobody's. Where there is one already, this is refused.
        let location = aws_sdk_s3::types::CreateBucketConfiguration::builder().location_constraint(REGION.into());
        let bucket = administrator.s3.create_bucket().bucket(BUCKET).create_bucket_configuration(location.build());
        let _ = bucket.send().await;
        // Who may work as the role does not change what may be done as it.
        let trust = json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Principal": {"AWS": ADMINISTRATOR}, "Action": "sts:AssumeRole"},
        ]});
        account
            .iam("UpdateAssumeRolePolicy", &json!({"RoleName": "sts-execution", "PolicyDocument": trust.to_string()}));
        let assumed = administrator.sts.assume_role().role_arn(ROLE).role_session_name("me").send().await.unwrap();
        let got = assumed.credentials.unwrap();
        let session = Credentials::new(got.access_key_id, got.secret_access_key, Some(got.session_token), None, "test");
        let clients = clients(&account, session).await;

        let site = Site::new(&settings(), "111122223333", Some(ROLE));
        let role = RoleArn::parse(ROLE).unwrap();
        let judgement =
            Judgement::simulated(&site, &role, (&administrator.iam, ADMINISTRATOR), &Feature::ALL).await.unwrap();
        let role = account.fake.store.read(|view| view.get::<Role>("sts-execution")).unwrap().unwrap();
        let asker = Asker::of_role(&account.fake, &role, REGION).unwrap();
        Self { account, judgement, asker, clients }
    }

    fn needs(&self) -> Vec<Need> {
        self.judgement.allowed().map(|(need, _)| need.clone()).collect()
    }

    /// By the policies that the fake holds.
    fn evaluated(&self, need: &Need) -> bool {
        let fake = &self.account.fake;
        let policies = fake.store.read(|view| {
            let role = view.get::<Role>("sts-execution")?.unwrap();
            principal::of_entity(&fake.scenario(), view, &role.entity)
        });
        let mut context = Context::new();
        for (key, values) in self.judgement.context_of(need) {
            context.set(&key, values);
        }
        let simulation = Simulation {
            caller: Caller::role(ROLE),
            policies: policies.unwrap(),
            actions: vec![need.action.to_owned()],
            resources: vec![need.resource.clone()],
            resource_owner: None,
            context,
        };
        simulate(&simulation).unwrap()[0].eval_decision == Outcome::Allowed
    }

    fn simulated(&self, need: &Need) -> bool {
        let found = self.judgement.allowed().find(|(known, _)| *known == need);
        found.unwrap().1.unwrap_or_else(|| panic!("the doctor does not know: {need:?}"))
    }

    /// Whether the call is let through that needs just this; nothing if that would change something.
    async fn answered(&self, need: &Need) -> Option<bool> {
        let answer = match call(&self.clients, need) {
            Some(call) => call.await,
            None => {
                let reads = ["List", "Get", "Describe"].iter().any(|verb| need.action.contains(&format!(":{verb}")));
                assert!(!reads || need.action.starts_with("ecr:"), "how is {} called?", need.action);
                return None;
            }
        };
        Some(!answer.is_err_and(|said| said.contains(&format!("not authorized to perform: {} ", need.action))))
    }
}

const BUCKET: &str = "sagemaker-eu-west-1-111122223333";

fn settings() -> Settings {
    let environment = [("AWS_ROLE", ROLE), ("AWS_DEFAULT_REGION", REGION)];
    let environment = environment.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
    Settings::resolve(&Sources { environment, ..Sources::default() }).unwrap()
}

async fn clients(account: &Account, keys: Credentials) -> Clients {
    let target = Target::Fake { url: account.url(), keys: Some(keys) };
    Clients::new(&load(&settings(), target, http()).await, Mode::Live)
}

type Answer<'a> = Pin<Box<dyn Future<Output = Result<(), String>> + Send + 'a>>;

/// A call of an SDK's.
macro_rules! sent {
    ($call:expr) => {{
        let call = $call;
        Box::pin(async move { call.send().await.map(drop).map_err(|error| DisplayErrorContext(error).to_string()) })
            as Answer<'_>
    }};
}

/// The call that needs this and changes nothing.
fn call<'a>(clients: &'a Clients, need: &'a Need) -> Option<Answer<'a>> {
    let Clients { s3, sagemaker, logs, .. } = clients;
    let arn = need.resource.as_str();
    let name = arn.rsplit('/').next().unwrap_or_default();
    let (service, action) = need.action.split_once(':')?;
    let key = || arn.split_once('/').map(|(_, key)| key).unwrap_or_default();
    Some(match (service, action) {
        ("s3", "ListBucket") => sent!(s3.list_objects_v2().bucket(BUCKET)),
        ("s3", "GetBucketLocation") => sent!(s3.get_bucket_location().bucket(BUCKET)),
        ("s3", "ListBucketMultipartUploads") => sent!(s3.list_multipart_uploads().bucket(BUCKET)),
        ("s3", "GetBucketTagging") => sent!(s3.get_bucket_tagging().bucket(BUCKET)),
        ("s3", "GetBucketPublicAccessBlock") => sent!(s3.get_public_access_block().bucket(BUCKET)),
        ("s3", "GetEncryptionConfiguration") => sent!(s3.get_bucket_encryption().bucket(BUCKET)),
        ("s3", "GetBucketPolicy") => sent!(s3.get_bucket_policy().bucket(BUCKET)),
        ("s3", "GetObject") => sent!(s3.get_object().bucket(BUCKET).key(key())),
        ("s3", "ListMultipartUploadParts") => sent!(s3.list_parts().bucket(BUCKET).key(key()).upload_id("none")),
        ("logs", "DescribeLogStreams") => {
            Box::pin(async { said(logs.streams("/aws/sagemaker/ProcessingJobs", "step").await) })
        }
        ("logs", "GetLogEvents") => {
            Box::pin(async { said(logs.events("/aws/sagemaker/ProcessingJobs", "step/algo-1", None).await) })
        }
        ("sagemaker", "DescribePipeline") => sent!(sagemaker.describe_pipeline().pipeline_name(name)),
        ("sagemaker", "DescribePipelineExecution") => {
            sent!(sagemaker.describe_pipeline_execution().pipeline_execution_arn(arn))
        }
        ("sagemaker", "DescribePipelineDefinitionForExecution") => {
            sent!(sagemaker.describe_pipeline_definition_for_execution().pipeline_execution_arn(arn))
        }
        ("sagemaker", "ListPipelineExecutions") => sent!(sagemaker.list_pipeline_executions().pipeline_name(name)),
        ("sagemaker", "ListPipelineExecutionSteps") => {
            sent!(sagemaker.list_pipeline_execution_steps().pipeline_execution_arn(arn))
        }
        ("sagemaker", "ListPipelineParametersForExecution") => {
            sent!(sagemaker.list_pipeline_parameters_for_execution().pipeline_execution_arn(arn))
        }
        ("sagemaker", "ListPipelineVersions") => sent!(sagemaker.list_pipeline_versions().pipeline_name(name)),
        ("sagemaker", "ListTags") => sent!(sagemaker.list_tags().resource_arn(arn)),
        ("sagemaker", "DescribeTrainingJob") => sent!(sagemaker.describe_training_job().training_job_name(name)),
        ("sagemaker", "DescribeProcessingJob") => {
            sent!(sagemaker.describe_processing_job().processing_job_name(name))
        }
        ("sagemaker", "DescribeModelPackageGroup") => {
            sent!(sagemaker.describe_model_package_group().model_package_group_name(name))
        }
        ("sagemaker", "DescribeModelPackage") => sent!(sagemaker.describe_model_package().model_package_name(arn)),
        ("sagemaker", "ListModelPackages") => {
            sent!(sagemaker.list_model_packages().model_package_group_name("stsPackageGroup"))
        }
        ("sagemaker", "DescribeModel") => sent!(sagemaker.describe_model().model_name(name)),
        ("sagemaker", "DescribeEndpointConfig") => {
            sent!(sagemaker.describe_endpoint_config().endpoint_config_name(name))
        }
        ("sagemaker", "DescribeEndpoint") => sent!(sagemaker.describe_endpoint().endpoint_name(name)),
        ("sagemaker", "DescribeModelQualityJobDefinition") => {
            sent!(sagemaker.describe_model_quality_job_definition().job_definition_name(name))
        }
        ("sagemaker", "DescribeMonitoringSchedule") => {
            sent!(sagemaker.describe_monitoring_schedule().monitoring_schedule_name(name))
        }
        ("sagemaker", "ListTrainingJobs") => sent!(sagemaker.list_training_jobs()),
        ("sagemaker", "ListProcessingJobs") => sent!(sagemaker.list_processing_jobs()),
        ("sagemaker", "ListEndpoints") => sent!(sagemaker.list_endpoints()),
        ("sagemaker", "ListEndpointConfigs") => sent!(sagemaker.list_endpoint_configs()),
        ("sagemaker", "ListModels") => sent!(sagemaker.list_models()),
        ("sagemaker", "ListMonitoringSchedules") => sent!(sagemaker.list_monitoring_schedules()),
        ("sagemaker", "ListMonitoringExecutions") => sent!(sagemaker.list_monitoring_executions()),
        ("sagemaker", "ListModelQualityJobDefinitions") => sent!(sagemaker.list_model_quality_job_definitions()),
        _ => return None,
    })
}

fn said<T>(answer: Result<T, toolkit::error::Failure>) -> Result<(), String> {
    answer.map(drop).map_err(|failure| failure.report(true))
}
