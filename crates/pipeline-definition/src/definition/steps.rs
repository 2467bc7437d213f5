//! Walking the steps of a definition, branches included.

use super::Step;

/// The steps of a definition in document order; see [`super::Definition::steps_with_branches`].
#[derive(Debug, Clone)]
pub struct StepsWithBranches<'a> {
    // The next to visit is the last.
    stack: Vec<PlacedStep<'a>>,
}

/// A step and where it stands.
#[derive(Debug, Clone)]
pub struct PlacedStep<'a> {
    /// The step.
    pub step: &'a Step,
    /// JSON pointer to it in the definition: `/Steps/3/Arguments/IfSteps/0`.
    pub pointer: String,
    /// The Condition step in whose branch it stands; `None` at the top level.
    pub governor: Option<Governor<'a>>,
}

/// The Condition step that decides whether another step runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Governor<'a> {
    /// Its name.
    pub condition: &'a str,
    /// The outcome under which the other step runs: true for IfSteps, false for ElseSteps.
    pub outcome: bool,
}

impl<'a> StepsWithBranches<'a> {
    pub(super) fn new(steps: &'a [Step]) -> Self {
        let mut walk = Self { stack: Vec::new() };
        walk.push(steps, "/Steps", None);
        walk
    }

    fn push(&mut self, steps: &'a [Step], list: &str, governor: Option<Governor<'a>>) {
        let placed = |(i, step)| PlacedStep { step, pointer: format!("{list}/{i}"), governor };
        self.stack.extend(steps.iter().enumerate().rev().map(placed));
    }
}

impl<'a> Iterator for StepsWithBranches<'a> {
    type Item = PlacedStep<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        let placed = self.stack.pop()?;
        let step = placed.step;
        for (list, steps, outcome) in [("ElseSteps", step.else_steps(), false), ("IfSteps", step.if_steps(), true)] {
            let governor = Some(Governor { condition: &step.name, outcome });
            self.push(steps, &format!("{}/Arguments/{list}", placed.pointer), governor);
        }
        Some(placed)
    }
}
