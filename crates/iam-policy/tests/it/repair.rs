//! What is proposed to a refused request.

use iam_policy::{
    Caller, Kind, Policies, Request,
    repair::{Repair, repairs},
};
use serde_json::{Value, json};

use crate::fixtures::*;

#[track_caller]
fn check(request: &Request, policies: &Policies, expected: Value) {
    assert_eq!(json!(repairs(request, policies)), expected);
}

fn get() -> Request {
    Request::new(session(), "s3:GetObject", "arn:aws:s3:::data/x")
}

#[test]
fn the_narrowest_statement_is_added_where_it_is_missing() {
    let statement = json!({"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::data/x"});
    check(&get(), &identity(ALLOW_ALL), json!([]));
    check(&get(), &Policies::default(), json!([{"Add": statement, "To": "identity", "Policy": null}]));
    let ec2 = r#"{"Effect": "Allow", "Action": "ec2:*", "Resource": "*"}"#;
    let everywhere = Policies {
        boundary: Some(policy(Kind::Boundary, ec2)),
        session: vec![policy(Kind::Session, ec2)],
        scps: vec![vec![policy(Kind::Scp, ALLOW_ALL)], vec![policy(Kind::Scp, ec2)]],
        ..identity(ec2)
    };
    let to = |kind: &str, policy: &str| json!({"Add": statement, "To": kind, "Policy": policy});
    let expected = [to("scp", "Scp"), to("identity", "Identity"), to("boundary", "Boundary"), to("session", "Session")];
    check(&get(), &everywhere, json!(expected));
}

#[test]
fn a_trust_policy_learns_who_may() {
    let target = "arn:aws:iam::111122223333:role/sts-execution";
    let missing = |principal: Value, action: &str| json!({"Add": {"Effect": "Allow", "Principal": principal, "Action": action}, "To": "trust", "Policy": null});
    let assume = Request::new(session(), "sts:AssumeRole", target);
    check(&assume, &identity(ALLOW_ALL), json!([missing(json!({"AWS": ROLE}), "sts:AssumeRole")]));
    let service = Request::new(Caller::service("sagemaker.amazonaws.com"), "sts:AssumeRole", target);
    check(
        &service,
        &Policies::default(),
        json!([missing(json!({"Service": "sagemaker.amazonaws.com"}), "sts:AssumeRole")]),
    );
    // Across accounts the identity needs it too.
    let stranger = Request::new(Caller::user(STRANGER), "sts:AssumeRole", target);
    let own = json!({"Add": {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": target}, "To": "identity", "Policy": null});
    check(&stranger, &Policies::default(), json!([missing(json!({"AWS": STRANGER}), "sts:AssumeRole"), own]));
}

#[test]
fn a_deny_must_go() {
    let policies = Policies {
        identity: vec![policy(
            Kind::Identity,
            r#"{"Effect": "Allow", "Action": "*", "Resource": "*"}, {"Sid": "NoData", "Effect": "Deny", "Action": "s3:*", "Resource": "*"}"#,
        )],
        boundary: Some(policy(Kind::Boundary, DENY_ALL)),
        ..Policies::default()
    };
    let said: Vec<_> = repairs(&get(), &policies).iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        [
            "remove or narrow down statement NoData of the identity-based policy Identity",
            "remove or narrow down the statement at line 1, column 41 of the permissions boundary Boundary",
            "add to the permissions boundary Boundary:\n{\n  \"Effect\": \"Allow\",\n  \"Action\": \"s3:GetObject\",\n  \"Resource\": \"arn:aws:s3:::data/x\"\n}",
        ]
    );
    assert!(matches!(&repairs(&get(), &policies)[0], Repair::Remove(matched) if matched.kind == Kind::Identity));
}
