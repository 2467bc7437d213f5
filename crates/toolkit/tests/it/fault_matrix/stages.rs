//! The verbs, each with the account that it begins with.

use std::time::Duration;

use assert_cmd::cargo::cargo_bin;
use sagemaker_fake::Fake;
use sagemaker_fake::faults::{JobFault, Rule};
use sagemaker_fake::jobs::programs::Programs;
use sagemaker_fake::monitoring;
use sagemaker_fake::testing::{FakeAws, Snapshot};

use super::{World, settled};
use crate::account::SLEEPER;

/// A verb, and the account that it begins with.
pub struct Stage {
    pub before: Snapshot,
    pub arguments: &'static [&'static str],
}

/// The archive is in each user's folder.
const PUSH: &[&str] = &["image", "push", "--archive", "image-one.tar"];

/// All verbs that call AWS, in the order of the journey.
pub async fn all() -> Vec<Stage> {
    let programs = Programs::built_in().own_binary(cargo_bin("stsmm"));
    let programs = programs.with(SLEEPER, ["/bin/sh", "-c", "exec sleep 600", "sh"]);
    let fresh = FakeAws::start_with(Fake::builder().programs(programs)).await.snapshot();
    let mut stages = Vec::new();
    let mut add = |before: &Snapshot, verbs: &[&'static [&'static str]]| {
        stages.extend(verbs.iter().map(|arguments| Stage { before: before.clone(), arguments }));
    };
    add(&fresh, &[&["bootstrap"], PUSH]);
    let world = World::from(&fresh).await;
    world.expect(PUSH).await;
    add(&world.aws.snapshot(), &[&["run", "--detach"]]);

    world.expect(&["run"]).await;
    let run = world.aws.snapshot();
    add(&run, &[&["doctor"], &["watch"], &["logs", "TrainSTSModel"], &["pipeline", "diff"], &["deploy"]]);

    // One that runs on and on, and one that has failed.
    let running = World::from(&run).await;
    let (code, _, stderr) = running.run(&[("STSMM_IMAGE", SLEEPER)], &["run", "--detach"]).await;
    assert_eq!(code, 0, "{stderr}");
    add(&running.aws.snapshot(), &[&["stop"]]);
    let failed = World::from(&run).await;
    failed.aws.add_rule(Rule::new(JobFault::AlgorithmError("no luck".into())).step("TrainSTSModel"));
    assert_eq!(failed.run(&[], &["run", "--param", "L2=7.0"]).await.0, 1);
    add(&failed.aws.snapshot(), &[&["retry"]]);

    world.expect(&["deploy"]).await;
    let twice = World::from(&world.aws.snapshot()).await;
    twice.expect(&["run", "--param", "L2=10.0"]).await;
    twice.expect(&["deploy"]).await;
    add(&twice.aws.snapshot(), &[&["deploy", "--rollback"]]);
    add(&world.aws.snapshot(), &[&["traffic", "--rows", "5"]]);
    world.expect(&["traffic", "--rows", "100"]).await;
    world.aws.advance(Duration::from_secs(120));
    add(&world.aws.snapshot(), &[&["ground-truth"]]);
    world.expect(&["ground-truth"]).await;
    add(&world.aws.snapshot(), &[&["monitor", "setup"]]);
    world.expect(&["monitor", "setup"]).await;
    world.aws.advance(Duration::from_secs(3 * 3600));
    monitoring::settled(world.aws.fake(), "eu-west-1", "sts-model-quality").await.unwrap();
    settled(&world.aws).await;
    let monitored: [&'static [&'static str]; 6] = [
        &["monitor", "status"],
        &["monitor", "why"],
        &["monitor", "report"],
        &["monitor", "run-now", "--hours", "24"],
        &["monitor", "stop"],
        &["cleanup", "--yes", "--everything"],
    ];
    add(&world.aws.snapshot(), &monitored);
    stages
}

impl World {
    async fn expect(&self, arguments: &[&str]) {
        let (code, stdout, stderr) = self.run(&[], arguments).await;
        assert_eq!(code, 0, "{arguments:?}: {stdout}{stderr}");
    }
}
