//! `policies`: the documents that a caller and the execution role need for these settings; and whether one of yours is as
//! good. Nobody is asked, nothing is changed.

use std::fmt;
use std::path::Path;

use iam_policy::document::{Kind, Patterns, PrincipalPattern, check};
use iam_policy::generate::{Documents, Feature, Settings, Terraform};
use iam_policy::problem::{Position, Severity};
use iam_policy::simulate::{Simulation, simulate};
use iam_policy::{Attached, Caller, Context, Outcome, Policies, Policy, Problem, Request, Statement, evaluate};
use sagemaker_fake::account::Scenario;
use serde::Serialize;
use serde_json::{Value, json};

use crate::aws::Place;
use crate::cli::{self, Document};
use crate::error::Failure;
use crate::output::{Output, many};
use crate::site::Site;

/// Prints the documents, or what is wrong with a file.
///
/// # Errors
/// When it is not known who calls or which role it is, the file cannot be read, or it is not good enough.
pub fn run(site: &Site, place: &Place, output: &Output, arguments: &cli::Policies) -> Result<(), Failure> {
    let settings = site.policy_settings(&caller(place, arguments.caller.as_deref())?)?;
    let documents = settings.documents(&Feature::ALL);
    match &arguments.check {
        Some(file) => look(output, file, arguments.document, &settings, &documents),
        None if arguments.terraform => output.line(Terraform(&settings, &documents)),
        None => output.print(Printed(&settings, &documents), &values(&documents)?),
    }
}

/// Who works with the role. Only the fake knows without being asked.
fn caller(place: &Place, given: Option<&str>) -> Result<String, Failure> {
    if let Some(arn) = given {
        let is_entity = arn.contains(":iam::") && (arn.contains(":user/") || arn.contains(":role/"));
        return if is_entity { Ok(arn.to_owned()) } else { Err(no_entity(arn)) };
    }
    let Place::Offline { scenario, .. } = place else {
        return Err(Failure::usage("whose policies? the trust policy names who works with the role")
            .hint("--caller arn:aws:iam::ACCOUNT:user/NAME; `aws sts get-caller-identity` says who you are"));
    };
    let scenario = Scenario::named(scenario).map_err(Failure::usage)?;
    let user = scenario.users.first().ok_or_else(|| Failure::operation("the scenario has no user"))?;
    Ok(format!("arn:aws:iam::{}:user{}{}", scenario.account, user.path, user.name))
}

fn no_entity(arn: &str) -> Failure {
    Failure::usage(format!("{arn} is not the ARN of a user or a role")).hint(
        "like arn:aws:iam::111122223333:user/NAME; of a session, take the role: arn:aws:iam::111122223333:role/NAME",
    )
}

/// The three, each under what it is for.
struct Printed<'a>(&'a Settings, &'a Documents);

impl fmt::Display for Printed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(settings, Documents { identity, trust, role }) = self;
        let (caller, arn) = (&settings.caller, settings.role_arn());
        writeln!(f, "# for {caller}\n{}\n", identity.to_text().trim_end())?;
        writeln!(f, "# the trust policy of {arn}\n{}\n", trust.to_text().trim_end())?;
        write!(f, "# the policy of {arn}\n{}", role.to_text().trim_end())
    }
}

fn values(documents: &Documents) -> Result<Value, Failure> {
    let value = |policy: &Policy| serde_json::from_str::<Value>(&policy.to_text());
    let all = || {
        Ok(json!({
            "identity": value(&documents.identity)?, "trust": value(&documents.trust)?, "role": value(&documents.role)?,
        }))
    };
    all().map_err(|error: serde_json::Error| Failure::operation("our own policy is no JSON").because(error))
}

fn look(
    output: &Output,
    file: &Path,
    document: Option<Document>,
    settings: &Settings,
    documents: &Documents,
) -> Result<(), Failure> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| Failure::usage(format!("{} cannot be read", file.display())).because(error))?;
    let (kind, wanted) = match document.unwrap_or_else(|| likeliest(&text)) {
        Document::Identity => (Kind::Identity, &documents.identity),
        Document::Trust => (Kind::Trust, &documents.trust),
        Document::Role => (Kind::Identity, &documents.role),
    };
    let (policy, problems) = check(&text, kind);
    let lacking = policy.map(|policy| lacking(&policy, wanted, settings)).unwrap_or_default();
    let report = Report { file: file.display().to_string(), text, problems, lacking };
    output.print(&report, &report)?;
    match (errors(&report.problems), report.lacking.len()) {
        (0, 0) => Ok(()),
        (0, _) => Err(Failure::operation(format!("{} does not allow all that is needed", report.file))
            .hint("cargo xtask policies prints the statements")),
        _ => Err(Failure::operation(format!("{} is no policy that AWS accepts", report.file))),
    }
}

/// What a text is least wrong as. Of a caller's and a role's policy, which look alike, the role's.
fn likeliest(text: &str) -> Document {
    let errors = |kind| errors(&check(text, kind).1);
    if errors(Kind::Trust) < errors(Kind::Identity) { Document::Trust } else { Document::Role }
}

fn errors(problems: &[Problem]) -> usize {
    problems.iter().filter(|problem| problem.severity == Severity::Error).count()
}

/// A permission that a policy should give and does not.
#[derive(Debug, Serialize)]
struct Lacking {
    /// Whom a trust policy should name; other policies name nobody.
    #[serde(skip_serializing_if = "Option::is_none")]
    who: Option<String>,
    action: String,
    resource: String,
}

/// What the wanted policy allows and the other does not, each with a resource for which that is so.
fn lacking(policy: &Policy, wanted: &Policy, settings: &Settings) -> Vec<Lacking> {
    // Whoever is let in by a trust policy asks for the role itself.
    let role = Patterns::of([settings.role_arn()]);
    let mut lacking = Vec::new();
    for statement in &wanted.statements {
        let allows =
            |action: &str, resource: &str| allows(policy, statement, who(statement, settings), action, resource);
        let resources = &statement.resources.as_ref().unwrap_or(&role).patterns;
        for action in &statement.actions.patterns {
            let refused = resources.iter().find(|resource| !allows(action, resource));
            let named = statement.principals.is_some().then(|| who(statement, settings).name().to_owned());
            let (who, action) = (named, action.clone());
            lacking.extend(refused.map(|resource| Lacking { who, action, resource: resource.clone() }));
        }
    }
    lacking
}

/// Whether a policy alone allows an action, asked for as the wanted statement allows it.
fn allows(policy: &Policy, wanted: &Statement, caller: Caller, action: &str, resource: &str) -> bool {
    let one = Attached::new("the file", policy.clone());
    // Where any name will do, one that nothing has.
    let resource = if resource == "*" { resource.to_owned() } else { resource.replace('*', "anything") };
    let context = wanted.conditions.iter().filter_map(|condition| Some((&condition.key, condition.values.first()?)));
    if policy.kind == Kind::Trust {
        let request = Request::new(caller, action, resource);
        let request = context.fold(request, |request, (key, value)| request.with(key, value));
        return evaluate(&request, &Policies { resource: Some(one), ..Policies::default() }).is_allowed();
    }
    // What the trust policy of a role would say has no part in this.
    let mut simulation = Simulation {
        caller,
        policies: Policies { identity: vec![one], ..Policies::default() },
        actions: vec![action.to_owned()],
        resources: vec![resource],
        resource_owner: None,
        context: Context::new(),
    };
    context.for_each(|(key, value)| simulation.context.set(key, [value]));
    simulate(&simulation).is_ok_and(|results| results.iter().all(|result| result.eval_decision == Outcome::Allowed))
}

/// Who does what a statement allows.
fn who(statement: &Statement, settings: &Settings) -> Caller {
    let named = statement.principals.as_ref().and_then(|principals| principals.members.first());
    match named {
        Some(PrincipalPattern::Service(name)) => Caller::service(name),
        _ if settings.caller.contains(":role/") => Caller::role(&settings.caller),
        _ => Caller::user(&settings.caller),
    }
}

/// What is wrong with a file.
#[derive(Debug, Serialize)]
struct Report {
    file: String,
    #[serde(skip)]
    text: String,
    problems: Vec<Problem>,
    lacking: Vec<Lacking>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, text, problems, lacking } = self;
        for problem in problems {
            let Problem { rule, severity, position: Position { line, column }, message, .. } = problem;
            writeln!(f, "{file}:{line}:{column}: {severity}[{}]: {message}\n{}", rule.id(), problem.excerpt(text))?;
            let gutter = " ".repeat(line.to_string().len());
            for further in
                problem.suggestion.iter().cloned().chain(problem.aws.iter().map(|it| format!("AWS says {it}")))
            {
                writeln!(f, "{gutter} = {further}")?;
            }
            writeln!(f)?;
        }
        for Lacking { who, action, resource } in lacking {
            let who = who.as_ref().map(|who| format!("{who} ")).unwrap_or_default();
            writeln!(f, "does not allow {who}{action} on {resource}")?;
        }
        let (problems, lacking) = (problems.len(), lacking.len());
        match (problems, lacking) {
            (0, 0) => write!(f, "{file}: nothing found"),
            (_, 0) => write!(f, "{file}: {}", many(problems, "problem")),
            _ => write!(f, "{file}: {}, {} not allowed", many(problems, "problem"), many(lacking, "action")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site() -> Site {
        let settings = crate::settings::Settings::resolve(&crate::settings::Sources::default()).unwrap();
        Site::new(&settings, "111122223333", Some("arn:aws:iam::111122223333:role/sts-execution"))
    }

    fn ours() -> (Settings, Documents) {
        let settings = site().policy_settings("arn:aws:iam::111122223333:user/sts-developer").unwrap();
        let documents = settings.documents(&Feature::ALL);
        (settings, documents)
    }

    #[test]
    fn what_is_printed_is_what_the_readme_prints() {
        let readme = include_str!("../../../../README.md");
        let (_, documents) = ours();
        for policy in [&documents.identity, &documents.trust, &documents.role] {
            let printed: Value = serde_json::from_str(&policy.to_text()).unwrap();
            let blocks = readme.split("```json").skip(1).filter_map(|rest| rest.split("```").next());
            assert!(
                blocks.into_iter().any(|block| serde_json::from_str::<Value>(block).unwrap() == printed),
                "{printed:#}"
            );
        }
    }

    #[test]
    fn our_own_documents_lack_nothing_and_others_what_was_taken_away() {
        let (settings, Documents { identity, trust, role }) = ours();
        for policy in [&identity, &trust, &role] {
            let lacking = lacking(policy, policy, &settings);
            assert!(lacking.is_empty(), "{lacking:?}");
        }
        #[track_caller]
        fn check(mut policy: Policy, wanted: &Policy, settings: &Settings, sid: &str, expected: &[&str]) {
            policy.statements.retain(|statement| statement.sid.as_deref() != Some(sid));
            let lacking = lacking(&policy, wanted, settings);
            assert_eq!(lacking.iter().map(|it| it.action.as_str()).collect::<Vec<_>>(), expected);
        }
        check(identity.clone(), &identity, &settings, "AssumeExecutionRole", &["sts:AssumeRole", "sts:TagSession"]);
        check(role.clone(), &role, &settings, "PassItselfToSageMaker", &["iam:PassRole"]);
        check(trust.clone(), &trust, &settings, "SageMakerMayAssume", &["sts:AssumeRole"]);
        check(trust.clone(), &trust, &settings, "UserMayAssume", &["sts:AssumeRole", "sts:TagSession"]);
    }

    #[test]
    fn a_file_is_read_as_what_it_is_least_wrong_as() {
        let (_, Documents { identity, trust, role }) = ours();
        let comma = trust.to_text().replacen("\"sts:TagSession\"", "\"sts:TagSession\",", 1);
        for text in [trust.to_text(), comma] {
            assert_eq!(likeliest(&text), Document::Trust, "{text}");
        }
        for text in [identity.to_text(), role.to_text(), "nothing".to_owned()] {
            assert_eq!(likeliest(&text), Document::Role, "{text}");
        }
    }
}
