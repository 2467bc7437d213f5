//! AWS's mapping of operations to actions and resources: `mocks/api/actions.toml`.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::Value;

use crate::fake::Context;

/// Read when it is first asked for: a fake that enforces nothing never does.
static TABLE: LazyLock<Table> = LazyLock::new(|| {
    toml::from_str(include_str!("../../../api/actions.toml")).expect("a test reads the table of actions")
});

#[derive(Deserialize)]
struct Table {
    s3: S3,
    #[serde(flatten)]
    services: BTreeMap<String, Actions>,
}

/// The operations of a service, by the name that signatures carry.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Actions {
    /// How its actions begin, without the colon.
    pub prefix: String,
    /// How the ARNs of its resources begin.
    #[serde(default)]
    arn: String,
    /// Whether it writes names in lower case when it asks IAM.
    #[serde(default)]
    lower_case: bool,
    /// The members that hand a role to it.
    #[serde(default)]
    passes: Vec<String>,
    /// Condition keys, and the members that they come from.
    #[serde(default)]
    keys: BTreeMap<String, Vec<String>>,
    operations: BTreeMap<String, Resources>,
}

/// What S3 asks for, per operation.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct S3 {
    bucket: BTreeMap<String, String>,
    object: BTreeMap<String, String>,
    other: BTreeMap<String, String>,
}

/// What an operation of S3 is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum S3Resource {
    Bucket,
    Object,
    Other,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Resources {
    One(String),
    All(Vec<String>),
}

/// The table of a service.
pub(super) fn actions(service: &str) -> Option<&'static Actions> {
    TABLE.services.get(service)
}

/// The action of an operation of S3, without its prefix, and what it is about.
pub(super) fn s3_action(operation: &str) -> Option<(&'static str, S3Resource)> {
    let S3 { bucket, object, other } = &TABLE.s3;
    let places = [(bucket, S3Resource::Bucket), (object, S3Resource::Object), (other, S3Resource::Other)];
    places.into_iter().find_map(|(place, resource)| Some((place.get(operation)?.as_str(), resource)))
}

impl Actions {
    /// The ARNs that an operation is about; nothing if the table does not know it.
    pub(super) fn resources(&self, context: &Context<'_>, operation: &str, input: &Value) -> Option<Vec<String>> {
        let templates = match self.operations.get(operation)? {
            Resources::One(template) => std::slice::from_ref(template),
            Resources::All(templates) => templates,
        };
        Some(templates.iter().flat_map(|template| self.filled(context, template, input)).collect())
    }

    /// The first form of the template whose members the request has, once for each value of a list.
    fn filled(&self, context: &Context<'_>, template: &str, input: &Value) -> Vec<String> {
        let arn = self.arn.replace("{region}", context.region).replace("{account}", context.fake.account());
        let mut filled = template.split('|').map(|form| match form {
            "*" => vec!["*".to_owned()],
            // Who names no user means themself.
            "{caller}" => vec![context.caller.arn.clone()],
            form => fill(&arn, form, input, self.lower_case),
        });
        // A request that lacks what its resource is called by is refused as invalid by whoever carries it out.
        filled.find(|arns| !arns.is_empty()).unwrap_or_else(|| vec!["*".to_owned()])
    }

    /// The roles that a request hands to the service.
    pub(super) fn passed_roles<'a>(&self, input: &'a Value) -> Vec<&'a str> {
        self.passes.iter().flat_map(|path| values(input, path)).filter_map(Value::as_str).collect()
    }

    /// The condition keys that the request gives values to.
    pub(super) fn keys(&self, input: &Value) -> impl Iterator<Item = (&str, Vec<String>)> {
        self.keys.iter().map(|(key, paths)| {
            let given = paths.iter().flat_map(|path| values(input, path));
            (key.as_str(), given.filter_map(written).collect::<Vec<_>>())
        })
    }
}

/// The values at a path of members, through all items of any list on the way.
fn values<'a>(input: &'a Value, path: &str) -> Vec<&'a Value> {
    let start = vec![input];
    path.split('.').fold(start, |values, member| {
        let found = values.into_iter().filter_map(|value| value.get(member));
        found.flat_map(|value| value.as_array().map_or_else(|| vec![value], |list| list.iter().collect())).collect()
    })
}

/// A scalar as a condition compares it.
fn written(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(yes) => Some(yes.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// One form of a template below `arn`: nothing if the request lacks one of its members.
fn fill(arn: &str, form: &str, input: &Value, lower_case: bool) -> Vec<String> {
    let mut filled = vec![String::new()];
    let mut rest = form;
    while let Some((before, member, after)) = next_member(rest) {
        let mut given: Vec<_> = values(input, member).into_iter().filter_map(Value::as_str).collect();
        // IAM's paths are the root if nothing is said.
        if given.is_empty() && member.starts_with("Path") {
            given.push("/");
        }
        let given: Vec<_> = given.into_iter().map(|value| cased(value, lower_case)).collect();
        let longer = filled.iter().flat_map(|start| given.iter().map(move |value| join(start, before, value)));
        filled = longer.collect();
        rest = after;
    }
    filled.iter_mut().for_each(|start| start.push_str(rest));
    filled.into_iter().map(|text| if text.starts_with("arn:") { text } else { format!("{arn}{text}") }).collect()
}

/// A name as the service writes it. An ARN is taken to the letter, as refusals that people report show.
fn cased(value: &str, lower_case: bool) -> Cow<'_, str> {
    if lower_case && !value.starts_with("arn:") { value.to_lowercase().into() } else { value.into() }
}

/// What has been filled in so far, with the literal text that follows and the value of the next member.
///
/// Where the value is the ARN of just such a resource, that is what the request is about: SageMaker takes many resources
/// by name or ARN. Else the name in it counts.
fn join(start: &str, before: &str, value: &str) -> String {
    let of_this_kind = |arn: &str| arn.splitn(6, ':').nth(5).is_some_and(|resource| resource.starts_with(before));
    match value.strip_prefix("arn:") {
        Some(_) if start.is_empty() && of_this_kind(value) => value.to_owned(),
        Some(_) => format!("{start}{before}{}", value.rsplit('/').next().unwrap_or_default()),
        None => format!("{start}{before}{value}"),
    }
}

/// The text before the first `{MEMBER}`, the member, and what follows.
fn next_member(form: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = form.split_once('{')?;
    let (member, after) = rest.split_once('}')?;
    Some((before, member, after))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::protocol::Service;

    #[test]
    fn the_table_knows_every_operation_that_is_served() {
        for service in Service::ALL {
            let actions = actions(service.name()).unwrap_or_else(|| panic!("{service:?}"));
            for operation in service.api().operations() {
                assert!(actions.operations.contains_key(operation), "{service:?} {operation}");
            }
        }
    }

    #[test]
    fn resources_are_named_as_the_request_names_them() {
        let arn = "arn:aws:sagemaker:eu-west-1:111122223333:";
        let check = |form: &str, input: Value, expected: &[&str]| {
            let expected: Vec<_> = expected.iter().map(|rest| rest.replace("ARN:", arn)).collect();
            let input: Value = serde_json::from_str(&input.to_string().replace("ARN:", arn)).unwrap();
            assert_eq!(fill(arn, form, &input, true), expected, "{form} {input}");
        };
        check("model/{N}", json!({"N": "Model"}), &["ARN:model/model"]);
        check("model/{N}", json!({}), &[]);
        check("pipeline/{N}", json!({"N": "ARN:pipeline/Pipe"}), &["ARN:pipeline/Pipe"]);
        check("model-package/{N}/*", json!({"N": "ARN:model-package-group/g"}), &["ARN:model-package/g/*"]);
        check("{N}", json!({"N": "ARN:pipeline/p/execution/e"}), &["ARN:pipeline/p/execution/e"]);
        check("alarm:{N}", json!({"N": ["a", "b"]}), &["ARN:alarm:a", "ARN:alarm:b"]);
        check("role{Path}{N}", json!({"N": "r"}), &["ARN:role/r"]);
        check("role{Path}{N}", json!({"N": "r", "Path": "/a/"}), &["ARN:role/a/r"]);
        check("pipeline/*/execution/*", json!({}), &["ARN:pipeline/*/execution/*"]);
    }

    #[test]
    fn keys_are_found_in_lists_and_below() {
        let input = json!({
            "ProductionVariants": [{"InstanceType": "ml.m5.large"}, {"InstanceType": "ml.m5.xlarge"}],
            "EnableNetworkIsolation": true,
        });
        let keys = actions("sagemaker").unwrap().keys(&input).filter(|(_, values)| !values.is_empty());
        let instances = vec!["ml.m5.large".to_owned(), "ml.m5.xlarge".to_owned()];
        let expected =
            [("sagemaker:InstanceTypes", instances), ("sagemaker:NetworkIsolation", vec!["true".to_owned()])];
        assert_eq!(keys.collect::<Vec<_>>(), expected);
    }
}
