//! `traffic`: rows of the test part, sent to the endpoint as its users would.

use std::fmt;
use std::io::IsTerminal;
use std::time::{Duration, Instant};

use futures::stream::{self, StreamExt};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use sts_model::rows::{self, Dataset};

use super::served;
use crate::aws::Session;
use crate::cli;
use crate::drift::Drift;
use crate::error::Failure;
use crate::names;
use crate::output::Output;
use crate::test_set::{self, inference_id};

/// How many requests are under way at once.
const AT_ONCE: usize = 4;

/// How many different failures are told.
const TOLD: usize = 3;

/// Sends the rows. A request that fails is counted, and the others go on.
///
/// # Errors
/// When nothing is served, there are no rows, or not one request was answered.
pub async fn run(session: &Session, output: &Output, arguments: &cli::Traffic) -> Result<(), Failure> {
    let package = served(session).await?;
    let rows = test_set::read(session, &package).await?;
    let report = send(session, &rows, arguments, output).await;
    output.print(&report, &report)?;
    if report.answered > 0 || report.sent == 0 {
        return Ok(());
    }
    let why = report.failures.first().map(|failure| failure.what.as_str()).unwrap_or_default();
    Err(Failure::operation(format!("not one request was answered: {why}"))
        .hint("what the container printed is in CloudWatch Logs, group /aws/sagemaker/Endpoints/NAME"))
}

async fn send(session: &Session, rows: &Dataset, arguments: &cli::Traffic, output: &Output) -> Report {
    let endpoint = names::endpoint(&session.site.prefix);
    let features: Vec<&[f64]> = rows.features().collect();
    let sent = arguments.rows.unwrap_or(features.len());
    let drift = (arguments.drift != 0.0).then(|| Drift::of(rows));
    let bar = progress(sent);
    let begun = Instant::now();
    let pause = arguments.rate.map(|rate| Duration::from_secs_f64(1.0 / rate));
    let mut beat = pause.map(tokio::time::interval);
    if let Some(beat) = &mut beat {
        beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    }
    let requests = stream::unfold((0, beat), |(at, mut beat)| async move {
        if at == sent {
            return None;
        }
        if let Some(beat) = &mut beat {
            beat.tick().await;
        }
        Some((at, (at + 1, beat)))
    });
    let answers = requests.map(|at| {
        let (endpoint, drift, features) = (&endpoint, &drift, &features);
        async move {
            let row = features[at % features.len()];
            let mut body = String::new();
            match drift {
                Some(drift) => rows::write(&mut body, &drift.applied(row, arguments.drift)),
                None => rows::write(&mut body, row),
            }
            let asked = Instant::now();
            let answer = session.clients.runtime.invoke(endpoint, &inference_id(at), body).await;
            answer.map(|_| asked.elapsed())
        }
    });
    let mut answers = std::pin::pin!(answers.buffer_unordered(AT_ONCE));
    let (mut latencies, mut failures) = (Vec::with_capacity(sent), Vec::<Told>::new());
    while let Some(answer) = answers.next().await {
        bar.inc(1);
        match answer {
            Ok(latency) => latencies.push(latency),
            Err(failure) => {
                let what = failure.to_string();
                match failures.iter_mut().find(|told| told.what == what) {
                    Some(told) => told.times += 1,
                    None => failures.push(Told { what, times: 1 }),
                }
            }
        }
    }
    bar.finish_and_clear();
    output.detail(format_args!("{} rows in the test part", features.len()));
    Report::new(endpoint.clone(), sent, arguments.drift, begun.elapsed(), latencies, failures)
}

/// A bar on a terminal, nothing in a pipe.
fn progress(rows: usize) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} rows, {per_sec}, {eta} left");
    ProgressBar::new(rows as u64).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// What came of the traffic.
#[derive(Debug, Serialize)]
struct Report {
    endpoint: String,
    sent: usize,
    answered: usize,
    drift: f64,
    seconds: f64,
    /// Of those that were answered.
    latency_ms: Option<Latency>,
    failures: Vec<Told>,
}

/// A failure, and how often.
#[derive(Debug, Serialize)]
struct Told {
    what: String,
    times: usize,
}

/// Percentiles.
#[derive(Debug, Serialize)]
struct Latency {
    p50: f64,
    p90: f64,
    p99: f64,
    max: f64,
}

impl Report {
    fn new(
        endpoint: String,
        sent: usize,
        drift: f64,
        took: Duration,
        mut latencies: Vec<Duration>,
        mut failures: Vec<Told>,
    ) -> Self {
        latencies.sort_unstable();
        failures.sort_by_key(|told| std::cmp::Reverse(told.times));
        let answered = latencies.len();
        Self {
            endpoint,
            sent,
            answered,
            drift,
            seconds: took.as_secs_f64(),
            latency_ms: Latency::of(&latencies),
            failures,
        }
    }
}

impl Latency {
    /// Of sorted durations, by the nearest rank.
    fn of(sorted: &[Duration]) -> Option<Self> {
        let last = sorted.len().checked_sub(1)?;
        let at = |percent: usize| {
            let rank = (percent * sorted.len()).div_ceil(100).saturating_sub(1);
            sorted[rank.min(last)].as_secs_f64() * 1000.0
        };
        Some(Self { p50: at(50), p90: at(90), p99: at(99), max: at(100) })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { endpoint, sent, answered, drift, seconds, latency_ms, failures } = self;
        let drifted = if *drift == 0.0 { String::new() } else { format!(", drifted by {drift} standard deviations") };
        write!(f, "{endpoint}: {answered} of {sent} requests answered in {seconds:.1} s{drifted}")?;
        if let Some(Latency { p50, p90, p99, max }) = latency_ms {
            write!(
                f,
                "\nlatency: median {p50:.1} ms, 90 % within {p90:.1} ms, 99 % within {p99:.1} ms, at most {max:.1} ms"
            )?;
        }
        for Told { what, times } in failures.iter().take(TOLD) {
            write!(f, "\nfailed {times} times: {what}")?;
        }
        match failures.len().checked_sub(TOLD).filter(|more| *more > 0) {
            Some(more) => write!(f, "\nand {more} other failures"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_by_the_nearest_rank() {
        let durations: Vec<_> = (1..=10).map(Duration::from_millis).collect();
        let latency = Latency::of(&durations).unwrap();
        assert_eq!([latency.p50, latency.p90, latency.p99, latency.max], [5.0, 9.0, 10.0, 10.0]);
        let one = Latency::of(&durations[..1]).unwrap();
        assert_eq!([one.p50, one.max], [1.0, 1.0]);
        assert!(Latency::of(&[]).is_none());
    }

    #[test]
    fn failures_are_counted_the_most_frequent_first() {
        let failures = ["a", "b"].map(|what| Told { what: what.into(), times: what.len() + usize::from(what == "b") });
        let report =
            Report::new("e".into(), 5, 0.0, Duration::from_secs(1), vec![Duration::from_millis(2); 2], failures.into());
        assert_eq!(
            report.to_string(),
            "e: 2 of 5 requests answered in 1.0 s\n\
             latency: median 2.0 ms, 90 % within 2.0 ms, 99 % within 2.0 ms, at most 2.0 ms\n\
             failed 2 times: b\nfailed 1 times: a"
        );
    }
}
