//! Labels that came after the requests.

use serde::{Deserialize, Serialize};

use super::{EVENT_VERSION, Encoding, EventMetadata, event_version, read};

/// What a request should have been answered: a line of the ground truth files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GroundTruth {
    /// The label.
    pub ground_truth_data: Label,
    /// Its `eventId` says which request: the captured record's `inferenceId`, or without one its `eventId`.
    pub event_metadata: EventMetadata,
    /// [`EVENT_VERSION`].
    #[serde(default = "event_version")]
    pub event_version: String,
}

/// A label as text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Label {
    /// The text: nothing is trimmed.
    pub data: String,
    /// What the text is.
    pub encoding: Encoding,
}

impl GroundTruth {
    /// The label of a request, as a value of CSV.
    #[must_use]
    pub fn new(id: &str, label: &str) -> Self {
        Self {
            ground_truth_data: Label { data: label.to_owned(), encoding: Encoding::Csv },
            event_metadata: EventMetadata { event_id: id.to_owned(), ..EventMetadata::default() },
            event_version: EVENT_VERSION.to_owned(),
        }
    }

    /// Appends the record as a line, with its line end.
    pub fn write(&self, out: &mut Vec<u8>) {
        read::write(out, self);
    }
}
