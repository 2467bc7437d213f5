//! Processing and training jobs: programs that really run.

mod restarts;

use std::io::Read;
use std::time::Duration;

use sagemaker_fake::Fake;
use sagemaker_fake::clock::{Clock, Timestamp};
use sagemaker_fake::jobs::{Kind, Status};
use serde_json::{Value, json};

use crate::account::{
    Account, BUCKET, Meeting, ROLE, SHELL, channel, input, output, processing_job, programs, training_job,
};

/// With further members.
fn with(mut request: Value, members: Value) -> Value {
    request.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    request
}

fn outputs(outputs: &[Value]) -> Value {
    json!({"ProcessingOutputConfig": {"Outputs": outputs}})
}

#[tokio::test]
async fn a_processing_job_reads_runs_and_writes() {
    let account = Account::new();
    account.put("in/a.txt", "one");
    account.put("in/sub/b.txt", "two");
    account.put("single.txt", "three");
    let script = "cd $STSMM_OPT_ML/processing && cat data/a.txt data/sub/b.txt one/single.txt > out/all.txt \
        && mkdir out/deep && echo x > out/deep/x.txt && ln -s all.txt out/link && echo done && echo said >&2";
    let request = with(
        processing_job("job", script),
        json!({"ProcessingInputs": [input("data", "in"), input("one", "single.txt")], "Environment": {"LIMIT": "3"}}),
    );
    let job = account.process(with(request, outputs(&[output("out", "results/")]))).await;

    assert_eq!((job.status, job.failure_reason, job.exit_message), (Status::Completed, None, None));
    assert_eq!(account.text("results/all.txt"), "onetwothree");
    assert_eq!(account.keys("results"), ["results/all.txt", "results/deep/x.txt"]);
    assert_eq!(account.log(Kind::ProcessingJob, "job"), ["done", "said"]);
    assert!(!account.fake.folder().join("jobs/eu-west-1/processing-job/job").exists());
}

#[tokio::test]
async fn a_program_sees_the_processing_contract_and_nothing_else() {
    let account = Account::new();
    account.put("in/a", "1");
    let script = "cat $STSMM_OPT_ML/config/processingjobconfig.json; echo; cat $STSMM_OPT_ML/config/resourceconfig.json; echo; pwd; env | sort";
    let request = with(
        processing_job("job", script),
        json!({"ProcessingInputs": [input("data", "in")], "Environment": {"LIMIT": "3"}, "ProcessingOutputConfig": {"Outputs": [output("out", "o")]}}),
    );
    account.process(request).await;
    let log = account.log(Kind::ProcessingJob, "job");
    let expected = json!({
        "ProcessingJobArn": "arn:aws:sagemaker:eu-west-1:111122223333:processing-job/job",
        "ProcessingJobName": "job",
        "Environment": {"LIMIT": "3"},
        "AppSpecification": {"ImageUri": SHELL, "ContainerEntrypoint": null, "ContainerArguments": [script]},
        "ProcessingInputs": [{
            "InputName": "data", "AppManaged": false,
            "S3Input": {
                "LocalPath": "/opt/ml/processing/data", "S3Uri": "s3://sts-bucket/in", "S3DataDistributionType": "FullyReplicated",
                "S3DataType": "S3Prefix", "S3InputMode": "File", "S3CompressionType": "None", "S3DownloadMode": "StartOfJob"},
            "DatasetDefinition": null}],
        "ProcessingOutputConfig": {
            "Outputs": [{
                "OutputName": "out", "AppManaged": false,
                "S3Output": {"LocalPath": "/opt/ml/processing/out", "S3Uri": "s3://sts-bucket/o", "S3UploadMode": "EndOfJob"},
                "FeatureStoreOutput": null}],
            "KmsKeyId": null},
        "ProcessingResources": {"ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1, "VolumeKmsKeyId": null}},
        "RoleArn": ROLE,
        "StoppingCondition": {"MaxRuntimeInSeconds": 86_400},
    });
    assert_eq!(log[0], expected.to_string());
    assert_eq!(log[1], r#"{"current_host":"algo-1","hosts":["algo-1"]}"#);
    assert!(log[2].ends_with("/jobs/eu-west-1/processing-job/job/1/algo-1"), "{}", log[2]);
    let names: Vec<_> = log[3..]
        .iter()
        .map(|line| line.split('=').next().unwrap())
        .filter(|name| !["PWD", "_", "SHLVL", "OLDPWD"].contains(name))
        .collect();
    assert_eq!(names, ["AWS_REGION", "LIMIT", "PATH", "STSMM_OPT_ML"]);
}

#[tokio::test]
async fn a_failed_processing_job_says_why_and_uploads_nothing() {
    let account = Account::new();
    let script = "cd $STSMM_OPT_ML; echo x > processing/out/x; echo x > processing/live/x; printf 'no rows' > output/message; exit 3";
    let live = with(
        output("live", "live"),
        json!({"S3Output": {
        "S3Uri": format!("s3://{BUCKET}/live"), "LocalPath": "/opt/ml/processing/live", "S3UploadMode": "Continuous"}}),
    );
    let job = account.process(with(processing_job("job", script), outputs(&[output("out", "out"), live]))).await;
    assert_eq!(job.status, Status::Failed);
    assert_eq!(job.failure_reason.as_deref(), Some("AlgorithmError: See job logs for more information"));
    assert_eq!(job.exit_message.as_deref(), Some("no rows"));
    assert_eq!(account.keys(""), ["live/x"], "only what is uploaded continuously is there");
}

#[tokio::test]
async fn what_cannot_be_run_fails_with_a_reason() {
    let account = Account::new();
    let failure = async |request: Value| {
        let job = account.process(request).await;
        assert_eq!(job.status, Status::Failed);
        job.failure_reason.unwrap()
    };
    let unmapped =
        with(processing_job("unmapped", ""), json!({"AppSpecification": {"ImageUri": "somebody/xgboost:1"}}));
    let reason = failure(unmapped).await;
    assert!(
        reason.starts_with("ClientError: no program stands for the image somebody/xgboost:1")
            && reason.contains("mocks/images.toml"),
        "{reason}"
    );

    let no_input = with(processing_job("no-input", ""), json!({"ProcessingInputs": [input("data", "nothing/")]}));
    let reason = failure(no_input).await;
    assert_eq!(
        reason,
        "ClientError: No S3 objects found under S3 URL \"s3://sts-bucket/nothing/\" given in input data source data."
    );

    let mut no_bucket = input("data", "x");
    no_bucket["S3Input"]["S3Uri"] = json!("s3://no-such-bucket/x");
    let reason = failure(with(processing_job("no-bucket", ""), json!({"ProcessingInputs": [no_bucket]}))).await;
    assert!(reason.starts_with("ClientError: Failed to download data.") && reason.contains("NoSuchBucket"), "{reason}");

    let not_text = processing_job("not-text", r"printf '\377' > $STSMM_OPT_ML/output/message");
    let reason = failure(not_text).await;
    assert_eq!(reason, "ClientError: /opt/ml/output/message: it is not UTF-8");
}

#[tokio::test]
async fn requests_are_refused_at_once() {
    let account = Account::new();
    let refused = |operation: &str, request: Value| {
        let error = account.call(operation, request).unwrap_err();
        format!("{}: {}", error.code, error.message)
    };
    let role = "arn:aws:iam::111122223333:role/nobody";
    assert_eq!(
        refused("CreateProcessingJob", with(processing_job("job", ""), json!({"RoleArn": role}))),
        format!(
            "ValidationException: Could not assume role {role}. Please ensure that the role exists and allows principal 'sagemaker.amazonaws.com' to assume the role."
        )
    );
    let mut outside = output("out", "o");
    outside["S3Output"]["LocalPath"] = json!("/opt/ml/processing/../../etc");
    assert!(refused("CreateProcessingJob", with(processing_job("job", ""), outputs(&[outside]))).contains("LocalPath"));
    assert_eq!(
        refused(
            "CreateTrainingJob",
            with(training_job("job", ""), json!({"InputDataConfig": [channel("train", "nothing")]}))
        ),
        format!(
            "ValidationException: No S3 objects found under S3 URL \"s3://sts-bucket/nothing\" given in input data source. Please ensure that \
             the bucket exists in the selected region (eu-west-1), that objects exist under that S3 prefix, and that the role \"{ROLE}\" has \
             \"s3:ListBucket\" permissions on bucket \"sts-bucket\"."
        )
    );
    assert_eq!(
        refused("DescribeTrainingJob", json!({"TrainingJobName": "nothing"})),
        "ValidationException: Requested resource not found."
    );
    assert_eq!(
        refused("DescribeProcessingJob", json!({"ProcessingJobName": "nothing"})),
        "ValidationException: Could not find requested job with name: nothing"
    );

    account.process(processing_job("twice", "exit 0")).await;
    assert_eq!(
        refused("CreateProcessingJob", processing_job("twice", "")),
        "ResourceInUse: Job name must be unique within an AWS account and region, and a job with this name already exists \
         (arn:aws:sagemaker:eu-west-1:111122223333:processing-job/twice)"
    );
    assert_eq!(
        refused("StopProcessingJob", json!({"ProcessingJobName": "twice"})),
        "ValidationException: The request was rejected because the processing job is in status Completed."
    );
    // A name is free again when its job is deleted.
    account.call("DeleteProcessingJob", json!({"ProcessingJobName": "twice"})).unwrap();
    assert_eq!(account.process(processing_job("twice", "exit 0")).await.status, Status::Completed);
}

#[tokio::test]
async fn instances_share_the_objects() {
    let account = Account::new();
    for number in 0..5 {
        account.put(&format!("in/{number}"), "x");
    }
    let mut sharded = input("data", "in");
    sharded["S3Input"]["S3DataDistributionType"] = json!("ShardedByS3Key");
    let host = r#"$(sed 's/.*"current_host":"\([^"]*\)".*/\1/' $STSMM_OPT_ML/config/resourceconfig.json)"#;
    let script = format!(
        "cd $STSMM_OPT_ML/processing; ls data > out/{host}.shard; ls all | wc -l > out/{host}.count; printf {host} > $STSMM_OPT_ML/output/message"
    );
    let request = with(
        processing_job("job", &script),
        json!({
        "ProcessingInputs": [sharded, input("all", "in")],
        "ProcessingResources": {"ClusterConfig": {"InstanceCount": 2, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}}}),
    );
    let job = account.process(with(request, outputs(&[output("out", "out")]))).await;
    assert_eq!((job.status, job.exit_message.as_deref()), (Status::Completed, Some("algo-1\nalgo-2")));
    assert_eq!(
        (account.text("out/algo-1.shard").as_str(), account.text("out/algo-2.shard").as_str()),
        ("0\n2\n4\n", "1\n3\n")
    );
    assert_eq!((account.text("out/algo-1.count").trim(), account.text("out/algo-2.count").trim()), ("5", "5"));
}

#[tokio::test]
async fn one_failed_instance_ends_the_job() {
    let account = Account::new();
    let meeting = Meeting::new(&["never"]);
    // The second instance would wait for ever.
    let script = format!(
        "grep -q '\"current_host\":\"algo-1\"' $STSMM_OPT_ML/input/config/resourceconfig.json && exit 4; read x < {}/never",
        meeting.folder().display()
    );
    let request = with(
        training_job("job", &script),
        json!({
        "ResourceConfig": {"InstanceCount": 2, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}}),
    );
    let job = account.train(request).await;
    assert_eq!(job.failure_reason.as_deref(), Some("AlgorithmError: , exit code: 4"));
}

#[tokio::test]
async fn a_manifest_names_the_objects() {
    let account = Account::new();
    for name in ["a", "b", "sub/c"] {
        account.put(&format!("data/{name}"), name);
    }
    account.put("lists/manifest", r#"[{"prefix": "s3://sts-bucket/data/"}, "a", "sub/c"]"#);
    let mut listed = input("data", "lists/manifest");
    listed["S3Input"]["S3DataType"] = json!("ManifestFile");
    let script = "cd $STSMM_OPT_ML/processing/data && find . -type f | sort";
    account.process(with(processing_job("job", script), json!({"ProcessingInputs": [listed]}))).await;
    assert_eq!(account.log(Kind::ProcessingJob, "job"), ["./a", "./sub/c"]);
}

#[tokio::test]
async fn a_training_job_gets_its_channels_and_leaves_a_model() {
    let account = Account::build(Fake::builder().clock(Clock::frozen(Timestamp(1_650_241_635_500))));
    account.put("train/a.csv", "1,2");
    let mut packed = Vec::new();
    flate2::read::GzEncoder::new(&b"3,4"[..], flate2::Compression::fast()).read_to_end(&mut packed).unwrap();
    account.put("packed/b.csv.gz", packed);
    let script = "cd $STSMM_OPT_ML; cat input/config/hyperparameters.json; echo; cat input/config/inputdataconfig.json; echo; \
        cat input/config/resourceconfig.json; echo; cat input/data/train/a.csv input/data/packed/b.csv; echo; echo $TRAINING_JOB_NAME $TRAINING_JOB_ARN; \
        echo loss=0.5; echo loss=0.25; echo m > model/model.bin; echo d > output/data/notes.txt";
    let request = with(
        training_job("job", script),
        json!({
        "HyperParameters": {"l2": "1.0"},
        "InputDataConfig": [
            with(channel("train", "train/"), json!({"ContentType": "text/csv"})),
            with(channel("packed", "packed/b.csv.gz"), json!({"CompressionType": "Gzip"}))]}),
    );
    let mut request = request;
    request["AlgorithmSpecification"]["MetricDefinitions"] = json!([{"Name": "loss", "Regex": "loss=([0-9.]+)"}]);
    let job = account.train(request).await;
    assert_eq!((job.status, &job.failure_reason), (Status::Completed, &None));

    let log = account.log(Kind::TrainingJob, "job");
    assert_eq!(log[0], r#"{"l2":"1.0"}"#);
    assert_eq!(
        serde_json::from_str::<Value>(&log[1]).unwrap(),
        json!({
            "train": {"ContentType": "text/csv", "TrainingInputMode": "File", "S3DistributionType": "FullyReplicated", "RecordWrapperType": "None"},
            "packed": {"TrainingInputMode": "File", "S3DistributionType": "FullyReplicated", "RecordWrapperType": "None"}})
    );
    assert_eq!(
        serde_json::from_str::<Value>(&log[2]).unwrap(),
        json!({
            "current_host": "algo-1", "current_instance_type": "ml.m5.large", "current_group_name": "homogeneousCluster", "hosts": ["algo-1"],
            "instance_groups": [{"instance_group_name": "homogeneousCluster", "instance_type": "ml.m5.large", "hosts": ["algo-1"]}],
            "network_interface_name": "eth0"})
    );
    assert_eq!(
        log[3..],
        ["1,23,4", "job arn:aws:sagemaker:eu-west-1:111122223333:training-job/job", "loss=0.5", "loss=0.25"]
    );

    let described = account.call("DescribeTrainingJob", json!({"TrainingJobName": "job"})).unwrap();
    assert_eq!(described["ModelArtifacts"]["S3ModelArtifacts"], "s3://sts-bucket/models/job/output/model.tar.gz");
    assert_eq!(
        described["FinalMetricDataList"],
        json!([{"MetricName": "loss", "Value": 0.25, "Timestamp": 1_650_241_635.5}])
    );
    let transitions: Vec<_> = described["SecondaryStatusTransitions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["Status"].as_str().unwrap())
        .collect();
    assert_eq!(transitions, ["Starting", "Downloading", "Training", "Uploading", "Completed"]);
    assert_eq!(files_of(&account.read("models/job/output/model.tar.gz")), [("model.bin".to_owned(), "m\n".to_owned())]);
    assert_eq!(
        files_of(&account.read("models/job/output/output.tar.gz")),
        [("notes.txt".to_owned(), "d\n".to_owned())]
    );
}

fn files_of(archive: &[u8]) -> Vec<(String, String)> {
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(archive));
    let file = |entry: std::io::Result<tar::Entry<'_, _>>| {
        let mut entry = entry.unwrap();
        let mut content = String::new();
        entry.read_to_string(&mut content).unwrap();
        (entry.path().unwrap().display().to_string(), content)
    };
    archive.entries().unwrap().map(file).collect()
}

#[tokio::test]
async fn a_failed_training_job_tells_what_the_program_wrote() {
    let account = Account::new();
    let job = account
        .train(training_job(
            "job",
            "cd $STSMM_OPT_ML; echo m > model/m; printf 'a single class' > output/failure; exit 2",
        ))
        .await;
    assert_eq!(job.failure_reason.as_deref(), Some("AlgorithmError: a single class, exit code: 2"));
    assert_eq!(account.keys(""), [""; 0], "a failed job leaves no model");
}

#[tokio::test]
async fn training_without_arguments_is_told_to_train() {
    let account =
        Account { fake: Fake::builder().programs(programs().with("*/echo:*", ["/bin/echo"])).build().unwrap() };
    sagemaker_fake::s3::create_bucket(&account.fake, BUCKET, "eu-west-1", "111122223333").unwrap();
    let mut request = training_job("job", "");
    request["AlgorithmSpecification"] = json!({"TrainingImage": "x/echo:1", "TrainingInputMode": "File"});
    account.train(request).await;
    assert_eq!(account.log(Kind::TrainingJob, "job"), ["train"]);
}

#[tokio::test]
async fn a_job_is_stopped_and_keeps_its_model() {
    let account = Account::new();
    let meeting = Meeting::new(&["started", "never"]);
    let script = format!(
        "echo m > $STSMM_OPT_ML/model/m; cd {}; trap 'echo stopping; exit 0' TERM; echo x > started; read x < never",
        meeting.folder().display()
    );
    account.call("CreateTrainingJob", training_job("job", &script)).unwrap();
    meeting.hear("started").await;
    account.call("StopTrainingJob", json!({"TrainingJobName": "job"})).unwrap();
    let job = account.ended(Kind::TrainingJob, "job").await;
    assert_eq!((job.status, job.failure_reason), (Status::Stopped, None));
    let statuses: Vec<_> = job.transitions.iter().map(|one| one.status.as_str()).collect();
    assert_eq!(statuses, ["Starting", "Downloading", "Training", "Stopping", "Uploading", "Stopped"]);
    assert_eq!(account.keys("models"), ["models/job/output/model.tar.gz"]);
    assert_eq!(account.log(Kind::TrainingJob, "job").last().unwrap(), "stopping");
}

#[tokio::test]
async fn a_program_that_does_not_stop_is_killed() {
    let account =
        Account { fake: Fake::builder().programs(programs().grace(Duration::from_millis(20))).build().unwrap() };
    let meeting = Meeting::new(&["started", "never"]);
    let script = format!("trap '' TERM; cd {}; echo x > started; read x < never", meeting.folder().display());
    account.call("CreateProcessingJob", processing_job("job", &script)).unwrap();
    meeting.hear("started").await;
    account.call("StopProcessingJob", json!({"ProcessingJobName": "job"})).unwrap();
    assert_eq!(account.ended(Kind::ProcessingJob, "job").await.status, Status::Stopped);
}

/// SageMaker has a word for it in SecondaryStatus, which processing jobs do not have.
#[tokio::test]
async fn a_job_that_runs_too_long_is_stopped() {
    let account = Account::new();
    let meeting = Meeting::new(&["never"]);
    let wait = format!("read x < {}/never", meeting.folder().display());
    let briefly = json!({"StoppingCondition": {"MaxRuntimeInSeconds": 1}});
    let (trained, processed) = tokio::join!(account.train(with(training_job("job", &wait), briefly.clone())), async {
        let last = "echo x | tee processing/late/a > processing/soon/a; printf so-far > output/message; exit 0";
        let script = format!("trap '{last}' TERM; cd $STSMM_OPT_ML; {wait}");
        let mut soon = output("soon", "soon");
        soon["S3Output"]["S3UploadMode"] = json!("Continuous");
        let outputs = json!({"ProcessingOutputConfig": {"Outputs": [output("late", "late"), soon]}});
        account.process(with(with(processing_job("job", &script), briefly), outputs)).await
    });
    assert_eq!((trained.status, trained.failure_reason), (Status::Stopped, None));
    let described = account.call("DescribeTrainingJob", json!({"TrainingJobName": "job"})).unwrap();
    assert_eq!(described["SecondaryStatus"], "MaxRuntimeExceeded");
    let last = described["SecondaryStatusTransitions"].as_array().unwrap().last().unwrap();
    assert_eq!(last["StatusMessage"], "Training job runtime exceeded MaxRuntimeInSeconds provided");

    assert_eq!((processed.status, processed.failure_reason), (Status::Stopped, None));
    assert_eq!(processed.exit_message.as_deref(), Some("so-far"));
    assert_eq!((account.keys("soon"), account.keys("late")), (vec!["soon/a".to_owned()], Vec::new()));
    let described = account.call("DescribeProcessingJob", json!({"ProcessingJobName": "job"})).unwrap();
    assert_eq!(described.get("SecondaryStatus"), None);
}

#[tokio::test]
async fn jobs_are_listed_in_the_order_of_their_kind() {
    let clock = Clock::frozen(Timestamp(1_000));
    let account = Account::build(Fake::builder().clock(clock));
    for name in ["one", "two", "three"] {
        account.process(processing_job(name, if name == "two" { "exit 1" } else { "exit 0" })).await;
        account.fake.clock.advance(Duration::from_secs(1));
    }
    let names = |input: Value| {
        let output = account.call("ListProcessingJobs", input).unwrap();
        let jobs = output["ProcessingJobSummaries"].as_array().unwrap().clone();
        let names: Vec<_> = jobs.iter().map(|job| job["ProcessingJobName"].as_str().unwrap().to_owned()).collect();
        (names, output["NextToken"].as_str().map(str::to_owned))
    };
    assert_eq!(names(json!({})).0, ["one", "two", "three"]);
    assert_eq!(names(json!({"SortOrder": "Descending"})).0, ["three", "two", "one"]);
    assert_eq!(names(json!({"SortBy": "Status", "SortOrder": "Descending"})).0, ["two", "three", "one"]);
    assert_eq!(names(json!({"StatusEquals": "Failed"})).0, ["two"]);
    assert_eq!(names(json!({"StatusEquals": "Failed", "MaxResults": 1})), (vec!["two".to_owned()], None));
    assert_eq!(names(json!({"NameContains": "O"})).0, ["one", "two"]);
    assert_eq!(names(json!({"CreationTimeAfter": 2, "CreationTimeBefore": 3})).0, ["two"]);
    assert_eq!(names(json!({"LastModifiedTimeBefore": 2})).0, ["one"]);
    let (first, token) = names(json!({"MaxResults": 2}));
    assert_eq!(first, ["one", "two"]);
    assert_eq!(names(json!({"MaxResults": 2, "NextToken": token})), (vec!["three".to_owned()], None));

    for (name, script) in [("first", "exit 1"), ("second", "exit 0")] {
        account.train(training_job(name, script)).await;
        account.fake.clock.advance(Duration::from_secs(1));
    }
    let names = |input: Value| {
        let output = account.call("ListTrainingJobs", input).unwrap();
        let jobs = output["TrainingJobSummaries"].as_array().unwrap().clone();
        let names: Vec<_> = jobs.iter().map(|job| job["TrainingJobName"].as_str().unwrap().to_owned()).collect();
        (names, output["NextToken"].is_string())
    };
    assert_eq!(names(json!({})).0, ["second", "first"]);
    assert_eq!(names(json!({"StatusEquals": "Failed"})).0, ["first"]);
    // Of training jobs, a page is cut before it is filtered.
    assert_eq!(names(json!({"StatusEquals": "Failed", "MaxResults": 1})), (Vec::new(), true));
}
