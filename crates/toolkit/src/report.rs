//! What came of an execution: the steps, the model's metrics, the registered package.

use std::fmt;

use serde::Serialize;
use serde_json::Value;

use crate::execution::{Execution, StepResult, id};

/// The report on an execution that has ended.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// The execution and its steps.
    #[serde(flatten)]
    pub execution: Execution,
    /// The input, as a URI.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input: Option<String>,
    /// What `preprocess` said of the rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows: Option<String>,
    /// What the program of the step that failed said at its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_words: Option<String>,
    /// What the evaluation found, if it came to that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metrics: Option<Metrics>,
    /// The package that was registered, if it came to that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model_package: Option<ModelPackage>,
}

/// The figures of `evaluation.json` that decide.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Metrics {
    /// The share of wrong labels: what the gate compares with `MseThreshold`.
    pub mse: f64,
    /// The same of the best constant prediction: what the gate wants to be beaten.
    pub mse_best_constant_classifier: f64,
    /// The threshold of this execution.
    pub mse_threshold: Option<f64>,
    /// The share of right labels.
    pub accuracy: f64,
    /// Of the positive class.
    pub f1: f64,
    /// The area under the ROC curve.
    pub auc: f64,
}

/// A registered model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ModelPackage {
    /// `arn:aws:sagemaker:REGION:ACCOUNT:model-package/GROUP/VERSION`.
    pub arn: String,
    /// `Approved`, `PendingManualApproval`, `Rejected`.
    pub approval_status: String,
}

impl Metrics {
    /// Reads an `evaluation.json`; nothing if it lacks what the report shows.
    #[must_use]
    pub fn read(evaluation: &Value, mse_threshold: Option<f64>) -> Option<Self> {
        let value = |group: &str, name: &str| evaluation[group][name]["value"].as_f64();
        Some(Self {
            mse: value("regression_metrics", "mse")?,
            mse_best_constant_classifier: value("regression_metrics", "mse_best_constant_classifier")?,
            mse_threshold,
            accuracy: value("binary_classification_metrics", "accuracy")?,
            f1: value("binary_classification_metrics", "f1")?,
            auc: value("binary_classification_metrics", "auc")?,
        })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "execution  {}", self.execution.arn)?;
        if let Some(version) = self.execution.version {
            writeln!(f, "version    {version} of the pipeline")?;
        }
        writeln!(f, "status     {}", self.execution.status)?;
        if let Some(reason) = &self.execution.failure_reason {
            writeln!(f, "reason     {reason}")?;
        }
        if let Some(input) = &self.input {
            writeln!(f, "input      {input}")?;
        }
        if let Some(rows) = &self.rows {
            writeln!(f, "rows       {rows}")?;
        }
        writeln!(f, "steps")?;
        for step in &self.execution.steps {
            let seconds = step.seconds().map(|seconds| format!("{seconds:.1} s")).unwrap_or_default();
            let decided = match &step.result {
                Some(StepResult::Condition(outcome)) => Some(outcome.clone()),
                _ => None,
            };
            let cached = step.cached_from.as_deref().map(|source| format!("cached from {}", id(source)));
            let taken = step.taken_from.as_deref().map(|source| format!("taken from {}", id(source)));
            let outcome = [decided, cached, taken].into_iter().flatten().collect::<Vec<_>>().join(", ");
            let line = format!("  {:<22} {:<10} {seconds:>7}  {outcome}", step.name, step.status);
            writeln!(f, "{}", line.trim_end())?;
            if let Some(reason) = &step.failure_reason {
                writeln!(f, "    {}", reason.replace('\n', "\n    "))?;
            }
        }
        if let Some(words) = &self.last_words {
            writeln!(f, "it said    {words}")?;
        }
        if let Some(metrics) = self.metrics {
            writeln!(f, "metrics    on the test part")?;
            let threshold = metrics.mse_threshold.map(|it| format!(", at most {it} wanted")).unwrap_or_default();
            writeln!(
                f,
                "  MSE        {:.4}  (a constant prediction has {:.4}{threshold})",
                metrics.mse, metrics.mse_best_constant_classifier
            )?;
            writeln!(f, "  accuracy   {:.4}", metrics.accuracy)?;
            writeln!(f, "  F1         {:.4}", metrics.f1)?;
            writeln!(f, "  AUC        {:.4}", metrics.auc)?;
        }
        match &self.model_package {
            Some(package) => writeln!(f, "package    {} ({})", package.arn, package.approval_status),
            None => writeln!(f, "package    none was registered"),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn reads_the_figures_that_decide() {
        let evaluation = json!({
            "regression_metrics": {"mse": {"value": 0.25}, "mse_best_constant_classifier": {"value": 0.33}},
            "binary_classification_metrics": {"accuracy": {"value": 0.75}, "f1": {"value": 0.8}, "auc": {"value": 0.7}},
        });
        let metrics = Metrics::read(&evaluation, Some(0.3)).unwrap();
        assert_eq!((metrics.mse, metrics.mse_best_constant_classifier, metrics.auc), (0.25, 0.33, 0.7));
        assert_eq!(Metrics::read(&json!({}), None), None);
    }
}
