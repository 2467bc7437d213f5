//! The permissions of whoever works with the role.

use super::Feature::{Assume, Doctor};
use super::Settings;
use super::grants::Block;

const TRUST: Option<&str> =
    Some("a trust policy that names the account, as many do, leaves it to the caller's own policies");
const DEFAULT: Option<&str> = Some("AWS knows some quotas by their default alone");

pub(super) const BLOCKS: &[Block] = &[
    Block {
        sid: "AssumeExecutionRole",
        resources: |s| vec![s.role_arn()],
        condition: |_| None,
        actions: &[("sts:AssumeRole", Assume, TRUST), ("sts:TagSession", Assume, TRUST)],
    },
    Block {
        sid: "DoctorLooksAtRoles",
        // A caller that is a role is looked at as the execution role is.
        resources: |s| std::iter::once(s.role_arn()).chain(caller(s, ":role/")).collect(),
        condition: |_| None,
        actions: &[
            ("iam:GetRole", Doctor, None),
            ("iam:ListAttachedRolePolicies", Doctor, None),
            ("iam:ListRolePolicies", Doctor, None),
            ("iam:GetRolePolicy", Doctor, None),
            ("iam:SimulatePrincipalPolicy", Doctor, None),
        ],
    },
    Block {
        sid: "DoctorLooksAtYou",
        resources: |s| caller(s, ":user/").collect(),
        condition: |_| None,
        actions: &[
            ("iam:GetUser", Doctor, None),
            ("iam:ListAttachedUserPolicies", Doctor, None),
            ("iam:ListUserPolicies", Doctor, None),
            ("iam:GetUserPolicy", Doctor, None),
        ],
    },
    Block {
        sid: "DoctorReadsPolicies",
        resources: |s| {
            [s.account.as_str(), "aws"].map(|owner| format!("arn:{}:iam::{owner}:policy/*", s.partition)).into()
        },
        condition: |_| None,
        actions: &[("iam:GetPolicy", Doctor, None), ("iam:GetPolicyVersion", Doctor, None)],
    },
    Block {
        sid: "DoctorReadsQuotas",
        resources: |_| vec!["*".to_owned()],
        condition: |_| None,
        actions: &[
            ("servicequotas:GetServiceQuota", Doctor, None),
            ("servicequotas:GetAWSDefaultServiceQuota", Doctor, DEFAULT),
        ],
    },
];

/// The caller's ARN, if they are of this kind.
fn caller(settings: &Settings, kind: &str) -> impl Iterator<Item = String> {
    let caller = &settings.caller;
    caller.contains(kind).then(|| caller.clone()).into_iter()
}
