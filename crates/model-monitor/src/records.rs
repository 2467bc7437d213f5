//! What stands in a line of the files: captured records, labels, and both merged.
//!
//! Records are read whatever the order of their members, and whatever else they have; they are written with AWS's
//! members in AWS's order. The text of `data` is kept as it is, line ends included.

mod capture;
mod chunks;
mod ground_truth;
mod merged;
mod payload;
pub(crate) mod read;

use serde::{Deserialize, Serialize};

pub use self::{
    capture::{Capture, CaptureData},
    chunks::{Chunk, Chunks},
    ground_truth::{GroundTruth, Label},
    merged::Merged,
    payload::{ContentTypes, Encoding, Mode, Payload},
    read::{MAX_RECORD, RecordError, Records},
};

/// The version of the records that SageMaker writes.
pub const EVENT_VERSION: &str = "0";

/// What identifies a request to an endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EventMetadata {
    /// A UUID of the endpoint's own making; in ground truth, the id of the request that is labelled.
    pub event_id: String,
    /// What the caller sent as `CustomAttributes`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub custom_attributes: Option<serde_json::Value>,
    /// What the caller sent as `InferenceId`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inference_id: Option<String>,
    /// When the request came, in UTC: `2021-05-18T00:29:02Z`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inference_time: Option<String>,
    /// `ShadowExperiment` where a shadow variant was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invocation_source: Option<String>,
}

fn event_version() -> String {
    EVENT_VERSION.to_owned()
}
