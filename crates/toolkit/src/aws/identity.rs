//! Who works: every verb is a session of `AWS_ROLE`, with tags that say for which project and by which tool.

use std::time::{Duration, SystemTime};

use aws_config::SdkConfig;
use aws_credential_types::Credentials;
use aws_credential_types::provider::{
    self, ProvideCredentials, SharedCredentialsProvider, error::CredentialsError, future,
};
use aws_sdk_sts::operation::assume_role::AssumeRoleError;
use aws_sdk_sts::operation::assume_role::AssumeRoleOutput;
use aws_sdk_sts::types::Tag;
use aws_smithy_async::time::SharedTimeSource;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use tokio::sync::Mutex;

use super::dry::Mode;
use super::errors::describe;
use crate::error::Failure;
use crate::names;
use crate::settings::RoleArn;

/// Who works, found out and not assumed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The account.
    pub account: String,
    /// The ARN of whoever called.
    pub caller: String,
    /// The ARN that the verb works as: a session of the role, or the caller.
    pub session: String,
    /// The role, to pass to SageMaker.
    pub role: Option<String>,
}

/// Who shall work.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// The verb; the session is named after it.
    pub verb: &'a str,
    /// The role to work as.
    pub role: Option<&'a RoleArn>,
    /// The job prefix, for the session's tags.
    pub prefix: &'a str,
    /// Whether to leave the role alone and work as the caller.
    pub as_caller: bool,
    /// Whether anything may be changed.
    pub mode: Mode,
}

/// Becomes who is wanted: the configuration to work with, and who that is.
///
/// # Errors
/// When there are no credentials, or the role cannot be assumed; then with what is most likely missing where.
pub async fn become_wanted(config: SdkConfig, wanted: Wanted<'_>) -> Result<(SdkConfig, Identity), Failure> {
    let sts = super::sts(&config, wanted.mode);
    let caller = sts.get_caller_identity().send().await.map_err(|error| describe("GetCallerIdentity", error))?;
    let (Some(arn), Some(account)) = (caller.arn, caller.account) else {
        return Err(Failure::operation("GetCallerIdentity does not say who is calling"));
    };
    let role = wanted.role.map(|role| role.arn.clone());
    let as_it_is = Identity { account, session: arn.clone(), caller: arn, role };
    let Some(role) = wanted.role.filter(|_| !wanted.as_caller) else { return Ok((config, as_it_is)) };
    if is_session_of(&as_it_is.caller, role) {
        return Ok((config, as_it_is));
    }
    let session = RoleSession::new(&config, &as_it_is.caller, role, wanted)?;
    let (config, session) = match session.begin(config).await {
        Ok(begun) => begun,
        Err(Refusal { denied: true, failure, session }) => return Err(session.explain(failure).await),
        Err(Refusal { failure, .. }) => return Err(failure),
    };
    Ok((config, Identity { account: role.account.clone(), session, ..as_it_is }))
}

/// The role of `arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION`. A session's ARN does not have the path of its role.
pub(crate) fn role_of_session(arn: &str) -> Option<String> {
    let (before, rest) = arn.split_once(":assumed-role/")?;
    let (partition, account) = before.strip_prefix("arn:")?.split_once(":sts::")?;
    Some(format!("arn:{partition}:iam::{account}:role/{}", rest.split('/').next()?))
}

pub(crate) fn is_session_of(caller: &str, role: &RoleArn) -> bool {
    role_of_session(caller)
        .and_then(|arn| RoleArn::parse(&arn).ok())
        .is_some_and(|of| of.account == role.account && of.name == role.name)
}

fn tag(key: &str, value: String) -> Result<Tag, Failure> {
    Tag::builder()
        .key(key)
        .value(value)
        .build()
        .map_err(|error| Failure::operation("a session tag cannot be built").because(error))
}

/// A session of a role, renewed before it expires. All clients of a verb share it.
#[derive(Debug)]
pub(crate) struct RoleSession {
    sts: aws_sdk_sts::Client,
    role: RoleArn,
    caller: String,
    name: String,
    tags: Vec<Tag>,
    clock: SharedTimeSource,
    current: Mutex<Option<Credentials>>,
}

/// How long before its end a session is renewed. The SDK asks again when ten seconds are left.
const MARGIN: Duration = Duration::from_secs(60);

/// A session that did not begin.
#[derive(Debug)]
pub(crate) struct Refusal {
    /// What AWS said.
    pub failure: Failure,
    /// Whether it was for want of a permission.
    pub denied: bool,
    /// The session, to find out more.
    pub session: Box<RoleSession>,
}

impl RoleSession {
    /// A session of the role that has not begun.
    ///
    /// # Errors
    /// When its tags cannot be made.
    pub(crate) fn new(config: &SdkConfig, caller: &str, role: &RoleArn, wanted: Wanted<'_>) -> Result<Self, Failure> {
        let tags = names::session_tags(wanted.prefix).into_iter().map(|(key, value)| tag(key, value));
        Ok(Self {
            sts: super::sts(config, wanted.mode),
            role: role.clone(),
            caller: caller.to_owned(),
            name: names::session(wanted.verb),
            tags: tags.collect::<Result<_, _>>()?,
            clock: config.time_source().unwrap_or_default(),
            current: Mutex::new(None),
        })
    }

    /// Begins: the configuration that works as the session, and the session's ARN.
    pub(crate) async fn begin(self, config: SdkConfig) -> Result<(SdkConfig, String), Refusal> {
        let assumed = match self.ask(&self.tags).await {
            Ok(assumed) => assumed,
            Err(error) => {
                let (denied, session) = (is_denied(&error), Box::new(self));
                return Err(Refusal { failure: describe("AssumeRole", error), denied, session });
            }
        };
        let arn = assumed.assumed_role_user.as_ref().map_or_else(|| self.role.arn.clone(), |user| user.arn.clone());
        match credentials(assumed) {
            Ok(keys) => *self.current.lock().await = Some(keys),
            Err(failure) => return Err(Refusal { failure, denied: false, session: Box::new(self) }),
        }
        let config = config
            .into_builder()
            .credentials_provider(SharedCredentialsProvider::new(self))
            .identity_cache(aws_config::identity::IdentityCache::lazy().build())
            .build();
        Ok((config, arn))
    }

    async fn assume(&self) -> Result<AssumeRoleOutput, Failure> {
        match self.ask(&self.tags).await {
            Ok(assumed) => Ok(assumed),
            Err(error) if is_denied(&error) => Err(self.explain(describe("AssumeRole", error)).await),
            Err(error) => Err(describe("AssumeRole", error)),
        }
    }

    async fn ask(&self, tags: &[Tag]) -> Result<AssumeRoleOutput, SdkError<AssumeRoleError, HttpResponse>> {
        let ask = self.sts.assume_role().role_arn(&self.role.arn).role_session_name(&self.name);
        let tags = (!tags.is_empty()).then(|| tags.to_vec());
        ask.set_tags(tags).send().await
    }

    /// Whether the session would begin without its tags.
    pub(crate) async fn begins_without_tags(&self) -> bool {
        self.ask(&[]).await.is_ok()
    }

    /// AWS answers the same whether the role is absent, its trust policy is silent, or the caller lacks the permission;
    /// whether it is only the tags can be found out by asking without them.
    async fn explain(&self, failure: Failure) -> Failure {
        let (role, caller) = (&self.role.arn, &self.caller);
        if caller.ends_with(":root") {
            return failure.hint("the root user cannot assume a role: call as an IAM user or a role");
        }
        if self.begins_without_tags().await {
            return failure.hint(format!(
                "only the tags are refused: allow sts:TagSession beside sts:AssumeRole in the trust policy of {role}:\n{}",
                self.trust()
            ));
        }
        let other_account = if caller.contains(&format!("::{}:", self.role.account)) {
            String::new()
        } else {
            format!(" The role is in another account than the caller: the policies of {caller} must allow it too.")
        };
        failure.hint(format!(
            "{role} does not exist, or does not trust {caller}.{other_account} `cargo xtask doctor` finds out which. \
             To work as the caller: --as-caller. The trust policy of the role needs this statement:\n{}",
            self.trust()
        ))
    }

    /// The statement that lets the caller in.
    fn trust(&self) -> String {
        let principal = role_of_session(&self.caller).unwrap_or_else(|| self.caller.clone());
        format!(
            r#"{{"Effect": "Allow", "Principal": {{"AWS": "{principal}"}}, "Action": ["sts:AssumeRole", "sts:TagSession"]}}"#
        )
    }

    async fn credentials(&self) -> provider::Result {
        let mut current = self.current.lock().await;
        let lasting = current.as_ref().filter(|it| it.expiry().is_none_or(|end| end > self.clock.now() + MARGIN));
        if let Some(lasting) = lasting {
            return Ok(lasting.clone());
        }
        let renewed = async { credentials(self.assume().await?) }.await.map_err(CredentialsError::provider_error)?;
        *current = Some(renewed.clone());
        Ok(renewed)
    }
}

impl ProvideCredentials for RoleSession {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.credentials())
    }
}

fn is_denied(error: &SdkError<AssumeRoleError, HttpResponse>) -> bool {
    error.as_service_error().and_then(ProvideErrorMetadata::code) == Some("AccessDenied")
}

fn credentials(assumed: AssumeRoleOutput) -> Result<Credentials, Failure> {
    let Some(keys) = assumed.credentials else {
        return Err(Failure::operation("AssumeRole answered without credentials"));
    };
    let expiry = SystemTime::try_from(keys.expiration)
        .map_err(|error| Failure::operation("AssumeRole answered with an impossible expiry").because(error))?;
    Ok(Credentials::new(
        keys.access_key_id,
        keys.secret_access_key,
        Some(keys.session_token),
        Some(expiry),
        "AssumeRole",
    ))
}
