//! The README's policies allow what the verbs do, as the fake saw it.

use std::collections::BTreeSet;

use assert_cmd::cargo::cargo_bin;
use sagemaker_fake::Fake;
use sagemaker_fake::doors::http;
use sagemaker_fake::doors::owner::Owner;
use sagemaker_fake::jobs::programs::Programs;
use sagemaker_fake::protocol::Checked;
use serde_json::Value;

use crate::user::User;

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

#[tokio::test(flavor = "multi_thread")]
async fn the_readme_allows_what_the_verbs_do() {
    let [user_policy, trust, role_policy] =
        <[Value; 3]>::try_from(documents()).expect("the README has three documents");
    assert_eq!(allowed(&trust), ["sts:AssumeRole", "sts:TagSession"].map(str::to_owned).into());
    assert!(allowed(&trust).is_subset(&allowed(&user_policy)));

    let user = User::new();
    let state = user.folder().join("state");
    let programs = Programs::built_in().own_binary(cargo_bin("stsmm"));
    let fake = Fake::builder().state(&state).programs(programs).build().unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = http::serve(&fake, listener, Checked::Yes).unwrap();
    let _owner = Owner::claim(&state, server.url()).unwrap();
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
        let place = ["--offline", "--state", state.to_str().unwrap()];
        tokio::task::block_in_place(|| user.run(&[], &[verb, &place].concat()));
    }

    let allowed = allowed(&role_policy);
    let calls = fake.calls.snapshot();
    let as_role =
        calls.iter().filter(|call| call.caller.contains(":assumed-role/") && !["sts", "iam"].contains(&&*call.service));
    let asked: BTreeSet<_> = as_role.map(|call| action(&call.service, &call.operation)).collect();
    assert!(asked.len() > 20, "{asked:?}");
    let missing: Vec<_> = asked.difference(&allowed).collect();
    assert!(missing.is_empty(), "the README does not allow {missing:?}");
}
