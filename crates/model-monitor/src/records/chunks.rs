//! A file in pieces of whole lines, which several threads can read at the same time.

use std::io::{self, BufRead, Read};

use memchr::memchr_iter;
use serde::de::DeserializeOwned;

use super::{MAX_RECORD, RecordError, Records};

/// Cuts a source of lines into chunks of whole ones. Ends after the first error.
#[derive(Debug)]
pub struct Chunks<R> {
    input: R,
    size: usize,
    /// The lines that went before.
    lines: u64,
    ended: bool,
    /// What is still to be told.
    failure: Option<io::Error>,
}

/// Whole lines of a source, which know where they stand in it.
#[derive(Debug)]
pub struct Chunk {
    bytes: Vec<u8>,
    /// The lines that went before.
    lines: u64,
}

impl<R: BufRead> Chunks<R> {
    /// Chunks of about `size` bytes; more where a line is longer.
    pub fn new(input: R, size: usize) -> Self {
        Self { input, size: size.max(1), lines: 0, ended: false, failure: None }
    }

    /// The next lines, with their ends; nothing where there are no more.
    fn lines(&mut self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.size + self.size / 8);
        let read = (&mut self.input).take(self.size as u64).read_to_end(&mut bytes);
        let read = read.and_then(|_| match bytes.last() {
            // Whoever reads the chunk finds where a line has no end.
            Some(last) if *last != b'\n' => (&mut self.input).take(MAX_RECORD as u64 + 1).read_until(b'\n', &mut bytes),
            _ => Ok(0),
        });
        if let Err(error) = read {
            self.failure = Some(error);
            bytes.truncate(bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1));
        }
        self.ended = self.failure.is_some() || bytes.last() != Some(&b'\n');
        bytes
    }
}

impl<R: BufRead> Iterator for Chunks<R> {
    type Item = Result<Chunk, RecordError>;

    fn next(&mut self) -> Option<Self::Item> {
        let bytes = if self.ended { Vec::new() } else { self.lines() };
        if bytes.is_empty() {
            return self.failure.take().map(|source| Err(RecordError::Read { line: self.lines + 1, source }));
        }
        let chunk = Chunk { lines: self.lines, bytes };
        self.lines += memchr_iter(b'\n', &chunk.bytes).count() as u64;
        Some(Ok(chunk))
    }
}

impl Chunk {
    /// Its records, one at a time, with the numbers that their lines have in the source.
    #[must_use]
    pub fn records<T: DeserializeOwned>(&self) -> Records<&[u8], T> {
        Records::after(self.lines, &self.bytes)
    }
}
