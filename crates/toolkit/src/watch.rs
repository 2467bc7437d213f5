//! Follows an execution to its end, however long that takes.

use std::time::Duration;

use aws_sdk_sagemaker::Client;
use aws_smithy_async::rt::sleep::AsyncSleep;

use crate::error::Failure;
use crate::execution::Execution;
use crate::progress::Progress;

/// How often an execution is looked at, and how patient we are with AWS.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Between two looks.
    pub every: Duration,
    /// The longest pause after calls that were throttled or failed on AWS's side, which doubles from `every`.
    pub longest: Duration,
}

impl Pace {
    /// On AWS: a step takes minutes, and Describe calls are throttled per account.
    pub const AWS: Self = Self { every: Duration::from_secs(5), longest: Duration::from_secs(60) };

    /// Offline: a step takes a fraction of a second, and nobody throttles.
    pub const OFFLINE: Self = Self { every: Duration::from_millis(50), longest: Duration::from_secs(1) };
}

/// Looks at the execution until it has ended, and shows each change.
///
/// There is no limit to how long: an execution has none either, and leaving early would say nothing about it. Whoever
/// has seen enough interrupts; the execution goes on.
///
/// # Errors
/// When a call is refused for good. Throttling and failures on AWS's side are waited out.
pub async fn to_the_end(
    sagemaker: &Client,
    arn: &str,
    pace: Pace,
    sleep: &impl AsyncSleep,
    progress: &mut Progress,
) -> Result<Execution, Failure> {
    let mut pause = pace.every;
    loop {
        match Execution::observe(sagemaker, arn).await {
            Ok(execution) => {
                progress.update(&execution);
                if execution.has_ended() {
                    return Ok(execution);
                }
                pause = pace.every;
            }
            Err(failure) if failure.is_transient() => {
                pause = (pause * 2).min(pace.longest);
                progress.say(&format!("{failure}; looking again in {} s", pause.as_secs_f64()));
            }
            Err(failure) => return Err(failure),
        }
        sleep.sleep(pause).await;
    }
}
