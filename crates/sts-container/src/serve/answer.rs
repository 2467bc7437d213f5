//! How a request wants its answer, and the answer's text.

use std::fmt::Write;

use hyper::{HeaderMap, StatusCode, header};
use serde::Serialize;
use sts_model::{artifact::Prediction, rows};

use super::handler::Refusal;

/// The form of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// `prediction,probability` on each line.
    Csv,
    /// A [`Line`] on each line.
    JsonLines,
}

#[derive(Debug, Serialize)]
struct Line {
    prediction: u8,
    probability: f64,
}

impl Answer {
    /// The form that `Accept` prefers; CSV where it does not care.
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, Refusal> {
        // What nearly every client sends needs no parsing.
        if matches!(headers.get(header::ACCEPT).map_or(&b"*/*"[..], |value| value.as_bytes()), b"*/*" | b"text/csv") {
            let is_alone = headers.get_all(header::ACCEPT).iter().nth(1).is_none();
            if is_alone {
                return Ok(Self::Csv);
            }
        }
        let values: Vec<_> =
            headers.get_all(header::ACCEPT).iter().map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
        let accept = values.join(",");
        if accept.trim().is_empty() {
            return Ok(Self::Csv);
        }
        let quality = |answer: Self| quality(&accept, answer.media_type());
        let (csv, json_lines) = (quality(Self::Csv), quality(Self::JsonLines));
        if csv <= 0.0 && json_lines <= 0.0 {
            let reason = format!("the answer is to be {accept:?}: text/csv and application/jsonlines are offered");
            return Err(Refusal::new(StatusCode::NOT_ACCEPTABLE, reason));
        }
        Ok(if json_lines > csv { Self::JsonLines } else { Self::Csv })
    }

    pub(super) fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv",
            Self::JsonLines => "application/jsonlines",
        }
    }

    /// Predictions, one on each line. The last line has no end, so that the captured answer to a single row is that
    /// row and nothing else.
    pub(super) fn text(self, predictions: &[Prediction]) -> String {
        let mut text = String::new();
        for Prediction { label, probability } in predictions {
            if !text.is_empty() {
                text.push('\n');
            }
            let (prediction, probability) = (u8::from(*label), *probability);
            // Neither writing to a string nor a struct of numbers can fail.
            let _ = match self {
                Self::Csv => {
                    text.push_str(if *label { "1," } else { "0," });
                    rows::write_number(&mut text, probability);
                    Ok(())
                }
                Self::JsonLines => {
                    let line = serde_json::to_string(&Line { prediction, probability });
                    write!(text, "{}", line.unwrap_or_default())
                }
            };
        }
        text
    }
}

/// How welcome a media type is: the `q` of the most specific range that it falls into (RFC 9110, 12.5.1); of none, 0.
fn quality(accept: &str, media_type: &str) -> f64 {
    let any_of_its_type = format!("{}/*", media_type.split('/').next().unwrap_or_default());
    let ranges = accept.split(',').filter_map(|range| {
        let mut parts = range.split(';').map(|part| part.trim().to_ascii_lowercase());
        let range = parts.next()?;
        let specific = [media_type, &any_of_its_type, "*/*"].iter().rev().position(|known| *known == range)?;
        let weight = parts.find_map(|part| part.strip_prefix("q=").and_then(|q| q.trim().parse::<f64>().ok()));
        Some((specific, weight.unwrap_or(1.0)))
    });
    ranges.max_by(|(specific, _), (other, _)| specific.cmp(other)).map_or(0.0, |(_, weight)| weight)
}
