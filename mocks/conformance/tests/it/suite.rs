//! Every case, and what the suite as a whole must be like.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use conformance::{Case, cases};
use futures::{StreamExt, stream};
use sagemaker_fake::testing::FakeAws;
use serde_json::Value;

use crate::fake;

/// No case takes longer, however busy the machine: a mistake fails instead of hanging.
const PATIENCE: Duration = Duration::from_secs(240);

/// How many accounts one test has at a time.
const AT_ONCE: usize = 4;

/// What AWS keeps as well: logs and metrics, the history of a deleted schedule, tokens for a while. And time has passed.
const KEPT: [&str; 6] = ["clock", "idempotency-token", "log-stream", "metric", "metric-hour", "monitoring-execution"];

/// Runs the cases of a file, each in an account of its own: all that fail are told.
#[track_caller]
fn run(file: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let cases = cases().into_iter().filter(|case| case.name.split("::").next() == Some(file));
    let failures: Vec<_> = runtime.block_on(async {
        stream::iter(cases).map(check).buffer_unordered(AT_ONCE).filter_map(async |failure| failure).collect().await
    });
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

/// Runs a case: what is wrong with it, or with what it left behind.
async fn check(case: Case) -> Option<String> {
    let (aws, world) = fake::account().await;
    let before = resources(&aws);
    let done = tokio::time::timeout(PATIENCE, case.run(&world)).await;
    let left = tokio::time::timeout(PATIENCE, world.clean()).await;
    let mut faults = Vec::new();
    match done {
        Err(_) => faults.push("it takes far too long".to_owned()),
        Ok(Err(error)) => faults.push(format!("{error:?}")),
        Ok(Ok(())) => {
            let called: BTreeSet<_> =
                aws.calls().iter().map(|call| format!("{}:{}", call.service, call.operation)).collect();
            faults.extend(
                case.operations
                    .iter()
                    .filter(|operation| !called.contains(**operation))
                    .map(|operation| format!("it says that it proves {operation}, and never calls it")),
            );
        }
    }
    match left {
        Err(_) => faults.push("cleaning up takes far too long".to_owned()),
        Ok(left) => faults.extend(left.iter().map(|left| format!("it leaves {left}"))),
    }
    if faults.is_empty() {
        let after = resources(&aws);
        for (kind, keys) in &after {
            let new: Vec<_> = keys.difference(before.get(kind).unwrap_or(&BTreeSet::new())).cloned().collect();
            if !new.is_empty() {
                faults.push(format!("it leaves records of {kind}: {}", new.join(", ")));
            }
        }
    }
    (!faults.is_empty()).then(|| format!("{}: {}", case.name, faults.join("\n  ")))
}

/// The keys of all records that a case must remove, by kind.
fn resources(aws: &FakeAws) -> BTreeMap<String, BTreeSet<String>> {
    let Value::Object(kinds) = aws.export() else { return BTreeMap::new() };
    let kinds = kinds.into_iter().filter(|(kind, _)| !KEPT.contains(&kind.as_str()));
    // Nobody can delete a transform job.
    let removed = |key: &&String| !key.contains("transform-job/");
    kinds
        .map(|(kind, records)| {
            let keys = records.as_object().map(|records| records.keys().filter(removed).cloned().collect());
            (kind, keys.unwrap_or_default())
        })
        .collect()
}

macro_rules! files {
    ($($file:ident)*) => {
        $(#[test]
        fn $file() {
            run(stringify!($file));
        })*

        /// No file of cases is without its test.
        #[test]
        fn every_file_has_its_test() {
            let files: BTreeSet<_> = cases().iter().filter_map(|case| case.name.split("::").next()).collect();
            assert_eq!(files, BTreeSet::from([$(stringify!($file)),*]));
        }
    };
}

files! {
    cloudwatch endpoints executions iam jobs logs model_packages models monitoring pipelines quotas s3 sts tags transforms
    tunings unserved
}

#[test]
fn names_are_unique() {
    let mut names = BTreeSet::new();
    assert!(cases().iter().all(|case| names.insert(case.name)));
}
