//! The steps that run a container: Processing and Training.

use serde_json::{Map, Value, json};

use super::{Expr, strings};
use crate::definition::{Step, StepType};

/// What both kinds of job have: a container and the machines that it runs on.
#[derive(Debug, Clone)]
struct Job {
    image: Expr,
    role: Expr,
    entrypoint: Vec<String>,
    arguments: Vec<Value>,
    environment: Map<String, Value>,
    instance_type: Expr,
    instance_count: Expr,
    volume_gb: u32,
    kms_key: Option<String>,
    network: Option<Value>,
    max_runtime_seconds: Option<u32>,
    tags: Vec<Value>,
}

impl Job {
    fn new(image: Expr, role: Expr) -> Self {
        Self {
            image,
            role,
            entrypoint: Vec::new(),
            arguments: Vec::new(),
            environment: Map::new(),
            instance_type: "ml.m5.xlarge".into(),
            instance_count: 1.into(),
            volume_gb: 30,
            kms_key: None,
            network: None,
            max_runtime_seconds: None,
            tags: Vec::new(),
        }
    }

    fn cluster(&self) -> Map<String, Value> {
        let mut cluster = Map::new();
        cluster.insert("InstanceType".to_owned(), self.instance_type.clone().into());
        cluster.insert("InstanceCount".to_owned(), self.instance_count.clone().into());
        cluster.insert("VolumeSizeInGB".to_owned(), self.volume_gb.into());
        if let Some(key) = &self.kms_key {
            cluster.insert("VolumeKmsKeyId".to_owned(), key.as_str().into());
        }
        cluster
    }
}

/// The methods that a Processing and a Training step share.
macro_rules! job_methods {
    ($step:ident) => {
        impl $step {
            /// The program and its first arguments, instead of the image's own.
            #[must_use]
            pub fn entrypoint<S: Into<String>>(mut self, words: impl IntoIterator<Item = S>) -> Self {
                self.job.entrypoint = strings(words);
                self
            }

            /// The arguments of the program.
            #[must_use]
            pub fn arguments<E: Into<Expr>>(mut self, words: impl IntoIterator<Item = E>) -> Self {
                self.job.arguments = words.into_iter().map(|word| word.into().into_text().into()).collect();
                self
            }

            /// An environment variable of the container.
            #[must_use]
            pub fn environment(mut self, name: impl Into<String>, value: impl Into<Expr>) -> Self {
                self.job.environment.insert(name.into(), value.into().into_text().into());
                self
            }

            /// The machines; one `ml.m5.xlarge` unless set.
            #[must_use]
            pub fn instances(mut self, instance_type: impl Into<Expr>, count: impl Into<Expr>) -> Self {
                (self.job.instance_type, self.job.instance_count) = (instance_type.into(), count.into());
                self
            }

            /// The disk of each machine in GB; 30 unless set.
            #[must_use]
            pub fn volume_gb(mut self, gb: u32) -> Self {
                self.job.volume_gb = gb;
                self
            }

            /// Encrypts disks and outputs with this key (id, ARN or alias).
            #[must_use]
            pub fn kms_key(mut self, key: impl Into<String>) -> Self {
                self.job.kms_key = Some(key.into());
                self
            }

            /// Runs in these subnets.
            #[must_use]
            pub fn network<S: Into<String>, G: Into<String>>(
                mut self,
                subnets: impl IntoIterator<Item = S>,
                security_groups: impl IntoIterator<Item = G>,
            ) -> Self {
                let vpc = json!({"SecurityGroupIds": strings(security_groups), "Subnets": strings(subnets)});
                self.job.network = Some(vpc);
                self
            }

            /// Stops the job after this time; SageMaker's own limit is a day.
            #[must_use]
            pub fn max_runtime_seconds(mut self, seconds: u32) -> Self {
                self.job.max_runtime_seconds = Some(seconds);
                self
            }

            /// Tags the job.
            #[must_use]
            pub fn tags<K: Into<String>, V: Into<String>>(mut self, tags: impl IntoIterator<Item = (K, V)>) -> Self {
                let tag = |(key, value): (K, V)| json!({"Key": key.into(), "Value": value.into()});
                self.job.tags.extend(tags.into_iter().map(tag));
                self
            }
        }
    };
}

/// A step that runs a processing job (CreateProcessingJob).
#[derive(Debug, Clone)]
pub struct ProcessingStep {
    name: String,
    job: Job,
    inputs: Vec<Value>,
    outputs: Vec<Value>,
}

job_methods!(ProcessingStep);

impl ProcessingStep {
    /// A job of `image`, running as `role` (an ARN).
    #[must_use]
    pub fn new(name: impl Into<String>, image: impl Into<Expr>, role: impl Into<Expr>) -> Self {
        Self { name: name.into(), job: Job::new(image.into(), role.into()), inputs: Vec::new(), outputs: Vec::new() }
    }

    /// What lies under the S3 prefix `uri`, at `path` in every container.
    #[must_use]
    pub fn input(mut self, name: &str, uri: impl Into<Expr>, path: &str) -> Self {
        self.inputs.push(json!({
            "InputName": name,
            "AppManaged": false,
            "S3Input": {
                "S3Uri": Value::from(uri.into()),
                "LocalPath": path,
                "S3DataType": "S3Prefix",
                "S3InputMode": "File",
                "S3DataDistributionType": "FullyReplicated",
                "S3CompressionType": "None",
            },
        }));
        self
    }

    /// What the program leaves at `path` goes to the S3 prefix `uri` at the end.
    #[must_use]
    pub fn output(mut self, name: &str, path: &str, uri: impl Into<Expr>) -> Self {
        self.outputs.push(json!({
            "OutputName": name,
            "AppManaged": false,
            "S3Output": {"S3Uri": Value::from(uri.into()), "LocalPath": path, "S3UploadMode": "EndOfJob"},
        }));
        self
    }
}

impl From<ProcessingStep> for Step {
    fn from(step: ProcessingStep) -> Self {
        let mut job = step.job;
        let mut arguments = Map::new();
        let mut set = |name: &str, value: Value| arguments.insert(name.to_owned(), value);
        set("ProcessingResources", json!({"ClusterConfig": job.cluster()}));
        let mut app = Map::new();
        app.insert("ImageUri".to_owned(), job.image.into());
        insert_unless_empty(&mut app, "ContainerArguments", Value::Array(job.arguments));
        insert_unless_empty(&mut app, "ContainerEntrypoint", job.entrypoint.into());
        set("AppSpecification", Value::Object(app));
        set("RoleArn", job.role.into());
        if !step.inputs.is_empty() {
            set("ProcessingInputs", step.inputs.into());
        }
        if !step.outputs.is_empty() {
            let mut config = json!({"Outputs": step.outputs});
            if let Some(key) = job.kms_key.take() {
                config["KmsKeyId"] = key.into();
            }
            set("ProcessingOutputConfig", config);
        }
        if !job.environment.is_empty() {
            set("Environment", Value::Object(job.environment));
        }
        if let Some(vpc) = job.network {
            set("NetworkConfig", json!({"EnableNetworkIsolation": false, "VpcConfig": vpc}));
        }
        if let Some(seconds) = job.max_runtime_seconds {
            set("StoppingCondition", json!({"MaxRuntimeInSeconds": seconds}));
        }
        insert_unless_empty(&mut arguments, "Tags", job.tags.into());
        Step::new(step.name, StepType::Processing, Value::Object(arguments))
    }
}

/// A step that runs a training job (CreateTrainingJob).
#[derive(Debug, Clone)]
pub struct TrainingStep {
    name: String,
    job: Job,
    output: Expr,
    channels: Vec<Value>,
    hyperparameters: Map<String, Value>,
}

job_methods!(TrainingStep);

impl TrainingStep {
    /// A job of `image`, running as `role` (an ARN), whose model goes under the S3 prefix `output`.
    #[must_use]
    pub fn new(
        name: impl Into<String>,
        image: impl Into<Expr>,
        role: impl Into<Expr>,
        output: impl Into<Expr>,
    ) -> Self {
        Self {
            name: name.into(),
            job: Job::new(image.into(), role.into()),
            output: output.into(),
            channels: Vec::new(),
            hyperparameters: Map::new(),
        }
    }

    /// What lies under the S3 prefix `uri`, as an input channel of every container.
    #[must_use]
    pub fn channel(mut self, name: &str, uri: impl Into<Expr>, content_type: &str) -> Self {
        let source = json!({
            "S3DataType": "S3Prefix",
            "S3Uri": Value::from(uri.into()),
            "S3DataDistributionType": "FullyReplicated",
        });
        self.channels.push(json!({
            "DataSource": {"S3DataSource": source},
            "ContentType": content_type,
            "ChannelName": name,
        }));
        self
    }

    /// A hyperparameter; SageMaker knows only strings, so others are written as one.
    #[must_use]
    pub fn hyperparameter(mut self, name: impl Into<String>, value: impl Into<Expr>) -> Self {
        self.hyperparameters.insert(name.into(), value.into().into_text().into());
        self
    }
}

impl From<TrainingStep> for Step {
    fn from(step: TrainingStep) -> Self {
        const A_DAY: u32 = 86_400;
        let job = step.job;
        let cluster = job.cluster();
        let mut arguments = Map::new();
        let mut set = |name: &str, value: Value| arguments.insert(name.to_owned(), value);
        let mut algorithm = Map::new();
        algorithm.insert("TrainingInputMode".to_owned(), "File".into());
        algorithm.insert("TrainingImage".to_owned(), job.image.into());
        insert_unless_empty(&mut algorithm, "ContainerArguments", Value::Array(job.arguments));
        insert_unless_empty(&mut algorithm, "ContainerEntrypoint", job.entrypoint.into());
        set("AlgorithmSpecification", Value::Object(algorithm));
        let mut output = json!({"S3OutputPath": Value::from(step.output)});
        if let Some(key) = job.kms_key {
            output["KmsKeyId"] = key.into();
        }
        set("OutputDataConfig", output);
        set("StoppingCondition", json!({"MaxRuntimeInSeconds": job.max_runtime_seconds.unwrap_or(A_DAY)}));
        set("ResourceConfig", Value::Object(cluster));
        if let Some(vpc) = job.network {
            set("VpcConfig", vpc);
        }
        set("RoleArn", job.role.into());
        if !step.channels.is_empty() {
            set("InputDataConfig", step.channels.into());
        }
        if !step.hyperparameters.is_empty() {
            set("HyperParameters", Value::Object(step.hyperparameters));
        }
        if !job.environment.is_empty() {
            set("Environment", Value::Object(job.environment));
        }
        insert_unless_empty(&mut arguments, "Tags", job.tags.into());
        Step::new(step.name, StepType::Training, Value::Object(arguments))
    }
}

fn insert_unless_empty(object: &mut Map<String, Value>, name: &str, list: Value) {
    if list.as_array().is_some_and(|items| !items.is_empty()) {
        object.insert(name.to_owned(), list);
    }
}
