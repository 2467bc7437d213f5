//! The documents as Terraform: data sources, which `terraform plan` compares by meaning, and the resources that use them.

use std::fmt;

use super::{Documents, Settings};
use crate::{
    arn,
    document::{Condition, Effect, Patterns, Policy, Statement, write::parts},
};

/// Prints the documents, and the role that has them, as a Terraform file for the AWS provider.
#[derive(Debug, Clone, Copy)]
pub struct Terraform<'d>(pub &'d Settings, pub &'d Documents);

impl fmt::Display for Terraform<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(settings, documents) = self;
        document(f, "trust", &documents.trust)?;
        document(f, "execution", &documents.role)?;
        document(f, "caller", &documents.identity)?;
        let role = settings.role.trim_start_matches('/');
        let (path, name) = role.rsplit_once('/').map_or(("", role), |(path, name)| (path, name));
        writeln!(f, "resource \"aws_iam_role\" \"execution\" {{")?;
        if path.is_empty() {
            writeln!(f, "  name               = {}", text(name))?;
        } else {
            writeln!(f, "  name               = {}", text(name))?;
            writeln!(f, "  path               = {}", text(&format!("/{path}/")))?;
        }
        writeln!(f, "  assume_role_policy = data.aws_iam_policy_document.trust.json\n}}\n")?;
        writeln!(f, "resource \"aws_iam_role_policy\" \"execution\" {{")?;
        writeln!(f, "  name   = {}", text(name))?;
        writeln!(f, "  role   = aws_iam_role.execution.id")?;
        writeln!(f, "  policy = data.aws_iam_policy_document.execution.json\n}}")?;
        let Some((kind, caller)) = caller(&settings.caller) else { return Ok(()) };
        writeln!(f, "\nresource \"aws_iam_{kind}_policy\" \"caller\" {{")?;
        writeln!(f, "  name   = {}", text(&format!("assume-{name}")))?;
        writeln!(f, "  {kind}   = {}", text(caller))?;
        writeln!(f, "  policy = data.aws_iam_policy_document.caller.json\n}}")
    }
}

/// What an inline policy is attached to: the kind, and the name without its path.
fn caller(caller: &str) -> Option<(&'static str, &str)> {
    let fields = arn::split(caller).filter(|fields| fields[2] == "iam")?;
    let (kind, path) = fields[5].split_once('/')?;
    let kind = ["user", "role"].into_iter().find(|known| *known == kind)?;
    Some((kind, path.rsplit_once('/').map_or(path, |(_, name)| name)))
}

fn document(f: &mut fmt::Formatter<'_>, name: &str, policy: &Policy) -> fmt::Result {
    writeln!(f, "data \"aws_iam_policy_document\" \"{name}\" {{")?;
    for (at, statement) in policy.statements.iter().enumerate() {
        if at > 0 {
            writeln!(f)?;
        }
        self::statement(f, statement)?;
    }
    writeln!(f, "}}\n")
}

fn statement(f: &mut fmt::Formatter<'_>, statement: &Statement) -> fmt::Result {
    writeln!(f, "  statement {{")?;
    // As `terraform fmt` does, the equals signs of neighbouring lines stand below each other.
    let not = |patterns: &Patterns| if patterns.negated { "not_" } else { "" };
    let single = |patterns: &Patterns| patterns.patterns.len() == 1;
    let actions = (format!("{}actions", not(&statement.actions)), &statement.actions);
    let resources = statement.resources.as_ref().map(|resources| (format!("{}resources", not(resources)), resources));
    let lists: Vec<_> = std::iter::once(actions).chain(resources).collect();
    let mut names: Vec<&str> = Vec::new();
    names.extend(statement.sid.as_ref().map(|_| "sid"));
    names.push("effect");
    // A list of several lines ends the run of lines that are aligned.
    names.extend(lists.iter().take_while(|(_, patterns)| single(patterns)).map(|(name, _)| name.as_str()));
    let width = names.iter().map(|name| name.len()).max().unwrap_or_default();
    if let Some(sid) = &statement.sid {
        writeln!(f, "    {:width$} = {}", "sid", text(sid))?;
    }
    let effect = match statement.effect {
        Effect::Allow => "Allow",
        Effect::Deny => "Deny",
    };
    writeln!(f, "    {:width$} = \"{effect}\"", "effect")?;
    let mut aligned = true;
    for (name, patterns) in &lists {
        aligned &= single(patterns);
        let width = if aligned { width } else { 0 };
        list(f, name, width, &patterns.patterns, 4)?;
    }
    if let Some(principals) = &statement.principals {
        let block = if principals.negated { "not_principals" } else { "principals" };
        for principal in &principals.members {
            let (kind, who) = parts(principal);
            writeln!(f, "\n    {block} {{\n      type        = \"{kind}\"")?;
            writeln!(f, "      identifiers = [{}]\n    }}", text(who))?;
        }
    }
    for Condition { operator, key, values } in &statement.conditions {
        writeln!(f, "\n    condition {{\n      test     = \"{operator}\"\n      variable = {}", text(key))?;
        list(f, "values", "variable".len(), values, 6)?;
        writeln!(f, "    }}")?;
    }
    writeln!(f, "  }}")
}

fn list(f: &mut fmt::Formatter<'_>, name: &str, width: usize, values: &[String], indent: usize) -> fmt::Result {
    let blank = " ".repeat(indent);
    match values {
        [one] => writeln!(f, "{blank}{name:width$} = [{}]", text(one)),
        values => {
            writeln!(f, "{blank}{name:width$} = [")?;
            for value in values {
                writeln!(f, "{blank}  {},", text(value))?;
            }
            writeln!(f, "{blank}]")
        }
    }
}

/// A string of HCL. `${` and `%{` would begin a template; policy variables are written `&{...}` in this data source.
fn text(value: &str) -> String {
    let quoted = serde_json::Value::from(value).to_string();
    quoted.replace("${", "&{").replace("%{", "%%{")
}
