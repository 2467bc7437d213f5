//! The input, the pipeline and its execution.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::execution;
use crate::observe::{Pipeline, Seen};
use crate::plan::{Action, Content, Operation, Parameter, Selective, Tag, Verdict};
use crate::selective::Source;
use crate::site::Site;

/// What is wanted.
#[derive(Debug)]
pub struct Wanted<'a> {
    /// Where, and what it is called.
    pub site: &'a Site,
    /// The definition.
    pub definition: &'a str,
    /// What goes into the bucket first; nothing for an input that is in S3 already.
    pub upload: Option<Upload<'a>>,
    /// The parameters that are given.
    pub parameters: Vec<Parameter>,
    /// Which steps run, if not all of them.
    pub selected: Option<Selected<'a>>,
}

/// The steps that run alone.
#[derive(Debug)]
pub struct Selected<'a> {
    /// Their names.
    pub runs: Vec<&'a str>,
    /// What they wait for.
    pub takes: Vec<&'a str>,
    /// The execution that stands in for that.
    pub source: Option<&'a Source>,
}

/// An object to be there before the execution starts.
#[derive(Debug)]
pub struct Upload<'a> {
    /// Its bucket.
    pub bucket: &'a str,
    /// Its key, made of the content's hash.
    pub key: String,
    /// The content.
    pub content: &'a [u8],
    /// What is there now: the size of the object.
    pub seen: Seen<u64>,
}

/// What has to be done so that an execution of this definition with this input is started.
#[must_use]
pub fn run(wanted: Wanted<'_>, pipeline: &Seen<Pipeline>) -> Vec<Action> {
    let mut actions = Vec::new();
    actions.extend(wanted.upload.as_ref().map(upload_action));
    actions.push(pipeline_action(&wanted, pipeline));
    actions.push(start_action(wanted));
    actions
}

fn start_action(wanted: Wanted<'_>) -> Action {
    let Wanted { site, parameters, selected, .. } = wanted;
    let source = selected.as_ref().and_then(|selected| selected.source);
    let mut because = Vec::new();
    if let Some(Selected { runs, takes, source }) = &selected {
        because.push(format!("only {}", runs.join(", ")));
        if let (Some(source), false) = (source, takes.is_empty()) {
            because.push(format!("with what {} left in execution {}", takes.join(", "), execution::id(&source.arn)));
        }
    }
    because.push(match source {
        Some(source) => {
            let inherited = |it: &&Parameter| source.parameters.contains(&(it.name.clone(), it.value.clone()));
            match names(parameters.iter().filter(|it| !inherited(it))).as_str() {
                "" => "parameters as there".to_owned(),
                changed => format!("parameters as there, but {changed}"),
            }
        }
        None => format!("given {}, the rest by default", names(parameters.iter())),
    });
    let selective = selected.as_ref().map(|selected| Selective {
        steps: selected.runs.iter().map(|&step| step.to_owned()).collect(),
        source: source.map(|source| source.arn.clone()),
    });
    let start = Operation::StartPipelineExecution { pipeline: site.pipeline.clone(), parameters, selective };
    Action::new(Verdict::Start, "execution", &site.pipeline, because.join("; "), vec![start])
}

fn names<'a>(parameters: impl Iterator<Item = &'a Parameter>) -> String {
    parameters.map(|it| it.name.as_str()).collect::<Vec<_>>().join(", ")
}

fn upload_action(upload: &Upload<'_>) -> Action {
    let name = format!("s3://{}/{}", upload.bucket, upload.key);
    if upload.seen == Seen::Present(upload.content.len() as u64) {
        return Action::keep("input", name, "an object of this content is there");
    }
    let put = Operation::PutObject {
        bucket: upload.bucket.to_owned(),
        key: upload.key.clone(),
        bytes: upload.content.len(),
        content: Content(upload.content.to_vec()),
    };
    let because = match &upload.seen {
        Seen::Unknown(why) => format!("{} bytes; whether they are there is not known ({why})", upload.content.len()),
        _ => format!("{} bytes that are not there yet", upload.content.len()),
    };
    Action::new(Verdict::Create, "input", name, because, vec![put])
}

fn pipeline_action(wanted: &Wanted<'_>, seen: &Seen<Pipeline>) -> Action {
    let (site, name) = (wanted.site, &wanted.site.pipeline);
    let deployed = match seen {
        Seen::Present(deployed) => deployed,
        Seen::Unknown(why) => return Action::new(Verdict::Unknown, "pipeline", name, why, Vec::new()),
        Seen::Absent => {
            let create = Operation::CreatePipeline {
                name: name.clone(),
                description: "Trains, evaluates and registers a paraphrase classifier".to_owned(),
                definition: wanted.definition.to_owned(),
                role: site.role.clone(),
                tags: site.tags.clone(),
            };
            return Action::new(Verdict::Create, "pipeline", name, "it does not exist", vec![create]);
        }
    };
    let mut operations = Vec::new();
    let mut because = Vec::new();
    if !same_definition(&deployed.definition, wanted.definition) {
        because.push("its definition differs");
    }
    if deployed.role != site.role {
        because.push("its role differs");
    }
    if !because.is_empty() {
        operations.push(Operation::UpdatePipeline {
            name: name.clone(),
            definition: wanted.definition.to_owned(),
            role: site.role.clone(),
        });
    }
    let tags = missing_tags(&site.tags, &deployed.tags);
    if !tags.is_empty() {
        because.push("its tags differ");
        operations.push(Operation::AddTags { arn: deployed.arn.clone(), tags });
    }
    if operations.is_empty() {
        return Action::keep("pipeline", name, "definition, role and tags are the deployed ones");
    }
    Action::new(Verdict::Update, "pipeline", name, because.join("; "), operations)
}

/// By meaning: the order of members and white space do not count.
fn same_definition(one: &str, other: &str) -> bool {
    match (serde_json::from_str::<Value>(one), serde_json::from_str::<Value>(other)) {
        (Ok(one), Ok(other)) => one == other,
        _ => one == other,
    }
}

fn missing_tags(wanted: &[Tag], deployed: &BTreeMap<String, String>) -> Vec<Tag> {
    wanted.iter().filter(|tag| deployed.get(&tag.key) != Some(&tag.value)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{Settings, Sources};

    fn tag(key: &str, value: &str) -> Tag {
        Tag { key: key.into(), value: value.into() }
    }

    #[track_caller]
    fn check(seen: Seen<Pipeline>, verdict: Verdict, calls: &[&str]) {
        let settings = Settings::resolve(&Sources::default()).unwrap();
        let site = Site { tags: vec![tag("Project", "sts")], ..Site::new(&settings, "111122223333", Some("r")) };
        let definition = r#"{"Version": "2020-12-01", "Steps": []}"#;
        let wanted = Wanted { site: &site, definition, upload: None, parameters: vec![], selected: None };
        let action = pipeline_action(&wanted, &seen);
        let made: Vec<_> = action.operations.iter().map(Operation::call).collect();
        assert_eq!((action.verdict, made.as_slice()), (verdict, calls), "{seen:?}");
    }

    fn deployed(definition: &str, role: &str, project: &str) -> Seen<Pipeline> {
        Seen::Present(Pipeline {
            arn: "arn".into(),
            definition: definition.into(),
            role: role.into(),
            // A tag of somebody else's is no difference.
            tags: [("Project", project), ("Team", "x")].map(|(key, value)| (key.into(), value.into())).into(),
        })
    }

    #[test]
    fn a_pipeline_is_made_changed_or_left_alone() {
        const SAME: &str = r#"{"Steps":[],"Version":"2020-12-01"}"#;
        check(Seen::Absent, Verdict::Create, &["sagemaker:CreatePipeline"]);
        check(deployed(SAME, "r", "sts"), Verdict::Keep, &[]);
        check(deployed("{}", "r", "sts"), Verdict::Update, &["sagemaker:UpdatePipeline"]);
        check(deployed(SAME, "other", "sts"), Verdict::Update, &["sagemaker:UpdatePipeline"]);
        check(deployed(SAME, "r", "other"), Verdict::Update, &["sagemaker:AddTags"]);
        check(deployed("{}", "r", "other"), Verdict::Update, &["sagemaker:UpdatePipeline", "sagemaker:AddTags"]);
        check(Seen::Unknown("403".into()), Verdict::Unknown, &[]);
    }

    #[test]
    fn a_start_says_what_runs_and_with_what() {
        #[track_caller]
        fn check(runs: &[&str], takes: &[&str], source: Option<&Source>, parameters: &[(&str, &str)], because: &str) {
            let settings = Settings::resolve(&Sources::default()).unwrap();
            let site = Site::new(&settings, "111122223333", Some("r"));
            let selected = (!runs.is_empty()).then(|| Selected { runs: runs.to_vec(), takes: takes.to_vec(), source });
            let parameters =
                parameters.iter().map(|&(name, value)| Parameter { name: name.into(), value: value.into() });
            let parameters = parameters.collect();
            let action = start_action(Wanted { site: &site, definition: "{}", upload: None, parameters, selected });
            assert_eq!(action.because, because);
        }
        let parameters = vec![("A".to_owned(), "1".to_owned()), ("B".to_owned(), "2".to_owned())];
        let source = &Source { arn: "arn:x/execution/abc".into(), parameters };
        check(&[], &[], None, &[("A", "1")], "given A, the rest by default");
        check(&["P", "T"], &[], None, &[("A", "1")], "only P, T; given A, the rest by default");
        let taken = "only T; with what P left in execution abc; parameters as there";
        check(&["T"], &["P"], Some(source), &[("A", "1"), ("B", "2")], taken);
        check(&["T"], &["P"], Some(source), &[("A", "1"), ("B", "3")], &format!("{taken}, but B"));
        check(&["P"], &[], Some(source), &[("A", "1"), ("B", "2")], "only P; parameters as there");
    }

    #[test]
    fn an_input_is_uploaded_once() {
        let upload = |seen| Upload { bucket: "b", key: "k".into(), content: b"abc", seen };
        assert_eq!(upload_action(&upload(Seen::Absent)).verdict, Verdict::Create);
        assert_eq!(upload_action(&upload(Seen::Present(2))).verdict, Verdict::Create);
        assert_eq!(upload_action(&upload(Seen::Present(3))).verdict, Verdict::Keep);
        assert_eq!(upload_action(&upload(Seen::Unknown("403".into()))).verdict, Verdict::Create);
    }
}
