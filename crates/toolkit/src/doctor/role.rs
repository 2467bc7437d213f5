//! The role: whether it exists, whether the caller and SageMaker may work as it, and if not, on which side that is.

use aws_config::SdkConfig;
use iam_policy::generate::Documents;
use iam_policy::{
    Attached, Caller, Decision, Kind, Outcome, Policies, Policy, Request, Statement, assume_role, evaluate,
};

use super::Examined;
use super::finding::{Finding, Repair, Target, is_denied};
use crate::aws::Clients;
use crate::aws::iam::{Entity, EntityKind};
use crate::aws::identity::{Refusal, RoleSession, Wanted, is_session_of, role_of_session};
use crate::error::Failure;
use crate::names;
use crate::settings::RoleArn;

/// The name of the sessions that this makes.
const VERB: &str = "doctor";

const WHY_ASSUME: &str = "every verb works as this role";

/// What could be seen of the role.
pub(super) enum Seen {
    /// All of it.
    Present(Entity),
    /// It is not there, or not under this ARN.
    Absent(Finding),
    /// It may not be looked at, for this reason.
    Hidden(Failure),
    /// It is in another account, where the caller cannot look.
    Elsewhere,
}

impl Seen {
    /// The role, if it could be seen.
    pub(super) fn entity(&self) -> Option<&Entity> {
        match self {
            Self::Present(entity) => Some(entity),
            Self::Absent(_) | Self::Hidden(_) | Self::Elsewhere => None,
        }
    }
}

/// The role, at work.
pub(super) struct Session {
    /// Those that work as the role.
    pub clients: Clients,
    /// `arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION`.
    pub arn: String,
}

/// What came of assuming the role.
pub(super) struct Assumed {
    pub finding: Finding,
    pub session: Option<Session>,
}

/// There is no role to look at.
pub(super) fn not_set() -> Finding {
    Finding::fail("role", "AWS_ROLE is not set")
        .why("every verb works as a role, and hands it to SageMaker")
        .repaired_by(Repair::Set { variable: "AWS_ROLE", value: "arn:aws:iam::ACCOUNT:role/NAME".to_owned() })
}

/// Looks at the role as the caller.
pub(super) async fn look(examined: &Examined<'_>, role: &RoleArn) -> Seen {
    if role.account != examined.caller.account {
        return Seen::Elsewhere;
    }
    let absent = |finding: Finding| {
        let finding = finding.asked(&["iam:GetRole"], &examined.caller.arn);
        Seen::Absent(finding.why("every verb works as this role, and hands it to SageMaker"))
    };
    match examined.clients.iam.entity(EntityKind::Role, &role.name).await {
        Ok(Some(entity)) if entity.arn != role.arn => absent(
            Finding::fail("role", format!("{} is not there; {} is", role.arn, entity.arn))
                .repaired_by(Repair::Set { variable: "AWS_ROLE", value: entity.arn }),
        ),
        Ok(Some(entity)) => Seen::Present(entity),
        Ok(None) => {
            let finding = Finding::fail("role", format!("{} does not exist", role.arn))
                .said(format!("NoSuchEntity: The role with name {} cannot be found.", role.name));
            absent(match nearest(examined, role).await {
                Some(arn) => finding.repaired_by(Repair::Set { variable: "AWS_ROLE", value: arn }),
                None => finding.repaired_by(Repair::Tell(
                    "set AWS_ROLE to the ARN of a role that does, or make this one: `cargo xtask policies` prints its \
                     trust policy and its policy, `--terraform` all of it for Terraform"
                        .to_owned(),
                )),
            })
        }
        Err(failure) => Seen::Hidden(failure),
    }
}

/// The role whose name is most like the one that is not there, if one is at all and roles may be listed.
async fn nearest(examined: &Examined<'_>, role: &RoleArn) -> Option<String> {
    /// A letter in four may be another.
    const LIKE: f64 = 0.75;
    let arns = examined.clients.iam.role_arns().await.ok()?;
    let likeness = |arn: &str| strsim::normalized_levenshtein(arn.rsplit('/').next().unwrap_or_default(), &role.name);
    let best = arns.into_iter().max_by(|one, other| likeness(one).total_cmp(&likeness(other)))?;
    (likeness(&best) >= LIKE).then_some(best)
}

/// Looks once more, as the role itself, if the caller could not.
pub(super) async fn look_again(seen: Seen, session: Option<&Session>, role: &RoleArn) -> Seen {
    let (Seen::Hidden(_) | Seen::Elsewhere, Some(session)) = (&seen, session) else { return seen };
    match session.clients.iam.entity(EntityKind::Role, &role.name).await {
        Ok(Some(entity)) => Seen::Present(entity),
        _ => seen,
    }
}

/// Whether the role exists.
pub(super) fn existence(examined: &Examined<'_>, role: &RoleArn, seen: &Seen, assumed: bool) -> Finding {
    const ID: &str = "role";
    let finding = match (seen, assumed) {
        (Seen::Present(entity), _) => Finding::pass(ID, entity.arn.clone()),
        (_, true) => {
            Finding::pass(ID, format!("{} is there, for it can be assumed; it may not be looked at", role.arn))
        }
        (Seen::Hidden(failure), false) if !is_denied(failure) => Finding::of_failure(ID, failure),
        _ => Finding::unknown(ID, format!("{} may not be looked at", role.arn)),
    };
    finding.asked(&["iam:GetRole"], &examined.caller.arn)
}

/// Works as the role, with session tags; if that is refused, finds out on which side.
pub(super) async fn assume(examined: &Examined<'_>, config: &SdkConfig, role: &RoleArn, seen: &Seen) -> Assumed {
    const ID: &str = "assume-role";
    let caller = &examined.caller;
    if is_session_of(&caller.arn, role) {
        let session = Session { clients: examined.clients.clone(), arn: caller.arn.clone() };
        return Assumed { finding: Finding::pass(ID, "the caller is a session of it already"), session: Some(session) };
    }
    let prefix = &examined.settings.base_job_prefix;
    let wanted = Wanted { verb: VERB, role: Some(role), prefix, as_caller: false, mode: examined.mode };
    let begun = match RoleSession::new(config, &caller.arn, role, wanted) {
        Ok(session) => session.begin(config.clone()).await,
        Err(failure) => return Assumed { finding: Finding::of_failure(ID, &failure), session: None },
    };
    let asked = |finding: Finding| finding.asked(&["sts:AssumeRole", "sts:TagSession"], &caller.arn);
    match begun {
        Ok((config, arn)) => {
            let session = Session { clients: Clients::new(&config, examined.mode), arn: arn.clone() };
            Assumed { finding: asked(Finding::pass(ID, arn)), session: Some(session) }
        }
        Err(Refusal { denied: true, failure, session }) => {
            let without_tags = session.begins_without_tags().await;
            let finding = diagnose(examined, role, seen, without_tags).await;
            let finding = asked(finding.said(failure.to_string()).why(WHY_ASSUME));
            Assumed { finding, session: None }
        }
        Err(Refusal { failure, .. }) => {
            Assumed { finding: asked(Finding::of_failure(ID, &failure).why(WHY_ASSUME)), session: None }
        }
    }
}

/// AWS answers the same whether the trust policy is silent or the caller lacks the permission. The policies tell which.
async fn diagnose(examined: &Examined<'_>, role: &RoleArn, seen: &Seen, without_tags: bool) -> Finding {
    const ID: &str = "assume-role";
    let caller = &examined.caller;
    if caller.arn.ends_with(":root") {
        return Finding::fail(ID, "the root user cannot assume a role")
            .repaired_by(Repair::Tell("call as an IAM user or as another role".to_owned()));
    }
    let own = own_policies(examined).await;
    let principal = own.as_ref().map_or_else(|| principal_arn(&caller.arn), |(entity, _)| entity.arn.clone());
    let documents = match examined.site.policy_settings(&principal) {
        Ok(settings) => settings.documents(&[]),
        Err(failure) => return Finding::of_failure(ID, &failure),
    };
    let what = if without_tags { "tag the session" } else { "assume the role" };
    let by_trust = |finding: Finding| finding.repaired_by(add_trust(role, &documents, "UserMayAssume"));
    let by_identity = |finding: Finding| {
        let statements = documents.identity.statements.iter().take(1).cloned().map(unnamed).collect();
        finding.repaired_by(Repair::Add { to: Target::Identity(principal.clone()), statements })
    };
    if role.account != caller.account {
        let found = format!("the role is in account {}, and does not let {principal} in", role.account);
        let finding = Finding::fail(ID, found);
        // One of the same name here is most likely the one that was meant.
        let here = examined.clients.iam.entity(EntityKind::Role, &role.name).await;
        if let Ok(Some(here)) = here {
            return finding.repaired_by(Repair::Set { variable: "AWS_ROLE", value: here.arn });
        }
        return by_identity(by_trust(finding));
    }
    let Some(trust) = seen.entity().and_then(|entity| entity.trust.as_deref()) else {
        let finding = Finding::fail(
            ID,
            format!("{principal} may not {what}; the trust policy cannot be read, so either side may be why"),
        );
        return by_identity(by_trust(finding));
    };
    let trust = match Policy::parse(trust, Kind::Trust) {
        Ok(trust) => trust,
        Err(malformed) => {
            let first = malformed.problems.first().map(ToString::to_string).unwrap_or_default();
            return by_trust(Finding::fail(ID, format!("the trust policy of {} is broken: {first}", role.arn)));
        }
    };
    let deleted = deleted_principal(&trust);
    let policies = Policies {
        resource: Some(Attached::new("trust policy", trust)),
        ..own.map_or_else(all_allowed, |(_, policies)| policies)
    };
    let (request, decision) = assume_role(&request(examined, role), &policies);
    let finding = match decision.refused_by {
        Some(Kind::Trust) => {
            let known = deleted.map(|id| format!(" (it names {id}, which was a user or role that has been deleted)"));
            let found = format!(
                "the trust policy of {} does not let {principal} {what}{}",
                role.arn,
                known.unwrap_or_default()
            );
            Finding::fail(ID, found)
        }
        Some(Kind::Identity) => Finding::fail(ID, format!("no policy of {principal} lets it {what}")),
        Some(kind) => Finding::fail(ID, format!("the {} of {principal} does not let it {what}", kind.aws_name())),
        None => Finding::fail(ID, format!("{principal} may not {what}, though the policies that can be read allow it"))
            .repaired_by(Repair::Tell(
                "look at what cannot be read from here: the organization's service control policies, the policies of \
                 the user's groups, and the policies that the caller's own session was made with"
                    .to_owned(),
            )),
    };
    match (decision.outcome, decision.refused_by) {
        (Outcome::ExplicitDeny, Some(_)) => {
            removals(role, &principal, &decision).into_iter().fold(finding, Finding::repaired_by)
        }
        (_, Some(Kind::Trust)) => by_trust(finding),
        (_, Some(Kind::Identity)) => by_identity(finding),
        (_, Some(Kind::Boundary)) => {
            let to = policies.boundary.as_ref().map_or_else(|| principal.clone(), |boundary| boundary.id.clone());
            let statement = Statement::allow([request.action]).on([role.arn.clone()]);
            finding.repaired_by(Repair::Add { to: Target::Boundary(to), statements: vec![statement] })
        }
        _ => finding,
    }
}

/// Whether SageMaker may work as the role, for this account.
pub(super) fn trust(examined: &Examined<'_>, role: &RoleArn, seen: &Seen) -> Finding {
    const ID: &str = "trust";
    const WHY: &str = "the pipeline, its jobs and the endpoint run as this role";
    let asked = |finding: Finding| finding.asked(&["iam:GetRole"], &examined.caller.arn);
    let Some(trust) = seen.entity().and_then(|entity| entity.trust.as_deref()) else {
        let finding = Finding::unknown(ID, "the trust policy may not be read");
        return asked(match seen {
            Seen::Hidden(failure) => finding.kept_by(failure),
            _ => finding,
        });
    };
    let documents = match examined.site.policy_settings(&principal_arn(&examined.caller.arn)) {
        Ok(settings) => settings.documents(&[]),
        Err(failure) => return Finding::of_failure(ID, &failure),
    };
    let repair = || add_trust(role, &documents, "SageMakerMayAssume");
    let trust = match Policy::parse(trust, Kind::Trust) {
        Ok(trust) => trust,
        Err(malformed) => {
            let first = malformed.problems.first().map(ToString::to_string).unwrap_or_default();
            return asked(
                Finding::fail(ID, format!("the trust policy is broken: {first}")).why(WHY).repaired_by(repair()),
            );
        }
    };
    // What SageMaker says of itself when it assumes the role for a job.
    let (region, account) = (&examined.site.region, &role.account);
    let job =
        format!("arn:{}:sagemaker:{region}:{account}:training-job/pipelines-0123456789ab", examined.site.partition());
    let request = Request::new(Caller::service("sagemaker.amazonaws.com"), "sts:AssumeRole", &role.arn)
        .with("aws:SourceAccount", account)
        .with("aws:SourceArn", job);
    let policies = Policies { resource: Some(Attached::new("trust policy", trust)), ..Policies::default() };
    let decision = evaluate(&request, &policies);
    let finding = match decision.outcome {
        Outcome::Allowed => return asked(Finding::pass(ID, "sagemaker.amazonaws.com may, for this account")),
        _ if !decision.missing_context.is_empty() => {
            let keys = decision.missing_context.join(", ");
            return asked(Finding::unknown(ID, format!("that depends on {keys}, which only SageMaker knows")));
        }
        _ => Finding::fail(ID, format!("the trust policy of {} does not let sagemaker.amazonaws.com in", role.arn)),
    };
    let finding = asked(finding.why(WHY));
    match decision.outcome {
        Outcome::ExplicitDeny => removals(role, &role.arn, &decision).into_iter().fold(finding, Finding::repaired_by),
        _ => finding.repaired_by(repair()),
    }
}

/// What the caller asks for when a session begins.
fn request(examined: &Examined<'_>, role: &RoleArn) -> Request {
    let arn = &examined.caller.arn;
    let caller = match role_of_session(arn) {
        Some(behind) => Caller::session(arn, behind),
        None => Caller::user(arn),
    };
    let tags = names::session_tags(&examined.settings.base_job_prefix);
    let mut request =
        Request::new(caller, "sts:AssumeRole", &role.arn).with("sts:RoleSessionName", names::session(VERB));
    request.context.set("aws:TagKeys", tags.iter().map(|(key, _)| *key));
    tags.into_iter().fold(request, |request, (key, value)| request.with(&format!("aws:RequestTag/{key}"), value))
}

/// The user, or the role of the session, that calls.
async fn own_policies(examined: &Examined<'_>) -> Option<(Entity, Policies)> {
    let arn = &examined.caller.arn;
    let (kind, name) = match role_of_session(arn) {
        Some(role) => (EntityKind::Role, role.rsplit('/').next()?.to_owned()),
        None => (EntityKind::User, arn.rsplit('/').next()?.to_owned()),
    };
    let iam = &examined.clients.iam;
    let entity = iam.entity(kind, &name).await.ok()??;
    let policies = iam.policies(&entity).await.ok()?;
    Some((entity, policies))
}

/// The ARN that policies name: of a session its role's, without the path, which the session does not tell.
fn principal_arn(caller: &str) -> String {
    role_of_session(caller).unwrap_or_else(|| caller.to_owned())
}

/// In place of policies that cannot be read: then the trust policy alone decides what is found.
fn all_allowed() -> Policies {
    let all = Policy::of(Kind::Identity, vec![Statement::allow(["*"]).on(["*"])]);
    Policies { identity: vec![Attached::new("", all)], ..Policies::default() }
}

/// IAM writes the id of a principal that was deleted in place of its name.
fn deleted_principal(trust: &Policy) -> Option<String> {
    let members = trust.statements.iter().filter_map(|statement| statement.principals.as_ref());
    let mut members = members.flat_map(|principals| &principals.members);
    members.find_map(|member| match member {
        iam_policy::document::PrincipalPattern::Aws(id) if id.starts_with("AIDA") || id.starts_with("AROA") => {
            Some(id.clone())
        }
        _ => None,
    })
}

/// The statement of our trust policy of this name, to add to the role's.
fn add_trust(role: &RoleArn, documents: &Documents, sid: &str) -> Repair {
    let ours = documents.trust.statements.iter().filter(|statement| statement.sid.as_deref() == Some(sid));
    Repair::Add { to: Target::Trust(role.arn.clone()), statements: ours.cloned().map(unnamed).collect() }
}

/// Names are unique within a policy, and the one it is added to may have it.
pub(super) fn unnamed(statement: Statement) -> Statement {
    Statement { sid: None, ..statement }
}

/// The statements to remove, where they deny.
pub(super) fn removals(role: &RoleArn, principal: &str, decision: &Decision) -> Vec<Repair> {
    let remove = |statement: &iam_policy::Matched| Repair::Remove {
        from: match statement.kind {
            Kind::Trust | Kind::Resource => Target::Trust(role.arn.clone()),
            Kind::Boundary => Target::Boundary(statement.policy.clone()),
            Kind::Scp => Target::Organization(role.account.clone()),
            Kind::Identity | Kind::Session => Target::Identity(principal.to_owned()),
        },
        statement: statement.clone(),
    };
    decision.statements.iter().map(remove).collect()
}
