//! What a verb works with: its clients, who it is, and the names of everything.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use aws_config::SdkConfig;

use super::config::{self, Target};
use super::iam;
use super::identity::{self, Identity, Wanted};
use super::{Clients, Mode};
use crate::error::Failure;
use crate::offline::{Offline, Strict};
use crate::settings::{RoleArn, Settings};
use crate::site::Site;

/// Where verbs work.
#[derive(Debug, Clone)]
pub enum Place {
    /// On AWS.
    Aws,
    /// Against the fake.
    Offline {
        /// Where its state is.
        state: PathBuf,
        /// The user's own map of images to programs.
        images: Option<PathBuf>,
        /// The account that it starts as.
        scenario: String,
        /// Whether it verifies signatures and authorises every call, even if the scenario does not ask for it.
        enforce_iam: bool,
        /// Whether it wants images to be in ECR before they can be run.
        strict_images: bool,
    },
}

impl Place {
    /// Whether the image of the steps has to be in ECR. The fake runs the same library in its place, unless it is told to
    /// be strict.
    #[must_use]
    pub fn needs_image(&self) -> bool {
        !matches!(self, Self::Offline { strict_images: false, .. })
    }

    /// The flags by which another command finds the same place, each after a space.
    #[must_use]
    pub fn flags(&self, settings: &Settings) -> String {
        match (self, &settings.endpoint_url) {
            (Self::Offline { .. }, _) => " --offline".to_owned(),
            (Self::Aws, Some(url)) => format!(" --endpoint-url {url}"),
            (Self::Aws, None) => String::new(),
        }
    }
}

/// An open session.
pub struct Session {
    /// The clients.
    pub clients: Clients,
    /// The names of everything.
    pub site: Site,
    /// Who works.
    pub identity: Identity,
    /// Whether this is the fake.
    pub offline: bool,
    /// See [`Place::flags`].
    pub flags: String,
    /// Whether the image of the steps has to be in ECR.
    pub needs_image: bool,
    /// IAM as the caller, who may be let look where the role may not.
    pub iam_of_caller: iam::Client,
    /// The fake, if this is it.
    fake: Option<Offline>,
}

impl Session {
    /// Opens a session for `verb`.
    ///
    /// # Errors
    /// When there is no role to work as, no credentials, or the role cannot be assumed; offline, when the fake cannot
    /// be started or reached.
    pub async fn open(
        settings: &Settings,
        place: &Place,
        verb: &str,
        as_caller: bool,
        mode: Mode,
    ) -> Result<Self, Failure> {
        if matches!(place, Place::Aws) && settings.role.is_none() && !as_caller {
            return Err(no_role(verb));
        }
        let Reached { config, role, fake } = reach(settings, place, mode).await?;
        let wanted = Wanted { verb, role: role.as_ref(), prefix: &settings.base_job_prefix, as_caller, mode };
        let caller = iam::Client::new(&config, mode);
        let (config, identity) = identity::become_wanted(config, wanted).await?;
        let site = Site::new(settings, &identity.account, identity.role.as_deref());
        Ok(Self {
            clients: Clients::new(&config, mode),
            site,
            identity,
            offline: fake.is_some(),
            flags: place.flags(settings),
            needs_image: place.needs_image(),
            iam_of_caller: caller,
            fake,
        })
    }

    /// What time it is where the verbs work. AWS's clock is as right as ours.
    #[must_use]
    pub fn now(&self) -> SystemTime {
        SystemTime::now() + self.fake.as_ref().map_or(Duration::ZERO, |fake| fake.ahead)
    }

    /// Moves the fake's clock forward: what is due in between happens.
    ///
    /// # Errors
    /// When this is not the fake, or it does not move.
    pub async fn advance(&mut self, by: Duration) -> Result<(), Failure> {
        match &mut self.fake {
            Some(fake) => fake.advance(by).await,
            None => Err(Failure::usage("the clock of AWS cannot be moved")),
        }
    }

    /// Lets go. The fake is closed in order, if it is in this process: what its endpoints have captured is in S3 then.
    pub async fn close(self) {
        if let Some(fake) = self.fake {
            fake.close().await;
        }
    }
}

/// What a verb begins with, before it is known who calls.
pub(crate) struct Reached {
    /// The caller's configuration.
    pub config: SdkConfig,
    /// The role to work as.
    pub role: Option<RoleArn>,
    fake: Option<Offline>,
}

/// Reaches the fake, or makes a configuration for AWS: nobody is asked there yet.
pub(crate) async fn reach(settings: &Settings, place: &Place, mode: Mode) -> Result<Reached, Failure> {
    match place {
        Place::Aws => {
            let config = config::load(settings, Target::Aws, config::https()).await;
            Ok(Reached { config, role: settings.role.clone(), fake: None })
        }
        Place::Offline { state, images, scenario, enforce_iam, strict_images } => {
            let strict = Strict { iam: *enforce_iam, images: *strict_images };
            let fake = Offline::open(state, images.as_deref(), scenario, strict, mode).await?;
            let target = Target::Fake { url: &fake.url, keys: fake.keys.clone() };
            let config = config::load(settings, target, fake.http.clone()).await;
            Ok(Reached { config, role: role_offline(settings, &fake), fake: Some(fake) })
        }
    }
}

/// The role of a real account means nothing to the fake, and need not be unset to work offline: unless it is one of the
/// fake's account, the scenario says which role is used.
fn role_offline(settings: &Settings, fake: &Offline) -> Option<RoleArn> {
    let of_fake = settings.role.clone().filter(|role| role.account == fake.account);
    of_fake.or_else(|| fake.role.as_deref().and_then(|arn| RoleArn::parse(arn).ok()))
}

fn no_role(verb: &str) -> Failure {
    Failure::usage(format!("`{verb}` works as a role, and AWS_ROLE is not set")).hint(
        "set AWS_ROLE to the ARN of your SageMaker execution role, in the environment or in .env: \
         arn:aws:iam::ACCOUNT:role/NAME; no account at all: --offline",
    )
}
