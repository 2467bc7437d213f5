//! Files to rows: the formats that a job's `dataset_format` names.

mod chunks;

use std::{borrow::Cow, str::FromStr};

use serde::{Deserialize, de::IgnoredAny};
use serde_json::{Value, map::Map};

use crate::{
    analysis::{GROUND_TRUTH, INFERENCE, Observation, PROBABILITY, Unusable},
    attribute::{Attribute, scalar},
    records::{CaptureData, Encoding, Label, Merged, Payload, RecordError},
};

pub use self::chunks::{Chunk, Chunks};

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DatasetFormat {
    /// `{"csv": {"header": true}}`. Quoted as usual.
    Csv {
        /// Whether the first line has the names of the columns.
        header: bool,
    },
    /// `{"json": {"lines": true}}`: an object a line.
    JsonLines,
    /// `{"sagemakerMergeJson": {"captureIndexNames": ["endpointOutput"]}}`: captures with their labels.
    Merged {
        /// Where predictions are.
        side: Side,
    },
}

/// A member of `captureData`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Side {
    /// What the endpoint was sent.
    EndpointInput,
    /// What it answered.
    EndpointOutput,
    /// What a batch transform job answered.
    BatchTransformOutput,
}

/// Not a `dataset_format` of model quality.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("dataset_format is {text}: {reason}")]
pub struct FormatError {
    /// What the job has.
    pub text: String,
    /// What is wrong with it.
    pub reason: String,
}

/// Why a file cannot be read on.
#[derive(Debug, thiserror::Error)]
pub enum DatasetError {
    /// A line is no record.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// A line is no CSV.
    #[error("it is no CSV")]
    Csv(#[from] csv::Error),
    /// A request and its answer are not both CSV, or both JSON. The sentence is AWS's.
    #[error(
        "Encoding mismatch: Encoding is {input} for endpointInput, but Encoding is {output} for endpointOutput. We \
         currently only support the same type of input and output encoding at the moment. (line {line})"
    )]
    EncodingMismatch {
        /// Of the record.
        line: u64,
        /// The encoding of what was sent.
        input: &'static str,
        /// That of the answer.
        output: &'static str,
    },
    /// The header lacks a column.
    #[error("the header has no {role} {attribute:?}: it has {found}")]
    NoColumn {
        /// The job's name of it.
        role: &'static str,
        /// The column's name.
        attribute: String,
        /// The names that are there.
        found: String,
    },
}

/// Where in a row its values are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Attributes {
    /// `inference_attribute`.
    pub inference: Option<Attribute>,
    /// `probability_attribute`.
    pub probability: Option<Attribute>,
    /// `ground_truth_attribute`. Merged records need none: their label is one value.
    pub ground_truth: Option<Attribute>,
}

impl Attributes {
    /// A row, of the values found in it.
    fn row<'a>(
        &self,
        inference: Option<Cow<'a, str>>,
        probability: Option<Cow<'a, str>>,
        ground_truth: Option<Cow<'a, str>>,
    ) -> Result<Observation<'a>, Unusable> {
        let missing = |role, attribute: &Option<Attribute>, found: bool| match attribute {
            Some(attribute) if !found => Err(Unusable::Missing { role, attribute: attribute.text().to_owned() }),
            _ => Ok(()),
        };
        missing(INFERENCE, &self.inference, inference.is_some())?;
        missing(PROBABILITY, &self.probability, probability.is_some())?;
        missing(GROUND_TRUTH, &self.ground_truth, ground_truth.is_some())?;
        let ground_truth = ground_truth.ok_or(Unusable::Empty { role: GROUND_TRUTH })?;
        Ok(Observation { ground_truth, inference, probability })
    }

    fn in_json<'a>(&self, document: &'a Value) -> Result<Observation<'a>, Unusable> {
        let find = |attribute: &Option<Attribute>| attribute.as_ref().and_then(|attribute| attribute.find(document));
        self.row(find(&self.inference), find(&self.probability), find(&self.ground_truth))
    }

    /// The row that a merged record is.
    ///
    /// # Errors
    /// The side was not captured as text, or is not one row; or a value is not there.
    pub fn in_merged<'a>(&self, record: &'a Merged, side: Side) -> Result<Observation<'a>, Unusable> {
        let output = side.of(&record.capture_data).ok_or(Unusable::NotCaptured { side: side.name() })?;
        let [inference, probability] =
            values(&output.data, output.encoding, side.name(), [&self.inference, &self.probability])?;
        let ground_truth = self.label(&record.ground_truth_data)?;
        self.row(inference, probability, ground_truth)
    }

    fn label<'a>(&self, label: &'a Label) -> Result<Option<Cow<'a, str>>, Unusable> {
        const SIDE: &str = "groundTruthData";
        if self.ground_truth.is_some() {
            let [found] = values(&label.data, label.encoding, SIDE, [&self.ground_truth])?;
            return Ok(found);
        }
        match label.encoding {
            Encoding::Csv => Ok(Some(Cow::from(label.data.trim()))),
            Encoding::Json => {
                let document = document(&label.data, SIDE)?;
                // Nobody said where it is: a document that has but one value says it itself.
                let only = |members: &Map<String, Value>| match members.values().next() {
                    Some(value) if members.len() == 1 => scalar(value).map(Cow::into_owned),
                    _ => None,
                };
                let found = document.as_object().map_or_else(|| scalar(&document).map(Cow::into_owned), only);
                Ok(found.map(Cow::from))
            }
            Encoding::Base64 => Err(Unusable::Base64 { side: SIDE }),
        }
    }
}

/// The values of attributes in a text, which is one row.
fn values<'a, const N: usize>(
    data: &'a str,
    encoding: Encoding,
    side: &'static str,
    attributes: [&Option<Attribute>; N],
) -> Result<[Option<Cow<'a, str>>; N], Unusable> {
    match encoding {
        Encoding::Csv => {
            let columns = attributes.map(|attribute| attribute.as_ref().and_then(Attribute::column));
            fields(data, side, columns)
        }
        Encoding::Json => {
            let document = document(data, side)?;
            let find = |attribute: &Attribute| attribute.find(&document).map(|text| Cow::from(text.into_owned()));
            Ok(attributes.map(|attribute| attribute.as_ref().and_then(find)))
        }
        Encoding::Base64 => Err(Unusable::Base64 { side }),
    }
}

/// Columns of a text that is one row of CSV.
fn fields<'a, const N: usize>(
    data: &'a str,
    side: &'static str,
    columns: [Option<usize>; N],
) -> Result<[Option<Cow<'a, str>>; N], Unusable> {
    if !data.contains('"') {
        let rows = || data.lines().filter(|line| !line.trim().is_empty());
        let mut two = rows();
        return match (two.next(), two.next()) {
            (Some(row), None) => Ok(columns.map(|column| row.split(',').nth(column?).map(Cow::from))),
            _ => Err(Unusable::Rows { side, rows: rows().count() }),
        };
    }
    let reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(data.as_bytes());
    // Text is read from memory: nothing of it can fail.
    let rows: Vec<_> = reader.into_records().map_while(Result::ok).collect();
    match rows.as_slice() {
        [row] => Ok(columns.map(|column| row.get(column?).map(|field| Cow::from(field.to_owned())))),
        _ => Err(Unusable::Rows { side, rows: rows.len() }),
    }
}

/// The only document of a text.
fn document(data: &str, side: &'static str) -> Result<Value, Unusable> {
    let documents: Result<Vec<Value>, _> = serde_json::Deserializer::from_str(data).into_iter().collect();
    let mut documents = documents.map_err(|error| Unusable::NotJson { side, reason: error.to_string() })?;
    match (documents.pop(), documents.len()) {
        (Some(document), 0) => Ok(document),
        (last, before) => Err(Unusable::Rows { side, rows: before + usize::from(last.is_some()) }),
    }
}

impl Side {
    /// Its name in a record.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::EndpointInput => "endpointInput",
            Self::EndpointOutput => "endpointOutput",
            Self::BatchTransformOutput => "batchTransformOutput",
        }
    }

    fn of(self, data: &CaptureData) -> Option<&Payload> {
        match self {
            Self::EndpointInput => data.endpoint_input.as_ref(),
            Self::EndpointOutput => data.endpoint_output.as_ref(),
            Self::BatchTransformOutput => data.batch_transform_output.as_ref(),
        }
    }
}

impl FromStr for DatasetFormat {
    type Err = FormatError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        enum Format {
            Csv(Csv),
            Json(Json),
            Parquet(IgnoredAny),
            SagemakerMergeJson(Merge),
            SagemakerCaptureJson(IgnoredAny),
        }
        #[derive(Deserialize)]
        struct Csv {
            #[serde(default)]
            header: bool,
        }
        #[derive(Deserialize)]
        struct Json {
            lines: Option<bool>,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Merge {
            capture_index_names: Option<Vec<Side>>,
        }
        let wrong = |reason: &str| FormatError { text: text.to_owned(), reason: reason.to_owned() };
        match serde_json::from_str(text).map_err(|error| wrong(&error.to_string()))? {
            Format::Csv(Csv { header }) => Ok(Self::Csv { header }),
            Format::Json(Json { lines: Some(false) }) => {
                Err(wrong("of JSON, an object a line is read: set lines to true"))
            }
            Format::Json(_) => Ok(Self::JsonLines),
            Format::Parquet(_) => Err(wrong("parquet is not read: write CSV or JSON lines")),
            Format::SagemakerMergeJson(Merge { capture_index_names }) => match capture_index_names.as_deref() {
                None => Ok(Self::Merged { side: Side::EndpointOutput }),
                Some([side]) => Ok(Self::Merged { side: *side }),
                Some(_) => Err(wrong("predictions are read from one side: give one of the captureIndexNames")),
            },
            Format::SagemakerCaptureJson(_) => Err(wrong("captures are read when their labels are merged with them")),
        }
    }
}
