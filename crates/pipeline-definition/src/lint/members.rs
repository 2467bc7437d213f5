//! What members the requests and answers of SageMaker have; the facts are in `members.txt`.

use std::{collections::HashMap, sync::LazyLock};

use crate::StepType;

/// What a value looks like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Shape {
    /// A plain value: nothing inside.
    Plain,
    /// A map, or what the table does not look into.
    Anything,
    /// A list of values of one shape.
    List(Box<Shape>),
    /// An object of these members.
    Object(Members),
}

/// The members of an object by name, in the order of the API model.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Members(Vec<(&'static str, Shape)>);

impl Members {
    pub(super) fn get(&self, name: &str) -> Option<&Shape> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, shape)| shape)
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().map(|(name, _)| *name)
    }
}

/// The request that the arguments of such a step become, and its name.
pub(super) fn arguments(kind: &StepType) -> Option<(&'static str, &'static Shape)> {
    let operation = match kind {
        // The checks run as processing jobs.
        StepType::Processing | StepType::QualityCheck | StepType::ClarifyCheck => "CreateProcessingJob",
        StepType::Training => "CreateTrainingJob",
        StepType::Transform => "CreateTransformJob",
        StepType::Tuning => "CreateHyperParameterTuningJob",
        StepType::AutoML => "CreateAutoMLJob",
        StepType::Model => "CreateModel",
        StepType::RegisterModel => "CreateModelPackage",
        _ => return None,
    };
    SHAPES.get(operation).map(|shape| (operation, shape))
}

/// What a `Get` of such a step may reach into. None: not known.
pub(super) fn properties(kind: &StepType) -> Option<&'static Shape> {
    let answer = match kind {
        StepType::Processing => "DescribeProcessingJob",
        StepType::Training => "DescribeTrainingJob",
        StepType::Tuning => "DescribeHyperParameterTuningJob",
        StepType::Transform => "DescribeTransformJob",
        StepType::Model => "DescribeModel",
        StepType::RegisterModel => "DescribeModelPackage",
        StepType::AutoML => "DescribeAutoMLJob",
        StepType::Emr => "DescribeStep",
        StepType::Lambda | StepType::Callback => "OutputParameters",
        StepType::Condition => "Condition",
        StepType::Fail => "Fail",
        StepType::QualityCheck => "QualityCheck",
        StepType::ClarifyCheck => "ClarifyCheck",
        StepType::Other(other) => match other.as_str() {
            "Endpoint" => "DescribeEndpoint",
            "EndpointConfig" => "DescribeEndpointConfig",
            _ => return None,
        },
    };
    SHAPES.get(answer)
}

static SHAPES: LazyLock<HashMap<&'static str, Shape>> = LazyLock::new(|| {
    let text = include_str!("members.txt");
    // A comment ends with its line; nothing else cares about lines.
    let tokens = text.lines().filter(|line| !line.starts_with('#')).flat_map(tokens).collect::<Vec<_>>();
    members(&mut tokens.into_iter().peekable()).0.into_iter().collect()
});

type Tokens = std::iter::Peekable<std::vec::IntoIter<&'static str>>;

/// Names, and what may follow them: `{`, `}`, `[`, `]`, `*`.
fn tokens(line: &'static str) -> Vec<&'static str> {
    let mut tokens = Vec::new();
    for word in line.split_whitespace() {
        let mut rest = word;
        while !rest.is_empty() {
            let end = rest.find(['{', '}', '[', ']', '*']).unwrap_or(rest.len()).max(1);
            tokens.push(&rest[..end]);
            rest = &rest[end..];
        }
    }
    tokens
}

/// Reads up to the bracket that closes, or to the end.
fn members(tokens: &mut Tokens) -> Members {
    let mut found = Vec::new();
    while let Some(name) = tokens.next_if(|token| !matches!(*token, "}" | "]")) {
        let shape = match tokens.next_if(|token| matches!(*token, "{" | "[" | "*")) {
            None => Shape::Plain,
            Some("{") => Shape::Object(members(tokens)),
            Some("[") => match members(tokens) {
                Members(none) if none.is_empty() => Shape::List(Box::new(Shape::Plain)),
                item => Shape::List(Box::new(Shape::Object(item))),
            },
            Some(_) => Shape::Anything,
        };
        if matches!(shape, Shape::Object(_) | Shape::List(_)) {
            tokens.next();
        }
        found.push((name, shape));
    }
    Members(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_read_to_its_end() {
        assert_eq!(SHAPES.len(), 22);
        assert_eq!(SHAPES["Fail"], Shape::Object(Members::default()));
        let plain = |name| (name, Shape::Plain);
        let vpc = Members(vec![
            ("SecurityGroupIds", Shape::List(Box::new(Shape::Plain))),
            ("Subnets", Shape::List(Box::new(Shape::Plain))),
        ]);
        let network = Members(vec![
            plain("EnableInterContainerTrafficEncryption"),
            plain("EnableNetworkIsolation"),
            ("VpcConfig", Shape::Object(vpc)),
        ]);
        let Shape::Object(job) = &SHAPES["CreateProcessingJob"] else { panic!("no object") };
        assert_eq!(job.get("NetworkConfig"), Some(&Shape::Object(network)));
        assert_eq!(job.get("Environment"), Some(&Shape::Anything));
        for shape in SHAPES.values() {
            let Shape::Object(members) = shape else { panic!("no object") };
            assert!(members.names().all(|name| name.bytes().all(|b| b.is_ascii_alphanumeric())));
        }
    }
}
