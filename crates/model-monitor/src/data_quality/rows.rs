//! Files to rows of named values.

use std::borrow::Cow;
use std::io::BufRead;
use std::str::FromStr;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::captured;
use super::profile::Profile;
use crate::analysis::Unusable;
use crate::dataset::{DatasetError, DatasetFormat, FormatError, Side};
use crate::records;

/// About so many bytes are read at a time.
const CHUNK: usize = 64 * 1024;

/// What a file is: a job's `dataset_format`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `{"csv": {"header": true}}`. Quoted as usual.
    Csv {
        /// Whether the first line has the names of the columns.
        header: bool,
    },
    /// `{"json": {"lines": true}}`: an object a line.
    JsonLines,
    /// `{"sagemakerCaptureJson": {"captureIndexNames": ["endpointInput", "endpointOutput"]}}`: what an endpoint captured.
    Captured {
        /// Whether what it was sent is looked at.
        input: bool,
        /// Whether what it answered is.
        output: bool,
    },
}

impl FromStr for Format {
    type Err = FormatError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Captures {
            sagemaker_capture_json: Sides,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Sides {
            #[serde(default = "both")]
            capture_index_names: Vec<Side>,
        }
        fn both() -> Vec<Side> {
            vec![Side::EndpointInput, Side::EndpointOutput]
        }
        let wrong = |reason: &str| FormatError { text: text.to_owned(), reason: reason.to_owned() };
        if let Ok(Captures { sagemaker_capture_json: Sides { capture_index_names: sides } }) =
            serde_json::from_str(text)
        {
            let (input, output) = (sides.contains(&Side::EndpointInput), sides.contains(&Side::EndpointOutput));
            return if (input || output) && !sides.contains(&Side::BatchTransformOutput) {
                Ok(Self::Captured { input, output })
            } else {
                Err(wrong("of captures, endpointInput and endpointOutput are read"))
            };
        }
        match text.parse()? {
            DatasetFormat::Csv { header } => Ok(Self::Csv { header }),
            DatasetFormat::JsonLines => Ok(Self::JsonLines),
            DatasetFormat::Merged { .. } => {
                Err(wrong("labels have no part in data quality: give csv, json or captures"))
            }
        }
    }
}

/// Lines that are left out, because there is no row in them.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// How many.
    pub lines: u64,
    /// The number of the first, and what is wrong with it.
    pub first: Option<(u64, Unusable)>,
}

/// Takes all rows of a file in. A column of CSV without a header has the name of `columns` at its place, else it is
/// `_c0`, `_c1`, ...; a member of an object inside a line of JSON is `OBJECT.MEMBER`.
///
/// # Errors
/// A line is not of the format.
pub fn add(
    profile: &mut Profile,
    input: impl BufRead,
    format: Format,
    columns: &[&str],
) -> Result<LeftOut, DatasetError> {
    let mut left_out = LeftOut::default();
    match format {
        Format::Csv { header } => {
            let mut reader = csv::ReaderBuilder::new().has_headers(header).flexible(true).from_reader(input);
            let names: Option<Vec<String>> =
                if header { Some(reader.headers()?.iter().map(str::to_owned).collect()) } else { None };
            let mut row = csv::StringRecord::new();
            let mut names = names.unwrap_or_default();
            while reader.read_record(&mut row)? {
                // The first row says which columns there are.
                if names.is_empty() {
                    names = (0..row.len()).map(|column| name(columns, column).into_owned()).collect();
                }
                profile.add(names.iter().enumerate().map(|(at, name)| (name.as_str(), row.get(at).map(Cow::from))));
            }
        }
        Format::JsonLines => {
            for chunk in records::Chunks::new(input, CHUNK) {
                let chunk = chunk?;
                for document in chunk.records::<Map<String, Value>>() {
                    add_members(profile, &[&document?]);
                }
            }
        }
        Format::Captured { input: asked, output: answered } => {
            for chunk in records::Chunks::new(input, CHUNK) {
                let chunk = chunk?;
                let mut records = chunk.records::<records::Capture>();
                while let Some(record) = records.next() {
                    let mut sides = record?.capture_data;
                    sides.endpoint_input = sides.endpoint_input.filter(|_| asked);
                    sides.endpoint_output = sides.endpoint_output.filter(|_| answered);
                    if let Err(reason) = captured::add(profile, &sides, records.line(), columns)? {
                        left_out.lines += 1;
                        left_out.first.get_or_insert((records.line(), reason));
                    }
                }
            }
        }
    }
    Ok(left_out)
}

/// What a column without a header is called.
pub(super) fn name<'a>(columns: &[&'a str], column: usize) -> Cow<'a, str> {
    columns.get(column).map_or_else(|| Cow::from(format!("_c{column}")), |name| Cow::from(*name))
}

/// Takes in the row that some objects are together.
pub(super) fn add_members(profile: &mut Profile, objects: &[&Map<String, Value>]) {
    let mut row = Vec::new();
    objects.iter().for_each(|members| flatten("", members, &mut row));
    profile.add(row.iter().map(|(name, value)| (name.as_str(), value.as_deref().map(Cow::from))));
}

fn flatten(prefix: &str, members: &Map<String, Value>, row: &mut Vec<(String, Option<String>)>) {
    for (name, value) in members {
        let name = format!("{prefix}{name}");
        match value {
            Value::Object(inner) => flatten(&format!("{name}."), inner, row),
            Value::Null => row.push((name, None)),
            Value::String(text) => row.push((name, Some(text.clone()))),
            other => row.push((name, Some(other.to_string()))),
        }
    }
}
