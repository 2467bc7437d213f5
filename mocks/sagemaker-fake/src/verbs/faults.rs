//! `faults`: what goes wrong on request.

use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use http::Method;
use sagemaker_fake::doors::control;
use sagemaker_fake::doors::owner::Owner;
use serde_json::{Map, Value, json};

use super::target::Target;
use crate::Output;

/// Says what goes wrong on request, and changes that
#[derive(Args)]
pub struct Faults {
    #[command(subcommand)]
    what: Option<What>,
    #[command(flatten)]
    target: Target,
}

#[derive(Subcommand)]
enum What {
    /// The rules in force
    List,
    /// Puts a rule in force, or those of a file
    Add(Box<Add>),
    /// Lifts a rule, or all of them
    Remove {
        /// The number of the rule
        #[arg(value_name = "ID")]
        id: Option<u64>,
    },
}

/// The fields of a rule; those that are left out are about everything.
#[derive(Args)]
struct Add {
    /// What goes wrong, e.g. throttle, or CapacityError with jobs
    #[arg(long, value_name = "FAULT", required_unless_present = "file")]
    fault: Option<String>,
    /// With calls of this service, e.g. s3
    #[arg(long)]
    service: Option<String>,
    /// With calls of this operation, e.g. CreateTrainingJob or List*
    #[arg(long)]
    operation: Option<String>,
    /// With calls of whoever has this ARN
    #[arg(long, value_name = "ARN")]
    caller: Option<String>,
    /// With jobs of this kind, e.g. training-job
    #[arg(long)]
    kind: Option<String>,
    /// With jobs of this name
    #[arg(long)]
    job: Option<String>,
    /// With the jobs of pipeline steps of this name
    #[arg(long)]
    step: Option<String>,
    /// Only with the Nth of them, counted from 1
    #[arg(long, value_name = "N")]
    nth: Option<u64>,
    /// Not before the Nth of them
    #[arg(long, value_name = "N")]
    from: Option<u64>,
    /// Not after the Nth of them
    #[arg(long, value_name = "N")]
    to: Option<u64>,
    /// With so many of them
    #[arg(long, value_name = "N")]
    times: Option<u64>,
    /// With each of them by chance, from 0 to 1
    #[arg(long, value_name = "P")]
    probability: Option<f64>,
    /// What the chance begins with
    #[arg(long)]
    seed: Option<u64>,
    /// How long a delay lasts
    #[arg(long, value_name = "N")]
    milliseconds: Option<u64>,
    /// What a failing algorithm says
    #[arg(long)]
    message: Option<String>,
    /// A file of rules, as scenarios write them: `[[faults]]` tables
    #[arg(long, value_name = "FILE", conflicts_with = "fault")]
    file: Option<PathBuf>,
}

impl Faults {
    /// Rules live in the memory of whoever serves the account.
    pub fn run(self, output: Output) -> anyhow::Result<()> {
        let Some(url) = self.target.url.clone().or_else(|| Owner::find(&self.target.state)) else {
            bail!(
                "nobody serves {}, and faults last as long as a server does: `serve` it first",
                self.target.state.display()
            );
        };
        let rules = match self.what.unwrap_or(What::List) {
            What::List => control::ask(&url, &Method::GET, "faults")?,
            What::Add(add) => control::tell(&url, &Method::POST, "faults", &add.rules()?)?,
            What::Remove { id: None } => control::ask(&url, &Method::DELETE, "faults")?,
            What::Remove { id: Some(id) } => control::ask(&url, &Method::DELETE, &format!("faults/{id}"))?,
        };
        match output {
            Output::Text => print!("{}", told(&rules)),
            Output::Json => println!("{rules}"),
        }
        Ok(())
    }
}

impl Add {
    /// As the control API takes them.
    fn rules(&self) -> anyhow::Result<Value> {
        let Some(file) = &self.file else {
            let fields = json!({
                "fault": self.fault, "service": self.service, "operation": self.operation, "caller": self.caller,
                "kind": self.kind, "job": self.job, "step": self.step, "nth": self.nth, "from": self.from, "to": self.to,
                "times": self.times, "probability": self.probability, "seed": self.seed, "milliseconds": self.milliseconds,
                "message": self.message,
            });
            let given = fields.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null());
            return Ok(given.map(|(name, value)| (name.clone(), value.clone())).collect::<Map<_, _>>().into());
        };
        let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        let mut table: Value = toml::from_str(&text).with_context(|| file.display().to_string())?;
        match table.get_mut("faults") {
            Some(rules) => Ok(rules.take()),
            None => bail!("{} has no `[[faults]]`", file.display()),
        }
    }
}

/// A rule a line.
fn told(rules: &Value) -> String {
    let rules = rules.as_array().map(Vec::as_slice).unwrap_or_default();
    if rules.is_empty() {
        return "nothing goes wrong on request\n".to_owned();
    }
    let line = |rule: &Value| {
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let fields = rule.as_object().into_iter().flatten();
        let own = fields.filter(|(name, _)| !["id", "fault", "seen", "acted"].contains(&name.as_str()));
        let own: Vec<_> = own.map(|(name, value)| format!("{name}={}", text(value))).collect();
        let (id, fault, seen, acted) = (&rule["id"], text(&rule["fault"]), &rule["seen"], &rule["acted"]);
        format!("{id}  {fault} {}  (struck {acted} of {seen})\n", own.join(" "))
    };
    rules.iter().map(line).collect()
}
