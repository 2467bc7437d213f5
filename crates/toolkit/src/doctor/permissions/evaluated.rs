//! The second depth: the policies that can be read, evaluated here as the simulator would.

use iam_policy::simulate::{Simulation, simulate};
use iam_policy::{Caller, Context, Outcome, Policies};

use super::{Answer, By, Depth, Judgement, Looker, meaning};
use crate::aws::iam::{Entity, Simulated};

impl Judgement {
    /// Evaluates the policies as the first who may read them; says whether somebody may.
    pub(super) async fn evaluate(&mut self, lookers: &[Looker<'_>], entity: Option<&Entity>) -> bool {
        let Some((policies, looker)) = read(lookers, entity).await else { return false };
        let answers: Vec<_> = self.answers.iter().map(|(need, _)| self.decide(need, &policies)).collect();
        for ((_, answer), found) in self.answers.iter_mut().zip(answers) {
            *answer = found;
        }
        (self.depth, self.identity) = (Depth::Evaluated, looker.arn.to_owned());
        self.policies = Some(policies);
        true
    }

    /// Reads the policies of a role to whom something was refused: only they tell which statement it was.
    pub(super) async fn explain(&mut self, lookers: &[Looker<'_>], entity: Option<&Entity>) {
        if self.policies.is_none() && !self.refused(By::Deny).is_empty() {
            self.policies = read(lookers, entity).await.map(|(policies, _)| policies);
        }
    }

    fn decide(&self, need: &iam_policy::generate::Need, policies: &Policies) -> Answer {
        let mut context = Context::new();
        for (key, values) in self.context_of(need) {
            context.set(&key, values);
        }
        let simulation = Simulation {
            caller: Caller::role(&self.role.arn),
            // The simulator knows no policies of resources, and a trust policy has no say in what the role does.
            policies: Policies { resource: None, ..policies.clone() },
            actions: vec![need.action.to_owned()],
            resources: vec![need.resource.clone()],
            resource_owner: None,
            context,
        };
        let Some(result) = simulate(&simulation).ok().and_then(|results| results.into_iter().next()) else {
            return Answer::Unknown(format!("{} on {} cannot be evaluated", need.action, need.resource));
        };
        let of_resource = result.resource_specific_results.into_iter().next();
        let by_boundary = of_resource.as_ref().and_then(|it| it.permissions_boundary_decision_detail);
        let by_boundary = by_boundary.or(result.permissions_boundary_decision_detail);
        meaning(&Simulated {
            action: need.action.to_owned(),
            resource: need.resource.clone(),
            outcome: of_resource.as_ref().map_or(result.eval_decision, |it| it.eval_resource_decision),
            by_organization: None,
            by_boundary: by_boundary.map(|detail| detail.allowed_by_permissions_boundary),
            missing: of_resource.map_or(result.missing_context_values, |it| it.missing_context_values),
        })
    }

    /// The statements that deny any of the needs, each once.
    pub(super) fn denials(&self) -> Vec<iam_policy::Matched> {
        let Some(policies) = &self.policies else { return Vec::new() };
        let mut found: Vec<iam_policy::Matched> = Vec::new();
        for need in self.refused(By::Deny) {
            let mut request = iam_policy::Request::new(Caller::role(&self.role.arn), need.action, &need.resource);
            for (key, values) in self.context_of(need) {
                request.context.set(&key, values);
            }
            let policies = Policies { resource: None, ..policies.clone() };
            let decision = iam_policy::evaluate(&request, &policies);
            if decision.outcome == Outcome::ExplicitDeny {
                found.extend(decision.statements.into_iter().filter(|it| !found.contains(it)).collect::<Vec<_>>());
            }
        }
        found
    }
}

async fn read<'l>(lookers: &'l [Looker<'l>], entity: Option<&Entity>) -> Option<(Policies, &'l Looker<'l>)> {
    for looker in lookers {
        if let Ok(policies) = looker.iam.policies(entity?).await {
            return Some((policies, looker));
        }
    }
    None
}
