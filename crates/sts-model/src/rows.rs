//! The rows that travel between the steps, as CSV by SageMaker's convention for its own algorithms: no header, the
//! label first, then the features; for inference the features alone.

use std::{
    fmt::Write,
    io::{self, BufRead, Read},
};

use crate::pairs::shortened;

/// The longest row that is read, in bytes: far more than any row of features needs.
pub const MAX_ROW: usize = 64 * 1024;

/// Feature vectors of one length with their labels: what a model is fitted to.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    columns: usize,
    labels: Vec<bool>,
    /// Row after row.
    features: Vec<f64>,
}

/// Why a row cannot be used. Rows and columns count from 1; the label, where there is one, is column 1.
#[derive(Debug, thiserror::Error)]
pub enum RowError {
    /// The source of the bytes failed.
    #[error("row {row}: cannot be read")]
    Read {
        /// The row that was being read.
        row: u64,
        /// What the source says.
        source: io::Error,
    },
    /// There is not a single row.
    #[error("there are no rows")]
    Empty,
    /// A row without content.
    #[error("row {row}: is blank")]
    Blank {
        /// The row.
        row: u64,
    },
    /// More or fewer columns than there should be.
    #[error("row {row}: {found} columns, expected {expected}")]
    ColumnCount {
        /// The row.
        row: u64,
        /// As many there should be, with the label.
        expected: usize,
        /// As many there are.
        found: usize,
    },
    /// A label is something else than `0` or `1`.
    #[error("row {row}, column 1: {value:?} is not a label: expected 0 or 1")]
    Label {
        /// The row.
        row: u64,
        /// What is there, shortened.
        value: String,
    },
    /// A feature is no number.
    #[error("row {row}, column {column}: {value:?} is not a number")]
    NotANumber {
        /// The row.
        row: u64,
        /// The column's position.
        column: usize,
        /// What is there, shortened.
        value: String,
    },
    /// A feature is NaN or infinite.
    #[error("row {row}, column {column}: {value} is not finite")]
    NotFinite {
        /// The row.
        row: u64,
        /// The column's position.
        column: usize,
        /// The number.
        value: f64,
    },
    /// The bytes are not UTF-8.
    #[error("row {row}: is not UTF-8 text")]
    NotUtf8 {
        /// The row.
        row: u64,
    },
    /// A row is longer than [`MAX_ROW`].
    #[error("row {row}: longer than {MAX_ROW} bytes")]
    TooLong {
        /// The row.
        row: u64,
    },
}

impl Dataset {
    /// An empty data set of rows with as many features.
    pub fn new(columns: usize) -> Self {
        Self { columns, labels: Vec::new(), features: Vec::new() }
    }

    /// Reads labelled rows to the end.
    ///
    /// # Errors
    /// The source fails, there is no row, or a row is not what it should be.
    pub fn read(input: impl BufRead, columns: usize) -> Result<Self, RowError> {
        let mut dataset = Self::new(columns);
        for row in Labelled::new(input, columns) {
            let (label, features) = row?;
            dataset.push(label, &features)?;
        }
        if dataset.is_empty() { Err(RowError::Empty) } else { Ok(dataset) }
    }

    /// Adds a row.
    ///
    /// # Errors
    /// The number of features is another, or one of them is not finite.
    pub fn push(&mut self, label: bool, features: &[f64]) -> Result<(), RowError> {
        let row = self.labels.len() as u64 + 1;
        if features.len() != self.columns {
            return Err(RowError::ColumnCount { row, expected: self.columns + 1, found: features.len() + 1 });
        }
        if let Some((place, value)) = features.iter().enumerate().find(|(_, value)| !value.is_finite()) {
            return Err(RowError::NotFinite { row, column: place + 2, value: *value });
        }
        self.labels.push(label);
        self.features.extend_from_slice(features);
        Ok(())
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// How many features a row has.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// The labels, row by row.
    pub fn labels(&self) -> &[bool] {
        &self.labels
    }

    /// The features, row by row.
    pub fn features(&self) -> impl Iterator<Item = &[f64]> {
        (0..self.len()).map(|row| &self.features[row * self.columns..(row + 1) * self.columns])
    }
}

/// Reads rows of a label and features, one at a time, from a source of lines. Ends after the first error.
#[derive(Debug)]
pub struct Labelled<R>(Lines<R>);

/// Reads rows of features, one at a time, from a source of lines. Ends after the first error.
#[derive(Debug)]
pub struct Unlabelled<R>(Lines<R>);

impl<R: BufRead> Labelled<R> {
    /// Rows of a label and as many features.
    pub fn new(input: R, features: usize) -> Self {
        Self(Lines::new(input, features))
    }
}

impl<R: BufRead> Unlabelled<R> {
    /// Rows of as many features.
    pub fn new(input: R, features: usize) -> Self {
        Self(Lines::new(input, features))
    }
}

impl<R: BufRead> Iterator for Labelled<R> {
    type Item = Result<(bool, Vec<f64>), RowError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next(parse_labelled)
    }
}

impl<R: BufRead> Iterator for Unlabelled<R> {
    type Item = Result<Vec<f64>, RowError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next(parse)
    }
}

/// Appends a row of features, with its line end, as [`write_number`] writes them.
pub fn write(out: &mut String, features: &[f64]) {
    for (place, value) in features.iter().enumerate() {
        if place > 0 {
            out.push(',');
        }
        write_number(out, *value);
    }
    out.push('\n');
}

/// Appends a number in the shortest form that reads back as the same number, without an exponent: as
/// [`f64`'s `Display`](f64) does, only several times faster for numbers of everyday size. (Where two forms are equally
/// short and equally close, the last digit is the even one; `Display` has no rule for that.)
pub fn write_number(out: &mut String, value: f64) {
    let size = value.abs();
    if size == 0.0 || (1e-4..1e15).contains(&size) {
        let mut buffer = zmij::Buffer::new();
        let written = buffer.format_finite(value);
        out.push_str(written.strip_suffix(".0").unwrap_or(written));
    } else {
        // Writing to a string cannot fail.
        let _ = write!(out, "{value}");
    }
}

/// Appends a row of label and features, with its line end.
pub fn write_labelled(out: &mut String, label: bool, features: &[f64]) {
    out.push_str(if label { "1," } else { "0," });
    write(out, features);
}

/// Reads one row of features. `row` is its number for messages, `features` how many there must be.
///
/// # Errors
/// The row is blank, has another number of columns, or one of them is no finite number.
pub fn parse(line: &str, row: u64, features: usize) -> Result<Vec<f64>, RowError> {
    check_shape(line, row, features)?;
    line.split(',').enumerate().map(|(place, field)| number(field, row, place + 1)).collect()
}

/// Reads one row of label and features. `row` is its number for messages, `features` how many there must be.
///
/// # Errors
/// As [`parse`]; or the label is not `0` or `1`.
pub fn parse_labelled(line: &str, row: u64, features: usize) -> Result<(bool, Vec<f64>), RowError> {
    check_shape(line, row, features + 1)?;
    let (label, rest) = line.split_once(',').unwrap_or((line, ""));
    let label = match label.trim() {
        "0" => false,
        "1" => true,
        other => return Err(RowError::Label { row, value: shortened(other) }),
    };
    let fields = rest.split(',').take(features).enumerate();
    Ok((label, fields.map(|(place, field)| number(field, row, place + 2)).collect::<Result<_, _>>()?))
}

/// Lines of a limited length, with their number.
#[derive(Debug)]
struct Lines<R> {
    input: R,
    features: usize,
    buffer: Vec<u8>,
    row: u64,
    ended: bool,
}

impl<R: BufRead> Lines<R> {
    fn new(input: R, features: usize) -> Self {
        Self { input, features, buffer: Vec::new(), row: 0, ended: false }
    }

    fn next<T>(&mut self, parse: fn(&str, u64, usize) -> Result<T, RowError>) -> Option<Result<T, RowError>> {
        if self.ended {
            return None;
        }
        self.row += 1;
        let features = self.features;
        let row = self.row;
        let item = self.line().and_then(|line| line.map(|line| parse(line, row, features)).transpose());
        self.ended = !matches!(item, Ok(Some(_)));
        item.transpose()
    }

    fn line(&mut self) -> Result<Option<&str>, RowError> {
        // Room for the line end beside the row itself.
        const LIMIT: u64 = MAX_ROW as u64 + 2;
        let row = self.row;
        self.buffer.clear();
        let mut input = (&mut self.input).take(LIMIT);
        let read = input.read_until(b'\n', &mut self.buffer).map_err(|source| RowError::Read { row, source })?;
        let mut line = self.buffer.as_slice();
        line = line.strip_suffix(b"\n").unwrap_or(line);
        line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.len() > MAX_ROW {
            return Err(RowError::TooLong { row });
        }
        let line = std::str::from_utf8(line).map_err(|_| RowError::NotUtf8 { row })?;
        Ok((read > 0).then_some(line))
    }
}

fn check_shape(line: &str, row: u64, expected: usize) -> Result<(), RowError> {
    if line.trim().is_empty() {
        return Err(RowError::Blank { row });
    }
    let found = line.split(',').count();
    if found == expected { Ok(()) } else { Err(RowError::ColumnCount { row, expected, found }) }
}

fn number(field: &str, row: u64, column: usize) -> Result<f64, RowError> {
    let field = field.trim();
    match field.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(value),
        Ok(value) => Err(RowError::NotFinite { row, column, value }),
        Err(_) => Err(RowError::NotANumber { row, column, value: shortened(field) }),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check_labelled(text: &[u8], expected: &[Result<(bool, &[f64]), &str>]) {
        let read: Vec<_> = Labelled::new(text, 2).map(|row| row.map_err(|error| error.to_string())).collect();
        let expected: Vec<_> = expected
            .iter()
            .map(|row| row.map(|(label, features)| (label, features.to_vec())).map_err(str::to_owned))
            .collect();
        assert_eq!(read, expected);
    }

    #[test]
    fn reads_labelled_rows() {
        check_labelled(b"", &[]);
        check_labelled(b"1,0.5,-2\r\n0, 1e-3 ,3", &[Ok((true, &[0.5, -2.0])), Ok((false, &[1e-3, 3.0]))]);
    }

    #[test]
    fn bad_rows_have_a_reason_and_end_the_reading() {
        check_labelled(b"1,2,3\n1,2\n1,2,3\n", &[Ok((true, &[2.0, 3.0])), Err("row 2: 2 columns, expected 3")]);
        check_labelled(b"1,2,3,4", &[Err("row 1: 4 columns, expected 3")]);
        check_labelled(b"\n", &[Err("row 1: is blank")]);
        check_labelled(b"2,2,3", &[Err("row 1, column 1: \"2\" is not a label: expected 0 or 1")]);
        check_labelled(b"Quality,a,b", &[Err("row 1, column 1: \"Quality\" is not a label: expected 0 or 1")]);
        check_labelled(b"1,2,x", &[Err("row 1, column 3: \"x\" is not a number")]);
        check_labelled(b"1,,2", &[Err("row 1, column 2: \"\" is not a number")]);
        check_labelled(b"1,2,NaN", &[Err("row 1, column 3: NaN is not finite")]);
        check_labelled(b"1,-inf,2", &[Err("row 1, column 2: -inf is not finite")]);
        check_labelled(b"1,1e999,2", &[Err("row 1, column 2: inf is not finite")]);
        check_labelled(b"1,\xff,2", &[Err("row 1: is not UTF-8 text")]);
        check_labelled(&vec![b'1'; MAX_ROW + 1], &[Err("row 1: longer than 65536 bytes")]);
    }

    #[test]
    fn reads_rows_without_label() {
        let read: Vec<_> = Unlabelled::new(&b"1,2\n3\n"[..], 2).map(|row| row.map_err(|e| e.to_string())).collect();
        assert_eq!(read, [Ok(vec![1.0, 2.0]), Err("row 2: 1 columns, expected 2".to_owned())]);
    }

    #[test]
    fn a_data_set_takes_only_rows_of_its_shape() {
        let mut dataset = Dataset::new(2);
        dataset.push(true, &[1.0, 2.0]).unwrap();
        assert_eq!(dataset.push(true, &[1.0]).unwrap_err().to_string(), "row 2: 2 columns, expected 3");
        let error = dataset.push(true, &[f64::NAN, 1.0]).unwrap_err();
        assert_eq!(error.to_string(), "row 2, column 2: NaN is not finite");
        assert_eq!((dataset.len(), dataset.features().count()), (1, 1));
        assert!(matches!(Dataset::read(&b""[..], 2), Err(RowError::Empty)));
    }

    #[track_caller]
    fn check_number(value: f64) {
        let mut text = String::new();
        write_number(&mut text, value);
        let standard = value.to_string();
        assert_eq!((text.parse(), text.len()), (Ok(value), standard.len()), "{text} for {standard}");
    }

    #[test]
    fn numbers_are_written_as_the_standard_library_does() {
        for size in [0.0, 1e-5, 1e-4, 0.000_123, 0.1, 1.0, 10.0, 1e14, 1e15, 1e16, 1e300, f64::MAX, f64::MIN_POSITIVE] {
            for value in [size, -size, size.next_down(), size.next_up(), size * 1.1] {
                check_number(value);
            }
        }
        // Halfway between its two shortest forms, .62 and .63: it is .625.
        check_number(-124_775_653_846_906.62);
    }

    proptest! {
        #[test]
        fn any_number_is_written_as_short_as_the_standard_library_does(value: f64, small in -10.0..10.0, whole in -1_000_000..1_000_000) {
            check_number(small);
            check_number(f64::from(whole));
            if value.is_finite() {
                check_number(value);
            }
        }

        #[test]
        fn rows_read_back_bit_by_bit(label: bool, features in proptest::collection::vec(proptest::num::f64::NORMAL | proptest::num::f64::SUBNORMAL | proptest::num::f64::ZERO, 1..8)) {
            let mut text = String::new();
            write_labelled(&mut text, label, &features);
            let line = text.strip_suffix('\n').unwrap();
            let (read_label, read) = parse_labelled(line, 1, features.len()).unwrap();
            prop_assert_eq!(read_label, label);
            let bits = |list: &[f64]| list.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
            prop_assert_eq!(bits(&read), bits(&features));
            prop_assert_eq!(bits(&parse(&line[2..], 1, features.len()).unwrap()), bits(&features));
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            for (_, features) in Labelled::new(bytes.as_slice(), 2).flatten() {
                prop_assert!(features.iter().all(|x| x.is_finite()));
            }
        }
    }
}
