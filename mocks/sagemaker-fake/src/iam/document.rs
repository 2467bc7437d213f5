//! Policy documents: the one place that looks into them, and how answers carry them.

use iam_policy::{Kind, Policy};

use crate::ApiError;

/// The document, if IAM would take it as one of this kind.
///
/// # Errors
/// `MalformedPolicyDocument`, in AWS's words where they are known.
pub fn check(document: &str, kind: Kind) -> Result<Policy, ApiError> {
    Policy::parse(document, kind).map_err(|malformed| {
        let said = malformed.problems.iter().find_map(|problem| problem.aws.as_ref());
        let said = said.filter(|said| said.code == MALFORMED).map(|said| said.message.clone());
        ApiError::new(MALFORMED, said.unwrap_or_else(|| "Syntax errors in policy.".to_owned()))
    })
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
    }

    #[test]
    fn documents_are_measured_without_space_and_escaped_whole() {
        assert_eq!(size("{ \"a\":\n\t\"é b\" }"), 10);
        assert_eq!(encode("{\"a\": \"é-._~\"}"), "%7B%22a%22%3A%20%22%C3%A9-._~%22%7D");
    }
}
