//! Other people's steps: what a map of images says, `/opt/ml`, script mode, and limits.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sagemaker_fake::Fake;
use sagemaker_fake::jobs::programs::Programs;
use sagemaker_fake::jobs::{Job, Kind, Status};
use serde_json::{Value, json};

use crate::account::{Account, BUCKET, Meeting, channel, input, output, patiently, processing_job, programs, training_job};

/// An image that is mapped to nothing but this machine's own programs, or what a test adds.
const IMAGE: &str = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3";

/// A map of images in a file.
struct Map {
    folder: tempfile::TempDir,
}

impl Map {
    /// That maps the image with these lines.
    fn new(lines: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let text = format!("[[image]]\nuri = \"*/sagemaker-scikit-learn:*\"\n{lines}\n");
        fs::write(folder.path().join("images.toml"), text).unwrap();
        Self { folder }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("images.toml")
    }

    fn programs(&self) -> Programs {
        programs().file(&self.path()).unwrap()
    }

    fn account(&self) -> Account {
        Account::of(Fake::builder().programs(self.programs()).build().unwrap())
    }

    /// On a machine that cannot show the files of a job as `/opt/ml`.
    fn relocated(&self) -> Account {
        Account::of(Fake::builder().programs(self.programs().relocated()).build().unwrap())
    }
}

/// A processing job of the image.
fn processing(name: &str, entrypoint: &[&str], arguments: &[&str]) -> Value {
    let mut request = processing_job(name, "");
    request["AppSpecification"] = json!({"ImageUri": IMAGE, "ContainerEntrypoint": entrypoint});
    if !arguments.is_empty() {
        request["AppSpecification"]["ContainerArguments"] = json!(arguments);
    }
    request
}

/// A training job of the image, with these hyperparameters and the code in S3.
fn training(name: &str, hyperparameters: Value) -> Value {
    let mut request = training_job(name, "");
    request["AlgorithmSpecification"] = json!({"TrainingImage": IMAGE, "TrainingInputMode": "File"});
    request["HyperParameters"] = hyperparameters;
    request
}

/// The hyperparameters of script mode as AWS's SDK writes them, and further ones.
fn script(program: &str, further: &[(&str, &str)]) -> Value {
    let mut all = json!({
        "sagemaker_program": format!("\"{program}\""),
        "sagemaker_submit_directory": format!("\"s3://{BUCKET}/code/sourcedir.tar.gz\""),
        "sagemaker_container_log_level": "20",
        "sagemaker_region": "\"eu-west-1\"",
    });
    for (name, value) in further {
        all[*name] = json!(value);
    }
    all
}

/// Puts an archive of these files where [`script`] says.
fn put_code(account: &Account, files: &[(&str, &str)]) {
    let mut tar = tar::Builder::new(flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast()));
    for (name, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, name, content.as_bytes()).unwrap();
    }
    account.put("code/sourcedir.tar.gz", tar.into_inner().unwrap().finish().unwrap());
}

/// What a job printed, without what the fake itself has to say.
fn printed(account: &Account, kind: Kind, name: &str) -> Vec<String> {
    account.log(kind, name).into_iter().filter(|line| !line.starts_with('(')).collect()
}

/// Whether this machine can show the files of a job as `/opt/ml`. A test that needs that says so if it cannot.
async fn has_opt_ml(account: &Account) -> bool {
    account.process(processing("probe", &["/bin/sh", "-c", "true"], &[])).await;
    let can = account.log(Kind::ProcessingJob, "probe").is_empty();
    if !can {
        eprintln!("nothing to test: this machine has no namespaces for /opt/ml");
    }
    can
}

const SCRIPT: &str = "set -e\ncd /opt/ml/processing\ncat input/data/a.txt > output/b.txt\necho x > /opt/ml/output/message\n\
                      echo \"$1 $DATA $PWD\"\n";

#[tokio::test]
async fn a_processing_script_finds_opt_ml() {
    let map = Map::new("environment = { DATA = \"/opt/ml/processing/data\", LEVEL = \"1\" }");
    let account = map.account();
    if !has_opt_ml(&account).await {
        return;
    }
    account.put("code/x.sh", SCRIPT);
    account.put("data/a.txt", "one");
    let mut request =
        processing("job", &["/bin/sh", "/opt/ml/processing/input/code/x.sh"], &["/opt/ml/processing/input"]);
    request["ProcessingInputs"] = json!([input("input/code", "code/x.sh"), input("input/data", "data/a.txt")]);
    request["ProcessingOutputConfig"] = json!({"Outputs": [output("output", "out")]});
    let job = account.process(request).await;
    assert_eq!((job.status, job.failure_reason), (Status::Completed, None));
    assert_eq!(account.text("out/b.txt"), "one");
    assert_eq!(job.exit_message.as_deref(), Some("x\n"));
    assert_eq!(
        account.log(Kind::ProcessingJob, "job"),
        ["/opt/ml/processing/input /opt/ml/processing/data /opt/ml/processing"]
    );
}
