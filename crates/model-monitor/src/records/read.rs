//! Lines of JSON, one record each.

use std::{
    io::{self, BufRead, Read},
    marker::PhantomData,
};

use serde::{Serialize, de::DeserializeOwned};

/// The longest line that is read, in bytes: several times what an endpoint takes and answers.
pub const MAX_RECORD: usize = 128 << 20;

/// Why a line is no record.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The source failed.
    #[error("line {line}: cannot be read")]
    Read {
        /// The line, from 1.
        line: u64,
        /// Why.
        source: io::Error,
    },
    /// The line has no end within [`MAX_RECORD`] bytes.
    #[error("line {line}: longer than {MAX_RECORD} bytes")]
    TooLong {
        /// The line, from 1.
        line: u64,
    },
    /// It is not JSON: cut off, perhaps, or of another format.
    #[error("line {line}, column {column}: is not JSON: {reason}")]
    NotJson {
        /// The line, from 1.
        line: u64,
        /// The byte in it, from 1.
        column: usize,
        /// What the reader says.
        reason: String,
    },
    /// It is JSON, but not a record of this kind.
    #[error("line {line}, column {column}: is not such a record: {reason}")]
    NotARecord {
        /// The line, from 1.
        line: u64,
        /// The byte in it, from 1.
        column: usize,
        /// What is missing or of another kind.
        reason: String,
    },
}

/// Reads records, one at a time, from a source of lines. Blank lines are passed over. Ends after the first error.
#[derive(Debug)]
pub struct Records<R, T> {
    input: R,
    buffer: Vec<u8>,
    line: u64,
    ended: bool,
    kind: PhantomData<fn() -> T>,
}

impl<R: BufRead, T: DeserializeOwned> Records<R, T> {
    /// Records of one kind.
    pub fn new(input: R) -> Self {
        Self::after(0, input)
    }

    /// Those of a source of which so many lines are elsewhere.
    pub(super) fn after(line: u64, input: R) -> Self {
        Self { input, buffer: Vec::new(), line, ended: false, kind: PhantomData }
    }

    /// The number of the line that was read last, from 1.
    pub fn line(&self) -> u64 {
        self.line
    }

    /// The next record; none at the end.
    fn read(&mut self) -> Result<Option<T>, RecordError> {
        loop {
            self.buffer.clear();
            self.line += 1;
            let line = self.line;
            let mut input = (&mut self.input).take(MAX_RECORD as u64 + 1);
            let read =
                input.read_until(b'\n', &mut self.buffer).map_err(|source| RecordError::Read { line, source })?;
            if read > MAX_RECORD {
                return Err(RecordError::TooLong { line });
            }
            if read == 0 {
                return Ok(None);
            }
            if !self.buffer.trim_ascii().is_empty() {
                return parse(&self.buffer, line).map(Some);
            }
        }
    }
}

impl<R: BufRead, T: DeserializeOwned> Iterator for Records<R, T> {
    type Item = Result<T, RecordError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let record = self.read();
        self.ended = !matches!(record, Ok(Some(_)));
        record.transpose()
    }
}

/// Appends a record as a line of compact JSON, with its line end.
pub(crate) fn write(out: &mut Vec<u8>, record: &impl Serialize) {
    // Neither the memory nor the members of a record can refuse to be written.
    let _ = serde_json::to_writer(&mut *out, record);
    out.push(b'\n');
}

fn parse<T: DeserializeOwned>(text: &[u8], line: u64) -> Result<T, RecordError> {
    serde_json::from_slice(text).map_err(|error| {
        let column = error.column();
        let place = format!(" at line {} column {column}", error.line());
        let reason = error.to_string();
        let reason = reason.strip_suffix(&place).unwrap_or(&reason).to_owned();
        match error.classify() {
            serde_json::error::Category::Data => RecordError::NotARecord { line, column, reason },
            _ => RecordError::NotJson { line, column, reason },
        }
    })
}
