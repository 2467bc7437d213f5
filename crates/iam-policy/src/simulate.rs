//! What SimulatePrincipalPolicy and SimulateCustomPolicy answer: since 2026 one result per action, however many resources
//! there are.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{
    Attached, Caller, Context, Kind, Matched, Outcome, Policies, Policy, Request, arn, evaluate::Layers, layer::Layer,
    problem::Position, values,
};

mod template;

/// What is simulated.
#[derive(Debug, Clone, PartialEq)]
pub struct Simulation {
    /// Who calls: a user, or a role.
    pub caller: Caller,
    /// All policies that have a say: attached ones, and those that came with the call.
    pub policies: Policies,
    /// `service:Name`, without wildcards.
    pub actions: Vec<String>,
    /// ARNs; none means `*`.
    pub resources: Vec<String>,
    /// The account of resources whose ARN does not tell it.
    pub resource_owner: Option<String>,
    /// The context keys.
    pub context: Context,
}

/// Why nothing is simulated: IAM's error `InvalidInput`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SimulationError {
    /// A resource is neither `*` nor an ARN. In IAM's words.
    #[error("ResourceNames are not in a valid ARN format: {0}.")]
    Resource(String),
    /// An action is not of the form `service:Name`, or has wildcards.
    #[error("{0:?} is no action: write service:Name, without wildcards")]
    Action(String),
}

/// What was decided about one action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct EvaluationResult {
    /// The action.
    pub eval_action_name: String,
    /// The form of the ARNs that the action is about (`arn:${Partition}:s3:::${BucketName}`), or `*`: not what was asked for.
    pub eval_resource_name: String,
    /// The most restrictive decision over all resources.
    pub eval_decision: Outcome,
    /// The statements that decided, over all resources.
    pub matched_statements: Vec<MatchedStatement>,
    /// Keys that policies look at and the call did not give; only if no single resources were named.
    pub missing_context_values: Vec<String>,
    /// Only if there are service control policies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organizations_decision_detail: Option<OrganizationsDecisionDetail>,
    /// Only if there is a boundary.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub permissions_boundary_decision_detail: Option<PermissionsBoundaryDecisionDetail>,
    /// What each kind of policy decides: of a cross-account call; empty within an account; absent without single resources,
    /// and if a service control policy denies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub eval_decision_details: Option<BTreeMap<String, Outcome>>,
    /// One for each resource that was named.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub resource_specific_results: Vec<ResourceSpecificResult>,
}

/// What was decided about one action on one resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ResourceSpecificResult {
    /// The resource.
    pub eval_resource_name: String,
    /// The decision.
    pub eval_resource_decision: Outcome,
    /// The statements that decided.
    pub matched_statements: Vec<MatchedStatement>,
    /// Keys that policies look at and the call did not give.
    pub missing_context_values: Vec<String>,
    /// As in [`EvaluationResult`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub eval_decision_details: Option<BTreeMap<String, Outcome>>,
    /// As in [`EvaluationResult`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub permissions_boundary_decision_detail: Option<PermissionsBoundaryDecisionDetail>,
}

/// A statement that decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct MatchedStatement {
    /// The id of the policy.
    pub source_policy_id: String,
    /// `IAM Policy` or `Resource Policy`: what IAM really answers, not what its model lists.
    pub source_policy_type: &'static str,
    /// Where it begins.
    pub start_position: Position,
    /// Where it ends.
    pub end_position: Position,
}

/// What the organisation says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct OrganizationsDecisionDetail {
    /// Whether every level allows it and none denies it.
    pub allowed_by_organizations: bool,
}

/// What the permissions boundary says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct PermissionsBoundaryDecisionDetail {
    /// Whether it allows it and does not deny it.
    pub allowed_by_permissions_boundary: bool,
}

const IAM_POLICY: &str = "IAM Policy";
const RESOURCE_POLICY: &str = "Resource Policy";

/// Simulates: one result per action, in the order of the actions.
///
/// Without a resource policy only the caller's side counts: IAM does not fetch the policies of resources.
///
/// # Errors
///
/// A resource or an action is not of the form that IAM takes.
pub fn simulate(simulation: &Simulation) -> Result<Vec<EvaluationResult>, SimulationError> {
    simulation.check()?;
    Ok(simulation.actions.iter().map(|action| evaluation(simulation, action)).collect())
}

impl Simulation {
    /// Whether this can be simulated.
    ///
    /// # Errors
    ///
    /// As [`simulate`].
    pub fn check(&self) -> Result<(), SimulationError> {
        let is_arn = |resource: &str| resource == "*" || resource.starts_with("arn:") && arn::split(resource).is_some();
        if let Some(wrong) = self.resources.iter().find(|resource| !is_arn(resource)) {
            return Err(SimulationError::Resource(wrong.clone()));
        }
        let is_action = |action: &str| action.split(':').count() == 2 && !action.contains(['*', '?']);
        match self.actions.iter().find(|action| !is_action(action)) {
            Some(wrong) => Err(SimulationError::Action(wrong.clone())),
            None => Ok(()),
        }
    }
}

/// Whether a text is a value of a type of context keys, by IAM's name of the type (`ContextKeyType`): `numericList`, `date`.
#[must_use]
pub fn is_of_type(value: &str, name: &str) -> bool {
    match name.trim_end_matches("List") {
        "numeric" => values::number(value).is_some(),
        "boolean" => values::boolean(value).is_some(),
        "date" => values::date(value).is_some(),
        "ip" => values::block(value).is_some(),
        _ => true,
    }
}

/// The context keys that policies mention, in conditions and variables, each once, in the order of their first mention: what
/// GetContextKeysForCustomPolicy answers.
#[must_use]
pub fn context_keys<'p>(policies: impl IntoIterator<Item = &'p Policy>) -> Vec<String> {
    let mut keys: Vec<String> = Vec::new();
    let mut add = |key: &str| {
        if !keys.iter().any(|known| known.eq_ignore_ascii_case(key)) {
            keys.push(key.to_owned());
        }
    };
    for policy in policies {
        for statement in &policy.statements {
            let resources = statement.resources.iter().flat_map(|resources| &resources.patterns);
            resources.flat_map(|resource| policy.variable_keys(resource)).for_each(&mut add);
            for condition in &statement.conditions {
                add(&condition.key);
                condition.values.iter().flat_map(|value| policy.variable_keys(value)).for_each(&mut add);
            }
        }
    }
    keys
}

fn evaluation(simulation: &Simulation, action: &str) -> EvaluationResult {
    let everything = ["*".to_owned()];
    let is_general = simulation.resources.iter().all(|resource| resource == "*");
    let resources = if is_general { &everything[..] } else { &simulation.resources };
    let (mut allowed_by_organizations, mut specific) = (true, Vec::new());
    for resource in resources {
        let (result, by_organizations) = one(simulation, action, resource);
        allowed_by_organizations &= by_organizations;
        specific.push(result);
    }
    let mut matched_statements: Vec<MatchedStatement> = Vec::new();
    let decision = specific.iter().map(|result| result.eval_resource_decision).max().unwrap_or(Outcome::ImplicitDeny);
    for statement in specific.iter().flat_map(|result| &result.matched_statements) {
        if !matched_statements.contains(statement) {
            matched_statements.push(statement.clone());
        }
    }
    let boundary = specific.iter().filter_map(|result| result.permissions_boundary_decision_detail);
    let boundary = boundary.min_by_key(|detail| detail.allowed_by_permissions_boundary);
    let details = match is_general || !allowed_by_organizations {
        true => None,
        false => {
            specific.iter().find_map(|result| result.eval_decision_details.clone()).or_else(|| Some(BTreeMap::new()))
        }
    };
    EvaluationResult {
        eval_action_name: action.to_owned(),
        eval_resource_name: template::of(about(action, resources)).to_owned(),
        eval_decision: decision,
        matched_statements,
        missing_context_values: if is_general { specific[0].missing_context_values.clone() } else { Vec::new() },
        organizations_decision_detail: (!simulation.policies.scps.is_empty())
            .then_some(OrganizationsDecisionDetail { allowed_by_organizations }),
        permissions_boundary_decision_detail: boundary,
        eval_decision_details: details,
        resource_specific_results: if is_general { Vec::new() } else { specific },
    }
}

/// The first resource of the action's own service, or else the first.
fn about<'r>(action: &str, resources: &'r [String]) -> &'r str {
    let service = action.split(':').next().unwrap_or_default();
    let is_own = |resource: &&String| arn::split(resource).is_some_and(|fields| fields[2] == service);
    resources.iter().find(is_own).unwrap_or(&resources[0])
}

/// The result, and whether the organisation allows it.
fn one(simulation: &Simulation, action: &str, resource: &str) -> (ResourceSpecificResult, bool) {
    let Simulation { caller, policies, resource_owner, context, .. } = simulation;
    let has_resource_policy = policies.resource.is_some();
    let request = Request {
        caller: caller.clone(),
        action: action.to_owned(),
        resource: resource.to_owned(),
        resource_account: match has_resource_policy {
            true => arn::account(resource).map(str::to_owned).or_else(|| resource_owner.clone()),
            false => caller.account().map(str::to_owned),
        },
        context: context.clone(),
    };
    let layers = Layers::look(&request, policies, has_resource_policy);
    let decision = layers.decision(&request);
    let allows = |layer: &Layer<'_>| layer.allows() && !layer.denies();
    let by_organizations = layers.scps.iter().all(allows);
    let details = request.is_cross_account().then(|| {
        let sides = [(IAM_POLICY, &layers.identity), (RESOURCE_POLICY, &layers.resource)];
        sides.map(|(name, layer)| (name.to_owned(), layer.outcome())).into_iter().collect()
    });
    let result = ResourceSpecificResult {
        eval_resource_name: resource.to_owned(),
        eval_resource_decision: decision.outcome,
        // Of limits only what denies, and of the organisation nothing at all.
        matched_statements: decision
            .statements
            .into_iter()
            .filter(|matched| match matched.kind {
                Kind::Scp => false,
                Kind::Boundary | Kind::Session => decision.outcome == Outcome::ExplicitDeny,
                Kind::Identity | Kind::Resource | Kind::Trust => true,
            })
            .map(matched_statement)
            .collect(),
        missing_context_values: layers.missing_context(|kind| kind != Kind::Scp),
        eval_decision_details: details.filter(|_| by_organizations),
        permissions_boundary_decision_detail: layers
            .boundary
            .as_ref()
            .map(|boundary| PermissionsBoundaryDecisionDetail { allowed_by_permissions_boundary: allows(boundary) }),
    };
    (result, by_organizations)
}

fn matched_statement(matched: Matched) -> MatchedStatement {
    let source_policy_type = match matched.kind {
        Kind::Resource | Kind::Trust => RESOURCE_POLICY,
        Kind::Identity | Kind::Boundary | Kind::Session | Kind::Scp => IAM_POLICY,
    };
    MatchedStatement {
        source_policy_id: matched.policy,
        source_policy_type,
        start_position: matched.start,
        end_position: matched.end,
    }
}

impl Attached {
    /// A document that comes with the call, by its place there, from 1: `PolicyInputList.1`.
    #[must_use]
    pub fn input(place: usize, policy: Policy) -> Self {
        Self::new(format!("PolicyInputList.{place}"), policy)
    }
}
