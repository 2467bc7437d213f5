//! From answers to findings: one cause, one finding. What a boundary, the organization or a deny keeps from the role is
//! told once, and not again for each area that it reaches into.

use iam_policy::Kind;
use iam_policy::generate::{Area, Feature, Need};

use super::{Answer, By, Depth, Judgement};
use crate::doctor::finding::{Finding, Repair, Target, Verdict};
use crate::doctor::id_of;
use crate::doctor::role::unnamed;
use crate::output::many;

/// What each area is needed for.
fn why(area: Area) -> &'static str {
    match area {
        Area::S3 => "inputs, outputs, models, captured traffic and reports are in the bucket",
        Area::Training => "the pipeline and its steps are created and followed by the role",
        Area::PassRole => "whoever starts something that works as a role must be allowed to hand the role over",
        Area::Images => "every job and endpoint starts from an image",
        Area::Deployment => "models are registered, deployed and called by the role",
        Area::Monitoring => "the monitor's schedule and its jobs are created and followed by the role",
        Area::Logs => "without logs and metrics nobody sees why something failed",
        Area::Encryption => "what is written is encrypted with this key",
    }
}

pub(super) fn findings(judgement: &Judgement) -> Vec<Finding> {
    let areas = Area::ALL.into_iter().filter_map(|area| of_area(judgement, area));
    areas.chain([boundary(judgement), organization(judgement), denies(judgement)]).collect()
}

/// What the simulator answers of what is refused, in its words. The other depths have only ours.
fn decided(finding: Finding, depth: Depth, decision: &str) -> Finding {
    match (depth, finding.verdict) {
        (Depth::Simulated, Verdict::Fail | Verdict::Warn) => finding.said(decision),
        _ => finding,
    }
}

fn calls(depth: Depth) -> &'static [&'static str] {
    match depth {
        Depth::Simulated => &["iam:SimulatePrincipalPolicy"],
        Depth::Evaluated => &["iam:GetRolePolicy", "iam:GetPolicyVersion"],
        Depth::Probed | Depth::None => &[],
    }
}

/// Nothing, where there is nothing to ask about: no key, no permissions for it.
fn of_area(judgement: &Judgement, area: Area) -> Option<Finding> {
    let id = id_of(area);
    let answers: Vec<_> = judgement.answers.iter().filter(|(need, _)| need.area == area).collect();
    if answers.is_empty() {
        return None;
    }
    let with = |wanted: &dyn Fn(&Answer) -> bool| -> Vec<&Need> {
        answers.iter().filter(|(_, answer)| wanted(answer)).map(|(need, _)| need).collect()
    };
    let silent = with(&|answer| *answer == Answer::Refused(By::Silence));
    // Without those that only help to look around everything else works.
    let (idle, missing): (Vec<_>, Vec<_>) = silent.into_iter().partition(|need| need.feature == Feature::Doctor);
    let elsewhere = answers.iter().find_map(|(_, answer)| match answer {
        Answer::Refused(By::Boundary) => Some("boundary"),
        Answer::Refused(By::Organization) => Some("organization"),
        Answer::Refused(By::Deny) => Some("denies"),
        _ => None,
    });
    let unknown = with(&|answer| matches!(answer, Answer::Unknown(_)));
    let name = &judgement.role.name;
    let add = |needs: &[&Need]| Repair::Add {
        to: Target::Identity(judgement.role.arn.clone()),
        statements: judgement.settings.allowing(needs.iter().copied()).into_iter().map(unnamed).collect(),
    };
    let finding = if !missing.is_empty() {
        Finding::fail(id, format!("no policy allows {name} {}", listed(&missing)))
            .why(why(area))
            .repaired_by(add(&missing))
    } else if let Some(other) = elsewhere {
        return Some(Finding::skip(id, other));
    } else if !unknown.is_empty() {
        let reason = answers.iter().find_map(|(_, answer)| match answer {
            Answer::Unknown(reason) => Some(reason.as_str()),
            _ => None,
        });
        let all = actions(&with(&|_| true)).len();
        let allowed = all - actions(&unknown).len();
        let seen = if allowed > 0 { format!("{allowed} of {all} verified; ") } else { String::new() };
        Finding::unknown(id, format!("{seen}not verified: {} ({})", listed(&unknown), reason.unwrap_or_default()))
    } else if !idle.is_empty() {
        Finding::warn(id, format!("no policy allows {name} {}", listed(&idle)))
            .why("the doctor cannot look everywhere without")
            .repaired_by(add(&idle))
    } else {
        Finding::pass(id, format!("{name} may: {}", many(actions(&with(&|_| true)).len(), "action")))
    };
    let finding = decided(finding, judgement.depth, "EvalDecision: implicitDeny");
    Some(finding.asked(calls(judgement.depth), &judgement.identity))
}

fn boundary(judgement: &Judgement) -> Finding {
    const ID: &str = "boundary";
    let refused = judgement.refused(By::Boundary);
    let finding = match (&judgement.boundary, judgement.depth) {
        (known, _) if !refused.is_empty() => {
            let arn = known.clone().unwrap_or_else(|| format!("of {}", judgement.role.arn));
            let statements = judgement.settings.allowing(refused.iter().copied()).into_iter().map(unnamed).collect();
            Finding::fail(
                ID,
                format!("the permissions boundary does not let {} {}", judgement.role.name, listed(&refused)),
            )
            .why("a role may do only what its policies and its boundary both allow")
            .repaired_by(Repair::Add { to: Target::Boundary(arn), statements })
        }
        (Some(arn), Depth::Simulated | Depth::Evaluated) => Finding::pass(ID, format!("{arn} lets everything through")),
        (None, Depth::Simulated | Depth::Evaluated) => Finding::pass(ID, "there is none"),
        (_, Depth::Probed | Depth::None) => Finding::unknown(ID, "the policies may not be read"),
    };
    decided(finding, judgement.depth, "EvalDecision: implicitDeny, AllowedByPermissionsBoundary: false")
        .asked(calls(judgement.depth), &judgement.identity)
}

fn organization(judgement: &Judgement) -> Finding {
    const ID: &str = "organization";
    let refused = judgement.refused(By::Organization);
    let finding = if !refused.is_empty() {
        let statements = judgement.settings.allowing(refused.iter().copied()).into_iter().map(unnamed).collect();
        Finding::fail(ID, format!("a service control policy does not let this account {}", listed(&refused)))
            .why("no policy within the account outweighs the organization's: neither a deny, nor the want of an allow")
            .repaired_by(Repair::Add { to: Target::Organization(judgement.role.account.clone()), statements })
    } else if judgement.depth == Depth::Simulated {
        Finding::pass(ID, "no service control policy stands in the way")
    } else {
        let finding = Finding::unknown(ID, "only AWS's simulator knows the service control policies");
        match &judgement.not_simulated {
            Some(failure) => finding.kept_by(failure),
            None => finding,
        }
    };
    decided(finding, judgement.depth, "AllowedByOrganizations: false")
        .asked(calls(judgement.depth), &judgement.identity)
}

fn denies(judgement: &Judgement) -> Finding {
    const ID: &str = "denies";
    let refused = judgement.refused(By::Deny);
    let finding = if refused.is_empty() {
        match judgement.depth {
            Depth::Simulated | Depth::Evaluated => Finding::pass(ID, "none does"),
            Depth::Probed | Depth::None => Finding::unknown(ID, "the policies may not be read"),
        }
    } else {
        let finding = Finding::fail(ID, format!("{} is denied {}", judgement.role.name, listed(&refused)))
            .why("nothing outweighs a deny");
        let denials = judgement.denials();
        let boundary = |arn: &str| Target::Boundary(arn.to_owned());
        let remove = |statement: iam_policy::Matched| Repair::Remove {
            from: match statement.kind {
                Kind::Boundary => boundary(&statement.policy),
                _ => Target::Identity(judgement.role.arn.clone()),
            },
            statement,
        };
        match denials.is_empty() {
            true => finding.repaired_by(Repair::Tell(
                "find the statement with \"Effect\": \"Deny\" in the policies of the role, and remove it or narrow it down"
                    .to_owned(),
            )),
            false => denials.into_iter().map(remove).fold(finding, Finding::repaired_by),
        }
    };
    decided(finding, judgement.depth, "EvalDecision: explicitDeny").asked(calls(judgement.depth), &judgement.identity)
}

/// The actions, each once.
fn actions<'n>(needs: &[&'n Need]) -> Vec<&'n str> {
    let mut actions: Vec<&str> = Vec::new();
    for need in needs {
        if !actions.contains(&need.action) {
            actions.push(need.action);
        }
    }
    actions
}

/// The first few actions, and how many more there are: the repair has all of them.
fn listed(needs: &[&Need]) -> String {
    const SHOWN: usize = 3;
    let actions = actions(needs);
    match actions.len().checked_sub(SHOWN).filter(|more| *more > 1) {
        Some(more) => format!("{} and {more} more", actions[..SHOWN].join(", ")),
        None => actions.join(", "),
    }
}
