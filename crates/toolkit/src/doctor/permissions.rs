//! What the role may do, request by request.
//!
//! Three depths. AWS's simulator knows every policy but those of resources; where it may not be asked, the policies that
//! can be read are evaluated here, without the organization's; where they cannot be read either, harmless calls are tried
//! as the role, which says nothing about those that change things. The judgement tells which depth was reached.

mod cause;
mod evaluated;
mod probed;
mod simulated;

use std::collections::BTreeMap;

use iam_policy::generate::{self, Feature, Need};
use iam_policy::{Outcome, Policies};
use serde::Serialize;

use super::role;
use super::{Examined, Finding};
use crate::aws::Session;
use crate::aws::iam::{self, Entity, Simulated};
use crate::error::Failure;
use crate::names;
use crate::settings::RoleArn;
use crate::site::Site;

/// How deep the look was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Depth {
    /// AWS's simulator was asked.
    Simulated,
    /// The policies that could be read were evaluated.
    Evaluated,
    /// Calls were tried that change nothing.
    Probed,
    /// Nothing could be looked at.
    None,
}

/// What is known of one need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    Allowed,
    Refused(By),
    /// For this reason.
    Unknown(String),
}

/// What refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    /// No policy of the role allows it.
    Silence,
    /// The permissions boundary does not.
    Boundary,
    /// A service control policy denies it, or none allows it.
    Organization,
    /// A statement denies it.
    Deny,
}

/// What the role may do.
pub struct Judgement {
    /// How it is known.
    pub depth: Depth,
    /// Who asked.
    pub identity: String,
    role: RoleArn,
    settings: generate::Settings,
    answers: Vec<(Need, Answer)>,
    /// Why the simulator was not asked.
    not_simulated: Option<Failure>,
    /// The role's boundary, if it is known to have one.
    boundary: Option<String>,
    /// The policies themselves, where something was refused and they could be read.
    policies: Option<Policies>,
    context: BTreeMap<String, Vec<String>>,
}

/// Somebody who may look into IAM.
struct Looker<'a> {
    iam: &'a iam::Client,
    arn: &'a str,
}

/// Judges what the role may do for these features.
pub(super) async fn judge(
    examined: &Examined<'_>,
    role: &RoleArn,
    entity: Option<&Entity>,
    session: Option<&role::Session>,
    features: &[Feature],
) -> Judgement {
    let caller = Looker { iam: &examined.clients.iam, arn: &examined.caller.arn };
    let of_session = session.map(|session| Looker { iam: &session.clients.iam, arn: &session.arn });
    let lookers: Vec<_> = std::iter::once(caller).chain(of_session).collect();
    let mut judgement = Judgement::unknown(&examined.site, role, &examined.caller.arn, features);
    judgement.boundary = entity.and_then(|entity| entity.boundary.clone());
    if judgement.simulate(&lookers).await || judgement.evaluate(&lookers, entity).await {
        judgement.explain(&lookers, entity).await;
        return judgement;
    }
    if let Some(session) = session {
        judgement.probe(&examined.site, session).await;
    }
    judgement
}

/// The same for a session that has begun; nothing if it works as no role, or nobody may look.
pub(super) async fn judge_session(session: &Session, features: &[Feature]) -> Option<Judgement> {
    let role = RoleArn::parse(session.identity.role.as_deref()?).ok()?;
    let identity = &session.identity;
    let lookers = [
        Looker { iam: &session.iam_of_caller, arn: &identity.caller },
        Looker { iam: &session.clients.iam, arn: &identity.session },
    ];
    let mut judgement = Judgement::unknown(&session.site, &role, &identity.caller, features);
    judgement.simulate(&lookers).await.then_some(judgement)
}

impl Judgement {
    fn unknown(site: &Site, role: &RoleArn, asker: &str, features: &[Feature]) -> Self {
        // A site with a role has all that the documents are made from: its image was checked with the settings.
        let settings = site
            .policy_settings(asker)
            .unwrap_or_else(|_| generate::Settings::new(&role.account, &site.region, asker, &role.name));
        let unknown = |need| (need, Answer::Unknown("nobody may look".to_owned()));
        Self {
            depth: Depth::None,
            identity: asker.to_owned(),
            role: role.clone(),
            answers: settings.needs(features).into_iter().map(unknown).collect(),
            settings,
            not_simulated: None,
            boundary: None,
            policies: None,
            context: context(site),
        }
    }

    /// What AWS's simulator says, if this client of IAM may ask it; `asker` is whose client it is.
    pub async fn simulated(
        site: &Site,
        role: &RoleArn,
        (iam, asker): (&iam::Client, &str),
        features: &[Feature],
    ) -> Option<Self> {
        let mut judgement = Self::unknown(site, role, asker, features);
        judgement.simulate(&[Looker { iam, arn: asker }]).await.then_some(judgement)
    }

    /// What of the role's needs was answered how, for whoever wants to compare.
    pub fn allowed(&self) -> impl Iterator<Item = (&Need, Option<bool>)> {
        self.answers.iter().map(|(need, answer)| {
            let allowed = match answer {
                Answer::Allowed => Some(true),
                Answer::Refused(_) => Some(false),
                Answer::Unknown(_) => None,
            };
            (need, allowed)
        })
    }

    /// The needs that are refused by this.
    fn refused(&self, by: By) -> Vec<&Need> {
        let refused = self.answers.iter().filter(|(_, answer)| *answer == Answer::Refused(by));
        refused.map(|(need, _)| need).collect()
    }

    /// Whether the action is known to be refused, on whatever.
    #[must_use]
    pub fn refuses(&self, action: &str) -> bool {
        self.answers.iter().any(|(need, answer)| need.action == action && matches!(answer, Answer::Refused(_)))
    }

    /// The check that tells why this action is refused.
    #[must_use]
    pub fn check_of(&self, action: &str) -> Option<&'static str> {
        let (need, answer) =
            self.answers.iter().find(|(need, answer)| need.action == action && matches!(answer, Answer::Refused(_)))?;
        Some(match answer {
            Answer::Refused(By::Boundary) => "boundary",
            Answer::Refused(By::Organization) => "organization",
            Answer::Refused(By::Deny) => "denies",
            _ => super::id_of(need.area),
        })
    }

    /// One finding for each area, and one for each kind of policy that refuses.
    #[must_use]
    pub fn findings(&self) -> Vec<Finding> {
        cause::findings(self)
    }

    /// The context of one need: what is so whatever is done, and what follows from the need.
    #[must_use]
    pub fn context_of(&self, need: &Need) -> BTreeMap<String, Vec<String>> {
        let mut context = self.context.clone();
        context.extend(need.context.iter().map(|(key, value)| ((*key).to_owned(), vec![value.clone()])));
        context
    }
}

/// The condition keys of every request that the verbs make.
fn context(site: &Site) -> BTreeMap<String, Vec<String>> {
    let one = |value: &str| vec![value.to_owned()];
    let mut context = BTreeMap::from([
        ("aws:RequestedRegion".to_owned(), one(&site.region)),
        ("aws:ResourceAccount".to_owned(), one(&site.account)),
        ("aws:SecureTransport".to_owned(), one("true")),
        ("aws:TagKeys".to_owned(), site.tags.iter().map(|tag| tag.key.clone()).collect()),
        ("sagemaker:InstanceTypes".to_owned(), one("ml.m5.xlarge")),
    ]);
    for tag in &site.tags {
        context.insert(format!("aws:RequestTag/{}", tag.key), one(&tag.value));
    }
    for (key, value) in names::session_tags(&site.prefix) {
        context.insert(format!("aws:PrincipalTag/{key}"), one(&value));
    }
    context
}

/// What an answer of the simulator means.
fn meaning(simulated: &Simulated) -> Answer {
    match simulated.outcome {
        Outcome::Allowed => Answer::Allowed,
        _ if simulated.by_organization == Some(false) => Answer::Refused(By::Organization),
        Outcome::ExplicitDeny => Answer::Refused(By::Deny),
        _ if simulated.by_boundary == Some(false) => Answer::Refused(By::Boundary),
        // A statement may allow it under conditions that the request would have met.
        Outcome::ImplicitDeny if !simulated.missing.is_empty() => {
            Answer::Unknown(format!("that depends on {}", simulated.missing.join(", ")))
        }
        Outcome::ImplicitDeny => Answer::Refused(By::Silence),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_of_the_simulator_names_who_refuses() {
        let check = |outcome, by_organization, by_boundary, missing: &[&str], expected: Answer| {
            let missing = missing.iter().map(|key| (*key).to_owned()).collect();
            let (action, resource) = ("s3:GetObject".to_owned(), "*".to_owned());
            let simulated = Simulated { action, resource, outcome, by_organization, by_boundary, missing };
            assert_eq!(meaning(&simulated), expected, "{simulated:?}");
        };
        let (allowed, deny, silence) = (Outcome::Allowed, Outcome::ExplicitDeny, Outcome::ImplicitDeny);
        check(allowed, Some(true), Some(true), &["a:b"], Answer::Allowed);
        check(silence, Some(true), None, &[], Answer::Refused(By::Silence));
        check(silence, None, Some(false), &[], Answer::Refused(By::Boundary));
        check(silence, Some(false), Some(false), &[], Answer::Refused(By::Organization));
        check(deny, Some(false), None, &[], Answer::Refused(By::Organization));
        check(deny, Some(true), Some(true), &[], Answer::Refused(By::Deny));
        check(silence, None, None, &["a:b"], Answer::Unknown("that depends on a:b".to_owned()));
    }
}
