//! What AWS would refuse is refused here, with the reason.

use std::sync::LazyLock;

use regex::Regex;
use serde::Serialize;

use crate::names;

/// The ARN of an IAM role, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleArn {
    /// The whole.
    pub arn: String,
    /// The account that it is in.
    pub account: String,
    /// Its name, without its path.
    pub name: String,
}

/// The network that jobs run in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Network {
    /// `subnet-...`, up to 16.
    pub subnets: Vec<String>,
    /// `sg-...`, up to 5.
    pub security_groups: Vec<String>,
}

type Check = Result<(), String>;

/// A regular expression that is compiled once.
macro_rules! pattern {
    ($pattern:literal) => {{
        static PATTERN: LazyLock<Regex> = LazyLock::new(|| Regex::new($pattern).expect("the pattern is valid"));
        &*PATTERN
    }};
}

/// For settings that AWS never sees.
pub(super) fn anything(_: &str) -> Check {
    Ok(())
}

impl RoleArn {
    /// Reads the ARN of a role.
    ///
    /// # Errors
    /// Why it is none, and what is meant if that can be guessed.
    pub fn parse(text: &str) -> Result<Self, String> {
        // The path and the name as the IAM API limits them; the partition as there are several.
        let arn = pattern!(r"^arn:aws[a-z-]*:iam::(\d{12}):role/(?:[\x21-\x7e]{1,510}/)?([A-Za-z0-9_+=,.@-]{1,64})$");
        if let Some(parts) = arn.captures(text) {
            return Ok(Self { arn: text.to_owned(), account: parts[1].to_owned(), name: parts[2].to_owned() });
        }
        let session = pattern!(r"^arn:aws[a-z-]*:sts::(\d{12}):assumed-role/([^/]+)/");
        if let Some(parts) = session.captures(text) {
            let role = format!("arn:aws:iam::{}:role/{}", &parts[1], &parts[2]);
            return Err(format!(
                "that is a session of the role, not the role: {role}, with the role's path if it has one"
            ));
        }
        if pattern!(r"^[A-Za-z0-9_+=,.@-]{1,64}$").is_match(text) {
            return Err(format!(
                "that is the name alone: write arn:aws:iam::ACCOUNT:role/{text}, with the role's path if it has one"
            ));
        }
        if text.contains(['<', '>']) {
            return Err("the placeholder is still in it".to_owned());
        }
        if text.contains(":user/") || text.contains(":root") {
            return Err("that is no role".to_owned());
        }
        Err("that is not the ARN of a role".to_owned())
    }
}

impl Network {
    /// The network that the two settings describe together.
    ///
    /// # Errors
    /// When there is one without the other.
    pub(super) fn both_or_none(subnets: Option<&str>, groups: Option<&str>) -> Result<Option<Self>, String> {
        let list = |text: &str| split(text).map(str::to_owned).collect();
        match (subnets, groups) {
            (Some(subnets), Some(groups)) => Ok(Some(Self { subnets: list(subnets), security_groups: list(groups) })),
            (None, None) => Ok(None),
            (Some(_), None) => Err("STSMM_SUBNETS is set without STSMM_SECURITY_GROUPS: a VPC takes both".to_owned()),
            (None, Some(_)) => Err("STSMM_SECURITY_GROUPS is set without STSMM_SUBNETS: a VPC takes both".to_owned()),
        }
    }
}

pub(super) fn role(text: &str) -> Check {
    RoleArn::parse(text).map(drop)
}

pub(super) fn region(text: &str) -> Check {
    shaped(text, pattern!(r"^[a-z]{2,4}(-[a-z]+){1,2}-\d{1,2}$"), "that has not the shape of a region")
}

/// The regions with SageMaker in the public partitions, as of 2026-11. A newer one is only warned about.
pub(super) const REGIONS: &str = "\
    af-south-1 ap-east-1 ap-east-2 ap-northeast-1 ap-northeast-2 ap-northeast-3 ap-south-1 ap-south-2
    ap-southeast-1 ap-southeast-2 ap-southeast-3 ap-southeast-4 ap-southeast-5 ap-southeast-6
    ap-southeast-7 ca-central-1 ca-west-1 cn-north-1 cn-northwest-1 eu-central-1 eu-central-2 eu-north-1
    eu-south-1 eu-south-2 eu-west-1 eu-west-2 eu-west-3 eusc-de-east-1 il-central-1 me-central-1
    me-south-1 mx-central-1 sa-east-1 us-east-1 us-east-2 us-gov-east-1 us-gov-west-1 us-west-1 us-west-2";

pub(super) fn endpoint_url(text: &str) -> Check {
    match text.parse::<http::Uri>() {
        Ok(uri) if uri.host().is_some() && matches!(uri.scheme_str(), Some("http" | "https")) => Ok(()),
        _ => Err("that is not the URL of a server".to_owned()),
    }
}

pub(super) fn pipeline_name(text: &str) -> Check {
    aws_name(text, 256)
}

pub(super) fn group_name(text: &str) -> Check {
    aws_name(text, 63)
}

pub(super) fn prefix(text: &str) -> Check {
    aws_name(text, 63 - names::LONGEST_SUFFIX)
}

/// `[a-zA-Z0-9](-*[a-zA-Z0-9])*`, as SageMaker names nearly everything.
fn aws_name(text: &str, longest: usize) -> Check {
    if let Some(odd) = text.chars().find(|it| !it.is_ascii_alphanumeric() && *it != '-') {
        return Err(format!("`{odd}` is not allowed"));
    }
    if text.starts_with('-') || text.ends_with('-') {
        return Err("it may not begin or end with a hyphen".to_owned());
    }
    if text.len() > longest {
        return Err(format!("{} characters are too many, at most {longest} are allowed", text.len()));
    }
    Ok(())
}

pub(super) fn bucket(text: &str) -> Check {
    if !(3..=63).contains(&text.len()) {
        return Err(format!("{} characters: it must be 3 to 63", text.len()));
    }
    if let Some(odd) = text.chars().find(|it| !it.is_ascii_lowercase() && !it.is_ascii_digit() && !".-".contains(*it)) {
        return Err(format!("`{odd}` is not allowed"));
    }
    if text.starts_with(['.', '-']) || text.ends_with(['.', '-']) || text.contains("..") {
        return Err("it must begin and end with a letter or digit, and no two dots may be adjacent".to_owned());
    }
    if text.parse::<std::net::Ipv4Addr>().is_ok() {
        return Err("it may not look like an IP address".to_owned());
    }
    let reserved_start = ["xn--", "sthree-", "amzn-s3-demo-"].into_iter().find(|start| text.starts_with(start));
    let reserved_end =
        ["-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"].into_iter().find(|end| text.ends_with(end));
    match reserved_start.or(reserved_end) {
        Some(reserved) => Err(format!("`{reserved}` is reserved by S3")),
        None => Ok(()),
    }
}

pub(super) fn image(text: &str) -> Check {
    let ecr = pattern!(
        r"^\d{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com(\.cn)?/[a-z0-9]+([._/-][a-z0-9]+)*(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(@sha256:[0-9a-f]{64})?$"
    );
    if text.len() > 255 {
        return Err("SageMaker takes at most 255 characters".to_owned());
    }
    shaped(text, ecr, "SageMaker pulls from Amazon ECR only")
}

/// `key=value,key=value`, as pairs.
pub(super) fn tags(text: &str) -> Result<Vec<(String, String)>, String> {
    let allowed = pattern!(r"^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$");
    let mut tags: Vec<(String, String)> = Vec::new();
    for tag in split(text) {
        let Some((key, value)) = tag.split_once('=') else { return Err(format!("`{tag}` has no `=`")) };
        let (key, value) = (key.trim(), value.trim());
        if key.is_empty() || key.chars().count() > 128 || value.chars().count() > 256 {
            return Err(format!("`{tag}`: a key has 1 to 128 characters, a value at most 256"));
        }
        if !allowed.is_match(key) || !allowed.is_match(value) {
            return Err(format!("`{tag}`: letters, digits, spaces and _ . : / = + - @ are allowed"));
        }
        if key.to_ascii_lowercase().starts_with("aws:") {
            return Err(format!("`{key}`: keys that begin with `aws:` are AWS's own"));
        }
        if key == names::PROJECT || key == names::MANAGED_BY.0 {
            return Err(format!("`{key}` is set by the toolkit"));
        }
        if tags.iter().any(|(known, _)| known == key) {
            return Err(format!("`{key}` is there twice"));
        }
        tags.push((key.to_owned(), value.to_owned()));
    }
    if tags.len() > 48 {
        return Err(format!("{} tags are too many: AWS allows 50, two of which are ours", tags.len()));
    }
    Ok(tags)
}

pub(super) fn tag_list(text: &str) -> Check {
    tags(text).map(drop)
}

pub(super) fn kms_key(text: &str) -> Check {
    let key = pattern!(
        r"^(arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:(key/[A-Za-z0-9-]+|alias/[A-Za-z0-9/_-]+)|alias/[A-Za-z0-9/_-]+|mrk-[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$"
    );
    shaped(text, key, "that is no key of AWS KMS")
}

pub(super) fn subnets(text: &str) -> Check {
    ids(text, pattern!(r"^subnet-([0-9a-f]{8}|[0-9a-f]{17})$"), 16)
}

pub(super) fn security_groups(text: &str) -> Check {
    ids(text, pattern!(r"^sg-([0-9a-f]{8}|[0-9a-f]{17})$"), 5)
}

fn ids(text: &str, id: &Regex, most: usize) -> Check {
    if let Some(wrong) = split(text).find(|it| !id.is_match(it)) {
        return Err(format!("`{wrong}` has not the right shape"));
    }
    match split(text).count() {
        0 => Err("it names none".to_owned()),
        count if count > most => Err(format!("{count} are too many, at most {most} are allowed")),
        _ => Ok(()),
    }
}

fn shaped(text: &str, pattern: &Regex, otherwise: &str) -> Check {
    if pattern.is_match(text) { Ok(()) } else { Err(otherwise.to_owned()) }
}

/// The parts of a list; a comma too many does no harm.
fn split(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|it| !it.is_empty())
}
