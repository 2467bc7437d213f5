//! CloudWatch Logs: what jobs print, read through AWS's API; and its log groups.

mod group;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::fake::Context;
use crate::jobs::logs::{self, Event, Stream};
use crate::protocol::Service;
use crate::{ApiError, authorisation};

/// Calls an operation by its name.
///
/// # Errors
/// Those of the operation; `UnknownOperationException` for one that is not served.
pub fn call(context: &Context<'_>, operation: &str, input: &Value) -> Result<Value, ApiError> {
    // This service's model begins its members with a small letter, and calls a failed validation by another name.
    Service::Logs.api().check_input(operation, input, "InvalidParameterException")?;
    authorisation::check(context, Service::Logs, operation, input)?;
    match operation {
        "CreateLogGroup" => group::create(context, input),
        "DescribeLogGroups" => group::describe(context, input),
        "DeleteLogGroup" => group::delete(context, input),
        "PutRetentionPolicy" => group::put_retention(context, input),
        "DeleteRetentionPolicy" => group::delete_retention(context, input),
        "TagResource" => group::tag(context, input),
        "UntagResource" => group::untag(context, input),
        "ListTagsForResource" => group::list_tags(context, input),
        "DescribeLogStreams" => describe_log_streams(context, input),
        "GetLogEvents" => get_log_events(context, input),
        "FilterLogEvents" => filter_log_events(context, input),
        other => Err(ApiError::new("UnknownOperationException", format!("Logs.{other} is not served by this fake"))),
    }
}

fn describe_log_streams(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let group = group(context, input)?;
    let mut streams = Vec::new();
    for stream in logs::streams(context.fake, context.region, &group, text(input, "logStreamNamePrefix"))? {
        let span = logs::span(context.fake, &stream)?;
        let mut shape = json!({
            "logStreamName": stream.name, "creationTime": stream.created.0, "storedBytes": 0,
            "arn": format!("{}:log-stream:{}", group_arn(context, &group), stream.name),
        });
        if let Some((first, last)) = span {
            shape["firstEventTimestamp"] = json!(first.0);
            shape["lastEventTimestamp"] = json!(last.0);
            shape["lastIngestionTime"] = json!(last.0);
        }
        streams.push((span.map_or(0, |(_, last)| last.0), shape));
    }
    if text(input, "orderBy") == "LastEventTime" {
        streams.sort_by_key(|(last, _)| *last);
    }
    if input["descending"] == true {
        streams.reverse();
    }
    paged(input, "logStreams", streams.into_iter().map(|(_, shape)| shape).collect(), 50)
}

/// Pages of events. A token holds the number of the event that its page begins with, so that going on from the end
/// gives what has been printed since. AWS answers the same token when there is nothing more.
fn get_log_events(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    const DIGITS: usize = 56;
    let stream = stream(context, input)?;
    let from = input["startTime"].as_i64().unwrap_or(i64::MIN).max(group::shown_from(context, &stream.group)?);
    let until = input["endTime"].as_i64().unwrap_or(i64::MAX);
    let events = logs::events(context.fake, &stream, 0, usize::MAX)?;
    let events: Vec<_> = events.into_iter().filter(|event| (from..until).contains(&event.time.0)).collect();
    let limit = number(input, "limit", 10_000);
    let (start, end) = match input["nextToken"].as_str() {
        Some(token) => {
            let invalid = || ApiError::new("InvalidParameterException", "The specified nextToken is invalid.");
            let (direction, position) = token.split_once('/').ok_or_else(invalid)?;
            let position = position.parse::<usize>().map_err(|_| invalid())?.min(events.len());
            match direction {
                "f" => (position, (position + limit).min(events.len())),
                "b" => (position.saturating_sub(limit), position),
                _ => return Err(invalid()),
            }
        }
        None if input["startFromHead"] == true => (0, limit.min(events.len())),
        None => (events.len().saturating_sub(limit), events.len()),
    };
    let shown: Vec<_> = events[start..end].iter().map(shape).collect();
    Ok(json!({
        "events": shown,
        "nextForwardToken": format!("f/{end:0DIGITS$}"),
        "nextBackwardToken": format!("b/{start:0DIGITS$}"),
    }))
}

/// Events of several streams, oldest first, that contain every word of the pattern.
fn filter_log_events(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let group = group(context, input)?;
    let named: Vec<_> = input["logStreamNames"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let from = input["startTime"].as_i64().unwrap_or(i64::MIN).max(group::shown_from(context, &group)?);
    let until = input["endTime"].as_i64().unwrap_or(i64::MAX);
    let words: Vec<_> = text(input, "filterPattern").split_whitespace().map(|word| word.trim_matches('"')).collect();
    let mut found = Vec::new();
    for stream in logs::streams(context.fake, context.region, &group, text(input, "logStreamNamePrefix"))? {
        if named.is_empty() || named.contains(&stream.name.as_str()) {
            for (index, event) in logs::events(context.fake, &stream, 0, usize::MAX)?.iter().enumerate() {
                let wanted =
                    (from..=until).contains(&event.time.0) && words.iter().all(|word| event.message.contains(word));
                if wanted {
                    let mut shape = shape(event);
                    shape["logStreamName"] = json!(stream.name);
                    shape["eventId"] = json!(URL_SAFE_NO_PAD.encode(format!("{}:{index}", stream.name)));
                    found.push((event.time, shape));
                }
            }
        }
    }
    found.sort_by_key(|(time, _)| *time);
    paged(input, "events", found.into_iter().map(|(_, shape)| shape).collect(), 10_000)
}

fn shape(event: &Event) -> Value {
    json!({"timestamp": event.time.0, "message": event.message, "ingestionTime": event.time.0})
}

/// The group that a request means, by name or ARN.
fn group(context: &Context<'_>, input: &Value) -> Result<String, ApiError> {
    let name = match text(input, "logGroupName") {
        "" => text(input, "logGroupIdentifier")
            .rsplit_once("log-group:")
            .map_or(text(input, "logGroupIdentifier"), |(_, name)| name),
        name => name,
    };
    let known =
        logs::groups(context.fake, context.region)?.into_iter().find(|group| group == name.trim_end_matches(":*"));
    known.ok_or_else(no_such_group)
}

fn no_such_group() -> ApiError {
    ApiError::new("ResourceNotFoundException", "The specified log group does not exist.")
}

fn stream(context: &Context<'_>, input: &Value) -> Result<Stream, ApiError> {
    let (group, name) = (group(context, input)?, text(input, "logStreamName"));
    let found =
        logs::streams(context.fake, context.region, &group, name)?.into_iter().find(|stream| stream.name == name);
    found.ok_or_else(|| ApiError::new("ResourceNotFoundException", "The specified log stream does not exist."))
}

fn group_arn(context: &Context<'_>, group: &str) -> String {
    format!("arn:aws:logs:{}:{}:log-group:{group}", context.region, context.fake.account())
}

/// One page of a list. The token is the number of the item that the next page begins with.
fn paged(input: &Value, name: &str, items: Vec<Value>, default: usize) -> Result<Value, ApiError> {
    let start = match input["nextToken"].as_str() {
        None => 0,
        Some(token) => {
            let invalid = || ApiError::new("InvalidParameterException", "The specified nextToken is invalid.");
            let decoded = URL_SAFE_NO_PAD.decode(token).map_err(|_| invalid())?;
            let position =
                String::from_utf8(decoded).ok().and_then(|text| text.strip_prefix(name)?.parse::<usize>().ok());
            position.ok_or_else(invalid)?
        }
    };
    let limit = number(input, "limit", default);
    let more = items.len() > start.saturating_add(limit);
    let page: Vec<_> = items.into_iter().skip(start).take(limit).collect();
    let mut output = json!({name: page});
    if more {
        output["nextToken"] = json!(URL_SAFE_NO_PAD.encode(format!("{name}{}", start + limit)));
    }
    Ok(output)
}

fn text<'a>(input: &'a Value, member: &str) -> &'a str {
    input[member].as_str().unwrap_or_default()
}

fn number(input: &Value, member: &str, default: usize) -> usize {
    input[member].as_u64().and_then(|number| usize::try_from(number).ok()).unwrap_or(default)
}
