//! The ground truth merge: captured records and labels, joined by id.
//!
//! It is an inner join: a record without label and a label without record are left out, a label serves every record of
//! its id, and a record with several labels is merged with each of them. Labels are kept in memory, records pass by:
//! those of a piece of the whole may pass on a thread of their own.

use std::{
    collections::hash_map::RandomState,
    fmt,
    hash::BuildHasher,
    iter, mem,
    sync::atomic::{AtomicBool, Ordering},
};

use crate::records::{Capture, Encoding, GroundTruth, Merged};

/// How many ids of what did not match are kept to be shown.
const EXAMPLES: usize = 3;

/// Labels by their id: 40 bytes for each beside its text.
#[derive(Debug, Default)]
pub struct Labels {
    /// Ids and labels, one after the other.
    text: String,
    entries: Vec<Entry>,
    state: RandomState,
}

#[derive(Debug)]
struct Entry {
    /// Half of that of the id.
    hash: u32,
    /// Where in the text the id begins; the label follows.
    start: usize,
    id_length: u32,
    length: u32,
    encoding: Encoding,
    matched: AtomicBool,
    /// The next entry with a hash like this one.
    next: usize,
}

/// The place of no entry.
const NOWHERE: usize = usize::MAX;

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
            hash: self.hash(id),
            start: self.text.len(),
            id_length,
            length,
            encoding: label.ground_truth_data.encoding,
            matched: AtomicBool::new(false),
            next: NOWHERE,
        });
        self.text.push_str(id);
        self.text.push_str(data);
    }

    fn hash(&self, id: &str) -> u32 {
        self.state.hash_one(id) as u32
    }

    /// All labels are there: records may come.
    #[must_use]
    pub fn join(mut self) -> Join {
        let mut first = vec![NOWHERE; self.entries.len().max(1)];
        // From the last to the first: labels of one id are found in the order in which they came.
        for (place, entry) in self.entries.iter_mut().enumerate().rev() {
            let like = entry.hash as usize % first.len();
            entry.next = mem::replace(&mut first[like], place);
        }
        Join { labels: self, first }
    }
}

/// The merge under way. Threads share it.
#[derive(Debug)]
pub struct Join {
    labels: Labels,
    /// For each remainder of a hash, the place of the first entry.
    first: Vec<usize>,
}

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
        let (id, before) = (capture.id(), tally.merged);
        let hash = self.labels.hash(id);
        for entry in self.same(self.first[hash as usize % self.first.len()], hash, id) {
            // Read when all threads are done.
            entry.matched.store(true, Ordering::Relaxed);
            tally.merged += 1;
            Merged::write(out, capture, entry.label(&self.labels.text), entry.encoding);
        }
        tally.captures += 1;
        if tally.merged == before {
            tally.unmatched += 1;
            if tally.examples.len() < EXAMPLES {
                tally.examples.push(id.to_owned());
            }
        }
    }

    /// Entries of an id, from a place on.
    fn same(&self, place: usize, hash: u32, id: &str) -> impl Iterator<Item = &Entry> {
        let Labels { text, entries, .. } = &self.labels;
        let like = iter::successors(entries.get(place), |entry| entries.get(entry.next));
        like.filter(move |entry| entry.hash == hash && entry.id(text) == id)
    }

    /// What came together, of the tallies of all pieces.
    #[must_use]
    pub fn report(self, tally: Tally) -> Report {
        let Labels { text, entries, .. } = &self.labels;
        let unmatched = || entries.iter().filter(|entry| !entry.matched.load(Ordering::Relaxed));
        // Of labels with one id, each but the last has another after it; so many have another before them.
        let is_repeated = |entry: &&Entry| self.same(entry.next, entry.hash, entry.id(text)).next().is_some();
        Report {
            captures: tally.captures,
            unmatched_captures: tally.unmatched,
            labels: entries.len() as u64,
            unmatched_labels: unmatched().count() as u64,
            repeated_labels: entries.iter().filter(is_repeated).count() as u64,
            merged: tally.merged,
            captures_without_label: tally.examples,
            labels_without_capture: unmatched().take(EXAMPLES).map(|entry| entry.id(text).to_owned()).collect(),
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
