//! What the engine does, it does as the execution's role: its calls are the role's, and are on record as such.

use serde_json::Value;

use super::execution::Execution;
use crate::account::{Caller, SessionContext};
use crate::calls::Call;
use crate::fake::Context;
use crate::{ApiError, Fake, iam, sagemaker};

/// The session in which SageMaker works.
const SESSION: &str = "SageMaker";

/// Calls an operation of SageMaker as the execution's role.
///
/// # Errors
/// Those of the operation.
pub(super) fn call(fake: &Fake, execution: &Execution, operation: &str, input: Value) -> Result<Value, ApiError> {
    let caller = session(fake, &execution.role_arn)?;
    let result = sagemaker::call(&Context { fake, caller: &caller, region: &execution.region }, operation, input);
    fake.calls.push(Call {
        time: fake.clock.now(),
        service: "sagemaker".to_owned(),
        operation: operation.to_owned(),
        region: execution.region.clone(),
        caller: caller.arn,
        session_tags: Vec::new(),
        user_agent: "sagemaker.amazonaws.com".to_owned(),
        error: result.as_ref().err().map(|error| error.code.clone()),
    });
    result
}

/// Looks something up as the execution's role. Reading what the engine itself has made is no call.
///
/// # Errors
/// Those of the operation.
pub(super) fn look_up(fake: &Fake, execution: &Execution, operation: &str, input: Value) -> Result<Value, ApiError> {
    let caller = session(fake, &execution.role_arn)?;
    sagemaker::perform(&Context { fake, caller: &caller, region: &execution.region }, operation, input)
}

/// The session in which SageMaker works as a role.
///
/// # Errors
/// `ValidationException` if there is no such role.
pub(crate) fn session(fake: &Fake, role_arn: &str) -> Result<Caller, ApiError> {
    let role = fake.store.read(|view| iam::role_by_arn(view, role_arn))?.ok_or_else(|| {
        ApiError::validation(format!(
            "Could not assume role {role_arn}. Please ensure that the role exists and allows principal 'sagemaker.amazonaws.com' to assume the role."
        ))
    })?;
    Ok(Caller {
        arn: format!("arn:aws:sts::{}:assumed-role/{}/{SESSION}", fake.account(), role.name),
        user_id: format!("{}:{SESSION}", role.id),
        account: fake.account().to_owned(),
        session: Some(SessionContext::default()),
    })
}
