//! Files to rows of named values.

use std::borrow::Cow;
use std::io::BufRead;

use serde_json::{Map, Value};

use super::profile::Profile;
use crate::dataset::{DatasetError, DatasetFormat};
use crate::records;

/// About so many bytes are read at a time.
const CHUNK: usize = 64 * 1024;

/// Takes all rows of a file in. A column of CSV without a header is `_c0`, `_c1`, ...; a member of an object inside a
/// line of JSON is `OBJECT.MEMBER`.
///
/// # Errors
/// A line is not of the format.
pub fn add(profile: &mut Profile, input: impl BufRead, format: DatasetFormat) -> Result<(), DatasetError> {
    match format {
        DatasetFormat::Csv { header } => add_csv(profile, input, header),
        DatasetFormat::JsonLines | DatasetFormat::Merged { .. } => {
            for chunk in records::Chunks::new(input, CHUNK) {
                let chunk = chunk?;
                for document in chunk.records::<Map<String, Value>>() {
                    let mut row = Vec::new();
                    flatten("", &document?, &mut row);
                    profile.add(row.iter().map(|(name, value)| (name.as_str(), value.as_deref().map(Cow::from))));
                }
            }
            Ok(())
        }
    }
}

fn add_csv(profile: &mut Profile, input: impl BufRead, header: bool) -> Result<(), DatasetError> {
    let mut reader = csv::ReaderBuilder::new().has_headers(header).flexible(true).from_reader(input);
    let mut names: Vec<String> = match header {
        true => reader.headers()?.iter().map(str::to_owned).collect(),
        false => Vec::new(),
    };
    let mut row = csv::StringRecord::new();
    while reader.read_record(&mut row)? {
        // The first row says which columns there are.
        if names.is_empty() {
            names = (0..row.len()).map(|column| format!("_c{column}")).collect();
        }
        profile.add(names.iter().enumerate().map(|(at, name)| (name.as_str(), row.get(at).map(Cow::from))));
    }
    Ok(())
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
