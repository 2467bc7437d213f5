//! What is wrong in a definition, found before SageMaker finds it: every finding has a rule, a place and, where there is
//! one, a suggestion.
//!
//! ```
//! let text = r#"{"Version": "2020-12-01", "Steps": [{"Name": "S", "Type": "Fail", "DependsOn": ["T"]}]}"#;
//! let findings = pipeline_definition::lint::lint(text);
//! assert_eq!((findings[0].rule.id(), findings[0].pointer.as_str()), ("missing-member", "/Steps/0"));
//! assert_eq!((findings[1].rule.id(), findings[1].pointer.as_str()), ("depends-on", "/Steps/0/DependsOn/0"));
//! ```

use std::{collections::HashMap, ops::Range};

use serde::Serialize;
use serde_json::Value;

use crate::{
    Definition, Parameter, ParseError,
    definition::{PlacedStep, StepType},
};

mod arguments;
mod conditions;
mod declared;
mod document;
mod excerpt;
mod expressions;
mod findings;
mod jobs;
mod members;
mod order;
mod parameters;
mod rule;
mod source;
mod steps;

pub use excerpt::excerpt;
pub use rule::{Rule, Severity};

use declared::Declared;
use findings::Findings;
use source::Source;

/// Something that is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The rule that found it.
    pub rule: Rule,
    /// The rule's severity.
    pub severity: Severity,
    /// JSON pointer to the value that is wrong; to the object, if something is missing in it.
    pub pointer: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// What to write instead, if there is a guess: `did you mean 'Train'?`.
    pub suggestion: Option<String>,
    /// The bytes of the text that are meant.
    #[serde(skip)]
    pub span: Range<usize>,
}

/// Looks at the text of a definition. The findings stand in the order of the text; a text that is no JSON has one, of the
/// rule [`Rule::Syntax`], and one that has not the shape of a definition has one of [`Rule::Shape`] beside those that
/// need no shape.
#[must_use]
pub fn lint(text: &str) -> Vec<Finding> {
    let value: Value = match serde_json::from_str(text) {
        Ok(value) => value,
        Err(error) => return vec![findings::syntax(text, &error)],
    };
    let source = Source::of(text);
    let mut findings = Findings::default();
    document::text(text, &source, &mut findings);
    match Definition::from_value(value) {
        Err(error) => shape(&error, &mut findings),
        Ok(definition) => {
            let context = Context::of(&definition);
            document::check(&context, &mut findings);
            parameters::check(&context, &mut findings);
            steps::check(&context, &mut findings);
            arguments::check(&context, &mut findings);
            jobs::check(&context, &mut findings);
            conditions::check(&context, &mut findings);
            let edges = expressions::check(&context, &mut findings);
            order::check(&context, edges, &mut findings);
        }
    }
    findings.placed(text, &source)
}

/// What all rules look at.
struct Context<'d> {
    definition: &'d Definition,
    /// In document order, branches included.
    steps: Vec<PlacedStep<'d>>,
    /// What each of the steps declares.
    declared: Vec<Declared<'d>>,
    /// Position in `steps`; of several steps of one name the first.
    by_name: HashMap<&'d str, usize>,
    parameters: HashMap<&'d str, &'d Parameter>,
}

impl<'d> Context<'d> {
    fn of(definition: &'d Definition) -> Self {
        let steps: Vec<_> = definition.steps_with_branches().collect();
        let mut by_name = HashMap::new();
        for (at, placed) in steps.iter().enumerate() {
            by_name.entry(placed.step.name.as_str()).or_insert(at);
        }
        let parameters = definition.parameters.iter().map(|parameter| (parameter.name.as_str(), parameter)).collect();
        let declared = steps.iter().map(|placed| Declared::by(placed.step)).collect();
        Self { definition, steps, declared, by_name, parameters }
    }

    /// The names of all steps, in document order.
    fn step_names(&self) -> impl Iterator<Item = &'d str> {
        self.steps.iter().map(|placed| placed.step.name.as_str())
    }

    /// The names of all parameters, in the order of their declaration.
    fn parameter_names(&self) -> impl Iterator<Item = &'d str> {
        self.definition.parameters.iter().map(|parameter| parameter.name.as_str())
    }

    fn of_type(&self, wanted: impl Fn(&StepType) -> bool) -> impl Iterator<Item = &PlacedStep<'d>> {
        self.steps.iter().filter(move |placed| wanted(&placed.step.kind))
    }
}

fn shape(error: &ParseError, findings: &mut Findings) {
    match error {
        ParseError::Missing { pointer, member } => {
            findings.add(Rule::Shape, pointer, format!("the member {member} is missing"));
        }
        ParseError::Shape { pointer, expected, found } => {
            findings.add(Rule::Shape, pointer, format!("here must stand {expected}, not {found}"));
        }
        // The text has been read as JSON already.
        ParseError::Syntax { .. } => {}
    }
}
