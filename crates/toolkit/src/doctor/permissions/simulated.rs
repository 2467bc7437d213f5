//! The first depth: AWS's simulator.

use std::collections::BTreeMap;

use futures::future::try_join_all;

use super::{Depth, Judgement, Looker, meaning};
use crate::aws::iam::{Simulated, Simulation};
use crate::error::Failure;

impl Judgement {
    /// Asks the simulator as the first who may; says whether somebody was let.
    pub(super) async fn simulate(&mut self, lookers: &[Looker<'_>]) -> bool {
        for looker in lookers {
            let answers = match self.ask(looker).await {
                Ok(answers) => answers,
                Err(failure) => {
                    self.not_simulated = Some(failure);
                    continue;
                }
            };
            for (need, answer) in &mut self.answers {
                let found = answers.iter().find(|it| it.action == need.action && it.resource == need.resource);
                if let Some(found) = found {
                    *answer = meaning(found);
                }
            }
            (self.depth, self.identity) = (Depth::Simulated, looker.arn.to_owned());
            return true;
        }
        false
    }

    /// One call for each statement of our policy: its actions, on its resources, with its context. What an action has
    /// nothing to do with is answered too, and not looked at.
    async fn ask(&self, looker: &Looker<'_>) -> Result<Vec<Simulated>, Failure> {
        let mut by_statement: BTreeMap<&str, (Vec<&str>, Vec<&str>, _)> = BTreeMap::new();
        for (need, _) in &self.answers {
            let first = || (Vec::new(), Vec::new(), self.context_of(need));
            let (actions, resources, _) = by_statement.entry(need.sid).or_insert_with(first);
            if !actions.contains(&need.action) {
                actions.push(need.action);
            }
            if !resources.contains(&need.resource.as_str()) {
                resources.push(&need.resource);
            }
        }
        let mut calls = by_statement.into_values().map(|(actions, resources, context)| async move {
            let source = self.role.arn.as_str();
            looker.iam.simulate(&Simulation { source, actions, resources, context: &context }).await
        });
        // Who is refused once is not let ask the others either.
        let first = match calls.next() {
            Some(call) => call.await?,
            None => return Ok(Vec::new()),
        };
        let others = try_join_all(calls).await?;
        Ok(std::iter::once(first).chain(others).flatten().collect())
    }
}
