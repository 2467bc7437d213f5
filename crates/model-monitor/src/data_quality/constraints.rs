//! What the columns of a data set must hold to: `constraints.json`.

use serde::{Deserialize, Serialize};

use super::statistics::{Feature, InferredType, Statistics};
use crate::json;

/// The document.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Constraints {
    /// Of the format.
    #[serde(default)]
    pub version: f64,
    /// Of the columns, in their order.
    pub features: Vec<FeatureConstraints>,
    /// Which checks there are, and how strict.
    #[serde(default)]
    pub monitoring_config: MonitoringConfig,
}

/// What a column must hold to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FeatureConstraints {
    /// The column's name.
    pub name: String,
    /// The type that its values must have.
    pub inferred_type: InferredType,
    /// The least share of rows that must have a value.
    pub completeness: f64,
    /// Of numbers. The monitor suggests these and checks none of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub num_constraints: Option<NumConstraints>,
    /// Of text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub string_constraints: Option<StringConstraints>,
    /// What is otherwise than in the document's own configuration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub monitoring_config_overrides: Option<Overrides>,
}

/// Of numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct NumConstraints {
    /// Whether none is below zero.
    pub is_non_negative: bool,
}

/// Of text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StringConstraints {
    /// The values that there may be, where there are few.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub domains: Vec<String>,
    /// The SDK for Python writes them here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub monitoring_config_overrides: Option<Overrides>,
}

/// What is otherwise for one column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overrides {
    /// Whether the column is checked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evaluate_constraints: Option<Switch>,
    /// Whether metrics of it are published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub emit_metrics: Option<Switch>,
}

/// On or off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Switch {
    Enabled,
    Disabled,
}

/// Which checks there are, and how strict.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct MonitoringConfig {
    /// Whether there are any.
    pub evaluate_constraints: Switch,
    /// Whether metrics are published.
    pub emit_metrics: Switch,
    /// The least share of values that must be of the expected type.
    pub datatype_check_threshold: f64,
    /// The least share of values that must be of the domain.
    pub domain_content_threshold: f64,
    /// How distributions are compared with the baseline's.
    pub distribution_constraints: DistributionConstraints,
}

/// How distributions are compared with the baseline's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct DistributionConstraints {
    /// Whether they are.
    pub perform_comparison: Switch,
    /// The largest distance of numbers.
    pub comparison_threshold: f64,
    /// Whether chance is taken off.
    pub comparison_method: Method,
    /// The largest distance of text; that of numbers if it is not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub categorical_comparison_threshold: Option<f64>,
    /// How far text is from the baseline's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub categorical_drift_method: Option<CategoricalMethod>,
}

/// How a distance is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Method {
    /// As it is.
    Simple,
    /// Less what chance makes of it.
    Robust,
}

/// How far text is from the baseline's. The monitor's `ChiSquared` is not computed, and not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum CategoricalMethod {
    /// The largest difference of a value's shares.
    LInfinity,
}

impl Default for MonitoringConfig {
    fn default() -> Self {
        Self {
            evaluate_constraints: Switch::Enabled,
            emit_metrics: Switch::Enabled,
            datatype_check_threshold: 1.0,
            domain_content_threshold: 1.0,
            distribution_constraints: DistributionConstraints::default(),
        }
    }
}

impl Default for DistributionConstraints {
    fn default() -> Self {
        Self {
            perform_comparison: Switch::Enabled,
            comparison_threshold: 0.1,
            comparison_method: Method::Robust,
            categorical_comparison_threshold: Some(0.1),
            categorical_drift_method: Some(CategoricalMethod::LInfinity),
        }
    }
}

impl Constraints {
    /// What AWS suggests for a baseline.
    #[must_use]
    pub fn suggest(baseline: &Statistics) -> Self {
        let of = |feature: &Feature| {
            let is_non_negative = feature.numerical_statistics.as_ref().map(|numerical| numerical.min >= 0.0);
            let domains = || feature.categories().unwrap_or_default().iter().map(|category| category.value.clone());
            let is_text = feature.inferred_type == InferredType::String;
            FeatureConstraints {
                name: feature.name.clone(),
                inferred_type: feature.inferred_type,
                completeness: feature.completeness(),
                num_constraints: is_non_negative.map(|is_non_negative| NumConstraints { is_non_negative }),
                string_constraints: is_text
                    .then(|| StringConstraints { domains: domains().collect(), monitoring_config_overrides: None }),
                monitoring_config_overrides: None,
            }
        };
        Self {
            version: 0.0,
            features: baseline.features.iter().map(of).collect(),
            monitoring_config: MonitoringConfig::default(),
        }
    }

    /// The names of the columns, in their order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.features.iter().map(|feature| feature.name.as_str())
    }

    /// `constraints.json`.
    #[must_use]
    pub fn to_json(&self) -> String {
        json::document(self)
    }

    /// Reads `constraints.json`. Members that are not known do not matter.
    ///
    /// # Errors
    /// It is no such document.
    pub fn read(text: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(text)
    }
}

impl FeatureConstraints {
    /// Whether the column is checked.
    #[must_use]
    pub fn is_checked(&self, config: &MonitoringConfig) -> bool {
        let own = self.overrides().and_then(|overrides| overrides.evaluate_constraints);
        own.unwrap_or(config.evaluate_constraints) == Switch::Enabled
    }

    /// Whether metrics of the column are published.
    #[must_use]
    pub fn is_published(&self, config: &MonitoringConfig) -> bool {
        let own = self.overrides().and_then(|overrides| overrides.emit_metrics);
        own.unwrap_or(config.emit_metrics) == Switch::Enabled
    }

    fn overrides(&self) -> Option<Overrides> {
        let inside = self.string_constraints.as_ref().and_then(|text| text.monitoring_config_overrides);
        self.monitoring_config_overrides.or(inside)
    }
}
