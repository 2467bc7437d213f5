//! A captured request together with its label, as AWS's merge job writes it: most members in alphabetical order.

use serde::{Deserialize, Serialize};

use super::{Capture, CaptureData, Encoding, EventMetadata, Label, Mode, Payload, read};

/// A line of the merged files.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Merged {
    /// The label.
    pub ground_truth_data: Label,
    /// What was captured.
    pub capture_data: CaptureData,
    /// Which request it was, by the ids of the captured record.
    pub event_metadata: EventMetadata,
}

impl Merged {
    /// Appends the line that merges the two, with its line end. `data` and `encoding` are those of the label.
    pub fn write(out: &mut Vec<u8>, capture: &Capture, data: &str, encoding: Encoding) {
        let sides = &capture.capture_data;
        let ids = &capture.event_metadata;
        let line = Line {
            event_version: &capture.event_version,
            ground_truth_data: LabelInOrder { data, encoding },
            capture_data: SidesInOrder {
                batch_transform_output: sides.batch_transform_output.as_ref().map(PayloadInOrder::of),
                endpoint_input: sides.endpoint_input.as_ref().map(PayloadInOrder::of),
                endpoint_output: sides.endpoint_output.as_ref().map(PayloadInOrder::of),
            },
            event_metadata: IdsInOrder {
                custom_attributes: ids.custom_attributes.as_ref(),
                event_id: &ids.event_id,
                inference_id: ids.inference_id.as_deref(),
                inference_time: ids.inference_time.as_deref(),
                invocation_source: ids.invocation_source.as_deref(),
            },
        };
        read::write(out, &line);
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Line<'a> {
    event_version: &'a str,
    ground_truth_data: LabelInOrder<'a>,
    capture_data: SidesInOrder<'a>,
    event_metadata: IdsInOrder<'a>,
}

#[derive(Serialize)]
struct LabelInOrder<'a> {
    data: &'a str,
    encoding: Encoding,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SidesInOrder<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    batch_transform_output: Option<PayloadInOrder<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    endpoint_input: Option<PayloadInOrder<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    endpoint_output: Option<PayloadInOrder<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PayloadInOrder<'a> {
    data: &'a str,
    encoding: Encoding,
    #[serde(skip_serializing_if = "Option::is_none")]
    mode: Option<Mode>,
    #[serde(skip_serializing_if = "Option::is_none")]
    observed_content_type: Option<&'a str>,
}

impl<'a> PayloadInOrder<'a> {
    fn of(payload: &'a Payload) -> Self {
        Self {
            data: &payload.data,
            encoding: payload.encoding,
            mode: payload.mode,
            observed_content_type: payload.observed_content_type.as_deref(),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct IdsInOrder<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    custom_attributes: Option<&'a serde_json::Value>,
    event_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    inference_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    inference_time: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    invocation_source: Option<&'a str>,
}
