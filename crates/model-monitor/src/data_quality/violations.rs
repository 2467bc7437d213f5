//! Which columns do not hold to their constraints: `constraint_violations.json`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::constraints::{Constraints, DistributionConstraints, FeatureConstraints, Method, MonitoringConfig, Switch};
use super::sketch::robust;
use super::statistics::{Category, Feature, InferredType, Statistics};
use crate::json::{self, java_double};
use crate::violations::exit_message;

/// All violations of a job.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Violations {
    /// Of the columns in their order, then of the columns as a whole.
    pub violations: Vec<Violation>,
}

/// A column that does not hold to a constraint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Violation {
    /// Its name.
    pub feature_name: String,
    /// `data_type_check`, `completeness_check`, `categorical_values_check`, `baseline_drift_check`,
    /// `missing_column_check` or `extra_column_check`.
    pub constraint_check_type: String,
    /// What is otherwise, in a sentence.
    pub description: String,
}

impl Violations {
    /// Compares columns with their constraints, and with the statistics that these were made from. Without them nothing
    /// is said of drift.
    #[must_use]
    pub fn find(statistics: &Statistics, constraints: &Constraints, baseline: Option<&Statistics>) -> Self {
        let config = &constraints.monitoring_config;
        let mut violations = Vec::new();
        for constraint in &constraints.features {
            let Some(feature) = statistics.feature(&constraint.name).filter(|_| constraint.is_checked(config)) else {
                continue;
            };
            let found = [
                data_type(feature, constraint, config).map(|text| ("data_type_check", text)),
                completeness(feature, constraint).map(|text| ("completeness_check", text)),
                domain(feature, constraint, config).map(|text| ("categorical_values_check", text)),
                baseline
                    .and_then(|baseline| {
                        drift(feature, baseline.feature(&feature.name)?, &config.distribution_constraints)
                    })
                    .map(|text| ("baseline_drift_check", text)),
            ];
            violations
                .extend(found.into_iter().flatten().map(|(check, text)| violation(&constraint.name, check, text)));
        }
        if config.evaluate_constraints == Switch::Enabled {
            violations.extend(columns(statistics, constraints));
        }
        Self { violations }
    }

    /// `constraint_violations.json`.
    #[must_use]
    pub fn to_json(&self) -> String {
        json::document(self)
    }

    /// The job's exit message. What it begins with becomes the status of the monitor's execution.
    #[must_use]
    pub fn exit_message(&self) -> String {
        exit_message(self.violations.len())
    }
}

fn violation(name: &str, check: &str, description: String) -> Violation {
    Violation { feature_name: name.to_owned(), constraint_check_type: check.to_owned(), description }
}

fn percent(share: f64) -> String {
    format!("{}%", java_double(100.0 * share))
}

fn data_type(feature: &Feature, constraint: &FeatureConstraints, config: &MonitoringConfig) -> Option<String> {
    let (expected, threshold) = (constraint.inferred_type, config.datatype_check_threshold);
    let share = feature.types.share(expected);
    (share < threshold).then(|| {
        format!(
            "Data type match requirement is not met. Expected data type: {0}, Expected match: {1}. Observed: Only {2} of data is {0}.",
            expected.name(),
            percent(threshold),
            percent(share)
        )
    })
}

/// The words of this check and the next are inferred.
fn completeness(feature: &Feature, constraint: &FeatureConstraints) -> Option<String> {
    let (expected, observed) = (constraint.completeness, feature.completeness());
    (observed < expected).then(|| {
        format!(
            "Data completeness requirement is not met. Expected completeness: {}. Observed completeness: {}",
            java_double(expected),
            java_double(observed)
        )
    })
}

fn domain(feature: &Feature, constraint: &FeatureConstraints, config: &MonitoringConfig) -> Option<String> {
    let domains = &constraint.string_constraints.as_ref().filter(|text| !text.domains.is_empty())?.domains;
    let present = feature.common().num_present;
    if present == 0 || feature.inferred_type != InferredType::String {
        return None;
    }
    // Of more values than are kept apart, hardly any can be of the domain.
    let known = feature.categories().unwrap_or_default().iter().filter(|category| domains.contains(&category.value));
    let share = known.map(|category| category.count).sum::<u64>() as f64 / present as f64;
    (share < config.domain_content_threshold).then(|| {
        format!(
            "Categorical values requirement is not met. Expected match: {}. Observed: Only {} of values are in the domain.",
            percent(config.domain_content_threshold),
            percent(share)
        )
    })
}

fn drift(feature: &Feature, baseline: &Feature, config: &DistributionConstraints) -> Option<String> {
    let Drift { distance, threshold } = Drift::of(feature, baseline, config)?;
    (distance > threshold).then(|| {
        format!("Baseline drift distance: {} exceeds threshold: {}", java_double(distance), java_double(threshold))
    })
}

/// How far a column is from the baseline's, and how far it may be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Drift {
    pub distance: f64,
    threshold: f64,
}

impl Drift {
    /// Nothing where the two are not compared, or cannot be.
    pub(super) fn of(feature: &Feature, baseline: &Feature, config: &DistributionConstraints) -> Option<Self> {
        if config.perform_comparison == Switch::Disabled {
            return None;
        }
        let (distance, threshold) = match (feature.sketch(), baseline.sketch()) {
            (Some(ours), Some(theirs)) => (ours.distance(theirs), config.comparison_threshold),
            _ => {
                let threshold = config.categorical_comparison_threshold.unwrap_or(config.comparison_threshold);
                (between(feature.categories()?, baseline.categories()?), threshold)
            }
        };
        let (size, other) = (feature.common().num_present, baseline.common().num_present);
        let distance =
            if config.comparison_method == Method::Robust { robust(distance, size, other) } else { distance };
        Some(Self { distance, threshold })
    }
}

/// The largest difference of a value's shares.
fn between(ours: &[Category], theirs: &[Category]) -> f64 {
    let shares = |categories: &[Category]| {
        let all = categories.iter().map(|category| category.count).sum::<u64>().max(1) as f64;
        categories
            .iter()
            .map(|category| (category.value.clone(), category.count as f64 / all))
            .collect::<BTreeMap<_, _>>()
    };
    let (ours, theirs) = (shares(ours), shares(theirs));
    let share = |of: &BTreeMap<String, f64>, value: &String| of.get(value).copied().unwrap_or_default();
    ours.keys()
        .chain(theirs.keys())
        .map(|value| (share(&ours, value) - share(&theirs, value)).abs())
        .fold(0.0, f64::max)
}

/// The first words of these sentences are inferred.
fn columns(statistics: &Statistics, constraints: &Constraints) -> Vec<Violation> {
    let is_missing = |constraint: &FeatureConstraints| statistics.feature(&constraint.name).is_none();
    let is_extra = |feature: &Feature| !constraints.features.iter().any(|known| known.name == feature.name);
    let counts = format!(
        "current dataset: {}, Number of columns in baseline constraints: {}",
        statistics.features.len(),
        constraints.features.len()
    );
    let said = |kind: &str| format!("There are {kind} columns in current dataset. Number of columns in {counts}");
    let missing = constraints.features.iter().any(is_missing);
    let extra = statistics.features.iter().any(is_extra);
    let found = [
        missing.then(|| violation("Missing columns", "missing_column_check", said("missing"))),
        extra.then(|| violation("Extra columns", "extra_column_check", said("extra"))),
    ];
    found.into_iter().flatten().collect()
}
