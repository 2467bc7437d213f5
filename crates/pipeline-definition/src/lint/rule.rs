//! The rules: their ids never change.

use std::fmt;

use serde::{Serialize, Serializer};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// It may be meant.
    Warning,
    /// SageMaker refuses the definition, or an execution fails.
    Error,
}

/// What can be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rule {
    /// The text is not JSON.
    Syntax,
    /// A member is missing or of another kind, so that no definition can be read.
    Shape,
    /// An object has a member twice; JSON readers keep one, without a word.
    RepeatedMember,
    /// `Version` is missing or not `2020-12-01`.
    Version,
    /// The definition, or a parameter's default, is longer than SageMaker takes.
    Size,
    /// More steps or parameters than an account may have by default.
    Count,
    /// A member that does not exist, but one that is written almost so does.
    MisspeltMember,
    /// A member that does not exist as far as is known.
    UnknownMember,
    /// A member without which the call of a step is refused.
    MissingMember,
    /// A name with characters that it may not have, or too long.
    Name,
    /// Two steps of one name, branches included.
    DuplicateStep,
    /// Two parameters of one name.
    DuplicateParameter,
    /// Two inputs, outputs, channels or property files of one step with one name.
    DuplicateName,
    /// A parameter of a type that does not exist.
    ParameterType,
    /// A default that is not of the parameter's type.
    ParameterDefault,
    /// A default that is not among the enum values, or an enum value of another type.
    ParameterEnum,
    /// A parameter that nothing refers to.
    UnusedParameter,
    /// A step of a type that is not known.
    StepType,
    /// `DependsOn` names no step.
    DependsOn,
    /// Steps that wait for each other.
    Cycle,
    /// A step that no execution reaches.
    UnreachableStep,
    /// An object that looks like an expression and is none.
    Expression,
    /// A `Get` of a parameter that is not declared.
    UnknownParameter,
    /// A `Get` of an execution variable, or a member of the experiment configuration, that does not exist.
    UnknownVariable,
    /// A `Get` of a step that does not exist.
    UnknownStep,
    /// A `Get` of something that a step of this type does not answer.
    UnknownProperty,
    /// An output that the step does not declare.
    OutputName,
    /// A property file that is not declared, cannot be where it is said to be, or is read without `Std:JsonGet`.
    PropertyFile,
    /// The `Path` of a `Std:JsonGet`.
    JsonPath,
    /// A condition that is not complete, or of a type that does not exist.
    Condition,
    /// The two sides of a condition can never be compared.
    ConditionOperands,
    /// A path in the container where SageMaker does not allow it, or one path twice.
    LocalPath,
    /// An image by a tag that moves: what runs tomorrow is not what runs today.
    ImageTag,
    /// A retry policy that contradicts itself or is out of bounds.
    RetryPolicy,
    /// `ExpireAfter` is not a duration.
    CacheConfig,
}

use Severity::{Error, Warning};

const RULES: [(Rule, &str, Severity); 35] = [
    (Rule::Syntax, "syntax", Error),
    (Rule::Shape, "shape", Error),
    (Rule::RepeatedMember, "repeated-member", Error),
    (Rule::Version, "version", Error),
    (Rule::Size, "size", Error),
    (Rule::Count, "count", Warning),
    (Rule::MisspeltMember, "misspelt-member", Error),
    (Rule::UnknownMember, "unknown-member", Warning),
    (Rule::MissingMember, "missing-member", Error),
    (Rule::Name, "name", Error),
    (Rule::DuplicateStep, "duplicate-step", Error),
    (Rule::DuplicateParameter, "duplicate-parameter", Error),
    (Rule::DuplicateName, "duplicate-name", Error),
    (Rule::ParameterType, "parameter-type", Error),
    (Rule::ParameterDefault, "parameter-default", Error),
    (Rule::ParameterEnum, "parameter-enum", Error),
    (Rule::UnusedParameter, "unused-parameter", Warning),
    (Rule::StepType, "step-type", Warning),
    (Rule::DependsOn, "depends-on", Error),
    (Rule::Cycle, "cycle", Error),
    (Rule::UnreachableStep, "unreachable-step", Error),
    (Rule::Expression, "expression", Error),
    (Rule::UnknownParameter, "unknown-parameter", Error),
    (Rule::UnknownVariable, "unknown-variable", Error),
    (Rule::UnknownStep, "unknown-step", Error),
    (Rule::UnknownProperty, "unknown-property", Error),
    (Rule::OutputName, "output-name", Error),
    (Rule::PropertyFile, "property-file", Error),
    (Rule::JsonPath, "json-path", Error),
    (Rule::Condition, "condition", Error),
    (Rule::ConditionOperands, "condition-operands", Error),
    (Rule::LocalPath, "local-path", Error),
    (Rule::ImageTag, "image-tag", Warning),
    (Rule::RetryPolicy, "retry-policy", Error),
    (Rule::CacheConfig, "cache-config", Error),
];

impl Rule {
    /// Its id: `unknown-step`.
    #[must_use]
    pub fn id(self) -> &'static str {
        self.row().1
    }

    /// How bad it is.
    #[must_use]
    pub fn severity(self) -> Severity {
        self.row().2
    }

    fn row(self) -> (Rule, &'static str, Severity) {
        // The table has the order of the declaration; a test holds them together.
        RULES[self as usize]
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

impl Serialize for Rule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.id())
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Error => "error",
            Warning => "warning",
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn the_table_has_the_order_of_the_rules_and_every_id_once() {
        assert!(RULES.iter().enumerate().all(|(at, (rule, ..))| *rule as usize == at));
        assert_eq!(Rule::CacheConfig as usize, RULES.len() - 1);
        assert_eq!(RULES.iter().map(|(_, id, _)| id).collect::<HashSet<_>>().len(), RULES.len());
    }
}
