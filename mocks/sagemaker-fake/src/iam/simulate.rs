//! IAM's simulator: what policies would say to actions, without anybody trying them. The decisions are `iam_policy`'s; here
//! are the policies that take part, and the shape of questions and answers.

use iam_policy::simulate::{Simulation, SimulationError, context_keys};
use iam_policy::{Attached, Caller, Context as Keys, Kind, Policies, Policy};
use serde::Deserialize;
use serde_json::{Value, json};

use super::entity::{self, Entity};
use super::page::page;
use super::{Role, User};
use crate::ApiError;
use crate::authorisation::principal;
use crate::fake::Context;
use crate::store::Records;

/// The question, as both operations ask it.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", default)]
#[derive(Default)]
struct Question {
    policy_source_arn: Option<String>,
    policy_input_list: Vec<String>,
    permissions_boundary_policy_input_list: Vec<String>,
    action_names: Vec<String>,
    resource_arns: Vec<String>,
    resource_policy: Option<String>,
    resource_owner: Option<String>,
    caller_arn: Option<String>,
    context_entries: Vec<ContextEntry>,
}

/// A context key. Its type is not needed: the operators of conditions know what they compare.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ContextEntry {
    #[serde(default)]
    context_key_name: String,
    #[serde(default)]
    context_key_values: Vec<String>,
}

/// What the policies of a user or a role, and those that come with the call, say to each action.
///
/// # Errors
/// `NoSuchEntity`; `InvalidInput` for what is no user or role, no action, no ARN, no policy, or no way to ask.
pub fn principal_policy(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let question: Question = serde_json::from_value(input.clone()).map_err(ApiError::internal)?;
    let (caller, mut policies) = of_source(context, question.policy_source_arn.as_deref().unwrap_or_default())?;
    if question.resource_policy.is_some() && caller.name().contains(":role/") {
        return Err(invalid("A resource policy cannot be simulated for a role."));
    }
    policies.identity.extend(documents(&question.policy_input_list, Kind::Identity)?);
    simulated(context, input, question, caller, policies)
}

/// What the policies that come with the call say to each action.
///
/// # Errors
/// `InvalidInput` as in [`principal_policy`].
pub fn custom_policy(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let question: Question = serde_json::from_value(input.clone()).map_err(ApiError::internal)?;
    if question.resource_policy.is_some() && question.caller_arn.is_none() {
        return Err(invalid("A caller ARN must be given with a resource policy."));
    }
    let identity = documents(&question.policy_input_list, Kind::Identity)?;
    // Nobody in particular, of this account.
    let caller = Caller::user(format!("arn:aws:iam::{}:user/simulated", context.fake.account()));
    simulated(context, input, question, caller, Policies { identity, ..Policies::default() })
}

/// The context keys that the policies of a user or role, and those that come with the call, look at.
///
/// # Errors
/// As [`principal_policy`].
pub fn keys_of_principal_policy(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let question: Question = serde_json::from_value(input.clone()).map_err(ApiError::internal)?;
    let (_, policies) = of_source(context, question.policy_source_arn.as_deref().unwrap_or_default())?;
    let given = documents(&question.policy_input_list, Kind::Identity)?;
    let all = policies.identity.iter().chain(&policies.boundary).chain(&given);
    Ok(json!({"ContextKeyNames": context_keys(all.map(|attached| &attached.policy))}))
}

/// The context keys that the policies that come with the call look at.
///
/// # Errors
/// `InvalidInput` for what is no policy.
pub fn keys_of_custom_policy(_: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let question: Question = serde_json::from_value(input.clone()).map_err(ApiError::internal)?;
    let given = documents(&question.policy_input_list, Kind::Identity)?;
    Ok(json!({"ContextKeyNames": context_keys(given.iter().map(|attached| &attached.policy))}))
}

fn simulated(
    context: &Context<'_>,
    input: &Value,
    question: Question,
    caller: Caller,
    mut policies: Policies,
) -> Result<Value, ApiError> {
    if let Some(boundary) = documents(&question.permissions_boundary_policy_input_list, Kind::Boundary)?.pop() {
        policies.boundary = Some(Attached { id: "PermissionsBoundaryPolicyInputList.1".to_owned(), ..boundary });
    }
    if let Some(text) = &question.resource_policy {
        policies.resource = documents(std::slice::from_ref(text), Kind::Resource)?.pop();
    }
    let mut keys = Keys::new();
    for ContextEntry { context_key_name, context_key_values } in question.context_entries {
        keys.set(&context_key_name, context_key_values);
    }
    let caller = match question.caller_arn {
        Some(arn) if arn.contains(":user/") => Caller::user(arn),
        Some(arn) => {
            return Err(invalid(format!("Invalid Entity Arn: {arn} does not clearly define entity type and name.")));
        }
        None => caller,
    };
    let owner = question.resource_owner.as_deref().and_then(|arn| arn.split(':').nth(4)).map(str::to_owned);
    let simulation = Simulation {
        caller,
        policies,
        actions: question.action_names,
        resources: question.resource_arns,
        resource_owner: owner.or_else(|| Some(context.fake.account().to_owned())),
        context: keys,
    };
    let results = iam_policy::simulate::simulate(&simulation).map_err(|error| match error {
        SimulationError::Resource(_) => invalid(error.to_string()),
        SimulationError::Action(action) => invalid(format!("Invalid Action: {action}")),
    })?;
    // In the order of the question, which is that of their numbers.
    let numbered = results.into_iter().enumerate();
    page(input, numbered, |(at, _)| format!("{at:08}"))?
        .answer("EvaluationResults", |(_, result)| serde_json::to_value(result).map_err(ApiError::internal))
}

/// A user or role, and its policies.
fn of_source(context: &Context<'_>, arn: &str) -> Result<(Caller, Policies), ApiError> {
    let fake = context.fake;
    let unclear = || invalid(format!("Invalid Entity Arn: {arn} does not clearly define entity type and name."));
    let (before, rest) = arn.split_once(":iam::").ok_or_else(unclear)?;
    let (account, rest) = rest.split_once(':').ok_or_else(unclear)?;
    let (kind, path) = rest.split_once('/').ok_or_else(unclear)?;
    let name = path.rsplit('/').next().unwrap_or_default();
    if !before.starts_with("arn:") || account != fake.account() {
        return Err(unclear());
    }
    fake.store.read(|view| {
        let (caller, entity) = match kind {
            "role" => (Caller::role(arn), found::<Role>(view, name, arn)?),
            "user" => (Caller::user(arn), found::<User>(view, name, arn)?),
            _ => return Err(unclear()),
        };
        let policies = principal::of_entity(&fake.scenario, view, &entity)?;
        Ok((caller.with_id(&entity.id), policies))
    })
}

fn found<E: entity::EntityRecord>(records: &impl Records, name: &str, arn: &str) -> Result<Entity, ApiError> {
    let found = entity::named::<E>(records, name)?;
    match found.arn == arn {
        true => Ok((*found).clone()),
        false => {
            Err(super::no_such_entity(format!("The {} with name {name} cannot be found.", E::NOUN.to_lowercase())))
        }
    }
}

/// The policies of a list, each under its place there.
fn documents(texts: &[String], kind: Kind) -> Result<Vec<Attached>, ApiError> {
    let read = |(at, text): (usize, &String)| match Policy::parse(text, kind) {
        Ok(policy) => Ok(Attached::input(at + 1, policy)),
        Err(malformed) => {
            let why = malformed.problems.first().map(ToString::to_string).unwrap_or_default();
            Err(invalid(format!("Invalid policy document in PolicyInputList.{}: {why}", at + 1)))
        }
    };
    texts.iter().enumerate().map(read).collect()
}

fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::new("InvalidInput", message)
}
