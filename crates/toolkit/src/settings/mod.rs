//! Settings: each value once, checked, and with its origin.
//!
//! Flag > environment > `.env` > default. A variable that is set but blank counts as unset. Everything that is wrong is
//! reported together, before anything is done.

mod check;
pub mod dotenv;
mod environment;
mod table;

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Serialize, Serializer};

use crate::error::Failure;
use crate::names;
pub use check::{Network, RoleArn};
pub use dotenv::DotEnv;
pub use environment::{AwsEnvironment, Credentials};
pub use table::{Flags, SETTINGS, Setting};

/// The effective settings.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The role that every verb works as, and that it passes to SageMaker.
    pub role: Option<RoleArn>,
    /// The region of everything.
    pub region: String,
    /// The profile of `~/.aws/config`, if it is not the default one.
    pub profile: Option<String>,
    /// Where every service is called, if `--endpoint-url` says so.
    pub endpoint_url: Option<String>,
    /// The name of the pipeline.
    pub pipeline_name: String,
    /// The name of the model package group.
    pub model_package_group_name: String,
    /// What every key and every further name begins with.
    pub base_job_prefix: String,
    /// Another bucket than the default one: see [`Settings::bucket`].
    pub bucket: Option<String>,
    /// Another image than ours.
    pub image: Option<String>,
    /// Further tags on everything that is created: see [`Settings::tags`].
    pub further_tags: Vec<(String, String)>,
    /// The key that encrypts what is stored.
    pub kms_key: Option<String>,
    /// The network that jobs run in.
    pub network: Option<Network>,
    /// Where the fake keeps its state.
    pub state_dir: Option<PathBuf>,
    /// The map by which the fake runs images.
    pub images: Option<PathBuf>,
    /// Every setting of the table as it was found, in the order of the table.
    pub found: Vec<Found>,
    /// What the AWS SDK gets to see as environment.
    pub aws: AwsEnvironment,
    /// What may not be as the user thinks.
    pub warnings: Vec<String>,
    /// The same about the region.
    pub region_warnings: Vec<String>,
    /// The variables of the environment that are set and blank. They count as unset.
    pub blank: Vec<&'static str>,
}

/// A setting as it was found.
#[derive(Debug, Clone)]
pub struct Found {
    /// What the table says of it.
    pub setting: &'static Setting,
    /// The value; nothing if it is unset and has no default.
    pub value: Option<String>,
    /// Where the value comes from.
    pub origin: Origin,
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// This flag.
    Flag(&'static str),
    /// This variable of the environment.
    Environment(&'static str),
    /// This line of `.env`.
    DotEnv {
        /// The file, as seen from the current directory.
        file: String,
        /// From 1.
        line: usize,
        /// The variable.
        variable: &'static str,
    },
    /// The default.
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(flag) => f.write_str(flag),
            Self::Environment(variable) => write!(f, "environment: {variable}"),
            Self::DotEnv { file, line, .. } => write!(f, "{file}:{line}"),
            Self::Default => f.write_str("default"),
        }
    }
}

impl Serialize for Origin {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// What settings are resolved from.
#[derive(Debug, Default)]
pub struct Sources {
    /// What was typed.
    pub flags: Flags,
    /// The environment of the process.
    pub environment: HashMap<String, String>,
    /// The `.env` that applies.
    pub dotenv: Option<DotEnv>,
}

impl Sources {
    /// The flags, the environment of this process, and the `.env` that applies to the current directory.
    ///
    /// # Errors
    /// When there is a `.env` that cannot be read.
    pub fn of_process(flags: Flags, current: &Path) -> Result<Self, Failure> {
        // A variable that is not Unicode cannot hold a setting.
        let unicode = |(key, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((key.into_string().ok()?, value.into_string().ok()?))
        };
        let environment = std::env::vars_os().filter_map(unicode).collect();
        Ok(Self { flags, environment, dotenv: DotEnv::find(current)? })
    }
}

impl Settings {
    /// Finds and checks every setting.
    ///
    /// # Errors
    /// One failure that lists everything that AWS would refuse: what is wrong, where it came from, and what a right
    /// value looks like.
    pub fn resolve(sources: &Sources) -> Result<Self, Failure> {
        let found: Vec<Found> = SETTINGS.iter().map(|setting| find(setting, sources)).collect();
        let mut wrong: Vec<String> = found.iter().filter_map(Found::complaint).collect();
        let text =
            |variable: &str| found.iter().find(|it| it.setting.variable() == variable).and_then(|it| it.value.clone());
        let network = Network::both_or_none(text("STSMM_SUBNETS").as_deref(), text("STSMM_SECURITY_GROUPS").as_deref());
        let network = network.unwrap_or_else(|complaint| {
            wrong.push(complaint);
            None
        });
        if !wrong.is_empty() {
            return Err(refuse(&wrong));
        }
        let aws = AwsEnvironment::of(sources, found.iter().find(|it| it.setting.variable() == "AWS_PROFILE"));
        let region_warnings = table::region_warnings(&found, sources);
        let warnings = table::unknown_settings(sources);
        let blank = table::blank(sources);
        let endpoint_url =
            found.iter().find(|it| matches!(it.origin, Origin::Flag("--endpoint-url"))).and_then(|it| it.value.clone());
        Ok(Self {
            role: text("AWS_ROLE").and_then(|arn| RoleArn::parse(&arn).ok()),
            region: text("AWS_DEFAULT_REGION").unwrap_or_default(),
            profile: text("AWS_PROFILE"),
            endpoint_url,
            pipeline_name: text("PIPELINE_NAME").unwrap_or_default(),
            model_package_group_name: text("MODEL_PACKAGE_GROUP_NAME").unwrap_or_default(),
            base_job_prefix: text("BASE_JOB_PREFIX").unwrap_or_default(),
            bucket: text("STSMM_BUCKET"),
            image: text("STSMM_IMAGE"),
            further_tags: text("STSMM_TAGS").and_then(|tags| check::tags(&tags).ok()).unwrap_or_default(),
            kms_key: text("STSMM_KMS_KEY"),
            network,
            state_dir: text("STSMM_STATE_DIR").map(PathBuf::from),
            images: text("STSMM_IMAGES").map(PathBuf::from),
            found,
            aws,
            warnings,
            region_warnings,
            blank,
        })
    }

    /// The bucket, once the account is known.
    #[must_use]
    pub fn bucket(&self, account: &str) -> String {
        self.bucket.clone().unwrap_or_else(|| names::default_bucket(&self.region, account))
    }

    /// All that may not be as the user thinks, but for what concerns AWS alone.
    pub fn all_warnings(&self) -> impl Iterator<Item = &String> {
        self.region_warnings.iter().chain(&self.warnings)
    }

    /// The tags on everything that is created.
    #[must_use]
    pub fn tags(&self) -> Vec<(String, String)> {
        names::tags(&self.base_job_prefix, &self.further_tags)
    }
}

fn find(setting: &'static Setting, sources: &Sources) -> Found {
    if let Some((flag, value)) = setting.flag.and_then(|flag| Some((flag.name, set((flag.typed)(&sources.flags)?)?))) {
        return Found { setting, value: Some(value), origin: Origin::Flag(flag) };
    }
    for variable in setting.variables {
        if let Some(value) = sources.environment.get(*variable).and_then(|value| set(value)) {
            return Found { setting, value: Some(value), origin: Origin::Environment(variable) };
        }
    }
    for variable in setting.variables {
        let entry = sources.dotenv.as_ref().and_then(|file| Some((file, file.get(variable)?)));
        if let Some((file, entry)) = entry {
            let origin = Origin::DotEnv { file: file.label.clone(), line: entry.line, variable };
            return Found { setting, value: Some(entry.value.trim().to_owned()), origin };
        }
    }
    Found { setting, value: setting.default.map(str::to_owned), origin: Origin::Default }
}

/// Blank is unset.
fn set(value: &str) -> Option<String> {
    let value = value.trim();
    (!value.is_empty()).then(|| value.to_owned())
}

impl Found {
    /// What is wrong with the value, where it came from, and what a right one looks like.
    fn complaint(&self) -> Option<String> {
        let value = self.value.as_deref()?;
        let why = (self.setting.check)(value).err()?;
        Some(format!(
            "{} is `{value}` ({}): {why}; right is {}",
            self.setting.variable(),
            self.origin,
            self.setting.right
        ))
    }
}

fn refuse(wrong: &[String]) -> Failure {
    let what = match wrong {
        [one] => one.clone(),
        several => format!("{} settings are wrong\n  {}", several.len(), several.join("\n  ")),
    };
    Failure::usage(what).hint("`cargo xtask config --help` lists the settings; `.env.example` shows them in use")
}

#[cfg(test)]
mod tests;
