//! Reads one statement.

use std::ops::Range;

use super::{
    Condition, Effect, Kind, Patterns, Statement,
    findings::Findings,
    principals,
    read::{at_brace, known_once, member, name_of, once, strings},
};
use crate::{
    arn,
    json::{Member, Node, Value},
    nearest::nearest,
    operator::{Operator, Test},
    problem::Rule,
    values,
};

const MEMBERS: [&str; 9] =
    ["Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"];

/// Nothing if it cannot be read; then a problem was told. `start` is where IAM's simulator says that it begins.
pub(super) fn read(node: &Node, start: usize, findings: &mut Findings<'_>) -> Option<Statement> {
    let Value::Object(members) = &node.value else {
        let message = format!("a statement must be an object, not {}", name_of(&node.value));
        findings.error(Rule::Shape, &node.span, message);
        return None;
    };
    known_once(members, &MEMBERS, findings);
    let place = at_brace(&node.span);
    let sid = sid(members, findings);
    let effect = effect(members, &place, findings);
    let principals = principals::read(members, &place, findings);
    let actions = actions(members, &place, findings);
    let resources = resources(members, &place, findings);
    let conditions = member(members, "Condition").map(|node| conditions(node, findings)).unwrap_or_default();
    Some(Statement {
        sid,
        effect: effect?,
        principals,
        actions: actions?,
        resources,
        conditions,
        start: findings.position(start),
        end: findings.position(node.span.end),
    })
}

fn sid(members: &[Member], findings: &mut Findings<'_>) -> Option<String> {
    let node = member(members, "Sid")?;
    let Value::Text(sid) = &node.value else {
        findings.error(Rule::Shape, &node.span, format!("Sid must be a string, not {}", name_of(&node.value)));
        return None;
    };
    // Resource policies of some services take more: S3 and KMS take blanks, for instance.
    let bad = sid.chars().find(|c| !c.is_ascii_alphanumeric());
    if let (Some(bad), false) = (bad, findings.kind == Kind::Resource) {
        let clean: String = sid.chars().filter(char::is_ascii_alphanumeric).collect();
        findings
            .error(Rule::Sid, &node.span, format!("a Sid has only letters and digits, and this has '{bad}'"))
            .iam("Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*")
            .suggest(format!("write \"{clean}\""));
    }
    Some(sid.clone())
}

fn effect(members: &[Member], place: &Range<usize>, findings: &mut Findings<'_>) -> Option<Effect> {
    let kind = findings.kind;
    let Some(node) = member(members, "Effect") else {
        findings
            .error(Rule::MissingMember, place, "the statement has no Effect")
            .s3(kind, "Missing required field Effect")
            .suggest("add \"Effect\": \"Allow\" or \"Effect\": \"Deny\"");
        return None;
    };
    match &node.value {
        Value::Text(effect) if effect == "Allow" => return Some(Effect::Allow),
        Value::Text(effect) if effect == "Deny" => return Some(Effect::Deny),
        Value::Text(other) => {
            let message = format!("Effect is \"Allow\" or \"Deny\", in this spelling, not \"{other}\"");
            let problem =
                findings.error(Rule::Effect, &node.span, message).s3(kind, format!("Invalid effect: {other}"));
            problem.did_you_mean(nearest(other, ["Allow", "Deny"]));
        }
        other => {
            findings.error(Rule::Effect, &node.span, format!("Effect must be a string, not {}", name_of(other)));
        }
    }
    None
}

/// `Action` or `NotAction`, `Resource` or `NotResource`: one of them, with its values.
fn either<'m>(members: &'m [Member], name: &str, not: &str, findings: &mut Findings<'_>) -> Option<(&'m Node, bool)> {
    let (plain, negated) = (member(members, name), member(members, not));
    if let (Some(_), Some(second)) = (plain, negated) {
        let message = format!("a statement has {name} or {not}, not both");
        findings.error(Rule::ProhibitedMember, &second.span, message).suggest("split it into two statements");
    }
    plain.map(|node| (node, false)).or(negated.map(|node| (node, true)))
}

fn actions(members: &[Member], place: &Range<usize>, findings: &mut Findings<'_>) -> Option<Patterns> {
    const MISSING: &str = "Policy statement must contain actions.";
    let kind = findings.kind;
    let Some((node, negated)) = either(members, "Action", "NotAction", findings) else {
        findings
            .error(Rule::MissingMember, place, "the statement has no Action")
            .iam(MISSING)
            .s3(kind, "Missing required field Action");
        return None;
    };
    let read = strings("Action", node, findings);
    if matches!(&node.value, Value::List(items) if items.is_empty()) {
        findings.error(Rule::Action, &node.span, "the list of actions is empty").iam(MISSING);
    }
    for (action, span) in &read {
        self::action(action, span, findings);
    }
    Some(Patterns { negated, patterns: read.into_iter().map(|(action, _)| action.to_owned()).collect() })
}

fn action(action: &str, span: &Range<usize>, findings: &mut Findings<'_>) {
    let kind = findings.kind;
    if action == "*" {
        return;
    }
    let mut parts = action.split(':');
    let (service, name, more) = (parts.next().unwrap_or_default(), parts.next(), parts.next());
    let problem = match name {
        None => {
            let suggestion = match action.split_once('.').or_else(|| action.split_once('/')) {
                Some((service, name)) => format!("did you mean '{service}:{name}'?"),
                None => "put the service before it: 's3:GetObject'".to_owned(),
            };
            findings
                .error(Rule::Action, span, format!("'{action}' is no action: actions are written service:Name"))
                .iam("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.")
                .suggest(suggestion)
        }
        Some(_) if more.is_some() => findings
            .error(Rule::Action, span, format!("'{action}' has more than one colon: actions are written service:Name"))
            .iam("Actions/Condition can contain only one colon."),
        Some(_)
            if service.is_empty() || !service.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.')) =>
        {
            findings
                .error(Rule::Action, span, format!("'{service}' in '{action}' is no service: it takes no wildcards"))
                .iam(format!("Vendor {service} is not valid"))
        }
        Some(name) if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '*' | '?')) => {
            findings.error(Rule::Action, span, format!("'{name}' in '{action}' is no name of an action"))
        }
        Some(_) if kind == Kind::Trust && !service.eq_ignore_ascii_case("sts") => findings
            .error(Rule::Action, span, format!("a trust policy is about actions of sts, not '{action}'"))
            .iam("AssumeRole policy may only specify STS AssumeRole actions."),
        Some(_) => return,
    };
    problem.s3(kind, "Policy has invalid action");
}

fn resources(members: &[Member], place: &Range<usize>, findings: &mut Findings<'_>) -> Option<Patterns> {
    let kind = findings.kind;
    if kind == Kind::Trust {
        for Member { name, name_span, .. } in members.iter().filter(|m| m.name == "Resource" || m.name == "NotResource")
        {
            findings
                .error(Rule::ProhibitedMember, name_span, format!("a trust policy has no {name}: it is about its role"))
                .iam("Has prohibited field Resource")
                .suggest("remove it");
        }
        return None;
    }
    const MISSING: &str = "Policy statement must contain resources.";
    let Some((node, negated)) = either(members, "Resource", "NotResource", findings) else {
        findings
            .error(Rule::MissingMember, place, "the statement has no Resource")
            .iam(MISSING)
            .s3(kind, "Missing required field Resource")
            .suggest("add \"Resource\": \"*\", or better the ARNs that are meant");
        return None;
    };
    let read = strings("Resource", node, findings);
    if matches!(&node.value, Value::List(items) if items.is_empty()) {
        findings.error(Rule::Resource, &node.span, "the list of resources is empty").iam(MISSING);
    }
    for (resource, span) in &read {
        self::resource(resource, span, findings);
    }
    Some(Patterns { negated, patterns: read.into_iter().map(|(resource, _)| resource.to_owned()).collect() })
}

fn resource(resource: &str, span: &Range<usize>, findings: &mut Findings<'_>) {
    const NO_ARN: &str = "an ARN is arn:partition:service:region:account:resource";
    let kind = findings.kind;
    if resource == "*" {
        return;
    }
    // IAM User Guide, "IAM ARNs": what is missing at the end is completed with wildcards, but not in session policies.
    let fields = resource.split(':').count();
    if matches!(kind, Kind::Identity | Kind::Boundary) && resource.starts_with("arn:") && (3..6).contains(&fields) {
        let message = format!("'{resource}' ends early: IAM completes it with wildcards");
        findings.warning(Rule::Resource, span, message).suggest(NO_ARN);
        return;
    }
    let problem = match arn::split(resource) {
        _ if !resource.contains(':') => findings
            .error(Rule::Resource, span, format!("'{resource}' is neither an ARN nor \"*\""))
            .iam(format!("Resource {resource} must be in ARN format or \"*\"."))
            .suggest(NO_ARN),
        Some(["arn", "", ..] | ["arn", _, "", ..]) | None if resource.starts_with("arn:") => findings
            .error(Rule::Resource, span, format!("'{resource}' has not the six fields of an ARN"))
            .iam("The policy failed legacy parsing")
            .suggest(NO_ARN),
        Some(["arn", partition, service, ..]) => {
            if partition != "*" && !arn::is_partition(partition) {
                let shown = resource.to_owned();
                findings
                    .error(Rule::Resource, span, format!("'{partition}' in '{resource}' is no partition"))
                    .iam(format!("Partition \"{partition}\" is not valid for resource \"{shown}\"."))
                    .did_you_mean(nearest(partition, arn::PARTITIONS))
            } else if service != "*" && service.contains(['*', '?']) {
                findings
                    .error(Rule::Resource, span, format!("'{service}' in '{resource}': the service takes no wildcards"))
                    .iam("Resource vendor must be fully qualified and cannot contain regexes.")
            } else {
                return;
            }
        }
        _ => findings
            .error(Rule::Resource, span, format!("'{resource}' is no ARN: it does not begin with arn:"))
            .suggest(NO_ARN),
    };
    problem.s3(kind, "Policy has invalid resource");
}

fn conditions(node: &Node, findings: &mut Findings<'_>) -> Vec<Condition> {
    let Value::Object(operators) = &node.value else {
        let message = format!("Condition must be an object of operators, not {}", name_of(&node.value));
        findings.error(Rule::Shape, &node.span, message);
        return Vec::new();
    };
    let mut read = Vec::new();
    once(operators, findings);
    for Member { name, name_span, value } in operators {
        let operator = Operator::parse(name);
        if let Err(meant) = &operator {
            findings
                .error(Rule::Operator, name_span, format!("'{name}' is no condition operator"))
                .did_you_mean(meant.as_deref());
        }
        let Value::Object(keys) = &value.value else {
            let message = format!("'{name}' must be an object of condition keys, not {}", name_of(&value.value));
            findings.error(Rule::Shape, &value.span, message);
            continue;
        };
        once(keys, findings);
        for Member { name: key, name_span, value } in keys {
            if !key.contains(':') {
                findings
                    .error(Rule::Condition, name_span, format!("'{key}' is no condition key"))
                    .iam("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.")
                    .suggest("keys are written service:Name or aws:Name");
            }
            let values = condition_values(operator.as_ref().ok().copied(), value, findings);
            if let Ok(operator) = &operator {
                read.push(Condition { operator: *operator, key: key.clone(), values });
            }
        }
    }
    read
}

fn condition_values(operator: Option<Operator>, node: &Node, findings: &mut Findings<'_>) -> Vec<String> {
    let items = match &node.value {
        Value::List(items) => items.as_slice(),
        _ => std::slice::from_ref(node),
    };
    let mut read = Vec::new();
    for item in items {
        let text = match &item.value {
            Value::Text(text) | Value::Number(text) => text.clone(),
            Value::Bool(value) => value.to_string(),
            other => {
                let message =
                    format!("a condition's value must be a string, number or boolean, not {}", name_of(other));
                findings.error(Rule::Shape, &item.span, message);
                continue;
            }
        };
        let expected = operator.and_then(|operator| expected(operator.test, &text));
        if let Some(expected) = expected {
            findings.error(Rule::Condition, &item.span, format!("'{text}' is not {expected}"));
        }
        read.push(text);
    }
    read
}

/// What the operator compares with, if this is something else.
fn expected(test: Test, text: &str) -> Option<&'static str> {
    // What has a variable in it is known only when there is a request.
    if text.contains("${") {
        return None;
    }
    let (fits, expected) = match test {
        Test::Numeric(_) => (values::number(text).is_some(), "a number"),
        Test::Date(_) => (values::date(text).is_some(), "a date: ISO 8601 or seconds since 1970"),
        Test::Bool | Test::Null => (values::boolean(text).is_some(), "true or false"),
        Test::IpAddress => (values::block(text).is_some(), "an IP address or CIDR block"),
        Test::StringEquals | Test::StringEqualsIgnoreCase | Test::StringLike | Test::BinaryEquals | Test::Arn => {
            return None;
        }
    };
    (!fits).then_some(expected)
}
