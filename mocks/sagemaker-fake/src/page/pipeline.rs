//! A pipeline: its versions and executions, and the drawing of its newest definition.

use maud::html;
use pipeline_definition::draw::Picture;

use super::graph::{self, State};
use super::layout::{Page, facts, section, table, text};
use super::words::{json, moment, moment_if};
use super::{Look, link_arn, nothing, overview};
use crate::ApiError;
use crate::engine::{Execution, execution};
use crate::sagemaker::pipeline::Pipeline;
use crate::sagemaker::pipeline_version::{self, PipelineVersion};
use crate::store::Records;

/// How many executions are listed, the newest first.
const EXECUTIONS: usize = 50;

pub(super) fn page(look: &Look<'_>, key: &str) -> Result<Page, ApiError> {
    look.fake.store.read(|view| {
        let pipeline: Pipeline = view.get(key)?.ok_or_else(|| nothing("such pipeline"))?;
        let newest = pipeline_version::existing(view, &pipeline, None)?;
        let mut executions: Vec<Execution> =
            view.list(&execution::keys_of_pipeline(&pipeline.region, &pipeline.name))?;
        executions.sort_by_key(|execution| std::cmp::Reverse(execution.created));
        let versions: Vec<PipelineVersion> = view.list(&format!("{key}/"))?;
        let picture = newest.parsed().ok().and_then(|definition| Picture::of(&definition).ok());
        let state = |_: &str| State { class: "quiet", words: String::new(), path: None };
        let rows = versions.iter().rev().map(|version| {
            vec![
                html! { (version.id) },
                moment(version.created),
                html! { (version.display_name.as_deref().unwrap_or_default()) },
                html! { @if let Some(last) = &version.last_execution { (link_arn(last)) } },
            ]
        });
        let live = executions.iter().any(|execution| !execution.status.is_final());
        let shown = &executions[..executions.len().min(EXECUTIONS)];
        let body = html! {
            (facts([
                ("Version", Some(html! { (pipeline.version) })),
                ("Changed", Some(moment(pipeline.modified))),
                ("Last run", Some(moment_if(pipeline.last_run))),
                ("Role", text(Some(&pipeline.role_arn))),
                ("For", text(pipeline.description.as_deref())),
                ("ARN", text(Some(&pipeline.arn))),
            ]))
            @if let Some(picture) = &picture { (section("Graph", graph::draw(picture, state))) }
            (section("Executions", overview::of_executions(shown)))
            (section("Versions", table(&["version", "made", "name", "last execution"], rows.collect(), "none")))
            details { summary { "Definition of version " (newest.id) }
                (json(&serde_json::from_str(&newest.definition).unwrap_or_default())) }
        };
        Ok(Page::new(pipeline.name, body).live(live))
    })
}
