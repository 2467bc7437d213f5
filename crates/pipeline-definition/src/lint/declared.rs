//! The names that a step declares and others refer to.

use std::collections::HashMap;

use serde_json::Value;

use crate::{Step, StepType};

/// What a step declares.
pub(super) struct Declared<'d> {
    /// The outputs of a Processing step; None if the definition does not say which there are.
    pub(super) outputs: Option<Names<'d>>,
    /// The output parameters of a Lambda or Callback step; None if the definition does not say which there are.
    pub(super) output_parameters: Option<Names<'d>>,
    /// The property files.
    pub(super) property_files: Names<'d>,
}

/// Names in their order; the first of several that are the same counts.
#[derive(Default)]
pub(super) struct Names<'d> {
    list: Vec<&'d str>,
    positions: HashMap<&'d str, usize>,
}

impl<'d> Declared<'d> {
    pub(super) fn by(step: &'d Step) -> Self {
        let outputs = step.arguments.pointer("/ProcessingOutputConfig/Outputs");
        Self {
            outputs: match (outputs.or(step.arguments.get("ProcessingOutputConfig")), &step.kind) {
                (None, StepType::Processing) => Some(Names::default()),
                (None, _) => None,
                (Some(outputs), _) => named(outputs),
            },
            output_parameters: match (step.other.get("OutputParameters"), &step.kind) {
                (None | Some(Value::Null), StepType::Lambda | StepType::Callback) => Some(Names::default()),
                (outputs, _) => outputs.and_then(named),
            },
            property_files: step.property_files.iter().map(|file| file.name.as_str()).collect(),
        }
    }
}

fn named(outputs: &Value) -> Option<Names<'_>> {
    outputs.as_array()?.iter().map(|output| output.get("OutputName")?.as_str()).collect()
}

impl<'d> FromIterator<&'d str> for Names<'d> {
    fn from_iter<I: IntoIterator<Item = &'d str>>(names: I) -> Self {
        let list: Vec<&str> = names.into_iter().collect();
        let mut positions = HashMap::new();
        for (i, name) in list.iter().enumerate() {
            positions.entry(*name).or_insert(i);
        }
        Self { list, positions }
    }
}

impl<'d> Names<'d> {
    pub(super) fn position(&self, name: &str) -> Option<usize> {
        self.positions.get(name).copied()
    }

    pub(super) fn contains(&self, name: &str) -> bool {
        self.positions.contains_key(name)
    }

    pub(super) fn len(&self) -> usize {
        self.list.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &'d str> {
        self.list.iter().copied()
    }

    /// `: it has a, b`; at most a few.
    pub(super) fn said(&self) -> String {
        known(&self.list)
    }
}

/// `: it has a, b`; at most a few.
pub(super) fn known(names: &[&str]) -> String {
    const MOST: usize = 8;
    match names {
        [] => String::new(),
        names => {
            let more = if names.len() > MOST { ", ..." } else { "" };
            format!(": it has {}{more}", names[..names.len().min(MOST)].join(", "))
        }
    }
}
