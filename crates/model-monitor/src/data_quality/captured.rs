//! Captured requests to rows: what was answered first, then what was asked.
//!
//! Values of CSV are named by their place: that of the answer's first value is the first column, as in the baseline of a
//! training set whose first column is the label. Of JSON, flat objects are read, as AWS documents; what is nested is named
//! by its path. A request of several rows has an answer of as many; where they are not as many, what is there counts.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::profile::Profile;
use super::rows::{add_members, name};
use crate::analysis::Unusable;
use crate::dataset::{DatasetError, Side};
use crate::records::{CaptureData, Encoding, Payload};

/// Takes in the rows of a captured request. The inner error is why it has none.
///
/// # Errors
/// Its sides are encoded differently, which AWS's analyzer does not stand either.
pub(super) fn add(
    profile: &mut Profile,
    sides: &CaptureData,
    line: u64,
    columns: &[&str],
) -> Result<Result<(), Unusable>, DatasetError> {
    let (output, input) = (sides.endpoint_output.as_ref(), sides.endpoint_input.as_ref());
    if let (Some(output), Some(input)) = (output, input)
        && output.encoding != input.encoding
    {
        let (input, output) = (input.encoding.name(), output.encoding.name());
        return Err(DatasetError::EncodingMismatch { line, input, output });
    }
    let there = [(output, Side::EndpointOutput), (input, Side::EndpointInput)];
    let there: Vec<_> = there.into_iter().filter_map(|(payload, side)| Some((payload?, side.name()))).collect();
    let Some((first, side)) = there.first() else {
        return Ok(Err(Unusable::NotCaptured { side: Side::EndpointInput.name() }));
    };
    Ok(match first.encoding {
        Encoding::Csv => {
            add_csv(profile, &there, columns);
            Ok(())
        }
        Encoding::Json => add_json(profile, &there),
        Encoding::Base64 => Err(Unusable::Base64 { side }),
    })
}

fn add_csv(profile: &mut Profile, there: &[(&Payload, &'static str)], columns: &[&str]) {
    let rows = |data: &str| {
        let reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(data.as_bytes());
        // Text is read from memory: nothing of it can fail.
        reader.into_records().map_while(Result::ok).collect::<Vec<_>>()
    };
    let sides: Vec<_> = there.iter().map(|(payload, _)| rows(&payload.data)).collect();
    for at in 0..sides.iter().map(Vec::len).max().unwrap_or_default() {
        let fields = sides.iter().filter_map(|rows| rows.get(at)).flatten();
        let named: Vec<_> = fields.enumerate().map(|(column, field)| (name(columns, column), field)).collect();
        profile.add(named.iter().map(|(name, field)| (name.as_ref(), Some(Cow::from(*field)))));
    }
}

fn add_json(profile: &mut Profile, there: &[(&Payload, &'static str)]) -> Result<(), Unusable> {
    let documents = |(payload, side): &(&Payload, &'static str)| {
        let read: Result<Vec<Map<String, Value>>, _> =
            serde_json::Deserializer::from_str(&payload.data).into_iter().collect();
        read.map_err(|error| Unusable::NotJson { side, reason: error.to_string() })
    };
    let sides = there.iter().map(documents).collect::<Result<Vec<_>, _>>()?;
    for at in 0..sides.iter().map(Vec::len).max().unwrap_or_default() {
        let objects: Vec<_> = sides.iter().filter_map(|documents| documents.get(at)).collect();
        add_members(profile, &objects);
    }
    Ok(())
}
