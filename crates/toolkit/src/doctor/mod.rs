//! Will this account, this role and this machine run the pipeline, deploy it and monitor it; and if not, what exactly has
//! to change?
//!
//! Read-only, but for the `probe` that has to be asked for. What could not be verified is `unknown`: neither a failure nor
//! a success.
//!
//! | module | what it looks at |
//! |---|---|
//! | `machine` | this machine: `.env`, settings, region, endpoints |
//! | `credentials` | whether there are any, and whether they last |
//! | `caller` | who calls, the clock, the account |
//! | `role` | the role: whether it exists, who may assume it, and why not |
//! | [`permissions`] | what the role may do: simulated, evaluated, or tried |
//! | `bucket` | the bucket |
//! | `image` | the image of the steps, and its repository |
//! | `account` | what is there, what it costs, how much more there may be |

mod account;
mod bucket;
mod caller;
pub mod check;
mod credentials;
pub mod finding;
mod image;
mod machine;
pub mod permissions;
mod report;
mod role;

use std::path::Path;

use iam_policy::generate::{Area, Feature};

pub use check::{CHECKS, Check, Selection};
pub use finding::{Finding, Repair, Target, Verdict};
pub use report::Report;

use crate::aws::session::{Reached, reach};
use crate::aws::{Clients, Mode, Place, Session};
use crate::error::Failure;
use crate::settings::{RoleArn, Settings};
use crate::site::Site;
use permissions::Judgement;

/// Examines everything that is wanted.
///
/// # Errors
/// When the fake cannot be started or reached. Whatever is wrong with an account is a finding.
pub async fn examine(
    settings: &Settings,
    place: &Place,
    current: &Path,
    selection: Selection,
) -> Result<Report, Failure> {
    let offline = matches!(place, Place::Offline { .. });
    let mode = if selection.asks("probe") { Mode::Live } else { Mode::Dry };
    let mut report = Report::new(selection, offline);
    report.add_if_asked("dotenv", || machine::dotenv(current));
    report.add_if_asked("settings", || machine::settings(settings));
    report.add_if_asked("region", || machine::region(settings));
    report.add_if_asked("endpoints", || machine::endpoints(settings, offline));

    let Reached { config, role, .. } = reach(settings, place, mode).await?;
    if !report.selection.asks("credentials") {
        return Ok(report.finished());
    }
    report.add(credentials::look(settings, &config, offline).await);
    if report.has_failed("credentials") {
        return Ok(report.finished());
    }
    let (findings, caller) = caller::who(settings, &config, role.as_ref(), mode).await;
    report.extend(findings);
    // With a clock that is wrong, what is refused and what is not tells nothing.
    let Some(caller) = caller.filter(|_| !report.has_failed("clock")) else { return Ok(report.finished()) };
    report.accounts =
        std::iter::once(&caller.account).chain(role.as_ref().map(|role| &role.account)).cloned().collect();

    let site = Site::new(settings, &caller.account, role.as_ref().map(|role| role.arn.as_str()));
    let examined = Examined {
        settings,
        site,
        caller,
        mode,
        needs_image: place.needs_image(),
        flags: place.flags(settings),
        clients: Clients::new(&config, mode),
    };
    let of_role = async {
        match &role {
            Some(role) => Box::pin(role_and_beyond(&examined, &config, role, &report.selection)).await,
            None => (vec![role::not_set()], None),
        }
    };
    let quotas = async {
        match report.selection.asks("quotas") {
            true => vec![account::quotas(&examined).await],
            false => Vec::new(),
        }
    };
    let ((findings, judgement), quotas) = tokio::join!(of_role, quotas);
    report.extend(findings);
    report.extend(quotas);
    report.judgement = judgement;
    Ok(report.finished())
}

/// What the later checks start from.
pub(crate) struct Examined<'a> {
    settings: &'a Settings,
    site: Site,
    caller: caller::Caller,
    mode: Mode,
    /// Whether the image has to be in ECR.
    needs_image: bool,
    /// By which another command finds the same place.
    flags: String,
    /// Those that work as the caller.
    clients: Clients,
}

/// The role, what it may do, and what can be seen as the role.
async fn role_and_beyond(
    examined: &Examined<'_>,
    config: &aws_config::SdkConfig,
    role: &RoleArn,
    selection: &Selection,
) -> (Vec<Finding>, Option<Judgement>) {
    let mut findings = Vec::new();
    if !selection.asks("role") {
        return (findings, None);
    }
    let seen = role::look(examined, role).await;
    if let role::Seen::Absent(finding) = seen {
        return (vec![finding], None);
    }
    let assumed = role::assume(examined, config, role, &seen).await;
    let session = assumed.session;
    if let (role::Seen::Elsewhere, None) = (&seen, &session) {
        // Of a role of another account nothing is to be seen from outside.
        return (vec![Finding::skip("role", "assume-role"), assumed.finding], None);
    }
    let seen = role::look_again(seen, session.as_ref(), role).await;
    findings.push(role::existence(examined, role, &seen, session.is_some()));
    findings.push(assumed.finding);
    findings.extend(selection.asks("trust").then(|| role::trust(examined, role, &seen)));

    let permissions = async {
        match selection.asks_any(&["permissions-", "boundary", "organization", "denies"]) {
            true => Some(permissions::judge(examined, role, seen.entity(), session.as_ref(), &Feature::ALL).await),
            false => None,
        }
    };
    let beyond = async {
        match &session {
            Some(session) => as_the_role(examined, session, selection).await,
            None => Vec::new(),
        }
    };
    let (judgement, beyond) = tokio::join!(permissions, beyond);
    findings.extend(judgement.iter().flat_map(Judgement::findings));
    findings.extend(beyond);
    (findings, judgement)
}

/// What can be seen as the role.
async fn as_the_role(examined: &Examined<'_>, session: &role::Session, selection: &Selection) -> Vec<Finding> {
    let bucket = async {
        match selection.asks("bucket") {
            true => bucket::look(examined, session, selection).await,
            false => Vec::new(),
        }
    };
    let pipeline = async {
        match selection.asks("pipeline") {
            true => Some(account::pipeline(examined, session).await),
            false => None,
        }
    };
    let image = async {
        match selection.asks("image") {
            true => Some(image::look(examined, session).await),
            false => None,
        }
    };
    let running = async {
        match selection.asks("running") {
            true => Some(account::running(examined, session).await),
            false => None,
        }
    };
    let (mut findings, pipeline, image, running) = tokio::join!(bucket, pipeline, image, running);
    findings.extend(pipeline);
    findings.extend(image);
    findings.extend(running);
    findings
}

/// Refuses to begin with what would be refused on the way: whether the role may do what these features do. What cannot be
/// verified stops nobody.
///
/// # Errors
/// With the findings that say why.
pub async fn preflight(session: &Session, features: &[Feature]) -> Result<(), Failure> {
    let Some(judgement) = permissions::judge_session(session, features).await else { return Ok(()) };
    let failed: Vec<_> = judgement.findings().into_iter().filter(|finding| finding.verdict == Verdict::Fail).collect();
    if failed.is_empty() {
        return Ok(());
    }
    let what: Vec<_> = failed.iter().map(|finding| finding.found.as_str()).collect();
    Err(Failure::operation(format!("not begun, for it would not end well: {}", what.join("; ")))
        .hint("what to change: cargo xtask doctor --only permissions; to try all the same: --no-preflight"))
}

/// The id of the check of an area's permissions.
fn id_of(area: Area) -> &'static str {
    match area {
        Area::S3 => "permissions-s3",
        Area::Training => "permissions-training",
        Area::PassRole => "permissions-pass-role",
        Area::Images => "permissions-images",
        Area::Deployment => "permissions-deployment",
        Area::Monitoring => "permissions-monitoring",
        Area::Logs => "permissions-logs",
        Area::Encryption => "permissions-encryption",
    }
}
