//! What can be looked up on this machine, before anybody is asked.

use std::path::Path;
use std::process::{Command, Stdio};

use super::finding::{Finding, Repair};
use crate::settings::dotenv::project_root;
use crate::settings::{DotEnv, SETTINGS, Settings};

/// The variables that open an account.
const SECRETS: [&str; 2] = ["AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"];

/// Whether `.env` can be read, what it sets, and whether it is kept out of version control.
pub(super) fn dotenv(current: &Path) -> Finding {
    const ID: &str = "dotenv";
    const WHY: &str = "whoever can read the repository, today or in its history, can read the file";
    let file = match DotEnv::find(current) {
        Ok(Some(file)) => file,
        Ok(None) => return Finding::pass(ID, "there is none: settings come from flags, the environment and defaults"),
        Err(failure) => return Finding::of_failure(ID, &failure),
    };
    let path = current.join(&file.label);
    let keys: Vec<_> = file.entries.iter().map(|entry| entry.key.as_str()).collect();
    let found = format!("{} sets {}", file.label, if keys.is_empty() { "nothing".to_owned() } else { keys.join(", ") });
    match is_tracked(&path) {
        Some(false) => Finding::pass(ID, found),
        None => Finding::unknown(ID, format!("{found}; git cannot be asked whether it is in version control")),
        Some(true) => {
            let secret = keys.iter().any(|key| SECRETS.contains(key));
            let found = format!("{} is in version control", file.label);
            let finding = if secret { Finding::fail(ID, found) } else { Finding::warn(ID, found) };
            let finding = finding
                .why(WHY)
                .repaired_by(Repair::Run(format!("git rm --cached {0} && echo {0} >> .gitignore", file.label)));
            if !secret {
                return finding;
            }
            finding.repaired_by(Repair::Tell("make new access keys: these have been seen".to_owned()))
        }
    }
}

/// Whether git keeps versions of the file; nothing if git cannot be asked. Without a repository nothing is kept.
fn is_tracked(file: &Path) -> Option<bool> {
    let folder = file.parent()?;
    if !project_root(folder).join(".git").exists() {
        return Some(false);
    }
    let mut git = Command::new("git");
    git.arg("-C").arg(folder).args(["ls-files", "--error-unmatch", "--"]).arg(file.file_name()?);
    let status = git.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().ok()?;
    match status.code()? {
        0 => Some(true),
        1 => Some(false),
        // Something is there that is no repository to git, and then keeps no versions.
        128 => Some(false),
        _ => None,
    }
}

/// Whether the settings say what they seem to say. Wrong ones are refused before this.
pub(super) fn settings(settings: &Settings) -> Finding {
    const ID: &str = "settings";
    let mut repairs = Vec::new();
    let mut found = settings.warnings.clone();
    for variable in &settings.blank {
        found.push(format!("{variable} is set but blank, and counts as unset; other tools take it at its word"));
        repairs.push(Repair::Run(format!("unset {variable}")));
    }
    // The accounts of AWS's own documentation.
    if let Some(role) = settings.role.as_ref().filter(|role| ["123456789012", "111122223333"].contains(&&*role.account))
    {
        found.push(format!("AWS_ROLE is {}: that looks like a role of an example", role.arn));
    }
    if found.is_empty() {
        let set = settings.found.iter().filter(|it| it.origin != crate::settings::Origin::Default).count();
        return Finding::pass(ID, format!("{set} of {} settings are set, the others are defaults", SETTINGS.len()));
    }
    let finding = Finding::warn(ID, found.join("; "));
    repairs.into_iter().fold(finding, Finding::repaired_by)
}

/// Whether there is one region, and one that is known.
pub(super) fn region(settings: &Settings) -> Finding {
    const ID: &str = "region";
    let region = &settings.region;
    if settings.region_warnings.is_empty() {
        return Finding::pass(ID, region.clone());
    }
    Finding::warn(ID, settings.region_warnings.join("; "))
        .why("what is created in one region is not seen from another")
        .repaired_by(Repair::Set { variable: "AWS_DEFAULT_REGION", value: region.clone() })
        .repaired_by(Repair::Run("unset AWS_REGION".to_owned()))
}

/// Whether AWS's own endpoints are called.
pub(super) fn endpoints(settings: &Settings, offline: bool) -> Finding {
    const ID: &str = "endpoints";
    if offline {
        return Finding::pass(ID, "the fake's, on this machine");
    }
    let flag = settings.endpoint_url.iter().map(|url| format!("all services at {url} (--endpoint-url)"));
    let elsewhere: Vec<_> =
        flag.chain(settings.aws.endpoints.iter().map(|(variable, url)| format!("{url} ({variable})"))).collect();
    if elsewhere.is_empty() {
        return Finding::pass(ID, "AWS's own");
    }
    let finding = Finding::warn(ID, format!("calls do not go to AWS: {}", elsewhere.join(", ")));
    let finding = finding.why("what answers there may not be your account");
    settings
        .aws
        .endpoints
        .iter()
        .fold(finding, |finding, (variable, _)| finding.repaired_by(Repair::Run(format!("unset {variable}"))))
}
