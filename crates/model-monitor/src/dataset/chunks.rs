//! A file of rows in pieces, which several threads can read at the same time.

use std::{borrow::Cow, io::BufRead};

use csv::StringRecord;
use serde_json::Value;

use super::{Attributes, DatasetError, DatasetFormat, Side};
use crate::{
    analysis::{GROUND_TRUTH, INFERENCE, Observation, PROBABILITY, Unusable},
    attribute::Attribute,
    records::{self, Merged},
};

/// Cuts a file into chunks of whole rows.
#[derive(Debug)]
pub struct Chunks<R>(Source<R>);

#[derive(Debug)]
enum Source<R> {
    Csv(CsvRows<R>),
    JsonLines(records::Chunks<R>),
    Merged(records::Chunks<R>, Side),
}

/// Some rows of a file.
#[derive(Debug)]
pub struct Chunk(Piece);

#[derive(Debug)]
enum Piece {
    Csv { rows: Vec<StringRecord>, columns: [Option<usize>; 3], before: u64 },
    JsonLines(records::Chunk),
    Merged(records::Chunk, Side),
}

/// Where a row of CSV ends is known to who has read all before it: a quoted field may go over several lines.
#[derive(Debug)]
struct CsvRows<R> {
    reader: csv::Reader<R>,
    /// Of the attributes.
    columns: [Option<usize>; 3],
    size: usize,
    /// The rows that went before, the header included.
    before: u64,
}

impl<R: BufRead> Chunks<R> {
    /// Chunks of about `size` bytes; more where a row is longer.
    ///
    /// # Errors
    /// The header lacks a column, or is no CSV.
    pub fn new(input: R, format: DatasetFormat, attributes: &Attributes, size: usize) -> Result<Self, DatasetError> {
        Ok(Self(match format {
            DatasetFormat::Csv { header } => Source::Csv(CsvRows::new(input, header, attributes, size)?),
            DatasetFormat::JsonLines => Source::JsonLines(records::Chunks::new(input, size)),
            DatasetFormat::Merged { side } => Source::Merged(records::Chunks::new(input, size), side),
        }))
    }
}

impl<R: BufRead> Iterator for Chunks<R> {
    type Item = Result<Chunk, DatasetError>;

    fn next(&mut self) -> Option<Self::Item> {
        let piece = match &mut self.0 {
            Source::Csv(rows) => rows.next()?.map_err(DatasetError::from),
            Source::JsonLines(chunks) => chunks.next()?.map(Piece::JsonLines).map_err(DatasetError::from),
            Source::Merged(chunks, side) => {
                chunks.next()?.map(|chunk| Piece::Merged(chunk, *side)).map_err(DatasetError::from)
            }
        };
        Some(piece.map(Chunk))
    }
}

impl<R: BufRead> CsvRows<R> {
    fn new(input: R, header: bool, attributes: &Attributes, size: usize) -> Result<Self, DatasetError> {
        let mut reader = csv::ReaderBuilder::new().has_headers(header).flexible(true).from_reader(input);
        let names = if header { Some(reader.headers()?.clone()) } else { None };
        let column = |role, attribute: Option<&Attribute>| match (attribute, &names) {
            (None, _) => Ok(None),
            (Some(attribute), None) => Ok(attribute.column()),
            (Some(attribute), Some(names)) => match attribute.column_in(names) {
                Some(column) => Ok(Some(column)),
                None => Err(DatasetError::NoColumn {
                    role,
                    attribute: attribute.text().to_owned(),
                    found: names.iter().take(20).collect::<Vec<_>>().join(", "),
                }),
            },
        };
        let columns = [
            column(INFERENCE, attributes.inference.as_ref())?,
            column(PROBABILITY, attributes.probability.as_ref())?,
            column(GROUND_TRUTH, attributes.ground_truth.as_ref())?,
        ];
        Ok(Self { reader, columns, size: size.max(1), before: u64::from(header) })
    }
}

impl<R: BufRead> Iterator for CsvRows<R> {
    type Item = Result<Piece, csv::Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let (mut rows, mut size) = (Vec::new(), 0);
        while size < self.size {
            let mut row = StringRecord::new();
            match self.reader.read_record(&mut row) {
                Ok(true) => {
                    size += row.as_slice().len() + 1;
                    rows.push(row);
                }
                Ok(false) => break,
                Err(error) => return Some(Err(error)),
            }
        }
        let before = self.before;
        self.before += rows.len() as u64;
        (!rows.is_empty()).then_some(Ok(Piece::Csv { rows, columns: self.columns, before }))
    }
}

impl Chunk {
    /// Hands over its rows, one at a time, with the number of their line in the file (of CSV, of the row: a quoted
    /// field may go over several lines).
    ///
    /// # Errors
    /// A line is not of the format.
    pub fn rows(
        &self,
        attributes: &Attributes,
        mut each: impl FnMut(u64, Result<Observation<'_>, Unusable>),
    ) -> Result<(), DatasetError> {
        match &self.0 {
            Piece::Csv { rows, columns, before } => {
                for (line, row) in (before + 1..).zip(rows) {
                    let [inference, probability, ground_truth] = columns.map(|column| row.get(column?).map(Cow::from));
                    each(line, attributes.row(inference, probability, ground_truth));
                }
            }
            Piece::JsonLines(chunk) => {
                let mut records = chunk.records::<Value>();
                while let Some(document) = records.next() {
                    each(records.line(), attributes.in_json(&document?));
                }
            }
            Piece::Merged(chunk, side) => {
                let mut records = chunk.records::<Merged>();
                while let Some(record) = records.next() {
                    let record = record?;
                    each(records.line(), attributes.in_merged(&record, *side));
                }
            }
        }
        Ok(())
    }
}
