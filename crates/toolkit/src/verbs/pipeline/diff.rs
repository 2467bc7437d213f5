//! `pipeline diff`: what the deployed pipeline and a definition have not in common. Nothing is changed.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use pipeline_definition::Definition;
use pipeline_definition::diff::{Change, diff};
use serde::Serialize;

use super::{Source, deployed};
use crate::aws::Session;
use crate::error::Failure;
use crate::observe::Pipeline;
use crate::output::Output;
use crate::plan::{Tag, Verdict};
use crate::site::Site;
use crate::verbs::image::{self, Pinned};

/// Compares the deployed pipeline with the definition in the file, or with our own, and with the role and the tags of the
/// settings. Of an earlier version only the definition is compared: role and tags have no versions.
///
/// # Errors
/// When a definition cannot be read, or AWS refuses to say what is deployed. A difference is no error.
pub async fn run(session: &Session, output: &Output, file: Option<&Path>, version: Option<i64>) -> Result<(), Failure> {
    let site = &match file {
        Some(_) => session.site.clone(),
        None => {
            let Pinned { site, action } = image::pin(session, output).await?;
            if let Some(action) = action.filter(|action| action.verdict == Verdict::Missing) {
                output.warn(format_args!("image {}: {}", action.name, action.because));
            }
            site
        }
    };
    let wanted = Source::of(file, || Ok(site.clone()))?.definition()?;
    let difference = match deployed(session, version).await? {
        Some(deployed) => Difference::of(site, &deployed, &wanted, version)?,
        None => Difference { pipeline: site.pipeline.clone(), ..Difference::default() },
    };
    output.print(&difference, &difference)
}

/// What differs.
#[derive(Debug, Default, PartialEq, Serialize)]
struct Difference {
    pipeline: String,
    /// Whether there is a pipeline of that name at all.
    deployed: bool,
    /// The version that was compared, if not all that is deployed.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<i64>,
    same: bool,
    definition: Vec<Change>,
    role: Option<Changed>,
    tags: BTreeMap<String, Changed>,
}

/// A value that differs.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Changed {
    /// What is deployed.
    old: Option<String>,
    /// What is wanted.
    new: Option<String>,
}

impl Difference {
    fn of(site: &Site, deployed: &Pipeline, wanted: &Definition, version: Option<i64>) -> Result<Self, Failure> {
        let old = Definition::parse(&deployed.definition).map_err(|error| {
            Failure::operation(format!("the deployed definition of {} cannot be read", site.pipeline)).because(error)
        })?;
        let definition = diff(&old, wanted);
        let role = (version.is_none() && deployed.role != site.role)
            .then(|| Changed { old: Some(deployed.role.clone()), new: Some(site.role.clone()) });
        let tags = match version {
            None => tags(&deployed.tags, &site.tags),
            Some(_) => BTreeMap::new(),
        };
        let same = definition.is_empty() && role.is_none() && tags.is_empty();
        Ok(Self { pipeline: site.pipeline.clone(), deployed: true, version, same, definition, role, tags })
    }
}

fn tags(deployed: &BTreeMap<String, String>, wanted: &[Tag]) -> BTreeMap<String, Changed> {
    let mut tags: BTreeMap<String, Changed> =
        deployed.iter().map(|(key, value)| (key.clone(), Changed { old: Some(value.clone()), new: None })).collect();
    for Tag { key, value } in wanted {
        tags.entry(key.clone()).or_insert(Changed { old: None, new: None }).new = Some(value.clone());
    }
    tags.retain(|_, tag| tag.old != tag.new);
    tags
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pipeline, deployed, version, same, definition, role, tags } = self;
        if !deployed {
            return write!(f, "pipeline {pipeline} does not exist yet: all of it would be new");
        }
        if let (true, Some(version)) = (same, version) {
            return write!(f, "no difference: the definition is that of version {version} of pipeline {pipeline}");
        }
        if *same {
            return write!(f, "no difference: definition, role and tags of pipeline {pipeline} are the deployed ones");
        }
        for change in definition {
            writeln!(f, "{change}")?;
        }
        if let Some(Changed { old, new }) = role {
            writeln!(f, "~ role: {} -> {}", shown(old), shown(new))?;
        }
        for (key, Changed { old, new }) in tags {
            match (old, new) {
                // `run` takes no tag away: it may be somebody else's.
                (Some(_), None) => writeln!(f, "- tag {key}: {} (only deployed; stays there)", shown(old))?,
                (None, _) => writeln!(f, "+ tag {key}: {}", shown(new))?,
                _ => writeln!(f, "~ tag {key}: {} -> {}", shown(old), shown(new))?,
            }
        }
        Ok(())
    }
}

fn shown(value: &Option<String>) -> String {
    format!("{:?}", value.as_deref().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{Settings, Sources};

    const ROLE: &str = "arn:aws:iam::111122223333:role/sts";

    fn check(change: impl Fn(&mut Pipeline), said: &str) {
        let settings = Settings::resolve(&Sources::default()).unwrap();
        let site = Site::new(&settings, "111122223333", Some(ROLE));
        let wanted = crate::pipeline::definition(&site);
        let mut deployed = Pipeline {
            arn: "arn".to_owned(),
            definition: wanted.to_json(),
            role: ROLE.to_owned(),
            tags: site.tags.iter().map(|tag| (tag.key.clone(), tag.value.clone())).collect(),
        };
        change(&mut deployed);
        assert_eq!(Difference::of(&site, &deployed, &wanted, None).unwrap().to_string(), said);
    }

    #[test]
    fn definition_role_and_tags_are_compared() {
        check(|_| {}, "no difference: definition, role and tags of pipeline stsPipeline are the deployed ones");
        check(
            |deployed| deployed.role = "other".to_owned(),
            "~ role: \"other\" -> \"arn:aws:iam::111122223333:role/sts\"\n",
        );
        check(
            |deployed| {
                deployed.tags.remove("ManagedBy");
                deployed.tags.extend([("Project".into(), "x".into()), ("Team".into(), "nlp".into())]);
            },
            "+ tag ManagedBy: \"stsmodelmonitor\"\n~ tag Project: \"x\" -> \"sts\"\n\
             - tag Team: \"nlp\" (only deployed; stays there)\n",
        );
        check(
            |deployed| {
                deployed.definition = deployed.definition.replace("\"DefaultValue\":0.3", "\"DefaultValue\":0.2");
            },
            "~ parameter MseThreshold: /Parameters/5/DefaultValue: 0.2 -> 0.3\n",
        );
    }
}
