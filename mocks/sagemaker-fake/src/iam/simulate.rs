//! IAM's simulator: what policies would say to actions, without anybody trying them. The decisions are `iam_policy`'s; here
//! are the policies that take part, and the shape of questions and answers.

mod exclusion;
mod given;
mod source;

use iam_policy::simulate::{Simulation, SimulationError, context_keys};
use iam_policy::{Attached, Caller, Kind, Policies};
use serde::Deserialize;
use serde_json::{Value, json};

use super::invalid_input;
use super::page::page;
use crate::ApiError;
use crate::fake::Context;
use exclusion::Exclusion;
use given::{ContextEntry, OrganizationLevel};
use source::Source;

/// The question, as all operations ask it.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Question {
    policy_source_arn: String,
    policy_input_list: Vec<String>,
    permissions_boundary_policy_input_list: Vec<String>,
    ordered_organization_policy_input_list: Vec<OrganizationLevel>,
    policy_exclusion_list: Vec<Exclusion>,
    action_names: Vec<String>,
    resource_arns: Vec<String>,
    resource_policy: Option<String>,
    resource_owner: Option<String>,
    caller_arn: Option<String>,
    context_entries: Vec<ContextEntry>,
}

impl Question {
    fn of(input: &Value) -> Result<Self, ApiError> {
        serde_json::from_value(input.clone()).map_err(ApiError::internal)
    }

    fn identity(&self) -> Result<Vec<Attached>, ApiError> {
        given::documents("PolicyInputList", &self.policy_input_list, Kind::Identity)
    }
}

/// What the policies of a user or a role, and those that come with the call, say to each action.
///
/// # Errors
/// `NoSuchEntity`; `InvalidInput` for what is no user or role, no action, no ARN, no policy, or no way to ask.
pub fn principal_policy(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let question = Question::of(input)?;
    let source = Source::find(context, &question.policy_source_arn)?.without(&question.policy_exclusion_list)?;
    let Source { caller, is_user, mut policies, .. } = source;
    policies.identity.extend(question.identity()?);
    let known = is_user || question.caller_arn.is_some();
    simulated(input, question, caller, known, policies)
}

/// What the policies that come with the call say to each action.
///
/// # Errors
/// `InvalidInput` as in [`principal_policy`].
pub fn custom_policy(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let question = Question::of(input)?;
    let levels = question.ordered_organization_policy_input_list.iter();
    let policies = Policies {
        identity: question.identity()?,
        scps: levels.map(OrganizationLevel::documents).collect::<Result<_, _>>()?,
        ..Policies::default()
    };
    // What IAM has in place of the caller's id, as those have seen who looked at `aws:userid` in a simulation.
    let caller = Caller::unnamed(context.fake.account()).with_id("STUB_PRINCIPAL_FOR_POLICY_SIMULATOR");
    let known = question.caller_arn.is_some();
    simulated(input, question, caller, known, policies)
}

/// The context keys that the policies of a user or role, and those that come with the call, look at.
///
/// # Errors
/// As [`principal_policy`].
pub fn keys_of_principal_policy(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let question = Question::of(input)?;
    let Policies { identity, boundary, .. } = Source::find(context, &question.policy_source_arn)?.policies;
    let given = question.identity()?;
    let all = identity.iter().chain(&boundary).chain(&given);
    Ok(json!({"ContextKeyNames": context_keys(all.map(|attached| &attached.policy))}))
}

/// The context keys that the policies that come with the call look at.
///
/// # Errors
/// `InvalidInput` for what is no policy.
pub fn keys_of_custom_policy(input: &Value) -> Result<Value, ApiError> {
    let given = Question::of(input)?.identity()?;
    Ok(json!({"ContextKeyNames": context_keys(given.iter().map(|attached| &attached.policy))}))
}

/// `known`: whether it is a particular user who calls, whom a resource policy can mean.
fn simulated(
    input: &Value,
    question: Question,
    caller: Caller,
    known: bool,
    mut policies: Policies,
) -> Result<Value, ApiError> {
    const BOUNDARY: &str = "PermissionsBoundaryPolicyInputList";
    let mut boundaries = given::documents(BOUNDARY, &question.permissions_boundary_policy_input_list, Kind::Boundary)?;
    if boundaries.len() > 1 {
        return Err(invalid_input(format!("{BOUNDARY} has more than one policy.")));
    }
    // It stands in for the one that is attached.
    policies.boundary = boundaries.pop().or(policies.boundary);
    if let Some(text) = &question.resource_policy {
        if !known {
            return Err(invalid_input("Invalid caller - Caller cannot be null or empty."));
        }
        policies.resource = Some(given::document("ResourcePolicy", text, Kind::Resource)?);
    }
    let caller = question.caller_arn.as_deref().map_or(Ok(caller), source::caller)?;
    let owner = question.resource_owner.as_deref().map(source::owner).transpose()?;
    let whole = Simulation {
        // Who owns what does not say it: the account of the caller.
        resource_owner: owner.or_else(|| caller.account().map(str::to_owned)),
        caller,
        policies,
        actions: question.action_names,
        resources: question.resource_arns,
        context: given::context(question.context_entries)?,
    };
    whole.check().map_err(refused)?;
    // In the order of the question, which is that of their numbers. Only what is answered is worked out.
    let mut page = page(input, whole.actions.iter().cloned().enumerate(), |(at, _)| format!("{at:08}"))?;
    let actions = page.items.drain(..).map(|(_, action)| action).collect();
    let results = iam_policy::simulate::simulate(&Simulation { actions, ..whole }).map_err(refused)?;
    let mut output = json!({"EvaluationResults": results});
    page.finish(&mut output);
    Ok(output)
}

fn refused(error: SimulationError) -> ApiError {
    invalid_input(match error {
        SimulationError::Resource(_) => error.to_string(),
        SimulationError::Action(action) => format!("Invalid Action: {action}"),
    })
}
