//! The order of the steps: cycles, and steps that no execution reaches.

use std::collections::BTreeSet;

use super::{Context, Findings, Rule, expressions::Edge};
use crate::{StepType, graph::topological_order};

pub(super) fn check(context: &Context<'_>, edges: Vec<Vec<Edge>>, findings: &mut Findings) {
    let governors: Vec<Option<usize>> =
        context.steps.iter().map(|placed| Some(context.by_name[placed.governor?.condition])).collect();
    let parents: Vec<Vec<usize>> = edges
        .iter()
        .zip(&governors)
        .map(|(edges, governor)| edges.iter().map(|edge| edge.to).chain(*governor).collect())
        .collect();
    match topological_order(&parents) {
        Err(around) => cycle(context, &edges, &around, findings),
        Ok(order) => unreachable_steps(context, &edges, &governors, &order, findings),
    }
}

fn cycle(context: &Context<'_>, edges: &[Vec<Edge>], around: &[usize], findings: &mut Findings) {
    let name = |at: &usize| context.steps[*at].step.name.as_str();
    let names: Vec<&str> = around.iter().map(name).collect();
    // Where the first of them says whom it waits for; a step that waits for nothing but the condition around it says so
    // by its place.
    let said = around.windows(2).find_map(|pair| edges[pair[0]].iter().find(|edge| edge.to == pair[1]));
    let pointer = said.map_or(&context.steps[around[0]].pointer, |edge| &edge.pointer);
    findings.add(Rule::Cycle, pointer, format!("these steps wait for each other: {}", names.join(" -> ")));
}

/// The outcomes of conditions without which a step does not run.
type Outcomes = BTreeSet<(usize, bool)>;

fn unreachable_steps(
    context: &Context<'_>,
    edges: &[Vec<Edge>],
    governors: &[Option<usize>],
    order: &[usize],
    findings: &mut Findings,
) {
    // More than anybody nests; beyond it contradictions may be missed, and the cost stays linear.
    const MOST: usize = 64;
    let mut needs: Vec<Outcomes> = vec![Outcomes::new(); context.steps.len()];
    for &at in order {
        let mut mine = Outcomes::new();
        if let (Some(condition), Some(governor)) = (governors[at], context.steps[at].governor) {
            mine.extend(needs[condition].iter().copied());
            mine.insert((condition, governor.outcome));
        }
        for edge in &edges[at] {
            let parent = &context.steps[edge.to];
            if parent.step.kind == StepType::Fail {
                let message = format!("step '{}' ends the execution: nothing runs after it", parent.step.name);
                findings.add(Rule::UnreachableStep, &edge.pointer, message);
                continue;
            }
            let against = needs[edge.to].iter().find(|(condition, outcome)| mine.contains(&(*condition, !outcome)));
            if let Some((condition, outcome)) = against {
                let (condition, branch) = (&context.steps[*condition].step.name, if *outcome { "if" } else { "else" });
                let message = format!(
                    "step '{}' runs only in the {branch} branch of '{condition}', and this step only in the other",
                    parent.step.name
                );
                findings.add(Rule::UnreachableStep, &edge.pointer, message);
                continue;
            }
            let room = MOST.saturating_sub(mine.len());
            mine.extend(needs[edge.to].iter().take(room).copied());
        }
        needs[at] = mine;
    }
}
