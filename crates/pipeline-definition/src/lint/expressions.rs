//! The expressions: what they name has to exist.

use std::collections::HashSet;

use serde_json::Value;

use super::{
    Context, Findings, Rule,
    declared::{Declared, known},
    members::{self, Shape},
};
use crate::{
    StepType,
    definition::PlacedStep,
    expression::{Expression, ExpressionError, JsonFile, Reference},
    path::{Path, Segment},
    pointer::Place,
};

/// What a step waits for.
pub(super) struct Edge {
    /// Position of the step that is waited for.
    pub(super) to: usize,
    /// JSON pointer to what makes it wait.
    pub(super) pointer: String,
}

/// Looks at all expressions. Returns what each step waits for, explicitly or by reference.
pub(super) fn check(context: &Context<'_>, findings: &mut Findings) -> Vec<Vec<Edge>> {
    let mut reader = Reader { context, findings, used: HashSet::new(), edges: Vec::new() };
    let mut edges = Vec::with_capacity(context.steps.len());
    for placed in &context.steps {
        reader.depends_on(placed);
        let step = placed.step;
        let arguments = Place::ROOT.member("Arguments");
        let conditions = arguments.member("Conditions");
        for (i, condition) in step.conditions().iter().enumerate() {
            reader.value(condition, &placed.pointer, conditions.item(i));
        }
        reader.value(&step.arguments, &placed.pointer, arguments);
        for (name, value) in &step.other {
            reader.value(value, &placed.pointer, Place::ROOT.member(name));
        }
        edges.push(std::mem::take(&mut reader.edges));
    }
    let definition = context.definition;
    if let Some(config) = &definition.experiment_config {
        reader.value(config, "", Place::ROOT.member("PipelineExperimentConfig"));
    }
    for (name, value) in &definition.other {
        reader.value(value, "", Place::ROOT.member(name));
    }
    let Reader { used, .. } = reader;
    for (i, parameter) in definition.parameters.iter().enumerate() {
        if !used.contains(parameter.name.as_str()) {
            let message = format!("nothing refers to parameter '{}'", parameter.name);
            findings.add(Rule::UnusedParameter, format!("/Parameters/{i}"), message);
        }
    }
    edges
}

struct Reader<'c, 'd, 'f> {
    context: &'c Context<'d>,
    findings: &'f mut Findings,
    used: HashSet<&'d str>,
    // Of the step that is being read.
    edges: Vec<Edge>,
}

impl<'d> Reader<'_, 'd, '_> {
    fn depends_on(&mut self, placed: &PlacedStep<'d>) {
        for (i, target) in placed.step.depends_on.iter().enumerate() {
            let pointer = format!("{}/DependsOn/{i}", placed.pointer);
            match self.context.by_name.get(target.as_str()) {
                Some(&to) => self.edges.push(Edge { to, pointer }),
                None => self.no_step(Rule::DependsOn, target, &pointer),
            }
        }
    }

    fn no_step(&mut self, rule: Rule, name: &str, pointer: &str) {
        let meant = self.findings.nearest(name, self.context.step_names());
        self.findings.add(rule, pointer, format!("there is no step '{name}'")).did_you_mean(meant);
    }

    /// `root` is where the step stands, `place` where the value stands in it.
    fn value(&mut self, value: &'d Value, root: &str, place: Place<'_>) {
        let at = || format!("{root}{place}");
        match Expression::of(value) {
            Err(error) => self.malformed(&error, &at()),
            Ok(Some(Expression::Get(reference))) => self.get(&reference, &at()),
            Ok(Some(Expression::JsonGet { file, path })) => {
                let body = place.member("Std:JsonGet");
                match file {
                    JsonFile::PropertyFile { step, file } => self.property_file(step, file, &at()),
                    JsonFile::S3Uri(uri) => self.value(uri, root, body.member("S3Uri")),
                }
                self.json_path(path, root, body.member("Path"));
            }
            Ok(Some(Expression::Join { on, values })) => {
                let body = place.member("Std:Join");
                if let Some(on) = on {
                    self.value(on, root, body.member("On"));
                }
                self.value(values, root, body.member("Values"));
                if matches!(values, Value::Number(_) | Value::String(_) | Value::Bool(_) | Value::Null) {
                    self.findings.add(Rule::Expression, format!("{}/Std:Join/Values", at()), "Values has to be a list");
                }
            }
            Ok(None) => match value {
                Value::Object(object) => {
                    object.iter().for_each(|(name, value)| self.value(value, root, place.member(name)));
                }
                Value::Array(items) => {
                    items.iter().enumerate().for_each(|(i, value)| self.value(value, root, place.item(i)));
                }
                _ => {}
            },
        }
    }

    fn malformed(&mut self, error: &ExpressionError, at: &str) {
        let meant = match error {
            ExpressionError::UnknownFunction(function) => {
                self.findings.nearest(function, ["Std:Join", "Std:JsonGet"]).map(str::to_owned)
            }
            ExpressionError::Root(text) => {
                let roots = ["Parameters", "Execution", "Steps", "PipelineExperimentConfig"];
                let (root, rest) = text.split_once('.').unwrap_or((text, "NAME"));
                let meant = self.findings.nearest(root, roots).map(|root| format!("{root}.{rest}"));
                meant.filter(|meant| meant != text)
            }
            _ => None,
        };
        self.findings.add(Rule::Expression, at, error.to_string()).did_you_mean(meant);
    }

    fn get(&mut self, reference: &Reference<'d>, at: &str) {
        match reference {
            Reference::Parameter(name) => match self.context.parameters.contains_key(name) {
                true => drop(self.used.insert(name)),
                false => {
                    let meant = self.findings.nearest(name, self.context.parameter_names());
                    let message = format!("there is no parameter '{name}'");
                    self.findings.add(Rule::UnknownParameter, at, message).did_you_mean(meant);
                }
            },
            Reference::Execution(name) if VARIABLES.contains(name) => {}
            Reference::Execution(name) => {
                let meant = self.findings.nearest(name, VARIABLES);
                let message = format!("there is no execution variable '{name}'");
                self.findings.add(Rule::UnknownVariable, at, message).did_you_mean(meant);
            }
            Reference::ExperimentConfig(name) => {
                let config = self.context.definition.experiment_config.as_ref().and_then(Value::as_object);
                if config.is_none_or(|config| !config.contains_key(*name)) {
                    let names = config.into_iter().flat_map(serde_json::Map::keys).map(String::as_str);
                    let meant = self.findings.nearest(name, names);
                    let message = format!("PipelineExperimentConfig has no member '{name}'");
                    self.findings.add(Rule::UnknownVariable, at, message).did_you_mean(meant);
                }
            }
            Reference::PropertyFile { step, file } => {
                self.property_file(step, file, at);
                let message = format!("property file '{file}' is read without Std:JsonGet");
                self.findings
                    .add(Rule::PropertyFile, at, message)
                    .suggest("{\"Std:JsonGet\": {\"PropertyFile\": ..., \"Path\": ...}}");
            }
            Reference::Property { step, path } => {
                if let Some(to) = self.step(step, at) {
                    property(&self.context.steps[to], &self.context.declared[to], path, at, self.findings);
                }
            }
        }
    }

    /// The position of the step of that name, which is waited for from here on.
    fn step(&mut self, name: &str, at: &str) -> Option<usize> {
        let Some(&to) = self.context.by_name.get(name) else {
            self.no_step(Rule::UnknownStep, name, at);
            return None;
        };
        self.edges.push(Edge { to, pointer: at.to_owned() });
        Some(to)
    }

    fn property_file(&mut self, step: &str, file: &str, at: &str) {
        let Some(at_step) = self.step(step, at) else { return };
        let context = self.context;
        let declared = &context.declared[at_step].property_files;
        if !declared.contains(file) {
            let message = format!("step '{step}' has no property file '{file}'{}", declared.said());
            let meant = self.findings.nearest(file, declared.iter());
            self.findings.add(Rule::PropertyFile, at, message).did_you_mean(meant);
        }
    }

    fn json_path(&mut self, path: &'d Value, root: &str, place: Place<'_>) {
        let problem = match path {
            Value::String(text) => text.parse::<Path>().err().map(|error| error.to_string()),
            Value::Object(_) => {
                self.value(path, root, place);
                None
            }
            _ => Some("Path has to be a string".to_owned()),
        };
        if let Some(problem) = problem {
            self.findings.add(Rule::JsonPath, format!("{root}{place}"), problem).suggest("for example a.b['c d'].e[0]");
        }
    }
}

const VARIABLES: [&str; 8] = [
    "StartDateTime",
    "CurrentDateTime",
    "PipelineName",
    "PipelineArn",
    "PipelineExecutionId",
    "PipelineExecutionArn",
    "TrainingJobName",
    "ProcessingJobName",
];

/// Follows a path into what the step will answer, as far as that is known.
fn property(placed: &PlacedStep<'_>, declared: &Declared<'_>, path: &Path, at: &str, findings: &mut Findings) {
    let step = placed.step;
    let Some(mut shape) = members::properties(&step.kind) else { return };
    let mut name = "";
    for (hop, segment) in path.0.iter().enumerate() {
        let so_far = || match hop {
            0 => format!("step '{}' ({})", step.name, step.kind),
            _ => format!("'{}' of step '{}' ({})", Path(path.0[..hop].to_vec()), step.name, step.kind),
        };
        shape = match (shape, segment) {
            (Shape::Object(members), Segment::Member(member) | Segment::Key(member)) => {
                name = member;
                let Some(inner) = members.get(member) else {
                    let names: Vec<&str> = members.names().collect();
                    let message = format!("{} has no property '{member}'{}", so_far(), known(&names));
                    let meant = findings.nearest(member, names).map(|meant| {
                        let mut path = path.clone();
                        path.0[hop] = Segment::Member(meant.to_owned());
                        format!("Steps.{}.{path}", step.name)
                    });
                    findings.add(Rule::UnknownProperty, at, message).did_you_mean(meant);
                    return;
                };
                inner
            }
            (Shape::List(item), Segment::Key(_) | Segment::Index(_)) => {
                if !output(placed, declared, name, segment, at, findings) {
                    return;
                }
                item
            }
            (Shape::Anything, _) => {
                output(placed, declared, name, segment, at, findings);
                return;
            }
            (Shape::List(_), Segment::Member(member)) => {
                let message = format!("{} is a list: '{member}' must follow an item, [0] or ['name']", so_far());
                findings.add(Rule::UnknownProperty, at, message);
                return;
            }
            (Shape::Object(_), Segment::Index(i)) => {
                findings.add(Rule::UnknownProperty, at, format!("{} is no list: it has no item [{i}]", so_far()));
                return;
            }
            (Shape::Plain, _) => {
                findings.add(Rule::UnknownProperty, at, format!("{} has nothing inside", so_far()));
                return;
            }
        };
    }
}

/// Whether the output that is picked is declared. A list of something else is not looked at.
fn output(
    placed: &PlacedStep<'_>,
    declared: &Declared<'_>,
    list: &str,
    segment: &Segment,
    at: &str,
    findings: &mut Findings,
) -> bool {
    let step = placed.step;
    let names = match (list, &step.kind) {
        ("Outputs", StepType::Processing) => &declared.outputs,
        ("OutputParameters", StepType::Lambda | StepType::Callback) => &declared.output_parameters,
        _ => return true,
    };
    let Some(names) = names else { return true };
    let (wanted, meant) = match segment {
        Segment::Index(index) if *index < names.len() => return true,
        Segment::Index(index) => (format!("[{index}]"), None),
        Segment::Key(name) | Segment::Member(name) if names.contains(name) => return true,
        Segment::Key(name) | Segment::Member(name) => (format!("'{name}'"), findings.nearest(name, names.iter())),
    };
    let message = format!("step '{}' has no output {wanted}{}", step.name, names.said());
    findings.add(Rule::OutputName, at, message).did_you_mean(meant);
    false
}
