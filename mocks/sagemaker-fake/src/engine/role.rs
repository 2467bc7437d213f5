//! What the engine does, it does as the execution's role: its calls are the role's, and are on record as such.

use serde_json::Value;

use super::execution::Execution;
use crate::account::{Caller, SessionContext};
use crate::authorisation::{assumable_by_sagemaker, could_not_assume};
use crate::calls::Call;
use crate::fake::Context;
use crate::faults::{Way, strike};
use crate::iam::Role;
use crate::protocol::Service;
use crate::{ApiError, Fake, iam, sagemaker};

/// The session in which SageMaker works.
const SESSION: &str = "SageMaker";

/// Calls an operation of SageMaker as the execution's role.
///
/// # Errors
/// Those of the operation.
pub(super) fn call(fake: &Fake, execution: &Execution, operation: &str, input: Value) -> Result<Value, ApiError> {
    let caller = assumed(fake, execution)?;
    let context = Context::new(fake, &caller, &execution.region);
    let mut input = input;
    let struck = strike(&context, Service::SageMaker, operation, &mut input, Way::Inside);
    let fault = struck.as_ref().map(|struck| struck.fault.name());
    let result = match struck.and_then(|struck| struck.refusal) {
        Some(refusal) => Err(refusal),
        None => sagemaker::call(&context, operation, input),
    };
    fake.calls.push(Call {
        time: fake.clock.now(),
        service: "sagemaker".to_owned(),
        operation: operation.to_owned(),
        region: execution.region.clone(),
        caller: caller.arn,
        session_tags: Vec::new(),
        user_agent: "sagemaker.amazonaws.com".to_owned(),
        error: result.as_ref().err().map(|error| error.code.clone()),
        fault,
    });
    result
}

/// Looks something up as the execution's role. Reading what the engine itself has made is no call.
///
/// # Errors
/// Those of the operation.
pub(super) fn look_up(fake: &Fake, execution: &Execution, operation: &str, input: Value) -> Result<Value, ApiError> {
    let caller = assumed(fake, execution)?;
    sagemaker::perform(&Context::new(fake, &caller, &execution.region), operation, input)
}

fn assumed(fake: &Fake, execution: &Execution) -> Result<Caller, ApiError> {
    session(fake, &execution.role_arn, &execution.pipeline_arn)
}

/// The session in which SageMaker works as a role, for a resource of this ARN.
///
/// # Errors
/// `ValidationException` if there is no such role, or it does not let SageMaker in.
pub(crate) fn session(fake: &Fake, role_arn: &str, for_arn: &str) -> Result<Caller, ApiError> {
    let role = fake.store.read(|view| iam::role_by_arn(view, role_arn))?;
    let role = role.filter(|role| assumable_by_sagemaker(fake, role, for_arn));
    Ok(session_of(fake, &role.ok_or_else(|| could_not_assume(role_arn))?))
}

/// SageMaker's session of a role.
pub(crate) fn session_of(fake: &Fake, role: &Role) -> Caller {
    Caller {
        arn: format!("arn:aws:sts::{}:assumed-role/{}/{SESSION}", fake.account(), role.name),
        user_id: format!("{}:{SESSION}", role.id),
        account: fake.account().to_owned(),
        session: Some(SessionContext::default()),
    }
}
