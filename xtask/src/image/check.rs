//! `cargo xtask image check`: the program of an image, alone with what SageMaker would give it.
//!
//! Every step is one job of the image and one of the program that the fake runs, given the same files: what they leave
//! must be the same, to the byte. The next step gets it as its input, as it would by way of S3. Where nothing else is, not
//! even an interpreter for programs that are linked when they start, only a static program runs.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, ensure};
use container_image::Image;
use serde_json::{Value, json};
use xshell::Shell;

use super::container::Container;
use super::files::Files;
use crate::flags::ImageCheck;
use crate::forward;

/// How many bytes a registry may have to keep of the image, and every instance of a job to pull.
const SIZE_MAX: usize = 10_000_000;

/// How many rows and pairs the server is asked for at once.
const INVOKED: usize = 100;

impl ImageCheck {
    /// Goes through the steps with the image of an archive: the one that is named, or else the one that is built now.
    ///
    /// # Errors
    /// When it cannot be tried here, a step fails, or the two programs differ.
    pub fn run(self, sh: &Shell) -> anyhow::Result<ExitCode> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("the workspace has no folder")?;
        let archive = match self.archive {
            Some(archive) => archive,
            None => super::build(sh, None)?.archive,
        };
        let (image, name) = Image::from_archive(&sh.read_binary_file(&archive)?)
            .with_context(|| format!("{} cannot be tried", archive.display()))?;
        ensure!(image.size() <= SIZE_MAX, "the image has {} bytes; it may have {SIZE_MAX}", image.size());
        let folder = sh.create_temp_dir()?;
        let pair = Pair {
            image: Container::of_image(&image, &folder.path().join("image"))?,
            library: Container::of_library(&forward::built_mock(sh)?, &folder.path().join("library")),
        };
        pair.steps(&sh.read_file(root.join("mocks/data/pairs.tsv"))?)?;
        println!("{name}@{}: alone, it does what the fake's program does, to the byte", image.digest());
        Ok(ExitCode::SUCCESS)
    }
}

/// The image, and the program that the fake runs.
struct Pair {
    image: Container,
    library: Container,
}

impl Pair {
    /// From pairs of sentences to predictions.
    fn steps(&self, pairs: &str) -> anyhow::Result<()> {
        let given = processing(&["input"], &["train", "validation", "test", "vocabulary"]);
        let rows = self.job("preprocess", given.with("processing/input/pairs.tsv", pairs), &[])?;

        let arn = "arn:aws:sagemaker:eu-west-1:111122223333:training-job/train";
        let given = training(&rows, &["train", "validation", "vocabulary"])?;
        let trained = self.job("train", given, &[("TRAINING_JOB_NAME", "train"), ("TRAINING_JOB_ARN", arn)])?;

        let of_model = |part: &str, output: &str| -> anyhow::Result<Files> {
            let folder = format!("processing/{part}");
            let given = processing(&["model", part], &[output]).and(rows.moved(&folder, &folder)?);
            Ok(given.with("processing/model/model.tar.gz", trained.packed("model")?))
        };
        let evaluated = self.job("evaluate", of_model("test", "evaluation")?, &[])?;
        let report: Value = serde_json::from_slice(evaluated.get("processing/evaluation/evaluation.json")?)?;
        let mse = report["regression_metrics"]["mse"]["value"].as_f64().context("evaluation.json has no MSE")?;
        ensure!((0.0..0.3).contains(&mse), "the model's MSE is {mse}: it has learned nothing");

        let baseline = self.job("baseline", of_model("validation", "validate")?, &[])?;
        baseline.get("processing/validate/baseline.csv")?;

        // Features without their label, and pairs.
        let text = |path: &str| Ok::<_, anyhow::Error>(String::from_utf8(rows.get(path)?.to_vec())?);
        let (features, pairs) = (text("processing/test/test.csv")?, text("processing/test/pairs.tsv")?);
        let features = features.lines().filter_map(|row| Some(format!("{}\n", row.split_once(',')?.1)));
        let pairs = pairs.lines().skip(1).filter_map(|row| match row.split('\t').collect::<Vec<_>>()[..] {
            [_, _, _, first, second] => Some(format!("{}\n", json!({"sentence1": first, "sentence2": second}))),
            _ => None,
        });
        let features: String = features.take(INVOKED).collect();
        let pairs: String = pairs.take(INVOKED).collect();
        self.serve(&trained.moved("model", "model")?, &[("text/csv", &features), ("application/jsonlines", &pairs)])
    }

    /// One step, by both; what it leaves.
    fn job(&self, verb: &str, given: Files, environment: &[(&str, &str)]) -> anyhow::Result<Files> {
        let left = self.image.job(verb, &given, environment).context("the image")?;
        let expected = self.library.job(verb, &given, environment).context("the fake's program")?;
        if let Some(path) = left.difference(&expected) {
            anyhow::bail!("{verb}: the image leaves another {path} than the fake's program");
        }
        println!("{verb:<12}{} files, the same", left.len() - given.len());
        Ok(left)
    }

    fn serve(&self, given: &Files, invocations: &[(&str, &str)]) -> anyhow::Result<()> {
        let answers = self.image.serve(given, invocations).context("the image")?;
        let expected = self.library.serve(given, invocations).context("the fake's program")?;
        for ((content_type, body), (answer, expected)) in invocations.iter().zip(answers.iter().zip(&expected)) {
            let (asked, answered) = (body.lines().count(), answer.lines().count());
            ensure!(
                asked == INVOKED && answered == asked,
                "serve: {answered} answers to {asked} rows of {content_type}"
            );
            ensure!(answer == expected, "serve: the image answers {content_type} otherwise than the fake's program");
        }
        println!("{:<12}{} answers, the same", "serve", invocations.len() * INVOKED);
        Ok(())
    }
}

/// What a processing job is told: its inputs and outputs, each below a folder of its own name.
fn processing(inputs: &[&str], outputs: &[&str]) -> Files {
    let path = |name: &str| format!("/opt/ml/processing/{name}");
    let uri = |name: &str| format!("s3://sagemaker-eu-west-1-111122223333/sts/{name}");
    let input = |name: &&str| {
        let from = json!({
            "LocalPath": path(name), "S3Uri": uri(name), "S3DataDistributionType": "FullyReplicated",
            "S3DataType": "S3Prefix", "S3InputMode": "File", "S3CompressionType": "None", "S3DownloadMode": "StartOfJob",
        });
        json!({"InputName": name, "AppManaged": false, "S3Input": from, "DatasetDefinition": null})
    };
    let output = |name: &&str| {
        let to = json!({"LocalPath": path(name), "S3Uri": uri(name), "S3UploadMode": "EndOfJob"});
        json!({"OutputName": name, "AppManaged": false, "S3Output": to, "FeatureStoreOutput": null})
    };
    let job = json!({
        "ProcessingInputs": inputs.iter().map(input).collect::<Vec<_>>(),
        "ProcessingOutputConfig": {"Outputs": outputs.iter().map(output).collect::<Vec<_>>(), "KmsKeyId": null},
    });
    let cluster = json!({"current_host": "algo-1", "hosts": ["algo-1"]});
    Files::default()
        .with_json("config/processingjobconfig.json", &job)
        .with_json("config/resourceconfig.json", &cluster)
}

/// What a training job is told, and its channels: what preprocessing has left under their names.
fn training(rows: &Files, channels: &[&str]) -> anyhow::Result<Files> {
    let cluster = json!({"current_host": "algo-1", "hosts": ["algo-1"], "network_interface_name": "eth0"});
    let channel = json!({
        "ContentType": "text/csv", "TrainingInputMode": "File", "S3DistributionType": "FullyReplicated",
        "RecordWrapperType": "None",
    });
    let data: Value = channels.iter().map(|name| ((*name).to_owned(), channel.clone())).collect();
    let mut given = Files::default()
        .with_json("input/config/hyperparameters.json", &json!({"l2": "2.0"}))
        .with_json("input/config/inputdataconfig.json", &data)
        .with_json("input/config/resourceconfig.json", &cluster);
    for name in channels {
        given = given.and(rows.moved(&format!("processing/{name}"), &format!("input/data/{name}"))?);
    }
    Ok(given)
}
