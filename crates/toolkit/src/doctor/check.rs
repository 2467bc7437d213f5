//! The checks: what there is, and what waits for what.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::error::Failure;

/// A check, by an id that never changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What `--only` and `--skip` name.
    pub id: &'static str,
    /// What is asked.
    pub question: &'static str,
    /// The checks without whose answers this one cannot be asked.
    pub waits_for: &'static [&'static str],
}

const fn check(id: &'static str, question: &'static str, waits_for: &'static [&'static str]) -> Check {
    Check { id, question, waits_for }
}

/// All of them, in the order in which they are shown.
pub const CHECKS: &[Check] = &[
    check("dotenv", "can the .env file be read, and is it kept out of version control", &[]),
    check("settings", "do the settings say what they seem to say", &[]),
    check("region", "is there one region, and is it known", &[]),
    check("endpoints", "are AWS's own endpoints called", &[]),
    check("credentials", "are there credentials, and do they last", &[]),
    check("caller", "does AWS know who is calling", &["credentials"]),
    check("clock", "does the clock of this machine agree with AWS's", &["caller"]),
    check("account", "are the caller and the role in one account", &["caller"]),
    check("role", "does the role exist", &["caller", "clock"]),
    check("assume-role", "may the caller work as the role, with session tags", &["role"]),
    check("trust", "may SageMaker work as the role", &["role"]),
    check("permissions-s3", "may the role use the bucket and its objects", &["role"]),
    check("permissions-training", "may the role run the pipeline and its jobs", &["role"]),
    check("permissions-pass-role", "may the role hand itself to SageMaker", &["role"]),
    check("permissions-images", "may the role pull the container images, and push ours", &["role"]),
    check("permissions-deployment", "may the role register, deploy and call models", &["role"]),
    check("permissions-monitoring", "may the role set up monitoring and its schedules", &["role"]),
    check("permissions-logs", "may the role write and read CloudWatch logs and metrics", &["role"]),
    check("permissions-encryption", "may the role use the key", &["role"]),
    check("boundary", "does the role's permissions boundary let it work", &["role"]),
    check("organization", "does the organization let the role work", &["role"]),
    check("denies", "does no statement deny what the role needs", &["role"]),
    check("bucket", "is the bucket there, ours, and in this region", &["assume-role"]),
    check("bucket-settings", "does the bucket keep its content private", &["bucket"]),
    check("probe", "can an object be written, read and removed", &["bucket"]),
    check("pipeline", "are the pipeline and the package group there", &["assume-role"]),
    check("image", "is the image of the steps in the registry, and can the role pull it", &["assume-role"]),
    check("quotas", "do the quotas suffice for the instances of the plan", &["caller", "clock"]),
    check("running", "does nothing run that costs money", &["assume-role"]),
];

/// Which checks are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    shown: BTreeSet<&'static str>,
    asked: BTreeSet<&'static str>,
}

impl Selection {
    /// Those that are named, without those that are to be skipped; all, if none is named. An id that ends with `-` or is
    /// followed by one (`permissions`) means the whole group. What changes anything (`probe`) has to be asked for.
    ///
    /// # Errors
    /// With exit code 2, when there is no such check.
    pub fn new(only: &[String], skip: &[String], probe: bool) -> Result<Self, Failure> {
        let (only, skip) = (named(only)?, named(skip)?);
        let wanted = |id: &str| (only.is_empty() || only.contains(id)) && !skip.contains(id);
        let shown: BTreeSet<_> =
            CHECKS.iter().map(|check| check.id).filter(|id| wanted(id) && (*id != "probe" || probe)).collect();
        let mut asked = shown.clone();
        // The table is in order: what a check waits for stands before it.
        for check in CHECKS.iter().rev().filter(|check| check.id != "probe" || probe) {
            if asked.contains(check.id) {
                asked.extend(check.waits_for);
            }
        }
        Ok(Self { shown, asked })
    }

    /// Whether its answer is needed.
    #[must_use]
    pub fn asks(&self, id: &str) -> bool {
        self.asked.contains(id)
    }

    /// Whether its answer is needed for any of these.
    #[must_use]
    pub fn asks_any(&self, prefixes: &[&str]) -> bool {
        self.asked.iter().any(|id| prefixes.iter().any(|prefix| id.starts_with(prefix)))
    }

    /// Whether it is wanted for itself.
    #[must_use]
    pub fn shows(&self, id: &str) -> bool {
        self.shown.contains(id)
    }
}

fn named(names: &[String]) -> Result<BTreeSet<&'static str>, Failure> {
    let mut found = BTreeSet::new();
    for name in names {
        let of_group = |id: &str| id.strip_prefix(name.trim_end_matches('-')).is_some_and(|rest| rest.starts_with('-'));
        let exact: Vec<_> = CHECKS.iter().map(|check| check.id).filter(|id| id == name).collect();
        let group = CHECKS.iter().map(|check| check.id).filter(|id| of_group(id));
        let matching = if exact.is_empty() { group.collect() } else { exact };
        if matching.is_empty() {
            return Err(Failure::usage(format!("there is no check `{name}`"))
                .hint("cargo xtask doctor --list prints the checks"));
        }
        found.extend(matching);
    }
    Ok(found)
}

/// The check of this id.
///
/// # Panics
/// If there is none: ids are written in this program.
#[must_use]
pub fn by_id(id: &str) -> &'static Check {
    CHECKS.iter().find(|check| check.id == id).unwrap_or_else(|| panic!("there is no check {id}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selection(only: &[&str], skip: &[&str]) -> Selection {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        Selection::new(&owned(only), &owned(skip), false).unwrap()
    }

    #[test]
    fn a_check_waits_only_for_those_before_it() {
        for (at, check) in CHECKS.iter().enumerate() {
            for earlier in check.waits_for {
                assert!(CHECKS[..at].iter().any(|it| it.id == *earlier), "{} waits for {earlier}", check.id);
            }
        }
    }

    #[test]
    fn what_a_wanted_check_waits_for_is_asked_too() {
        let one = selection(&["bucket"], &[]);
        assert!(one.shows("bucket") && !one.shows("caller"));
        for id in ["bucket", "assume-role", "role", "caller", "credentials"] {
            assert!(one.asks(id), "{id}");
        }
        assert!(!one.asks("quotas") && !one.asks_any(&["permissions-", "boundary"]));
    }

    #[test]
    fn a_group_is_named_by_how_it_begins() {
        let group = selection(&["permissions"], &["permissions-logs"]);
        assert!(group.shows("permissions-s3") && !group.shows("permissions-logs") && !group.shows("role"));
        let bucket = selection(&["bucket"], &[]);
        assert!(!bucket.shows("bucket-settings"), "a name that is a check's own is that check");
    }

    #[test]
    fn nothing_is_written_unless_asked_for() {
        assert!(!selection(&[], &[]).asks("probe"));
        assert!(Selection::new(&[], &[], true).unwrap().shows("probe"));
    }

    #[test]
    fn an_unknown_check_is_a_mistake_of_usage() {
        let failure = Selection::new(&["buckets".to_owned()], &[], false).unwrap_err();
        assert_eq!((failure.to_string().as_str(), failure.exit_code()), ("there is no check `buckets`", 2));
    }
}
