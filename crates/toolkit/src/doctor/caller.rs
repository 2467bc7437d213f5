//! Who calls, in AWS's opinion; what its answer says about the clock; the account.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use aws_config::SdkConfig;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::BeforeDeserializationInterceptorContextRef;
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::DateTime;
use aws_smithy_types::config_bag::ConfigBag;
use aws_smithy_types::date_time::Format;

use super::finding::{Finding, Repair};
use crate::aws::errors::describe;
use crate::aws::{self, Mode};
use crate::settings::{RoleArn, Settings};

/// Whoever calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Caller {
    /// The twelve digits.
    pub account: String,
    /// Of a user, a session or the root user.
    pub arn: String,
}

/// Who calls, as AWS says; what its answer says about our clock; and what the account means for the role.
pub(super) async fn who(
    settings: &Settings,
    config: &SdkConfig,
    role: Option<&RoleArn>,
    mode: Mode,
) -> (Vec<Finding>, Option<Caller>) {
    const ID: &str = "caller";
    const CALL: &[&str] = &["sts:GetCallerIdentity"];
    let date = ServerDate::default();
    let sts = aws::sts(config, mode);
    let answer = sts.get_caller_identity().customize().interceptor(date.clone()).send().await;
    let mut findings: Vec<_> = date.skew().map(clock).into_iter().collect();
    let (account, arn) = match answer {
        Ok(answer) => (answer.account.unwrap_or_default(), answer.arn.unwrap_or_default()),
        Err(error) => {
            let failure = describe("GetCallerIdentity", error);
            // The refusal of a request from another time is the clock's fault, and the keys may be right.
            let skewed = findings.iter().any(|finding| finding.verdict == super::Verdict::Fail);
            findings.push(match skewed {
                true => Finding::skip(ID, "clock"),
                false => Finding::of_failure(ID, &failure).why("every call is refused like this one"),
            });
            return (findings, None);
        }
    };
    let root = arn.ends_with(":root");
    let finding = match root {
        true => Finding::warn(ID, format!("{arn}, the root user"))
            .why("the root user cannot assume a role, and every verb works as one")
            .repaired_by(Repair::Tell("call as an IAM user, or as a role of IAM Identity Center".to_owned())),
        false => Finding::pass(ID, arn.clone()),
    };
    findings.push(finding.asked(CALL, &arn));
    findings.push(same_account(settings, &account, role).asked(CALL, &arn));
    (findings, Some(Caller { account, arn }))
}

fn same_account(settings: &Settings, account: &str, role: Option<&RoleArn>) -> Finding {
    const ID: &str = "account";
    match role {
        Some(role) if role.account != account => {
            Finding::warn(ID, format!("the caller is of {account}, and the role of {}", role.account))
                .why("the trust policy there and a policy of the caller here must both allow it")
        }
        _ => Finding::pass(ID, format!("{account}, in {}", settings.region)),
    }
}

/// What the difference of the clocks comes to, in seconds: ours minus AWS's.
fn clock(skew: i64) -> Finding {
    const ID: &str = "clock";
    const WHY: &str = "AWS refuses what is signed by a clock that is wrong by more than five minutes";
    let by = format!(
        "the clock of this machine is {} {}",
        humantime::format_duration(Duration::from_secs(skew.unsigned_abs())),
        if skew < 0 { "slow" } else { "fast" }
    );
    let repair = || Repair::Run("timedatectl set-ntp true".to_owned());
    match skew.abs() {
        0..=60 => Finding::pass(ID, "they agree to the minute"),
        61..=300 => Finding::warn(ID, by).why(WHY).repaired_by(repair()),
        _ => Finding::fail(ID, by).why(WHY).repaired_by(repair()),
    }
}

/// Keeps what the first answer's `Date` says. The SDK corrects its signatures by it, so that nobody else would notice.
#[derive(Debug, Clone, Default)]
struct ServerDate(Arc<Mutex<Option<i64>>>);

impl ServerDate {
    /// Our clock minus AWS's, in seconds, if there was an answer that says.
    fn skew(&self) -> Option<i64> {
        *self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[dyn_dispatch_hint]
impl Intercept for ServerDate {
    fn name(&self) -> &'static str {
        "ServerDate"
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let date = context.response().headers().get("date");
        let theirs = date.and_then(|date| DateTime::from_str(date, Format::HttpDate).ok());
        let ours = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).ok();
        if let (Some(theirs), Some(ours)) = (theirs, ours)
            && let Ok(mut seen) = self.0.lock()
        {
            let ours = i64::try_from(ours.as_secs()).unwrap_or(i64::MAX);
            seen.get_or_insert(ours - theirs.secs());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Verdict;

    #[test]
    fn a_clock_may_be_a_minute_off_and_not_five() {
        for (skew, verdict, words) in [
            (0, Verdict::Pass, "agree"),
            (-60, Verdict::Pass, "agree"),
            (-120, Verdict::Warn, "2m slow"),
            (301, Verdict::Fail, "5m 1s fast"),
            (i64::MIN + 1, Verdict::Fail, "slow"),
        ] {
            let finding = clock(skew);
            assert_eq!(finding.verdict, verdict, "{skew}");
            assert!(finding.found.contains(words), "{}", finding.found);
        }
    }
}
