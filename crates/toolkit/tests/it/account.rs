//! An account of AWS, served to the user who works in it.

use assert_cmd::cargo::cargo_bin;
use sagemaker_fake::account::{Caller, Scenario};
use sagemaker_fake::doors::http::{self, Server};
use sagemaker_fake::doors::owner::Owner;
use sagemaker_fake::fake::Context;
use sagemaker_fake::jobs::programs::Programs;
use sagemaker_fake::protocol::Checked;
use sagemaker_fake::{Fake, iam};
use serde_json::Value;

use crate::user::{Done, User};

/// An image whose program does nothing until it is stopped.
pub const SLEEPER: &str = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/sts-container:sleeper";

/// A scenario's account, served to whoever works with the state folder.
pub struct Account {
    pub fake: Fake,
    pub user: User,
    scenario: &'static str,
    server: Server,
    _owner: Owner,
}

impl Account {
    /// That of the scenario, changed.
    pub async fn open(name: &'static str, change: impl FnOnce(&mut Scenario)) -> Self {
        let user = User::new();
        let mut scenario = Scenario::named(name).unwrap();
        change(&mut scenario);
        let programs = Programs::built_in().own_binary(cargo_bin("stsmm"));
        let programs = programs.with(SLEEPER, ["/bin/sh", "-c", "exec sleep 600", "sh"]);
        let fake = Fake::builder().state(user.state()).scenario(scenario).programs(programs).build().unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = http::serve(&fake, listener, Checked::Yes).unwrap();
        let owner = Owner::claim(&user.state(), server.url()).unwrap();
        Self { fake, user, scenario: name, server, _owner: owner }
    }

    /// Where it is served.
    pub fn url(&self) -> &str {
        self.server.url()
    }

    /// Runs a verb offline.
    pub fn run(&self, environment: &[(&str, &str)], arguments: &[&str]) -> Done {
        let place = ["--offline", "--scenario", self.scenario];
        tokio::task::block_in_place(|| self.user.run(environment, &[arguments, &place].concat()))
    }

    /// The findings of the doctor that did not pass, each with all that was said, and the exit code.
    pub fn doctor(&self, environment: &[(&str, &str)]) -> (i32, Vec<Value>) {
        // With -v, account ids are as they are.
        let (code, stdout, stderr) = self.run(environment, &["doctor", "--output", "json", "-v"]);
        let report: Value = serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{error}: {stdout}{stderr}"));
        let is_well = |finding: &&Value| ["pass", "skip"].contains(&finding["verdict"].as_str().unwrap());
        (code, report["findings"].as_array().unwrap().iter().filter(|finding| !is_well(finding)).cloned().collect())
    }

    /// Calls IAM as the administrator of the account.
    pub fn iam(&self, operation: &str, input: &Value) -> Value {
        let account = self.fake.account().to_owned();
        let arn = format!("arn:aws:iam::{account}:root");
        let caller = Caller { arn, user_id: account.clone(), account, session: None };
        let context = Context::new(&self.fake, &caller, "us-east-1");
        iam::call(&context, operation, input).unwrap_or_else(|error| panic!("{operation} {input}: {error:?}"))
    }
}
