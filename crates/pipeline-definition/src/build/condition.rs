//! The steps that start no job: Condition and Fail.

use serde_json::{Map, Value, json};

use super::{Expr, empty_list};
use crate::definition::{Branches, Step, StepType};

/// One condition of a [`ConditionStep`].
#[derive(Debug, Clone, PartialEq)]
pub struct Condition(Value);

impl Condition {
    /// `left == right`
    #[must_use]
    pub fn equals(left: impl Into<Expr>, right: impl Into<Expr>) -> Self {
        Self::comparison("Equals", left.into(), right.into())
    }

    /// `left > right`
    #[must_use]
    pub fn greater_than(left: impl Into<Expr>, right: impl Into<Expr>) -> Self {
        Self::comparison("GreaterThan", left.into(), right.into())
    }

    /// `left >= right`
    #[must_use]
    pub fn greater_than_or_equal_to(left: impl Into<Expr>, right: impl Into<Expr>) -> Self {
        Self::comparison("GreaterThanOrEqualTo", left.into(), right.into())
    }

    /// `left < right`
    #[must_use]
    pub fn less_than(left: impl Into<Expr>, right: impl Into<Expr>) -> Self {
        Self::comparison("LessThan", left.into(), right.into())
    }

    /// `left <= right`
    #[must_use]
    pub fn less_than_or_equal_to(left: impl Into<Expr>, right: impl Into<Expr>) -> Self {
        Self::comparison("LessThanOrEqualTo", left.into(), right.into())
    }

    /// `In`: the value is one of these.
    #[must_use]
    pub fn one_of<E: Into<Expr>>(query: impl Into<Expr>, values: impl IntoIterator<Item = E>) -> Self {
        let values: Vec<Value> = values.into_iter().map(|value| value.into().into()).collect();
        Self(json!({"Type": "In", "QueryValue": Value::from(query.into()), "Values": values}))
    }

    /// `Not`: the other condition does not hold.
    #[must_use]
    pub fn negation(condition: Condition) -> Self {
        let mut not = json!({"Type": "Not"});
        not["Expression"] = condition.0;
        Self(not)
    }

    /// `Or`: at least one of these holds.
    #[must_use]
    pub fn any_of(conditions: impl IntoIterator<Item = Condition>) -> Self {
        let conditions: Vec<Value> = conditions.into_iter().map(|condition| condition.0).collect();
        Self(json!({"Type": "Or", "Conditions": conditions}))
    }

    fn comparison(kind: &str, left: Expr, right: Expr) -> Self {
        Self(json!({"Type": kind, "LeftValue": Value::from(left), "RightValue": Value::from(right)}))
    }
}

/// A step that chooses between two branches.
#[derive(Debug, Clone)]
pub struct ConditionStep {
    name: String,
    branches: Branches,
}

impl ConditionStep {
    /// A step without conditions and branches.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), branches: Branches::default() }
    }

    /// Adds a condition; all have to hold.
    #[must_use]
    pub fn condition(mut self, condition: Condition) -> Self {
        self.branches.conditions.push(condition.0);
        self
    }

    /// Adds a step that runs if all conditions hold.
    #[must_use]
    pub fn if_step(mut self, step: impl Into<Step>) -> Self {
        self.branches.if_steps.push(step.into());
        self
    }

    /// Adds a step that runs otherwise.
    #[must_use]
    pub fn else_step(mut self, step: impl Into<Step>) -> Self {
        self.branches.else_steps.push(step.into());
        self
    }
}

impl From<ConditionStep> for Step {
    fn from(step: ConditionStep) -> Self {
        // The SDK writes all three lists, also the empty ones.
        let lists = [
            ("Conditions", step.branches.conditions.is_empty()),
            ("IfSteps", step.branches.if_steps.is_empty()),
            ("ElseSteps", step.branches.else_steps.is_empty()),
        ];
        let empty: Map<_, _> = lists.into_iter().filter(|(_, empty)| *empty).flat_map(|(n, _)| empty_list(n)).collect();
        Step { branches: Some(step.branches), ..Step::new(step.name, StepType::Condition, Value::Object(empty)) }
    }
}

/// A step that ends the execution as Failed.
#[derive(Debug, Clone)]
pub struct FailStep {
    name: String,
    message: Expr,
}

impl FailStep {
    /// `message` becomes the step's FailureReason.
    #[must_use]
    pub fn new(name: impl Into<String>, message: impl Into<Expr>) -> Self {
        Self { name: name.into(), message: message.into() }
    }
}

impl From<FailStep> for Step {
    fn from(step: FailStep) -> Self {
        Step::new(step.name, StepType::Fail, json!({"ErrorMessage": Value::from(step.message)}))
    }
}
