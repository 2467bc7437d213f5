//! awsQuery: a form in, XML out.

use std::borrow::Cow;
use std::collections::BTreeMap;

use bytes::Bytes;
use http::Response;
use serde_json::{Map, Value};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::{Service, response, xml};
use crate::ApiError;
use crate::clock::Timestamp;
use crate::validation::{Api, Kind};

const CONTENT_TYPE: &str = "text/xml";

/// The parameters of a form or a query, decoded, in their order.
pub(crate) fn pairs(form: &[u8]) -> impl Iterator<Item = (String, String)> {
    form.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()).map(|pair| {
        let equals = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
        (decode(&pair[..equals]), decode(pair.get(equals + 1..).unwrap_or_default()))
    })
}

/// The value of a parameter, in the body or the query.
pub(super) fn parameter(query: &str, body: &[u8], name: &str) -> Option<String> {
    pairs(body).chain(pairs(query.as_bytes())).find(|(key, _)| key == name).map(|(_, value)| value)
}

/// The operation that a request names.
pub(super) fn action(query: &str, body: &[u8]) -> Option<String> {
    parameter(query, body, "Action")
}

/// The operation and its input, in the shape that AWS's model gives it.
pub(super) fn read<'a>(
    service: Service,
    action: Option<&'a str>,
    query: &str,
    body: &[u8],
) -> Result<(Cow<'a, str>, Value), ApiError> {
    let api = service.api();
    // The form may have been compressed, so that nobody could look into it before.
    let action = action.map(Cow::Borrowed).or_else(|| self::action(query, body).map(Cow::Owned));
    let action =
        action.ok_or_else(|| ApiError::new("MissingAction", "The request must contain the parameter Action"))?;
    if let Some(version) = parameter(query, body, "Version").filter(|version| *version != api.version) {
        return Err(ApiError::new("NoSuchVersion", format!("The requested version ( {version} ) is not valid.")));
    }
    let Some(operation) = api.operation(&action) else {
        return Err(ApiError::new(
            "InvalidAction",
            format!("Could not find operation {action} for version {}", api.version),
        ));
    };
    let mut given = Pairs::new();
    for (name, value) in pairs(body).chain(pairs(query.as_bytes())) {
        given.entry(name).or_insert(value);
    }
    let input = operation.input.as_deref().map(|shape| structure(api, shape, "", &given)).transpose()?;
    Ok((action, input.unwrap_or_else(|| Value::Object(Map::new()))))
}

/// By name, so that a long list is not looked through once for each of its items. Of several of one name the first counts.
type Pairs = BTreeMap<String, String>;

/// The members of a structure whose parameters begin with `prefix` (empty, or ending with a dot).
fn structure(api: &Api, shape: &str, prefix: &str, given: &Pairs) -> Result<Value, ApiError> {
    let mut object = Map::new();
    for (member, shape) in api.shape(shape).members() {
        if let Some(value) = value(api, shape, &format!("{prefix}{member}"), given)? {
            object.insert(member.to_owned(), value);
        }
    }
    Ok(Value::Object(object))
}

fn value(api: &Api, shape: &str, name: &str, given: &Pairs) -> Result<Option<Value>, ApiError> {
    let kind = api.shape(shape).kind;
    let below = format!("{name}.");
    if matches!(kind, Kind::Structure | Kind::List | Kind::Map) {
        let first_below = given.range(below.clone()..).next();
        if !given.contains_key(name) && first_below.is_none_or(|(key, _)| !key.starts_with(&below)) {
            return Ok(None);
        }
    }
    match kind {
        Kind::Structure => structure(api, shape, &below, given).map(Some),
        Kind::List => {
            let mut items = Vec::new();
            // An empty list is sent as `Name=`. Numbering begins at 1 and has no gaps.
            while let Some(item) =
                value(api, api.shape(shape).member(), &format!("{name}.member.{}", items.len() + 1), given)?
            {
                items.push(item);
            }
            Ok(Some(Value::Array(items)))
        }
        // None of the operations served has a map in its input.
        Kind::Map => Ok(None),
        Kind::Integer => scalar(name, given, |text| text.parse::<i64>().ok().map(Value::from)),
        Kind::Float => scalar(name, given, |text| text.parse::<f64>().ok().map(Value::from)),
        Kind::Timestamp => scalar(name, given, |text| seconds(text).map(Value::from)),
        Kind::Boolean => scalar(name, given, |text| text.parse::<bool>().ok().map(Value::from)),
        Kind::String | Kind::Blob => scalar(name, given, |text| Some(Value::from(text))),
    }
}

/// A moment in ISO 8601, or in seconds since 1970.
fn seconds(text: &str) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of this era fit 53 bits")]
    let of_date = |date: OffsetDateTime| (date.unix_timestamp_nanos() / 1_000_000) as f64 / 1000.0;
    text.parse().ok().or_else(|| OffsetDateTime::parse(text, &Rfc3339).ok().map(of_date))
}

fn scalar(name: &str, given: &Pairs, parse: impl Fn(&str) -> Option<Value>) -> Result<Option<Value>, ApiError> {
    let Some(text) = given.get(name) else { return Ok(None) };
    let value = parse(text)
        .ok_or_else(|| ApiError::new("MalformedInput", format!("{name}: `{text}` is not of the right type")))?;
    Ok(Some(value))
}

/// The answer.
pub(super) fn write(
    service: Service,
    action: Option<&str>,
    result: Result<Value, ApiError>,
    request_id: &str,
) -> Response<Bytes> {
    let namespace = match service {
        Service::Iam => "https://iam.amazonaws.com/doc/2010-05-08/",
        Service::CloudWatch => "http://monitoring.amazonaws.com/doc/2010-08-01/",
        _ => "https://sts.amazonaws.com/doc/2011-06-15/",
    };
    match result {
        Ok(output) => {
            let action = action.unwrap_or_default();
            let api = service.api();
            let shape = api.operation(action).and_then(|operation| operation.output.as_deref());
            let output = shape.map_or(Value::Null, |shape| dated(api, shape, output));
            let mut body = format!("<{action}Response xmlns=\"{namespace}\">");
            xml::element(&mut body, api, shape.unwrap_or_default(), &format!("{action}Result"), &output);
            body.push_str(&format!(
                "<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></{action}Response>"
            ));
            response(http::StatusCode::OK, CONTENT_TYPE, body)
        }
        Err(error) => {
            let fault = if error.status.is_server_error() { "Receiver" } else { "Sender" };
            let mut body = format!("<ErrorResponse xmlns=\"{namespace}\"><Error><Type>{fault}</Type>");
            xml::text(&mut body, "Code", service.query_code(&error.code));
            xml::text(&mut body, "Message", &error.message);
            body.push_str(&format!("</Error><RequestId>{request_id}</RequestId></ErrorResponse>"));
            response(error.status, CONTENT_TYPE, body)
        }
    }
}

/// The same value with its timestamps as dates.
fn dated(api: &Api, shape: &str, value: Value) -> Value {
    let shape = api.shape(shape);
    match value {
        Value::Number(seconds) if shape.kind == Kind::Timestamp => {
            let moment = serde_json::from_value(Value::Number(seconds)).unwrap_or(Timestamp(0));
            // Fails for years beyond four digits alone.
            Value::from(moment.date().format(&Rfc3339).unwrap_or_default())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(|item| dated(api, shape.member(), item)).collect()),
        Value::Object(mut members) if shape.kind == Kind::Structure => {
            for (name, inner) in shape.members() {
                if let Some(member) = members.get_mut(name) {
                    *member = dated(api, inner, member.take());
                }
            }
            Value::Object(members)
        }
        other => other,
    }
}

/// Percent-encoded as RFC 3986 has it: everything but letters, digits and `-._~` is escaped.
pub(crate) fn encode(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut out, byte| {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(byte.into()),
            other => out.push_str(&format!("%{other:02X}")),
        }
        out
    })
}

/// Undoes the encoding of forms: `+` is a space, `%41` is `A`. What is not UTF-8 becomes the replacement character.
pub(crate) fn decode(text: &[u8]) -> String {
    let hex = |digit: Option<&u8>| digit.and_then(|digit| char::from(*digit).to_digit(16));
    let mut bytes = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        let escaped = hex(text.get(at + 1)).zip(hex(text.get(at + 2)));
        match (byte, escaped) {
            (b'%', Some((high, low))) => {
                bytes.push(u8::try_from(high * 16 + low).unwrap_or_default());
                at += 2;
            }
            (b'+', _) => bytes.push(b' '),
            (byte, _) => bytes.push(*byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn forms_take_the_shape_of_the_model() {
        let body = b"Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fr&RoleSessionName=a+b&DurationSeconds=900\
            &Tags.member.1.Key=Project&Tags.member.1.Value=st%C3%A9&Tags.member.2.Key=Tool&Tags.member.2.Value=&Nonsense=1";
        let (_, input) = read(Service::Sts, Some("AssumeRole"), "", body).unwrap();
        let expected = json!({
            "RoleArn": "arn:aws:iam::1:role/r", "RoleSessionName": "a b", "DurationSeconds": 900,
            "Tags": [{"Key": "Project", "Value": "sté"}, {"Key": "Tool", "Value": ""}],
        });
        assert_eq!(input, expected);
    }

    #[test]
    fn wrong_forms_are_refused_by_name() {
        let check = |action: Option<&str>, body: &[u8], code: &str, message: &str| {
            assert_eq!(read(Service::Sts, action, "", body).unwrap_err(), ApiError::new(code, message));
        };
        check(None, b"", "MissingAction", "The request must contain the parameter Action");
        check(Some("Guess"), b"", "InvalidAction", "Could not find operation Guess for version 2011-06-15");
        check(
            Some("AssumeRole"),
            b"Version=1999-01-01",
            "NoSuchVersion",
            "The requested version ( 1999-01-01 ) is not valid.",
        );
        check(
            Some("AssumeRole"),
            b"DurationSeconds=long",
            "MalformedInput",
            "DurationSeconds: `long` is not of the right type",
        );
    }
}
