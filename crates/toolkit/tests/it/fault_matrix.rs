//! Every call of every verb goes wrong in every way: the verb does its work all the same, or says by name what was refused
//! and what to do. Then it is run again, and what it leaves is what an undisturbed run leaves; and what a failed one leaves,
//! cleaning up finds.
//!
//! The calls are those that the fake remembers of an undisturbed run. What came of it all is `tests/fault-matrix.md`. The
//! suite tries one fault with each call, in turn, and compares; with `FAULT_MATRIX=overwrite` it writes what it finds into the
//! table, with `FAULT_MATRIX=all` it tries every fault with every call.

mod stages;
mod table;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures::StreamExt as _;
use futures::stream;
use sagemaker_fake::calls::Call;
use sagemaker_fake::doors::owner::Owner;
use sagemaker_fake::faults::{CallFault, Rule};
use sagemaker_fake::testing::{FakeAws, Snapshot};
use serde_json::Value;

use crate::user::{Done, User};
use stages::Stage;
use table::Table;

/// What goes wrong, how it is called in the table, and whether it goes on doing so.
const FAULTS: [(CallFault, &str, bool); 8] = [
    (CallFault::Throttle, "throttled", false),
    (CallFault::InternalError, "500", false),
    (CallFault::Reset, "reset", false),
    (CallFault::Lost, "lost", false),
    (CallFault::Cut, "cut", false),
    (CallFault::ExpiredToken, "expired token", true),
    (CallFault::AccessDenied, "access denied", true),
    (CallFault::TruncatedPage, "truncated pages", true),
];

/// The kinds of records that verbs are there to make and to remove. Executions and jobs come and go.
const KINDS: [&str; 11] = [
    "bucket",
    "endpoint",
    "endpoint-config",
    "image",
    "model",
    "model-package",
    "model-package-group",
    "model-quality-job-definition",
    "monitoring-schedule",
    "pipeline",
    "repository",
];

/// How many cells are tried at the same time.
const AT_ONCE: usize = 4;

/// An account, and the user who works in it.
struct World {
    aws: FakeAws,
    user: User,
    _owner: Owner,
}

impl World {
    async fn from(snapshot: &Snapshot) -> Self {
        let user = User::new();
        user.archive(sts_container::TAG, "one");
        let aws = FakeAws::start_with(snapshot.builder().state(user.state())).await;
        let owner = Owner::claim(&user.state(), &aws.endpoint_url()).unwrap();
        Self { aws, user, _owner: owner }
    }

    async fn run(&self, environment: &[(&str, &str)], arguments: &[&str]) -> Done {
        let mut command = self.user.command(environment, &[arguments, &["--offline"]].concat());
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        crate::user::done(&output)
    }

    /// How many there are of each kind that matters.
    fn shape(&self) -> BTreeMap<&'static str, usize> {
        let state = self.aws.export();
        KINDS.into_iter().map(|kind| (kind, state[kind].as_object().map_or(0, serde_json::Map::len))).collect()
    }

    /// The calls of verbs: not those that SageMaker makes in the role's name.
    fn calls(&self) -> Vec<Call> {
        self.aws.calls().into_iter().filter(|call| !call.caller.ends_with("/SageMaker")).collect()
    }
}

/// What an undisturbed run of a verb comes to.
struct Undisturbed {
    code: i32,
    shape: BTreeMap<&'static str, usize>,
    /// Service and operation.
    calls: BTreeSet<(String, String)>,
}

async fn undisturbed(stage: &Stage) -> Undisturbed {
    let world = World::from(&stage.before).await;
    let (code, stdout, stderr) = world.run(&[], stage.arguments).await;
    assert_eq!(code, 0, "{:?}: {stdout}{stderr}", stage.arguments);
    let calls: BTreeSet<_> =
        world.calls().into_iter().map(|Call { service, operation, .. }| (service, operation)).collect();
    Undisturbed { code, shape: world.shape(), calls }
}

/// A verb, one of its calls, and what goes wrong with it.
struct Cell<'a> {
    stage: &'a Stage,
    expected: &'a Undisturbed,
    service: &'a str,
    operation: &'a str,
    fault: usize,
}

impl Cell<'_> {
    fn name(&self) -> String {
        format!("{} / {} / {}", self.stage.arguments.join(" "), self.operation, FAULTS[self.fault].1)
    }

    /// What came of it, as the table says it; the error tells what is wrong with that.
    async fn tried(&self) -> Result<String, String> {
        let world = World::from(&self.stage.before).await;
        let (fault, _, persistent) = &FAULTS[self.fault];
        let rule = Rule::new(fault.clone()).service(self.service).operation(self.operation);
        world.aws.add_rule(if *persistent { rule } else { rule.times(1) });
        let (code, stdout, stderr) = world.run(&[], self.stage.arguments).await;
        let said = format!("exit code {code}\n{stdout}{stderr}");
        if world.aws.fake().faults.list()[0].acted == 0 {
            return Ok("–".to_owned());
        }
        if code == self.expected.code {
            let shape = world.shape();
            return match shape == self.expected.shape {
                true => Ok("done".to_owned()),
                false => Err(format!("done, and left {shape:?} instead of {:?}\n{said}", self.expected.shape)),
            };
        }
        let aws_code = world.calls().into_iter().rev().find(|call| call.fault.is_some()).and_then(|call| call.error);
        let aws_code = aws_code.filter(|_| !matches!(fault, CallFault::Reset)).unwrap_or_default();
        // The answer to a HEAD has no body, and so no code.
        let aws_code = match (self.operation.starts_with("Head"), fault) {
            (true, CallFault::AccessDenied) => "403".to_owned(),
            (true, CallFault::ExpiredToken) => "400".to_owned(),
            _ => aws_code,
        };
        let named = said.contains(self.operation) && said.contains(&aws_code);
        // The doctor says in its report what it could not find out.
        let is_doctor = self.stage.arguments[0] == "doctor";
        if !named || !(is_doctor || said.contains("\nhint: ")) || ![1, 3].contains(&code) {
            return Err(format!("the failure does not name {} and {aws_code}, and what to do\n{said}", self.operation));
        }
        world.aws.fake().faults.clear();
        self.converges(&world).await?;
        Ok(format!("{code}: {}", if aws_code.is_empty() { "no answer" } else { &aws_code }))
    }

    /// Cleans up what the failure left, in an account of its own; then runs the verb again.
    async fn converges(&self, world: &World) -> Result<(), String> {
        if !["Get", "List", "Describe", "Head"].iter().any(|read| self.operation.starts_with(read)) {
            let other = World::from(&world.aws.snapshot()).await;
            let (code, stdout, stderr) = other.run(&[], &["cleanup", "--yes", "--everything"]).await;
            let left: Vec<_> =
                other.shape().into_iter().filter(|(kind, left)| *kind != "bucket" && *left > 0).collect();
            // What still runs is not removed, and stopping it is the user's decision.
            let still_runs = self.stage.arguments[0] == "stop" && stderr.contains("stop it first");
            if !still_runs && (code != 0 || !left.is_empty()) {
                return Err(format!("cleaning up after it (exit code {code}) leaves {left:?}\n{stdout}{stderr}"));
            }
        }
        let (code, stdout, stderr) = world.run(&[], self.stage.arguments).await;
        let shape = world.shape();
        // What goes on by itself may have come to its end meanwhile.
        let done = code == self.expected.code
            || ["there is nothing to retry", "has ended already"].iter().any(|said| stderr.contains(said));
        match done && shape == self.expected.shape {
            true => Ok(()),
            false => Err(format!(
                "run again, it ends with {code} and leaves {shape:?} instead of {:?}\n{stdout}{stderr}",
                self.expected.shape
            )),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_call_goes_wrong_and_is_made_again_or_named() {
    let wish = std::env::var("FAULT_MATRIX").unwrap_or_default();
    let all = wish == "all";
    let stages = stages::all().await;
    let mut expected = Vec::new();
    for stage in &stages {
        expected.push(undisturbed(stage).await);
    }
    let mut cells = Vec::new();
    for (stage, expected) in stages.iter().zip(&expected) {
        for (turn, (service, operation)) in expected.calls.iter().enumerate() {
            let faults = if all { 0..FAULTS.len() } else { turn % FAULTS.len()..turn % FAULTS.len() + 1 };
            cells.extend(faults.map(|fault| Cell { stage, expected, service, operation, fault }));
        }
    }
    let tried = stream::iter(&cells).map(async |cell| (cell, cell.tried().await)).buffered(AT_ONCE);
    let tried: Vec<_> = tried.collect().await;
    let mut wrong = Vec::new();
    let mut table = Table::default();
    for (cell, result) in tried {
        match result {
            Ok(result) => table.put(&cell.stage.arguments.join(" "), cell.operation, FAULTS[cell.fault].1, result),
            Err(why) => wrong.push(format!("{}: {why}", cell.name())),
        }
    }
    assert!(wrong.is_empty(), "{} of {} cells:\n\n{}", wrong.len(), cells.len(), wrong.join("\n\n"));
    let columns = FAULTS.map(|(_, name, _)| name);
    if wish == "overwrite" || all { table.write(&columns) } else { table.compare(&columns) }
}

/// Waits until nothing runs any more.
async fn settled(aws: &FakeAws) {
    let at_rest = |state: &Value| {
        let jobs = state["job"].as_object().into_iter().flatten();
        !jobs.into_iter().any(|(_, job)| job["status"] == "InProgress")
    };
    let wait = async {
        while !at_rest(&aws.export()) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), wait).await.expect("this takes far too long");
}
