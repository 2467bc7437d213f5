//! A file of pairs in pieces of whole lines, which several threads can read at the same time.

use std::io::{self, BufRead, Read};

use super::{Columns, Labels, MAX_LINE, PairError, Reader};

/// Cuts a file into chunks of whole lines, so that several threads can read its pairs. Ends after the first error.
#[derive(Debug)]
pub struct Chunks<R> {
    input: R,
    size: usize,
    labels: Labels,
    columns: Columns,
    /// The start of a line whose end has not been read.
    rest: Vec<u8>,
    /// The lines that went before.
    lines: u64,
    has_pairs: bool,
    source: Source,
}

/// What may still come.
#[derive(Debug)]
enum Source {
    Open,
    Exhausted,
    Failed(io::Error),
    /// All has been said.
    Done,
}

/// Whole lines of a file, which know where they stand in it.
#[derive(Debug)]
pub struct Chunk {
    bytes: Vec<u8>,
    labels: Labels,
    columns: Columns,
    /// The lines that went before.
    lines: u64,
}

impl<R: BufRead> Chunks<R> {
    /// Chunks of about `size` bytes of what follows the first `lines` lines.
    pub(super) fn new(input: R, size: usize, format: (Labels, Columns), lines: u64, has_pairs: bool) -> Self {
        let (labels, columns) = format;
        Self { input, size: size.max(1), labels, columns, rest: Vec::new(), lines, has_pairs, source: Source::Open }
    }

    /// The next lines, with their ends; nothing where there are no more.
    fn lines(&mut self) -> Vec<u8> {
        let mut bytes = std::mem::take(&mut self.rest);
        while matches!(self.source, Source::Open) {
            let before = bytes.len();
            match (&mut self.input).take(self.size as u64).read_to_end(&mut bytes) {
                Ok(count) if count < self.size => self.source = Source::Exhausted,
                Ok(_) => {}
                Err(error) => self.source = Source::Failed(error),
            }
            let last = bytes[before..].iter().rposition(|byte| *byte == b'\n');
            let whole = match (&self.source, last) {
                (Source::Exhausted, _) => bytes.len(),
                (_, Some(last)) => before + last + 1,
                (Source::Open, None) if bytes.len() <= MAX_LINE + 5 => continue,
                // Whoever reads the chunk finds that this line has no end.
                (Source::Open, None) => {
                    self.source = Source::Done;
                    return bytes;
                }
                (_, None) => 0,
            };
            self.rest = bytes.split_off(whole);
            break;
        }
        bytes
    }
}

impl<R: BufRead> Iterator for Chunks<R> {
    type Item = Result<Chunk, PairError>;

    fn next(&mut self) -> Option<Self::Item> {
        let bytes = if matches!(self.source, Source::Open) { self.lines() } else { Vec::new() };
        if !bytes.is_empty() {
            let lines = self.lines;
            self.lines += bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
            let is_blank = |line: &[u8]| matches!(line, b"" | b"\r");
            self.has_pairs = self.has_pairs || !bytes.split(|byte| *byte == b'\n').all(is_blank);
            return Some(Ok(Chunk { bytes, labels: self.labels, columns: self.columns, lines }));
        }
        match std::mem::replace(&mut self.source, Source::Done) {
            Source::Failed(source) => Some(Err(PairError::Read { line: self.lines + 1, source })),
            Source::Exhausted if !self.has_pairs => Some(Err(PairError::NoPairs)),
            _ => None,
        }
    }
}

impl Chunk {
    /// Its pairs, one at a time, as [`Reader`] reads them.
    pub fn pairs(&self) -> Reader<&[u8]> {
        let Self { bytes, labels, columns, lines } = self;
        // A chunk without pairs is no error: another chunk may have some.
        Reader {
            input: bytes,
            labels: *labels,
            columns: *columns,
            buffer: Vec::new(),
            line: *lines,
            pairs: 1,
            ended: false,
        }
    }
}
