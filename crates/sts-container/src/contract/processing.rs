//! A processing job: inputs and outputs are folders below `/opt/ml/processing`, which the job may choose.

use std::path::PathBuf;

use serde::Deserialize;

use super::{Instance, OptMl, config};
use crate::error::Error;

/// A processing job as its container sees it.
#[derive(Debug)]
pub(crate) struct Processing<'a> {
    opt_ml: &'a OptMl,
    /// None where nobody described the job: then all folders are the conventional ones.
    job: Option<JobConfig>,
    pub(crate) instance: Instance,
}

/// `processingjobconfig.json`, as far as it matters here.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct JobConfig {
    processing_inputs: Option<Vec<Input>>,
    processing_output_config: Option<OutputConfig>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Input {
    input_name: String,
    s3_input: Option<S3Input>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct S3Input {
    local_path: Option<String>,
    s3_data_distribution_type: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OutputConfig {
    outputs: Option<Vec<Output>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Output {
    output_name: String,
    s3_output: Option<S3Output>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct S3Output {
    local_path: Option<String>,
}

impl<'a> Processing<'a> {
    /// Reads the job's configuration.
    ///
    /// # Errors
    /// It is damaged.
    pub(crate) fn read(opt_ml: &'a OptMl) -> Result<Self, Error> {
        Ok(Self {
            opt_ml,
            job: config(&opt_ml.at("config/processingjobconfig.json"))?,
            instance: Instance::read(&opt_ml.at("config/resourceconfig.json"))?,
        })
    }

    /// The folder of an input.
    ///
    /// # Errors
    /// The job has no such input, or each instance got only a part of it.
    pub(crate) fn input(&self, name: &'static str) -> Result<PathBuf, Error> {
        let Some(job) = &self.job else { return self.folder("input", name, &conventional(name)) };
        let inputs = job.processing_inputs.iter().flatten();
        let places = inputs.filter_map(|input| {
            let s3 = input.s3_input.as_ref()?;
            Some((input.input_name.as_str(), s3.local_path.as_deref()?, s3.s3_data_distribution_type.as_deref()))
        });
        let found = named(name, places, |(name, path, _)| (name, path));
        let (_, path, distribution) = found.ok_or_else(|| not_in_job("input", name))?;
        let count = self.instance.count.get();
        if count > 1 && distribution == Some("ShardedByS3Key") {
            return Err(Error::Sharded { name, count });
        }
        self.folder("input", name, path)
    }

    /// The folder of an output. What is written elsewhere is lost when the job ends.
    ///
    /// # Errors
    /// The job has no such output.
    pub(crate) fn output(&self, name: &'static str) -> Result<PathBuf, Error> {
        let Some(job) = &self.job else { return self.folder("output", name, &conventional(name)) };
        let outputs = job.processing_output_config.iter().flat_map(|config| config.outputs.iter().flatten());
        let places = outputs.filter_map(|output| {
            Some((output.output_name.as_str(), output.s3_output.as_ref()?.local_path.as_deref()?))
        });
        let (_, path) = named(name, places, |place| place).ok_or_else(|| not_in_job("output", name))?;
        self.folder("output", name, path)
    }

    /// The folder of an output that the job may lack.
    ///
    /// # Errors
    /// The job has the output, at no place of ours.
    pub(crate) fn optional_output(&self, name: &'static str) -> Result<Option<PathBuf>, Error> {
        match self.output(name) {
            Err(Error::NotInJob { .. }) => Ok(None),
            found => found.map(Some),
        }
    }

    fn folder(&self, kind: &'static str, name: &str, local_path: &str) -> Result<PathBuf, Error> {
        let relative = local_path
            .strip_prefix("/opt/ml/")
            .filter(|relative| relative.starts_with("processing/") && relative.split('/').all(|part| part != ".."));
        match relative {
            Some(relative) => Ok(self.opt_ml.at(relative.trim_end_matches('/'))),
            None => Err(Error::LocalPath { kind, name: name.to_owned(), path: local_path.to_owned() }),
        }
    }
}

/// Where an input or output is unless the job says otherwise.
fn conventional(name: &str) -> String {
    format!("/opt/ml/processing/{name}")
}

fn not_in_job(kind: &'static str, name: &'static str) -> Error {
    Error::NotInJob { kind, name, conventional: conventional(name) }
}

/// The place of this name; else the one with the conventional folder, for clients that make up the names (`input-1`).
fn named<'a, T: Copy>(
    name: &str,
    places: impl Iterator<Item = T>,
    name_and_path: fn(T) -> (&'a str, &'a str),
) -> Option<T> {
    let places: Vec<T> = places.collect();
    let of_name = places.iter().find(|place| name_and_path(**place).0 == name);
    let conventional = conventional(name);
    of_name
        .or_else(|| places.iter().find(|place| name_and_path(**place).1.trim_end_matches('/') == conventional))
        .copied()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// What a job's description says of its inputs and outputs; the shape is that of a real job.
    fn job(input: &str, outputs: &str) -> String {
        format!(
            r#"{{"ProcessingJobArn": "arn:aws:sagemaker:eu-west-1:111122223333:processing-job/job", "ProcessingJobName": "job",
            "Environment": {{}}, "AppSpecification": {{"ImageUri": "image", "ContainerEntrypoint": null, "ContainerArguments": null}},
            "ProcessingInputs": [{{{input}, "S3Uri": "s3://bucket/in", "S3DataType": "S3Prefix", "S3InputMode": "File",
                "S3CompressionType": "None", "S3DownloadMode": "StartOfJob"}}, "AppManaged": false, "DatasetDefinition": null}}],
            "ProcessingOutputConfig": {{"Outputs": [{outputs}], "KmsKeyId": null}},
            "RoleArn": "arn:aws:iam::111122223333:role/role", "StoppingCondition": {{"MaxRuntimeInSeconds": 3600}}}}"#
        )
    }

    fn input(name: &str, path: &str) -> String {
        format!(
            r#""InputName": "{name}", "S3Input": {{"LocalPath": "{path}", "S3DataDistributionType": "FullyReplicated""#
        )
    }

    fn output(name: &str, path: &str) -> String {
        format!(
            r#"{{"OutputName": "{name}", "AppManaged": false, "FeatureStoreOutput": null,
            "S3Output": {{"LocalPath": "{path}", "S3Uri": "s3://bucket/out", "S3UploadMode": "EndOfJob"}}}}"#
        )
    }

    fn with_job<T>(config: Option<String>, hosts: usize, use_it: impl FnOnce(Processing) -> T) -> T {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("config")).unwrap();
        if let Some(config) = config {
            fs::write(folder.path().join("config/processingjobconfig.json"), config).unwrap();
        }
        let hosts: Vec<_> = (1..=hosts).map(|host| format!("\"algo-{host}\"")).collect();
        let resources = format!(r#"{{"current_host": "algo-1", "hosts": [{}]}}"#, hosts.join(", "));
        fs::write(folder.path().join("config/resourceconfig.json"), resources).unwrap();
        let opt_ml = OptMl::new(folder.path().into());
        use_it(Processing::read(&opt_ml).unwrap())
    }

    #[test]
    fn folders_of_inputs_and_outputs() {
        fn check(config: Option<String>, expected: Result<(&str, &str), &str>) {
            with_job(config, 1, |job| {
                let found = job.input("model").and_then(|input| Ok((input, job.output("evaluation")?)));
                match expected {
                    Ok((input, output)) => {
                        assert_eq!(found.unwrap(), (job.opt_ml.at(input), job.opt_ml.at(output)));
                    }
                    Err(reason) => {
                        let error = found.unwrap_err().to_string();
                        assert!(error.contains(reason), "{error}");
                    }
                }
            });
        }
        const MODEL: &str = "/opt/ml/processing/model";
        const EVALUATION: &str = "/opt/ml/processing/evaluation";
        let usual = output("evaluation", EVALUATION);
        check(None, Ok(("processing/model", "processing/evaluation")));
        check(Some(job(&input("model", MODEL), &usual)), Ok(("processing/model", "processing/evaluation")));
        check(
            Some(job(
                &input("model", "/opt/ml/processing/a/b/"),
                &output("evaluation", "/opt/ml/processing/input/data/out"),
            )),
            Ok(("processing/a/b", "processing/input/data/out")),
        );
        check(Some(job(&input("input-1", MODEL), &usual)), Ok(("processing/model", "processing/evaluation")));
        check(Some(job(&input("input-1", "/opt/ml/processing/in"), &usual)), Err("the job has no input \"model\""));
        check(Some(job(&input("model", MODEL), "")), Err("the job has no output \"evaluation\""));
        check(Some(job(&input("model", "/tmp/model"), &usual)), Err("LocalPath \"/tmp/model\""));
        check(Some(job(&input("model", "/opt/ml/processing/../../etc"), &usual)), Err("must be a folder below"));
        check(Some("{}".to_owned()), Err("the job has no input \"model\""));
    }

    #[test]
    fn every_instance_must_see_the_whole_input() {
        let sharded = input("input", "/opt/ml/processing/input").replace("FullyReplicated", "ShardedByS3Key");
        let job = job(&sharded, "");
        with_job(Some(job.clone()), 1, |job| job.input("input").map(drop)).unwrap();
        let error = with_job(Some(job), 2, |job| job.input("input")).unwrap_err().to_string();
        assert!(error.contains("ShardedByS3Key over 2 instances"), "{error}");
    }
}
