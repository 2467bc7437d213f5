//! IAM: what is written about a role or a user, and what IAM's simulator says of it. Nothing here changes anything.

use std::collections::BTreeMap;

use aws_config::SdkConfig;
use iam_policy::{Attached, Kind, Outcome, Policies, Policy};
use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::Mode;
use super::errors::describe;
use super::signed::{self, Form, members};
use crate::error::Failure;

const API: &str = "2010-05-08";

/// IAM.
#[derive(Debug, Clone)]
pub struct Client(signed::Client);

/// A role, or a user, as IAM describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entity {
    /// Role or user.
    pub kind: EntityKind,
    /// Without its path.
    pub name: String,
    /// With its path.
    pub arn: String,
    /// The trust policy of a role, as text.
    pub trust: Option<String>,
    /// The ARN of the permissions boundary.
    pub boundary: Option<String>,
}

/// What has policies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntityKind {
    /// A role.
    Role,
    /// A user.
    User,
}

impl EntityKind {
    fn name(self) -> &'static str {
        match self {
            Self::Role => "Role",
            Self::User => "User",
        }
    }
}

/// What is asked of the simulator: some actions, on each of some resources.
#[derive(Debug, Clone)]
pub struct Simulation<'a> {
    /// The ARN of a role or user.
    pub source: &'a str,
    /// The actions.
    pub actions: Vec<&'a str>,
    /// ARNs, or `*`.
    pub resources: Vec<&'a str>,
    /// Condition keys with their values.
    pub context: &'a BTreeMap<String, Vec<String>>,
}

/// What the simulator says of one action on one resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Simulated {
    /// The action.
    pub action: String,
    /// The resource.
    pub resource: String,
    /// Allowed or not.
    pub outcome: Outcome,
    /// Whether the organisation lets it through; nothing where there is none.
    pub by_organization: Option<bool>,
    /// Whether the permissions boundary lets it through; nothing where there is none.
    pub by_boundary: Option<bool>,
    /// Condition keys that policies look at and that were not given.
    pub missing: Vec<String>,
}

impl Client {
    pub(super) fn new(config: &SdkConfig, mode: Mode) -> Self {
        let region = config.region().map_or("us-east-1", AsRef::as_ref);
        let (host, signed_for) = match region {
            _ if region.starts_with("cn-") => ("iam.cn-north-1.amazonaws.com.cn", "cn-north-1"),
            _ if region.starts_with("us-gov-") => ("iam.us-gov.amazonaws.com", "us-gov-west-1"),
            _ => ("iam.amazonaws.com", "us-east-1"),
        };
        Self(signed::Client::new(config, "IAM", "iam", mode).at(host, signed_for))
    }

    /// The role or user of this name; nothing if there is none.
    ///
    /// # Errors
    /// When the call is refused for another reason.
    pub async fn entity(&self, kind: EntityKind, name: &str) -> Result<Option<Entity>, Failure> {
        let call = format!("Get{}", kind.name());
        let answer = match self.ask(&call, kind, name, &[]).await {
            Err(failure) if failure.aws_code() == Some("NoSuchEntity") => return Ok(None),
            answer => answer?,
        };
        let found = &answer[kind.name()];
        Ok(Some(Entity {
            kind,
            name: name.to_owned(),
            arn: text(found, "Arn"),
            trust: found["AssumeRolePolicyDocument"].as_str().map(decode),
            boundary: found["PermissionsBoundary"]["PermissionsBoundaryArn"].as_str().map(str::to_owned),
        }))
    }

    /// The ARNs of all roles of the account.
    ///
    /// # Errors
    /// When the call is refused.
    pub async fn role_arns(&self) -> Result<Vec<String>, Failure> {
        let mut arns = Vec::new();
        let mut form = Form::new();
        loop {
            let answer = self.call("ListRoles", &form).await?;
            arns.extend(list(&answer["Roles"]).iter().map(|role| text(role, "Arn")));
            match next_page(&answer) {
                Some(marker) => form = vec![("Marker".to_owned(), marker)],
                None => return Ok(arns),
            }
        }
    }

    /// All policies that IAM tells about it: attached and inline ones, the boundary, the trust policy. Those of a user's
    /// groups and of the organisation are not among them.
    ///
    /// # Errors
    /// When one of them may not be read.
    pub async fn policies(&self, of: &Entity) -> Result<Policies, Failure> {
        let (attached, inline) = tokio::try_join!(self.attached(of), self.inline(of))?;
        let boundary = match &of.boundary {
            Some(arn) => Some(self.managed(arn, Kind::Boundary).await?),
            None => None,
        };
        let trust = of.trust.as_deref().map(|text| Attached::new("trust policy", parse(text, Kind::Trust)));
        let identity = attached.into_iter().chain(inline).collect();
        Ok(Policies { identity, boundary, resource: trust, ..Policies::default() })
    }

    async fn attached(&self, of: &Entity) -> Result<Vec<Attached>, Failure> {
        let call = format!("ListAttached{}Policies", of.kind.name());
        let listed = self.pages(&call, of, "AttachedPolicies").await?;
        let arns = listed.iter().filter_map(|policy| policy["PolicyArn"].as_str());
        let mut policies = Vec::new();
        for arn in arns {
            policies.push(self.managed(arn, Kind::Identity).await?);
        }
        Ok(policies)
    }

    async fn inline(&self, of: &Entity) -> Result<Vec<Attached>, Failure> {
        let names = self.pages(&format!("List{}Policies", of.kind.name()), of, "PolicyNames").await?;
        let mut policies = Vec::new();
        for name in names.iter().filter_map(Value::as_str) {
            let which = [("PolicyName".to_owned(), name.to_owned())];
            let answer = self.ask(&format!("Get{}Policy", of.kind.name()), of.kind, &of.name, &which).await?;
            let document = decode(answer["PolicyDocument"].as_str().unwrap_or_default());
            policies.push(Attached::new(name, parse(&document, Kind::Identity)));
        }
        Ok(policies)
    }

    /// A managed policy as it is in force.
    async fn managed(&self, arn: &str, kind: Kind) -> Result<Attached, Failure> {
        let mut form: Form = vec![("PolicyArn".to_owned(), arn.to_owned())];
        let policy = self.call("GetPolicy", &form).await?;
        form.push(("VersionId".to_owned(), text(&policy["Policy"], "DefaultVersionId")));
        let version = self.call("GetPolicyVersion", &form).await?;
        let document = decode(version["PolicyVersion"]["Document"].as_str().unwrap_or_default());
        Ok(Attached::new(arn, parse(&document, kind)))
    }

    /// Asks the simulator: one answer for each action and resource.
    ///
    /// # Errors
    /// When the call is refused.
    pub async fn simulate(&self, simulation: &Simulation<'_>) -> Result<Vec<Simulated>, Failure> {
        let Simulation { source, actions, resources, context } = simulation;
        let mut form: Form = vec![("PolicySourceArn".to_owned(), (*source).to_owned())];
        form.extend(members("ActionNames", actions.iter().copied()));
        form.extend(members("ResourceArns", resources.iter().copied()));
        for (at, (key, values)) in context.iter().enumerate() {
            let entry = format!("ContextEntries.member.{}", at + 1);
            form.push((format!("{entry}.ContextKeyName"), key.clone()));
            form.push((format!("{entry}.ContextKeyType"), context_type(key).to_owned()));
            form.extend(members(&format!("{entry}.ContextKeyValues"), values.iter().map(String::as_str)));
        }
        let mut answers = Vec::new();
        let mut marker = None::<String>;
        loop {
            let mut page = form.clone();
            page.extend(marker.map(|marker| ("Marker".to_owned(), marker)));
            let answer = self.call("SimulatePrincipalPolicy", &page).await?;
            for result in list(&answer["EvaluationResults"]) {
                answers.extend(resources.iter().map(|resource| simulated(result, resource)));
            }
            marker = next_page(&answer);
            if marker.is_none() {
                return Ok(answers);
            }
        }
    }

    async fn pages(&self, call: &str, of: &Entity, of_member: &str) -> Result<Vec<Value>, Failure> {
        let mut all = Vec::new();
        let mut marker = None::<String>;
        loop {
            let further: Form = marker.map(|marker| ("Marker".to_owned(), marker)).into_iter().collect();
            let answer = self.ask(call, of.kind, &of.name, &further).await?;
            all.extend(list(&answer[of_member]).iter().cloned());
            marker = next_page(&answer);
            if marker.is_none() {
                return Ok(all);
            }
        }
    }

    /// A call about one role or user.
    async fn ask(
        &self,
        call: &str,
        kind: EntityKind,
        name: &str,
        further: &[(String, String)],
    ) -> Result<Value, Failure> {
        let mut form: Form = vec![(format!("{}Name", kind.name()), name.to_owned())];
        form.extend_from_slice(further);
        self.call(call, &form).await
    }

    async fn call(&self, call: &str, form: &Form) -> Result<Value, Failure> {
        self.0.ask(API, call, form).await.map_err(|error| describe(call, error))
    }
}

/// What a result says of one of the resources. Since 2026 there is one result for each action, and it holds one for each
/// resource; before, and where no resource was named, it stands for itself.
fn simulated(result: &Value, resource: &str) -> Simulated {
    let of_resource = list(&result["ResourceSpecificResults"]).iter().find(|it| it["EvalResourceName"] == *resource);
    let (found, decision) = match of_resource {
        Some(found) => (found, &found["EvalResourceDecision"]),
        None => (result, &result["EvalDecision"]),
    };
    let flag = |of: &Value, detail: &str, member: &str| of[detail][member].as_str().map(|text| text == "true");
    let boundary = |of| flag(of, "PermissionsBoundaryDecisionDetail", "AllowedByPermissionsBoundary");
    Simulated {
        action: text(result, "EvalActionName"),
        resource: resource.to_owned(),
        outcome: match decision.as_str() {
            Some("allowed") => Outcome::Allowed,
            Some("explicitDeny") => Outcome::ExplicitDeny,
            _ => Outcome::ImplicitDeny,
        },
        by_organization: flag(result, "OrganizationsDecisionDetail", "AllowedByOrganizations"),
        by_boundary: boundary(found).or_else(|| boundary(result)),
        missing: list(&found["MissingContextValues"]).iter().filter_map(Value::as_str).map(str::to_owned).collect(),
    }
}

/// The type of a condition key's value, as the simulator wants it named.
fn context_type(key: &str) -> &'static str {
    match key {
        "aws:SecureTransport" => "boolean",
        "aws:TagKeys" | "sagemaker:InstanceTypes" => "stringList",
        _ => "string",
    }
}

/// IAM hands documents out percent-encoded.
fn decode(document: &str) -> String {
    percent_decode_str(document).decode_utf8_lossy().into_owned()
}

/// IAM keeps no document that it cannot read; one that only we cannot read grants nothing here.
fn parse(document: &str, kind: Kind) -> Policy {
    Policy::parse_kept(document, kind).unwrap_or_else(|_| Policy::of(kind, Vec::new()))
}

fn next_page(answer: &Value) -> Option<String> {
    (answer["IsTruncated"] == "true").then(|| answer["Marker"].as_str().map(str::to_owned)).flatten()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value, member: &str) -> String {
    value[member].as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_resource_has_its_own_answer() {
        let result = json!({
            "EvalActionName": "s3:GetObject", "EvalDecision": "implicitDeny",
            "OrganizationsDecisionDetail": {"AllowedByOrganizations": "true"},
            "ResourceSpecificResults": [
                {"EvalResourceName": "arn:aws:s3:::a/1", "EvalResourceDecision": "allowed", "MissingContextValues": ""},
                {"EvalResourceName": "arn:aws:s3:::b/1", "EvalResourceDecision": "implicitDeny",
                 "PermissionsBoundaryDecisionDetail": {"AllowedByPermissionsBoundary": "false"},
                 "MissingContextValues": ["aws:SourceIp"]},
            ],
        });
        let check = |resource: &str, outcome, by_boundary, missing: &[&str]| {
            let found = simulated(&result, resource);
            assert_eq!((found.outcome, found.by_boundary, found.by_organization), (outcome, by_boundary, Some(true)));
            assert_eq!(found.missing, missing);
        };
        check("arn:aws:s3:::a/1", Outcome::Allowed, None, &[]);
        check("arn:aws:s3:::b/1", Outcome::ImplicitDeny, Some(false), &["aws:SourceIp"]);
        check("*", Outcome::ImplicitDeny, None, &[]);
    }

    #[test]
    fn documents_are_decoded() {
        assert_eq!(decode("%7B%22a%22%3A%20%22b%2Bc%22%7D"), r#"{"a": "b+c"}"#);
    }
}
