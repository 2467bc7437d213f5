//! What is no policy is refused wherever one can be handed in, in AWS's words.

use super::{Iam, POLICY, TRUST};

const ROLE: (&str, &str) = ("RoleName", "sts-execution");
const USER: (&str, &str) = ("UserName", "sts-developer");
const NAME: (&str, &str) = ("PolicyName", "p");
const ARN: (&str, &str) = ("PolicyArn", "arn:aws:iam::111122223333:policy/p");

#[tokio::test]
async fn every_operation_looks_into_its_document() {
    let iam = Iam::start().await;
    let check = async |operation: &str, with: &[(&str, &str)], member: &str, document: &str, said: &str| {
        let asked = [with, &[(member, document)]].concat();
        iam.refused(operation, &asked, &format!("400 MalformedPolicyDocument: {said}")).await;
    };
    const PRINCIPAL: &str = "Policy document should not specify a principal.";
    const RESOURCE: &str = "Has prohibited field Resource";
    let with_principal = &POLICY.replace(r#""Action""#, r#""Principal":"*","Action""#);
    let with_resource = &TRUST.replace(r#""Action""#, r#""Resource":"*","Action""#);
    check("PutRolePolicy", &[ROLE, NAME], "PolicyDocument", with_principal, PRINCIPAL).await;
    check("PutUserPolicy", &[USER, NAME], "PolicyDocument", with_principal, PRINCIPAL).await;
    check("CreatePolicy", &[NAME], "PolicyDocument", with_principal, PRINCIPAL).await;
    check("CreateRole", &[("RoleName", "r")], "AssumeRolePolicyDocument", with_resource, RESOURCE).await;
    check("UpdateAssumeRolePolicy", &[ROLE], "PolicyDocument", with_resource, RESOURCE).await;

    iam.ask("CreatePolicy", &[NAME, ("PolicyDocument", POLICY)]).await;
    check("CreatePolicyVersion", &[ARN], "PolicyDocument", with_principal, PRINCIPAL).await;
}

#[tokio::test]
async fn managed_policies_are_new_and_others_may_be_old() {
    let iam = Iam::start().await;
    let old = POLICY.replace("2012-10-17", "2008-10-17");
    let refusal = "400 MalformedPolicyDocument: Policy document must be version 2012-10-17 or greater.";
    iam.refused("CreatePolicy", &[NAME, ("PolicyDocument", &old)], refusal).await;
    iam.ask("PutRolePolicy", &[ROLE, NAME, ("PolicyDocument", &old)]).await;
}

#[tokio::test]
async fn whom_a_trust_policy_names_must_exist() {
    let iam = Iam::start().await;
    let trusting = |arn: &str| TRUST.replace(r#""Service":"sagemaker.amazonaws.com""#, &format!(r#""AWS":"{arn}""#));
    for arn in [
        "arn:aws:iam::111122223333:user/sts-developer",
        "arn:aws:iam::111122223333:role/sts-execution",
        "arn:aws:iam::111122223333:root",
        "111122223333",
        "*",
        // Of another account nothing is known.
        "arn:aws:iam::444455556666:user/bob",
    ] {
        iam.ask("UpdateAssumeRolePolicy", &[ROLE, ("PolicyDocument", &trusting(arn))]).await;
    }
    for arn in [
        "arn:aws:iam::111122223333:user/nobody",
        "arn:aws:iam::111122223333:user/path/sts-developer",
        "arn:aws:iam::111122223333:role/nobody",
        "arn:aws:iam::111122223333:group/admins",
        "nobody",
    ] {
        let refusal = format!("400 MalformedPolicyDocument: Invalid principal in policy: \"AWS\":\"{arn}\"");
        iam.refused("UpdateAssumeRolePolicy", &[ROLE, ("PolicyDocument", &trusting(arn))], &refusal).await;
    }
}
