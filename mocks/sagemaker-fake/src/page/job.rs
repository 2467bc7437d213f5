//! A job: how it is, what goes in and out, and the end of what it has printed.

use maud::{Markup, html};
use serde_json::Value;

use super::layout::{Page, facts, section, table, text};
use super::words::{between, json, moment, moment_if, status};
use super::{Look, link_arn, link_uri, nothing};
use crate::ApiError;
use crate::jobs::{Job, logs};
use crate::store::Records;

/// How many lines of each log are shown, the newest.
const LINES: usize = 200;

pub(super) fn page(look: &Look<'_>, key: &str) -> Result<Page, ApiError> {
    let job: Job = look.fake.store.read(|view| view.get(key))?.ok_or_else(|| nothing("such job"))?;
    let request = &job.request;
    let member = |path: &[&str]| path.iter().fold(request, |value, name| &value[*name]).as_str();
    let image =
        member(&["AppSpecification", "ImageUri"]).or_else(|| member(&["AlgorithmSpecification", "TrainingImage"]));
    let body = html! {
        (facts([
            ("Status", Some(status(job.status.as_str()))),
            ("Kind", Some(html! { (job.kind.resource().replace('-', " ")) })),
            ("Created", Some(moment(job.created))),
            ("Started", Some(moment_if(job.started))),
            ("Took", job.ended.map(|ended| html! { (between(job.started.unwrap_or(job.created), ended)) })),
            ("Attempts", (job.attempt > 1).then(|| html! { (job.attempt) })),
            ("Image", text(image)),
            ("Role", text(member(&["RoleArn"]))),
            ("Schedule", member(&["MonitoringScheduleArn"]).map(link_arn)),
            ("ARN", text(Some(&job.arn))),
        ]))
        @if let Some(reason) = &job.failure_reason { p.why { (reason) } }
        @if let Some(message) = &job.exit_message { (section("Message", html! { pre { (message) } })) }
        (section("In and out", data(request)))
        @if !job.metrics.is_empty() { (section("Metrics", metrics(&job))) }
        @if !job.transitions.is_empty() { (section("Course", course(&job))) }
        (section("Log", log(look, &job)?))
        details { summary { "All that was asked for" } (json(request)) }
    };
    Ok(Page::new(job.name.clone(), body).live(!job.status.is_final()))
}

/// Every S3 URI in a request, with where it stands.
fn data(request: &Value) -> Markup {
    let mut found = Vec::new();
    uris(request, &mut Vec::new(), &mut found);
    let rows = found.iter().map(|(place, uri)| vec![html! { (place) }, link_uri(uri)]);
    table(&["what", "where"], rows.collect(), "nothing in S3")
}

fn uris<'a>(value: &'a Value, place: &mut Vec<&'a str>, found: &mut Vec<(String, &'a str)>) {
    match value {
        Value::String(text) if text.starts_with("s3://") => found.push((place.join(" "), text)),
        Value::Object(members) => {
            let name = ["ChannelName", "InputName", "OutputName"].iter().find_map(|name| members.get(*name)?.as_str());
            place.extend(name);
            for (member, value) in members {
                let is_named = matches!(value, Value::Object(_) | Value::Array(_)) || value.is_string();
                if is_named {
                    place.push(member);
                    uris(value, place, found);
                    place.pop();
                }
            }
            if name.is_some() {
                place.pop();
            }
        }
        Value::Array(items) => items.iter().for_each(|item| uris(item, place, found)),
        _ => {}
    }
}

fn metrics(job: &Job) -> Markup {
    let rows =
        job.metrics.iter().map(|metric| vec![html! { (metric.name) }, html! { (metric.value) }, moment(metric.time)]);
    table(&["metric", "last value", "at"], rows.collect(), "none")
}

fn course(job: &Job) -> Markup {
    let rows = job.transitions.iter().map(|step| {
        let took = step.end.map(|end| between(step.start, end)).unwrap_or_default();
        vec![html! { (step.status) }, moment(step.start), html! { (took) }, html! { (step.message) }]
    });
    table(&["secondary status", "since", "took", ""], rows.collect(), "none")
}

fn log(look: &Look<'_>, job: &Job) -> Result<Markup, ApiError> {
    let streams = logs::streams(look.fake, &job.region, job.kind.log_group(), &format!("{}/", job.name))?;
    printed(look, &streams)
}

/// The end of each of these logs.
pub(super) fn printed(look: &Look<'_>, streams: &[logs::Stream]) -> Result<Markup, ApiError> {
    let tails = streams.iter().map(|stream| Ok((stream, logs::tail(look.fake, stream, LINES)?)));
    let tails = tails.collect::<Result<Vec<_>, ApiError>>()?;
    Ok(html! {
        @if tails.is_empty() { p.soft { "nothing has been printed" } }
        @for (stream, events) in &tails {
            p.soft { (stream.name) @if events.len() == LINES { ": the last " (LINES) " lines" } }
            pre { @for event in events { (event.message) "\n" } }
        }
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn uris_are_found_with_their_names() {
        let request = json!({
            "ProcessingInputs": [{"InputName": "pairs", "S3Input": {"S3Uri": "s3://b/in", "LocalPath": "/opt/ml"}}],
            "OutputDataConfig": {"S3OutputPath": "s3://b/out"},
        });
        let mut found = Vec::new();
        uris(&request, &mut Vec::new(), &mut found);
        let expected =
            [("ProcessingInputs pairs S3Input S3Uri", "s3://b/in"), ("OutputDataConfig S3OutputPath", "s3://b/out")];
        assert_eq!(found.iter().map(|(place, uri)| (place.as_str(), *uri)).collect::<Vec<_>>(), expected);
    }
}
