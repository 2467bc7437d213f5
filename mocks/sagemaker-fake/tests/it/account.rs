//! An account for tests, whose operations are called without a door, and whose jobs are shell scripts.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use pipeline_definition::{Definition, Step};
use sagemaker_fake::account::Caller;
use sagemaker_fake::engine::{self, Execution};
use sagemaker_fake::fake::Context;
use sagemaker_fake::jobs::logs;
use sagemaker_fake::jobs::programs::Programs;
use sagemaker_fake::jobs::{Job, Kind, ended};
use sagemaker_fake::protocol::Service;
use sagemaker_fake::testing::opened;
use sagemaker_fake::{ApiError, Fake, FakeBuilder, cloudwatch, s3, sagemaker};
use serde_json::{Value, json};

pub const REGION: &str = "eu-west-1";
pub const BUCKET: &str = "sts-bucket";
pub const ROLE: &str = "arn:aws:iam::111122223333:role/sts-execution";
/// Its program is a shell that runs the job's arguments, joined, as a script.
pub const SHELL: &str = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/shell:1";
/// Its program is the binary of this crate.
pub const STS: &str = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/sts-container:1";

/// No test waits longer for anything, so that a mistake fails instead of hanging.
const PATIENCE: Duration = Duration::from_secs(60);

pub struct Account {
    pub fake: Fake,
}

/// The programs of every test.
pub fn programs() -> Programs {
    Programs::built_in()
        .own_binary(env!("CARGO_BIN_EXE_sagemaker-fake"))
        .with("*/shell:*", ["/bin/sh", "-c", "eval \"$*\"", "sh"])
}

impl Account {
    /// With one empty bucket.
    pub fn new() -> Self {
        Self::build(Fake::builder())
    }

    pub fn build(builder: FakeBuilder) -> Self {
        Self::of(builder.programs(programs()).build().unwrap())
    }

    /// An account whose state another one, that is gone now, has left.
    pub async fn reopen(builder: FakeBuilder) -> Self {
        Self::of(opened(builder.programs(programs())).await)
    }

    /// The account of a fake, with a bucket.
    pub fn of(fake: Fake) -> Self {
        if s3::bucket(&fake, BUCKET).unwrap().is_none() {
            s3::create_bucket(&fake, BUCKET, REGION, fake.account()).unwrap();
        }
        Self { fake }
    }

    /// Calls an operation as the scenario's user.
    pub fn call(&self, operation: &str, input: Value) -> Result<Value, ApiError> {
        self.checked(Service::SageMaker, operation, |context| sagemaker::call(context, operation, input))
    }

    /// The same of CloudWatch.
    pub fn cloudwatch(&self, operation: &str, input: Value) -> Result<Value, ApiError> {
        self.checked(Service::CloudWatch, operation, |context| cloudwatch::call(context, operation, &input))
    }

    fn checked(
        &self,
        service: Service,
        operation: &str,
        call: impl FnOnce(&Context<'_>) -> Result<Value, ApiError>,
    ) -> Result<Value, ApiError> {
        let account = self.fake.account().to_owned();
        let arn = format!("arn:aws:iam::{account}:user/sts-developer");
        let caller = Caller { arn, user_id: "AIDAEXAMPLE".into(), account, session: None };
        let output = call(&Context::new(&self.fake, &caller, REGION))?;
        assert_eq!(service.api().faults_of_output(operation, &output), [""; 0], "{operation} answers {output}");
        Ok(output)
    }

    pub fn put(&self, key: &str, content: impl AsRef<[u8]>) {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), content).unwrap();
        s3::put_file(&self.fake, BUCKET, key, file.path()).unwrap();
    }

    pub fn read(&self, key: &str) -> Vec<u8> {
        let (_, mut file) = s3::open(&self.fake, BUCKET, key).unwrap_or_else(|error| panic!("{key}: {error}"));
        let mut content = Vec::new();
        file.read_to_end(&mut content).unwrap();
        content
    }

    pub fn text(&self, key: &str) -> String {
        String::from_utf8(self.read(key)).unwrap()
    }

    pub fn keys(&self, prefix: &str) -> Vec<String> {
        s3::list(&self.fake, BUCKET, prefix).unwrap().into_iter().map(|object| object.key).collect()
    }

    /// Creates a processing job and waits for its end.
    pub async fn process(&self, request: Value) -> Job {
        let name = request["ProcessingJobName"].as_str().unwrap().to_owned();
        self.call("CreateProcessingJob", request).unwrap();
        self.ended(Kind::ProcessingJob, &name).await
    }

    /// Creates a training job and waits for its end.
    pub async fn train(&self, request: Value) -> Job {
        let name = request["TrainingJobName"].as_str().unwrap().to_owned();
        self.call("CreateTrainingJob", request).unwrap();
        self.ended(Kind::TrainingJob, &name).await
    }

    pub async fn ended(&self, kind: Kind, name: &str) -> Job {
        patiently(ended(&self.fake, REGION, kind, name)).await.unwrap()
    }

    /// What a job printed, stream by stream.
    pub fn log(&self, kind: Kind, job: &str) -> Vec<String> {
        let streams = logs::streams(&self.fake, REGION, kind.log_group(), &format!("{job}/")).unwrap();
        let events = streams.iter().flat_map(|stream| logs::events(&self.fake, stream, 0, 1000).unwrap());
        events.map(|event| event.message).collect()
    }

    /// Creates a pipeline.
    pub fn pipeline(&self, name: &str, definition: &Definition) {
        let definition = definition.to_json();
        let token = "create-pipeline-token-0000000000000".to_owned() + name;
        let input = json!({"PipelineName": name, "PipelineDefinition": definition, "RoleArn": ROLE, "ClientRequestToken": token});
        self.call("CreatePipeline", input).unwrap();
    }

    /// Starts an execution; gives its ARN.
    pub fn start(&self, pipeline: &str, parameters: &[(&str, &str)]) -> Result<String, ApiError> {
        let parameters: Vec<_> = parameters.iter().map(|(name, value)| json!({"Name": name, "Value": value})).collect();
        let token = self.fake.ids.uuid();
        let input = json!({"PipelineName": pipeline, "PipelineParameters": parameters, "ClientRequestToken": token});
        Ok(self.call("StartPipelineExecution", input)?["PipelineExecutionArn"].as_str().unwrap().to_owned())
    }

    pub fn stop(&self, execution: &str) -> Result<Value, ApiError> {
        let token = self.fake.ids.uuid();
        self.call("StopPipelineExecution", json!({"PipelineExecutionArn": execution, "ClientRequestToken": token}))
    }

    pub async fn settled(&self, execution: &str) -> Execution {
        patiently(engine::settled(&self.fake, execution)).await.unwrap()
    }

    /// Waits until a step of an execution is in this status; gives the step as SageMaker lists it.
    pub async fn step_is(&self, execution: &str, step: &str, status: &str) -> Value {
        let look = |_: &Fake| {
            let steps = self.steps(execution);
            Ok(steps.into_iter().find(|found| found["StepName"] == step && found["StepStatus"] == status))
        };
        patiently(engine::until(&self.fake.downgrade(), look)).await.unwrap()
    }

    /// Runs a pipeline of these steps once, to its end.
    pub async fn run(&self, steps: impl IntoIterator<Item = Step>) -> Execution {
        self.pipeline("p", &definition(steps));
        let execution = self.start("p", &[]).unwrap();
        self.settled(&execution).await
    }

    /// The steps of an execution as SageMaker lists them.
    pub fn steps(&self, execution: &str) -> Vec<Value> {
        let input = json!({"PipelineExecutionArn": execution, "MaxResults": 100});
        self.call("ListPipelineExecutionSteps", input).unwrap()["PipelineExecutionSteps"].as_array().unwrap().clone()
    }
}

/// Waits, but not for ever.
pub async fn patiently<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.expect("this takes far too long")
}

pub fn definition(steps: impl IntoIterator<Item = Step>) -> Definition {
    steps
        .into_iter()
        .fold(pipeline_definition::build::Pipeline::new(), pipeline_definition::build::Pipeline::step)
        .build()
}

/// Named pipes by which scripts and tests wait for each other: opening one blocks until somebody opens the other end.
pub struct Meeting(tempfile::TempDir);

impl Meeting {
    pub fn new(names: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in names {
            let made = std::process::Command::new("mkfifo").arg(folder.path().join(name)).status().unwrap();
            assert!(made.success());
        }
        Self(folder)
    }

    pub fn folder(&self) -> &Path {
        self.0.path()
    }

    /// Waits until a script writes to the pipe; gives what it wrote.
    pub async fn hear(&self, name: &str) -> String {
        let path = self.path(name);
        patiently(tokio::task::spawn_blocking(move || fs::read_to_string(path).unwrap())).await.unwrap()
    }

    /// Waits until a script reads from the pipe.
    pub async fn tell(&self, name: &str) {
        let path = self.path(name);
        patiently(tokio::task::spawn_blocking(move || fs::write(path, "go\n").unwrap())).await.unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
}

/// A script as arguments: SageMaker takes none that is longer than 256 characters.
pub fn arguments(script: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    for word in script.split(' ') {
        if parts.last().unwrap().len() + word.len() >= 256 {
            parts.push(String::new());
        }
        let part = parts.last_mut().unwrap();
        part.push_str(if part.is_empty() { "" } else { " " });
        part.push_str(word);
    }
    parts
}

/// A processing job that runs a script on one instance.
pub fn processing_job(name: &str, script: &str) -> Value {
    json!({
        "ProcessingJobName": name,
        "RoleArn": ROLE,
        "AppSpecification": {"ImageUri": SHELL, "ContainerArguments": arguments(script)},
        "ProcessingResources": {"ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}},
    })
}

/// An input or output of a processing job at `processing/NAME` and `s3://BUCKET/KEY`.
pub fn input(name: &str, key: &str) -> Value {
    json!({"InputName": name, "S3Input": {
        "S3Uri": format!("s3://{BUCKET}/{key}"), "LocalPath": format!("/opt/ml/processing/{name}"), "S3DataType": "S3Prefix", "S3InputMode": "File"}})
}

pub fn output(name: &str, key: &str) -> Value {
    json!({"OutputName": name, "S3Output": {
        "S3Uri": format!("s3://{BUCKET}/{key}"), "LocalPath": format!("/opt/ml/processing/{name}"), "S3UploadMode": "EndOfJob"}})
}

/// A training job that runs a script on one instance, without inputs.
pub fn training_job(name: &str, script: &str) -> Value {
    json!({
        "TrainingJobName": name,
        "RoleArn": ROLE,
        "AlgorithmSpecification": {"TrainingImage": SHELL, "TrainingInputMode": "File", "ContainerArguments": arguments(script)},
        "OutputDataConfig": {"S3OutputPath": format!("s3://{BUCKET}/models")},
        "ResourceConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1},
        "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
    })
}

/// A channel of a training job.
pub fn channel(name: &str, key: &str) -> Value {
    json!({"ChannelName": name, "DataSource": {"S3DataSource": {
        "S3Uri": format!("s3://{BUCKET}/{key}"), "S3DataType": "S3Prefix", "S3DataDistributionType": "FullyReplicated"}}})
}
