//! `state`: what is in the account, at a glance.

use clap::Args;
use http::Method;
use sagemaker_fake::doors::control;
use sagemaker_fake::export;
use serde_json::Value;

use super::target::Target;
use crate::Output;

/// Says what is in the account
#[derive(Args)]
pub struct State {
    #[command(flatten)]
    target: Target,
}

/// The kinds that are told by name, and the member of their records that says how they are.
const NAMED: [(&str, &str, &str); 8] = [
    ("bucket", "name", ""),
    ("pipeline", "name", ""),
    ("execution", "id", "status"),
    ("job", "name", "status"),
    ("model-package", "arn", ""),
    ("endpoint", "name", "status"),
    ("monitoring-schedule", "name", ""),
    ("monitoring-execution", "id", "status"),
];

/// How many of a kind are told by name.
const MOST: usize = 10;

impl State {
    /// Nothing is changed, and no folder is made.
    pub fn run(self, output: Output) -> anyhow::Result<()> {
        let state = match &self.target.url {
            Some(url) => control::ask(url, &Method::GET, "state")?,
            None => export::folder(&self.target.state)?,
        };
        match output {
            Output::Text => print!("{}", told(&state)),
            Output::Json => println!("{}", serde_json::to_string_pretty(&state)?),
        }
        Ok(())
    }
}

fn told(state: &Value) -> String {
    let Some(scenario) = state["account"]["began"]["scenario"].as_str() else {
        return "there is no state yet\n".to_owned();
    };
    let enforced = if state["enforcement"].is_object() { ", IAM is enforced" } else { "" };
    let mut lines = vec![format!("began as `{scenario}`{enforced}"), super::counted(&export::counts(state))];
    for (kind, name, status) in NAMED {
        let Some(records) = state[kind].as_object().filter(|records| !records.is_empty()) else { continue };
        lines.push(format!("{}:", kind.replace('-', " ")));
        for record in records.values().take(MOST) {
            let text = |member: &str| record[member].as_str().unwrap_or_default();
            lines.push(format!("  {:<60} {}", text(name), text(status)).trim_end().to_owned());
        }
        if records.len() > MOST {
            lines.push(format!("  and {} more", records.len() - MOST));
        }
    }
    lines.join("\n") + "\n"
}
