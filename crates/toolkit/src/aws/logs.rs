//! CloudWatch Logs: what jobs printed.

use serde_json::{Value, json};

use super::errors::describe;
use super::signed;
use crate::error::Failure;

const API: &str = "Logs_20140328";

/// CloudWatch Logs.
#[derive(Debug, Clone)]
pub struct Client(signed::Client);

/// A line that was logged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Milliseconds since 1970.
    pub timestamp: i64,
    /// The line, without its end.
    pub message: String,
}

/// One page of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// In the order of their time.
    pub events: Vec<Event>,
    /// Where the next page begins. The token that was asked with means that this was the end, for now.
    pub next: Option<String>,
}

impl Client {
    pub(super) fn new(client: signed::Client) -> Self {
        Self(client)
    }

    /// The names of the streams of a group that begin with `prefix`; none if there is no such group (it is made with its
    /// first stream).
    ///
    /// # Errors
    /// When the call is refused for another reason.
    pub async fn streams(&self, group: &str, prefix: &str) -> Result<Vec<String>, Failure> {
        let mut names = Vec::new();
        let mut token = None::<String>;
        loop {
            let mut input = json!({"logGroupName": group, "logStreamNamePrefix": prefix});
            if let Some(token) = &token {
                input["nextToken"] = json!(token);
            }
            let page = match self.0.call(API, "DescribeLogStreams", &input).await {
                Ok(page) => page,
                Err(error) if code(&error) == Some("ResourceNotFoundException") => return Ok(Vec::new()),
                Err(error) => return Err(describe("DescribeLogStreams", error)),
            };
            let streams = page["logStreams"].as_array().into_iter().flatten();
            names.extend(streams.filter_map(|stream| stream["logStreamName"].as_str()).map(str::to_owned));
            token = page["nextToken"].as_str().map(str::to_owned);
            if token.is_none() {
                return Ok(names);
            }
        }
    }

    /// One page of a stream from its beginning, or from a token of the page before. A page may be empty and not the last.
    ///
    /// # Errors
    /// When the call is refused, or there is no such stream.
    pub async fn events(&self, group: &str, stream: &str, token: Option<&str>) -> Result<Page, Failure> {
        let mut input = json!({"logGroupName": group, "logStreamName": stream, "startFromHead": true});
        if let Some(token) = token {
            input["nextToken"] = json!(token);
        }
        let page = self.0.call(API, "GetLogEvents", &input).await.map_err(|error| describe("GetLogEvents", error))?;
        Ok(Page {
            events: page["events"].as_array().into_iter().flatten().map(event).collect(),
            next: page["nextForwardToken"].as_str().map(str::to_owned),
        })
    }
}

fn event(event: &Value) -> Event {
    let message = event["message"].as_str().unwrap_or_default().trim_end_matches(['\r', '\n']).to_owned();
    Event { timestamp: event["timestamp"].as_i64().unwrap_or_default(), message }
}

fn code<E: aws_smithy_types::error::metadata::ProvideErrorMetadata, R>(
    error: &aws_smithy_runtime_api::client::result::SdkError<E, R>,
) -> Option<&str> {
    error.as_service_error()?.code()
}
