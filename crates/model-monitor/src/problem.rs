//! The kinds of models that can be monitored, by AWS's names.

use std::{fmt, str::FromStr};

/// What a model predicts: a job's `problem_type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Problem {
    /// A number.
    Regression,
    /// One of two labels.
    BinaryClassification,
    /// One of several labels.
    MulticlassClassification,
}

/// Not a `problem_type`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no problem type: known are Regression, BinaryClassification and MulticlassClassification")]
pub struct UnknownProblem(pub String);

impl Problem {
    pub(crate) const ALL: [Self; 3] = [Self::Regression, Self::BinaryClassification, Self::MulticlassClassification];

    /// Its name, as a job has it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Regression => "Regression",
            Self::BinaryClassification => "BinaryClassification",
            Self::MulticlassClassification => "MulticlassClassification",
        }
    }

    /// The member of `statistics.json` that has the metrics.
    #[must_use]
    pub fn metrics_member(self) -> &'static str {
        match self {
            Self::Regression => "regression_metrics",
            Self::BinaryClassification => "binary_classification_metrics",
            Self::MulticlassClassification => "multiclass_classification_metrics",
        }
    }

    /// The member of `constraints.json` that has the constraints.
    #[must_use]
    pub fn constraints_member(self) -> &'static str {
        match self {
            Self::Regression => "regression_constraints",
            Self::BinaryClassification => "binary_classification_constraints",
            Self::MulticlassClassification => "multiclass_classification_constraints",
        }
    }
}

impl FromStr for Problem {
    type Err = UnknownProblem;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|own| own.name() == name).ok_or_else(|| UnknownProblem(name.to_owned()))
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_go_by_their_names() {
        for problem in Problem::ALL {
            assert_eq!(problem.to_string().parse(), Ok(problem));
        }
        let error = "Clustering".parse::<Problem>().unwrap_err().to_string();
        assert!(error.starts_with("\"Clustering\" is no problem type: known are Regression, "), "{error}");
    }
}
