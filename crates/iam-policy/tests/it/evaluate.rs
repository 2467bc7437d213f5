//! Which statements match which requests.

use iam_policy::{Outcome, Request, evaluate};

use crate::fixtures::{identity, session, user};

#[track_caller]
fn check(statements: &str, action: &str, resource: &str, expected: Outcome) {
    let decision = evaluate(&Request::new(user(), action, resource), &identity(statements));
    assert_eq!(decision.outcome, expected, "{decision:?}");
}

use Outcome::{Allowed, ExplicitDeny, ImplicitDeny};

#[test]
fn actions() {
    let get = r#"{"Effect": "Allow", "Action": ["s3:get*", "ec2:Describe?pcs"], "Resource": "*"}"#;
    check(get, "s3:GetObject", "arn:aws:s3:::b/k", Allowed);
    check(get, "S3:GETOBJECT", "arn:aws:s3:::b/k", Allowed);
    check(get, "s3:PutObject", "arn:aws:s3:::b/k", ImplicitDeny);
    check(get, "ec2:DescribeVpcs", "*", Allowed);
    check(get, "ec2:Describepcs", "*", ImplicitDeny);
    // "IAM JSON policy elements: NotAction": everything but what is named.
    let all_but_iam = r#"{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}"#;
    check(all_but_iam, "s3:GetObject", "arn:aws:s3:::b/k", Allowed);
    check(all_but_iam, "iam:GetRole", "arn:aws:iam::111122223333:role/r", ImplicitDeny);
    let deny_all_but_iam = r#"{"Effect": "Allow", "Action": "*", "Resource": "*"}, {"Effect": "Deny", "NotAction": "iam:*", "Resource": "*"}"#;
    check(deny_all_but_iam, "s3:GetObject", "arn:aws:s3:::b/k", ExplicitDeny);
    check(deny_all_but_iam, "iam:GetRole", "arn:aws:iam::111122223333:role/r", Allowed);
}

#[test]
fn resources() {
    let objects = r#"{"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::bucket/*"}"#;
    check(objects, "s3:GetObject", "arn:aws:s3:::bucket/a/b", Allowed);
    check(objects, "s3:ListBucket", "arn:aws:s3:::bucket", ImplicitDeny);
    check(objects, "s3:GetObject", "arn:aws:s3:::BUCKET/a", ImplicitDeny);
    // "IAM JSON policy elements: NotResource": a bucket is none of its objects.
    let others = r#"{"Effect": "Allow", "Action": "s3:*", "Resource": "*"},
        {"Effect": "Deny", "Action": "s3:*", "NotResource": ["arn:aws:s3:::HRBucket/Payroll", "arn:aws:s3:::HRBucket/Payroll/*"]}"#;
    check(others, "s3:GetObject", "arn:aws:s3:::HRBucket/Payroll/1", Allowed);
    check(others, "s3:GetObject", "arn:aws:s3:::HRBucket/Payroll", Allowed);
    check(others, "s3:ListBucket", "arn:aws:s3:::HRBucket", ExplicitDeny);
    let execution = r#"{"Effect": "Allow", "Action": "sagemaker:*", "Resource": "arn:aws:sagemaker:*:*:pipeline/sts?ipeline/execution/*"}"#;
    check(
        execution,
        "sagemaker:StopPipelineExecution",
        "arn:aws:sagemaker:eu-west-1:111122223333:pipeline/stspipeline/execution/e",
        Allowed,
    );
    check(
        execution,
        "sagemaker:DescribePipeline",
        "arn:aws:sagemaker:eu-west-1:111122223333:pipeline/stspipeline",
        ImplicitDeny,
    );
    // "Variables and tags": the home folder.
    let home = r#"{"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::bucket/${aws:username}/*"}"#;
    check(home, "s3:PutObject", "arn:aws:s3:::bucket/ann/x", Allowed);
    check(home, "s3:PutObject", "arn:aws:s3:::bucket/bob/x", ImplicitDeny);
    // A session has no aws:username, so that the resource matches nothing.
    let request = Request::new(session(), "s3:PutObject", "arn:aws:s3:::bucket//x");
    let decision = evaluate(&request, &identity(home));
    assert_eq!((decision.outcome, decision.missing_context), (ImplicitDeny, vec!["aws:username".to_owned()]));
}

#[test]
fn a_deny_wins() {
    let both = r#"{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}, {"Sid": "No", "Effect": "Deny", "Action": "s3:Delete*", "Resource": "*"}"#;
    check(both, "s3:DeleteObject", "arn:aws:s3:::b/k", ExplicitDeny);
    check(both, "s3:GetObject", "arn:aws:s3:::b/k", Allowed);
    check(r#"{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}"#, "ec2:RunInstances", "*", ImplicitDeny);
    let decision = evaluate(&Request::new(user(), "s3:DeleteObject", "arn:aws:s3:::b/k"), &identity(both));
    let [matched] = decision.statements.as_slice() else { panic!("{decision:?}") };
    assert_eq!((matched.policy.as_str(), matched.sid.as_deref()), ("Identity", Some("No")));
    assert_eq!(decision.explanation(), "denied by statement No of the identity-based policy Identity");
}

#[test]
fn who_one_is_needs_no_permission() {
    check(crate::fixtures::DENY_ALL, "sts:GetCallerIdentity", "*", Allowed);
}

/// `iam:PassRole` is granted for a service: the key comes with the request, or the statement does not match.
#[test]
fn a_role_is_passed_to_the_service_that_is_named() {
    let pass = r#"{"Effect": "Allow", "Action": "iam:PassRole", "Resource": "arn:aws:iam::111122223333:role/*",
        "Condition": {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}}"#;
    let request = Request::new(user(), "iam:PassRole", "arn:aws:iam::111122223333:role/r");
    let decision = evaluate(&request, &identity(pass));
    assert_eq!((decision.outcome, decision.missing_context), (ImplicitDeny, vec!["iam:PassedToService".to_owned()]));
    let to = |service: &str| evaluate(&request.clone().with("iam:PassedToService", service), &identity(pass)).outcome;
    assert_eq!((to("sagemaker.amazonaws.com"), to("lambda.amazonaws.com")), (Allowed, ImplicitDeny));
}
