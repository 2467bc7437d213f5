//! What was typed of the endpoint and its monitoring.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::Dry;

/// `deploy`.
#[derive(Debug, Clone, Args)]
pub struct Deploy {
    /// Print what would be done, and change nothing.
    #[command(flatten)]
    pub dry: Dry,
    /// Of the calls, how many in a hundred are captured; 0 for none
    #[arg(long, value_name = "PERCENT", num_args = 0..=1, require_equals = true, default_value_t = 100,
          default_missing_value = "100", value_parser = clap::value_parser!(u8).range(0..=100))]
    pub capture: u8,
    /// An approved version, by the ARN of its package [default: the newest]
    #[arg(long, value_name = "ARN", conflicts_with = "rollback")]
    pub package: Option<String>,
    /// What the endpoint runs on
    #[arg(long, value_name = "TYPE", default_value = "ml.m5.xlarge")]
    pub instance_type: String,
    /// Go back to the version that was served before
    #[arg(long)]
    pub rollback: bool,
    /// Do not ask first whether the role may do all this
    #[arg(long)]
    pub no_preflight: bool,
}

/// `traffic`.
#[derive(Debug, Clone, Args)]
pub struct Traffic {
    /// How many rows; more than there are begin again [default: all of the test part]
    #[arg(long, value_name = "NUMBER")]
    pub rows: Option<usize>,
    /// Requests a second [default: as many as are answered]
    #[arg(long, value_name = "NUMBER", value_parser = rate)]
    pub rate: Option<f64>,
    /// By how many standard deviations the sentences are less alike than they were in training
    #[arg(long, value_name = "NUMBER", default_value_t = 0.0, allow_negative_numbers = true, value_parser = finite)]
    pub drift: f64,
}

fn rate(text: &str) -> Result<f64, String> {
    let rate = finite(text).ok().filter(|rate| (0.001..=1_000_000.0).contains(rate));
    rate.ok_or_else(|| "write a number from 0.001 to 1000000, e.g. 5".to_owned())
}

fn finite(text: &str) -> Result<f64, String> {
    let number = text.parse::<f64>().ok().filter(|number| number.is_finite());
    number.ok_or_else(|| "write a number, e.g. 1.5".to_owned())
}

/// `ground-truth`.
#[derive(Debug, Clone, Args)]
pub struct GroundTruth {
    /// Say only how well traffic and labels fit together, and send nothing.
    #[command(flatten)]
    pub dry: Dry,
    /// The share of labels that are wrong, as those of people are
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = share)]
    pub noise: f64,
    /// File the labels so many hours after the traffic, as labels that come late
    #[arg(long, value_name = "HOURS", default_value_t = 0, value_parser = clap::value_parser!(u16).range(0..=8760))]
    pub lag: u16,
    /// What the wrong labels are drawn with
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    pub seed: u64,
}

fn share(text: &str) -> Result<f64, String> {
    let share = finite(text).ok().filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| "write a number from 0 to 1, e.g. 0.05".to_owned())
}

/// `monitor`.
#[derive(Debug, Clone, Subcommand)]
pub enum Monitor {
    /// Learns what is normal, and looks at every hour from then on
    Setup(MonitorSetup),
    /// The looks so far, and what they found
    Status {
        /// How many of them, newest first
        #[arg(long, value_name = "NUMBER", default_value_t = 24)]
        last: usize,
    },
    /// Looks at the last hours now
    RunNow {
        /// How many hours
        #[arg(long, value_name = "HOURS", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=24))]
        hours: u8,
    },
    /// Why the newest look failed, or why there is none
    Why,
    /// One page about all of it: metrics, violations, and how the features have shifted
    Report {
        /// Where to write it
        #[arg(long, value_name = "FILE", default_value = "monitor-report.html")]
        html: PathBuf,
        /// How many looks, newest first
        #[arg(long, value_name = "NUMBER", default_value_t = 48)]
        last: usize,
    },
    /// Stops looking
    Stop(Dry),
}

/// `monitor setup`.
#[derive(Debug, Clone, Copy, Args)]
pub struct MonitorSetup {
    /// Print what would be done, and change nothing.
    #[command(flatten)]
    pub dry: Dry,
    /// By how many standard deviations an hour may differ from the baseline; 0 is AWS's own suggestion
    #[arg(long, value_name = "NUMBER", default_value_t = TOLERANCE, value_parser = tolerance)]
    pub tolerance: f64,
    /// Do not ask first whether the role may do all this
    #[arg(long)]
    pub no_preflight: bool,
}

/// By how many standard deviations an hour may differ from the baseline, unless somebody says otherwise.
pub const TOLERANCE: f64 = 3.0;

fn tolerance(text: &str) -> Result<f64, String> {
    let tolerance = finite(text).ok().filter(|tolerance| (0.0..=100.0).contains(tolerance));
    tolerance.ok_or_else(|| "write a number from 0 to 100, e.g. 3".to_owned())
}
