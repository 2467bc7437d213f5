//! What a training job's metric definitions find in its log.

use fancy_regex::Regex;

use super::job::Metric;
use crate::ApiError;
use crate::clock::Timestamp;

/// A job's metric definitions, and the last value of each.
#[derive(Debug, Default)]
pub(super) struct Metrics {
    definitions: Vec<(String, Regex)>,
    last: Vec<Metric>,
}

impl Metrics {
    /// From names and regular expressions, each with one group around the number.
    ///
    /// # Errors
    /// `ValidationException` for an expression that cannot be read.
    pub(super) fn new<'a>(definitions: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, ApiError> {
        let compile = |(name, regex): (&str, &str)| match Regex::new(regex) {
            Ok(compiled) => Ok((name.to_owned(), compiled)),
            Err(error) => {
                Err(ApiError::validation(format!("Invalid regex '{regex}' of the metric definition '{name}': {error}")))
            }
        };
        Ok(Self { definitions: definitions.into_iter().map(compile).collect::<Result<_, _>>()?, last: Vec::new() })
    }

    /// Takes a line of the log.
    pub(super) fn observe(&mut self, time: Timestamp, line: &str) {
        for (name, regex) in &self.definitions {
            // A match that is given up for being too costly, or that is no number, is none.
            let values = regex.captures_iter(line).filter_map(|found| found.ok()?.get(1)?.as_str().parse().ok());
            if let Some(value) = values.last() {
                self.last.retain(|metric| metric.name != *name);
                self.last.push(Metric { name: name.clone(), value, time });
            }
        }
    }

    /// The last value of each metric that was seen, in the order of the definitions.
    pub(super) fn finals(mut self) -> Vec<Metric> {
        let position = |metric: &Metric| self.definitions.iter().position(|(name, _)| *name == metric.name);
        self.last.sort_by_key(position);
        self.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_value_counts() {
        let mut metrics =
            Metrics::new([("loss", r"loss=([0-9.]+)"), ("accuracy", r"acc: ([0-9.e-]+)(?=%)"), ("never", "x(y)")])
                .unwrap();
        metrics.observe(Timestamp(1), "acc: 71.5% loss=0.9");
        metrics.observe(Timestamp(2), "loss=0.5 loss=0.25");
        metrics.observe(Timestamp(3), "loss=.");
        let metric = |name: &str, value, time| Metric { name: name.to_owned(), value, time: Timestamp(time) };
        assert_eq!(metrics.finals(), [metric("loss", 0.25, 2), metric("accuracy", 71.5, 1)]);
    }

    #[test]
    fn a_broken_expression_is_named() {
        let error = Metrics::new([("loss", "(")]).unwrap_err();
        assert!(error.message.contains("'loss'"), "{error}");
    }
}
