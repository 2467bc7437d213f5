//! The policies that are printed let every verb do its work, and hold nothing that none needs.

use std::time::Duration;

use iam_policy::document::PrincipalPattern;
use iam_policy::generate::{Documents, Feature, Settings, caller_grants, grants};
use iam_policy::{Attached, Kind, Policies, Policy, Request, Statement, evaluate};
use sagemaker_fake::account::Scenario;
use sagemaker_fake::authorisation::Asked;
use sagemaker_fake::{monitoring, s3};
use serde_json::{Value, json};

use crate::account::{Account, SLEEPER};

/// Runs every verb there is in an account that has the printed policies and enforces them; what IAM was asked.
async fn journey() -> Vec<Asked> {
    let account = Account::open("ready", |scenario| scenario.enforce_iam = true).await;
    let run_with = |environment: &[(&str, &str)], code: i32, arguments: &[&str]| {
        let (got, stdout, stderr) = account.run(environment, arguments);
        let refused: Vec<_> = account.fake.enforcement.asked().into_iter().filter(|asked| !asked.allowed).collect();
        assert!(refused.is_empty(), "{arguments:?}: {refused:#?}\n{stdout}\n{stderr}");
        assert_eq!(got, code, "{arguments:?}\n--- stdout\n{stdout}\n--- stderr\n{stderr}");
    };
    let run = |code, arguments: &[&str]| run_with(&[], code, arguments);
    run(0, &["bootstrap", "--dry"]);
    run(0, &["bootstrap"]);
    run(0, &["bootstrap"]);
    run(0, &["doctor", "--probe"]);
    let archive = account.user.archive(sts_container::TAG, "one");
    let push = ["image", "push", "--archive", archive.as_str()];
    run(0, &[&push[..], &["--dry"]].concat());
    run(0, &push);
    run(0, &push);
    run(0, &["doctor"]);
    run(0, &["run", "--dry"]);
    run(0, &["run"]);
    run(0, &["run", "--dry", "--explain-cache"]);
    run(0, &["run", "--only", "CheckMSESTSEvaluation"]);
    run(0, &["run", "--base-job-prefix", "other"]);
    run(0, &["watch"]);
    run(0, &["logs", "TrainSTSModel"]);
    run(0, &["pipeline", "versions"]);
    run(0, &["pipeline", "show", "--version", "1"]);
    run(0, &["pipeline", "diff"]);
    // What fails is retried, what does not end is stopped.
    let input = account.user.folder().join("pairs.tsv");
    std::fs::write(&input, "Quality\t#1 ID\t#2 ID\t#1 String\t#2 String\n1\t1\t2\tone pair\tis too few\n").unwrap();
    run(1, &["run", "--input", input.to_str().unwrap()]);
    run(1, &["retry"]);
    run_with(&[("STSMM_IMAGE", SLEEPER)], 0, &["run", "--detach"]);
    run(0, &["stop"]);
    run(1, &["watch"]);

    run(0, &["deploy", "--dry"]);
    run(0, &["deploy"]);
    run(0, &["run", "--param", "L2=10.0"]);
    run(0, &["deploy"]);
    run(0, &["deploy", "--rollback"]);
    run(0, &["traffic", "--rows", "100"]);
    account.fake.advance(Duration::from_secs(120)).unwrap();
    run(0, &["ground-truth", "--dry"]);
    run(0, &["ground-truth"]);
    run(0, &["monitor", "setup", "--dry"]);
    run(0, &["monitor", "setup"]);
    account.fake.advance(Duration::from_secs(3 * 3600)).unwrap();
    monitoring::settled(&account.fake, "eu-west-1", "sts-model-quality").await.unwrap();
    run(0, &["monitor", "status"]);
    run(0, &["monitor", "why"]);
    run(0, &["monitor", "run-now", "--hours", "24"]);
    run(0, &["monitor", "setup", "--tolerance", "5"]);
    run(0, &["monitor", "stop"]);
    run(0, &["monitor", "setup", "--tolerance", "5"]);
    run(0, &["monitor", "report"]);
    run(0, &["doctor"]);
    run(0, &["cleanup", "--dry", "--everything"]);
    run(0, &["cleanup", "--yes"]);
    run(0, &["cleanup", "--yes", "--everything"]);
    run(0, &["demo"]);
    let calls = account.fake.calls.snapshot();
    let denied = calls.iter().find(|call| call.error.as_deref().is_some_and(|code| code.contains("Denied")));
    assert!(denied.is_none(), "{denied:?}");
    account.fake.enforcement.asked()
}

/// The role of the model captures, and not whoever sends: a request is answered all the same.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_role_may_not_write_is_not_captured() {
    for (denied, captures) in [("datacapture-elsewhere", true), ("datacapture", false)] {
        let account = Account::open("ready", |scenario| {
            scenario.enforce_iam = true;
            let deny =
                json!({"Effect": "Deny", "Action": "s3:PutObject", "Resource": format!("arn:aws:s3:::*/{denied}/*")});
            let deny = json!({"Version": "2012-10-17", "Statement": deny});
            scenario.roles[0].policies.inline.insert("deny".into(), deny.to_string());
        })
        .await;
        for arguments in [&["run"][..], &["deploy"], &["traffic", "--rows", "10"]] {
            let (code, stdout, stderr) = account.run(&[], arguments);
            assert_eq!(code, 0, "{arguments:?}: {stdout}{stderr}");
        }
        account.fake.advance(Duration::from_secs(60)).unwrap();
        let bucket = "sagemaker-eu-west-1-111122223333";
        let objects = s3::list(&account.fake, bucket, "").unwrap();
        assert_eq!(objects.iter().any(|object| object.key.contains("/datacapture/")), captures, "{objects:?}");
    }
}

/// What the doctor asks where something is wrong: it reads the policies, to tell which statement it is.
async fn doctor(scenario: &'static str, change: impl FnOnce(&mut Scenario)) -> Vec<Asked> {
    let account = Account::open(scenario, change).await;
    account.doctor(&[]);
    account.fake.enforcement.asked()
}

/// The settings of `ready`.
fn settings() -> Settings {
    Settings::new("111122223333", "eu-west-1", "arn:aws:iam::111122223333:user/sts-developer", "sts-execution")
}

/// Whether these documents let the request through, beside what policies of resources say.
fn allow(documents: &Documents, request: &Request) -> bool {
    let Documents { identity, trust, role } = documents;
    let mut policies = Policies::default();
    // SageMaker itself has no policies: the trust policy lets it in.
    let settings = settings();
    let own = [(settings.role_arn(), role), (settings.caller, identity)];
    let own = own.into_iter().find(|(arn, _)| request.caller.principal_arn() == arn);
    policies.identity.extend(own.map(|(_, policy)| Attached::new("own", policy.clone())));
    if request.action.starts_with("sts:") {
        policies.resource = Some(Attached::new("trust", trust.clone()));
    }
    // AWS's own repositories are open to everyone who may pull.
    if request.resource.contains(":repository/") && !request.resource.contains("111122223333") {
        let everyone = Statement::allow(["ecr:*"]).to([PrincipalPattern::Everyone]).on([request.resource.as_str()]);
        policies.resource = Some(Attached::new("repository", Policy::of(Kind::Resource, vec![everyone])));
    }
    evaluate(request, &policies).is_allowed()
}

#[test]
fn the_account_that_is_ready_has_the_printed_policies() {
    let Documents { identity, trust, role } = settings().documents(&Feature::ALL);
    let ready = Scenario::ready();
    let (user, of_role) = (&ready.users[0].policies.inline["sts-developer"], &ready.roles[0]);
    for (printed, text) in
        [(identity, user), (trust, &of_role.trust), (role, &of_role.policies.inline["sts-execution"])]
    {
        assert_eq!(
            serde_json::from_str::<Value>(&printed.to_text()).unwrap(),
            serde_json::from_str::<Value>(text).unwrap()
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_verb_works_with_the_printed_policies_and_needs_all_of_them() {
    let documents = settings().documents(&Feature::ALL);
    let mut asked = journey().await;
    asked.extend(doctor("no-assume-role", |_| {}).await);
    let attach = |scenario: &mut Scenario| {
        let managed = "arn:aws:iam::aws:policy/AmazonSageMakerFullAccess".to_owned();
        scenario.roles[0].policies.attached.insert(managed);
    };
    asked.extend(doctor("explicit-deny", attach).await);
    let asked: Vec<_> = asked.into_iter().filter(|asked| asked.allowed).map(|asked| asked.request).collect();
    for request in &asked {
        assert!(allow(&documents, request), "{request:?}");
    }
    let mut idle = Vec::new();
    let parts: [fn(&mut Documents) -> &mut Policy; 3] = [|it| &mut it.identity, |it| &mut it.trust, |it| &mut it.role];
    for part in parts {
        let whole = part(&mut documents.clone()).clone();
        for (at, Statement { sid, actions, .. }) in whole.statements.iter().enumerate() {
            for (place, action) in actions.patterns.iter().enumerate() {
                let mut less = documents.clone();
                part(&mut less).statements[at].actions.patterns.remove(place);
                let mut affected = asked.iter().filter(|request| request.action == *action);
                if affected.all(|request| allow(&less, request)) {
                    idle.push((sid.clone().unwrap(), action.as_str().to_owned()));
                }
            }
        }
    }
    let explained = caller_grants().chain(grants()).filter(|grant| grant.sid != "Key" && grant.reason.is_some());
    let mut explained: Vec<_> = explained.map(|grant| (grant.sid.to_owned(), grant.action.to_owned())).collect();
    idle.sort();
    explained.sort();
    assert_eq!(idle, explained, "what no verb needs, and what has a reason to stay all the same");
}
