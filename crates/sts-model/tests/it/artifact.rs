//! The model artefact: comes back as it went out, and is refused if it is something else.

use std::{error::Error, io::Write};

use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};
use sts_model::{
    artifact::{Artifact, FILE_NAME},
    features, sample,
};

fn artifact() -> Artifact {
    sample::model(120)
}

#[test]
fn comes_back_as_it_went_out() {
    let artifact = artifact();
    assert_eq!(Artifact::from_json(artifact.to_json().as_bytes()).unwrap(), artifact);
    let unpacked = Artifact::from_tar_gz(&artifact.to_tar_gz()).unwrap();
    assert_eq!(unpacked, artifact);
    let pair = &sample::pairs(1)[0];
    let prediction = artifact.predict_pair(&pair.sentence1, &pair.sentence2);
    assert_eq!(unpacked.predict_pair(&pair.sentence1, &pair.sentence2), prediction);
    assert_eq!(prediction.label, prediction.probability > 0.5);
}

#[test]
fn the_same_model_is_the_same_bytes() {
    let (first, second) = (artifact().to_tar_gz(), artifact().to_tar_gz());
    assert!(first == second);
    // Neither the time (bytes 4 to 8) nor the operating system (byte 9) of the machine.
    assert_eq!(first[4..10], [0, 0, 0, 0, 0, 255]);
}

#[test]
fn the_document_describes_itself() {
    let document: Value = serde_json::from_str(&artifact().to_json()).unwrap();
    assert_eq!(document["format"], "stsmodelmonitor/paraphrase-classifier");
    assert_eq!(document["features"].as_array().unwrap().len(), features::COUNT);
    for (written, feature) in document["features"].as_array().unwrap().iter().zip(features::FEATURES) {
        let Value::Object(expected) =
            json!({"name": feature.name, "description": feature.description, "source": feature.source})
        else {
            unreachable!()
        };
        assert_eq!(written.as_object().unwrap(), &expected);
    }
    assert_eq!(document["training"]["rows"], 120);
    assert!(document["training"]["gradient_norm"].as_f64().unwrap() < 1e-10);
}

/// The error of a document in which the value at `pointer` is another.
#[track_caller]
fn check(pointer: &str, value: Value, expected: &str) {
    let mut document: Value = serde_json::from_str(&artifact().to_json()).unwrap();
    *document.pointer_mut(pointer).unwrap() = value;
    let error = Artifact::from_json(document.to_string().as_bytes()).unwrap_err();
    assert_eq!(with_causes(&error), expected);
}

#[test]
fn other_documents_are_refused() {
    check("/format", json!("x"), "the document's format is \"x\", expected \"stsmodelmonitor/paraphrase-classifier\"");
    check("/version", json!(2), "the model has version 2, this program reads version 1: train it again");
    check(
        "/features/1/name",
        json!("words_9"),
        "the model's feature 2 is \"words_9\", this program computes \"words_2_min\": train it again",
    );
    check(
        "/features",
        json!([]),
        "the model's feature 1 is none, this program computes \"words_1_min\": train it again",
    );
    check("/model/means", json!([1.0]), &format!("the model's means are 1 numbers, expected {}", features::COUNT));
    check("/model/deviations/0", json!(0.0), "the model's deviations contain 0");
    check("/threshold", json!(1.0), "the model's threshold is 1, expected a number from 0 to below 1");
}

#[test]
fn damaged_documents_are_refused() {
    let text = artifact().to_json();
    for length in [0, 1, text.len() / 2, text.len() - 3] {
        let error = with_causes(&Artifact::from_json(&text.as_bytes()[..length]).unwrap_err());
        assert!(error.starts_with("the model document cannot be read: EOF"), "{error}");
    }
}

#[test]
fn damaged_archives_are_refused() {
    let archive = artifact().to_tar_gz();
    // Cut anywhere, also within the checksum at the end.
    for length in [0, 1, 9, archive.len() / 2, archive.len() - 9, archive.len() - 1] {
        let error = with_causes(&Artifact::from_tar_gz(&archive[..length]).unwrap_err());
        assert!(error.starts_with("the model archive cannot be read: it is not a complete gzip file"), "{error}");
    }
    let mut flipped = archive.clone();
    flipped[archive.len() / 2] ^= 0x10;
    let error = with_causes(&Artifact::from_tar_gz(&flipped).unwrap_err());
    assert!(error.starts_with("the model archive cannot be read: it is not a complete gzip file"), "{error}");
}

#[test]
fn archives_of_something_else_are_refused() {
    let refused = |bytes: &[u8]| with_causes(&Artifact::from_tar_gz(bytes).unwrap_err());
    assert_eq!(
        refused(&tar_gz("weights.bin", b"x")),
        "the model archive cannot be read: it contains no model.json, but [\"weights.bin\"]"
    );
    assert_eq!(refused(&gzip(&[])), "the model archive cannot be read: it contains no model.json, but []");
    assert!(
        refused(&gzip(&[7; 1024])).starts_with("the model archive cannot be read: its content is not a tar archive")
    );
    // 65 MB of zeros are 63 KB of gzip.
    assert_eq!(
        refused(&gzip(&vec![0; 65 << 20])),
        "the model archive cannot be read: it unpacks to more than 67108864 bytes"
    );
}

#[test]
fn archives_that_sagemaker_packed_are_read() {
    let artifact = artifact();
    let packed = tar_gz(&format!("./{FILE_NAME}"), artifact.to_json().as_bytes());
    assert_eq!(Artifact::from_tar_gz(&packed).unwrap(), artifact);
}

fn tar_gz(name: &str, content: &[u8]) -> Vec<u8> {
    let mut header = tar::Header::new_gnu();
    header.as_gnu_mut().unwrap().name[..name.len()].copy_from_slice(name.as_bytes());
    header.set_size(content.len() as u64);
    header.set_mode(0o600);
    header.set_cksum();
    let mut archive = tar::Builder::new(Vec::new());
    archive.append(&header, content).unwrap();
    gzip(&archive.into_inner().unwrap())
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

/// An error and its causes in one line.
fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text += &format!(": {error}");
        cause = error.source();
    }
    text
}
