//! `scenario` and `reset`: how the account began, and again.

use clap::Args;
use http::Method;
use serde_json::Value;

use super::target::{Target, Unserved};
use crate::Output;

/// Says which scenario the account began as, or begins again as another one
#[derive(Args)]
pub struct Scenario {
    /// The scenario to begin again as: everything that is there is given up
    #[arg(value_name = "NAME", value_parser = super::scenario_name)]
    name: Option<String>,
    #[command(flatten)]
    target: Target,
}

/// Begins again: the account is as its scenario began
#[derive(Args)]
pub struct Reset {
    #[command(flatten)]
    target: Target,
}

impl Scenario {
    pub fn run(self, output: Output) -> anyhow::Result<()> {
        match &self.name {
            Some(name) => {
                let shown = self.target.ask(Unserved::Begins, &Method::POST, &format!("scenario/{name}"))?;
                begun(&shown, output);
            }
            None => {
                let shown = self.target.ask(Unserved::Rests, &Method::GET, "scenario")?;
                match output {
                    Output::Json => println!("{shown}"),
                    Output::Text => {
                        println!("account {} began as `{}`", text(&shown, "account"), text(&shown, "scenario"));
                        let names = shown["scenarios"].as_array().into_iter().flatten().filter_map(Value::as_str);
                        println!("there are: {}", names.collect::<Vec<_>>().join(", "));
                    }
                }
            }
        }
        Ok(())
    }
}

impl Reset {
    pub fn run(self, output: Output) -> anyhow::Result<()> {
        begun(&self.target.ask(Unserved::Rests, &Method::POST, "reset")?, output);
        Ok(())
    }
}

fn begun(shown: &Value, output: Output) {
    match output {
        Output::Json => println!("{shown}"),
        Output::Text => println!("account {} begins again as `{}`", text(shown, "account"), text(shown, "scenario")),
    }
}

fn text<'a>(value: &'a Value, member: &str) -> &'a str {
    value[member].as_str().unwrap_or_default()
}
