//! The cases, a file for each kind of resource or service.

mod cloudwatch;
mod endpoints;
mod executions;
mod iam;
mod jobs;
mod logs;
mod model_packages;
mod models;
mod monitoring;
mod pipelines;
mod quotas;
mod s3;
mod sts;
mod tags;
mod transforms;
mod tunings;
mod unserved;

use crate::Case;

/// All cases, in the order of their names.
#[must_use]
pub fn cases() -> Vec<Case> {
    let all = [
        cloudwatch::CASES,
        endpoints::CASES,
        executions::CASES,
        iam::CASES,
        jobs::CASES,
        logs::CASES,
        model_packages::CASES,
        models::CASES,
        monitoring::CASES,
        pipelines::CASES,
        quotas::CASES,
        s3::CASES,
        sts::CASES,
        tags::CASES,
        transforms::CASES,
        tunings::CASES,
        unserved::CASES,
    ];
    let mut cases = all.concat();
    cases.sort_by_key(|case| case.name);
    cases
}
