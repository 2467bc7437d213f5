//! An execution of a pipeline: its steps drawn as far as they have come, and in a table with reasons.

use std::collections::HashSet;

use maud::{Markup, html};
use pipeline_definition::draw::Picture;
use pipeline_definition::{Definition, Graph};
use serde_json::Value;

use super::graph::{self, State};
use super::layout::{Page, facts, section, table, text};
use super::words::{Mood, between, moment, status};
use super::{Look, link, link_arn, named, nothing, path};
use crate::ApiError;
use crate::engine::{Execution, StepRecord};
use crate::sagemaker::{names, pipeline_version};
use crate::store::Records;

pub(super) fn page(look: &Look<'_>, key: &str) -> Result<Page, ApiError> {
    let (execution, definition) = look.fake.store.read(|view| {
        let execution: Execution = view.get(key)?.ok_or_else(|| nothing("such execution"))?;
        // A pipeline that was deleted has taken its versions along.
        let version = pipeline_version::of_execution(view, &execution).ok();
        Ok((execution, version.and_then(|version| version.parsed().ok())))
    })?;
    let ended = execution.status.is_final().then_some(execution.modified);
    let body = html! {
        (facts([
            ("Status", Some(status(&format!("{:?}", execution.status)))),
            ("Pipeline", Some(html! {
                (link("pipeline", &names::key(&execution.region, &execution.pipeline), &execution.pipeline))
                ", version " (execution.version)
            })),
            ("Started", Some(moment(execution.created))),
            ("Took", ended.map(|ended| html! { (between(execution.created, ended)) })),
            ("Role", text(Some(&execution.role_arn))),
            ("By", text(Some(&execution.created_by.arn))),
            ("ARN", text(Some(&execution.arn))),
        ]))
        @if let Some(reason) = &execution.failure_reason { p.why { (reason) } }
        @if let Some(drawn) = definition.as_ref().and_then(|definition| drawn(definition, &execution)) { (section("Graph", drawn)) }
        (section("Steps", steps(&execution)))
        @if !execution.parameters.is_empty() { (section("Parameters", parameters(&execution))) }
    };
    let title = format!("{} of {}", execution.display_name, execution.pipeline);
    Ok(Page::new(title, body).live(!execution.status.is_final()))
}

fn drawn(definition: &Definition, execution: &Execution) -> Option<Markup> {
    let (graph, picture) = (Graph::new(definition).ok()?, Picture::of(definition).ok()?);
    let never: HashSet<&str> = graph.outlook(|step| execution.progress(step)).unreachable.into_iter().collect();
    Some(graph::draw(&picture, |name| match execution.step(name) {
        Some(step) => {
            let words = words(step);
            let class = Mood::of(&format!("{:?}", step.status)).class();
            State { class, words, path: made(step).and_then(named).map(|(kind, key)| path(kind, &key)) }
        }
        None if never.contains(name) || !execution.selects(name) || execution.status.is_final() => {
            State { class: "never", words: "not run".to_owned(), path: None }
        }
        None => State { class: "quiet", words: "waits".to_owned(), path: None },
    }))
}

/// How a step is, in a word or two.
fn words(step: &StepRecord) -> String {
    let status = format!("{:?}", step.status);
    let sign = Mood::of(&status).sign();
    if let Some(outcome) = step.metadata["Condition"]["Outcome"].as_str() {
        return format!("{sign} {}", if outcome == "True" { "holds" } else { "does not hold" });
    }
    if step.cache_source().is_some() {
        return format!("{sign} {status}, cached");
    }
    match step.end {
        Some(end) => format!("{sign} {status}, {}", between(step.start, end)),
        None => format!("{sign} {status}"),
    }
}

fn steps(execution: &Execution) -> Markup {
    let row = |step: &StepRecord| {
        let made = made(step);
        vec![
            html! { (step.name) },
            status(&format!("{:?}", step.status)),
            moment(step.start),
            html! { @if let Some(end) = step.end { (between(step.start, end)) } },
            html! { @if let Some(arn) = made { (link_arn(arn)) } },
            html! {
                @if let Some(reason) = &step.failure_reason { span.why { (reason) } }
                @if let Some(source) = step.cache_source() { "cached from " (link_arn(source)) }
                @if let Some(source) = &step.taken_from { "taken from " (link_arn(source)) }
                @if step.attempts > 1 { " attempt " (step.attempts) }
            },
        ]
    };
    let heads = ["step", "status", "started", "took", "made", "why"];
    table(&heads, execution.steps.iter().map(row).collect(), "no step has begun")
}

/// The ARN of what a step has made.
fn made(step: &StepRecord) -> Option<&str> {
    fn arn(value: &Value) -> Option<&str> {
        let members = value.as_object()?;
        members.get("Arn").and_then(Value::as_str).or_else(|| members.values().find_map(arn))
    }
    arn(&step.metadata)
}

fn parameters(execution: &Execution) -> Markup {
    let rows = execution.parameters.iter().map(|(name, value)| {
        vec![html! { (name) }, html! { code { (value.as_str().map_or_else(|| value.to_string(), str::to_owned)) } }]
    });
    table(&["parameter", "value"], rows.collect(), "none")
}
