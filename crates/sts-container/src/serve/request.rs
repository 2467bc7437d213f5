//! What a request asks: rows of features as CSV, or raw pairs as JSON lines.

use hyper::{HeaderMap, StatusCode, header};
use serde::Deserialize;
use sts_model::{
    artifact::{Artifact, Prediction},
    features::{self, Extractor},
    rows::Unlabelled,
};

use super::handler::Refusal;
use crate::error;

/// What the rows of a request are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rows {
    /// `text/csv`: a row of features on each line.
    Features,
    /// `application/jsonlines`: a [`RawPair`] on each line.
    Pairs,
}

/// Two sentences as they are sent.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPair {
    sentence1: String,
    sentence2: String,
}

impl Rows {
    /// Reads `Content-Type`; its parameters do not matter.
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, Refusal> {
        let unsupported = |found: &str| {
            let reason = format!(
                "the content type is {found}: text/csv (features) and application/jsonlines (pairs) are understood"
            );
            Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, reason)
        };
        let Some(value) = headers.get(header::CONTENT_TYPE) else { return Err(unsupported("not given")) };
        let media_type = value.as_bytes().split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
        if media_type.eq_ignore_ascii_case(b"text/csv") {
            Ok(Self::Features)
        } else if media_type.eq_ignore_ascii_case(b"application/jsonlines") {
            Ok(Self::Pairs)
        } else {
            Err(unsupported(&format!("{:?}", String::from_utf8_lossy(media_type))))
        }
    }

    /// What the model says of each row.
    pub(super) fn predictions(self, artifact: &Artifact, body: &[u8]) -> Result<Vec<Prediction>, Refusal> {
        if body.is_empty() {
            return Err(bad("the body is empty"));
        }
        match self {
            Self::Features => Unlabelled::new(body, features::COUNT)
                .zip(1_u64..)
                .map(|(features, row)| {
                    let features = features.map_err(|error| bad(error::chain(&error)))?;
                    certain(artifact.predict(&features), row)
                })
                .collect(),
            Self::Pairs => {
                let mut extractor = Extractor::new(&artifact.vocabulary);
                let predict = |(line, row)| {
                    let RawPair { sentence1, sentence2 } = RawPair::parse(line, row)?;
                    certain(artifact.predict(&extractor.extract(&sentence1, &sentence2)), row)
                };
                lines(body).zip(1..).map(predict).collect()
            }
        }
    }
}

impl RawPair {
    fn parse(line: &[u8], row: u64) -> Result<Self, Refusal> {
        let line = std::str::from_utf8(line)
            .map_err(|error| bad(format!("row {row}, column {}: is not UTF-8 text", error.valid_up_to() + 1)))?;
        if line.trim().is_empty() {
            return Err(bad(format!("row {row}: is blank")));
        }
        // A list of two strings would do for the deserialiser.
        if !line.trim_start().starts_with('{') {
            let expected = r#"expected an object such as {"sentence1": "...", "sentence2": "..."}"#;
            return Err(bad(format!("row {row}, column 1: {expected}")));
        }
        serde_json::from_str(line).map_err(|error| {
            let (text, column) = (error.to_string(), error.column());
            // The deserialiser counts lines, too: of its single line.
            let what = text.rsplit_once(" at line ").map_or(text.as_str(), |(what, _)| what);
            bad(format!("row {row}, column {column}: {what}"))
        })
    }
}

/// Lines without their ends; what follows the last line end is a line only if there is something.
fn lines(body: &[u8]) -> impl Iterator<Item = &[u8]> {
    body.split_inclusive(|byte| *byte == b'\n').map(|line| {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        line.strip_suffix(b"\r").unwrap_or(line)
    })
}

/// Finite features can be so large that sums of them are not.
fn certain(prediction: Prediction, row: u64) -> Result<Prediction, Refusal> {
    if prediction.probability.is_finite() {
        return Ok(prediction);
    }
    Err(bad(format!("row {row}: the features are so large that the model has no probability for them")))
}

fn bad(reason: impl Into<String>) -> Refusal {
    Refusal::new(StatusCode::BAD_REQUEST, reason)
}
