//! IAM as its clients speak to it: forms in, XML out.

mod documents;
mod policies;
mod roles;
mod scenarios;
mod simulate;
mod users;

use sagemaker_fake::testing::FakeAws;

use crate::clients::{raw, signed_for};

const POLICY: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}"#;
const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"sagemaker.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;

/// A policy about a bucket of this name.
fn about(bucket: &str) -> String {
    POLICY.replace("\"*\"", &format!("\"arn:aws:s3:::{bucket}\""))
}

/// A policy or trust policy with a text in it that is so long.
fn padded(policy: &str, letters: usize) -> String {
    let padding = format!(r#","Condition":{{"StringEquals":{{"aws:userid":"{}"}}}}}}]}}"#, "x".repeat(letters));
    policy.replace("}]}", &padding)
}

/// IAM of one account.
struct Iam(FakeAws);

impl Iam {
    async fn start() -> Self {
        Self(FakeAws::start().await)
    }

    /// The answer, which must not be a refusal.
    async fn ask(&self, action: &str, parameters: &[(&str, &str)]) -> String {
        let (status, body) = self.send(action, parameters).await;
        assert_eq!(status, 200, "{action} {parameters:?}: {body}");
        body
    }

    /// Asks, and expects these elements of this content in the answer, in this order.
    async fn check(&self, action: &str, parameters: &[(&str, &str)], expected: &[(&str, &str)]) {
        let body = self.ask(action, parameters).await;
        let names: Vec<_> = expected.iter().map(|(name, _)| *name).collect();
        let found: Vec<_> = elements(&body, &names);
        let found: Vec<_> = found.iter().map(|(name, content)| (*name, content.as_str())).collect();
        assert_eq!(found, expected, "{action}: {body}");
    }

    /// Asks, and expects a refusal: `404 NoSuchEntity: The role with name x cannot be found.`
    async fn refused(&self, action: &str, parameters: &[(&str, &str)], expected: &str) {
        let (status, body) = self.send(action, parameters).await;
        let said = elements(&body, &["Code", "Message"]);
        assert_eq!(said.len(), 2, "{action} {parameters:?}: {body}");
        assert_eq!(format!("{status} {}: {}", said[0].1, said[1].1), expected, "{action} {parameters:?}");
    }

    async fn send(&self, action: &str, parameters: &[(&str, &str)]) -> (u16, String) {
        let mut form = format!("Action={action}&Version=2010-05-08");
        for (name, value) in parameters {
            form.push_str(&format!("&{name}={}", encoded(value)));
        }
        let signed = signed_for("iam");
        let headers = [("content-type", "application/x-www-form-urlencoded"), ("authorization", &signed)];
        let answer = raw(&self.0.endpoint_url(), "POST /", &headers, &form).await;
        (answer.status, answer.body)
    }
}

/// The content of every element of these names that holds text and no elements, in the order of the document.
fn elements<'n>(body: &str, names: &[&'n str]) -> Vec<(&'n str, String)> {
    let text = |part: &str| {
        let (name, content) = part.split_once('>')?;
        let name = names.iter().find(|known| **known == name)?;
        (!content.is_empty()).then(|| (*name, content.replace("&quot;", "\"").replace("&amp;", "&")))
    };
    body.split('<').filter_map(text).collect()
}

fn encoded(text: &str) -> String {
    let letters = text.bytes().map(|byte| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    });
    letters.collect()
}

/// Some text of a marker between its tags.
fn marker(body: &str) -> String {
    elements(body, &["Marker"]).pop().unwrap_or_else(|| panic!("no marker: {body}")).1
}
