//! The input, the pipeline and its execution.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::observe::{Pipeline, Seen};
use crate::plan::{Action, Content, Operation, Parameter, Tag, Verdict};
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
    /// The parameters that differ from their defaults.
    pub parameters: Vec<Parameter>,
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
    let given = wanted.parameters.iter().map(|it| it.name.as_str()).collect::<Vec<_>>().join(", ");
    let start =
        Operation::StartPipelineExecution { pipeline: wanted.site.pipeline.clone(), parameters: wanted.parameters };
    actions.push(Action::new(
        Verdict::Start,
        "execution",
        &wanted.site.pipeline,
        format!("given {given}, the rest by default"),
        vec![start],
    ));
    actions
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
        let wanted = Wanted { site: &site, definition, upload: None, parameters: vec![] };
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
    fn an_input_is_uploaded_once() {
        let upload = |seen| Upload { bucket: "b", key: "k".into(), content: b"abc", seen };
        assert_eq!(upload_action(&upload(Seen::Absent)).verdict, Verdict::Create);
        assert_eq!(upload_action(&upload(Seen::Present(2))).verdict, Verdict::Create);
        assert_eq!(upload_action(&upload(Seen::Present(3))).verdict, Verdict::Keep);
        assert_eq!(upload_action(&upload(Seen::Unknown("403".into()))).verdict, Verdict::Create);
    }
}
