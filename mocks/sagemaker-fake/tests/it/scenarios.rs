//! What each scenario refuses, and that it refuses nothing else: by our own evaluation of the account's policies, and by
//! the fake's simulator, which must agree.

use std::collections::{BTreeMap, BTreeSet};

use iam_policy::generate::{Feature, Need, Settings};
use iam_policy::{Caller, Decision, Kind, Outcome, Policies, Request, assume_role, evaluate};
use sagemaker_fake::Fake;
use sagemaker_fake::account::{self, ClientCredentials, Scenario, SessionContext};
use sagemaker_fake::authorisation::principal;
use sagemaker_fake::fake::Context;
use sagemaker_fake::iam::{self, Role};
use sagemaker_fake::protocol::{CredentialFault, caller};
use sagemaker_fake::store::Records;
use serde_json::{Value, json};

const USER: &str = "arn:aws:iam::111122223333:user/sts-developer";
const ROLE: &str = "arn:aws:iam::111122223333:role/sts-execution";
const ACCOUNT: &str = "111122223333";

/// What a scenario refuses. All else is allowed.
struct Refuses {
    /// The action with which the user does not get into the role, and the kind of policy that is why.
    user: Option<(&'static str, Kind)>,
    /// Whether SageMaker may not work as the role.
    sagemaker: bool,
    /// Of what the role needs: statements of its policy by their names, actions, and services as `sagemaker:`; and by what.
    role: (&'static [&'static str], Outcome, Kind),
    /// Whether the user may not look into IAM.
    looks: bool,
}

const NOTHING: Refuses =
    Refuses { user: None, sagemaker: false, role: (&[], Outcome::Allowed, Kind::Identity), looks: false };

fn lacks(what: &'static [&'static str]) -> Refuses {
    Refuses { role: (what, Outcome::ImplicitDeny, Kind::Identity), ..NOTHING }
}

fn locked_out(action: &'static str, by: Kind) -> Refuses {
    Refuses { user: Some((action, by)), ..NOTHING }
}

fn of(scenario: &str) -> Refuses {
    match scenario {
        "no-assume-role" => locked_out("sts:AssumeRole", Kind::Identity),
        // Nobody knows such a role, and so it lets nobody in.
        "role-missing" | "role-in-other-account" | "trust-without-user" => locked_out("sts:AssumeRole", Kind::Trust),
        "trust-without-tag-session" => locked_out("sts:TagSession", Kind::Trust),
        "trust-without-sagemaker" | "trust-wrong-source-account" => Refuses { sagemaker: true, ..NOTHING },
        "missing-pass-role" => lacks(&["iam:PassRole"]),
        "missing-s3" => lacks(&["Objects"]),
        "missing-training" => lacks(&["Training"]),
        "missing-deploy" => lacks(&["Deployment"]),
        "missing-monitoring" => lacks(&["Monitoring"]),
        "missing-logs" => lacks(&["Logs", "cloudwatch:PutMetricData"]),
        "boundary-blocks" => Refuses { role: (&["sagemaker:"], Outcome::ImplicitDeny, Kind::Boundary), ..NOTHING },
        "explicit-deny" => {
            Refuses { role: (&["sagemaker:CreateTrainingJob"], Outcome::ExplicitDeny, Kind::Identity), ..NOTHING }
        }
        "scp-denies" => {
            let endpoints = &["sagemaker:CreateEndpoint", "sagemaker:UpdateEndpoint"];
            Refuses { role: (endpoints, Outcome::ExplicitDeny, Kind::Scp), ..NOTHING }
        }
        "cannot-simulate" => Refuses { looks: true, ..NOTHING },
        // What is wrong there is no policy.
        "ready"
        | "fresh-account"
        | "no-credentials"
        | "expired-token"
        | "wrong-secret"
        | "clock-skew"
        | "bucket-squatted"
        | "bucket-in-other-region"
        | "quota-zero"
        | "endpoint-left-running" => NOTHING,
        other => panic!("what does {other} refuse?"),
    }
}

#[tokio::test]
async fn a_scenario_refuses_what_its_name_says_and_allows_the_rest() {
    for name in Scenario::names() {
        let fake = Fake::builder().scenario(Scenario::named(name).unwrap()).build().unwrap();
        let expected = of(name);
        let (user, own) = policies_of(&fake, user(&fake));
        assert_eq!(refused(assumed(&fake, &user, &own)), expected.user, "{name}");
        assert_eq!(!sagemaker_may(&fake), expected.sagemaker, "{name}");
        for (action, resource) in LOOKS {
            let looks = evaluate(&Request::new(user.clone(), *action, *resource), &own);
            let hidden = expected.looks && action.starts_with("iam:");
            assert_eq!(looks.is_allowed(), !hidden, "{name}: {action} on {resource}: {}", looks.explanation());
        }
        role_may(name, &fake, &expected);
    }
}

/// What the doctor asks as the user.
const LOOKS: &[(&str, &str)] = &[
    ("iam:GetRole", ROLE),
    ("iam:ListAttachedRolePolicies", ROLE),
    ("iam:ListRolePolicies", ROLE),
    ("iam:GetRolePolicy", ROLE),
    ("iam:SimulatePrincipalPolicy", ROLE),
    ("iam:GetUser", USER),
    ("iam:ListAttachedUserPolicies", USER),
    ("iam:ListUserPolicies", USER),
    ("iam:GetUserPolicy", USER),
    ("iam:GetPolicy", "arn:aws:iam::111122223333:policy/team-boundary"),
    ("iam:GetPolicyVersion", "arn:aws:iam::aws:policy/AmazonSageMakerFullAccess"),
    ("servicequotas:GetServiceQuota", "*"),
    ("servicequotas:GetAWSDefaultServiceQuota", "*"),
];

fn user(fake: &Fake) -> account::Caller {
    caller(fake, Some(&fake.scenario().users[0].access_key_id), None).unwrap()
}

fn policies_of(fake: &Fake, caller: account::Caller) -> (Caller, Policies) {
    fake.store.read(|view| principal::of_caller(fake, view, &caller)).unwrap()
}

/// What comes of the user's wish to work as the role that it is told to.
fn assumed(fake: &Fake, user: &Caller, own: &Policies) -> (Request, Decision) {
    let arn = fake.scenario().client_role().unwrap();
    let role = fake.store.read(|view| iam::role_by_arn(view, &arn)).unwrap();
    let request = Request::new(user.clone(), "sts:AssumeRole", arn).with("aws:RequestTag/Project", "sts");
    assume_role(&request, &Policies { resource: role.as_ref().and_then(principal::trust_of), ..own.clone() })
}

fn refused((request, decision): (Request, Decision)) -> Option<(&'static str, Kind)> {
    let actions = ["sts:AssumeRole", "sts:TagSession"];
    decision.refused_by.map(|kind| (*actions.iter().find(|action| **action == request.action).unwrap(), kind))
}

fn sagemaker_may(fake: &Fake) -> bool {
    let role = fake.store.read(|view| view.get::<Role>("sts-execution")).unwrap().unwrap();
    let request = Request::new(Caller::service("sagemaker.amazonaws.com"), "sts:AssumeRole", ROLE);
    let policies = Policies { resource: principal::trust_of(&role), ..Policies::default() };
    evaluate(&request.with("aws:SourceAccount", ACCOUNT), &policies).is_allowed()
}

/// Checks every need of the role, as a session of it and as the simulator sees it.
fn role_may(name: &str, fake: &Fake, expected: &Refuses) {
    let settings = Settings::new(ACCOUNT, "eu-west-1", USER, "sts-execution");
    let needs = settings.needs(&Feature::ALL);
    let simulated = simulated(fake, &needs);
    let (session, policies) = policies_of(fake, session(fake));
    let (what, outcome, by) = &expected.role;
    let mut met = Vec::new();
    for need in &needs {
        let is_meant = |item: &&&str| {
            [need.sid, need.action].contains(*item) || (item.ends_with(':') && need.action.starts_with(**item))
        };
        let meant = what.iter().find(is_meant);
        met.extend(meant);
        let expected = meant.map_or((Outcome::Allowed, None), |_| (*outcome, Some(*by)));
        let told = simulated[&(need.sid, need.action, need.resource.as_str())];
        assert_eq!(told, expected.0, "{name}: the simulator on {need:?}");
        // AWS's own repository lets in whom it will.
        if need.resource.contains(":468650794304:") {
            continue;
        }
        let mut request = Request::new(session.clone(), need.action, &need.resource);
        for (key, value) in &need.context {
            request.context.set(key, [value]);
        }
        let decision = evaluate(&request, &policies);
        let found = (decision.outcome, decision.refused_by);
        assert_eq!(found, expected, "{name}: {need:?}: {}", decision.explanation());
    }
    assert!(what.iter().all(|item| met.contains(&item)), "{name}: only {met:?} of {what:?} are ever needed");
}

fn session(fake: &Fake) -> account::Caller {
    let role = fake.store.read(|view| view.get::<Role>("sts-execution")).unwrap().unwrap();
    account::Caller {
        arn: format!("arn:aws:sts::{ACCOUNT}:assumed-role/sts-execution/me"),
        user_id: format!("{}:me", role.id),
        account: ACCOUNT.to_owned(),
        session: Some(SessionContext::default()),
    }
}

/// What SimulatePrincipalPolicy says of each need, by statement, action and resource.
fn simulated<'n>(fake: &Fake, needs: &'n [Need]) -> BTreeMap<(&'n str, &'n str, &'n str), Outcome> {
    // Who may always look.
    let arn = format!("arn:aws:iam::{ACCOUNT}:root");
    let root = account::Caller { arn, user_id: ACCOUNT.to_owned(), account: ACCOUNT.to_owned(), session: None };
    let context = Context::new(fake, &root, "eu-west-1");
    let mut by_statement: BTreeMap<&str, Vec<&Need>> = BTreeMap::new();
    for need in needs {
        by_statement.entry(need.sid).or_default().push(need);
    }
    let mut answers = BTreeMap::new();
    for (sid, needs) in by_statement {
        let keys: Vec<_> = needs[0].context.iter().map(|(key, value)| entry(key, value)).collect();
        let actions: BTreeSet<_> = needs.iter().map(|need| need.action).collect();
        let resources: BTreeSet<_> = needs.iter().map(|need| need.resource.as_str()).collect();
        let input =
            json!({"PolicySourceArn": ROLE, "ActionNames": actions, "ResourceArns": resources, "ContextEntries": keys});
        let answer = iam::call(&context, "SimulatePrincipalPolicy", &input).unwrap();
        for need in needs {
            let mut results = answer["EvaluationResults"].as_array().unwrap().iter();
            let result = results.find(|result| result["EvalActionName"] == need.action).unwrap();
            let on = result["ResourceSpecificResults"]
                .as_array()
                .and_then(|results| results.iter().find(|result| result["EvalResourceName"] == *need.resource));
            let decision = on.map_or(&result["EvalDecision"], |result| &result["EvalResourceDecision"]);
            let outcome = match decision.as_str() {
                Some("allowed") => Outcome::Allowed,
                Some("explicitDeny") => Outcome::ExplicitDeny,
                Some("implicitDeny") => Outcome::ImplicitDeny,
                other => panic!("{other:?}"),
            };
            answers.insert((sid, need.action, need.resource.as_str()), outcome);
        }
    }
    answers
}

fn entry(key: &str, value: &str) -> Value {
    json!({"ContextKeyName": key, "ContextKeyType": "string", "ContextKeyValues": [value]})
}

#[tokio::test]
async fn a_client_holds_what_its_scenario_says() {
    for name in Scenario::names() {
        let fake = Fake::builder().scenario(Scenario::named(name).unwrap()).build().unwrap();
        let scenario = &fake.scenario();
        let keys = scenario.client_keys();
        let who = keys.as_ref().map(|keys| caller(&fake, Some(&keys.access_key_id), keys.session_token.as_deref()));
        let right = keys.as_ref().is_some_and(|keys| keys.secret_access_key == scenario.users[0].secret_access_key);
        match scenario.client.credentials {
            ClientCredentials::None => assert_eq!((name, keys), ("no-credentials", None)),
            ClientCredentials::ExpiredSession => {
                assert_eq!((name, who), ("expired-token", Some(Err(CredentialFault::Expired))));
            }
            ClientCredentials::WrongSecret => {
                assert_eq!((name, right), ("wrong-secret", false));
                assert_eq!(who.unwrap().unwrap().arn, USER);
            }
            ClientCredentials::Own => {
                assert!(right, "{name}");
                assert_eq!(who.unwrap().unwrap().arn, USER, "{name}");
            }
        }
        assert_eq!(scenario.client.clock_skew != 0, name == "clock-skew", "{name}");
        let own_role = scenario.client_role().unwrap() == ROLE;
        assert_eq!(!own_role, name.starts_with("role-"), "{name}: {:?}", scenario.client_role());
    }
}

#[test]
fn a_scenario_differs_from_ready_in_one_thing_and_enforces_iam() {
    // All but whether IAM is enforced.
    let parts = |scenario: Scenario| {
        let Scenario {
            account,
            users,
            roles,
            policies,
            service_control_policies,
            buckets,
            endpoints,
            quotas,
            client,
            name: _,
            enforce_iam: _,
            faults,
        } = scenario;
        let identities = [format!("{account:?}"), format!("{users:?}"), format!("{roles:?}")];
        let documents = [format!("{policies:?}"), format!("{service_control_policies:?}"), format!("{client:?}")];
        let resources = [format!("{buckets:?}"), format!("{endpoints:?}"), format!("{quotas:?}")];
        [identities.to_vec(), documents.to_vec(), resources.to_vec(), vec![format!("{faults:?}")]].concat()
    };
    let ready = parts(Scenario::ready());
    for name in Scenario::names() {
        let scenario = Scenario::named(name).unwrap();
        let enforced = scenario.enforce_iam;
        let differing = parts(scenario).iter().zip(&ready).filter(|(one, other)| one != other).count();
        let expected = match name {
            "ready" => 0,
            // A trust policy that names the account, and a user without a policy; a role that has a boundary, and the policy;
            // a client that names another role, and a user who may look for it.
            "no-assume-role" | "boundary-blocks" | "role-missing" => 2,
            _ => 1,
        };
        assert_eq!((differing, enforced), (expected, name != "ready"), "{name}");
    }
}
