//! What nobody in their right mind would write: no panic, no blow-up.

use iam_policy::document::check;
use iam_policy::repair::repairs;
use iam_policy::simulate::{Simulation, simulate};
use iam_policy::{Attached, Kind, Policies, Policy, Request, evaluate};
use proptest::prelude::*;

use crate::fixtures::*;

const KINDS: [Kind; 6] = [Kind::Identity, Kind::Resource, Kind::Trust, Kind::Boundary, Kind::Session, Kind::Scp];

/// A document with something of everything.
const DOCUMENT: &str = r#"{"Version": "2012-10-17", "Id": "x", "Statement": [
    {"Sid": "One", "Effect": "Allow", "Principal": {"AWS": "111122223333", "Service": ["a.amazonaws.com"]},
     "Action": ["s3:Get*", "s3:P?tObject"], "Resource": "arn:aws:s3:::data/${aws:username, 'none'}/*"},
    {"Effect": "Deny", "NotPrincipal": {"AWS": "arn:aws:iam::111122223333:user/ann"}, "NotAction": "iam:*", "NotResource": "*",
     "Condition": {"ForAllValues:StringLikeIfExists": {"aws:TagKeys": ["a*", "?"]}, "Bool": {"aws:SecureTransport": "false"},
     "DateLessThan": {"aws:CurrentTime": "2030-01-01T00:00:00Z"}, "IpAddress": {"aws:SourceIp": "10.0.0.0/8"},
     "NumericLessThan": {"s3:max-keys": "1e3"}, "Null": {"a:b": "true"}, "BinaryEquals": {"a:c": "QUJD"}}}]}"#;

/// Asks a policy all that there is to ask.
fn ask(policy: Policy, request: &Request) {
    let attached = || Attached::new("hostile", policy.clone());
    let policies = match policy.kind {
        Kind::Resource | Kind::Trust => Policies { resource: Some(attached()), ..identity(ALLOW_ALL) },
        Kind::Boundary => Policies { boundary: Some(attached()), ..identity(ALLOW_ALL) },
        Kind::Session => Policies { session: vec![attached()], ..identity(ALLOW_ALL) },
        Kind::Scp => Policies { scps: vec![vec![attached()]], ..identity(ALLOW_ALL) },
        Kind::Identity => Policies { identity: vec![attached()], ..Policies::default() },
    };
    let decision = evaluate(request, &policies);
    assert!(!decision.explanation().is_empty());
    assert_eq!(repairs(request, &policies).is_empty(), decision.is_allowed());
    let simulation = Simulation {
        caller: request.caller.clone(),
        policies,
        actions: vec![request.action.clone()],
        resources: vec![request.resource.clone()],
        resource_owner: None,
        context: request.context.clone(),
    };
    simulate(&simulation).unwrap();
}

fn request() -> Request {
    let request = Request::new(session(), "s3:GetObject", "arn:aws:s3:::data/ann/x");
    let given = [("aws:TagKeys", "a"), ("aws:CurrentTime", "2026-01-01T00:00:00Z"), ("aws:SourceIp", "10.1.2.3")];
    given.into_iter().fold(request, |request, (key, value)| request.with(key, value))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    /// Cuts a piece out, and puts any bytes in its place.
    #[test]
    fn whatever_becomes_of_a_document_it_is_refused_or_can_be_asked(
        at in any::<prop::sample::Index>(),
        cut in 0..12usize,
        put in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..4),
            prop::sample::select(vec!["\"", "{", "}", "[", "]", ",", "*", "${", "null", "1e999", "\\u0000", ":"])
                .prop_map(|text| text.as_bytes().to_vec()),
        ],
    ) {
        let mut bytes = DOCUMENT.as_bytes().to_vec();
        let from = at.index(bytes.len());
        let to = bytes.len().min(from + cut);
        bytes.splice(from..to, put);
        let text = String::from_utf8_lossy(&bytes);
        for kind in KINDS {
            let (_, problems) = check(&text, kind);
            for problem in problems {
                prop_assert!(problem.excerpt(&text).contains('^'));
            }
            if let Ok(policy) = Policy::parse_kept(&text, kind) {
                ask(policy, &request());
            }
        }
    }
}

/// By the definition of wildcards, each of these would take longer than the universe has.
#[test]
fn hostile_wildcards_come_to_an_end() {
    let long = "a".repeat(20_000);
    for hostile in ["*a", "a*", "*?", "?*a*"] {
        let pattern = format!("{}b", hostile.repeat(200));
        let statement = format!(
            r#"{{"Effect": "Allow", "Action": "s3:{pattern}", "Resource": "*"}},
               {{"Effect": "Deny", "Action": "*", "Resource": ["arn:aws:s3:::{pattern}", "arn:aws:{pattern}"]}},
               {{"Effect": "Allow", "Action": "*", "Resource": "*",
                 "Condition": {{"StringLike": {{"a:b": "{pattern}"}}, "ArnLike": {{"a:c": "arn:aws:s3:::{pattern}"}}}}}}"#
        );
        let request = Request::new(session(), format!("s3:{long}"), format!("arn:aws:s3:::{long}"))
            .with("a:b", &long)
            .with("a:c", format!("arn:aws:s3:::{long}"));
        ask(policy(Kind::Identity, &statement).policy, &request);
    }
}

#[test]
fn what_is_deep_or_long_is_read_or_refused() {
    let many = |item: &str| vec![item; 20_000].join(", ");
    let keys: Vec<_> = (0..20_000).map(|number| format!(r#""key-{number}": 1"#)).collect();
    for text in [
        "[".repeat(1 << 20),
        r#"{"a":"#.repeat(1 << 18),
        format!(r#"{{"Statement": {}"#, "[".repeat(1 << 16)),
        format!(r#"{{"Statement": [{}]}}"#, many("{}")),
        format!(r#"{{{}}}"#, many(r#""Version": "2012-10-17""#)),
        format!(r#"{{{}}}"#, keys.join(", ")),
        format!(
            r#"{{"Version": "2012-10-17", "Statement": {{"Effect": "Allow", "Action": [{}], "Resource": "*"}}}}"#,
            many(r#""s3:*""#)
        ),
        "\"".to_owned() + &"\\".repeat(1 << 20),
        "${".repeat(1 << 18),
    ] {
        let (_, problems) = check(&text, Kind::Identity);
        assert!(!problems.is_empty(), "{}", &text[..80]);
    }
}
