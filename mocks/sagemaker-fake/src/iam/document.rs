//! Policy documents: the one place that looks into them, and how answers carry them.

use iam_policy::document;
use iam_policy::problem::{Problem, Severity};
use iam_policy::{Kind, Policy};

use crate::ApiError;

/// The document, if IAM would take it as one of this kind. Who calls has looked at its size.
///
/// # Errors
/// `MalformedPolicyDocument`, in AWS's words for the first thing that is wrong.
pub fn check(document: &str, kind: Kind) -> Result<Policy, ApiError> {
    let (policy, problems) = document::check(document, kind);
    policy.ok_or_else(|| malformed(&problems, |problem| problem.severity == Severity::Error))
}

/// The same for a managed policy. A new one must be of the newest version of the language, where those of users and roles
/// may be older.
///
/// # Errors
/// Those of [`check`].
pub fn check_managed(document: &str) -> Result<Policy, ApiError> {
    let (policy, problems) = document::check(document, Kind::Identity);
    let refused = |problem: &Problem| problem.severity == Severity::Error || problem.aws.is_some();
    policy.filter(|_| !problems.iter().any(refused)).ok_or_else(|| malformed(&problems, refused))
}

fn malformed(problems: &[Problem], refused: impl Fn(&Problem) -> bool) -> ApiError {
    let said = problems.iter().filter(|problem| refused(problem)).find_map(|problem| problem.aws.as_ref());
    ApiError::new(MALFORMED, said.map_or("Syntax errors in policy.", |said| &said.message))
}

const MALFORMED: &str = "MalformedPolicyDocument";

/// The size of a document as IAM counts it: its characters without white space.
pub fn size(document: &str) -> usize {
    document.chars().filter(|letter| !letter.is_whitespace()).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::encode;

    #[test]
    fn what_aws_refuses_is_refused_in_its_words() {
        let refused = |document: &str, kind, expected: &str| {
            let error = check(document, kind).unwrap_err();
            assert_eq!((&*error.code, &*error.message), (MALFORMED, expected), "{document}");
        };
        let allow = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}"#;
        assert!(check(allow, Kind::Identity).is_ok());
        refused(&allow.replace("}]}", "}],}"), Kind::Identity, "This policy contains invalid Json");
        refused(&format!("\u{feff}{allow}"), Kind::Identity, "This policy contains invalid Json");
        let trust =
            allow.replace(r#""Action":"s3:*""#, r#""Principal":{"AWS":"111122223333"},"Action":"sts:AssumeRole""#);
        refused(&trust, Kind::Trust, "Has prohibited field Resource");
        refused("[]", Kind::Identity, "Syntax errors in policy.");
        // The first error is told, and not what is no error before it.
        let old = allow.replace("2012-10-17", "2008-10-17");
        refused(&old.replace("s3:*", "s3"), Kind::Identity, VENDOR);
        assert!(check(&old, Kind::Identity).is_ok());
    }

    #[test]
    fn a_new_managed_policy_is_of_the_newest_version() {
        const OLD: &str = "Policy document must be version 2012-10-17 or greater.";
        let check = |document: &str, expected: Result<(), &str>| {
            let found = check_managed(document).map(drop);
            assert_eq!(found, expected.map_err(|message| ApiError::new(MALFORMED, message)), "{document}");
        };
        check(r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}"#, Ok(()));
        check(r#"{"Version":"2008-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}"#, Err(OLD));
        check(r#"{"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}"#, Err(OLD));
        check(r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3","Resource":"*"}}"#, Err(VENDOR));
    }

    const VENDOR: &str = "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.";

    #[test]
    fn documents_are_measured_without_space_and_escaped_whole() {
        assert_eq!(size("{ \"a\":\n\t\"é b\" }"), 10);
        assert_eq!(encode("{\"a\": \"é-._~\"}"), "%7B%22a%22%3A%20%22%C3%A9-._~%22%7D");
    }
}
