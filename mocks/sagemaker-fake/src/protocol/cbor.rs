//! rpc-v2-cbor: a map in, a map out, and the operation in the path. Many of CloudWatch's newer clients speak it.
//!
//! Inside the fake a value is JSON, as in all protocols: a timestamp is a number of seconds, bytes are base64.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use ciborium::Value as Cbor;
use http::{HeaderValue, Response, StatusCode};
use serde_json::{Map, Number, Value};

use super::{Service, response};
use crate::ApiError;
use crate::validation::{Api, Kind};

const CONTENT_TYPE: &str = "application/cbor";

/// The tag of a timestamp: seconds since 1970.
const EPOCH: u64 = 1;

/// The header by which both sides say what they speak.
pub(super) const PROTOCOL_HEADER: &str = "smithy-protocol";
const PROTOCOL: HeaderValue = HeaderValue::from_static("rpc-v2-cbor");

/// The input. No body at all is an empty map.
pub(super) fn read(body: &[u8]) -> Result<Value, ApiError> {
    if body.is_empty() {
        return Ok(Value::Object(Map::new()));
    }
    let malformed = |why: &dyn std::fmt::Display| {
        ApiError::new("SerializationException", format!("The body of the request is not CBOR: {why}"))
    };
    match ciborium::from_reader(body).map(json) {
        Ok(input @ Value::Object(_)) => Ok(input),
        Ok(_) => Err(malformed(&"it is not a map")),
        Err(error) => Err(malformed(&error)),
    }
}

/// The answer of an operation.
pub(super) fn write(service: Service, operation: &str, result: Result<Value, ApiError>) -> Response<Bytes> {
    let (status, body, query_error) = match result {
        Ok(output) => {
            let api = service.api();
            let shape = api.operation(operation).and_then(|operation| operation.output.as_deref());
            // An operation without output answers with an empty map.
            let body = shape.map_or_else(|| Cbor::Map(Vec::new()), |shape| cbor(api, shape, output));
            (StatusCode::OK, body, None)
        }
        Err(error) => {
            let query_error = service.query_error(&error);
            let text = |text: &str| Cbor::Text(text.to_owned());
            let body = vec![(text("__type"), text(&error.code)), (text("message"), text(&error.message))];
            (error.status, Cbor::Map(body), query_error)
        }
    };
    let mut bytes = Vec::new();
    if let Err(error) = ciborium::into_writer(&body, &mut bytes) {
        tracing::error!("an answer of {operation} cannot be written as CBOR: {error}");
    }
    let mut response = response(status, CONTENT_TYPE, bytes);
    response.headers_mut().insert(PROTOCOL_HEADER, PROTOCOL);
    if let Some(query_error) = query_error {
        response.headers_mut().insert(super::QUERY_ERROR, query_error);
    }
    response
}

fn json(value: Cbor) -> Value {
    match value {
        Cbor::Integer(number) => {
            let number = i128::from(number);
            i64::try_from(number)
                .map(Value::from)
                .or_else(|_| u64::try_from(number).map(Value::from))
                .unwrap_or_default()
        }
        Cbor::Float(number) => Number::from_f64(number).map_or(Value::Null, Value::Number),
        Cbor::Bytes(bytes) => Value::from(STANDARD.encode(bytes)),
        Cbor::Text(text) => Value::from(text),
        Cbor::Bool(truth) => Value::from(truth),
        // A timestamp, in what is known of AWS's models.
        Cbor::Tag(_, value) => json(*value),
        Cbor::Array(items) => Value::Array(items.into_iter().map(json).collect()),
        Cbor::Map(entries) => {
            let entries = entries.into_iter().filter_map(|(key, value)| Some((key.into_text().ok()?, json(value))));
            Value::Object(entries.collect())
        }
        _ => Value::Null,
    }
}

/// A value as its shape says: clients take a number for a timestamp only if it is tagged as one.
fn cbor(api: &Api, shape: &str, value: Value) -> Cbor {
    let shape = api.shape(shape);
    match value {
        Value::Null => Cbor::Null,
        Value::Bool(truth) => Cbor::Bool(truth),
        Value::Number(number) => match (shape.kind, number.as_i64()) {
            (Kind::Timestamp, _) => Cbor::Tag(EPOCH, Box::new(Cbor::Float(number.as_f64().unwrap_or_default()))),
            (Kind::Integer, Some(number)) => Cbor::Integer(number.into()),
            _ => Cbor::Float(number.as_f64().unwrap_or_default()),
        },
        Value::String(text) if shape.kind == Kind::Blob => Cbor::Bytes(STANDARD.decode(text).unwrap_or_default()),
        Value::String(text) => Cbor::Text(text),
        Value::Array(items) => Cbor::Array(items.into_iter().map(|item| cbor(api, shape.member(), item)).collect()),
        Value::Object(members) => {
            let of = |name: &str| match shape.kind {
                Kind::Map => shape.value(),
                _ => shape.members().find(|(member, _)| *member == name).map_or("", |(_, shape)| shape),
            };
            let entry = |(name, value): (String, Value)| {
                let value = cbor(api, of(&name), value);
                (Cbor::Text(name), value)
            };
            Cbor::Map(members.into_iter().map(entry).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn bytes(value: &Cbor) -> Vec<u8> {
        let mut bytes = Vec::new();
        ciborium::into_writer(value, &mut bytes).unwrap();
        bytes
    }

    #[test]
    fn a_request_as_botocore_sends_it_is_read() {
        // botocore 1.43.11: `create_serializer("smithy-rpc-v2-cbor")` of put_metric_data(Namespace="n", MetricData=[{
        // "MetricName": "m", "Timestamp": datetime(2026, 11, 26, 10, tzinfo=utc), "Value": 0.5, "StorageResolution": 60}]).
        let sent = "a2694e616d657370616365616e6a4d65747269634461746181a46a4d65747269634e616d65616d6954696d657374616d70\
                    c11a6b0803206556616c7565fb3fe00000000000007153746f726167655265736f6c7574696f6e183c";
        let sent: Vec<u8> =
            (0..sent.len()).step_by(2).map(|at| u8::from_str_radix(&sent[at..at + 2], 16).unwrap()).collect();
        let datum = json!({"MetricName": "m", "Timestamp": 1_795_687_200, "Value": 0.5, "StorageResolution": 60});
        assert_eq!(read(&sent), Ok(json!({"Namespace": "n", "MetricData": [datum]})));
    }

    #[test]
    fn answers_have_the_types_of_the_model() {
        let output = json!({"Label": "accuracy", "Datapoints": [{"Timestamp": 1_795_687_200.0, "SampleCount": 1, "Unit": "None"}]});
        let answer = write(Service::CloudWatch, "GetMetricStatistics", Ok(output));
        assert_eq!((answer.status(), &answer.headers()[PROTOCOL_HEADER]), (StatusCode::OK, &PROTOCOL));
        let text = |text: &str| Cbor::Text(text.to_owned());
        let point = Cbor::Map(vec![
            (text("Timestamp"), Cbor::Tag(1, Box::new(Cbor::Float(1_795_687_200.0)))),
            (text("SampleCount"), Cbor::Float(1.0)),
            (text("Unit"), text("None")),
        ]);
        let expected =
            Cbor::Map(vec![(text("Label"), text("accuracy")), (text("Datapoints"), Cbor::Array(vec![point]))]);
        assert_eq!(ciborium::from_reader::<Cbor, _>(&answer.body()[..]).unwrap(), expected);
    }

    #[test]
    fn what_is_no_map_is_refused() {
        for body in [&b"\xff"[..], b"\x01", b"\xa1\x61", b"{}"] {
            assert_eq!(read(body).unwrap_err().code, "SerializationException", "{body:?}");
        }
        let deep = [vec![0x81; 100_000], vec![0x01]].concat();
        assert_eq!(read(&deep).unwrap_err().code, "SerializationException");
        assert_eq!(read(b""), Ok(json!({})));
        assert_eq!(read(&bytes(&Cbor::Map(vec![]))), Ok(json!({})));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = read(&body);
        }
    }
}
