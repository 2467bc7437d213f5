//! The account: what is there already, what runs and costs money, and how much more there may be.

use std::time::{Duration, SystemTime};

use aws_sdk_sagemaker::types::{ProcessingJobStatus, ScheduleStatus, TrainingJobStatus};

use super::Examined;
use super::finding::{Finding, Repair, is_denied};
use super::role::Session;
use crate::aws::errors::describe;
use crate::cost;
use crate::error::Failure;
use crate::observe::{self, Seen};
use crate::output::many;

/// Whether the pipeline and the group are there. Either way is well.
pub(super) async fn pipeline(examined: &Examined<'_>, session: &Session) -> Finding {
    const ID: &str = "pipeline";
    let (site, sagemaker) = (&examined.site, &session.clients.sagemaker);
    let (pipeline, group) = tokio::join!(
        observe::registry::pipeline(sagemaker, &site.pipeline, None),
        observe::registry::package_group(sagemaker, &site.package_group),
    );
    let calls: &[&str] = &["sagemaker:DescribePipeline", "sagemaker:DescribeModelPackageGroup"];
    let state = |there: bool, verb: &str| if there { "is there".to_owned() } else { format!("will be made by {verb}") };
    let finding = match (pipeline, group) {
        (Err(failure), _) => Finding::of_refusal(ID, "sagemaker:DescribePipeline", &failure),
        (_, Err(failure)) => Finding::of_refusal(ID, "sagemaker:DescribeModelPackageGroup", &failure),
        (Ok(pipeline), Ok(group)) => {
            let pipeline = state(matches!(pipeline, Seen::Present(_)), "run");
            let group = state(matches!(group, Seen::Present(_)), "bootstrap");
            Finding::pass(ID, format!("{} {pipeline}, {} {group}", site.pipeline, site.package_group))
        }
    };
    finding.asked(calls, &session.arn)
}

/// The instance type of the plan, and what each use of it needs at once: the quota's name, its code, and how many.
const INSTANCE_TYPE: &str = "ml.m5.xlarge";
const QUOTAS: &[(&str, &str, f64)] = &[
    ("ml.m5.xlarge for processing job usage", "L-0307F515", 1.0),
    ("ml.m5.xlarge for training job usage", "L-CCE2AFA6", 1.0),
    ("ml.m5.xlarge for endpoint usage", "L-2F737F8D", 1.0),
];

/// Whether the quotas suffice for the plan.
pub(super) async fn quotas(examined: &Examined<'_>) -> Finding {
    const ID: &str = "quotas";
    let asked = |finding: Finding| finding.asked(&["servicequotas:GetServiceQuota"], &examined.caller.arn);
    let mut lacking = Vec::new();
    let client = &examined.clients.quotas;
    for found in futures::future::join_all(QUOTAS.iter().map(|(name, code, _)| client.of_sagemaker(code, name))).await {
        match found {
            Ok(Some(quota)) => lacking.push(quota),
            Ok(None) => return asked(Finding::unknown(ID, "Service Quotas does not know the quotas by these names")),
            Err(failure) if is_denied(&failure) => {
                return asked(Finding::unknown(ID, "the quotas may not be read").said(failure.to_string()));
            }
            Err(failure) => return asked(Finding::of_failure(ID, &failure)),
        }
    }
    let small: Vec<_> = QUOTAS.iter().zip(&lacking).filter(|((_, _, need), value)| **value < *need).collect();
    if small.is_empty() {
        return asked(Finding::pass(ID, format!("enough of {INSTANCE_TYPE} for processing, training and an endpoint")));
    }
    let words: Vec<_> = small.iter().map(|((name, _, need), value)| format!("{name}: {value} of {need}")).collect();
    let finding = Finding::fail(ID, words.join("; "))
        .why("SageMaker refuses what would go beyond a quota with ResourceLimitExceeded, and a pipeline fails with it");
    let finding = small.iter().fold(finding, |finding, ((_, code, need), _)| {
        finding.repaired_by(Repair::Run(format!(
            "aws service-quotas request-service-quota-increase --service-code sagemaker --quota-code {code} \
             --desired-value {need} --region {}",
            examined.site.region
        )))
    });
    asked(finding.repaired_by(Repair::Tell(
        "or take another instance type: cargo xtask run --param TrainingInstanceType=... --param ProcessingInstanceType=..."
            .to_owned(),
    )))
}

/// What runs, by kind.
#[derive(Default)]
struct Running {
    endpoints: Vec<String>,
    schedules: usize,
    jobs: usize,
    /// US dollars an hour, of the endpoints whose price is known.
    usd: f64,
}

/// The number of endpoints that are looked into.
const LOOKED_INTO: usize = 3;

/// Whether something runs that costs money, whoever started it.
pub(super) async fn running(examined: &Examined<'_>, session: &Session) -> Finding {
    const ID: &str = "running";
    const CALLS: &[&str] = &[
        "sagemaker:ListEndpoints",
        "sagemaker:ListMonitoringSchedules",
        "sagemaker:ListTrainingJobs",
        "sagemaker:ListProcessingJobs",
    ];
    let finding = match seen_running(session).await {
        Err((action, failure)) => Finding::of_refusal(ID, action, &failure),
        Ok(running) if running.endpoints.is_empty() && running.jobs == 0 && running.schedules == 0 => {
            Finding::pass(ID, "nothing does")
        }
        Ok(running) => {
            let mut what = running.endpoints.clone();
            what.extend((running.schedules > 0).then(|| many(running.schedules, "monitoring schedule")));
            what.extend((running.jobs > 0).then(|| many(running.jobs, "running job")));
            let cost = if running.usd > 0.0 {
                format!(" (about ${:.2} an hour, list price of {})", running.usd, cost::PRICES_REGION)
            } else {
                String::new()
            };
            let finding = format!("{}{cost}", what.join(", "));
            match running.endpoints.is_empty() && running.schedules == 0 {
                // Jobs end by themselves.
                true => Finding::pass(ID, finding),
                false => Finding::warn(ID, finding)
                    .why("an endpoint costs money by the hour whether anybody calls it or not, and a schedule starts jobs")
                    .repaired_by(Repair::Tell(format!(
                        "what is not needed: cargo xtask cleanup for {}-endpoint, else aws sagemaker delete-endpoint \
                         --endpoint-name NAME",
                        examined.site.prefix
                    ))),
            }
        }
    };
    finding.asked(CALLS, &session.arn)
}

async fn seen_running(session: &Session) -> Result<Running, (&'static str, Failure)> {
    let sagemaker = &session.clients.sagemaker;
    let (endpoints, schedules, training, processing) = tokio::join!(
        sagemaker.list_endpoints().max_results(100).send(),
        sagemaker.list_monitoring_schedules().status_equals(ScheduleStatus::Scheduled).max_results(100).send(),
        sagemaker.list_training_jobs().status_equals(TrainingJobStatus::InProgress).max_results(100).send(),
        sagemaker.list_processing_jobs().status_equals(ProcessingJobStatus::InProgress).max_results(100).send(),
    );
    let endpoints = endpoints.map_err(|error| ("sagemaker:ListEndpoints", describe("ListEndpoints", error)))?;
    let schedules =
        schedules.map_err(|error| ("sagemaker:ListMonitoringSchedules", describe("ListMonitoringSchedules", error)))?;
    let training = training.map_err(|error| ("sagemaker:ListTrainingJobs", describe("ListTrainingJobs", error)))?;
    let processing =
        processing.map_err(|error| ("sagemaker:ListProcessingJobs", describe("ListProcessingJobs", error)))?;
    let mut running = Running {
        schedules: schedules.monitoring_schedule_summaries.unwrap_or_default().len(),
        jobs: training.training_job_summaries.unwrap_or_default().len()
            + processing.processing_job_summaries.unwrap_or_default().len(),
        ..Running::default()
    };
    for (at, endpoint) in endpoints.endpoints.unwrap_or_default().into_iter().enumerate() {
        let name = endpoint.endpoint_name.unwrap_or_default();
        let status = endpoint.endpoint_status.map(|status| status.as_str().to_owned()).unwrap_or_default();
        let since = endpoint.creation_time.and_then(|time| SystemTime::try_from(time).ok());
        let age = since.and_then(|since| SystemTime::now().duration_since(since).ok()).map(age).unwrap_or_default();
        running.endpoints.push(format!("endpoint {name} ({status}{age})"));
        if at < LOOKED_INTO {
            running.usd += hourly(session, &name).await.unwrap_or_default();
        }
    }
    Ok(running)
}

/// `, for 12 days`; nothing of less than an hour.
fn age(age: Duration) -> String {
    match age.as_secs() / 3600 {
        0 => String::new(),
        hours @ 1..48 => format!(", for {}", many(usize::try_from(hours).unwrap_or(usize::MAX), "hour")),
        hours => format!(", for {} days", hours / 24),
    }
}

/// What an endpoint costs an hour, in US dollars, if that can be found out.
async fn hourly(session: &Session, endpoint: &str) -> Option<f64> {
    let sagemaker = &session.clients.sagemaker;
    let described = sagemaker.describe_endpoint().endpoint_name(endpoint).send().await.ok()?;
    let config = sagemaker.describe_endpoint_config().endpoint_config_name(described.endpoint_config_name?);
    let config = config.send().await.ok()?;
    let variants = config.production_variants.unwrap_or_default();
    let prices = variants.iter().map(|variant| {
        let instances = f64::from(variant.initial_instance_count.unwrap_or(1));
        Some(cost::hosting_usd_per_hour(variant.instance_type.as_ref()?.as_str())? * instances)
    });
    prices.sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_told_in_days_once_there_are_two() {
        for (hours, words) in [(0, ""), (1, ", for 1 hour"), (47, ", for 47 hours"), (12 * 24 + 3, ", for 12 days")] {
            assert_eq!(age(Duration::from_secs(hours * 3600)), words);
        }
    }
}
