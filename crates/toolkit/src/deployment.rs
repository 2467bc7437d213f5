//! An endpoint on its way: waiting for it, and what came of it.

use aws_sdk_sagemaker::Client;
use aws_smithy_async::rt::sleep::AsyncSleep;

use crate::error::Failure;
use crate::observe::Seen;
use crate::observe::serving::{self, Serving};
use crate::watch::Pace;

/// Whether the status will change by itself.
#[must_use]
pub fn is_on_its_way(status: &str) -> bool {
    matches!(status, "Creating" | "Updating" | "SystemUpdating" | "RollingBack" | "Deleting")
}

/// Waits until the endpoint is no longer on its way, telling of each change of its status.
///
/// # Errors
/// When it is gone, or a call is refused for good. Throttling and failures on AWS's side are waited out.
pub async fn settled(
    sagemaker: &Client,
    name: &str,
    pace: Pace,
    sleep: &impl AsyncSleep,
    mut say: impl FnMut(String),
) -> Result<Serving, Failure> {
    let (mut pause, mut said) = (pace.every, String::new());
    loop {
        match serving::endpoint(sagemaker, name).await {
            Ok(Seen::Present(serving)) => {
                if serving.status != said {
                    say(format!("{name} is {}", serving.status));
                    said.clone_from(&serving.status);
                }
                if !is_on_its_way(&serving.status) {
                    return Ok(serving);
                }
                pause = pace.every;
            }
            Ok(Seen::Absent | Seen::Unknown(_)) => return Err(Failure::operation(format!("{name} is gone"))),
            Err(failure) if failure.is_transient() => {
                pause = (pause * 2).min(pace.longest);
                say(format!("{failure}; looking again in {} s", pause.as_secs_f64()));
            }
            Err(failure) => return Err(failure),
        }
        sleep.sleep(pause).await;
    }
}

/// Waits until there is no such endpoint.
///
/// # Errors
/// When a call is refused for good.
pub async fn gone(sagemaker: &Client, name: &str, pace: Pace, sleep: &impl AsyncSleep) -> Result<(), Failure> {
    loop {
        match serving::endpoint(sagemaker, name).await {
            Ok(Seen::Absent) => return Ok(()),
            Ok(_) => {}
            Err(failure) if failure.is_transient() => {}
            Err(failure) => return Err(failure),
        }
        sleep.sleep(pace.every).await;
    }
}

/// Whether what settled serves by this configuration.
///
/// # Errors
/// With the reason why not. A failed update leaves the endpoint as it was before.
pub fn serves(name: &str, serving: &Serving, config: &str) -> Result<(), Failure> {
    let by = serving.config.as_ref().map(|config| config.name.as_str());
    let why = serving.failure.as_deref().unwrap_or("no reason was given");
    let logs = format!("what the container printed: CloudWatch Logs, group /aws/sagemaker/Endpoints/{name}");
    match (serving.status.as_str(), by) {
        ("InService", Some(by)) if by == config => Ok(()),
        ("InService", by) => {
            let by = by.unwrap_or("another configuration");
            Err(Failure::operation(format!("{name} still serves by {by}: the update failed: {why}")).hint(logs))
        }
        (status, _) => Err(Failure::operation(format!("{name} is {status}: {why}")).hint(logs)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::serving::Config;

    #[test]
    fn a_failed_update_is_told_from_a_failed_endpoint() {
        let check = |status: &str, by: &str, expected: Option<&str>| {
            let config = Config {
                name: by.into(),
                models: vec![],
                instance_types: vec![],
                capture: None,
                tags: Default::default(),
            };
            let (arn, failure) = (String::new(), Some("ping".to_owned()));
            let serving = Serving { arn, status: status.into(), failure, config: Some(config) };
            let said = serves("e", &serving, "new").err().map(|failure| failure.to_string());
            assert_eq!(said.as_deref(), expected);
        };
        check("InService", "new", None);
        check("InService", "old", Some("e still serves by old: the update failed: ping"));
        check("Failed", "new", Some("e is Failed: ping"));
    }
}
