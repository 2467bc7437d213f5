//! What an endpoint captured of a request.

use serde::{Deserialize, Serialize};

use super::{EVENT_VERSION, EventMetadata, Payload, event_version, read};

/// A captured request with its answer: a line of the files that an endpoint with data capture writes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Capture {
    /// The sides that are captured.
    pub capture_data: CaptureData,
    /// Which request it was.
    pub event_metadata: EventMetadata,
    /// [`EVENT_VERSION`].
    #[serde(default = "event_version")]
    pub event_version: String,
}

/// The captured sides of a request. A monitor's `captureIndexNames` are the names of these members.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CaptureData {
    /// What the endpoint was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint_input: Option<Payload>,
    /// What it answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint_output: Option<Payload>,
    /// A row that a batch transform job answered, after the row that it was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch_transform_output: Option<Payload>,
}

impl Capture {
    /// A record of this version.
    #[must_use]
    pub fn new(capture_data: CaptureData, event_metadata: EventMetadata) -> Self {
        Self { capture_data, event_metadata, event_version: EVENT_VERSION.to_owned() }
    }

    /// By which id a label finds the request: that of the caller, else that of the endpoint.
    #[must_use]
    pub fn id(&self) -> &str {
        self.event_metadata.inference_id.as_deref().unwrap_or(&self.event_metadata.event_id)
    }

    /// Appends the record as a line, with its line end.
    pub fn write(&self, out: &mut Vec<u8>) {
        read::write(out, self);
    }
}
