//! Each way an account can be wrong, and what the doctor says of it; and that what it prints repairs it.

use sagemaker_fake::account::Scenario;
use serde_json::{Value, json};

use crate::account::Account;

impl Account {
    /// Does what the repair says; the settings that it asks for come back.
    fn repair(&self, repair: &Value, environment: &mut Vec<(String, String)>) {
        match repair["do"].as_str().unwrap() {
            "set" => {
                let text = |member: &str| repair[member].as_str().unwrap().to_owned();
                environment.push((text("variable"), text("value")));
            }
            "add-statements" => {
                let (to, of) = (repair["to"]["policy"].as_str().unwrap(), repair["to"]["of"].as_str().unwrap());
                self.change(to, of, |statements| statements.extend(repair["statements"].as_array().unwrap().clone()));
            }
            "remove-statement" => {
                let of = repair["from"]["of"].as_str().unwrap();
                let input = json!({"RoleName": name(of), "PolicyName": repair["named"]});
                let document = decoded(&self.iam("GetRolePolicy", &input)["PolicyDocument"]);
                let mut policy: Value = serde_json::from_str(&document).unwrap();
                policy["Statement"].as_array_mut().unwrap().retain(|statement| statement["Sid"] != repair["sid"]);
                if policy["Statement"].as_array().unwrap().is_empty() {
                    self.iam("DeleteRolePolicy", &input);
                    return;
                }
                let input =
                    json!({"RoleName": name(of), "PolicyName": repair["named"], "PolicyDocument": policy.to_string()});
                self.iam("PutRolePolicy", &input);
            }
            other => panic!("{other} cannot be applied: {repair:#}"),
        }
    }

    fn change(&self, kind: &str, of: &str, change: impl FnOnce(&mut Vec<Value>)) {
        let add = |document: Option<String>, change: &mut dyn FnMut(&mut Vec<Value>)| {
            let empty = || json!({"Version": "2012-10-17", "Statement": []});
            let mut policy = document.map_or_else(empty, |text| serde_json::from_str(&text).unwrap());
            change(policy["Statement"].as_array_mut().unwrap());
            policy.to_string()
        };
        let mut change = Some(change);
        let mut once = |statements: &mut Vec<Value>| change.take().unwrap()(statements);
        match kind {
            "trust" => {
                let role = &self.iam("GetRole", &json!({"RoleName": name(of)}))["Role"];
                let document = add(Some(decoded(&role["AssumeRolePolicyDocument"])), &mut once);
                self.iam("UpdateAssumeRolePolicy", &json!({"RoleName": name(of), "PolicyDocument": document}));
            }
            "boundary" => {
                let version = self.iam("GetPolicy", &json!({"PolicyArn": of}))["Policy"]["DefaultVersionId"].clone();
                let version = self.iam("GetPolicyVersion", &json!({"PolicyArn": of, "VersionId": version}));
                let document = add(Some(decoded(&version["PolicyVersion"]["Document"])), &mut once);
                let input = json!({"PolicyArn": of, "PolicyDocument": document, "SetAsDefault": true});
                self.iam("CreatePolicyVersion", &input);
            }
            _ => {
                let (operation, noun) =
                    if of.contains(":role/") { ("PutRolePolicy", "RoleName") } else { ("PutUserPolicy", "UserName") };
                let document = add(None, &mut once);
                self.iam(operation, &json!({noun: name(of), "PolicyName": "repair", "PolicyDocument": document}));
            }
        }
    }
}

fn name(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap()
}

/// IAM hands documents out percent-encoded.
fn decoded(text: &Value) -> String {
    let pairs = format!("x={}", text.as_str().unwrap());
    serde_urlencoded::from_str::<Vec<(String, String)>>(&pairs).unwrap().remove(0).1
}

/// What the doctor says of a scenario: its exit code, and the one check that fails, with words of what it found.
struct Row {
    scenario: &'static str,
    exit: i32,
    fails: Option<(&'static str, &'static str)>,
    repaired_by: Repaired,
}

enum Repaired {
    /// By what is printed, applied as it stands.
    AsPrinted,
    /// By the organization's administrator, who takes the statement of this name out.
    ByTheOrganization(&'static str),
    /// By nothing that a policy, a trust policy or a setting of ours could say.
    Otherwise,
}

const fn row(scenario: &'static str, id: &'static str, found: &'static str, repaired_by: Repaired) -> Row {
    Row { scenario, exit: 1, fails: Some((id, found)), repaired_by }
}

const fn well(scenario: &'static str) -> Row {
    Row { scenario, exit: 0, fails: None, repaired_by: Repaired::Otherwise }
}

use Repaired::{AsPrinted, ByTheOrganization, Otherwise};

/// Somebody waits for the doctor, and AWS limits how often IAM may be asked.
const MOST_CALLS: usize = 40;

const TABLE: &[Row] = &[
    well("ready"),
    well("fresh-account"),
    well("endpoint-left-running"),
    row("no-credentials", "credentials", "there are none", Otherwise),
    row("expired-token", "caller", "ExpiredToken: The security token included in the request is expired", Otherwise),
    row(
        "wrong-secret",
        "caller",
        "SignatureDoesNotMatch: The request signature we calculated does not match",
        Otherwise,
    ),
    row("clock-skew", "clock", "the clock of this machine is 30m", Otherwise),
    row("role-missing", "role", "role/sts-executor does not exist", AsPrinted),
    row("role-in-other-account", "assume-role", "the role is in account 444455556666", AsPrinted),
    row(
        "no-assume-role",
        "assume-role",
        "no policy of arn:aws:iam::111122223333:user/sts-developer lets it assume",
        AsPrinted,
    ),
    row(
        "trust-without-user",
        "assume-role",
        "does not let arn:aws:iam::111122223333:user/sts-developer assume the role",
        AsPrinted,
    ),
    row("trust-without-tag-session", "assume-role", "user/sts-developer tag the session", AsPrinted),
    row("trust-without-sagemaker", "trust", "does not let sagemaker.amazonaws.com in", AsPrinted),
    row("trust-wrong-source-account", "trust", "does not let sagemaker.amazonaws.com in", AsPrinted),
    row("missing-pass-role", "permissions-pass-role", "no policy allows sts-execution iam:PassRole", AsPrinted),
    row("missing-s3", "permissions-s3", "s3:GetObject", AsPrinted),
    row("missing-training", "permissions-training", "sagemaker:CreateTrainingJob", AsPrinted),
    row("missing-deploy", "permissions-deployment", "sagemaker:CreateModelPackageGroup", AsPrinted),
    row("missing-monitoring", "permissions-monitoring", "sagemaker:CreateModelQualityJobDefinition", AsPrinted),
    row("missing-logs", "permissions-logs", "logs:CreateLogGroup", AsPrinted),
    row("boundary-blocks", "boundary", "the permissions boundary does not let sts-execution sagemaker:", AsPrinted),
    row("scp-denies", "organization", "sagemaker:CreateEndpoint", ByTheOrganization("NoEndpoints")),
    row("explicit-deny", "denies", "sts-execution is denied sagemaker:CreateTrainingJob", AsPrinted),
    Row { scenario: "cannot-simulate", exit: 3, fails: None, repaired_by: Otherwise },
    row("bucket-squatted", "bucket", "belongs to another account than 111122223333", AsPrinted),
    row("bucket-in-other-region", "bucket", "is in us-east-1, not in eu-west-1", AsPrinted),
    row("quota-zero", "quotas", "ml.m5.xlarge for training job usage: 0 of 1", Otherwise),
];

#[tokio::test(flavor = "multi_thread")]
async fn each_scenario_has_its_one_cause_and_what_is_printed_repairs_it() {
    let missing: Vec<_> = Scenario::names().filter(|name| !TABLE.iter().any(|row| row.scenario == *name)).collect();
    assert!(missing.is_empty(), "what does the doctor say of {missing:?}?");
    for row in TABLE {
        check(row).await;
    }
}

async fn check(Row { scenario, exit, fails, repaired_by }: &Row) {
    let account = Account::open(scenario, |_| {}).await;
    let (code, findings) = account.doctor(&[]);
    let calls = account.fake.calls.snapshot().len();
    assert!(calls <= MOST_CALLS, "{scenario}: {calls} calls");
    let failed: Vec<_> = findings.iter().filter(|finding| finding["verdict"] == "fail").collect();
    let told: Vec<_> = failed.iter().map(|finding| finding["id"].as_str().unwrap()).collect();
    assert_eq!((code, told), (*exit, fails.iter().map(|(id, _)| *id).collect()), "{scenario}: {findings:#?}");
    let is_unknown = findings.iter().any(|finding| finding["verdict"] == "unknown");
    assert_eq!(is_unknown, *exit == 3, "{scenario}: {findings:#?}");
    let Some((_, found)) = fails else { return };
    let failed = failed[0];
    assert!(failed["found"].as_str().unwrap().contains(found), "{scenario}: {failed:#}");
    assert!(!failed["repairs"].as_array().unwrap().is_empty(), "{scenario}: {failed:#}");

    let mut environment = Vec::new();
    let (code, findings) = match repaired_by {
        AsPrinted => {
            for repair in failed["repairs"].as_array().unwrap() {
                account.repair(repair, &mut environment);
            }
            let environment: Vec<_> = environment.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            account.doctor(&environment)
        }
        ByTheOrganization(sid) => {
            let repaired = Account::open(scenario, |scenario| {
                for document in &mut scenario.service_control_policies {
                    let mut policy: Value = serde_json::from_str(document).unwrap();
                    policy["Statement"].as_array_mut().unwrap().retain(|statement| statement["Sid"] != *sid);
                    *document = policy.to_string();
                }
            });
            repaired.await.doctor(&[])
        }
        Otherwise => return,
    };
    assert_eq!(code, 0, "{scenario}, repaired: {findings:#?}");
}
