//! Assuming roles: both sides, session tags, source identity, session policies, boundaries and the organisation.

use aws_sdk_sts::operation::assume_role::builders::AssumeRoleFluentBuilder;
use aws_sdk_sts::types::Tag;
use sagemaker_fake::account::Scenario;

use super::{ann, policy, role, role_arn, start, with_ann};
use crate::clients::{REGION, sagemaker_as, said, sts_as};

const ANN: &str = "arn:aws:iam::111122223333:user/ann";

/// A trust policy with these actions for this principal.
fn trust(principal: &str, actions: &[&str], condition: &str) -> String {
    let actions = actions.join("\", \"");
    format!(
        r#"{{"Version": "2012-10-17", "Statement": {{"Effect": "Allow", "Principal": {{"AWS": "{principal}"}},
            "Action": ["{actions}"], "Condition": {{{condition}}}}}}}"#
    )
}

/// Ann assumes the role `r`, as `with` says; nothing if she may, else AWS's sentence.
async fn check(
    scenario: Scenario,
    with: impl FnOnce(AssumeRoleFluentBuilder) -> AssumeRoleFluentBuilder,
    refused: Option<&str>,
) {
    let aws = start(scenario).await;
    let wanted = sts_as(&aws, ann()).assume_role().role_arn(role_arn("r")).role_session_name("me");
    let answer = with(wanted).send().await;
    match refused {
        None => drop(answer.unwrap()),
        Some(sentence) => assert_eq!(said(answer), ("AccessDenied".to_owned(), sentence.to_owned())),
    }
}

fn scenario(documents: &[String], trust: &str) -> Scenario {
    let mut scenario = with_ann(documents);
    scenario.roles.push(role("r", trust, &[]));
    scenario
}

fn refused(action: &str, kind: &str) -> String {
    format!(
        "User: {ANN} is not authorized to perform: {action} on resource: {} because no {kind} allows the {action} action",
        role_arn("r")
    )
}

fn may(actions: &[&str]) -> String {
    policy("Allow", actions, &role_arn("r"))
}

#[tokio::test]
async fn the_trust_decides_and_a_trusted_account_needs_its_users_allowed() {
    let account = "arn:aws:iam::111122223333:root";
    let same = |wanted| wanted;
    let only = ["sts:AssumeRole"];
    check(scenario(&[], &trust(ANN, &only, "")), same, None).await;
    let untrusted = refused("sts:AssumeRole", "role trust policy");
    let other = "arn:aws:iam::111122223333:user/sts-developer";
    check(scenario(&[may(&only)], &trust(other, &only, "")), same, Some(&untrusted)).await;
    check(scenario(&[may(&only)], &trust(account, &only, "")), same, None).await;
    let unallowed = refused("sts:AssumeRole", "identity-based policy");
    check(scenario(&[], &trust(account, &only, "")), same, Some(&unallowed)).await;
    // A role that is not there looks like one that does not trust.
    check(with_ann(&[may(&only)]), same, Some(&untrusted)).await;
}

#[tokio::test]
async fn tags_and_a_source_identity_need_permissions_of_their_own() {
    let tagged =
        |wanted: AssumeRoleFluentBuilder| wanted.tags(Tag::builder().key("Project").value("sts").build().unwrap());
    let behind = |wanted: AssumeRoleFluentBuilder| wanted.source_identity("ann");
    let only = trust(ANN, &["sts:AssumeRole"], "");
    check(scenario(&[], &only), tagged, Some(&refused("sts:TagSession", "role trust policy"))).await;
    check(scenario(&[], &trust(ANN, &["sts:AssumeRole", "sts:TagSession"], "")), tagged, None).await;
    check(scenario(&[], &only), behind, Some(&refused("sts:SetSourceIdentity", "role trust policy"))).await;
    check(scenario(&[], &trust(ANN, &["sts:AssumeRole", "sts:SetSourceIdentity"], "")), behind, None).await;
}

#[tokio::test]
async fn the_trust_may_look_at_what_is_said() {
    let untrusted = refused("sts:AssumeRole", "role trust policy");
    let only = ["sts:AssumeRole"];
    let external = trust(ANN, &only, r#""StringEquals": {"sts:ExternalId": "secret"}"#);
    check(scenario(&[], &external), |wanted| wanted, Some(&untrusted)).await;
    check(scenario(&[], &external), |wanted| wanted.external_id("guess"), Some(&untrusted)).await;
    check(scenario(&[], &external), |wanted| wanted.external_id("secret"), None).await;
    let named = trust(ANN, &only, r#""StringEquals": {"sts:RoleSessionName": "${aws:username}"}"#);
    check(scenario(&[], &named), |wanted| wanted, Some(&untrusted)).await;
    check(scenario(&[], &named), |wanted| wanted.role_session_name("ann"), None).await;
}

/// What the role may do, a session policy, the role's boundary and the organisation all have a say.
#[tokio::test]
async fn what_limits_a_session() {
    let refused = |why: &str| {
        format!(
            "User: arn:aws:sts::111122223333:assumed-role/r/me is not authorized to perform: sagemaker:ListPipelines {why}"
        )
    };
    let because = |kind: &str| refused(&format!("because no {kind} allows the sagemaker:ListPipelines action"));
    let check = async |change: &dyn Fn(&mut Scenario), session_policy: Option<String>, expected: Option<String>| {
        let mut scenario = scenario(&[], &trust(ANN, &["sts:AssumeRole"], ""));
        let role = scenario.roles.last_mut().unwrap();
        role.policies.inline = [("lists".to_owned(), policy("Allow", &["sagemaker:List*"], "*"))].into();
        change(&mut scenario);
        let aws = start(scenario).await;
        let wanted = sts_as(&aws, ann()).assume_role().role_arn(role_arn("r")).role_session_name("me");
        let got = wanted.set_policy(session_policy).send().await.unwrap().credentials.unwrap();
        let token = Some(got.session_token);
        let session =
            aws_credential_types::Credentials::new(got.access_key_id, got.secret_access_key, token, None, "test");
        let answer = sagemaker_as(&aws, session, REGION).list_pipelines().send().await;
        match expected {
            None => drop(answer.unwrap()),
            Some(sentence) => assert_eq!(said(answer).1, sentence),
        }
    };
    check(&|_| {}, None, None).await;
    check(&|_| {}, Some(policy("Allow", &["s3:*"], "*")), Some(because("session policy"))).await;
    check(&|_| {}, Some(policy("Allow", &["sagemaker:*"], "*")), None).await;
    let boundary = |scenario: &mut Scenario| {
        scenario.roles.last_mut().unwrap().policies.boundary =
            Some("arn:aws:iam::aws:policy/AmazonS3FullAccess".to_owned());
    };
    check(&boundary, None, Some(because("permissions boundary"))).await;
    let organisation = |scenario: &mut Scenario| {
        let everything = policy("Allow", &["*"], "*");
        scenario.service_control_policies = vec![everything, policy("Allow", &["s3:*", "sts:*"], "*")];
    };
    check(&organisation, None, Some(because("service control policy"))).await;
}

#[tokio::test]
async fn iam_and_sts_refuse_in_xml() {
    use crate::clients::raw_signed;
    let aws = start(with_ann(&[policy("Allow", &["iam:GetUser"], ANN)])).await;
    let check = async |form: &str, expected: &str| {
        let answer = raw_signed(&aws, "iam", "AKIAANN0000000000000", "ann's own secret", form).await;
        assert!(answer.body.contains(expected), "{form}: {answer:?}");
    };
    let refused = |action: &str, on: &str| {
        format!(
            "<Code>AccessDenied</Code><Message>User: {ANN} is not authorized to perform: {action} on resource: {on} because no \
             identity-based policy allows the {action} action</Message>"
        )
    };
    check("Action=GetUser&Version=2010-05-08", "<UserName>ann</UserName>").await;
    check("Action=GetUser&Version=2010-05-08&UserName=ann", "<UserName>ann</UserName>").await;
    let role = role_arn("sts-execution");
    check("Action=GetRole&Version=2010-05-08&RoleName=STS-Execution", &refused("iam:GetRole", &role)).await;
    check("Action=GetRole&Version=2010-05-08&RoleName=none", &refused("iam:GetRole", &role_arn("none"))).await;
    check("Action=ListRoles&Version=2010-05-08", &refused("iam:ListRoles", &role_arn(""))).await;
}
