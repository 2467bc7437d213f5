//! What a request says about who signed it, for which region and service.

use http::{HeaderMap, header};

/// The region of requests that name none.
pub const DEFAULT_REGION: &str = "eu-west-1";

/// The credential that a request was signed with (Signature Version 4), in its `Authorization` header or, of a
/// presigned URL, in its query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential {
    /// Names the user or session.
    pub access_key_id: String,
    /// The region of the credential's scope.
    pub region: String,
    /// The service of the credential's scope, e.g. `sagemaker`.
    pub service: String,
    /// The token of a session.
    pub session_token: Option<String>,
}

impl Credential {
    /// The credential of a request, if it has one that can be read.
    #[must_use]
    pub fn of(headers: &HeaderMap, query: &str) -> Option<Self> {
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let authorization = header(header::AUTHORIZATION.as_str());
        let (scope, token) = match authorization {
            Some(value) => {
                let scope = value.split_once("Credential=")?.1.split([',', ' ']).next()?.to_owned();
                (scope, header("x-amz-security-token").map(str::to_owned))
            }
            None => (parameter(query, "X-Amz-Credential")?, parameter(query, "X-Amz-Security-Token")),
        };
        // KEY/20261124/eu-west-1/sagemaker/aws4_request
        let mut parts = scope.split('/');
        let (key, _date, region, service) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let region = if region.is_empty() { DEFAULT_REGION } else { region };
        Some(Self {
            access_key_id: key.to_owned(),
            region: region.to_owned(),
            service: service.to_owned(),
            session_token: token,
        })
    }
}

/// The value of a parameter of the query, decoded.
fn parameter(query: &str, name: &str) -> Option<String> {
    super::query::pairs(query.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_headers_and_presigned_urls() {
        let check = |headers: &[(&'static str, &'static str)],
                     query: &str,
                     expected: Option<(&str, &str, &str, Option<&str>)>| {
            let headers = headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
            let found = Credential::of(&headers, query);
            let found = found
                .as_ref()
                .map(|c| (c.access_key_id.as_str(), c.region.as_str(), c.service.as_str(), c.session_token.as_deref()));
            assert_eq!(found, expected, "{headers:?} {query}");
        };
        let v4 =
            "AWS4-HMAC-SHA256 Credential=AKIA1/20261124/us-east-1/sts/aws4_request, SignedHeaders=host, Signature=0";
        check(&[("authorization", v4)], "", Some(("AKIA1", "us-east-1", "sts", None)));
        check(
            &[("authorization", v4), ("x-amz-security-token", "t")],
            "",
            Some(("AKIA1", "us-east-1", "sts", Some("t"))),
        );
        check(&[("authorization", "Bearer x")], "", None);
        check(&[], "", None);
        check(
            &[],
            "X-Amz-Credential=AKIA1%2F20261124%2Feu-west-3%2Fs3%2Faws4_request&X-Amz-Security-Token=a%2Bb",
            Some(("AKIA1", "eu-west-3", "s3", Some("a+b"))),
        );
    }
}
