//! The document as a whole: repeated members, version, sizes, members that do not exist.

use super::{Context, Findings, Rule, source::Source};
use crate::definition::Parameter;

/// What holds for any JSON text.
pub(super) fn text(text: &str, source: &Source, findings: &mut Findings) {
    // As long as CreatePipeline takes.
    const LONGEST: usize = 1_048_576;
    let length = text.chars().count();
    if length > LONGEST {
        findings
            .add(Rule::Size, "", format!("the definition has {length} characters; SageMaker takes {LONGEST}"))
            .suggest("leave out blanks and line breaks, or split the pipeline");
    }
    for (pointer, times) in &source.repeated {
        findings
            .add(Rule::RepeatedMember, pointer, format!("this member stands {times} times in its object"))
            .at_name()
            .suggest("keep one of them: readers of JSON take the last, without a word");
    }
}

pub(super) fn check(context: &Context<'_>, findings: &mut Findings) {
    const VERSION: &str = "2020-12-01";
    let definition = context.definition;
    let write = format!("write \"Version\": \"{VERSION}\"");
    match definition.version.as_deref() {
        None => drop(findings.add(Rule::Version, "", "the definition has no Version").suggest(write)),
        Some(VERSION) => {}
        Some(other) => {
            findings
                .add(Rule::Version, "/Version", format!("there is no version '{other}' of the grammar"))
                .suggest(write);
        }
    }
    count(context.steps.len(), 50, "steps", findings);
    count(definition.parameters.len(), 200, "parameters", findings);
    const MEMBERS: [&str; 6] =
        ["Version", "Metadata", "Parameters", "PipelineExperimentConfig", "MlflowConfig", "Steps"];
    unknown("", definition.other.keys(), &MEMBERS, findings);
    const OF_PARAMETER: [&str; 4] = ["Name", "Type", "DefaultValue", "EnumValues"];
    for (i, Parameter { other, .. }) in definition.parameters.iter().enumerate() {
        unknown(&format!("/Parameters/{i}"), other.keys(), &OF_PARAMETER, findings);
    }
    for placed in &context.steps {
        unknown(&placed.pointer, placed.step.other.keys(), &OF_STEP, findings);
    }
}

/// Those that all types of steps have, then those that some have.
const OF_STEP: [&str; 24] = [
    "Name",
    "Type",
    "Arguments",
    "DependsOn",
    "DisplayName",
    "Description",
    "RetryPolicies",
    "CacheConfig",
    "PropertyFiles",
    "FunctionArn",
    "SqsQueueUrl",
    "OutputParameters",
    "CheckType",
    "ModelPackageGroupName",
    "ModelName",
    "SkipCheck",
    "FailOnViolation",
    "RegisterNewBaseline",
    "SuppliedBaselineStatistics",
    "SuppliedBaselineConstraints",
    "ClusterConfig",
    "ExecutionRoleArn",
    "EmrServerlessConfig",
    "Metadata",
];

/// Adds what to say about members that nobody knows.
pub(super) fn unknown<'m>(
    pointer: &str,
    members: impl Iterator<Item = &'m String>,
    known: &[&str],
    findings: &mut Findings,
) {
    for name in members.filter(|name| !known.contains(&name.as_str())) {
        let place = format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"));
        match findings.nearest(name, known.iter().copied()) {
            Some(meant) => {
                let message = format!("there is no member '{name}' here");
                findings.add(Rule::MisspeltMember, place, message).at_name().did_you_mean(Some(meant));
            }
            None => {
                let message = format!("the member '{name}' is not known here, and is sent as it is");
                findings.add(Rule::UnknownMember, place, message).at_name();
            }
        }
    }
}

fn count(many: usize, most: usize, what: &str, findings: &mut Findings) {
    if many > most {
        let message = format!("the pipeline has {many} {what}; an account may have {most} unless its quota was raised");
        findings.add(Rule::Count, "", message);
    }
}
