//! The account of a document takes the place of the one that is there.
//!
//! All of it is checked before anything is changed: the version, the kinds, that every record is one and stands under
//! its own key, and that no content is missing.

use std::fs::File;
use std::io::{BufReader, Seek};
use std::path::Path;
use std::sync::Arc;

use serde_json::Value;

use crate::account::{Began, Scenario};
use crate::replace::{Incoming, replace};
use crate::store::{self, Record};
use crate::{
    ApiError, Fake, archive as tar, authorisation, clock, cloudwatch, ecr, endpoints, engine, export, iam, jobs,
    monitoring, s3, sagemaker, tuning,
};

/// Kinds of records, each with what reads one: it gives the key of the record, or says what is wrong with it.
type Kinds = &'static [(&'static str, fn(&Value) -> Result<String, String>)];

macro_rules! kinds {
    ($($record:ty,)+) => {
        &[$((<$record>::KIND, key_of::<$record>),)+]
    };
}

/// Everything that an account is made of.
const KINDS: Kinds = kinds![
    Began,
    authorisation::Mark,
    clock::Offset,
    cloudwatch::Alarm,
    cloudwatch::Hour,
    cloudwatch::Metric,
    ecr::Image,
    ecr::Layer,
    ecr::Repository,
    endpoints::Endpoint,
    engine::Execution,
    iam::access_key::AccessKey,
    iam::policy::Policy,
    iam::role::Role,
    iam::User,
    jobs::Job,
    jobs::logs::Group,
    jobs::logs::Stream,
    monitoring::Execution,
    monitoring::Schedule,
    s3::Bucket,
    s3::Object,
    s3::Part,
    s3::Upload,
    sagemaker::endpoint_config::EndpointConfig,
    sagemaker::model::Model,
    sagemaker::model_package::ModelPackage,
    sagemaker::model_package_group::ModelPackageGroup,
    sagemaker::monitoring_job_definition::JobDefinition,
    sagemaker::pipeline::Pipeline,
    sagemaker::pipeline_version::PipelineVersion,
    sagemaker::tags::ResourceTags,
    tuning::TuningJob,
];

fn key_of<R: Record>(record: &Value) -> Result<String, String> {
    R::deserialize(record).map(|record: R| record.key()).map_err(|error| error.to_string())
}

/// Imports a document whose records refer to no contents.
///
/// # Errors
/// `ValidationException` for a document that cannot be taken; those of [`crate::replace::reset`]. Then the account is as
/// it was.
pub async fn state(fake: &Fake, document: Value) -> Result<(), ApiError> {
    replace(fake, move |fake, files| put(fake, &document, files)).await
}

/// Imports an archive.
///
/// # Errors
/// Those of [`state`].
pub async fn archive(fake: &Fake, mut archive: File) -> Result<(), ApiError> {
    replace(fake, move |fake, files| {
        archive.rewind().map_err(ApiError::internal)?;
        let document = tar::unpack(BufReader::new(archive), files);
        let document =
            document.map_err(|error| ApiError::validation(format!("the archive cannot be taken: {error}")))?;
        put(fake, &document, files)
    })
    .await
}

fn put(fake: &Fake, document: &Value, files: &Path) -> Result<Arc<Scenario>, ApiError> {
    let refused = |why: String| ApiError::validation(format!("the state cannot be taken: {why}"));
    let records = records(document).map_err(refused)?;
    for (what, file, size) in export::contents(document) {
        let there = std::fs::metadata(files.join(file)).map(|there| there.len());
        match there {
            Ok(length) if length == size => {}
            Ok(length) => return Err(refused(format!("the content of {what} has {length} bytes, not {size}"))),
            Err(_) => return Err(refused(format!("the content of {what} is not in it; an archive has contents too"))),
        }
    }
    let scenario = document["account"][Began::KEY]["scenario"].as_str();
    let scenario = scenario.map_or_else(|| Ok(Scenario::ready()), Scenario::named).map_err(refused)?;
    if scenario.account != fake.account() {
        return Err(refused(format!("it is of account {}, and this is {}", scenario.account, fake.account())));
    }
    fake.store.write(|change| {
        change.clear()?;
        change.put(&Incoming {})?;
        records.iter().try_for_each(|(kind, key, record)| change.put_value(kind, key, record))
    })?;
    Ok(Arc::new(scenario))
}

/// The records of a document. The error is a sentence.
fn records(document: &Value) -> Result<Vec<(&str, &str, &Value)>, String> {
    match document.get(export::VERSION) {
        Some(version) if *version == store::VERSION => {}
        Some(version) => return Err(format!("its version is {version}, and this program reads {}", store::VERSION)),
        None => return Err(format!("it has no `{}`", export::VERSION)),
    }
    let kinds = document.as_object().into_iter().flatten().filter(|(kind, _)| *kind != export::VERSION);
    let mut all = Vec::new();
    for (kind, records) in kinds {
        let known = KINDS.iter().find(|(known, _)| known == kind);
        let (_, read) = known.ok_or_else(|| format!("there is no kind of record `{kind}`"))?;
        let records = records.as_object().ok_or_else(|| format!("`{kind}` is no table of records"))?;
        for (key, record) in records {
            let own = read(record).map_err(|error| format!("{kind} {key}: {error}"))?;
            if own != *key {
                return Err(format!("{kind} {key}: its own key is {own}"));
            }
            all.push((kind.as_str(), key.as_str(), record));
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_no_state_is_refused() {
        #[track_caller]
        fn check(document: Value, expected: &str) {
            let said = records(&document).unwrap_err();
            assert!(said.starts_with(expected), "{said}");
        }
        check(json!([]), "it has no `version`");
        check(json!({"version": 1}), "its version is 1, and this program reads 3");
        check(json!({"version": 3, "buckets": {}}), "there is no kind of record `buckets`");
        check(json!({"version": 3, "bucket": []}), "`bucket` is no table of records");
        check(json!({"version": 3, "clock": {"offset": {}}}), "clock offset: missing field `ms`");
        check(json!({"version": 3, "clock": {"offsets": {"ms": 1}}}), "clock offsets: its own key is offset");
        assert_eq!(records(&json!({"version": 3, "clock": {"offset": {"ms": 1}}})).unwrap().len(), 1);
    }

    /// Whoever adds a kind of record adds it here, or says that it is no part of an account.
    #[test]
    fn every_kind_is_read() {
        let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
        let mut found = Vec::new();
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let text = std::fs::read_to_string(path).unwrap();
                    let text = text.split("#[cfg(test)]").next().unwrap_or_default();
                    let kinds = text.split("const KIND: &'static str = \"").skip(1);
                    found.extend(kinds.filter_map(|rest| rest.split('"').next()).map(str::to_owned));
                }
            }
        }
        found.sort();
        let mut known: Vec<_> = KINDS.iter().map(|(kind, _)| *kind).chain(export::LEFT_OUT).collect();
        known.sort_unstable();
        assert_eq!(found, known);
    }
}
