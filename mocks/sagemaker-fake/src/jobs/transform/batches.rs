//! An object to the bodies of requests: split into records, a record or as many as may go into each.

use std::io::{self, BufRead};

use super::association::Association;
use super::request::{Manner, Strategy};

/// One request's worth of records.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Batch {
    /// What the model is asked.
    pub body: Vec<u8>,
    /// The records that it stands for, if they are needed for what is kept.
    pub records: Vec<Vec<u8>>,
}

/// The batches of one object.
pub(super) struct Batches {
    content: Box<dyn BufRead + Send>,
    by_line: bool,
    manner: Manner,
    association: Association,
    /// A record that was too much for the last batch.
    waiting: Option<Record>,
}

/// A record.
struct Record {
    /// As the object has it, if it is needed for what is kept.
    whole: Vec<u8>,
    /// What the model is shown of it.
    shown: Vec<u8>,
}

impl Batches {
    pub(super) fn new(
        content: Box<dyn BufRead + Send>,
        by_line: bool,
        manner: Manner,
        association: Association,
    ) -> Self {
        Self { content, by_line, manner, association, waiting: None }
    }

    /// The next `count` batches; fewer if the object ends. The error is a sentence.
    pub(super) fn take(&mut self, count: usize) -> Result<Vec<Batch>, String> {
        let mut batches = Vec::new();
        while batches.len() < count
            && let Some(batch) = self.next()?
        {
            batches.push(batch);
        }
        Ok(batches)
    }

    fn next(&mut self) -> Result<Option<Batch>, String> {
        let limit = if self.manner.max_payload == 0 { usize::MAX } else { self.manner.max_payload << 20 };
        let several = self.by_line && self.manner.strategy == Strategy::MultiRecord;
        let mut batch: Option<Batch> = None;
        loop {
            let Some(Record { whole, mut shown }) = self.record()? else { return Ok(batch) };
            // Of several, each has its delimiter, as the object has it.
            if several {
                shown.push(b'\n');
            }
            if shown.len() > limit {
                return Err("Too much data for max payload size".to_owned());
            }
            if batch.as_ref().is_some_and(|batch| batch.body.len() + shown.len() > limit) {
                shown.pop();
                self.waiting = Some(Record { whole, shown });
                return Ok(batch);
            }
            let filled = batch.get_or_insert_default();
            filled.body.append(&mut shown);
            if !self.association.keeps_all() {
                filled.records.push(whole);
            }
            if !several {
                return Ok(batch);
            }
        }
    }

    fn record(&mut self) -> Result<Option<Record>, String> {
        if let Some(waiting) = self.waiting.take() {
            return Ok(Some(waiting));
        }
        let Some(record) = self.read().map_err(|error| error.to_string())? else { return Ok(None) };
        let whole = if self.association.keeps_all() { Vec::new() } else { record.clone() };
        Ok(Some(Record { whole, shown: self.association.shown(record)? }))
    }

    fn read(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut record = Vec::new();
        if !self.by_line {
            let length = self.content.read_to_end(&mut record)?;
            return Ok((length > 0).then_some(record));
        }
        loop {
            if self.content.read_until(b'\n', &mut record)? == 0 {
                return Ok(None);
            }
            while record.last().is_some_and(|byte| matches!(byte, b'\n' | b'\r')) {
                record.pop();
            }
            // A line with nothing in it is no record.
            if !record.is_empty() {
                return Ok(Some(record));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::association::DataProcessing;
    use super::*;

    fn bodies(content: &str, by_line: bool, strategy: Strategy, max_payload: usize) -> Result<Vec<String>, String> {
        let manner = Manner { concurrent: 1, max_payload, strategy };
        let association = Association::new(&DataProcessing::default(), None, None, by_line, true).unwrap();
        let content = Box::new(io::Cursor::new(content.to_owned()));
        let batches = Batches::new(content, by_line, manner, association).take(100)?;
        Ok(batches.into_iter().map(|batch| String::from_utf8(batch.body).unwrap()).collect())
    }

    #[test]
    fn objects_become_bodies() {
        fn check(content: &str, by_line: bool, strategy: Strategy, expected: &[&str]) {
            assert_eq!(bodies(content, by_line, strategy, 6).unwrap(), expected, "{content:?}");
        }
        check("1,2\n3,4\n", true, Strategy::SingleRecord, &["1,2", "3,4"]);
        check("1,2\r\n\n3,4", true, Strategy::SingleRecord, &["1,2", "3,4"]);
        check("1,2\n3,4", true, Strategy::MultiRecord, &["1,2\n3,4\n"]);
        check("1,2\n3,4\n", false, Strategy::MultiRecord, &["1,2\n3,4\n"]);
        check("", true, Strategy::MultiRecord, &[]);
        check("", false, Strategy::SingleRecord, &[]);
    }

    #[test]
    fn bodies_are_no_longer_than_they_may_be() {
        let line = "x".repeat(400 << 10);
        let content = format!("{line}\n{line}\n{line}\n");
        let lengths: Vec<_> =
            bodies(&content, true, Strategy::MultiRecord, 1).unwrap().iter().map(String::len).collect();
        assert_eq!(lengths, [2 * (line.len() + 1), line.len() + 1]);
        assert_eq!(
            bodies(&content, false, Strategy::MultiRecord, 1).unwrap_err(),
            "Too much data for max payload size"
        );
        assert_eq!(bodies(&content, false, Strategy::MultiRecord, 0).unwrap().len(), 1, "0 is without limit");
    }
}
