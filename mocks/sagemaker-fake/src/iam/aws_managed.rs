//! AWS's own managed policies, as far as they are here: data in `mocks/data/aws-managed-policies.json`. Any other is
//! unknown, as a policy is that does not exist.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::policy::{AWS_PREFIX, Policy, Version};
use super::seed;
use crate::clock::Timestamp;

/// What the data say of a policy. They have its newest version alone.
#[derive(Deserialize)]
struct Entry {
    path: String,
    created: String,
    updated: String,
    version: String,
    document: Value,
}

/// Every one that is here, by name.
pub fn all() -> &'static [Policy] {
    static ALL: LazyLock<Vec<Policy>> = LazyLock::new(|| {
        let table = include_str!("../../../data/aws-managed-policies.json");
        let entries: BTreeMap<String, Entry> = serde_json::from_str(table).expect("a test reads the table");
        entries.into_iter().map(|(name, entry)| policy(name, &entry)).collect()
    });
    &ALL
}

fn policy(name: String, entry: &Entry) -> Policy {
    let number = entry.version.trim_start_matches('v').parse().unwrap_or(1);
    let (created, updated) = (moment(&entry.created), moment(&entry.updated));
    Policy {
        arn: format!("{AWS_PREFIX}{}{name}", &entry.path[1..]),
        id: seed::id("ANPA", &name),
        name,
        path: entry.path.clone(),
        description: None,
        tags: BTreeMap::new(),
        versions: vec![Version { number, document: entry.document.to_string(), created: updated }],
        default_version: number,
        last_version: number,
        created,
        updated,
    }
}

fn moment(date: &str) -> Timestamp {
    Timestamp(OffsetDateTime::parse(date, &Rfc3339).expect("a test reads the table").unix_timestamp() * 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_one_is_a_policy() {
        for policy in all() {
            let read = iam_policy::Policy::parse_kept(policy.document(), iam_policy::Kind::Identity);
            read.unwrap_or_else(|malformed| panic!("{}: {malformed}", policy.name));
        }
        let full = all().iter().find(|policy| policy.name == "AmazonSageMakerFullAccess").unwrap();
        assert_eq!(full.arn, "arn:aws:iam::aws:policy/AmazonSageMakerFullAccess");
        assert!(full.document().contains("sagemaker:*"));
    }
}
