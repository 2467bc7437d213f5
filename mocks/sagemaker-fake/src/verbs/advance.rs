//! `advance`: the clock, moved forward.

use std::time::Duration;

use anyhow::Context;
use clap::Args;
use http::Method;
use sagemaker_fake::doors::control::ClockFace;
use time::format_description::well_known::Rfc3339;

use super::target::{Target, Unserved};
use crate::Output;

/// Moves the account's clock forward: what is due in between happens
#[derive(Args)]
pub struct Advance {
    /// By how much, e.g. 45s, 90m, 2h, 1day
    #[arg(value_name = "DURATION", value_parser = humantime::parse_duration)]
    by: Duration,
    #[command(flatten)]
    target: Target,
}

impl Advance {
    /// Whoever serves the account does what falls due. If nobody does, that is done here, and waited for.
    pub fn run(self, output: Output) -> anyhow::Result<()> {
        let what = format!("clock/advance?seconds={}", self.by.as_secs());
        let answer = self.target.ask(Unserved::GoesOn, &Method::POST, &what).context("the clock does not move")?;
        let clock: ClockFace = serde_json::from_value(answer)?;
        match output {
            Output::Text => {
                let now = clock.now.date().replace_nanosecond(0)?.format(&Rfc3339)?;
                println!("it is {now} there, {} ahead of real time", ahead(clock.offset.duration()));
            }
            Output::Json => println!("{}", serde_json::to_string(&clock)?),
        }
        Ok(())
    }
}

/// In days and parts of a day: months have no length.
fn ahead(offset: Duration) -> String {
    let (days, rest) = (offset.as_secs() / 86_400, Duration::from_secs(offset.as_secs() % 86_400));
    match (days, rest.is_zero()) {
        (0, _) => humantime::format_duration(rest).to_string(),
        (days, true) => format!("{days}days"),
        (days, false) => format!("{days}days {}", humantime::format_duration(rest)),
    }
}
