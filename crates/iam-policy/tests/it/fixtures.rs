//! Policies and callers that the tests share.

use iam_policy::{Attached, Caller, Kind, Policies, Policy};

pub const ACCOUNT: &str = "111122223333";
pub const USER: &str = "arn:aws:iam::111122223333:user/ann";
pub const ROLE: &str = "arn:aws:iam::111122223333:role/service-role/work";
pub const SESSION: &str = "arn:aws:sts::111122223333:assumed-role/work/ann";
pub const ROOT: &str = "arn:aws:iam::111122223333:root";
pub const STRANGER: &str = "arn:aws:iam::444455556666:user/bob";

pub const ALLOW_ALL: &str = r#"{"Effect": "Allow", "Action": "*", "Resource": "*"}"#;
pub const DENY_ALL: &str = r#"{"Effect": "Deny", "Action": "*", "Resource": "*"}"#;

pub fn user() -> Caller {
    Caller::user(USER).with_id("AIDAEXAMPLEUSER00001")
}

pub fn session() -> Caller {
    Caller::session(SESSION, ROLE).with_id("AROAEXAMPLEROLE00001:ann")
}

/// A policy of these statements, in the newest version of the language.
#[track_caller]
pub fn policy(kind: Kind, statements: &str) -> Attached {
    let text = format!(r#"{{"Version": "2012-10-17", "Statement": [{statements}]}}"#);
    Attached::new(format!("{kind:?}"), Policy::parse(&text, kind).unwrap())
}

/// Only identity policies, of these statements.
#[track_caller]
pub fn identity(statements: &str) -> Policies {
    Policies { identity: vec![policy(Kind::Identity, statements)], ..Policies::default() }
}

/// Only the policy of the resource, of these statements.
#[track_caller]
pub fn resource(statements: &str) -> Policies {
    Policies { resource: Some(policy(Kind::Resource, statements)), ..Policies::default() }
}
