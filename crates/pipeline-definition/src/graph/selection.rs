//! Selective execution: some steps of a graph run, and another execution stands in for what they wait for.

use std::fmt;

use super::{Graph, Progress};
use crate::nearest::nearest;

/// What a selective execution runs, and what it takes over from another execution.
#[derive(Debug, Clone, PartialEq)]
pub struct Selection<'g> {
    graph: &'g Graph,
    /// The steps that run, each after those that it waits for.
    pub runs: Vec<&'g str>,
    /// What they wait for and is not selected, in the same order. What these wait for in turn is not needed again.
    pub takes: Vec<&'g str>,
}

/// What a selection waits for, and an execution cannot stand in for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing<'g> {
    /// The selected steps that wait.
    pub steps: Vec<&'g str>,
    /// What they wait for.
    pub dependencies: Vec<&'g str>,
}

/// Why steps cannot be selected together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SelectionError {
    /// A name that no step has.
    #[error("there is no step '{step}'")]
    UnknownStep {
        /// The name.
        step: String,
        /// What was probably meant.
        nearest: Option<String>,
    },
    /// Steps on the way from one selected step to another are not selected.
    #[error("the steps between the selected ones must be selected too: {}", steps.join(", "))]
    Between {
        /// The steps on the way.
        steps: Vec<String>,
    },
    /// Some of the steps have nothing to do with the others.
    #[error("the selected steps must be connected, and nothing connects {} with {}", one.join(", "), other.join(", "))]
    Apart {
        /// The first step, and all that are connected with it.
        one: Vec<String>,
        /// The rest.
        other: Vec<String>,
    },
}

impl Graph {
    /// Selects steps: those to be run alone. As SageMaker wants it, they are connected, and all steps on a path between
    /// two of them are among them. To name a step twice is to name it once.
    ///
    /// # Errors
    /// When there is no such step, or the steps cannot be selected together.
    pub fn select<'g>(&'g self, steps: impl IntoIterator<Item = &'g str>) -> Result<Selection<'g>, SelectionError> {
        let mut selected = vec![false; self.nodes.len()];
        for step in steps {
            let at = self.index.get(step).ok_or_else(|| SelectionError::UnknownStep {
                step: step.to_owned(),
                nearest: nearest(step, self.order()).map(str::to_owned),
            })?;
            selected[*at] = true;
        }
        let named = |wanted: &dyn Fn(usize) -> bool| -> Vec<&'g str> {
            (0..self.nodes.len()).filter(|&at| wanted(at)).map(|at| self.nodes[at].name.as_str()).collect()
        };
        let owned = |names: Vec<&str>| names.into_iter().map(str::to_owned).collect();

        let between = named(&self.between(&selected));
        if !between.is_empty() {
            return Err(SelectionError::Between { steps: owned(between) });
        }
        let reached = self.connected_with_the_first(&selected);
        let other = named(&|at| selected[at] && !reached[at]);
        if !other.is_empty() {
            return Err(SelectionError::Apart { one: owned(named(&|at| reached[at])), other: owned(other) });
        }
        let is_taken = |at: usize| !selected[at] && self.nodes[at].children.iter().any(|&child| selected[child]);
        Ok(Selection { graph: self, runs: named(&|at| selected[at]), takes: named(&is_taken) })
    }

    /// Whether a step is not selected, and stands behind a selected one and before another.
    fn between(&self, selected: &[bool]) -> impl Fn(usize) -> bool {
        let (mut behind, mut before) = (selected.to_vec(), selected.to_vec());
        for (at, node) in self.nodes.iter().enumerate() {
            behind[at] |= node.parents.iter().any(|&parent| behind[parent]);
        }
        for (at, node) in self.nodes.iter().enumerate().rev() {
            before[at] |= node.children.iter().any(|&child| before[child]);
        }
        move |at| !selected[at] && behind[at] && before[at]
    }

    /// The first of the selected steps, and those to which a way through selected steps leads from it.
    fn connected_with_the_first(&self, selected: &[bool]) -> Vec<bool> {
        let mut reached = vec![false; selected.len()];
        let mut open: Vec<usize> = selected.iter().position(|selected| *selected).into_iter().collect();
        while let Some(at) = open.pop() {
            if !std::mem::replace(&mut reached[at], true) {
                let node = &self.nodes[at];
                open.extend(node.parents.iter().chain(&node.children).filter(|&&next| selected[next]));
            }
        }
        reached
    }
}

impl<'g> Selection<'g> {
    /// What an execution, in which the steps have come this far, cannot stand in for: what has not succeeded there, and
    /// conditions that decided against the branch of a selected step. None if it can be the source.
    pub fn missing(&self, progress: impl Fn(&str) -> Progress) -> Option<Missing<'g>> {
        let stands_in = |step: &str, dependency: &str| match progress(dependency) {
            Progress::Succeeded => true,
            Progress::Decided(taken) => self
                .graph
                .governor(step)
                .is_none_or(|governor| governor.condition != dependency || governor.outcome == taken),
            _ => false,
        };
        let mut missing = Missing { steps: Vec::new(), dependencies: Vec::new() };
        for &step in &self.runs {
            let parents = self.graph.parents(step);
            let lacking = |dependency: &&str| parents.contains(dependency) && !stands_in(step, dependency);
            let lacks: Vec<_> = self.takes.iter().copied().filter(lacking).collect();
            if !lacks.is_empty() {
                missing.steps.push(step);
                missing.dependencies.extend(lacks);
            }
        }
        missing.dependencies = self.takes.iter().copied().filter(|it| missing.dependencies.contains(it)).collect();
        (!missing.steps.is_empty()).then_some(missing)
    }
}

/// SageMaker's own sentence.
impl fmt::Display for Missing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { steps, dependencies } = self;
        write!(f, "The selected steps [{}] have dependencies on [{}]", steps.join(", "), dependencies.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::Definition;

    fn step(name: &str, depends_on: &[&str]) -> Value {
        json!({"Name": name, "Type": "Processing", "DependsOn": depends_on})
    }

    /// Prepare, then train and evaluate, then a gate: register and announce, or fail. An audit has to do with nothing.
    fn pipeline() -> Graph {
        let branches = json!({
            "Conditions": [],
            "IfSteps": [step("Register", &["Train"]), step("Announce", &["Register"])],
            "ElseSteps": [step("Fail", &[])],
        });
        let gate = json!({"Name": "Gate", "Type": "Condition", "DependsOn": ["Evaluate"], "Arguments": branches});
        let steps = json!({"Steps": [
            step("Prepare", &[]), step("Train", &["Prepare"]), step("Evaluate", &["Train", "Prepare"]), gate, step("Audit", &[]),
        ]});
        Graph::new(&Definition::from_value(steps).unwrap()).unwrap()
    }

    #[test]
    fn a_selection_takes_over_what_it_waits_for_and_no_more() {
        fn check(selected: &[&'static str], runs: &[&str], takes: &[&str]) {
            let graph = pipeline();
            let selection = graph.select(selected.iter().copied()).unwrap();
            assert_eq!((selection.runs.as_slice(), selection.takes.as_slice()), (runs, takes), "{selected:?}");
        }
        check(&["Prepare"], &["Prepare"], &[]);
        check(&["Train"], &["Train"], &["Prepare"]);
        check(&["Evaluate", "Train", "Train"], &["Train", "Evaluate"], &["Prepare"]);
        check(&["Gate"], &["Gate"], &["Evaluate"]);
        check(&["Announce", "Register"], &["Register", "Announce"], &["Train", "Gate"]);
        check(&["Audit"], &["Audit"], &[]);
        let all = ["Prepare", "Train", "Evaluate", "Gate", "Register", "Announce", "Fail"];
        check(&all, &all, &[]);
    }

    #[test]
    fn what_cannot_be_selected_together_is_refused() {
        fn check(selected: &[&'static str], error: &str) {
            let graph = pipeline();
            assert_eq!(graph.select(selected.iter().copied()).unwrap_err().to_string(), error);
        }
        let graph = pipeline();
        let unknown = SelectionError::UnknownStep { step: "Trian".into(), nearest: Some("Train".into()) };
        assert_eq!(graph.select(["Prepare", "Trian"]), Err(unknown));
        check(&["Nobody"], "there is no step 'Nobody'");
        let between = "the steps between the selected ones must be selected too:";
        check(&["Train", "Gate"], &format!("{between} Evaluate"));
        check(&["Prepare", "Register"], &format!("{between} Train, Evaluate, Gate"));
        let apart = "the selected steps must be connected, and nothing connects";
        check(&["Audit", "Train", "Evaluate"], &format!("{apart} Train, Evaluate with Audit"));
        check(&["Register", "Fail"], &format!("{apart} Register with Fail"));
    }

    #[test]
    fn an_execution_stands_in_for_what_it_has_done() {
        use Progress::{Decided, Failed, Succeeded};
        fn check(selected: &[&'static str], progress: &[(&str, Progress)], missing: &str) {
            let graph = pipeline();
            let of =
                |step: &str| progress.iter().find(|(name, _)| *name == step).map_or(Progress::Waiting, |(_, it)| *it);
            let selection = graph.select(selected.iter().copied()).unwrap();
            let said = selection.missing(of).map(|missing| missing.to_string()).unwrap_or_default();
            assert_eq!(said, missing, "{selected:?} {progress:?}");
        }
        check(&["Prepare"], &[], "");
        check(&["Train"], &[], "The selected steps [Train] have dependencies on [Prepare]");
        check(&["Train"], &[("Prepare", Succeeded)], "");
        check(&["Train"], &[("Prepare", Failed)], "The selected steps [Train] have dependencies on [Prepare]");
        check(&["Train", "Evaluate"], &[], "The selected steps [Train, Evaluate] have dependencies on [Prepare]");
        // What is not selected needs nothing.
        check(&["Gate"], &[("Evaluate", Succeeded)], "");
        let passed = [("Train", Succeeded), ("Gate", Decided(true))];
        let failed = [("Train", Succeeded), ("Gate", Decided(false))];
        check(&["Register"], &passed, "");
        check(&["Register"], &failed, "The selected steps [Register] have dependencies on [Gate]");
        check(&["Fail"], &failed, "");
        check(&["Fail"], &passed, "The selected steps [Fail] have dependencies on [Gate]");
    }
}
