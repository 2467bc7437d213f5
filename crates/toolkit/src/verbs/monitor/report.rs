//! `monitor report`: one page about everything that the monitor saw.

use std::io::Cursor;
use std::path::Path;

use model_monitor::analysis::{Observation, Settings};
use model_monitor::attribute::Attribute;
use model_monitor::constraints::Constraints;
use model_monitor::dataset::{Attributes, Side};
use model_monitor::layout;
use model_monitor::problem::Problem;
use model_monitor::statistics::Statistics;
use model_monitor::violations::Violation;
use serde::Deserialize;
use serde_json::json;
use sts_model::features::FEATURES;
use sts_model::rows;
use time::{Duration, OffsetDateTime};

use super::status::{moment, newest, results};
use crate::aws::Session;
use crate::error::Failure;
use crate::monitor::sample::{Reader, Reading, Sample};
use crate::monitor::{Baseline, Feature, Hour, Report, page};
use crate::names;
use crate::observe::input::split_uri;
use crate::observe::monitoring::Execution;
use crate::observe::{Seen, monitoring, objects};
use crate::output::Output;
use crate::test_set;

/// Of how many hours, newest first, the records themselves are read: those that the page shows in full.
const IN_FULL: usize = 12;

const PROBLEM: Problem = Problem::BinaryClassification;

/// Writes the page.
///
/// # Errors
/// When the monitor is not set up, what it wrote cannot be read, or the page cannot be written.
pub async fn run(session: &Session, output: &Output, html: &Path, last: usize) -> Result<(), Failure> {
    let page = page(session, last).await?;
    std::fs::write(html, &page)
        .map_err(|error| Failure::operation(format!("{} cannot be written", html.display())).because(error))?;
    output.print(format_args!("written: {}", html.display()), &json!({"html": html, "bytes": page.len()}))
}

/// The page.
///
/// # Errors
/// As [`run`].
pub async fn page(session: &Session, last: usize) -> Result<String, Failure> {
    let (site, sagemaker) = (&session.site, &session.clients.sagemaker);
    let schedule = names::schedule(&site.prefix);
    let Seen::Present(seen) = monitoring::schedule(sagemaker, &schedule).await? else {
        return Err(super::not_set_up(session));
    };
    let reading = Reading {
        // As the job definition says: the columns of what the endpoint answers.
        attributes: Attributes {
            inference: Some(Attribute::new("0")),
            probability: Some(Attribute::new("1")),
            ground_truth: None,
        },
        side: Side::EndpointOutput,
        settings: Settings { problem: PROBLEM, threshold: None, positive_label: None },
    };
    let baseline = baseline(session, &seen.definition, &reading).await?;
    let mut hours = Vec::new();
    for (at, execution) in newest(session, &schedule, last).await?.into_iter().enumerate() {
        let observed = at < IN_FULL;
        hours.push(hour(session, &execution, &schedule, &reading, observed.then_some(&baseline.sample)).await?);
    }
    let features = FEATURES.iter().map(|it| Feature { name: it.name.to_owned(), about: it.description.to_owned() });
    Ok(page::page(&Report {
        endpoint: names::endpoint(&site.prefix),
        schedule,
        made: OffsetDateTime::from(session.now()),
        settings: reading.settings.clone(),
        baseline,
        features: features.collect(),
        hours,
    }))
}

/// What the schedule compares with: the constraints of its definition, what the baseline job measured beside them, and the
/// rows of the package's test part.
async fn baseline(session: &Session, definition: &str, reading: &Reading) -> Result<Baseline, Failure> {
    let found = session.clients.sagemaker.describe_model_quality_job_definition().job_definition_name(definition);
    let found =
        found.send().await.map_err(|error| crate::aws::errors::describe("DescribeModelQualityJobDefinition", error))?;
    let constraints = found.model_quality_baseline_config.and_then(|it| it.constraints_resource?.s3_uri);
    let uri = constraints.ok_or_else(|| Failure::operation(format!("{definition} has no constraints")))?;
    let text = object(session, &uri).await?.ok_or_else(|| Failure::operation(format!("{uri} is not there")))?;
    let constraints = Constraints::read(&text, PROBLEM)
        .map_err(|error| Failure::operation(format!("{uri} has no constraints")).because(error))?;
    // `.../HASH/tolerance-3/constraints.json`, and the job's own files in `.../HASH/`.
    let folder = uri.rsplitn(3, '/').nth(2).unwrap_or_default();
    let statistics = object(session, &format!("{folder}/statistics.json")).await?;
    let statistics = statistics.and_then(|text| Statistics::read(&text).ok());

    let mut reader = Reader::new(reading);
    let package = super::super::served(session).await?;
    if let Some(dataset) = package.metadata.get("BaselineSet")
        && let Some(rows) = object(session, dataset).await?
    {
        for line in String::from_utf8_lossy(&rows).lines().skip(1) {
            let mut columns = line.split(',');
            if let (Some(prediction), Some(probability), Some(label)) = (columns.next(), columns.next(), columns.next())
            {
                reader.row(Ok(Observation {
                    ground_truth: label.into(),
                    inference: Some(prediction.into()),
                    probability: Some(probability.into()),
                }));
            }
        }
    }
    if let Ok(set) = test_set::read(session, &package).await {
        for features in set.features() {
            let mut line = String::new();
            rows::write(&mut line, features);
            reader.features(line.trim_end());
        }
    }
    Ok(Baseline { constraints, statistics, sample: reader.finish() })
}

#[derive(Deserialize)]
struct Violations {
    violations: Vec<Violation>,
}

async fn hour(
    session: &Session,
    execution: &Execution,
    schedule: &str,
    reading: &Reading,
    baseline: Option<&Sample>,
) -> Result<Hour, Failure> {
    let site = &session.site;
    let results = format!("s3://{}/{}", site.bucket, results(session, execution, schedule));
    let (start, end) = (moment(execution.scheduled) - Duration::hours(1), moment(execution.scheduled));
    let analysed = matches!(execution.status.as_str(), "Completed" | "CompletedWithViolations");
    let statistics = if analysed { object(session, &format!("{results}statistics.json")).await? } else { None };
    let violations =
        if analysed { object(session, &format!("{results}constraint_violations.json")).await? } else { None };
    let violations = violations.and_then(|text| serde_json::from_slice::<Violations>(&text).ok());
    let observed = match baseline.filter(|_| analysed) {
        Some(baseline) => {
            let mut reader = Reader::new(reading);
            let endpoint = names::endpoint(&site.prefix);
            let merged = names::monitoring(&site.prefix);
            let folder = format!("{merged}results/merge/{endpoint}/{}/{}/", names::VARIANT, layout::hour(start));
            let s3 = &session.clients.s3;
            for merged in objects::list(s3, &site.bucket, &folder, &site.account).await? {
                let content = objects::read(s3, &site.bucket, &merged.key, &site.account).await?.unwrap_or_default();
                reader.read(Cursor::new(content)).map_err(|error| {
                    Failure::operation(format!("s3://{}/{} cannot be read", site.bucket, merged.key)).because(error)
                })?;
            }
            Some(reader.finish().against(baseline))
        }
        None => None,
    };
    Ok(Hour {
        start,
        end,
        status: execution.status.clone(),
        message: execution.failure.clone(),
        statistics: statistics.and_then(|text| Statistics::read(&text).ok()),
        violations: violations.map(|it| it.violations).unwrap_or_default(),
        observed,
    })
}

async fn object(session: &Session, uri: &str) -> Result<Option<Vec<u8>>, Failure> {
    match split_uri(uri) {
        Some((bucket, key)) => objects::read(&session.clients.s3, bucket, key, &session.site.account).await,
        None => Ok(None),
    }
}
