//! All steps, one after the other: each must make of the step before what the model library makes of the pairs.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Child, Stdio},
};

use sts_model::{
    artifact::Artifact,
    features,
    logistic::Params,
    pairs::{Labels, Pair, Reader},
    rows, sample,
    split::Part,
    validation,
    vocabulary::Vocabulary,
};

use crate::tree::Tree;

const PAIRS: usize = 600;

#[test]
fn from_pairs_to_predictions() {
    let tree = Tree::new();
    let pairs = sample::pairs(PAIRS);
    // Several files make one input, also in folders of their own.
    tree.put("processing/input/a.tsv", sample::tsv(&pairs[..200]));
    tree.put("processing/input/more/b.tsv", sample::tsv(&pairs[200..]));
    tree.done("preprocess");
    let of_part = |part| pairs.iter().filter(move |pair| Part::of(pair) == part);
    let vocabulary = Vocabulary::from_json(tree.text("processing/vocabulary/vocabulary.json").as_bytes()).unwrap();
    assert_eq!(vocabulary.sentences(), 2 * of_part(Part::Train).count() as u64);
    for part in Part::ALL {
        let mut expected = String::new();
        for Pair { label, sentence1, sentence2, .. } in of_part(part) {
            rows::write_labelled(&mut expected, label.unwrap(), &features::extract(sentence1, sentence2, &vocabulary));
        }
        assert!(tree.text(&format!("processing/{0}/{0}.csv", part.name())) == expected, "{part:?}");
    }
    let test: Vec<Pair> = of_part(Part::Test).cloned().collect();
    let written = tree.text("processing/test/pairs.tsv");
    let read: Result<Vec<_>, _> = Reader::new(written.as_bytes(), Labels::Required).unwrap().collect();
    assert_eq!(read.unwrap(), test);
    let (count, positives) = (test.len(), test.iter().filter(|pair| pair.label == Some(true)).count());
    let share = 100.0 * positives as f64 / count as f64;
    let message = tree.text("output/message");
    assert!(message.contains(&format!("test {count} ({share:.1}% paraphrases)")), "{message}");

    for channel in ["train", "validation", "vocabulary"] {
        tree.copy(&format!("processing/{channel}"), &format!("input/data/{channel}"));
    }
    tree.put(
        "input/config/hyperparameters.json",
        r#"{"l2": "2.0", "threshold": "0.55", "sagemaker_region": "eu-west-1"}"#,
    );
    tree.put("input/config/resourceconfig.json", r#"{"current_host": "algo-1", "hosts": ["algo-1"]}"#);
    let log = tree.done("train");
    assert_eq!(tree.files("model"), ["model.json"]);
    let artifact = Artifact::from_json(tree.text("model/model.json").as_bytes()).unwrap();
    assert_eq!((artifact.hyperparameters.l2, artifact.threshold), (2.0, 0.55));
    // Who evaluates a model without a pipeline fits the very same.
    let params = Params { l2: 2.0, ..Params::default() }.check().unwrap();
    let mut fitted = validation::fit(of_part(Part::Train), params).unwrap();
    fitted.threshold = 0.55;
    assert!(artifact == fitted);
    assert_eq!(artifact.training.rows, of_part(Part::Train).count() as u64);
    assert!(artifact.training.gradient_norm < 1e-10);
    assert_eq!(artifact.vocabulary, vocabulary);
    let right = |pair: &&Pair| artifact.predict_pair(&pair.sentence1, &pair.sentence2).label == pair.label.unwrap();
    let accuracy = of_part(Part::Validation).filter(right).count() as f64 / of_part(Part::Validation).count() as f64;
    // As a job's metric definition finds it.
    let found = log.split("validation:accuracy=").nth(1).unwrap().split(';').next().unwrap();
    assert!((found.parse::<f64>().unwrap() - accuracy).abs() < 1e-12, "{found} {accuracy}");

    tree.pack_model();
    tree.done("evaluate");
    let evaluation: serde_json::Value =
        serde_json::from_str(&tree.text("processing/evaluation/evaluation.json")).unwrap();
    let mse = evaluation["regression_metrics"]["mse"]["value"].as_f64().unwrap();
    let wrong = test.iter().filter(|pair| !right(pair)).count() as f64 / count as f64;
    assert!((mse - wrong).abs() < 1e-12, "{mse} {wrong}");
    let constant = &evaluation["binary_classification_metrics"]["accuracy_best_constant_classifier"]["value"];
    let expected = positives.max(count - positives) as f64 / count as f64;
    assert!((constant.as_f64().unwrap() - expected).abs() < 1e-12, "{constant} {expected}");
    assert!(mse < 1.0 - expected, "the model is better than a constant: {mse}");

    tree.done("baseline");
    let baseline = tree.text("processing/validate/baseline.csv");
    let mut lines = baseline.lines();
    assert_eq!(lines.next(), Some("prediction,probability,label"));
    let lines: Vec<&str> = lines.collect();
    let expected: Vec<String> = of_part(Part::Validation)
        .map(|pair| {
            let prediction = artifact.predict_pair(&pair.sentence1, &pair.sentence2);
            format!("{},{},{}", u8::from(prediction.label), prediction.probability, u8::from(pair.label.unwrap()))
        })
        .collect();
    assert_eq!(lines, expected);

    let server = Server::start(&tree);
    let ping = server.send("GET /ping HTTP/1.1\r\n", "");
    assert!(ping.starts_with("HTTP/1.1 200 OK\r\n"), "{ping}");
    // The validation rows once more: without their label they get the answers that are in the baseline.
    let validation = tree.text("processing/validation/validation.csv");
    let body: String = validation.lines().map(|row| row.split_once(',').unwrap().1.to_owned() + "\n").collect();
    let answer = server.send("POST /invocations HTTP/1.1\r\nContent-Type: text/csv\r\n", &body);
    let answers: Vec<&str> = answer.split_once("\r\n\r\n").unwrap().1.lines().collect();
    let without_label: Vec<&str> = lines.iter().map(|line| line.rsplit_once(',').unwrap().0).collect();
    assert_eq!(answers, without_label);
}

/// What framework images set does not matter, nor does where a job wants its inputs and outputs.
#[test]
fn folders_are_those_of_the_job() {
    let usual = Tree::of_pipeline(300);
    usual.done("evaluate");
    let tree = Tree::new();
    tree.put("processing/artefact/model.tar.gz", std::fs::read(usual.path("processing/model/model.tar.gz")).unwrap());
    tree.put("processing/in/rows/test.csv", usual.text("processing/test/test.csv"));
    let input = |name: &str, path: &str| serde_json::json!({"InputName": name, "S3Input": {"LocalPath": path, "S3DataDistributionType": "FullyReplicated"}});
    let config = serde_json::json!({
        "ProcessingInputs": [
            input("model", "/opt/ml/processing/artefact"),
            input("test", "/opt/ml/processing/in/rows/"),
        ],
        "ProcessingOutputConfig": {"Outputs": [
            {"OutputName": "evaluation", "S3Output": {"LocalPath": "/opt/ml/processing/out"}, "FeatureStoreOutput": null},
        ]},
    });
    tree.put("config/processingjobconfig.json", config.to_string());
    let mut command = tree.command("evaluate");
    command.envs([("SM_MODEL_DIR", "/nowhere"), ("SM_CHANNELS", "[\"nothing\"]"), ("SM_HOSTS", "[]")]);
    assert_cmd::Command::from_std(command).assert().success();
    assert_eq!(tree.text("processing/out/evaluation.json"), usual.text("processing/evaluation/evaluation.json"));
}

/// The binary as a server, until it is dropped.
pub(crate) struct Server {
    pub(crate) process: Child,
    address: String,
}

impl Server {
    /// Starts it, and waits until the model is loaded.
    pub(crate) fn start(tree: &Tree) -> Self {
        let mut command = tree.command("serve");
        command.args(["--listen", "127.0.0.1:0"]).stdout(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines().map(Result::unwrap);
        let address = lines.next().unwrap().strip_prefix("listening on ").unwrap().to_owned();
        assert!(lines.next().unwrap().starts_with("model of "));
        Self { process, address }
    }

    /// Sends one request, of which the first lines are given, and gives the whole answer.
    pub(crate) fn send(&self, head: &str, body: &str) -> String {
        let mut connection = TcpStream::connect(&self.address).unwrap();
        let length = body.len();
        write!(connection, "{head}Host: localhost\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}")
            .unwrap();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).unwrap();
        answer
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A pipeline that hands no word counts on: preprocessing uses none either, so that serving computes the same features.
#[test]
fn without_word_counts() {
    let tree = Tree::new();
    tree.put("processing/input/pairs.tsv", sample::tsv(&sample::pairs(PAIRS)));
    let output = |name: &str| serde_json::json!({"OutputName": name, "S3Output": {"LocalPath": format!("/opt/ml/processing/{name}")}});
    let input = serde_json::json!({"InputName": "input-1", "S3Input": {"LocalPath": "/opt/ml/processing/input"}});
    let outputs = ["train", "validation", "test"].map(output);
    let outputs = serde_json::json!({"Outputs": outputs});
    let job = serde_json::json!({"ProcessingInputs": [input], "ProcessingOutputConfig": outputs});
    tree.put("config/processingjobconfig.json", job.to_string());
    tree.done("preprocess");
    assert!(!tree.path("processing/vocabulary").exists());
    tree.copy("processing/train", "input/data/train");
    tree.done("train");

    let artifact = Artifact::from_json(tree.text("model/model.json").as_bytes()).unwrap();
    assert!(artifact.vocabulary.is_empty());
    let pair = sample::pairs(PAIRS).into_iter().find(|pair| Part::of(pair) == Part::Train).unwrap();
    let mut row = String::new();
    let features = features::extract(&pair.sentence1, &pair.sentence2, &artifact.vocabulary);
    rows::write_labelled(&mut row, pair.label.unwrap(), &features);
    assert!(tree.text("processing/train/train.csv").starts_with(&row));
}
