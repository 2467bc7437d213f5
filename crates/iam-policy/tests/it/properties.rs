//! What holds for all policies and requests.

use iam_policy::{Attached, Caller, Kind, Policies, Policy, Request, document::Effect, evaluate, repair::repairs};
use proptest::prelude::*;

use crate::fixtures::*;

fn one_of(words: &'static [&'static str]) -> impl Strategy<Value = String> {
    prop::sample::select(words).prop_map(str::to_owned)
}

/// A statement that has often to do with the requests below.
fn statement(kind: Kind) -> impl Strategy<Value = String> {
    let effect = one_of(&["Allow", "Allow", "Deny"]);
    let actions = one_of(&[
        r#""Action": "*""#,
        r#""Action": ["s3:Get*", "s3:PutObject"]"#,
        r#""Action": "s3:PutObject""#,
        r#""NotAction": "s3:Get*""#,
    ]);
    let resources = one_of(&[
        r#""Resource": "*""#,
        r#""Resource": "arn:aws:s3:::data/*""#,
        r#""Resource": "arn:aws:s3:::data/${aws:username}/*""#,
        r#""NotResource": "arn:aws:s3:::data/ann/*""#,
    ]);
    let conditions = one_of(&[
        "",
        "",
        r#", "Condition": {"StringEquals": {"a:b": "x"}}"#,
        r#", "Condition": {"StringNotLike": {"a:b": "x*"}}"#,
        r#", "Condition": {"ForAllValues:StringEquals": {"a:b": ["x", "y"]}}"#,
        r#", "Condition": {"Null": {"a:b": "true"}}"#,
    ]);
    let principals = one_of(&[
        r#", "Principal": "*""#,
        r#", "Principal": {"AWS": "111122223333"}"#,
        r#", "Principal": {"AWS": "arn:aws:iam::111122223333:user/ann"}"#,
        r#", "NotPrincipal": {"AWS": ["arn:aws:iam::111122223333:user/ann", "arn:aws:iam::111122223333:root"]}"#,
        r#", "Principal": {"AWS": "arn:aws:iam::111122223333:role/service-role/work", "Service": "sagemaker.amazonaws.com"}"#,
    ]);
    (effect, actions, resources, conditions, principals).prop_map(
        move |(effect, actions, resources, conditions, principals)| {
            let principals = if kind == Kind::Resource { principals } else { String::new() };
            format!(r#"{{"Effect": "{effect}", {actions}, {resources}{conditions}{principals}}}"#)
        },
    )
}

fn attached(kind: Kind) -> impl Strategy<Value = Attached> {
    prop::collection::vec(statement(kind), 1..4).prop_map(move |statements| policy(kind, &statements.join(", ")))
}

fn policies() -> impl Strategy<Value = Policies> {
    let identity = prop::collection::vec(attached(Kind::Identity), 0..3);
    let session = prop::collection::vec(attached(Kind::Session), 0..2);
    let scps = prop::collection::vec(prop::collection::vec(attached(Kind::Scp), 1..3), 0..3);
    let (boundary, resource) = (prop::option::of(attached(Kind::Boundary)), prop::option::of(attached(Kind::Resource)));
    (identity, boundary, session, scps, resource).prop_map(|(identity, boundary, session, scps, resource)| Policies {
        identity,
        boundary,
        session,
        scps,
        resource,
    })
}

fn request() -> impl Strategy<Value = Request> {
    let callers =
        vec![user(), session(), Caller::root(ROOT), Caller::user(STRANGER), Caller::service("sagemaker.amazonaws.com")];
    let caller = prop::sample::select(callers);
    let action = one_of(&["s3:GetObject", "s3:PutObject", "s3:DeleteObject"]);
    let resource = one_of(&["arn:aws:s3:::data/ann/x", "arn:aws:s3:::data/x", "arn:aws:s3:::other"]);
    let value = prop::option::of(one_of(&["x", "xy", "z"]));
    (caller, action, resource, value).prop_map(|(caller, action, resource, value)| {
        let request = Request { resource_account: Some(ACCOUNT.to_owned()), ..Request::new(caller, action, resource) };
        match value {
            Some(value) => request.with("a:b", value),
            None => request,
        }
    })
}

/// All documents in which a statement may be added or removed.
fn documents(policies: &mut Policies) -> Vec<&mut Policy> {
    let lists = policies.identity.iter_mut().chain(&mut policies.session).chain(policies.scps.iter_mut().flatten());
    lists.chain(&mut policies.boundary).chain(&mut policies.resource).map(|attached| &mut attached.policy).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn a_deny_more_never_widens(policies in policies(), request in request(), at in any::<prop::sample::Index>(),
        denied in attached(Kind::Identity)) {
        let mut more = policies.clone();
        let mut documents = documents(&mut more);
        prop_assume!(!documents.is_empty());
        let document = at.get_mut(&mut documents);
        let mut statement = denied.policy.statements[0].clone();
        statement.effect = Effect::Deny;
        if document.kind == Kind::Resource {
            statement.principals = document.statements[0].principals.clone();
        }
        document.statements.push(statement);
        prop_assert!(evaluate(&request, &policies).is_allowed() || !evaluate(&request, &more).is_allowed());
    }

    #[test]
    fn an_allow_less_never_widens(policies in policies(), request in request(), at in any::<prop::sample::Index>()) {
        let mut less = policies.clone();
        let mut documents = documents(&mut less);
        prop_assume!(!documents.is_empty());
        let statements = &mut at.get_mut(&mut documents).statements;
        if let Some(allow) = statements.iter().position(|statement| statement.effect == Effect::Allow) {
            statements.remove(allow);
        }
        prop_assert!(evaluate(&request, &policies).is_allowed() || !evaluate(&request, &less).is_allowed());
    }

    #[test]
    fn order_does_not_matter(policies in policies(), request in request()) {
        let mut other = policies.clone();
        other.identity.reverse();
        other.session.reverse();
        other.scps.reverse();
        documents(&mut other).into_iter().for_each(|document| document.statements.reverse());
        let (one, two) = (evaluate(&request, &policies), evaluate(&request, &other));
        prop_assert_eq!((one.outcome, one.refused_by, one.statements.len()), (two.outcome, two.refused_by, two.statements.len()));
    }

    // Each change has its reason, so that there are never more than statements and kinds of policies.
    #[test]
    fn repairs_come_to_an_end_and_none_is_needed_where_nothing_refuses(policies in policies(), request in request()) {
        let repairs = repairs(&request, &policies);
        prop_assert_eq!(repairs.is_empty(), evaluate(&request, &policies).is_allowed());
        let statements: usize = documents(&mut policies.clone()).iter().map(|document| document.statements.len()).sum();
        prop_assert!(repairs.len() <= statements + policies.scps.len() + 4);
    }

    #[test]
    fn whatever_is_asked_for_there_is_a_repair(caller in "[a-z:/$*{}]{0,12}", action in "[a-z:$*?{}]{0,8}", end in "[a-z:/$*?{}é]{0,12}") {
        for resource in [end.clone(), format!("arn:aws:s3:::{end}"), format!("arn:aws:iam::111122223333:role/{end}")] {
            for caller in [Caller::user(USER), Caller::user(&*caller), Caller::service(&*caller), Caller::anonymous()] {
                let request = Request::new(caller, &*action, resource.clone());
                prop_assert!(repairs(&request, &Policies::default()).len() <= 2);
            }
        }
    }

    #[test]
    fn every_refusal_has_its_sentence_and_every_decision_its_explanation(policies in policies(), request in request()) {
        let decision = evaluate(&request, &policies);
        prop_assert_eq!(decision.message(&request).is_none(), decision.is_allowed());
        prop_assert!(!decision.explanation().is_empty());
    }
}

proptest! {
    #[test]
    fn what_is_written_reads_back(attached in attached(Kind::Resource)) {
        let text = attached.policy.to_text();
        let read = Policy::parse(&text, Kind::Resource).unwrap();
        prop_assert_eq!(serde_json::json!(read), serde_json::json!(attached.policy));
        prop_assert_eq!(read.statements.len(), attached.policy.statements.len());
        let same = |a: &Policy, b: &Policy| a.statements.iter().zip(&b.statements).all(|(a, b)| {
            (&a.principals, &a.actions, &a.resources, &a.conditions, a.effect) == (&b.principals, &b.actions, &b.resources, &b.conditions, b.effect)
        });
        prop_assert!(same(&read, &attached.policy));
    }
}
