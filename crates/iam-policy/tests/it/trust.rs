//! Who may assume a role: "IAM role trust policies", "Pass session tags in AWS STS" and "How to use an external ID" in the IAM
//! User Guide.

use iam_policy::{Caller, Kind, Policies, Request, assume_role};

use crate::fixtures::*;

const TARGET: &str = "arn:aws:iam::111122223333:role/sts-execution";

/// What is refused and by which kind of policy; empty if nothing is.
#[track_caller]
fn check(request: &Request, identity_statements: &str, trust: &str, expected: &str) {
    let policies = Policies {
        identity: match identity_statements {
            "" => Vec::new(),
            statements => identity(statements).identity,
        },
        resource: (!trust.is_empty()).then(|| policy(Kind::Trust, trust)),
        ..Policies::default()
    };
    let (request, decision) = assume_role(request, &policies);
    let refused = decision.refused_by.map(|kind| format!("{} {kind:?}", request.action)).unwrap_or_default();
    assert_eq!(refused, expected, "{decision:?}");
}

fn assume(caller: Caller) -> Request {
    Request::new(caller, "sts:AssumeRole", TARGET)
}

fn trusting(principal: &str, actions: &str) -> String {
    format!(r#"{{"Effect": "Allow", "Principal": {principal}, "Action": {actions}}}"#)
}

const MAY: &str = r#"{"Effect": "Allow", "Action": ["sts:AssumeRole", "sts:TagSession"], "Resource": "arn:aws:iam::111122223333:role/sts-execution"}"#;
const ASSUME: &str = r#""sts:AssumeRole""#;

#[test]
fn the_trust_policy_must_name_the_caller() {
    let ann = &format!(r#"{{"AWS": "{USER}"}}"#);
    let account = &format!(r#"{{"AWS": "{ROOT}"}}"#);
    check(&assume(user()), MAY, "", "sts:AssumeRole Trust");
    check(&assume(user()), MAY, &trusting(ann, ASSUME), "");
    check(&assume(user()), MAY, &trusting(account, ASSUME), "");
    check(&assume(user()), MAY, &trusting(r#"{"AWS": "444455556666"}"#, ASSUME), "sts:AssumeRole Trust");
    // Within an account, a user that is named itself needs no identity policy; one of a named account does.
    check(&assume(user()), "", &trusting(ann, ASSUME), "");
    check(&assume(user()), "", &trusting(account, ASSUME), "sts:AssumeRole Identity");
    // One map with principals of two kinds, string and list.
    let two = format!(r#"{{"Service": "sagemaker.amazonaws.com", "AWS": ["{USER}", "{ROLE}"]}}"#);
    check(&assume(user()), MAY, &trusting(&two, ASSUME), "");
    check(&assume(session()), "", &trusting(&two, ASSUME), "");
    check(&assume(Caller::service("sagemaker.amazonaws.com")), "", &trusting(&two, ASSUME), "");
    check(&assume(Caller::service("ec2.amazonaws.com")), "", &trusting(&two, ASSUME), "sts:AssumeRole Trust");
    check(&assume(user()), DENY_ALL, &trusting(ann, ASSUME), "sts:AssumeRole Identity");
    // Somebody else's account: both sides.
    let bob = &format!(r#"{{"AWS": "{STRANGER}"}}"#);
    check(&assume(Caller::user(STRANGER)), MAY, &trusting(bob, ASSUME), "");
    check(&assume(Caller::user(STRANGER)), "", &trusting(bob, ASSUME), "sts:AssumeRole Identity");
}

#[test]
fn tags_need_a_permission_on_both_sides() {
    let ann = &format!(r#"{{"AWS": "{USER}"}}"#);
    let account = &format!(r#"{{"AWS": "{ROOT}"}}"#);
    let both = r#"["sts:AssumeRole", "sts:TagSession"]"#;
    let tagged = assume(user()).with("aws:RequestTag/Project", "sts").with("aws:TagKeys", "Project");
    check(&tagged, MAY, &trusting(ann, ASSUME), "sts:TagSession Trust");
    check(&tagged, MAY, &trusting(ann, both), "");
    check(&assume(user()), MAY, &trusting(ann, ASSUME), "");
    let only_assume = r#"{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}"#;
    check(&tagged, only_assume, &trusting(account, both), "sts:TagSession Identity");
    check(&tagged, r#"{"Effect": "Allow", "Action": "sts:*", "Resource": "*"}"#, &trusting(account, r#""sts:*""#), "");
    let with_source = assume(user()).with("sts:SourceIdentity", "ann");
    check(&with_source, MAY, &trusting(ann, both), "sts:SetSourceIdentity Trust");
}

#[test]
fn conditions_protect_the_role() {
    let external = |id: &str| {
        let who = trusting(r#"{"AWS": "444455556666"}"#, ASSUME);
        format!(
            r#"{}, "Condition": {{"StringEquals": {{"sts:ExternalId": "{id}"}}}}}}"#,
            who.strip_suffix('}').unwrap()
        )
    };
    let bob = assume(Caller::user(STRANGER));
    check(&bob, MAY, &external("12345"), "sts:AssumeRole Trust");
    check(&bob.clone().with("sts:ExternalId", "12345"), MAY, &external("12345"), "");
    // The confused deputy.
    let deputy = r#"{"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"aws:SourceAccount": "111122223333"}}}"#;
    let service = assume(Caller::service("sagemaker.amazonaws.com"));
    check(&service.clone().with("aws:SourceAccount", ACCOUNT), "", deputy, "");
    check(&service.with("aws:SourceAccount", "444455556666"), "", deputy, "sts:AssumeRole Trust");
    // Web identity.
    let web = r#"{"Effect": "Allow", "Principal": {"Federated": "token.actions.githubusercontent.com"}, "Action": "sts:AssumeRoleWithWebIdentity"}"#;
    let federated = |provider| Request::new(Caller::federated(provider), "sts:AssumeRoleWithWebIdentity", TARGET);
    check(&federated("token.actions.githubusercontent.com"), "", web, "");
    check(&federated("accounts.google.com"), "", web, "sts:AssumeRoleWithWebIdentity Trust");
}

#[test]
fn the_sentence_names_the_trust_policy() {
    let request = assume(user());
    let (_, decision) = assume_role(&request, &identity(MAY));
    assert_eq!(
        decision.message(&request).unwrap(),
        format!(
            "User: {USER} is not authorized to perform: sts:AssumeRole on resource: {TARGET} because no role trust policy \
             allows the sts:AssumeRole action"
        )
    );
    let denying = Policies {
        resource: Some(policy(Kind::Trust, r#"{"Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "sts:*"}"#)),
        ..identity(MAY)
    };
    let (_, decision) = assume_role(&request, &denying);
    assert!(decision.message(&request).unwrap().ends_with("with an explicit deny in the role trust policy"));
}

/// "AssumeRole" in the AWS STS API reference.
#[test]
fn the_root_user_assumes_no_role() {
    let request = assume(Caller::root(ROOT));
    let trust = Policies {
        resource: Some(policy(Kind::Trust, &trusting(&format!(r#"{{"AWS": "{ROOT}"}}"#), ASSUME))),
        ..Policies::default()
    };
    let (_, decision) = assume_role(&request, &trust);
    assert_eq!(decision.message(&request).unwrap(), "Roles may not be assumed by root accounts.");
    assert_eq!(decision.explanation(), "not allowed: the root user of an account may not assume a role");
}
