//! The ranges of hyperparameters, as positions from 0 to 1: what is drawn evenly there is drawn as the scaling type says.

use serde_json::Value;

/// The ranges of a definition, by the names of their hyperparameters.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Ranges(Vec<(String, Range)>);

/// What a hyperparameter may be.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Range {
    /// A whole number, from the first to the last.
    Integer(f64, f64, Scale),
    /// A number, from the first to the last.
    Continuous(f64, f64, Scale),
    /// One of these.
    Categorical(Vec<String>),
}

/// How a range of numbers is searched. `Auto` is taken for `Linear`: by what SageMaker chooses is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scale {
    Linear,
    Logarithmic,
    ReverseLogarithmic,
}

impl Scale {
    /// Where a value is on the scale.
    fn of(self, value: f64) -> f64 {
        match self {
            Self::Linear => value,
            Self::Logarithmic => value.ln(),
            Self::ReverseLogarithmic => -(1.0 - value).ln(),
        }
    }

    /// The value that is there.
    fn value(self, place: f64) -> f64 {
        match self {
            Self::Linear => place,
            Self::Logarithmic => place.exp(),
            Self::ReverseLogarithmic => 1.0 - (-place).exp(),
        }
    }
}

impl Ranges {
    /// Reads `ParameterRanges`. The error is a sentence.
    pub(crate) fn read(ranges: &Value) -> Result<Self, String> {
        let list = |member: &str| ranges[member].as_array().into_iter().flatten();
        if list("AutoParameters").next().is_some() {
            return Err("This fake chooses no ranges: leave AutoParameters out.".to_owned());
        }
        let mut read = Vec::new();
        for range in list("IntegerParameterRanges") {
            read.push((name(range), Range::of_numbers(range, true)?));
        }
        for range in list("ContinuousParameterRanges") {
            read.push((name(range), Range::of_numbers(range, false)?));
        }
        for range in list("CategoricalParameterRanges") {
            let values = range["Values"].as_array().into_iter().flatten();
            read.push((name(range), Range::Categorical(values.filter_map(Value::as_str).map(str::to_owned).collect())));
        }
        if read.is_empty() {
            return Err("There is no hyperparameter to tune: ParameterRanges has no range.".to_owned());
        }
        Ok(Self(read))
    }

    /// The hyperparameters.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// Their ranges.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &(String, Range)> {
        self.0.iter()
    }

    /// How many combinations there are, if there are categories alone.
    pub(crate) fn combinations(&self) -> Option<usize> {
        let count = |(_, range): &(String, Range)| match range {
            Range::Categorical(values) => Some(values.len()),
            _ => None,
        };
        self.0.iter().map(count).product()
    }
}

fn name(range: &Value) -> String {
    range["Name"].as_str().unwrap_or_default().to_owned()
}

impl Range {
    fn of_numbers(range: &Value, whole: bool) -> Result<Self, String> {
        let name = name(range);
        let bound = |member: &str| {
            let text = range[member].as_str().unwrap_or_default();
            let value =
                text.trim().parse::<f64>().ok().filter(|value| value.is_finite() && (!whole || value.fract() == 0.0));
            value.ok_or_else(|| {
                let kind = if whole { "whole number" } else { "number" };
                format!("The {member} of the hyperparameter '{name}' is '{text}', which is no {kind}.")
            })
        };
        let (least, most) = (bound("MinValue")?, bound("MaxValue")?);
        if least > most {
            return Err(format!("The MinValue of the hyperparameter '{name}' is greater than its MaxValue."));
        }
        let scale = match range["ScalingType"].as_str() {
            Some("Logarithmic") if least <= 0.0 => {
                return Err(format!("The scaling type Logarithmic of '{name}' needs values greater than 0."));
            }
            Some("ReverseLogarithmic") if whole || least < 0.0 || most >= 1.0 => {
                return Err(format!(
                    "The scaling type ReverseLogarithmic of '{name}' needs a continuous range from 0 to below 1."
                ));
            }
            Some("Logarithmic") => Scale::Logarithmic,
            Some("ReverseLogarithmic") => Scale::ReverseLogarithmic,
            _ => Scale::Linear,
        };
        Ok(if whole { Self::Integer(least, most, scale) } else { Self::Continuous(least, most, scale) })
    }

    /// The value at a position, from 0 to below 1.
    pub(crate) fn at(&self, position: f64) -> String {
        let between = |least: f64, most: f64, scale: Scale| {
            let (from, to) = (scale.of(least), scale.of(most));
            scale.value(from + position * (to - from))
        };
        match self {
            // Each whole number has as much room as any other, whichever bound it is at.
            Self::Integer(least, most, scale) => {
                let value = match scale {
                    Scale::Logarithmic => between(*least, most + 1.0, *scale),
                    _ => between(*least, most + 1.0, Scale::Linear),
                };
                value.floor().clamp(*least, *most).to_string()
            }
            Self::Continuous(least, most, scale) => between(*least, *most, *scale).clamp(*least, *most).to_string(),
            Self::Categorical(values) => {
                let index = (position * values.len() as f64) as usize;
                values.get(index.min(values.len().saturating_sub(1))).cloned().unwrap_or_default()
            }
        }
    }

    /// About where a value is, from 0 to 1.
    pub(crate) fn position(&self, value: &str) -> f64 {
        let place = |least: f64, most: f64, scale: Scale| {
            let (from, to) = (scale.of(least), scale.of(most));
            let at = value.parse().map_or(from, |value| scale.of(value));
            if to > from { ((at - from) / (to - from)).clamp(0.0, 1.0) } else { 0.0 }
        };
        match self {
            Self::Integer(least, most, scale) | Self::Continuous(least, most, scale) => place(*least, *most, *scale),
            Self::Categorical(values) => {
                let index = values.iter().position(|own| own == value).unwrap_or_default();
                (index as f64 + 0.5) / values.len() as f64
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn number(whole: bool, least: &str, most: &str, scaling: &str) -> Result<Range, String> {
        Range::of_numbers(&json!({"Name": "p", "MinValue": least, "MaxValue": most, "ScalingType": scaling}), whole)
    }

    #[test]
    fn positions_are_values() {
        fn check(range: &Range, position: f64, expected: &str) {
            assert_eq!(range.at(position), expected, "{range:?} {position}");
        }
        let integer = number(true, "1", "4", "Auto").unwrap();
        for (position, expected) in [(0.0, "1"), (0.24, "1"), (0.26, "2"), (0.999, "4")] {
            check(&integer, position, expected);
        }
        let linear = number(false, "-1", "1", "Linear").unwrap();
        check(&linear, 0.75, "0.5");
        let logarithmic = number(false, "0.01", "1", "Logarithmic").unwrap();
        assert!((logarithmic.at(0.5).parse::<f64>().unwrap() - 0.1).abs() < 1e-12);
        let reverse = number(false, "0", "0.99", "ReverseLogarithmic").unwrap();
        assert!((reverse.at(0.5).parse::<f64>().unwrap() - 0.9).abs() < 1e-12);
        let categories = Range::Categorical(vec!["a".to_owned(), "b".to_owned()]);
        check(&categories, 0.49, "a");
        check(&categories, 0.5, "b");
        for range in [linear, logarithmic, reverse] {
            assert!((range.position(&range.at(0.3)) - 0.3).abs() < 1e-9, "{range:?}");
        }
        assert_eq!(categories.position("b"), 0.75);
    }

    #[test]
    fn ranges_that_are_none() {
        fn check(range: Result<Range, String>, said: &str) {
            let refused = range.unwrap_err();
            assert!(refused.contains(said), "{refused}");
        }
        check(number(true, "1.5", "2", "Auto"), "'1.5', which is no whole number");
        check(number(false, "x", "2", "Auto"), "'x', which is no number");
        check(number(false, "3", "2", "Auto"), "greater than its MaxValue");
        check(number(false, "0", "2", "Logarithmic"), "greater than 0");
        check(number(false, "0", "1", "ReverseLogarithmic"), "from 0 to below 1");
        assert!(Ranges::read(&json!({})).unwrap_err().contains("no hyperparameter to tune"));
    }
}
