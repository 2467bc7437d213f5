//! The table of settings: each one once.

use clap::Args;

use super::{Found, Origin, Sources, check};

/// One setting.
#[derive(Debug)]
pub struct Setting {
    /// The variables that set it. The first is stronger; the last is the setting's name.
    pub variables: &'static [&'static str],
    /// The flag that sets it.
    pub flag: Option<Flag>,
    /// What it is when nobody sets it.
    pub default: Option<&'static str>,
    /// What is shown when it is unset and has no fixed default.
    pub otherwise: &'static str,
    /// Whether a value will do.
    pub check: fn(&str) -> Result<(), String>,
    /// What a right value looks like.
    pub right: &'static str,
    /// What it is for.
    pub about: &'static str,
}

/// The flag of a setting.
#[derive(Debug, Clone, Copy)]
pub struct Flag {
    /// `--name`.
    pub name: &'static str,
    /// What was typed.
    pub typed: fn(&Flags) -> Option<&str>,
}

impl Setting {
    /// The variable that the setting is known by.
    #[must_use]
    pub fn variable(&self) -> &'static str {
        self.variables[self.variables.len() - 1]
    }
}

/// The flags of settings.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Settings")]
pub struct Flags {
    /// The role to work as and to pass to SageMaker [env: AWS_ROLE]
    #[arg(long, global = true, value_name = "ARN")]
    pub role: Option<String>,
    /// The region [env: AWS_REGION, AWS_DEFAULT_REGION] [default: eu-west-1]
    #[arg(long, global = true)]
    pub region: Option<String>,
    /// The profile of ~/.aws/config [env: AWS_PROFILE]
    #[arg(long, global = true)]
    pub profile: Option<String>,
    /// Where every service of AWS is called [env: AWS_ENDPOINT_URL]
    #[arg(long, global = true, value_name = "URL", conflicts_with = "offline")]
    pub endpoint_url: Option<String>,
    /// The pipeline [env: PIPELINE_NAME] [default: stsPipeline]
    #[arg(long, global = true, value_name = "NAME")]
    pub pipeline_name: Option<String>,
    /// The model package group [env: MODEL_PACKAGE_GROUP_NAME] [default: stsPackageGroup]
    #[arg(long, global = true, value_name = "NAME")]
    pub model_package_group_name: Option<String>,
    /// What keys and further names begin with [env: BASE_JOB_PREFIX] [default: sts]
    #[arg(long, global = true, value_name = "PREFIX")]
    pub base_job_prefix: Option<String>,
    /// The bucket [env: STSMM_BUCKET] [default: sagemaker-{region}-{account}]
    #[arg(long, global = true, value_name = "NAME")]
    pub bucket: Option<String>,
}

macro_rules! flag {
    ($name:literal, $field:ident) => {
        Some(Flag { name: $name, typed: |flags| flags.$field.as_deref() })
    };
}

/// Every setting.
pub const SETTINGS: &[Setting] = &[
    Setting {
        variables: &["AWS_ROLE"],
        flag: flag!("--role", role),
        default: None,
        otherwise: "(unset)",
        check: check::role,
        right: "arn:aws:iam::111122223333:role/sts-execution",
        about: "the role that every verb works as, and that it passes to SageMaker",
    },
    Setting {
        // The SDKs for Rust, Java and Go read AWS_REGION first; boto3 and the AWS CLI v1 know AWS_DEFAULT_REGION only.
        variables: &["AWS_REGION", "AWS_DEFAULT_REGION"],
        flag: flag!("--region", region),
        default: Some("eu-west-1"),
        otherwise: "",
        check: check::region,
        right: "eu-west-1",
        about: "the region of everything",
    },
    Setting {
        variables: &["AWS_PROFILE"],
        flag: flag!("--profile", profile),
        default: None,
        otherwise: "(default)",
        check: check::anything,
        right: "a profile of ~/.aws/config",
        about: "whose credentials are used",
    },
    Setting {
        variables: &["AWS_ENDPOINT_URL"],
        flag: flag!("--endpoint-url", endpoint_url),
        default: None,
        otherwise: "(AWS's own)",
        check: check::endpoint_url,
        right: "http://127.0.0.1:4566",
        about: "where every service of AWS is called",
    },
    Setting {
        variables: &["PIPELINE_NAME"],
        flag: flag!("--pipeline-name", pipeline_name),
        default: Some("stsPipeline"),
        otherwise: "",
        check: check::pipeline_name,
        right: "letters, digits and inner hyphens, at most 256: stsPipeline",
        about: "the pipeline",
    },
    Setting {
        variables: &["MODEL_PACKAGE_GROUP_NAME"],
        flag: flag!("--model-package-group-name", model_package_group_name),
        default: Some("stsPackageGroup"),
        otherwise: "",
        check: check::group_name,
        right: "letters, digits and inner hyphens, at most 63: stsPackageGroup",
        about: "where models are registered",
    },
    Setting {
        variables: &["BASE_JOB_PREFIX"],
        flag: flag!("--base-job-prefix", base_job_prefix),
        default: Some("sts"),
        otherwise: "",
        check: check::prefix,
        right: "letters, digits and inner hyphens, at most 47, so that names made of it fit 63: sts",
        about: "what every key and every further name begins with",
    },
    Setting {
        variables: &["STSMM_BUCKET"],
        flag: flag!("--bucket", bucket),
        default: None,
        otherwise: "sagemaker-{region}-{account}",
        check: check::bucket,
        right: "3 to 63 lower-case letters, digits, hyphens and dots: my-team-sts",
        about: "where inputs, outputs and models are stored",
    },
    Setting {
        variables: &["STSMM_IMAGE"],
        flag: None,
        default: None,
        otherwise: "(the toolkit's own)",
        check: check::image,
        right: "111122223333.dkr.ecr.eu-west-1.amazonaws.com/sts-container:TAG",
        about: "the image of every step",
    },
    Setting {
        variables: &["STSMM_TAGS"],
        flag: None,
        default: None,
        otherwise: "(none)",
        check: check::tag_list,
        right: "key=value,key=value: team=nlp,cost-center=42",
        about: "further tags on everything that is created",
    },
    Setting {
        variables: &["STSMM_KMS_KEY"],
        flag: None,
        default: None,
        otherwise: "(none)",
        check: check::kms_key,
        right: "an id, an alias or an ARN: alias/sts",
        about: "the key that encrypts what is stored",
    },
    Setting {
        variables: &["STSMM_SUBNETS"],
        flag: None,
        default: None,
        otherwise: "(none)",
        check: check::subnets,
        right: "up to 16 ids: subnet-0123456789abcdef0,subnet-0123456789abcdef1",
        about: "the subnets that jobs run in; together with STSMM_SECURITY_GROUPS",
    },
    Setting {
        variables: &["STSMM_SECURITY_GROUPS"],
        flag: None,
        default: None,
        otherwise: "(none)",
        check: check::security_groups,
        right: "up to 5 ids: sg-0123456789abcdef0",
        about: "the security groups of jobs; together with STSMM_SUBNETS",
    },
    Setting {
        variables: &["STSMM_STATE_DIR"],
        flag: None,
        default: None,
        otherwise: ".stsmm/offline",
        check: check::anything,
        right: "a folder",
        about: "where the fake keeps its state, if not --state",
    },
    Setting {
        variables: &["STSMM_IMAGES"],
        flag: None,
        default: None,
        otherwise: "(none)",
        check: check::anything,
        right: "a file: images.toml",
        about: "the map of images to programs by which the fake runs them, if not --images",
    },
];

/// What may not be as the user thinks about the region.
pub(super) fn region_warnings(found: &[Found], sources: &Sources) -> Vec<String> {
    let Some(region) = found.iter().find(|one| one.setting.variable() == "AWS_DEFAULT_REGION") else {
        return Vec::new();
    };
    let value = region.value.as_deref().unwrap_or_default();
    let known = check::REGIONS.split_whitespace().any(|known| known == value);
    let unknown = (!known).then(|| format!("`{value}` ({}) is no region that the toolkit knows", region.origin));
    unknown.into_iter().chain(regions_in_conflict(region, sources)).collect()
}

/// Names that look like settings and are none.
pub(super) fn unknown_settings(sources: &Sources) -> Vec<String> {
    let names = sources.environment.keys().map(|key| (key.as_str(), "environment".to_owned()));
    let names = names.chain(sources.dotenv.iter().flat_map(|file| {
        file.entries.iter().map(|entry| (entry.key.as_str(), format!("{}:{}", file.label, entry.line)))
    }));
    let unknown =
        names.filter(|(name, _)| name.starts_with("STSMM_") && !SETTINGS.iter().any(|it| it.variables.contains(name)));
    let mut unknown: Vec<_> =
        unknown.map(|(name, at)| format!("{name} ({at}) is no setting and does nothing")).collect();
    unknown.sort();
    unknown
}

/// The variables of settings that are set in the environment, and blank.
pub(super) fn blank(sources: &Sources) -> Vec<&'static str> {
    let is_blank =
        |variable: &&str| sources.environment.get(*variable).is_some_and(|value| super::set(value).is_none());
    SETTINGS.iter().flat_map(|setting| setting.variables).copied().filter(is_blank).collect()
}

/// Two variables for one thing, and they disagree: which one counts depends on the tool that reads them.
fn regions_in_conflict(region: &Found, sources: &Sources) -> Option<String> {
    if matches!(region.origin, Origin::Flag(_)) {
        return None;
    }
    let (strong, strong_at) = variable_anywhere("AWS_REGION", sources)?;
    let (weak, weak_at) = variable_anywhere("AWS_DEFAULT_REGION", sources)?;
    (strong != weak).then(|| {
        format!(
            "AWS_REGION is {strong} ({strong_at}) and AWS_DEFAULT_REGION is {weak} ({weak_at}): {} is used; \
             other tools may read the other one",
            region.value.as_deref().unwrap_or_default()
        )
    })
}

/// The value of one variable and where it stands: the environment before `.env`.
fn variable_anywhere(variable: &str, sources: &Sources) -> Option<(String, String)> {
    if let Some(value) = sources.environment.get(variable).and_then(|value| super::set(value)) {
        return Some((value, "environment".to_owned()));
    }
    let file = sources.dotenv.as_ref()?;
    let entry = file.get(variable)?;
    Some((entry.value.trim().to_owned(), format!("{}:{}", file.label, entry.line)))
}
