//! Reads `Principal` and `NotPrincipal`.

use std::ops::Range;

use super::{
    Kind, PrincipalPattern, Principals,
    findings::Findings,
    read::{member, name_of, once, strings},
};
use crate::{
    arn,
    json::{Member, Node, Value},
    nearest::nearest,
    problem::Rule,
};

const KINDS: [&str; 4] = ["AWS", "Service", "Federated", "CanonicalUser"];

pub(super) fn read(members: &[Member], place: &Range<usize>, findings: &mut Findings<'_>) -> Option<Principals> {
    let kind = findings.kind;
    if !kind.has_principals() {
        for Member { name, name_span, .. } in
            members.iter().filter(|m| m.name == "Principal" || m.name == "NotPrincipal")
        {
            let message = format!("a policy of this kind has no {name}: it is about whom it is attached to");
            findings
                .error(Rule::ProhibitedMember, name_span, message)
                .iam("Policy document should not specify a principal.")
                .suggest("remove it, or attach the policy to a resource or as a role's trust policy");
        }
        return None;
    }
    let (plain, not) = (member(members, "Principal"), member(members, "NotPrincipal"));
    if let (Some(_), Some(second)) = (plain, not) {
        let message = "a statement has Principal or NotPrincipal, not both";
        findings.error(Rule::ProhibitedMember, &second.span, message);
    }
    if let Some(node) = not {
        not_principal(node, members, findings);
    }
    let Some(node) = plain.or(not) else {
        findings
            .error(Rule::MissingMember, place, "the statement has no Principal")
            .iam("AssumeRolepolicy must contain a principal")
            .s3(kind, "Missing required field Principal")
            .suggest("say who is meant: \"Principal\": {\"AWS\": \"arn:aws:iam::111122223333:user/name\"}");
        return None;
    };
    Some(Principals { negated: plain.is_none(), members: principals(node, findings) })
}

/// "NotPrincipal" in the IAM User Guide: not in trust policies, and beside `Deny` alone.
fn not_principal(node: &Node, members: &[Member], findings: &mut Findings<'_>) {
    let effect = member(members, "Effect").map(|effect| &effect.value);
    if findings.kind == Kind::Trust {
        findings
            .error(Rule::ProhibitedMember, &node.span, "a trust policy has no NotPrincipal")
            .suggest("name who may assume the role, and nobody else can");
    } else if matches!(effect, Some(Value::Text(effect)) if effect == "Allow") {
        let message = "with Allow, NotPrincipal lets in everyone else, people without credentials too";
        findings.warning(Rule::Principal, &node.span, message).suggest("name in Principal who is meant");
    }
}

fn principals(node: &Node, findings: &mut Findings<'_>) -> Vec<PrincipalPattern> {
    let kind = findings.kind;
    let kinds = match &node.value {
        Value::Object(kinds) => kinds,
        Value::Text(text) if text == "*" && kind == Kind::Trust => {
            findings
                .error(Rule::Principal, &node.span, "a trust policy takes no bare \"*\" as Principal")
                .iam("AssumeRolepolicy contained an invalid principal: \"STAR\":\"*\".")
                .suggest("write {\"AWS\": \"*\"}, if really everyone may assume the role");
            return vec![PrincipalPattern::Everyone];
        }
        Value::Text(text) if text == "*" => return vec![PrincipalPattern::Everyone],
        other => {
            let message = format!("Principal must be \"*\" or an object of kinds, not {}", name_of(other));
            let problem = findings.error(Rule::Principal, &node.span, message).s3(kind, "Invalid principal in policy");
            if let Value::Text(text) = other {
                let guess = if text.ends_with(".amazonaws.com") { "Service" } else { "AWS" };
                problem.suggest(format!("write {{\"{guess}\": \"{text}\"}}"));
            }
            return Vec::new();
        }
    };
    if kinds.is_empty() {
        findings.error(Rule::Principal, &node.span, "Principal is empty: it names nobody");
    }
    let mut read = Vec::new();
    once(kinds, findings);
    for Member { name, name_span, value } in kinds {
        if !KINDS.contains(&name.as_str()) {
            findings
                .error(Rule::Principal, name_span, format!("'{name}' is no kind of principal"))
                .s3(kind, "Invalid principal in policy")
                .did_you_mean(nearest(name, KINDS));
        }
        for (text, span) in strings("a principal", value, findings) {
            read.extend(principal(name, text, span, findings));
        }
    }
    read
}

fn principal(name: &str, text: &str, span: &Range<usize>, findings: &mut Findings<'_>) -> Option<PrincipalPattern> {
    let kind = findings.kind;
    let is_id = |text: &str| text.len() >= 16 && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
    let read = match name {
        "Service" => return Some(PrincipalPattern::Service(text.to_owned())),
        "Federated" => return Some(PrincipalPattern::Federated(text.to_owned())),
        "CanonicalUser" => return Some(PrincipalPattern::CanonicalUser(text.to_owned())),
        "AWS" if text == "*" => return Some(PrincipalPattern::Everyone),
        "AWS" => match arn::split(text) {
            _ if arn::is_account(text) => Some(PrincipalPattern::Account(text.to_owned())),
            Some(["arn", _, "iam", "", account, "root"]) => Some(PrincipalPattern::Account(account.to_owned())),
            Some(["arn", _, "iam" | "sts", "", account, _])
                if arn::is_account(account) && !text.contains(['*', '?']) =>
            {
                Some(PrincipalPattern::Aws(text.to_owned()))
            }
            None if is_id(text) && (text.starts_with("AIDA") || text.starts_with("AROA")) => {
                let message =
                    format!("'{text}' is what is left of a principal that was deleted: it matches nobody new");
                findings
                    .warning(Rule::Principal, span, message)
                    .suggest("write the ARN of the principal that is meant");
                return Some(PrincipalPattern::Aws(text.to_owned()));
            }
            _ => None,
        },
        _ => return None,
    };
    if read.is_none() {
        let wildcard = text.contains(['*', '?']);
        let message = match wildcard {
            true => format!("'{text}': a principal takes no wildcards, but for \"*\" alone"),
            false => format!("'{text}' is no principal: neither account, nor ARN of a user, role or session"),
        };
        let problem = findings
            .error(Rule::Principal, span, message)
            .iam(format!("Invalid principal in policy: \"AWS\":\"{text}\""))
            .s3(kind, "Invalid principal in policy");
        if wildcard {
            problem.suggest("name \"*\" or the account, and compare aws:PrincipalArn in a condition with ArnLike");
        } else if text.ends_with(".amazonaws.com") {
            problem.suggest(format!("write {{\"Service\": \"{text}\"}}"));
        }
    }
    read
}
