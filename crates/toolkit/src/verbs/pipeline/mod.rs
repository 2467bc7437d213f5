//! `pipeline`: the definition, shown, checked, compared with the deployed one, drawn; and those that were deployed.

pub mod diff;
pub mod graph;
pub mod lint;
mod show;
pub mod versions;

pub use show::{show, show_version};

use std::path::Path;

use pipeline_definition::Definition;

use crate::aws::Session;
use crate::error::Failure;
use crate::observe::{self, Pipeline, Seen};
use crate::pipeline;
use crate::site::Site;

/// The deployed pipeline, with its latest definition or that of a version; none if there is no such pipeline.
///
/// # Errors
/// When there is no such version, or AWS refuses to say what is deployed.
async fn deployed(session: &Session, version: Option<i64>) -> Result<Option<Pipeline>, Failure> {
    let name = &session.site.pipeline;
    match (observe::registry::pipeline(&session.clients.sagemaker, name, version).await?, version) {
        (Seen::Present(deployed), _) => Ok(Some(deployed)),
        (Seen::Absent, None) => Ok(None),
        (Seen::Absent, Some(version)) => Err(Failure::operation(format!("pipeline {name} has no version {version}"))
            .hint(format!("see which there are: cargo xtask pipeline versions{}", session.flags))),
        (Seen::Unknown(why), _) => Err(Failure::unverified(format!("what is deployed is not known: {why}"))),
    }
}

/// The text of a definition, and what to call it.
struct Source {
    label: String,
    text: String,
}

impl Source {
    /// A file, or the definition that `run` would send.
    fn of(file: Option<&Path>, site: impl FnOnce() -> Result<Site, Failure>) -> Result<Self, Failure> {
        let Some(file) = file else { return Ok(Self::own(&pipeline::definition(&site()?))) };
        let label = file.display().to_string();
        match std::fs::read_to_string(file) {
            Ok(text) => Ok(Self { label, text }),
            Err(error) => Err(Failure::usage(format!("cannot read {label}")).because(error)),
        }
    }

    /// Our own definition, line by line what `pipeline show` prints.
    fn own(definition: &Definition) -> Self {
        Self { label: "<pipeline show>".to_owned(), text: format!("{:#}", definition.to_value()) }
    }

    fn definition(&self) -> Result<Definition, Failure> {
        Definition::parse(&self.text).map_err(|error| self.unreadable(error))
    }

    fn unreadable(&self, error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Failure {
        let Self { label, .. } = self;
        Failure::operation(format!("{label} is no pipeline that can be read"))
            .because(error)
            .hint(format!("see where: cargo xtask pipeline lint --file {label}"))
    }
}
