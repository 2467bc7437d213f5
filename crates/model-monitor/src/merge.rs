//! The ground truth merge: captured records and labels, joined by id.
//!
//! It is an inner join: a record without label and a label without record are left out, a label serves every record of
//! its id, and a record with several labels is merged with each of them. Labels are kept in memory, records pass by:
//! those of a piece of the whole may pass on a thread of their own.

use std::{
    collections::hash_map::RandomState,
    fmt,
    hash::BuildHasher,
    sync::atomic::{AtomicBool, Ordering},
};

use crate::records::{Capture, Encoding, GroundTruth, Merged};

/// How many ids of what did not match are kept to be shown.
const EXAMPLES: usize = 3;

/// Labels by their id: 32 bytes for each beside its text.
#[derive(Debug, Default)]
pub struct Labels {
    /// Ids and labels, one after the other.
    text: String,
    entries: Vec<Entry>,
    state: RandomState,
}

#[derive(Debug)]
struct Entry {
    /// Of the id.
    hash: u64,
    /// Where in the text the id begins; the label follows.
    start: usize,
    id_length: u32,
    length: u32,
    encoding: Encoding,
    matched: AtomicBool,
}

impl Entry {
    fn id<'a>(&self, text: &'a str) -> &'a str {
        &text[self.start..][..self.id_length as usize]
    }

    fn label<'a>(&self, text: &'a str) -> &'a str {
        &text[self.start + self.id_length as usize..][..self.length as usize]
    }
}

impl Labels {
    /// Keeps a label.
    pub fn add(&mut self, label: &GroundTruth) {
        let (id, data) = (&label.event_metadata.event_id, &label.ground_truth_data.data);
        // Neither is longer than `records::MAX_RECORD`.
        let (Ok(id_length), Ok(length)) = (id.len().try_into(), data.len().try_into()) else { return };
        self.entries.push(Entry {
            hash: self.state.hash_one(id),
            start: self.text.len(),
            id_length,
            length,
            encoding: label.ground_truth_data.encoding,
            matched: AtomicBool::new(false),
        });
        self.text.push_str(id);
        self.text.push_str(data);
    }

    /// All labels are there: records may come.
    #[must_use]
    pub fn join(mut self) -> Join {
        // Labels of one id stay in the order in which they came.
        self.entries.sort_unstable_by_key(|entry| (entry.hash, entry.start));
        Join(self)
    }
}

/// The merge under way. Threads share it.
#[derive(Debug)]
pub struct Join(Labels);

/// How many records of a piece were merged.
#[derive(Debug, Default)]
pub struct Tally {
    captures: u64,
    unmatched: u64,
    merged: u64,
    examples: Vec<String>,
}

impl Tally {
    /// Adds that of the piece that follows.
    pub fn append(&mut self, next: Self) {
        self.captures += next.captures;
        self.unmatched += next.unmatched;
        self.merged += next.merged;
        self.examples.extend(next.examples);
        self.examples.truncate(EXAMPLES);
    }
}

impl Join {
    /// Appends a merged line for each label of the record; none if it has no label.
    pub fn merge(&self, capture: &Capture, out: &mut Vec<u8>, tally: &mut Tally) {
        let Labels { text, entries, state } = &self.0;
        let id = capture.id();
        let hash = state.hash_one(id);
        let first = entries.partition_point(|entry| entry.hash < hash);
        let before = tally.merged;
        for entry in entries[first..].iter().take_while(|entry| entry.hash == hash) {
            if entry.id(text) == id {
                // Read when all threads are done.
                entry.matched.store(true, Ordering::Relaxed);
                tally.merged += 1;
                Merged::write(out, capture, entry.label(text), entry.encoding);
            }
        }
        tally.captures += 1;
        if tally.merged == before {
            tally.unmatched += 1;
            if tally.examples.len() < EXAMPLES {
                tally.examples.push(id.to_owned());
            }
        }
    }

    /// What came together, of the tallies of all pieces.
    #[must_use]
    pub fn report(self, tally: Tally) -> Report {
        let Labels { text, entries, .. } = &self.0;
        let unmatched = || entries.iter().filter(|entry| !entry.matched.load(Ordering::Relaxed));
        let mut repeated = 0;
        for same_hash in entries.chunk_by(|entry, next| entry.hash == next.hash) {
            let is_repeated = |at: &usize| same_hash[..*at].iter().any(|e| e.id(text) == same_hash[*at].id(text));
            repeated += (1..same_hash.len()).filter(is_repeated).count() as u64;
        }
        // In the order in which they came, not in that of their hashes, which is another each time.
        let mut first: Vec<_> = unmatched().collect();
        first.sort_unstable_by_key(|entry| entry.start);
        Report {
            captures: tally.captures,
            unmatched_captures: tally.unmatched,
            labels: entries.len() as u64,
            unmatched_labels: unmatched().count() as u64,
            repeated_labels: repeated,
            merged: tally.merged,
            captures_without_label: tally.examples,
            labels_without_capture: first.iter().take(EXAMPLES).map(|entry| entry.id(text).to_owned()).collect(),
        }
    }
}

/// How well records and labels fit together.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// Captured records.
    pub captures: u64,
    /// Those of them that have no label.
    pub unmatched_captures: u64,
    /// Labels.
    pub labels: u64,
    /// Those of them whose request was not captured.
    pub unmatched_labels: u64,
    /// Labels of an id that another label before had.
    pub repeated_labels: u64,
    /// Merged records.
    pub merged: u64,
    /// Ids of the first records without label.
    pub captures_without_label: Vec<String>,
    /// Ids of the first labels without record.
    pub labels_without_capture: Vec<String>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { captures, unmatched_captures, labels, unmatched_labels, repeated_labels, merged, .. } = self;
        write!(f, "{captures} captured records and {labels} labels give {merged} merged records")?;
        if *unmatched_captures > 0 {
            let ids = self.captures_without_label.join(", ");
            write!(f, "; without label are {unmatched_captures} records, for instance {ids}")?;
        }
        if *unmatched_labels > 0 {
            let ids = self.labels_without_capture.join(", ");
            write!(f, "; without record are {unmatched_labels} labels, for instance {ids}")?;
        }
        if *repeated_labels > 0 {
            write!(f, "; {repeated_labels} labels have the id of another")?;
        }
        Ok(())
    }
}
