//! How long a document may be.

use super::{Kind, findings::Findings};
use crate::problem::{AwsError, Rule};

/// The limits of a kind, in characters without blanks. What needs a raised quota or a particular place is warned of. From
/// "IAM and AWS STS quotas" in the IAM User Guide, "Quotas for AWS Organizations" and "Bucket policies" in the S3 User
/// Guide.
struct Limit {
    warning: Option<(usize, &'static str)>,
    most: usize,
    /// What AWS answers, where that is known.
    aws: Option<&'static str>,
}

fn limit(kind: Kind) -> Limit {
    let (warning, most, aws) = match kind {
        Kind::Identity => {
            (Some((6_144, "more than a managed policy holds; a role's inline policies may be as long")), 10_240, None)
        }
        Kind::Boundary => (None, 6_144, Some("Cannot exceed quota for PolicySize: 6144")),
        Kind::Trust => (
            Some((2_048, "more than a trust policy holds unless the quota was raised")),
            4_096,
            Some("Cannot exceed quota for ACLSizePerRole: 4096"),
        ),
        Kind::Session => (None, 2_048, None),
        Kind::Scp => (Some((5_120, "more than some organisations' quota allows")), 10_240, None),
        Kind::Resource => (None, 20_480, None),
    };
    Limit { warning, most, aws }
}

pub(super) fn check(text: &str, findings: &mut Findings<'_>) {
    let length = text.chars().filter(|c| !c.is_whitespace()).count();
    let limit = limit(findings.kind);
    if length > limit.most {
        let most = limit.most;
        let problem =
            findings.error(Rule::Size, &(0..0), format!("{length} characters without blanks, at most {most}"));
        problem.aws = limit.aws.map(|message| AwsError { code: "LimitExceeded", message: message.to_owned() });
        problem.suggest("join statements with equal resources, or attach a second policy");
    } else if let Some((most, what)) = limit.warning.filter(|(most, _)| length > *most) {
        findings.warning(Rule::Size, &(0..0), format!("{length} characters without blanks, {what} ({most})"));
    }
}
