//! What a scenario says of IAM is there when the account is first called, and stays as it was left.

use sagemaker_fake::Fake;
use sagemaker_fake::account::Scenario;
use sagemaker_fake::iam::Role;
use sagemaker_fake::testing::FakeAws;

use crate::iam::Iam;

const SCENARIO: &str = r#"
account = "111122223333"
service_control_policies = ['{"Version":"2012-10-17","Statement":[]}']

[[users]]
name = "ann"
path = "/team/"
access_key_id = "AKIAIOSFODNN7EXAMPLE"
secret_access_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
policies.attached = ["arn:aws:iam::111122223333:policy/ml/p"]

[[roles]]
name = "r"
trust = '{"Version":"2012-10-17","Statement":[]}'
policies.inline.i = '{"Version":"2012-10-17"}'
policies.boundary = "arn:aws:iam::111122223333:policy/ml/p"

[[policies]]
name = "p"
path = "/ml/"
document = '{"Version":"2012-10-17"}'
"#;

fn scenario() -> Scenario {
    toml::from_str(SCENARIO).unwrap()
}

#[tokio::test]
async fn users_roles_and_policies_come_from_the_scenario() {
    let iam = Iam(FakeAws::start_with(Fake::builder().scenario(scenario())).await);
    let arn = "arn:aws:iam::111122223333:policy/ml/p";
    iam.check("GetUser", &[], &[("Arn", "arn:aws:iam::111122223333:user/team/ann")]).await;
    iam.check("ListAttachedUserPolicies", &[("UserName", "ann")], &[("PolicyName", "p"), ("PolicyArn", arn)]).await;
    iam.check("GetRole", &[("RoleName", "r")], &[("PermissionsBoundaryArn", arn)]).await;
    let document = "%7B%22Version%22%3A%222012-10-17%22%7D";
    iam.check("GetRolePolicy", &[("RoleName", "r"), ("PolicyName", "i")], &[("PolicyDocument", document)]).await;
    let counts = [("AttachmentCount", "1"), ("PermissionsBoundaryUsageCount", "1")];
    iam.check("GetPolicy", &[("PolicyArn", arn)], &counts).await;
    assert_eq!(iam.0.fake().scenario().service_control_policies.len(), 1);
}

#[tokio::test]
async fn what_was_changed_stays_changed_when_the_state_is_opened_again() {
    let state = tempfile::tempdir().unwrap();
    let builder = || Fake::builder().scenario(scenario()).state(state.path());
    let fake = builder().build().unwrap();
    assert!(fake.store.write(|change| change.delete::<Role>("r")).unwrap());
    drop(fake);
    let iam = Iam(FakeAws::start_with(builder()).await);
    iam.refused("GetRole", &[("RoleName", "r")], "404 NoSuchEntity: The role with name r cannot be found.").await;
}

#[test]
fn a_misspelt_scenario_is_refused() {
    let check = |from: &str, to: &str, said: &str| {
        let error = toml::from_str::<Scenario>(&SCENARIO.replace(from, to)).unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
    };
    check("policies.attached", "policies.attach", "unknown field `attach`");
    check("[[policies]]", "[[policy]]", "unknown field `policy`");
    check("trust = ", "trusts = ", "unknown field `trusts`");
}
