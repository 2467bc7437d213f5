//! The steps: names, types, retry policies, caches.

use serde_json::Number;

use super::{Context, Findings, Rule, parameters::is_name};
use crate::{
    StepType,
    definition::{CacheConfig, PlacedStep, RetryPolicy, expire_after},
};

pub(super) fn check(context: &Context<'_>, findings: &mut Findings) {
    for (at, placed) in context.steps.iter().enumerate() {
        let PlacedStep { step, pointer, .. } = placed;
        name(context, at, placed, findings);
        if let StepType::Other(kind) = &step.kind
            && !OTHER_TYPES.contains(&kind.as_str())
        {
            let known = crate::definition::step_type_names().chain(OTHER_TYPES);
            let meant = findings.nearest(kind, known);
            let message = format!("the step type '{kind}' is not known");
            findings.add(Rule::StepType, format!("{pointer}/Type"), message).did_you_mean(meant);
        }
        for (i, policy) in step.retry_policies.iter().enumerate() {
            retry_policy(policy, &format!("{pointer}/RetryPolicies/{i}"), findings);
        }
        if let Some(CacheConfig { expire_after: Some(text), .. }) = &step.cache_config
            && expire_after(text).is_none()
        {
            findings
                .add(
                    Rule::CacheConfig,
                    format!("{pointer}/CacheConfig/ExpireAfter"),
                    format!("'{text}' is no ISO 8601 duration"),
                )
                .suggest("write for example P30D or PT12H");
        }
    }
}

/// Types that SageMaker has and this crate has no more to say about.
const OTHER_TYPES: [&str; 5] = ["Endpoint", "EndpointConfig", "InferenceComponent", "Lineage", "EMRServerless"];

fn name(context: &Context<'_>, at: usize, placed: &PlacedStep<'_>, findings: &mut Findings) {
    let name = &placed.step.name;
    let pointer = format!("{}/Name", placed.pointer);
    if !(1..=64).contains(&name.len()) || !name.bytes().all(is_name) {
        let message = format!("'{name}' is no name of a step: 1 to 64 letters, digits, '-' and '_'");
        findings.add(Rule::Name, &pointer, message);
    }
    let first = context.by_name[name.as_str()];
    if first != at {
        let message = format!("there is a step '{name}' at {} already", context.steps[first].pointer);
        findings
            .add(Rule::DuplicateStep, pointer, message)
            .suggest("names are unique in the whole pipeline, branches included");
    }
}

fn retry_policy(policy: &RetryPolicy, pointer: &str, findings: &mut Findings) {
    if policy.max_attempts.is_some() && policy.expire_after_min.is_some() {
        findings
            .add(Rule::RetryPolicy, pointer, "MaxAttempts and ExpireAfterMin exclude each other")
            .suggest("keep one of them");
    }
    let bounds = [
        ("IntervalSeconds", &policy.interval_seconds, 0.0, 43_200.0),
        ("BackoffRate", &policy.backoff_rate, 0.0, f64::MAX),
        ("MaxAttempts", &policy.max_attempts, 1.0, 20.0),
        ("ExpireAfterMin", &policy.expire_after_min, 0.0, 14_400.0),
    ];
    for (member, number, least, most) in bounds {
        let Some(number) = number else { continue };
        let whole = member == "BackoffRate" || number.is_i64() || number.is_u64();
        let inside = number.as_f64().is_some_and(|number| (least..=most).contains(&number));
        if !whole || !inside {
            out_of_bounds(member, number, least, most, pointer, findings);
        }
    }
    // A lone string counts as a list of one; see the definition.
    let lone = policy.other.contains_key("ExceptionType");
    for (i, exception) in policy.exception_types.iter().enumerate() {
        if !EXCEPTIONS.contains(&exception.as_str()) {
            let meant = findings.nearest(exception, EXCEPTIONS);
            let place = if lone { String::new() } else { format!("/{i}") };
            findings
                .add(
                    Rule::RetryPolicy,
                    format!("{pointer}/ExceptionType{place}"),
                    format!("there is no exception type '{exception}'"),
                )
                .did_you_mean(meant);
        }
    }
    if policy.exception_types.is_empty() {
        findings
            .add(Rule::RetryPolicy, pointer, "the policy retries nothing: it has no ExceptionType")
            .suggest(format!("the types are {}", EXCEPTIONS.join(", ")));
    }
}

const EXCEPTIONS: [&str; 6] = [
    "Step.SERVICE_FAULT",
    "Step.THROTTLING",
    "SageMaker.JOB_INTERNAL_ERROR",
    "SageMaker.CAPACITY_ERROR",
    "SageMaker.RESOURCE_LIMIT",
    "Emr.RESOURCE_LIMIT",
];

fn out_of_bounds(member: &str, number: &Number, least: f64, most: f64, pointer: &str, findings: &mut Findings) {
    let bounds = match member {
        "BackoffRate" => "a number that is not negative".to_owned(),
        _ => format!("a whole number from {least} to {most}"),
    };
    let message = format!("{member} is {number}; it has to be {bounds}");
    findings.add(Rule::RetryPolicy, format!("{pointer}/{member}"), message);
}
