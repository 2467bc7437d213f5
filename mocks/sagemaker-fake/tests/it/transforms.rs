//! Batch transform: a model that is really served, asked for inferences of real objects.

use std::io::Write;

use aws_sdk_sagemaker::types::TransformJobStatus;
use pipeline_definition::Definition;
use pipeline_definition::cache::Verdict;
use sagemaker_fake::engine::{self, ExecutionStatus};
use sagemaker_fake::jobs::{Job, Kind, Status};
use sagemaker_fake::testing::FakeAws;
use sagemaker_fake::{ApiError, Fake, s3};
use serde_json::{Value, json};

use crate::account::{Account, BUCKET, ROLE, SHELL, STS, patiently, programs};
use crate::clients::{REGION, sagemaker, said};
use crate::hosting::{model, row};

/// With the model `sts`.
fn account() -> Account {
    let account = Account::new();
    account.put("model.tar.gz", model());
    create_model(&account, "sts", STS).unwrap();
    account
}

fn create_model(account: &Account, name: &str, image: &str) -> Result<Value, ApiError> {
    let container = json!({"Image": image, "ModelDataUrl": format!("s3://{BUCKET}/model.tar.gz")});
    account.call("CreateModel", json!({"ModelName": name, "ExecutionRoleArn": ROLE, "PrimaryContainer": container}))
}

/// A job that scores `rows` line by line, with some members otherwise.
fn request(name: &str, more: Value) -> Value {
    let mut request = json!({
        "TransformJobName": name,
        "ModelName": "sts",
        "TransformInput": {
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": format!("s3://{BUCKET}/rows")}},
            "ContentType": "text/csv",
            "SplitType": "Line",
        },
        "TransformOutput": {"S3OutputPath": format!("s3://{BUCKET}/scored/{name}"), "Accept": "text/csv", "AssembleWith": "Line"},
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
    });
    for (member, value) in more.as_object().unwrap() {
        match (request.get_mut(member).and_then(Value::as_object_mut), value.as_object()) {
            (Some(own), Some(value)) => own.extend(value.clone()),
            _ => request[member] = value.clone(),
        }
    }
    request
}

async fn transform(account: &Account, name: &str, more: Value) -> Job {
    account.call("CreateTransformJob", request(name, more)).unwrap();
    account.ended(Kind::TransformJob, name).await
}

/// `ID,FEATURES`, a line for each.
fn with_ids(ids: impl IntoIterator<Item = usize>) -> String {
    ids.into_iter().map(|id| format!("{id},{}\n", row())).collect()
}

fn lines(text: &str) -> Vec<Vec<String>> {
    text.lines().map(|line| line.split(',').map(str::to_owned).collect()).collect()
}

#[tokio::test]
async fn every_object_gets_its_inferences_in_order() {
    let account = account();
    account.put("rows/a.csv", format!("{0}\n{0}\n", row()));
    account.put("rows/more/b.csv", format!("{}\n", row()));
    for (name, strategy) in [("single", "SingleRecord"), ("multi", "MultiRecord")] {
        let job = transform(&account, name, json!({"BatchStrategy": strategy, "MaxConcurrentTransforms": 4})).await;
        assert_eq!(job.status, Status::Completed, "{job:#?}");
        let keys = [format!("scored/{name}/a.csv.out"), format!("scored/{name}/more/b.csv.out")];
        assert_eq!(account.keys(&format!("scored/{name}")), keys);
        let rows = lines(&account.text(&keys[0]));
        assert_eq!((rows.len(), rows[0].len()), (2, 2), "a prediction and a probability for each row: {rows:?}");
        assert_eq!(rows[0], rows[1]);
        let log = account.log(Kind::TransformJob, name);
        let strategy = if strategy == "SingleRecord" { "SINGLE_RECORD" } else { "MULTI_RECORD" };
        let manner =
            format!(":[sagemaker logs]: MaxConcurrentTransforms=4, MaxPayloadInMB=6, BatchStrategy={strategy}");
        assert!(log.iter().any(|line| line.ends_with(&manner)), "{log:?}");
    }
    assert!(account.fake.folder().join("jobs").join(REGION).join("transform-job").join("single").read_dir().is_err());
}

#[tokio::test]
async fn records_are_filtered_and_joined() {
    let account = account();
    account.put("rows/a.csv", with_ids(1..=3));
    let processing = json!({"InputFilter": "$[1:]", "JoinSource": "Input", "OutputFilter": "$[0,-1]"});
    let job = transform(&account, "joined", json!({"DataProcessing": processing})).await;
    assert_eq!(job.status, Status::Completed, "{job:#?}");
    let rows = lines(&account.text("scored/joined/a.csv.out"));
    let ids: Vec<_> = rows.iter().map(|row| row[0].as_str()).collect();
    assert_eq!(ids, ["1", "2", "3"]);
    assert!(rows.iter().all(|row| row.len() == 2 && (0.0..=1.0).contains(&row[1].parse::<f64>().unwrap())), "{rows:?}");

    let pair = r#"{"id": 7, "pair": {"sentence1": "a cat", "sentence2": "a cat"}}"#;
    account.put("pairs/p.jsonl", format!("{pair}\n{pair}\n"));
    let source = json!({"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": format!("s3://{BUCKET}/pairs/p.jsonl")}});
    let json_lines = "application/jsonlines";
    let more = json!({
        "TransformInput": {"DataSource": source, "ContentType": json_lines},
        "TransformOutput": {"Accept": json_lines},
        "DataProcessing": {"InputFilter": "$.pair", "JoinSource": "Input", "OutputFilter": "$['id','SageMakerOutput']"},
    });
    let job = transform(&account, "json", more).await;
    assert_eq!(job.status, Status::Completed, "{job:#?}");
    let text = account.text("scored/json/p.jsonl.out");
    let first: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    assert_eq!((text.lines().count(), &first["id"]), (2, &json!(7)));
    assert!(first["SageMakerOutput"]["prediction"].is_number(), "{first}");
}

#[tokio::test]
async fn manifests_and_zipped_objects_are_read_whole() {
    let account = account();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(format!("{0}\n{0}", row()).as_bytes()).unwrap();
    account.put("zipped/a.csv.gz", gzip.finish().unwrap());
    account.put("zipped/other.csv.gz", "not listed");
    account.put("list.json", json!([{"prefix": format!("s3://{BUCKET}/zipped/")}, "a.csv.gz"]).to_string());
    let source = json!({"S3DataSource": {"S3DataType": "ManifestFile", "S3Uri": format!("s3://{BUCKET}/list.json")}});
    let more = json!({
        "TransformInput": {"DataSource": source, "CompressionType": "Gzip", "SplitType": "None"},
        "DataCaptureConfig": {"DestinationS3Uri": format!("s3://{BUCKET}/captured")},
    });
    let job = transform(&account, "whole", more).await;
    assert_eq!(job.status, Status::Completed, "{job:#?}");
    assert_eq!(account.keys("scored"), ["scored/whole/a.csv.gz.out"]);
    assert_eq!(lines(&account.text("scored/whole/a.csv.gz.out")).len(), 2);
    let captured: Vec<Value> =
        account.keys("captured").iter().map(|key| serde_json::from_slice(&account.read(key)).unwrap()).collect();
    let manifest = |prefix: &str, name: &str| json!([{"prefix": format!("s3://{BUCKET}/{prefix}/")}, name]);
    assert_eq!(captured, [manifest("zipped", "a.csv.gz"), manifest("scored/whole", "a.csv.gz.out")]);
}

#[tokio::test]
async fn an_object_that_fails_does_not_stop_the_others() {
    let account = account();
    account.put("rows/a.csv", "what,is,this\n");
    account.put("rows/b.csv", format!("{}\n", row()));
    let job = transform(&account, "bad", json!({})).await;
    let reason = "ClientError: See job logs for more information";
    assert_eq!((job.status, job.failure_reason.as_deref()), (Status::Failed, Some(reason)));
    assert_eq!(account.keys("scored"), ["scored/bad/b.csv.out"]);
    let log = account.log(Kind::TransformJob, "bad").join("\n");
    assert!(log.contains(&format!("{BUCKET}/rows/a.csv: ClientError: 400")), "{log}");
    assert!(log.contains(&format!("{BUCKET}/rows/a.csv: Message:")), "{log}");

    let long = format!("{}\n", "1,".repeat(600_000));
    account.put("rows/a.csv", &long);
    let job = transform(&account, "long", json!({"MaxPayloadInMB": 1})).await;
    assert_eq!(job.failure_reason.as_deref(), Some(reason));
    let log = account.log(Kind::TransformJob, "long").join("\n");
    assert!(log.contains("rows/a.csv: Too much data for max payload size"), "{log}");
}

#[tokio::test]
async fn jobs_that_cannot_run_say_why() {
    let account = account();
    let failed = async |name: &str, more: Value| {
        let job = transform(&account, name, more).await;
        assert_eq!(job.status, Status::Failed);
        job.failure_reason.unwrap()
    };
    let empty = format!("No S3 objects found under S3 URL \"s3://{BUCKET}/rows\"");
    let reason = failed("nothing", json!({})).await;
    assert!(reason.starts_with(&format!("ClientError: {empty}")), "{reason}");

    account.put("rows/a.csv", row());
    create_model(&account, "broken", SHELL).unwrap();
    assert_eq!(
        failed("broken", json!({"ModelName": "broken"})).await,
        "AlgorithmError: See job logs for more information"
    );
    account.put("model.tar.gz", "no archive");
    let reason = failed("archive", json!({})).await;
    assert!(reason.starts_with("ClientError: Failed to extract model data archive"), "{reason}");

    let refused = |more: Value| account.call("CreateTransformJob", request("refused", more)).unwrap_err();
    let arn = format!("arn:aws:sagemaker:{REGION}:111122223333:model/nobody");
    assert_eq!(refused(json!({"ModelName": "nobody"})).message, format!("Could not find model \"{arn}\"."));
    let refusal = refused(json!({"TransformInput": {"SplitType": "TFRecord"}}));
    assert_eq!(
        (refusal.code.as_str(), refusal.message.as_str()),
        ("ValidationException", "This fake splits input by Line alone, not by TFRecord.")
    );
    let again = account.call("CreateTransformJob", request("archive", json!({}))).unwrap_err();
    assert_eq!(again.code, "ResourceInUse");
}

#[tokio::test]
async fn a_job_is_stopped_and_goes_on_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let account = Account::build(Fake::builder().state(folder.path()));
    account.put("model.tar.gz", model());
    create_model(&account, "sts", STS).unwrap();
    account.put("rows/a.csv", format!("{}\n", row()).repeat(2000));
    let slowly = json!({"BatchStrategy": "SingleRecord"});
    account.call("CreateTransformJob", request("stopped", slowly.clone())).unwrap();
    account.call("CreateTransformJob", request("restarted", slowly)).unwrap();
    account.call("StopTransformJob", json!({"TransformJobName": "stopped"})).unwrap();
    let job = account.ended(Kind::TransformJob, "stopped").await;
    assert_eq!((job.status, account.keys("scored/stopped").len()), (Status::Stopped, 0));
    let late = account.call("StopTransformJob", json!({"TransformJobName": "stopped"})).unwrap_err();
    assert_eq!(late.message, "The request was rejected because the transform job is in status Stopped.");

    engine::close(account.fake).await;
    let account = Account::reopen(Fake::builder().state(folder.path())).await;
    let job = account.ended(Kind::TransformJob, "restarted").await;
    assert_eq!(job.status, Status::Completed, "{job:#?}");
    assert_eq!(account.text("scored/restarted/a.csv.out").lines().count(), 2000);
}

#[tokio::test]
async fn a_job_through_the_sdk() {
    use aws_sdk_sagemaker::types as t;
    let aws = FakeAws::start_with(Fake::builder().programs(programs())).await;
    s3::create_bucket(aws.fake(), BUCKET, REGION, aws.fake().account()).unwrap();
    let account = Account::of(aws.fake().clone());
    account.put("model.tar.gz", model());
    account.put("rows/a.csv", row());
    create_model(&account, "sts", STS).unwrap();
    let client = sagemaker(&aws);
    let source = t::TransformS3DataSource::builder()
        .s3_data_type(t::S3DataType::S3Prefix)
        .s3_uri(format!("s3://{BUCKET}/rows"))
        .build();
    let source = t::TransformDataSource::builder().s3_data_source(source).build();
    let input = t::TransformInput::builder().data_source(source).content_type("text/csv").build();
    let output = t::TransformOutput::builder().s3_output_path(format!("s3://{BUCKET}/scored")).build();
    let resources =
        t::TransformResources::builder().instance_type(t::TransformInstanceType::MlM5Large).instance_count(1).build();
    let create = client.create_transform_job().transform_job_name("Job").model_name("sts").transform_input(input);
    let created = create.transform_output(output).transform_resources(resources).send().await.unwrap();
    let arn = format!("arn:aws:sagemaker:{REGION}:111122223333:transform-job/Job");
    assert_eq!(created.transform_job_arn(), Some(arn.as_str()));
    account.ended(Kind::TransformJob, "Job").await;
    let described = client.describe_transform_job().transform_job_name("Job").send().await.unwrap();
    assert_eq!(described.transform_job_status(), Some(&TransformJobStatus::Completed));
    assert!(described.transform_end_time() >= described.transform_start_time());
    assert_eq!(described.data_processing().unwrap().input_filter(), Some("$"));
    assert_eq!(described.transform_input().unwrap().split_type(), Some(&t::SplitType::None));
    let listed = client.list_transform_jobs().status_equals(TransformJobStatus::Completed).send().await.unwrap();
    assert_eq!(listed.transform_job_summaries()[0].transform_job_name(), Some("Job"));
    let nobody = client.describe_transform_job().transform_job_name("nobody").send().await;
    let message = "Could not find requested job with name: nobody".to_owned();
    assert_eq!(said(nobody), ("ValidationException".to_owned(), message));
}

/// The pipeline `score` of `definitions/`: a model, a transform of it, somebody who is asked, a gate.
#[tokio::test]
async fn a_pipeline_of_the_sdk_scores_and_asks() {
    let account = Account::new();
    account.put("model.tar.gz", model());
    account.put("rows/a.csv", with_ids(1..=2));
    account.pipeline("score", &Definition::parse(include_str!("definitions/score.json")).unwrap());
    let run = async || {
        let arn = account.start("score", &[]).unwrap();
        let step = account.step_is(&arn, "AskSomebody", "Executing").await;
        let token = &step["Metadata"]["Callback"]["CallbackToken"];
        let parameters = json!([{"Name": "threshold", "Value": "0.75"}, {"Name": "who", "Value": "somebody"}]);
        let request = account.fake.ids.uuid();
        let answer = json!({"CallbackToken": token, "OutputParameters": parameters, "ClientRequestToken": request});
        account.call("SendPipelineExecutionStepSuccess", answer).unwrap();
        patiently(account.settled(&arn)).await
    };
    let execution = run().await;
    assert_eq!(execution.status, ExecutionStatus::Failed);
    let steps = account.steps(&execution.arn);
    assert_eq!(steps[0]["FailureReason"], "too strict: somebody");
    let scored = execution.step("ScoreSTS").unwrap();
    assert!(scored.resource.starts_with(&format!("pipelines-{}-ScoreSTS-", execution.id)));
    let arn = format!("arn:aws:sagemaker:{REGION}:111122223333:transform-job/{}", scored.resource);
    assert_eq!(scored.metadata, json!({"TransformJob": {"Arn": arn}}));
    let rows = lines(&account.text("scored/a.csv.out"));
    assert_eq!(rows.iter().map(|row| (row[0].as_str(), row.len())).collect::<Vec<_>>(), [("1", 3), ("2", 3)]);
    let made: Vec<_> = account.fake.calls.snapshot().iter().map(|call| call.operation.clone()).collect();
    assert_eq!(made, ["CreateModel", "CreateTransformJob"]);

    // Another execution has another model: ModelName is among what counts.
    let again = run().await;
    let lookup = again.step("ScoreSTS").unwrap().cache.clone().unwrap();
    assert!(
        matches!(lookup.verdict, Verdict::Miss(_)) && lookup.verdict.to_string().contains("ModelName"),
        "{lookup:?}"
    );
}
