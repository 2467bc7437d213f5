//! `pipeline lint`: what is wrong in a definition, each with its place.

use std::fmt;
use std::path::Path;

use pipeline_definition::Definition;
use pipeline_definition::lint::{Finding, Severity, excerpt, lint};
use serde::Serialize;

use super::Source;
use crate::error::Failure;
use crate::output::{Output, many};
use crate::site::Site;

/// Looks at the file, or at our own definition.
///
/// # Errors
/// With exit code 1 when the definition has errors; warnings are none. With 2 when the file cannot be read.
pub fn run(output: &Output, file: Option<&Path>, site: impl FnOnce() -> Result<Site, Failure>) -> Result<(), Failure> {
    let report = Report::of(Source::of(file, site)?);
    output.print(&report, &report)?;
    match report.errors {
        0 => Ok(()),
        errors => Err(Failure::operation(format!("{} has {}", report.file, many(errors, "error")))),
    }
}

/// Refuses our own definition if it has errors, and warns of the rest: what SageMaker would refuse is not sent.
///
/// # Errors
/// When it has errors, which are said.
pub fn gate(output: &Output, definition: &Definition) -> Result<(), Failure> {
    let report = Report::of(Source::own(definition));
    for warning in report.of_severity(Severity::Warning) {
        output.warn(format_args!("{} ({}): {}", warning.message, warning.rule, warning.pointer));
    }
    if report.errors == 0 {
        return Ok(());
    }
    for error in report.of_severity(Severity::Error) {
        output.note(report.place(error));
    }
    Err(Failure::operation(format!("the definition has {}, and was not sent", many(report.errors, "error")))
        .hint("see all of it: cargo xtask pipeline lint"))
}

/// What was found.
#[derive(Debug, Serialize)]
struct Report {
    file: String,
    errors: usize,
    warnings: usize,
    findings: Vec<Finding>,
    #[serde(skip)]
    text: String,
}

impl Report {
    fn of(Source { label, text }: Source) -> Self {
        let findings = lint(&text);
        let errors = findings.iter().filter(|finding| finding.severity == Severity::Error).count();
        Self { file: label, errors, warnings: findings.len() - errors, findings, text }
    }

    fn of_severity(&self, severity: Severity) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(move |finding| finding.severity == severity)
    }

    /// `FILE:LINE:COLUMN`, what is wrong, the line with a caret, the pointer, the suggestion.
    fn place(&self, finding: &Finding) -> String {
        let Finding { rule, severity, pointer, line, column, message, suggestion, .. } = finding;
        let gutter = " ".repeat(line.to_string().len());
        let mut text = format!("{}:{line}:{column}: {severity}[{rule}]: {message}\n", self.file);
        text.push_str(&excerpt(&self.text, finding));
        if !pointer.is_empty() {
            text.push_str(&format!("\n{gutter} = at {pointer}"));
        }
        if let Some(suggestion) = suggestion {
            text.push_str(&format!("\n{gutter} = {suggestion}"));
        }
        text
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for finding in &self.findings {
            writeln!(f, "{}\n", self.place(finding))?;
        }
        match (self.errors, self.warnings) {
            (0, 0) => write!(f, "{}: nothing found", self.file),
            (errors, warnings) => write!(f, "{}: {}, {}", self.file, many(errors, "error"), many(warnings, "warning")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{Settings, Sources};

    #[test]
    fn our_own_definition_is_clean() {
        let settings = Settings::resolve(&Sources::default()).unwrap();
        let site = Site::new(&settings, "111122223333", Some("arn:aws:iam::111122223333:role/sts-execution"));
        let report = Report::of(Source::own(&crate::pipeline::definition(&site)));
        assert_eq!(report.findings, [], "{report}");
    }

    #[test]
    fn a_definition_with_errors_is_not_sent() {
        let broken = r#"{"Version": "2020-12-01", "Steps": [{"Name": "a b", "Type": "Lambda"}]}"#;
        let failure = gate(&Output::default(), &Definition::parse(broken).unwrap()).unwrap_err();
        assert_eq!(failure.to_string(), "the definition has 1 error, and was not sent");
        assert_eq!(failure.exit_code(), 1);
        let warned = broken.replace("a b", "a").replace("Lambda", "Lamda");
        assert!(gate(&Output::default(), &Definition::parse(&warned).unwrap()).is_ok());
    }
}
