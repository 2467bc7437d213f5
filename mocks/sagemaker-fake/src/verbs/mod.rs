//! The verbs of the program. All but `serve` ask whoever serves the state, and answer for it if nobody does.

pub mod advance;
pub mod faults;
pub mod scenario;
pub mod serve;
pub mod state;
mod target;
pub mod transfer;

use sagemaker_fake::account::Scenario;
use sagemaker_fake::export::named;
use serde_json::Value;

/// Where `--offline` keeps its state too.
const DEFAULT_STATE: &str = ".stsmm/offline";

/// The name of a scenario that there is.
fn scenario_name(name: &str) -> Result<String, String> {
    Scenario::named(name).map(|scenario| scenario.name)
}

/// `3 buckets`, `1 bucket`: what is in a state, in words.
fn counted(counts: &Value) -> String {
    let counts = counts.as_object().into_iter().flatten();
    let counts: Vec<_> = counts.filter_map(|(kind, count)| Some((kind, count.as_u64()?))).collect();
    let words = counts.iter().filter(|(kind, _)| !MARKS.contains(&kind.as_str()));
    let words = words.map(|(kind, count)| format!("{count} {}", named(kind, *count == 1)));
    words.collect::<Vec<_>>().join(", ")
}

/// Kinds of which there is one, that is no resource.
const MARKS: [&str; 3] = ["account", "clock", "enforcement"];

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_there_is_in_words() {
        let counts = json!({"account": 1, "bucket": 1, "policy": 2, "access_key": 2, "tags": 3, "model-package": 2});
        assert_eq!(counted(&counts), "1 bucket, 2 policies, 2 access keys, 3 tags, 2 model packages");
    }
}
