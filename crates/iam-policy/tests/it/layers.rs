//! How the kinds of policies work together: "Policy evaluation logic", "Cross-account policy evaluation logic" and
//! "Troubleshooting access denied error messages" in the IAM User Guide.

use iam_policy::{Attached, Caller, Kind, Outcome, Policies, Request, evaluate};

use crate::fixtures::*;

const OBJECT: &str = "arn:aws:s3:::data/x";

fn get(caller: Caller) -> Request {
    Request { resource_account: Some(ACCOUNT.to_owned()), ..Request::new(caller, "s3:GetObject", OBJECT) }
}

/// The sentence of the refusal behind the resource; empty if there is none.
#[track_caller]
fn check(caller: Caller, policies: &Policies, expected: &str) {
    let request = get(caller);
    let decision = evaluate(&request, policies);
    let said = decision.message(&request).unwrap_or_default();
    let start =
        format!("User: {} is not authorized to perform: s3:GetObject on resource: {OBJECT} ", request.caller.name());
    assert_eq!(said.strip_prefix(&start).unwrap_or(&said), expected, "{decision:?}");
    assert_eq!(decision.is_allowed(), expected.is_empty());
}

fn granting(principal: &str) -> String {
    format!(r#"{{"Effect": "Allow", "Principal": {principal}, "Action": "s3:*", "Resource": "arn:aws:s3:::data/*"}}"#)
}

fn aws(arn: &str) -> String {
    format!(r#"{{"AWS": "{arn}"}}"#)
}

const ALLOW_EC2: &str = r#"{"Effect": "Allow", "Action": "ec2:*", "Resource": "*"}"#;
const NO_IDENTITY: &str = "because no identity-based policy allows the s3:GetObject action";
const NO_BOUNDARY: &str = "because no permissions boundary allows the s3:GetObject action";
const NO_SESSION: &str = "because no session policy allows the s3:GetObject action";
const NO_SCP: &str = "because no service control policy allows the s3:GetObject action";
const NO_RESOURCE: &str = "because no resource-based policy allows the s3:GetObject action";

#[test]
fn identity_policies_allow_and_limits_limit() {
    let all = identity(ALLOW_ALL);
    check(user(), &Policies::default(), NO_IDENTITY);
    check(user(), &all, "");
    let boundary = |statements| Policies { boundary: Some(policy(Kind::Boundary, statements)), ..all.clone() };
    check(user(), &boundary(ALLOW_EC2), NO_BOUNDARY);
    check(user(), &boundary(ALLOW_ALL), "");
    check(user(), &boundary(DENY_ALL), "with an explicit deny in a permissions boundary");
    // A boundary grants nothing.
    check(user(), &Policies { identity: vec![], ..boundary(ALLOW_ALL) }, NO_IDENTITY);
    let session_policy = |statements| Policies { session: vec![policy(Kind::Session, statements)], ..all.clone() };
    check(session(), &session_policy(ALLOW_EC2), NO_SESSION);
    check(session(), &session_policy(ALLOW_ALL), "");
    check(session(), &session_policy(DENY_ALL), "with an explicit deny in a session policy");
    check(session(), &Policies { identity: vec![], ..session_policy(ALLOW_ALL) }, NO_IDENTITY);
    check(user(), &identity(DENY_ALL), "with an explicit deny in an identity-based policy");
}

#[test]
fn every_level_of_the_organisation_must_allow() {
    let levels = |levels: &[&[&str]]| Policies {
        scps: levels.iter().map(|level| level.iter().map(|text| policy(Kind::Scp, text)).collect()).collect(),
        ..identity(ALLOW_ALL)
    };
    check(user(), &levels(&[&[ALLOW_ALL], &[ALLOW_EC2, ALLOW_ALL], &[ALLOW_ALL]]), "");
    check(user(), &levels(&[&[ALLOW_ALL], &[ALLOW_EC2], &[ALLOW_ALL]]), NO_SCP);
    check(user(), &levels(&[&[ALLOW_ALL], &[]]), NO_SCP);
    check(user(), &levels(&[&[ALLOW_ALL, DENY_ALL]]), "with an explicit deny in a service control policy");
    // The account's root user is limited too; services and their own roles are not.
    check(Caller::root(ROOT), &levels(&[&[DENY_ALL]]), "with an explicit deny in a service control policy");
    let linked = "arn:aws:iam::111122223333:role/aws-service-role/x.amazonaws.com/AWSServiceRoleForX";
    let session = Caller::session("arn:aws:sts::111122223333:assumed-role/AWSServiceRoleForX/s", linked);
    check(session, &levels(&[&[DENY_ALL]]), "");
    // The newest form of the sentence names the policy.
    let arn = "arn:aws:organizations::444455556666:policy/o-a/service_control_policy/p-b";
    let mut named = levels(&[]);
    named.scps = vec![vec![Attached::new(arn, policy(Kind::Scp, DENY_ALL).policy)]];
    check(user(), &named, &format!("with an explicit deny in a service control policy: {arn}"));
}

#[test]
fn the_root_user_may_do_everything_in_its_account() {
    check(Caller::root(ROOT), &Policies::default(), "");
    check(
        Caller::root(ROOT),
        &resource(r#"{"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"}"#),
        "with an explicit deny in a resource-based policy",
    );
    check(Caller::root("arn:aws:iam::444455556666:root"), &Policies::default(), NO_RESOURCE);
}

/// The table "Resource-based policies and implicit denies in other policy types (same account)".
#[test]
fn how_a_resource_policy_names_the_caller_decides_what_limits_it() {
    let limited = |principal: &str| Policies {
        boundary: Some(policy(Kind::Boundary, ALLOW_EC2)),
        session: vec![policy(Kind::Session, ALLOW_EC2)],
        ..resource(&granting(principal))
    };
    let in_boundary = |principal| Policies { boundary: Some(policy(Kind::Boundary, ALLOW_ALL)), ..limited(principal) };
    let unlimited = |principal: &str| resource(&granting(principal));
    // The role: limited by boundary and session policy, not by want of an identity policy.
    check(session(), &unlimited(&aws(ROLE)), "");
    check(session(), &limited(&aws(ROLE)), NO_BOUNDARY);
    check(session(), &in_boundary(&aws(ROLE)), NO_SESSION);
    // The session, the user: limited by nothing.
    check(session(), &limited(&aws(SESSION)), "");
    check(user(), &limited(&aws(USER)), "");
    // Everyone.
    check(session(), &limited("\"*\""), "");
    check(user(), &limited(&aws("*")), "");
    check(Caller::anonymous(), &unlimited("\"*\""), "");
    // The account: its own policies must allow it too.
    check(user(), &unlimited(&aws(ROOT)), NO_IDENTITY);
    check(user(), &unlimited(&aws(ACCOUNT)), NO_IDENTITY);
    check(user(), &Policies { identity: identity(ALLOW_ALL).identity, ..unlimited(&aws(ROOT)) }, "");
    // A federated user's session: by itself, and by the user who asked for it.
    let federated = || Caller::federated_session("arn:aws:sts::111122223333:federated-user/ann", USER);
    check(federated(), &limited(&aws("arn:aws:sts::111122223333:federated-user/ann")), "");
    check(federated(), &limited(&aws(USER)), NO_BOUNDARY);
    // Ids of what was deleted, and somebody else.
    check(user(), &unlimited(&aws("AIDAEXAMPLEUSER00001")), "");
    check(session(), &limited(&aws("AROAEXAMPLEROLE00001")), NO_BOUNDARY);
    check(user(), &unlimited(&aws("AIDAEXAMPLEUSER00002")), NO_IDENTITY);
    check(user(), &unlimited(&aws(STRANGER)), NO_IDENTITY);
    check(Caller::anonymous(), &unlimited(&aws(ROOT)), NO_RESOURCE);
}

#[test]
fn across_accounts_both_sides_must_allow() {
    let stranger = || Caller::user(STRANGER);
    let both = |principal: &str| Policies { identity: identity(ALLOW_ALL).identity, ..resource(&granting(principal)) };
    check(stranger(), &identity(ALLOW_ALL), NO_RESOURCE);
    check(stranger(), &resource(&granting(&aws(STRANGER))), NO_IDENTITY);
    check(stranger(), &both(&aws(STRANGER)), "");
    check(stranger(), &both(&aws("444455556666")), "");
    check(stranger(), &both("\"*\""), "");
    check(stranger(), &both(&aws(ROOT)), NO_RESOURCE);
    check(
        stranger(),
        &Policies { boundary: Some(policy(Kind::Boundary, ALLOW_EC2)), ..both(&aws(STRANGER)) },
        NO_BOUNDARY,
    );
    // Nor does a role that is named by its ARN come in without a policy of its own account.
    let role = "arn:aws:iam::444455556666:role/work";
    let foreign = || Caller::session("arn:aws:sts::444455556666:assumed-role/work/bob", role);
    check(foreign(), &resource(&granting(&aws(role))), NO_IDENTITY);
    check(foreign(), &both(&aws(role)), "");
    // Without knowing whose the bucket is, it counts as the caller's.
    let request = Request::new(stranger(), "s3:GetObject", OBJECT);
    assert_eq!(evaluate(&request, &identity(ALLOW_ALL)).outcome, Outcome::Allowed);
}

#[test]
fn services_come_by_the_resource_policy_alone() {
    let service = || Caller::service("sagemaker.amazonaws.com");
    check(service(), &resource(&granting(r#"{"Service": ["ec2.amazonaws.com", "sagemaker.amazonaws.com"]}"#)), "");
    check(service(), &resource(&granting(r#"{"Service": "ec2.amazonaws.com"}"#)), NO_RESOURCE);
    check(
        service(),
        &Policies { scps: vec![vec![]], ..resource(&granting(r#"{"Service": "sagemaker.amazonaws.com"}"#)) },
        "",
    );
}

/// "AWS JSON policy elements: NotPrincipal".
#[test]
fn not_principal_denies_all_others() {
    let except = |arns: &str, boundary: Option<Attached>| Policies {
        boundary,
        resource: Some(policy(
            Kind::Resource,
            &format!(r#"{{"Effect": "Deny", "NotPrincipal": {{"AWS": {arns}}}, "Action": "*", "Resource": "*"}}"#),
        )),
        ..identity(ALLOW_ALL)
    };
    let denied = "with an explicit deny in a resource-based policy";
    let both = format!(r#"["{USER}", "{ROOT}"]"#);
    check(user(), &except(&both, None), "");
    // Being of the account alone exempts nobody.
    check(session(), &except(&both, None), denied);
    check(Caller::root(ROOT), &except(&both, None), "");
    // Whoever has a boundary is always denied.
    check(user(), &except(&both, Some(policy(Kind::Boundary, ALLOW_ALL))), denied);
}

/// Key policies must allow, whatever identity policies say ("Key policies in AWS KMS").
#[test]
fn a_key_belongs_to_whom_its_policy_names() {
    let request = Request::new(user(), "kms:Decrypt", "arn:aws:kms:eu-west-1:111122223333:key/k");
    let key = |principal: &str| {
        format!(r#"{{"Effect": "Allow", "Principal": {{"AWS": "{principal}"}}, "Action": "kms:*", "Resource": "*"}}"#)
    };
    let with =
        |identity: Vec<Attached>, principal| evaluate(&request, &Policies { identity, ..resource(&key(principal)) });
    let all = || identity(ALLOW_ALL).identity;
    assert_eq!(evaluate(&request, &identity(ALLOW_ALL)).refused_by, Some(Kind::Resource));
    assert_eq!(with(all(), "arn:aws:iam::111122223333:user/bob").refused_by, Some(Kind::Resource));
    assert!(with(all(), ROOT).is_allowed());
    assert_eq!(with(vec![], ROOT).refused_by, Some(Kind::Identity));
    assert!(with(vec![], USER).is_allowed());
}
