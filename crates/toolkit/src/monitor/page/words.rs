//! What numbers and times are called.

use model_monitor::analysis::Settings;
use model_monitor::constraints::{Constraint, Operator};
use time::{OffsetDateTime, UtcOffset, macros::format_description};

use crate::monitor::Hour;

/// `2026-11-26 11:00`, in UTC.
pub fn time(time: OffsetDateTime) -> String {
    let format = format_description!("[year]-[month]-[day] [hour]:[minute]");
    // Fails for years beyond four digits alone.
    time.to_offset(UtcOffset::UTC).format(format).unwrap_or_default()
}

/// `11-26 11:00`, where there is little room.
pub fn short_time(at: OffsetDateTime) -> String {
    time(at).split_once('-').map_or_else(String::new, |(_, rest)| rest.to_owned())
}

/// `2026-11-26 11:00 to 12:00 UTC`.
pub fn window(hour: &Hour) -> String {
    span(hour, hour)
}

/// From where one hour begins to where another ends.
pub fn span(first: &Hour, last: &Hour) -> String {
    let (start, end) = (time(first.start), time(last.end));
    let same_day = start.split_once(' ').zip(end.split_once(' ')).filter(|((day, _), (other, _))| day == other);
    let end = same_day.map_or(end.as_str(), |(_, (_, end))| end);
    format!("{start} to {end} UTC")
}

/// A metric or a threshold.
pub fn figure(value: f64) -> String {
    match value.abs() {
        size if size >= 1e7 => format!("{value:.3e}"),
        size if size >= 100.0 => format!("{value:.1}"),
        _ => format!("{value:.4}"),
    }
}

/// A share of 1 as so many of 100.
pub fn of_hundred(share: f64) -> String {
    format!("{:.1}", 100.0 * share)
}

/// Which values are expected.
pub fn expected(constraint: Constraint) -> String {
    format!("{} {}", bound(constraint.comparison_operator), figure(constraint.threshold))
}

/// On which side of the threshold a value should be.
pub fn bound(operator: Operator) -> &'static str {
    match operator {
        Operator::LessThanThreshold => "at least",
        Operator::GreaterThanThreshold => "at most",
    }
}

/// How documents name a metric, of what violations name it: `truePositiveRate` is `true_positive_rate`.
pub fn in_documents(reported: &str) -> String {
    let mut name = String::new();
    for c in reported.chars() {
        if c.is_ascii_uppercase() {
            name.push('_');
        }
        name.push(c.to_ascii_lowercase());
    }
    name
}

/// A metric's name for people.
pub fn title(metric: &str) -> String {
    match metric {
        "auc" | "mae" | "mse" | "rmse" => metric.to_ascii_uppercase(),
        "r2" => "R\u{b2}".to_owned(),
        "f0_5" | "f1" | "f2" => metric.to_ascii_uppercase().replace('_', "."),
        "weighted_f0_5" | "weighted_f1" | "weighted_f2" => {
            format!("Weighted {}", title(metric.trim_start_matches("weighted_")))
        }
        _ => {
            let text = metric.replace('_', " ");
            let mut letters = text.chars();
            letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
        }
    }
}

/// The positive label.
pub fn positive(settings: &Settings) -> &str {
    settings.positive_label.as_deref().unwrap_or("1")
}

/// What a value means beside its threshold, in a sentence.
pub fn meaning(metric: &str, value: f64, constraint: Constraint, settings: &Settings) -> String {
    let label = positive(settings);
    let share = |of: &str, what: &str| {
        let (bound, threshold) = (bound(constraint.comparison_operator), of_hundred(constraint.threshold));
        format!("Of 100 {of}, {} {what}; {bound} {threshold} should be.", of_hundred(value))
    };
    let labelled = format!("records labelled {label}");
    match metric {
        "recall" | "true_positive_rate" => share(&labelled, "were recognised"),
        "false_negative_rate" => share(&labelled, "were missed"),
        "precision" => share(&format!("records predicted to be {label}"), "were"),
        "accuracy" => share("predictions", "were right"),
        "true_negative_rate" => share("other records", "were recognised as such"),
        "false_positive_rate" => share("other records", &format!("were taken for {label}")),
        "auc" => {
            share(&format!("pairs of a record labelled {label} and another"), "were ranked rightly (by chance, 50)")
        }
        "f0_5" => "The harmonic mean of precision and recall, in which precision counts twice as much.".to_owned(),
        "f1" => "The harmonic mean of precision and recall.".to_owned(),
        "f2" => "The harmonic mean of precision and recall, in which recall counts twice as much.".to_owned(),
        "mae" => "How far predictions were off, on average.".to_owned(),
        "mse" => "The mean of the squared errors: large errors count most.".to_owned(),
        "rmse" => "How far predictions were off, large errors counting most.".to_owned(),
        "r2" => "The share of the labels' variance that predictions explain; 0 is no better than the mean.".to_owned(),
        _ if metric.starts_with("weighted_") => "The mean over the labels, by how frequent they are.".to_owned(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_have_names_for_people() {
        #[track_caller]
        fn check(reported: &str, document: &str, expected: &str) {
            assert_eq!((in_documents(reported).as_str(), title(document).as_str()), (document, expected));
        }
        check("truePositiveRate", "true_positive_rate", "True positive rate");
        check("weightedF2", "weighted_f2", "Weighted F2");
        check("auc", "auc", "AUC");
        check("r2", "r2", "R\u{b2}");
        check("", "", "");
    }
}
