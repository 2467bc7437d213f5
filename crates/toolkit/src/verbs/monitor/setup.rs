//! `monitor setup`: what is normal, with how much margin, and a look at it every hour.

use std::io::Cursor;

use aws_smithy_async::rt::sleep::{AsyncSleep, TokioSleep};
use iam_policy::generate::{self, Feature};
use model_monitor::analysis::{Observation, Settings};
use model_monitor::constraints::Constraints;
use model_monitor::problem::Problem;
use model_monitor::tolerance::Deviations;
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::aws::Session;
use crate::cli;
use crate::doctor;
use crate::error::Failure;
use crate::execute::Executor;
use crate::names;
use crate::observe::input::split_uri;
use crate::observe::serving::Package;
use crate::observe::{Seen, monitoring, objects};
use crate::output::Output;
use crate::plan::{
    Action, Content, NewBaselineJob, NewQualityDefinition, NewSchedule, Operation, Plan, Resources, Verdict, When,
};
use crate::site::Site;
use crate::watch::Pace;

/// What the monitor's jobs run on.
const INSTANCE_TYPE: &str = "ml.m5.xlarge";

/// How often a baseline job that failed is tried under another name.
const ATTEMPTS: u8 = 5;

/// Sets the monitor up; with `--dry`, says what that would do.
///
/// # Errors
/// When nothing is served, the region has no Model Monitor, the baseline job fails, or a call is refused.
pub async fn run(session: &Session, output: &Output, arguments: &cli::MonitorSetup) -> Result<(), Failure> {
    let site = &session.site;
    let package = super::super::served(session).await?;
    let image = generate::analyzer_image(&site.region).ok_or_else(|| {
        Failure::operation(format!("SageMaker Model Monitor does not exist in {}", site.region))
            .hint("deploy in a region that has it, e.g. eu-west-1")
    })?;
    let baseline = Baseline::find(session, &package, &image).await?;
    let mut plan = Plan { actions: vec![baseline.action(&package)] };
    if arguments.dry.dry {
        plan.actions.extend(the_rest(session, &baseline, &image, arguments.tolerance, None).await?);
        return output.print(&plan, &plan);
    }
    if !arguments.no_preflight {
        doctor::preflight(session, &[Feature::Monitor]).await?;
    }
    let executor = Executor::of(session);
    let say = |action: &Action| output.note(format_args!("{} {} {}", action.verdict.word(), action.kind, action.name));
    executor.execute(&plan, say).await?;
    baseline.wait(session).await?;
    let constraints = baseline.constraints(session, arguments.tolerance).await?;
    let rest = Plan { actions: the_rest(session, &baseline, &image, arguments.tolerance, Some(&constraints)).await? };
    executor.execute(&rest, say).await?;
    plan.actions.extend(rest.actions);
    let report = Report { schedule: names::schedule(&site.prefix), tolerance: arguments.tolerance, constraints, plan };
    output.print(&report, &report)
}

/// The job that learns what is normal.
struct Baseline {
    name: String,
    /// Whether it is there already.
    is_there: bool,
    /// The CSV file.
    dataset: String,
    image: String,
    on: Resources,
    bucket: String,
    /// The keys of what it writes begin with this.
    key: String,
}

impl Baseline {
    /// The job for a package: named after what it learns from, so that it is found again.
    async fn find(session: &Session, package: &Package, image: &str) -> Result<Self, Failure> {
        const KEY: &str = "BaselineSet";
        let site = &session.site;
        let dataset = package.metadata.get(KEY).cloned().ok_or_else(|| {
            Failure::operation(format!("{} does not say where its baseline set is ({KEY})", package.arn))
                .hint("packages that `cargo xtask run` registers do")
        })?;
        let on = resources(site);
        for attempt in 0..ATTEMPTS {
            let content = [package.arn.as_str(), &dataset, image, &on.role, &attempt.to_string()].join("\n");
            let hash = short_hash(&content);
            let name = names::baseline_job(&site.prefix, &hash);
            let seen = monitoring::job(&session.clients.sagemaker, &name).await?;
            if !matches!(&seen, Some((status, _)) if status == "Failed" || status == "Stopped") {
                let key = format!("{}baseline/{hash}/", names::monitoring(&site.prefix));
                let (is_there, bucket) = (seen.is_some(), site.bucket.clone());
                return Ok(Self { name, is_there, dataset, image: image.to_owned(), on, bucket, key });
            }
        }
        Err(Failure::operation(format!("the baseline job has failed {ATTEMPTS} times"))
            .hint("what it printed: CloudWatch Logs, group /aws/sagemaker/ProcessingJobs"))
    }

    fn action(&self, package: &Package) -> Action {
        if self.is_there {
            return Action::keep("baseline job", &self.name, "it has learnt from this package already");
        }
        let create = Operation::CreateBaselineJob(NewBaselineJob {
            name: self.name.clone(),
            image: self.image.clone(),
            on: self.on.clone(),
            dataset: self.dataset.clone(),
            output: format!("s3://{}/{}", self.bucket, self.key.trim_end_matches('/')),
        });
        let because = format!("what is normal for version {}", package.version);
        Action::new(Verdict::Create, "baseline job", &self.name, because, vec![create])
    }

    async fn wait(&self, session: &Session) -> Result<(), Failure> {
        let pace = if session.offline { Pace::OFFLINE } else { Pace::AWS };
        let sleep = TokioSleep::new();
        loop {
            match monitoring::job(&session.clients.sagemaker, &self.name).await {
                Ok(Some((status, _))) if status == "Completed" => return Ok(()),
                Ok(Some((status, why))) if status == "Failed" || status == "Stopped" => {
                    let why = why.unwrap_or_else(|| "no reason was given".to_owned());
                    return Err(Failure::operation(format!("the baseline job {} is {status}: {why}", self.name)).hint(
                        "what it printed: CloudWatch Logs, group /aws/sagemaker/ProcessingJobs; set up again tries anew",
                    ));
                }
                Ok(_) => {}
                Err(failure) if failure.is_transient() => {}
                Err(failure) => return Err(failure),
            }
            sleep.sleep(pace.every).await;
        }
    }

    /// AWS's suggestion, loosened by so many deviations.
    async fn constraints(&self, session: &Session, tolerance: f64) -> Result<Constraints, Failure> {
        let problem = Problem::BinaryClassification;
        let text = self.object(session, &format!("{}constraints.json", self.key)).await?;
        let suggested = Constraints::read(&text, problem)
            .map_err(|error| Failure::operation("the baseline job wrote no constraints").because(error))?;
        let Some((_, dataset)) = split_uri(&self.dataset) else {
            return Err(Failure::operation(format!("{} is no object", self.dataset)));
        };
        let rows = self.object(session, dataset).await?;
        let rows = String::from_utf8_lossy(&rows);
        let settings = Settings { problem, threshold: None, positive_label: None };
        let deviations = Deviations::of(&observations(&rows), &settings, &suggested);
        Ok(suggested.loosened(&deviations, tolerance))
    }

    async fn object(&self, session: &Session, key: &str) -> Result<Vec<u8>, Failure> {
        let found = objects::read(&session.clients.s3, &self.bucket, key, &session.site.account).await?;
        found.ok_or_else(|| Failure::operation(format!("s3://{}/{key} is not there", self.bucket)))
    }
}

/// The rows of `baseline.csv`: prediction, probability, label.
fn observations(csv: &str) -> Vec<Observation<'_>> {
    let rows = Cursor::new(csv).into_inner().lines().skip(1);
    let row = |line| {
        let mut columns = str::split(line, ',');
        let (prediction, probability, label) = (columns.next()?, columns.next()?, columns.next()?);
        Some(Observation {
            ground_truth: label.into(),
            inference: Some(prediction.into()),
            probability: Some(probability.into()),
        })
    };
    rows.filter_map(row).collect()
}

/// The constraints that are used, the definition, the schedule; and what they replace.
async fn the_rest(
    session: &Session,
    baseline: &Baseline,
    image: &str,
    tolerance: f64,
    constraints: Option<&Constraints>,
) -> Result<Vec<Action>, Failure> {
    let (site, sagemaker) = (&session.site, &session.clients.sagemaker);
    let key = format!("{}tolerance-{tolerance}/constraints.json", baseline.key);
    let uri = format!("s3://{}/{key}", site.bucket);
    let because = format!("AWS's suggestion, loosened by {tolerance} standard deviations");
    let content = constraints.map(|constraints| Content(constraints.to_json().into_bytes()));
    let put = content.map(|content| Operation::PutObject {
        bucket: site.bucket.clone(),
        key,
        bytes: content.0.len(),
        content,
    });
    let mut actions = vec![Action::new(Verdict::Create, "constraints", &uri, because, put.into_iter().collect())];

    let (endpoint, schedule) = (names::endpoint(&site.prefix), names::schedule(&site.prefix));
    let hash = short_hash(&[uri.as_str(), image, &site.role, &endpoint].join("\n"));
    let name = names::quality_definition(&site.prefix, &hash);
    actions.push(if monitoring::has_definition(sagemaker, &name).await? {
        Action::keep("job definition", &name, "it is there already")
    } else {
        let create = Operation::CreateQualityDefinition(NewQualityDefinition {
            name: name.clone(),
            image: image.to_owned(),
            on: resources(site),
            endpoint,
            ground_truth: format!("s3://{}/{}", site.bucket, names::ground_truth(&site.prefix).trim_end_matches('/')),
            constraints: uri,
            output: format!("s3://{}/{}results", site.bucket, names::monitoring(&site.prefix)),
        });
        Action::new(Verdict::Create, "job definition", &name, "prediction and probability against labels", vec![create])
    });
    let hourly = NewSchedule { name: schedule.clone(), definition: name.clone(), when: When::Hourly, tags: Vec::new() };
    match monitoring::schedule(sagemaker, &schedule).await? {
        Seen::Present(seen) if seen.definition == name && seen.status == "Stopped" => {
            let start = Operation::StartSchedule { name: schedule.clone() };
            actions.push(Action::new(Verdict::Start, "schedule", schedule, "it was stopped", vec![start]));
        }
        Seen::Present(seen) if seen.definition == name => {
            actions.push(Action::keep("schedule", schedule, format!("it is {}, every hour", seen.status)));
        }
        Seen::Present(seen) => {
            let update = vec![Operation::UpdateSchedule(hourly)];
            actions.push(Action::new(Verdict::Update, "schedule", schedule, "by the new definition", update));
            if seen.definition.starts_with(&names::quality_definition(&site.prefix, "")) {
                let delete = vec![Operation::DeleteQualityDefinition { name: seen.definition.clone() }];
                let because = "the schedule goes by another";
                actions.push(Action::new(Verdict::Delete, "job definition", seen.definition, because, delete));
            }
        }
        Seen::Absent => {
            let create = vec![Operation::CreateSchedule(NewSchedule { tags: site.tags.clone(), ..hourly })];
            actions.push(Action::new(Verdict::Create, "schedule", schedule, "every full hour", create));
        }
        Seen::Unknown(why) => actions.push(Action::new(Verdict::Unknown, "schedule", schedule, why, Vec::new())),
    }
    Ok(actions)
}

fn resources(site: &Site) -> Resources {
    Resources {
        role: site.role.clone(),
        instance_type: INSTANCE_TYPE.to_owned(),
        kms_key: site.kms_key.clone(),
        network: site.network.clone(),
        tags: site.tags.clone(),
    }
}

fn short_hash(content: &str) -> String {
    format!("{:x}", Sha256::digest(content))[..8].to_owned()
}

/// What the monitor goes by.
#[derive(Debug, Serialize)]
struct Report {
    schedule: String,
    tolerance: f64,
    constraints: Constraints,
    #[serde(flatten)]
    plan: Plan,
}

impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{} looks at every hour once it has ended. It warns when", self.schedule)?;
        for (metric, constraint) in &self.constraints.of {
            let beyond = match constraint.comparison_operator {
                model_monitor::constraints::Operator::LessThanThreshold => "falls below",
                model_monitor::constraints::Operator::GreaterThanThreshold => "rises above",
            };
            writeln!(f, "  {metric:<20} {beyond} {:.4}", constraint.threshold)?;
        }
        write!(f, "(the baseline's values, and {} standard deviations of leeway)", self.tolerance)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_a_baseline_are_read_by_their_columns() {
        let rows = observations("prediction,probability,label\n1,0.9,1\n0,0.2,1\nbroken\n");
        assert_eq!(rows.len(), 2);
        assert_eq!((rows[1].inference.as_deref(), rows[1].probability.as_deref()), (Some("0"), Some("0.2")));
        assert_eq!(rows[1].ground_truth, "1");
    }
}
