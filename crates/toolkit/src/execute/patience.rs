//! What is still in use goes a moment later.

use aws_smithy_async::rt::sleep::{AsyncSleep, TokioSleep};

use super::Executor;
use crate::error::Failure;
use crate::plan::Plan;
use crate::watch::Pace;

/// How often something is tried that is still in use for a moment.
const TRIES: u32 = 60;

impl Executor<'_> {
    /// Executes a plan that may be begun again at its start; what AWS says is still in use is tried again for a while.
    ///
    /// # Errors
    /// That of the first call that is refused for another reason, or is still refused in the end.
    pub async fn execute_patiently(&self, plan: &Plan, pace: Pace) -> Result<(), Failure> {
        let sleep = TokioSleep::new();
        for _ in 1..TRIES {
            match self.execute(plan, |_| {}).await {
                Err(failure) if failure.is_transient() || is_in_use(&failure) => sleep.sleep(pace.every).await,
                done => return done.map(drop),
            }
        }
        self.execute(plan, |_| {}).await.map(drop)
    }
}

fn is_in_use(failure: &Failure) -> bool {
    let said = failure.to_string();
    ["in-progress executions", "InUse", "in use", "ConflictException"].iter().any(|words| said.contains(words))
}
