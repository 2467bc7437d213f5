//! What is published of each column.

use super::constraints::{Constraints, Switch};
use super::statistics::{Feature, Statistics};
use super::violations::Drift;
use crate::cloudwatch::Measure;

/// The metrics of a job's columns by their names: `feature_data_COLUMN` of numbers, `feature_non_null_COLUMN` (the share
/// of rows that have a value) and, where there are statistics of a baseline, `feature_baseline_drift_COLUMN`. Of columns
/// whose `emit_metrics` is `Disabled` there are none.
#[must_use]
pub fn metrics(
    statistics: &Statistics,
    constraints: &Constraints,
    baseline: Option<&Statistics>,
) -> Vec<(String, Measure)> {
    let config = &constraints.monitoring_config;
    let is_published = |feature: &&Feature| {
        let own = constraints.features.iter().find(|constraint| constraint.name == feature.name);
        own.map_or(config.emit_metrics == Switch::Enabled, |constraint| constraint.is_published(config))
    };
    let of = |feature: &Feature| {
        let name = |kind: &str| format!("feature_{kind}_{}", feature.name);
        let data = feature.numerical_statistics.as_ref().map(|numbers| Measure::StatisticValues {
            sample_count: numbers.common.num_present as f64,
            sum: numbers.sum,
            minimum: numbers.min,
            maximum: numbers.max,
        });
        let drift = baseline.and_then(|baseline| {
            Drift::of(feature, baseline.feature(&feature.name)?, &config.distribution_constraints)
        });
        let found = [
            ("data", data),
            ("non_null", Some(Measure::Value(feature.completeness()))),
            ("baseline_drift", drift.map(|drift| Measure::Value(drift.distance))),
        ];
        found.into_iter().filter_map(|(kind, measure)| Some((name(kind), measure?))).collect::<Vec<_>>()
    };
    statistics.features.iter().filter(is_published).flat_map(of).collect()
}
