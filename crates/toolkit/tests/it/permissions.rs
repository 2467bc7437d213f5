//! The README's policies allow what the verbs do, as the fake saw it; and where IAM is enforced, they are enough, and not
//! one permission too many.

use std::collections::BTreeSet;
use std::path::PathBuf;

use assert_cmd::cargo::cargo_bin;
use iam_policy::generate::grants;
use iam_policy::{Attached, Kind, Policies, Policy, Request, evaluate};
use sagemaker_fake::Fake;
use sagemaker_fake::account::Scenario;
use sagemaker_fake::doors::http::{self, Server};
use sagemaker_fake::doors::owner::Owner;
use sagemaker_fake::jobs::programs::Programs;
use sagemaker_fake::protocol::Checked;
use serde_json::Value;

use crate::user::{Done, User};

/// The JSON documents of the README: the user's policy, the role's trust policy, the role's policy.
fn documents() -> Vec<Value> {
    let readme = include_str!("../../../../README.md");
    let blocks = readme.split("```json\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    blocks.map(|block| serde_json::from_str(block).unwrap_or_else(|error| panic!("{error}\n{block}"))).collect()
}

/// Every action that a document allows.
fn allowed(document: &Value) -> BTreeSet<String> {
    let statements = document["Statement"].as_array().unwrap();
    let actions = statements.iter().flat_map(|statement| match &statement["Action"] {
        Value::String(action) => vec![action.clone()],
        actions => actions.as_array().unwrap().iter().map(|action| action.as_str().unwrap().to_owned()).collect(),
    });
    actions.collect()
}

/// The action that AWS asks for when an operation is called; for most it has the same name.
fn action(service: &str, operation: &str) -> String {
    let name = match (service, operation) {
        ("s3", "HeadBucket" | "ListObjectsV2") => "ListBucket",
        ("s3", "HeadObject") => "GetObject",
        ("s3", "GetPublicAccessBlock") => "GetBucketPublicAccessBlock",
        ("s3", "PutPublicAccessBlock") => "PutBucketPublicAccessBlock",
        ("s3", "GetBucketEncryption") => "GetEncryptionConfiguration",
        ("s3", "PutBucketEncryption") => "PutEncryptionConfiguration",
        (_, same) => same,
    };
    format!("{service}:{name}")
}

/// A user, and the account of `ready` in this process, so that its record can be read.
struct Account {
    user: User,
    state: PathBuf,
    fake: Fake,
    _server: Server,
    _owner: Owner,
}

impl Account {
    async fn new(enforce_iam: bool) -> Self {
        let user = User::new();
        let state = user.folder().join("state");
        let programs = Programs::built_in().own_binary(cargo_bin("stsmm"));
        let fake = Fake::builder().state(&state).programs(programs).enforce_iam(enforce_iam).build().unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = http::serve(&fake, listener, Checked::Yes).unwrap();
        let owner = Owner::claim(&state, server.url()).unwrap();
        Self { user, state, fake, _server: server, _owner: owner }
    }

    fn run(&self, verb: &[&str]) -> Done {
        self.run_with(&[], verb)
    }

    fn run_with(&self, environment: &[(&str, &str)], verb: &[&str]) -> Done {
        let place = ["--offline", "--state", self.state.to_str().unwrap()];
        tokio::task::block_in_place(|| self.user.run(environment, &[verb, &place].concat()))
    }
}

/// Every verb that asks AWS for something, in an order in which each finds what it works on.
const JOURNEY: &[&[&str]] = &[
    &["bootstrap", "--dry"],
    &["bootstrap"],
    &["bootstrap"],
    &["run", "--dry"],
    &["run"],
    &["logs", "TrainSTSModel"],
    &["run", "--explain-cache", "--param", "L2=10"],
    &["run", "--only", "CheckMSESTSEvaluation"],
    &["watch"],
    &["pipeline", "show"],
    &["pipeline", "versions"],
    &["pipeline", "diff"],
    &["run", "--detach", "--param", "L2=5"],
    &["stop"],
    &["watch"],
    &["retry"],
    &["deploy", "--dry"],
    &["deploy"],
    &["traffic", "--rows", "20"],
];

#[tokio::test(flavor = "multi_thread")]
async fn the_three_documents_are_enough_and_none_of_their_permissions_is_idle() {
    let account = Account::new(true).await;
    for verb in JOURNEY {
        let before = account.fake.enforcement.asked().len();
        let (code, stdout, stderr) = account.run(verb);
        // An execution that was stopped is watched to its end, and has not succeeded.
        let stopped = *verb == ["watch"] && stdout.contains("Stopped");
        assert_eq!(code, i32::from(stopped), "{verb:?}\n{stdout}\n{stderr}");
        let asked = account.fake.enforcement.asked();
        let refused = asked[before..].iter().find(|asked| !asked.allowed);
        assert!(refused.is_none(), "{verb:?}: {refused:?}");
    }
    // Another image makes another definition.
    let image = ("STSMM_IMAGE", "111122223333.dkr.ecr.eu-west-1.amazonaws.com/sts-container:another");
    let (code, stdout, stderr) = account.run_with(&[image], &["run", "--detach"]);
    assert_eq!(code, 0, "{stdout}\n{stderr}");

    // A permission is needed if the role's policy without it refuses something that was asked.
    let ready = Scenario::ready();
    let document = Policy::parse(ready.roles[0].policies.inline["sts-execution"].trim(), Kind::Identity).unwrap();
    let asked = account.fake.enforcement.asked();
    let as_role = |request: &Request| request.caller.principal_arn().ends_with(":role/sts-execution");
    let asked: Vec<_> = asked.into_iter().map(|asked| asked.request).filter(as_role).collect();
    assert!(asked.len() > 200, "{}", asked.len());
    let mut idle = Vec::new();
    for grant in grants().filter(|grant| grant.reason.is_none()) {
        let without = Policies {
            identity: vec![Attached::new("sts-execution", without(&document, grant.sid, grant.action))],
            ..Policies::default()
        };
        let of_action = |request: &&Request| request.action == grant.action;
        if asked.iter().filter(of_action).all(|request| evaluate(request, &without).is_allowed()) {
            idle.push(format!("{} of {}", grant.action, grant.sid));
        }
    }
    assert!(idle.is_empty(), "needed by nothing, and no reason is given why they stay: {idle:#?}");
}

/// The policy without an action of one of its statements.
fn without(policy: &Policy, sid: &str, action: &str) -> Policy {
    let mut document: Value = serde_json::from_str(&policy.to_text()).unwrap();
    for statement in document["Statement"].as_array_mut().unwrap().iter_mut().filter(|it| it["Sid"] == sid) {
        match &mut statement["Action"] {
            Value::Array(actions) => actions.retain(|known| known != action),
            only => *only = Value::from("none:None"),
        }
    }
    Policy::parse(&document.to_string(), Kind::Identity).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_readme_allows_what_the_verbs_do() {
    let [user_policy, trust, role_policy] =
        <[Value; 3]>::try_from(documents()).expect("the README has three documents");
    assert_eq!(allowed(&trust), ["sts:AssumeRole", "sts:TagSession"].map(str::to_owned).into());
    assert!(allowed(&trust).is_subset(&allowed(&user_policy)));

    let account = Account::new(false).await;
    let verbs = [
        &["run"][..],
        &["run", "--dry"],
        &["run", "--only", "CheckMSESTSEvaluation"],
        &["watch"],
        &["logs", "TrainSTSModel"],
        &["pipeline", "versions"],
        &["stop"],
    ];
    for verb in verbs {
        account.run(verb);
    }

    let allowed = allowed(&role_policy);
    let calls = account.fake.calls.snapshot();
    let as_role =
        calls.iter().filter(|call| call.caller.contains(":assumed-role/") && !["sts", "iam"].contains(&&*call.service));
    let asked: BTreeSet<_> = as_role.map(|call| action(&call.service, &call.operation)).collect();
    assert!(asked.len() > 20, "{asked:?}");
    let missing: Vec<_> = asked.difference(&allowed).collect();
    assert!(missing.is_empty(), "the README does not allow {missing:?}");
}
