//! Drawings of a definition: which step waits for which, and which branch of which condition it stands in.

use std::collections::{HashMap, HashSet};

use serde::Serialize;

use crate::{
    Definition, Graph, GraphError, StepType,
    graph::{Referred, references},
};

mod dot;
mod mermaid;
mod text;

/// The steps and what they wait for, to be drawn as [`Picture::text`], [`Picture::mermaid`] or [`Picture::dot`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Picture {
    /// The steps, each after those that it waits for, otherwise in document order.
    pub steps: Vec<Drawn>,
}

/// A step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Drawn {
    /// Its name.
    pub name: String,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: String,
    /// The steps of which it uses something.
    pub uses: Vec<String>,
    /// The steps that it waits for only because `DependsOn` says so.
    pub after: Vec<String>,
    /// The condition in whose branch it stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub branch: Option<Branch>,
}

/// A branch of a Condition step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Branch {
    /// The Condition step.
    pub condition: String,
    /// True: the steps run if the conditions hold.
    pub outcome: bool,
}

impl Picture {
    /// The picture of a definition.
    ///
    /// # Errors
    /// Its steps make no graph.
    pub fn of(definition: &Definition) -> Result<Self, GraphError> {
        let graph = Graph::new(definition)?;
        let mut by_name: HashMap<&str, _> =
            definition.steps_with_branches().map(|placed| (placed.step.name.as_str(), placed.step)).collect();
        let steps = graph.order().filter_map(|name| by_name.remove(name)).map(|step| {
            // A graph has been made of them, so they can be read.
            let uses = unique(references(step).unwrap_or_default().into_iter().map(|Referred { step, .. }| step));
            let after =
                unique(step.depends_on.iter().map(String::as_str).filter(|name| !uses.iter().any(|used| used == name)));
            Drawn {
                name: step.name.clone(),
                kind: step.kind.to_string(),
                uses,
                after,
                branch: graph
                    .governor(&step.name)
                    .map(|governor| Branch { condition: governor.condition.to_owned(), outcome: governor.outcome }),
            }
        });
        Ok(Self { steps: steps.collect() })
    }

    /// As text, at most 80 columns wide unless a name is longer.
    #[must_use]
    pub fn text(&self) -> String {
        text::draw(self)
    }

    /// As a Mermaid flowchart.
    #[must_use]
    pub fn mermaid(&self) -> String {
        mermaid::draw(self)
    }

    /// As a Graphviz digraph.
    #[must_use]
    pub fn dot(&self) -> String {
        dot::draw(self)
    }

    /// The arrows, as positions: where from, where to, why. What a step uses comes before what it only waits for.
    fn arrows(&self) -> impl Iterator<Item = (usize, usize, Why)> {
        let positions: HashMap<&str, usize> =
            self.steps.iter().enumerate().map(|(i, s)| (s.name.as_str(), i)).collect();
        self.steps.iter().enumerate().flat_map(move |(to, step)| {
            let branch = step.branch.iter().map(|branch| (&branch.condition, Why::Branch(branch.outcome)));
            let uses = step.uses.iter().map(|name| (name, Why::Uses));
            let after = step.after.iter().map(|name| (name, Why::After));
            let named = branch.chain(uses).chain(after);
            named.filter_map(|(name, why)| Some((*positions.get(name.as_str())?, to, why))).collect::<Vec<_>>()
        })
    }
}

impl Drawn {
    fn is_condition(&self) -> bool {
        self.kind == StepType::Condition.as_str()
    }
}

/// Why a step waits for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Why {
    Uses,
    After,
    Branch(bool),
}

/// Which branch, in a word.
fn branch_name(outcome: bool) -> &'static str {
    if outcome { "if" } else { "else" }
}

fn unique<'a>(names: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut seen = HashSet::new();
    names.filter(|name| seen.insert(*name)).map(str::to_owned).collect()
}
