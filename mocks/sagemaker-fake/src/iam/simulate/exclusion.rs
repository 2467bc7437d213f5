//! Policies that a simulation does without, though they are attached: what would be if they were not.

use iam_policy::{Attached, Policies};
use serde::Deserialize;

use crate::ApiError;
use crate::iam::invalid_input;
use crate::iam::policy::{self, AWS_PREFIX};

/// One way to say which: `PolicyIdentifier`, which has one of its members. What matches nothing is no error.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Exclusion {
    policy_type: Option<String>,
    policy_arn: Option<String>,
    inline_policy_identifier: Option<Inline>,
}

/// An inline policy by its name and the entity it belongs to.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Inline {
    policy_name: String,
    attachment_type: String,
    attachment_name: String,
}

impl Exclusion {
    /// Takes policies out of those of the entity of this kind and name.
    ///
    /// # Errors
    /// `InvalidInput` for no member or several, and for what is no ARN of a policy.
    pub(super) fn apply(&self, kind: &str, name: &str, policies: &mut Policies) -> Result<(), ApiError> {
        let mut leave_out = |which: &dyn Fn(&Attached) -> bool| policies.identity.retain(|policy| !which(policy));
        match (&self.policy_type, &self.policy_arn, &self.inline_policy_identifier) {
            (Some(of), None, None) => match of.as_str() {
                "inline" => leave_out(&is_inline),
                "aws-managed" => leave_out(&|policy| policy.id.starts_with(AWS_PREFIX)),
                "user-managed" => leave_out(&|policy| !is_inline(policy) && !policy.id.starts_with(AWS_PREFIX)),
                "permission-boundary" => policies.boundary = None,
                "scp" => policies.scps.clear(),
                // Resource control policies take no part anyway.
                _ => {}
            },
            (None, Some(pattern), None) => {
                check_pattern(pattern)?;
                leave_out(&|policy| matches(pattern, &policy.id));
            }
            (None, None, Some(inline)) => {
                let own = inline.attachment_type == kind && inline.attachment_name == name;
                leave_out(&|policy| own && policy.id == inline.policy_name);
            }
            _ => return Err(invalid_input("A policy identifier has exactly one of its members.")),
        }
        Ok(())
    }
}

/// Names of inline policies have no colons.
fn is_inline(policy: &Attached) -> bool {
    !policy.id.starts_with("arn:")
}

/// Wildcards stand in the policy's name alone: at most one `*`, and any number of `?`.
fn check_pattern(pattern: &str) -> Result<(), ApiError> {
    policy::check_arn(pattern)?;
    let (before, name) = pattern.rsplit_once('/').unwrap_or_default();
    if before.contains(['*', '?']) || name.matches('*').count() > 1 {
        return Err(invalid_input(format!("ARN {pattern} is not valid.")));
    }
    Ok(())
}

fn matches(pattern: &str, text: &str) -> bool {
    let same = |pattern: &[u8], text: &[u8]| {
        pattern.len() == text.len()
            && pattern.iter().zip(text).all(|(wanted, found)| *wanted == b'?' || wanted == found)
    };
    let text = text.as_bytes();
    match pattern.split_once('*') {
        None => same(pattern.as_bytes(), text),
        Some((before, after)) => {
            text.len() >= before.len() + after.len()
                && same(before.as_bytes(), &text[..before.len()])
                && same(after.as_bytes(), &text[text.len() - after.len()..])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_stand_in_names() {
        let check = |pattern: &str, text: &str, expected: Option<bool>| {
            let found = check_pattern(pattern).ok().map(|()| matches(pattern, text));
            assert_eq!(found, expected, "{pattern} {text}");
        };
        let full = "arn:aws:iam::aws:policy/AmazonSageMakerFullAccess";
        check(full, full, Some(true));
        check("arn:aws:iam::aws:policy/Amazon*Access", full, Some(true));
        check("arn:aws:iam::aws:policy/AmazonSageMaker?ullAccess", full, Some(true));
        check("arn:aws:iam::aws:policy/*", full, Some(true));
        check("arn:aws:iam::aws:policy/AmazonSageMakerFullAccess*s", full, Some(false));
        check("arn:aws:iam::111122223333:policy/*", full, Some(false));
        check("arn:aws:iam::*:policy/x", full, None);
        check("arn:aws:iam::aws:policy/*a*", full, None);
        check("arn:aws:iam::aws:role/x", full, None);
    }
}
