//! `pipeline versions`: the definitions that the deployed pipeline has had, and what came of each.

use std::fmt;

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use serde::Serialize;

use crate::aws::Session;
use crate::error::Failure;
use crate::execution;
use crate::observe::registry;
use crate::output::Output;

/// How many of the newest are shown: of each, its last execution is looked up.
const NEWEST: i32 = 20;

/// Lists the newest versions, newest first.
///
/// # Errors
/// When there is no pipeline, or a call is refused.
pub async fn run(session: &Session, output: &Output) -> Result<(), Failure> {
    let (sagemaker, pipeline) = (&session.clients.sagemaker, &session.site.pipeline);
    let Some((listed, more)) = registry::versions(sagemaker, pipeline, NEWEST).await? else {
        return Err(Failure::operation(format!("pipeline {pipeline} does not exist yet"))
            .hint(format!("create it: cargo xtask run{}; each new definition makes a version", session.flags)));
    };
    let mut versions = Vec::new();
    for found in listed {
        let last_status = match &found.last_execution {
            Some(execution) => registry::execution_status(sagemaker, execution).await?,
            None => None,
        };
        let registry::PipelineVersion { version, created, display_name, description, last_execution } = found;
        versions.push(Version { version, created, display_name, description, last_execution, last_status });
    }
    if more {
        output.note(format_args!("the newest {NEWEST}; there are older ones"));
    }
    let versions = Versions { pipeline: pipeline.clone(), versions };
    output.print(&versions, &versions)
}

#[derive(Debug, Serialize)]
struct Versions {
    pipeline: String,
    versions: Vec<Version>,
}

#[derive(Debug, Serialize)]
struct Version {
    version: i64,
    /// Seconds since 1970.
    created: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    display_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_execution: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_status: Option<String>,
}

impl fmt::Display for Versions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "version  created               last execution  status     description")?;
        for version in &self.versions {
            let second = DateTime::from_secs_f64(version.created.trunc());
            let created = second.fmt(Format::DateTime).unwrap_or_default();
            let last = version.last_execution.as_deref().map_or("-", execution::id);
            let status = version.last_status.as_deref().unwrap_or("-");
            let texts = [version.display_name.as_deref(), version.description.as_deref()];
            let texts = texts.into_iter().flatten().collect::<Vec<_>>().join(": ");
            let line = format!("{:>7}  {created:<20}  {last:<14}  {status:<9}  {texts}", version.version);
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_well() {
        let first = Version {
            version: 1,
            created: 1_790_000_000.5,
            display_name: Some("baseline".to_owned()),
            description: Some("as published".to_owned()),
            last_execution: Some(
                "arn:aws:sagemaker:eu-west-1:111122223333:pipeline/p/execution/abcdefghijkl".to_owned(),
            ),
            last_status: Some("Succeeded".to_owned()),
        };
        let second = Version {
            version: 2,
            created: 1_790_000_060.0,
            display_name: None,
            description: None,
            last_execution: None,
            last_status: None,
        };
        let versions = Versions { pipeline: "p".to_owned(), versions: vec![second, first] };
        let text = "\
version  created               last execution  status     description
      2  2026-09-21T14:14:20Z  -               -
      1  2026-09-21T14:13:20Z  abcdefghijkl    Succeeded  baseline: as published
";
        assert_eq!(versions.to_string(), text);
    }
}
