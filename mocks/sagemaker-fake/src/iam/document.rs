//! Policy documents: the one place that looks into them, and how answers carry them.

use serde_json::Value;

use crate::ApiError;

/// Whether IAM would take this as a policy document. Its grammar is not looked at, only that it is a JSON object.
///
/// # Errors
/// `MalformedPolicyDocument`.
pub fn check(document: &str) -> Result<(), ApiError> {
    let message = match serde_json::from_str(document) {
        Ok(Value::Object(_)) => return Ok(()),
        Ok(_) => "Syntax errors in policy.",
        Err(_) => "This policy contains invalid Json",
    };
    Err(ApiError::new("MalformedPolicyDocument", message))
}

/// The size of a document as IAM counts it: its characters without white space.
pub fn size(document: &str) -> usize {
    document.chars().filter(|letter| !letter.is_whitespace()).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::encode;

    #[test]
    fn a_document_is_a_json_object() {
        let check = |document: &str, expected: Result<(), &str>| {
            assert_eq!(check(document).map_err(|error| error.message), expected.map_err(str::to_owned), "{document}");
        };
        check(r#"{"Version":"2012-10-17","Statement":[]}"#, Ok(()));
        check(r#"{"Version":"2012-10-17","Statement":[],}"#, Err("This policy contains invalid Json"));
        check("\u{feff}{}", Err("This policy contains invalid Json"));
        check("[]", Err("Syntax errors in policy."));
    }

    #[test]
    fn documents_are_measured_without_space_and_escaped_whole() {
        assert_eq!(size("{ \"a\":\n\t\"é b\" }"), 10);
        assert_eq!(encode("{\"a\": \"é-._~\"}"), "%7B%22a%22%3A%20%22%C3%A9-._~%22%7D");
    }
}
