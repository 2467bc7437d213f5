//! What is inside the arguments of jobs: names that must differ, paths in the container, images.

use std::collections::HashMap;

use serde_json::Value;

use super::{Context, Findings, Rule, declared::Declared};
use crate::{StepType, definition::PlacedStep};

pub(super) fn check(context: &Context<'_>, findings: &mut Findings) {
    let processes =
        |kind: &StepType| matches!(kind, StepType::Processing | StepType::QualityCheck | StepType::ClarifyCheck);
    for placed in context.of_type(processes) {
        names(placed, "/ProcessingInputs", "InputName", findings);
        names(placed, "/ProcessingOutputConfig/Outputs", "OutputName", findings);
        local_paths(placed, "/ProcessingInputs", "S3Input", findings);
        local_paths(placed, "/ProcessingOutputConfig/Outputs", "S3Output", findings);
    }
    for placed in context.of_type(|kind| *kind == StepType::Training) {
        names(placed, "/InputDataConfig", "ChannelName", findings);
    }
    for (placed, declared) in context.steps.iter().zip(&context.declared) {
        property_files(placed, declared, findings);
        images(placed, findings);
        if let Some(Value::String(group)) = placed.step.arguments.get("ModelPackageGroupName")
            && !is_group_name(group)
        {
            let message = format!(
                "'{group}' is no name of a model package group: 1 to 63 letters, digits and single '-' between them"
            );
            findings.add(Rule::Name, format!("{}/Arguments/ModelPackageGroupName", placed.pointer), message);
        }
    }
}

/// The names of one list have to differ. The items of a list that is an expression are not known.
fn names(placed: &PlacedStep<'_>, list: &str, member: &str, findings: &mut Findings) {
    let items = placed.step.arguments.pointer(list).and_then(Value::as_array);
    let named = items.into_iter().flatten().enumerate().filter_map(|(i, item)| Some((i, item.get(member)?.as_str()?)));
    differ(named, |i| format!("{}/Arguments{list}/{i}/{member}", placed.pointer), findings);
}

fn differ<'n>(
    named: impl Iterator<Item = (usize, &'n str)>,
    pointer: impl Fn(usize) -> String,
    findings: &mut Findings,
) {
    let mut first = HashMap::new();
    for (i, name) in named {
        if let Some(other) = first.insert(name, i) {
            first.insert(name, other);
            let message = format!("the name '{name}' stands at {} already", pointer(other));
            findings.add(Rule::DuplicateName, pointer(i), message);
        }
    }
}

/// CreateProcessingJob wants absolute paths below `/opt/ml/processing`, unless the application manages the data itself.
fn local_paths(placed: &PlacedStep<'_>, list: &str, via: &str, findings: &mut Findings) {
    const ROOT: &str = "/opt/ml/processing";
    let items = placed.step.arguments.pointer(list).and_then(Value::as_array);
    let mut seen: HashMap<&str, String> = HashMap::new();
    for (i, item) in items.into_iter().flatten().enumerate() {
        let Some(transfer) = item.get(via).filter(|transfer| transfer.is_object()) else { continue };
        let at = format!("{}/Arguments{list}/{i}/{via}", placed.pointer);
        let managed = item.get("AppManaged").is_some_and(|managed| *managed != Value::Bool(false));
        let path = match transfer.get("LocalPath") {
            Some(Value::String(path)) => path,
            None | Some(Value::Null) if !managed => {
                findings
                    .add(Rule::LocalPath, at, "LocalPath is missing")
                    .suggest(format!("a path below {ROOT}, or \"AppManaged\": true"));
                continue;
            }
            // An expression, or nothing where nothing is needed.
            _ => continue,
        };
        let at = format!("{at}/LocalPath");
        let below = path.strip_prefix(ROOT).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        if !below || path.split('/').any(|part| part == "..") {
            let name = path.rsplit('/').find(|part| !part.is_empty() && *part != "..").unwrap_or("data");
            findings
                .add(Rule::LocalPath, at, format!("'{path}' is not below {ROOT}"))
                .suggest(format!("for example {ROOT}/{name}"));
        } else if let Some(other) = seen.get(path.trim_end_matches('/')) {
            findings.add(Rule::LocalPath, at, format!("'{path}' is used at {other} already"));
        } else {
            seen.insert(path.trim_end_matches('/'), at);
        }
    }
}

fn property_files(placed: &PlacedStep<'_>, declared: &Declared<'_>, findings: &mut Findings) {
    let step = placed.step;
    let at = |i: usize, member: &str| format!("{}/PropertyFiles/{i}/{member}", placed.pointer);
    let named = step.property_files.iter().enumerate().map(|(i, file)| (i, file.name.as_str()));
    differ(named, |i| at(i, "PropertyFileName"), findings);
    for (i, file) in step.property_files.iter().enumerate() {
        if let Some(outputs) = &declared.outputs
            && !outputs.contains(&file.output_name)
        {
            let meant = findings.nearest(&file.output_name, outputs.iter());
            let message = format!("step '{}' has no output '{}'{}", step.name, file.output_name, outputs.said());
            findings.add(Rule::PropertyFile, at(i, "OutputName"), message).did_you_mean(meant);
        }
        let path = &file.file_path;
        if path.is_empty() || path.starts_with('/') || path.contains("://") || path.split('/').any(|part| part == "..")
        {
            findings
                .add(
                    Rule::PropertyFile,
                    at(i, "FilePath"),
                    format!("'{path}' is no path of a file inside the output '{}'", file.output_name),
                )
                .suggest("a relative path, for example evaluation.json");
        }
    }
}

fn images(placed: &PlacedStep<'_>, findings: &mut Findings) {
    let arguments = &placed.step.arguments;
    let mut places: Vec<String> = [
        "/AppSpecification/ImageUri",
        "/AlgorithmSpecification/TrainingImage",
        "/TrainingJobDefinition/AlgorithmSpecification/TrainingImage",
        "/PrimaryContainer/Image",
    ]
    .map(str::to_owned)
    .into();
    for list in ["/Containers", "/InferenceSpecification/Containers"] {
        let many = arguments.pointer(list).and_then(Value::as_array).map_or(0, Vec::len);
        places.extend((0..many).map(|i| format!("{list}/{i}/Image")));
    }
    let jobs = arguments.get("TrainingJobDefinitions").and_then(Value::as_array).map_or(0, Vec::len);
    places.extend((0..jobs).map(|i| format!("/TrainingJobDefinitions/{i}/AlgorithmSpecification/TrainingImage")));
    for place in places {
        let Some(Value::String(image)) = arguments.pointer(&place) else { continue };
        if let Some(why) = moves(image) {
            findings
                .add(Rule::ImageTag, format!("{}/Arguments{place}", placed.pointer), format!("the image {why}"))
                .suggest("name a version, or the digest: REPOSITORY@sha256:...");
        }
    }
}

/// Why the image may be another one tomorrow. A tag that carries a number is taken for a version.
fn moves(image: &str) -> Option<String> {
    // AWS publishes its analyzer under no tag at all.
    const WITHOUT_TAGS: &str = "/sagemaker-model-monitor-analyzer";
    if image.contains('@') || image.ends_with(WITHOUT_TAGS) {
        return None;
    }
    // A colon before the last slash is that of a port.
    match image.rsplit('/').next().and_then(|name| name.split_once(':')) {
        None => Some("has no tag, which means latest".to_owned()),
        Some((_, tag)) if !tag.bytes().any(|b| b.is_ascii_digit()) => Some(format!("has the tag '{tag}', which moves")),
        Some(_) => None,
    }
}

/// `[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}`
fn is_group_name(name: &str) -> bool {
    let ends = [name.bytes().next(), name.bytes().last()];
    name.bytes().filter(|b| *b != b'-').count() <= 63
        && ends.iter().all(|end| end.is_some_and(|b| b.is_ascii_alphanumeric()))
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_that_move_are_told_from_versions() {
        const REGISTRY: &str = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";
        for (image, moving) in [
            ("sts-container:1", false),
            ("sagemaker-xgboost:1.0-1-cpu-py3", false),
            ("sts-container:3f9a01c2", false),
            ("sts-container:latest", true),
            ("sts-container:latest@sha256:00", false),
            ("sts-container", true),
            ("team/sts-container:main", true),
            ("sagemaker-model-monitor-analyzer", false),
        ] {
            assert_eq!(moves(&format!("{REGISTRY}/{image}")).is_some(), moving, "{image}");
        }
        assert!(moves("localhost:5000/image").is_some());
    }

    #[test]
    fn group_names() {
        for (name, good) in [("sts", true), ("a--b", true), ("-a", false), ("a-", false), ("", false), ("a_b", false)] {
            assert_eq!(is_group_name(name), good, "{name}");
        }
        assert!(is_group_name(&"a".repeat(63)) && !is_group_name(&"a".repeat(64)));
    }
}
