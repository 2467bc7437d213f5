//! The next thing to do, by AWS's code and sentence. Sentences differ a little between services: they are read
//! tolerantly.

use std::sync::LazyLock;

use regex::Regex;
use time::PrimitiveDateTime;
use time::macros::format_description;

/// When AWS was not reached.
pub(super) const NETWORK: &str = "check the network, the proxy (HTTPS_PROXY, NO_PROXY) and the endpoint (cargo xtask config); no network at all: --offline";

/// When what answered was not AWS.
pub(super) const ENDPOINT: &str =
    "something that is not AWS may have answered: check the proxy and the endpoint (cargo xtask config)";

const EXPIRED: &str = "the credentials have expired: log in again (aws sso login, aws login), or renew the keys";
const UNKNOWN_KEY: &str =
    "AWS does not know the access key: it was deleted or mistyped, or it is temporary and AWS_SESSION_TOKEN is missing";
const WRONG_SECRET: &str =
    "AWS_SECRET_ACCESS_KEY does not belong to AWS_ACCESS_KEY_ID: copy both again, without quotes or blanks";
const CLOCK: &str = "the clock of this machine is wrong: let it be set from the network";
const TRUST: &str =
    "the role must exist, and its trust policy must let the service sagemaker.amazonaws.com call sts:AssumeRole";

/// (code, part of the sentence, hint): the first row whose both parts fit. An empty part fits all.
const HINTS: &[(&str, &str, &str)] = &[
    ("ExpiredToken", "", EXPIRED),
    ("ExpiredTokenException", "", EXPIRED),
    ("InvalidClientTokenId", "", UNKNOWN_KEY),
    ("UnrecognizedClientException", "", UNKNOWN_KEY),
    ("InvalidAccessKeyId", "", UNKNOWN_KEY),
    ("RequestTimeTooSkewed", "", CLOCK),
    ("SignatureDoesNotMatch", "", WRONG_SECRET),
    ("InvalidSignatureException", "", WRONG_SECRET),
    (
        "RegionDisabledException",
        "",
        "AWS STS is not active in this region: activate it in the account's settings, or use another region",
    ),
    ("OptInRequired", "", "the region or the service is not enabled for this account"),
    (
        "ValidationError",
        "session limit for roles assumed by role chaining",
        "a session of a role can assume another for one hour at most",
    ),
    ("ValidationException", "Could not assume role", TRUST),
    ("ValidationException", "trust relationship", TRUST),
    (
        "ResourceLimitExceeded",
        "",
        "a quota is used up: ask for more in Service Quotas, or choose another instance type (--param)",
    ),
    ("NoSuchBucket", "", "make it: cargo xtask bootstrap"),
    ("OperationAborted", "", "S3 is still at work on this bucket: try again in a minute"),
    (
        "BucketAlreadyExists",
        "",
        "somebody else has a bucket of this name: choose another with STSMM_BUCKET or --bucket",
    ),
    ("PackedPolicyTooLarge", "", "the session's tags are too long for AWS STS"),
];

/// What to do about a refusal with this code and sentence.
pub(super) fn hint(code: &str, message: &str) -> Option<String> {
    if let Some(skew) = skew(message) {
        return Some(format!("{CLOCK}; {skew}"));
    }
    if message.starts_with("Signature expired") || message.starts_with("Signature not yet current") {
        return Some(CLOCK.to_owned());
    }
    if let Some(missing) = missing_permission(message) {
        return Some(missing);
    }
    if is_throttling(code) {
        return Some("AWS limits how often this may be asked: try again in a minute".to_owned());
    }
    let row = HINTS.iter().find(|(known, part, _)| *known == code && message.contains(part));
    let denied = || matches!(code, "AccessDenied" | "AccessDeniedException" | "403");
    match row {
        Some((_, _, hint)) => Some((*hint).to_owned()),
        None if denied() => Some("a permission is missing: see the permissions in README.md".to_owned()),
        None => None,
    }
}

/// What to do about a refusal without words.
pub(super) fn wordless(status: u16) -> Option<String> {
    match status {
        400 => Some(format!("S3 says no more than that to a HEAD request; most often, {EXPIRED}")),
        403 => {
            Some("a permission is missing, or it is another account's: `cargo xtask doctor` finds out which".to_owned())
        }
        _ => None,
    }
}

/// Whether AWS wants to be asked less often.
pub(super) fn is_throttling(code: &str) -> bool {
    [
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "RequestLimitExceeded",
        "TooManyRequestsException",
        "SlowDown",
        "PriorRequestNotComplete",
    ]
    .contains(&code)
}

/// What to do when no provider has credentials; `said` is the deepest reason.
pub(super) fn credentials(said: &str) -> String {
    let said = said.to_lowercase();
    let hint = if said.contains("sso") {
        "log in again: aws sso login --profile PROFILE"
    } else if said.contains("session has expired") || said.contains("login") {
        "log in again: aws login"
    } else if said.contains("profile") && said.contains("not defined") {
        "check AWS_PROFILE or --profile against ~/.aws/config"
    } else {
        "set AWS_PROFILE, or log in (aws sso login, aws login), or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; \
         no account at all: --offline"
    };
    hint.to_owned()
}

/// `User: WHO is not authorized to perform: ACTION on resource: WHAT because no TYPE allows ...`, and its variants.
fn missing_permission(message: &str) -> Option<String> {
    static DENIED: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(
            r#"(?i)User: (?<who>\S+) is not authorized to perform: (?<action>\S+?)(?: on resource: "?(?<resource>[^\s"]+)"?)?(?: because no (?<kind>.+?) allows the \S+ action| with an explicit deny in (?:an?|the) (?<denier>[^:]+?)(?:: (?<policy>arn:\S+))?)?\.?$"#,
        )
        .expect("the pattern is valid")
    });
    let found = DENIED.captures(message.trim())?;
    let text = |name: &str| found.name(name).map(|it| it.as_str());
    let (who, action) = (text("who")?, text("action")?);
    let on = text("resource").map(|resource| format!(" on {resource}")).unwrap_or_default();
    if let Some(denier) = text("denier") {
        let policy = text("policy").map(|arn| format!(" ({arn})")).unwrap_or_default();
        return Some(format!("a {denier}{policy} forbids {action}: an administrator has to change it"));
    }
    let role = crate::aws::identity::role_of_session(who);
    let whom = role.as_deref().unwrap_or(who);
    Some(match (text("kind"), action) {
        (Some("permissions boundary"), _) => format!("the permissions boundary of {whom} must allow {action}{on}"),
        (Some("role trust policy"), _) => format!("the trust policy of the role must allow {whom} {action}"),
        (Some(kind), _) if !kind.contains("identity") => format!("the {kind} must allow {action}{on}"),
        (_, "iam:PassRole") => format!(
            "allow {whom} iam:PassRole{on}, with iam:PassedToService sagemaker.amazonaws.com: the pipeline's steps run as that role"
        ),
        _ => format!("allow {whom} {action}{on}"),
    })
}

/// `Signature expired: OURS is now earlier than LIMIT (THEIRS - 15 min.)`: by how much the clocks differ.
fn skew(message: &str) -> Option<String> {
    static TIMES: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(\d{8}T\d{6}Z) is (?:now earlier|still later) than \d{8}T\d{6}Z \((\d{8}T\d{6}Z)")
            .expect("the pattern is valid")
    });
    let times = TIMES.captures(message)?;
    let time = |text: &str| {
        PrimitiveDateTime::parse(text, format_description!("[year][month][day]T[hour][minute][second]Z")).ok()
    };
    let minutes = (time(&times[1])? - time(&times[2])?).whole_minutes();
    let direction = if minutes < 0 { "slow" } else { "fast" };
    Some(format!("it is {} minutes {direction}", minutes.abs()))
}
