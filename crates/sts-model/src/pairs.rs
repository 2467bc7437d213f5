//! Sentence pairs as a tab-separated file with a header, in the layout of the Microsoft Research Paraphrase Corpus:
//! `Quality, #1 ID, #2 ID, #1 String, #2 String`.
//!
//! Fields are not quoted: a quotation mark is text, also at the start of a field. A reader that honours quotes
//! glues rows of the real corpus together and loses them without a word.

mod chunks;

use std::io::{self, BufRead, Read};

pub use self::chunks::{Chunk, Chunks};

/// The names of the columns, in the order of the corpus. A file may have them in any order, and others beside them.
pub const COLUMNS: [&str; 5] = ["Quality", "#1 ID", "#2 ID", "#1 String", "#2 String"];

/// The longest line that is read, in bytes. A longer one is no sentence pair: most likely the file has no line ends.
pub const MAX_LINE: usize = 64 * 1024;

/// Two sentences, and whether they mean the same.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pair {
    /// `true` for a paraphrase. `None` while nobody has judged the pair.
    pub label: Option<bool>,
    /// What the source calls the first sentence.
    pub id1: String,
    /// What the source calls the second sentence.
    pub id2: String,
    /// The first sentence, as written.
    pub sentence1: String,
    /// The second sentence, as written.
    pub sentence2: String,
}

/// Whether every pair must have been judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Labels {
    /// `Quality` must be `0` or `1`: for training and evaluation.
    Required,
    /// `Quality` may also be blank, or not be a column at all: for pairs that are to be judged.
    Optional,
}

/// Why a file of pairs cannot be read. Lines and columns count from 1; the header is line 1.
#[derive(Debug, thiserror::Error)]
pub enum PairError {
    /// The source of the bytes failed.
    #[error("line {line}: cannot be read")]
    Read {
        /// The line that was being read.
        line: u64,
        /// What the source says.
        source: io::Error,
    },
    /// There is nothing, not even a header.
    #[error("the file is empty: expected a header line with the tab-separated columns {}", COLUMNS.join(", "))]
    Empty,
    /// There is a header and nothing else.
    #[error("the file has a header but no pair")]
    NoPairs,
    /// The header lacks a column.
    #[error("line 1: the header has no column {column:?}: expected the tab-separated columns {}, found {found}", COLUMNS.join(", "))]
    MissingColumn {
        /// The column.
        column: &'static str,
        /// The columns that are there.
        found: String,
    },
    /// The header names a column twice, so that it is not clear which is meant.
    #[error("line 1: the header has the column {column:?} twice")]
    DuplicateColumn {
        /// The column.
        column: &'static str,
    },
    /// A row has more or fewer fields than the header.
    #[error(
        "line {line}: {found} tab-separated columns, where the header has {expected} (a sentence must not contain a tab or a line end)"
    )]
    ColumnCount {
        /// The row.
        line: u64,
        /// Columns of the header.
        expected: usize,
        /// Columns of the row.
        found: usize,
    },
    /// A label is something else than `0` or `1`.
    #[error("line {line}, column {column} ({}): {value:?} is not a label: expected 0 or 1", COLUMNS[0])]
    Label {
        /// The row.
        line: u64,
        /// The column's position.
        column: usize,
        /// What is there, shortened.
        value: String,
    },
    /// A byte sequence is not UTF-8.
    #[error("line {line}, column {column}: byte {byte} of the line is not UTF-8: save the file as UTF-8")]
    NotUtf8 {
        /// The row.
        line: u64,
        /// The column's position.
        column: usize,
        /// The position of the first wrong byte in the line, from 1.
        byte: usize,
    },
    /// A line is longer than [`MAX_LINE`].
    #[error("line {line}: longer than {MAX_LINE} bytes: is this a text file with one pair per line?")]
    LineTooLong {
        /// The line.
        line: u64,
    },
}

/// Reads pairs one at a time. A byte-order mark, CRLF line ends, blank lines and a last line without an end are all
/// fine. After an error that leaves the position unknown (a failing source, an endless line) the iterator ends;
/// after any other the next item is the next line's.
#[derive(Debug)]
pub struct Reader<R> {
    input: R,
    labels: Labels,
    columns: Columns,
    buffer: Vec<u8>,
    line: u64,
    pairs: u64,
    ended: bool,
}

/// Where the header has the columns, from 0.
#[derive(Debug, Clone, Copy)]
struct Columns {
    count: usize,
    label: Option<usize>,
    ids: [usize; 2],
    sentences: [usize; 2],
}

impl<R: BufRead> Reader<R> {
    /// Reads the header.
    ///
    /// # Errors
    /// The source fails, is empty, or its first line is no header with the five columns.
    pub fn new(mut input: R, labels: Labels) -> Result<Self, PairError> {
        let mut buffer = Vec::new();
        if !read_line(&mut input, &mut buffer, 1)? {
            return Err(PairError::Empty);
        }
        let columns = Columns::parse(utf8(&buffer, 1)?, labels)?;
        Ok(Self { input, labels, columns, buffer, line: 1, pairs: 0, ended: false })
    }

    /// The rest of the file in chunks of about so many bytes. All pairs of all chunks are, in this order, what the
    /// reader itself would have given; so are the errors.
    pub fn chunks(self, size: usize) -> Chunks<R> {
        let Self { input, labels, columns, line, pairs, .. } = self;
        Chunks::new(input, size, (labels, columns), line, pairs > 0)
    }

    /// Reads the next pair into one that is there already, whose memory is used again; `None` at the end. As
    /// [`Iterator::next`] otherwise. After an error, the pair may be half the old one.
    pub fn read_into(&mut self, pair: &mut Pair) -> Option<Result<(), PairError>> {
        if self.ended {
            return None;
        }
        let item = self.try_read(pair).transpose();
        self.ended = matches!(
            item,
            None | Some(Err(PairError::Read { .. } | PairError::LineTooLong { .. } | PairError::NoPairs))
        );
        item
    }

    /// Reads the next line that is not blank; `None` at the end.
    fn try_read(&mut self, pair: &mut Pair) -> Result<Option<()>, PairError> {
        loop {
            self.line += 1;
            if !read_line(&mut self.input, &mut self.buffer, self.line)? {
                return if self.pairs == 0 { Err(PairError::NoPairs) } else { Ok(None) };
            }
            if !self.buffer.is_empty() {
                // A row that is refused is a row, too: the file is not without pairs.
                self.pairs += 1;
                let line = utf8(&self.buffer, self.line)?;
                return self.columns.fill(pair, line, self.line, self.labels).map(Some);
            }
        }
    }
}

impl<R: BufRead> Iterator for Reader<R> {
    type Item = Result<Pair, PairError>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut pair = Pair::default();
        self.read_into(&mut pair).map(|read| read.map(|()| pair))
    }
}

impl Columns {
    fn parse(header: &str, labels: Labels) -> Result<Self, PairError> {
        let names: Vec<&str> = header.split('\t').map(str::trim).collect();
        let position = |column: &'static str| {
            let mut places = names.iter().enumerate().filter(|(_, name)| **name == column).map(|(place, _)| place);
            match (places.next(), places.next()) {
                (Some(place), None) => Ok(place),
                (Some(_), Some(_)) => Err(PairError::DuplicateColumn { column }),
                (None, _) => Err(PairError::MissingColumn { column, found: shortened(&names.join(", ")) }),
            }
        };
        let [label, id1, id2, sentence1, sentence2] = COLUMNS;
        Ok(Self {
            count: names.len(),
            label: match (labels, position(label)) {
                (Labels::Optional, Err(PairError::MissingColumn { .. })) => None,
                (_, found) => Some(found?),
            },
            ids: [position(id1)?, position(id2)?],
            sentences: [position(sentence1)?, position(sentence2)?],
        })
    }

    fn fill(&self, pair: &mut Pair, line: &str, number: u64, labels: Labels) -> Result<(), PairError> {
        let [id1, id2] = self.ids;
        let [sentence1, sentence2] = self.sentences;
        let mut texts = [
            (id1, &mut pair.id1),
            (id2, &mut pair.id2),
            (sentence1, &mut pair.sentence1),
            (sentence2, &mut pair.sentence2),
        ];
        let (mut found, mut label) = (0, "");
        for (place, field) in line.split('\t').enumerate() {
            found += 1;
            if let Some((_, text)) = texts.iter_mut().find(|(column, _)| *column == place) {
                text.clear();
                text.push_str(field);
            } else if self.label == Some(place) {
                label = field.trim();
            }
        }
        if found != self.count {
            return Err(PairError::ColumnCount { line: number, expected: self.count, found });
        }
        pair.label = match (self.label, label) {
            (Some(_), "0") => Some(false),
            (Some(_), "1") => Some(true),
            (Some(column), value) if !(value.is_empty() && labels == Labels::Optional) => {
                return Err(PairError::Label { line: number, column: column + 1, value: shortened(value) });
            }
            _ => None,
        };
        Ok(())
    }
}

/// Reads one line into `buffer`, without its end and, on line 1, without the byte-order mark; `false` at the end.
fn read_line(input: &mut impl BufRead, buffer: &mut Vec<u8>, line: u64) -> Result<bool, PairError> {
    // Room for the line end and the byte-order mark beside the line itself.
    const LIMIT: u64 = MAX_LINE as u64 + 5;
    buffer.clear();
    let read = input.take(LIMIT).read_until(b'\n', buffer).map_err(|source| PairError::Read { line, source })?;
    if line == 1 && buffer.starts_with(b"\xEF\xBB\xBF") {
        buffer.drain(..3);
    }
    if buffer.last() == Some(&b'\n') {
        buffer.pop();
    }
    if buffer.last() == Some(&b'\r') {
        buffer.pop();
    }
    if buffer.len() > MAX_LINE {
        return Err(PairError::LineTooLong { line });
    }
    Ok(read > 0)
}

fn utf8(bytes: &[u8], line: u64) -> Result<&str, PairError> {
    std::str::from_utf8(bytes).map_err(|error| {
        let valid = &bytes[..error.valid_up_to()];
        let column = valid.iter().filter(|byte| **byte == b'\t').count() + 1;
        PairError::NotUtf8 { line, column, byte: valid.len() + 1 }
    })
}

/// The start of a text from a file, short enough for a message.
pub(crate) fn shortened(text: &str) -> String {
    const LENGTH: usize = 80;
    match text.char_indices().nth(LENGTH) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests;
