//! One side of a request: its text, and how that text was made of bytes.

use base64::{Engine, prelude::BASE64_STANDARD};
use serde::{Deserialize, Serialize};

/// A request or an answer as text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Payload {
    /// The `Content-Type` header as it was sent. Batch transform jobs have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_content_type: Option<String>,
    /// Which side it is. Batch transform jobs do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// The text: nothing is trimmed.
    pub data: String,
    /// What the text is.
    pub encoding: Encoding,
}

/// The side of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Mode {
    /// What the endpoint was sent.
    Input,
    /// What it answered.
    Output,
}

/// What a payload's text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Encoding {
    /// Rows of values.
    Csv,
    /// A JSON document, or several, one a line.
    Json,
    /// Bytes of any kind, in base64.
    Base64,
}

/// Which content types are captured as text: an endpoint's `CaptureContentTypeHeader`. All others become base64.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ContentTypes {
    /// `CsvContentTypes`.
    pub csv: Vec<String>,
    /// `JsonContentTypes`.
    pub json: Vec<String>,
}

impl Encoding {
    /// Its name in a record.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Csv => "CSV",
            Self::Json => "JSON",
            Self::Base64 => "BASE64",
        }
    }
}

impl ContentTypes {
    /// How a body of this content type is captured. Parameters such as a character set do not count, nor does case.
    #[must_use]
    pub fn encoding(&self, content_type: Option<&str>) -> Encoding {
        let essence = content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim();
        let among = |types: &[String]| types.iter().any(|listed| listed.eq_ignore_ascii_case(essence));
        if among(&self.csv) {
            Encoding::Csv
        } else if among(&self.json) {
            Encoding::Json
        } else {
            Encoding::Base64
        }
    }
}

impl Payload {
    /// Captures a body. One that should be text and is not UTF-8 becomes base64, so that nothing of it is lost.
    #[must_use]
    pub fn capture(mode: Mode, content_type: Option<&str>, body: &[u8], types: &ContentTypes) -> Self {
        let encoding = types.encoding(content_type);
        let (data, encoding) = match std::str::from_utf8(body) {
            Ok(text) if encoding != Encoding::Base64 => (text.to_owned(), encoding),
            _ => (BASE64_STANDARD.encode(body), Encoding::Base64),
        };
        Self { observed_content_type: content_type.map(str::to_owned), mode: Some(mode), data, encoding }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(content_type: Option<&str>, body: &[u8], encoding: Encoding, data: &str) {
        let types = ContentTypes { csv: vec!["text/csv".to_owned()], json: vec!["application/json".to_owned()] };
        let payload = Payload::capture(Mode::Input, content_type, body, &types);
        assert_eq!((payload.encoding, payload.data.as_str()), (encoding, data));
        assert_eq!(payload.observed_content_type.as_deref(), content_type);
    }

    #[test]
    fn bodies_are_captured_by_their_content_type() {
        check(Some("text/csv"), b"1,2\n", Encoding::Csv, "1,2\n");
        check(Some("text/csv; charset=utf-8"), b" 1 ", Encoding::Csv, " 1 ");
        check(Some("Application/JSON"), b"{\"a\": 1}", Encoding::Json, "{\"a\": 1}");
        // As in sagemaker-python-sdk issue 2629.
        check(Some("text/html; charset=utf-8"), b"{\"m\": 1}", Encoding::Base64, "eyJtIjogMX0=");
        check(None, b"1,2", Encoding::Base64, "MSwy");
        check(Some("text/csv"), b"\xff", Encoding::Base64, "/w==");
    }
}
