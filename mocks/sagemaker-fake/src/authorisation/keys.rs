//! The condition keys of requests.

use iam_policy::Context;
use serde_json::Value;
use time::format_description::well_known::Rfc3339;

use crate::account::Caller;
use crate::iam::{Entity, Role, User};
use crate::sagemaker::tags;
use crate::store::Records;
use crate::{ApiError, Fake};

/// The keys that do not depend on what is asked for. Times go by the fake's clock, so that a policy that ends can be
/// watched ending.
pub fn of_caller(fake: &Fake, caller: &Caller, region: &str) -> Result<Context, ApiError> {
    let now = fake.clock.now();
    let mut keys = Context::new()
        // Every client is on this machine. That counts as secure: a TLS-only policy would deny everything else.
        .with("aws:SourceIp", "127.0.0.1")
        .with("aws:SecureTransport", "true")
        .with("aws:RequestedRegion", region)
        .with("aws:ViaAWSService", "false")
        .with("aws:CurrentTime", now.date().format(&Rfc3339).map_err(ApiError::internal)?)
        .with("aws:EpochTime", (now.0 / 1000).to_string());
    // The tags of a session come before those of its role.
    for (key, value) in entity(fake, &caller.arn)?.into_iter().flat_map(|entity| entity.tags) {
        keys.set(&format!("aws:PrincipalTag/{key}"), [value]);
    }
    for (key, value) in caller.session_tags() {
        keys.set(&format!("aws:PrincipalTag/{key}"), [value]);
    }
    if let Some(session) = &caller.session {
        if session.issued > 0 {
            keys.set("aws:TokenIssueTime", [session.issued.to_string()]);
        }
        if let Some(identity) = &session.source_identity {
            keys.set("aws:SourceIdentity", [identity]);
        }
    }
    Ok(keys)
}

/// Adds what follows from the resource that the request is about: its account and its tags.
pub fn of_resource(fake: &Fake, request: &mut iam_policy::Request) {
    let fields: Vec<_> = request.resource.splitn(6, ':').collect();
    let (service, account) = (fields.get(2).copied(), fields.get(4).filter(|account| !account.is_empty()));
    let account = account.map_or_else(|| fake.account().to_owned(), |account| (*account).to_owned());
    // A store that cannot be read knows no tags; the reason has been logged.
    let tags: Vec<(String, String)> = match service {
        Some("sagemaker") => {
            let found = fake.store.read(|view| tags::of(view, &request.resource)).unwrap_or_default();
            found.into_iter().map(|tag| (tag.key, tag.value)).collect()
        }
        Some("iam") => {
            entity(fake, &request.resource).ok().flatten().map_or_else(Vec::new, |it| it.tags.into_iter().collect())
        }
        _ => Vec::new(),
    };
    let own = service.filter(|service| matches!(*service, "sagemaker" | "iam")).map(str::to_owned);
    request.context.set("aws:ResourceAccount", [account]);
    for (key, value) in tags {
        for prefix in [Some("aws"), own.as_deref()].into_iter().flatten() {
            request.context.set(&format!("{prefix}:ResourceTag/{key}"), [&value]);
        }
    }
}

/// Adds the tags that a request puts on something, or takes off.
pub fn of_tags(input: &Value, context: &mut Context) {
    let tags = input["Tags"].as_array().into_iter().flatten();
    let tags: Vec<_> = tags.filter_map(|tag| Some((tag["Key"].as_str()?, tag["Value"].as_str()?))).collect();
    let removed = input["TagKeys"].as_array().into_iter().flatten().filter_map(Value::as_str);
    for (key, value) in &tags {
        context.set(&format!("aws:RequestTag/{key}"), [*value]);
    }
    let keys: Vec<_> = tags.iter().map(|(key, _)| *key).chain(removed).collect();
    if !keys.is_empty() {
        context.set("aws:TagKeys", keys);
    }
}

/// The user or role that an ARN means: its own, or that of a session.
pub fn entity(fake: &Fake, arn: &str) -> Result<Option<Entity>, ApiError> {
    let Some(resource) = arn.splitn(6, ':').nth(5) else { return Ok(None) };
    let mut parts = resource.split('/');
    let (kind, last) = (parts.next(), resource.rsplit('/').next().unwrap_or_default().to_lowercase());
    fake.store.read(|view| match kind {
        Some("role") => Ok(view.get::<Role>(&last)?.map(|role| role.entity)),
        Some("user") => Ok(view.get::<User>(&last)?.map(|user| user.entity)),
        Some("assumed-role") => {
            let role = parts.next().unwrap_or_default().to_lowercase();
            Ok(view.get::<Role>(&role)?.map(|role| role.entity))
        }
        _ => Ok(None),
    })
}
