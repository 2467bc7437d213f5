//! What a run costs at list price: an estimate for the plan, not a bill.

use serde::Serialize;

use crate::output::many;

/// When the prices below were looked up.
pub const PRICES_AS_OF: &str = "2026-01";

/// The region whose list prices these are.
pub const PRICES_REGION: &str = "us-east-1";

/// US dollars an hour and instance for processing and training, Linux, on demand. Other regions differ, mostly upwards.
const USD_PER_HOUR: &[(&str, f64)] = &[
    ("ml.t3.medium", 0.05),
    ("ml.t3.large", 0.10),
    ("ml.t3.xlarge", 0.20),
    ("ml.t3.2xlarge", 0.399),
    ("ml.m5.large", 0.115),
    ("ml.m5.xlarge", 0.23),
    ("ml.m5.2xlarge", 0.461),
    ("ml.m5.4xlarge", 0.922),
    ("ml.c5.xlarge", 0.204),
    ("ml.c5.2xlarge", 0.408),
];

/// US dollars an hour of one instance behind an endpoint. For these types hosting costs what processing does.
#[must_use]
pub fn hosting_usd_per_hour(instance_type: &str) -> Option<f64> {
    USD_PER_HOUR.iter().find(|(known, _)| *known == instance_type).map(|(_, usd)| *usd)
}

/// What a job is billed for at least in practice: it is seconds of work, and minutes of start and transfer.
const MINUTES_PER_JOB: f64 = 4.0;

/// The estimate for the jobs of one run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Estimate {
    /// The jobs, by the instances they take.
    pub jobs: Vec<JobCost>,
    /// US dollars, if every instance type has a known price.
    pub total_usd: Option<f64>,
    /// The region of the prices.
    pub prices_region: &'static str,
    /// The date of the prices.
    pub prices_as_of: &'static str,
}

/// What one job costs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct JobCost {
    /// The step of the pipeline.
    pub step: String,
    /// E.g. `ml.m5.xlarge`.
    pub instance_type: String,
    /// How many of them.
    pub instances: u32,
    /// Billed minutes, estimated.
    pub minutes: f64,
    /// US dollars, if the price is known.
    pub usd: Option<f64>,
}

/// Estimates the cost of jobs given as (step, instance type, number of instances).
#[must_use]
pub fn estimate(jobs: &[(&str, String, u32)]) -> Estimate {
    let jobs: Vec<_> = jobs
        .iter()
        .map(|(step, instance_type, instances)| {
            let price = USD_PER_HOUR.iter().find(|(known, _)| known == instance_type).map(|(_, price)| price);
            JobCost {
                step: (*step).to_owned(),
                instance_type: instance_type.clone(),
                instances: *instances,
                minutes: MINUTES_PER_JOB,
                usd: price.map(|price| price * f64::from(*instances) * MINUTES_PER_JOB / 60.0),
            }
        })
        .collect();
    let total_usd = jobs.iter().map(|job| job.usd).sum();
    Estimate { jobs, total_usd, prices_region: PRICES_REGION, prices_as_of: PRICES_AS_OF }
}

impl std::fmt::Display for Estimate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.jobs.is_empty() {
            return f.write_str("no job runs");
        }
        let instances: u32 = self.jobs.iter().map(|job| job.instances).sum();
        let (jobs, instances) = (many(self.jobs.len(), "job"), many(instances as usize, "instance"));
        write!(f, "{jobs} on {instances}, about {MINUTES_PER_JOB} billed minutes each: ")?;
        match self.total_usd {
            Some(usd) => write!(f, "${usd:.2} a run")?,
            None => {
                let unknown = self.jobs.iter().find(|job| job.usd.is_none()).map_or("", |job| &job.instance_type);
                write!(f, "no list price known for {unknown}")?;
            }
        }
        write!(f, " (list price of {PRICES_REGION}, {PRICES_AS_OF}; other regions differ)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adds_up_what_is_known() {
        let known = estimate(&[("A", "ml.m5.xlarge".into(), 2), ("B", "ml.m5.large".into(), 1)]);
        // 4 minutes of 2 x 0.23 and 1 x 0.115 dollars an hour.
        assert!((known.total_usd.unwrap() - 0.575 * 4.0 / 60.0).abs() < 1e-12);
        assert_eq!(
            known.to_string(),
            "2 jobs on 3 instances, about 4 billed minutes each: $0.04 a run (list price of us-east-1, 2026-01; other regions differ)"
        );
    }

    #[test]
    fn counts_in_words_that_agree() {
        assert!(estimate(&[("A", "ml.m5.large".into(), 1)]).to_string().starts_with("1 job on 1 instance, about 4 "));
        assert_eq!(estimate(&[]).to_string(), "no job runs");
    }

    #[test]
    fn says_which_price_is_unknown() {
        let unknown = estimate(&[("A", "ml.m5.xlarge".into(), 1), ("B", "ml.p99.large".into(), 1)]);
        assert_eq!(unknown.total_usd, None);
        assert!(unknown.to_string().contains("no list price known for ml.p99.large"));
    }
}
