//! Which step waits for which, which Condition step decides about it, and what may start now.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap, HashSet},
};

use crate::{Definition, definition::Governor};

mod references;
mod selection;

pub use references::{Referred, references};
pub use selection::{Missing, Selection, SelectionError};

/// The steps of a definition and their dependencies. Everything is asked by name; a name that is no step has no
/// parents, no children and no governor.
#[derive(Debug, Clone, PartialEq)]
pub struct Graph {
    // In topological order; parents and children are positions in it.
    nodes: Vec<Node>,
    index: HashMap<String, usize>,
}

#[derive(Debug, Clone, PartialEq)]
struct Node {
    name: String,
    parents: Vec<usize>,
    children: Vec<usize>,
    // The position of the Condition step, and the outcome that it must have.
    governor: Option<(usize, bool)>,
}

/// How far a step has come in an execution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// It has not started.
    Waiting,
    /// It has started and not ended.
    Running,
    /// It ended well.
    Succeeded,
    /// A Condition step ended well, with this outcome.
    Decided(bool),
    /// It ended badly: failed or stopped.
    Failed,
}

/// What a scheduler may do next; see [`Graph::outlook`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outlook<'a> {
    /// Steps that wait for nothing any more.
    pub ready: Vec<&'a str>,
    /// Waiting steps that will never start: in a branch not taken, or behind a step that failed or never starts.
    pub unreachable: Vec<&'a str>,
}

/// Why steps make no graph.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GraphError {
    /// Two steps of one name.
    #[error("step name '{name}' stands at {first} and again at {second}")]
    DuplicateName {
        /// The name.
        name: String,
        /// JSON pointer to the first.
        first: String,
        /// JSON pointer to the second.
        second: String,
    },
    /// A `DependsOn` that names no step.
    #[error("step '{step}' at {pointer} depends on '{target}', which is no step of this pipeline")]
    UnknownDependsOn {
        /// The step that depends.
        step: String,
        /// JSON pointer to the entry of its `DependsOn`.
        pointer: String,
        /// What it names.
        target: String,
    },
    /// A `Get` of a step that does not exist.
    #[error("step '{step}' at {pointer} refers to step '{target}', which is no step of this pipeline")]
    UnknownReference {
        /// The step that refers.
        step: String,
        /// JSON pointer to the expression.
        pointer: String,
        /// What it names.
        target: String,
    },
    /// An expression from which no reference can be read.
    #[error("step '{step}' at {pointer}: {reason}")]
    Expression {
        /// The step that contains it.
        step: String,
        /// JSON pointer to the expression.
        pointer: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Steps that wait for each other.
    #[error("cycle detected in pipeline step graph: {}", steps.join(" -> "))]
    Cycle {
        /// The way around: each step waits for the next, and the last is the first again.
        steps: Vec<String>,
    },
}

impl Graph {
    /// The graph of a definition. A step waits for the steps that its `DependsOn` names, for those that its arguments
    /// (or its conditions, or other members) refer to, and for the Condition step in whose branch it stands.
    ///
    /// # Errors
    /// Duplicate names, names of steps that do not exist, malformed references, cycles.
    pub fn new(definition: &Definition) -> Result<Self, GraphError> {
        let placed: Vec<_> = definition.steps_with_branches().collect();
        let mut numbers: HashMap<&str, usize> = HashMap::new();
        for (number, here) in placed.iter().enumerate() {
            if let Some(first) = numbers.insert(&here.step.name, number) {
                return Err(GraphError::DuplicateName {
                    name: here.step.name.clone(),
                    first: placed[first].pointer.clone(),
                    second: here.pointer.clone(),
                });
            }
        }
        let mut parents: Vec<Vec<usize>> = Vec::with_capacity(placed.len());
        for here in &placed {
            let step = here.step;
            let mut waits_for = Vec::new();
            for (i, target) in step.depends_on.iter().enumerate() {
                waits_for.push(*numbers.get(target.as_str()).ok_or_else(|| GraphError::UnknownDependsOn {
                    step: step.name.clone(),
                    pointer: format!("{}/DependsOn/{i}", here.pointer),
                    target: target.clone(),
                })?);
            }
            let referred = references(step).map_err(|(pointer, reason)| GraphError::Expression {
                step: step.name.clone(),
                pointer: format!("{}{pointer}", here.pointer),
                reason,
            })?;
            for Referred { step: target, pointer } in referred {
                waits_for.push(*numbers.get(target).ok_or_else(|| GraphError::UnknownReference {
                    step: step.name.clone(),
                    pointer: format!("{}{pointer}", here.pointer),
                    target: target.to_owned(),
                })?);
            }
            waits_for.extend(here.governor.map(|governor| numbers[governor.condition]));
            let mut seen = HashSet::new();
            waits_for.retain(|&parent| seen.insert(parent));
            parents.push(waits_for);
        }
        let order = topological_order(&parents).map_err(|cycle| GraphError::Cycle {
            steps: cycle.into_iter().map(|number| placed[number].step.name.clone()).collect(),
        })?;

        let mut position = vec![0; placed.len()];
        for (at, &number) in order.iter().enumerate() {
            position[number] = at;
        }
        let mut nodes: Vec<Node> = Vec::with_capacity(placed.len());
        for &number in &order {
            let parents: Vec<usize> = parents[number].iter().map(|&parent| position[parent]).collect();
            for &parent in &parents {
                let at = nodes.len();
                nodes[parent].children.push(at);
            }
            let governor = placed[number].governor;
            nodes.push(Node {
                name: placed[number].step.name.clone(),
                parents,
                children: Vec::new(),
                governor: governor.map(|governor| (position[numbers[governor.condition]], governor.outcome)),
            });
        }
        let index = nodes.iter().enumerate().map(|(at, node)| (node.name.clone(), at)).collect();
        Ok(Self { nodes, index })
    }

    /// The names of all steps, each after those that it waits for, otherwise in document order.
    pub fn order(&self) -> impl Iterator<Item = &str> {
        self.nodes.iter().map(|node| node.name.as_str())
    }

    /// What the step waits for: first its `DependsOn`, then what it refers to, last the Condition step around it.
    #[must_use]
    pub fn parents(&self, step: &str) -> Vec<&str> {
        self.node(step).map_or_else(Vec::new, |node| self.names(&node.parents))
    }

    /// What waits for the step.
    #[must_use]
    pub fn children(&self, step: &str) -> Vec<&str> {
        self.node(step).map_or_else(Vec::new, |node| self.names(&node.children))
    }

    /// The innermost Condition step in one of whose branches the step stands; none at the top level.
    #[must_use]
    pub fn governor(&self, step: &str) -> Option<Governor<'_>> {
        let (condition, outcome) = self.node(step)?.governor?;
        Some(Governor { condition: &self.nodes[condition].name, outcome })
    }

    /// What may start now, and what never will, given how far each step has come. An execution is over when nothing
    /// runs and nothing is ready. Costs one pass over the graph.
    pub fn outlook(&self, progress: impl Fn(&str) -> Progress) -> Outlook<'_> {
        let mut outlook = Outlook::default();
        let progress: Vec<Progress> = self.nodes.iter().map(|node| progress(&node.name)).collect();
        let mut dead = vec![false; self.nodes.len()];
        for (at, node) in self.nodes.iter().enumerate().filter(|(at, _)| progress[*at] == Progress::Waiting) {
            let other_branch = node.governor.is_some_and(
                |(condition, outcome)| matches!(progress[condition], Progress::Decided(taken) if taken != outcome),
            );
            let mut parents = node.parents.iter();
            if other_branch || parents.clone().any(|&parent| dead[parent] || progress[parent] == Progress::Failed) {
                dead[at] = true;
                outlook.unreachable.push(&node.name);
            } else if parents.all(|&parent| matches!(progress[parent], Progress::Succeeded | Progress::Decided(_))) {
                outlook.ready.push(&node.name);
            }
        }
        outlook
    }

    fn node(&self, step: &str) -> Option<&Node> {
        self.index.get(step).map(|&at| &self.nodes[at])
    }

    fn names(&self, positions: &[usize]) -> Vec<&str> {
        positions.iter().map(|&at| self.nodes[at].name.as_str()).collect()
    }
}

/// Parents first, otherwise by number. The error is a cycle, each number waiting for the next.
pub(crate) fn topological_order(parents: &[Vec<usize>]) -> Result<Vec<usize>, Vec<usize>> {
    let mut children: Vec<Vec<usize>> = vec![Vec::new(); parents.len()];
    for (number, waits_for) in parents.iter().enumerate() {
        for &parent in waits_for {
            children[parent].push(number);
        }
    }
    let mut open: Vec<usize> = parents.iter().map(Vec::len).collect();
    let mut free: BinaryHeap<Reverse<usize>> =
        (0..parents.len()).filter(|&number| open[number] == 0).map(Reverse).collect();
    let mut order = Vec::with_capacity(parents.len());
    while let Some(Reverse(number)) = free.pop() {
        order.push(number);
        for &child in &children[number] {
            open[child] -= 1;
            if open[child] == 0 {
                free.push(Reverse(child));
            }
        }
    }
    match open.iter().position(|&left| left > 0) {
        None => Ok(order),
        Some(stuck) => Err(cycle_from(stuck, parents, &open)),
    }
}

/// Whoever is stuck waits for somebody who is stuck, so following them must come around.
fn cycle_from(stuck: usize, parents: &[Vec<usize>], open: &[usize]) -> Vec<usize> {
    let next = |number: &usize| parents[*number].iter().copied().find(|&parent| open[parent] > 0);
    let mut visited = HashMap::new();
    let mut way = Vec::new();
    for number in std::iter::successors(Some(stuck), next) {
        way.push(number);
        if let Some(start) = visited.insert(number, way.len() - 1) {
            return way.split_off(start);
        }
    }
    way
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn step(name: &str, members: &Value) -> Value {
        let mut step = json!({"Name": name, "Type": "Processing"});
        step.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        step
    }

    fn get(path: &str) -> Value {
        json!({"Get": path})
    }

    fn condition(name: &str, conditions: &Value, if_steps: &Value, else_steps: &Value) -> Value {
        let arguments = json!({"Conditions": conditions, "IfSteps": if_steps, "ElseSteps": else_steps});
        json!({"Name": name, "Type": "Condition", "Arguments": arguments})
    }

    fn graph(steps: &Value) -> Result<Graph, GraphError> {
        Graph::new(&Definition::from_value(json!({"Steps": steps})).unwrap())
    }

    /// Listed against the order in which they run: a gate, behind it training and registration or failure.
    fn pipeline() -> Graph {
        let file = json!({"Std:JsonGet": {"PropertyFile": get("Steps.Evaluate.PropertyFiles.report"), "Path": "mse"}});
        let check = json!([{"Type": "LessThan", "LeftValue": file, "RightValue": get("Parameters.T")}]);
        let register =
            json!({"Arguments": {"Model": {"Std:Join": {"On": "/", "Values": [get("Steps.Train.A"), "x"]}}}});
        graph(&json!([
            condition(
                "Check",
                &check,
                &json!([step("Register", &register), step("Notify", &json!({"DependsOn": ["Register"]}))]),
                &json!([step("Fail", &json!({}))])
            ),
            step(
                "Evaluate",
                &json!({"Arguments": [get("Steps.Train.A"), get("Steps.Preprocess.B"), get("Steps.Train.C")]})
            ),
            step("Train", &json!({"DependsOn": ["Preprocess"], "ModelName": get("Steps.Preprocess.B")})),
            step("Preprocess", &json!({"Arguments": {"x": get("Parameters.P"), "Steps.Fail.A": "Steps.Fail.A"}})),
            step("Audit", &json!({"DependsOn": ["Check"]})),
        ]))
        .unwrap()
    }

    #[test]
    fn steps_wait_for_what_they_name_and_what_they_use() {
        let graph = pipeline();
        let order: Vec<_> = graph.order().collect();
        assert_eq!(order, ["Preprocess", "Train", "Evaluate", "Check", "Register", "Notify", "Fail", "Audit"]);
        assert_eq!(graph.parents("Train"), ["Preprocess"]);
        assert_eq!(graph.parents("Evaluate"), ["Train", "Preprocess"]);
        // What the steps of its branches use is not the condition's own.
        assert_eq!(graph.parents("Check"), ["Evaluate"]);
        assert_eq!(graph.parents("Register"), ["Train", "Check"]);
        assert_eq!(graph.parents("Notify"), ["Register", "Check"]);
        assert_eq!(graph.parents("Preprocess"), [""; 0]);
        assert_eq!(graph.children("Check"), ["Register", "Notify", "Fail", "Audit"]);
        let governor = |step| graph.governor(step).map(|g| (g.condition, g.outcome));
        assert_eq!(
            (governor("Notify"), governor("Fail"), governor("Audit")),
            (Some(("Check", true)), Some(("Check", false)), None)
        );
        assert_eq!((graph.parents("Nobody").len(), graph.governor("Nobody")), (0, None));
    }

    #[test]
    fn the_outlook_follows_the_progress() {
        fn check(progress: &[(&str, Progress)], ready: &[&str], unreachable: &[&str]) {
            let graph = pipeline();
            let of =
                |step: &str| progress.iter().find(|(name, _)| *name == step).map_or(Progress::Waiting, |(_, p)| *p);
            let outlook = graph.outlook(of);
            assert_eq!(
                (outlook.ready.as_slice(), outlook.unreachable.as_slice()),
                (ready, unreachable),
                "{progress:?}"
            );
        }
        use Progress::{Decided, Failed, Running, Succeeded};
        let done = [("Preprocess", Succeeded), ("Train", Succeeded), ("Evaluate", Succeeded)];
        let and = |more: &[(&'static str, Progress)]| [done.as_slice(), more].concat();
        check(&[], &["Preprocess"], &[]);
        check(&[("Preprocess", Running)], &[], &[]);
        check(&[("Preprocess", Succeeded)], &["Train"], &[]);
        check(&done, &["Check"], &[]);
        check(&and(&[("Check", Decided(true))]), &["Register", "Audit"], &["Fail"]);
        check(&and(&[("Check", Decided(true)), ("Register", Succeeded)]), &["Notify", "Audit"], &["Fail"]);
        check(&and(&[("Check", Decided(false))]), &["Fail", "Audit"], &["Register", "Notify"]);
        check(&and(&[("Check", Failed)]), &[], &["Register", "Notify", "Fail", "Audit"]);
        check(
            &[("Preprocess", Succeeded), ("Train", Failed)],
            &[],
            &["Evaluate", "Check", "Register", "Notify", "Fail", "Audit"],
        );
    }

    #[test]
    fn a_nested_condition_in_a_branch_not_taken_takes_its_branches_along() {
        let inner = condition("Inner", &json!([]), &json!([step("Deep", &json!({}))]), &json!([]));
        let graph = graph(&json!([
            condition("Outer", &json!([]), &json!([inner]), &json!([])),
            step("After", &json!({"Arguments": get("Steps.Deep.A")})),
        ]))
        .unwrap();
        let outlook = graph.outlook(|step| if step == "Outer" { Progress::Decided(false) } else { Progress::Waiting });
        assert_eq!(outlook, Outlook { ready: vec![], unreachable: vec!["Inner", "Deep", "After"] });
    }

    #[test]
    fn steps_that_make_no_graph_are_refused() {
        fn check(steps: &Value, error: &str) {
            assert_eq!(graph(steps).unwrap_err().to_string(), error);
        }
        let plain = |name| step(name, &json!({}));
        let twice = condition("C", &json!([]), &json!([plain("B")]), &json!([plain("A")]));
        check(
            &json!([plain("A"), twice]),
            "step name 'A' stands at /Steps/0 and again at /Steps/1/Arguments/ElseSteps/0",
        );
        check(
            &json!([plain("A"), step("B", &json!({"DependsOn": ["A", "X"]}))]),
            "step 'B' at /Steps/1/DependsOn/1 depends on 'X', which is no step of this pipeline",
        );
        check(
            &json!([step("A", &json!({"Arguments": {"x": [get("Steps.X.Y")]}}))]),
            "step 'A' at /Steps/0/Arguments/x/0 refers to step 'X', which is no step of this pipeline",
        );
        check(
            &json!([condition("C", &json!([{"LeftValue": get("Steps.X.Y")}]), &json!([]), &json!([]))]),
            "step 'C' at /Steps/0/Arguments/Conditions/0/LeftValue refers to step 'X', which is no step of this pipeline",
        );
        check(
            &json!([step("A", &json!({"SkipCheck": get("Step.A")}))]),
            "step 'A' at /Steps/0/SkipCheck: 'Step.A' must begin with Parameters., Execution., Steps. or \
             PipelineExperimentConfig. and go on with a name",
        );
        let cycle = "cycle detected in pipeline step graph:";
        check(&json!([step("A", &json!({"DependsOn": ["A"]}))]), &format!("{cycle} A -> A"));
        let (a, b) = (json!({"DependsOn": ["B"]}), json!({"Arguments": get("Steps.C.X")}));
        let c = json!({"DependsOn": ["P", "A"]});
        let around = json!([
            plain("P"),
            step("A", &a),
            step("B", &b),
            step("C", &c),
            step("After", &json!({"DependsOn": ["A"]}))
        ]);
        check(&around, &format!("{cycle} A -> B -> C -> A"));
        // A condition cannot look at a step of its own branch.
        let own = json!([{"LeftValue": get("Steps.B.Y")}]);
        check(&json!([condition("C", &own, &json!([plain("B")]), &json!([]))]), &format!("{cycle} C -> B -> C"));
    }
}
