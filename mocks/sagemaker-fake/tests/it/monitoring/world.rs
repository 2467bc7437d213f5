//! An endpoint that captures, a job definition that watches it, and a clock that only the test moves.

use std::time::Duration;

use model_monitor::records::{Capture, CaptureData, ContentTypes, EventMetadata, GroundTruth, Mode, Payload};
use sagemaker_fake::clock::{Clock, Timestamp};
use sagemaker_fake::monitoring::{self, Execution};
use sagemaker_fake::{ApiError, Fake, FakeBuilder};
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::macros::datetime;

use crate::account::{Account, BUCKET, REGION, ROLE, patiently, programs};

pub const ENDPOINT: &str = "sts-endpoint";
pub const DEFINITION: &str = "sts-quality";
pub const SCHEDULE: &str = "sts-hourly";
pub const HOURLY: &str = "cron(0 * ? * * *)";
pub const HOUR: Duration = Duration::from_secs(3600);

/// When every test begins.
pub const BEGIN: OffsetDateTime = datetime!(2026-11-26 10:20 UTC);

pub struct World {
    pub account: Account,
}

pub fn timestamp(time: OffsetDateTime) -> Timestamp {
    Timestamp(i64::try_from(time.unix_timestamp_nanos() / 1_000_000).unwrap())
}

/// A fake whose clock stands at [`BEGIN`].
pub fn builder() -> FakeBuilder {
    Fake::builder().clock(Clock::frozen(timestamp(BEGIN))).programs(programs())
}

impl World {
    pub fn new() -> Self {
        Self::build(builder())
    }

    /// With endpoint, constraints and definition; no schedule yet.
    pub fn build(builder: FakeBuilder) -> Self {
        let world = Self { account: Account::of(builder.build().unwrap()) };
        world.endpoint(ENDPOINT);
        world.account.put("baseline/constraints.json", constraints(0.7));
        world.call("CreateModelQualityJobDefinition", definition(DEFINITION)).unwrap();
        world
    }

    pub fn call(&self, operation: &str, input: Value) -> Result<Value, ApiError> {
        self.account.call(operation, input)
    }

    /// An endpoint that captures below `capture` of the bucket.
    pub fn endpoint(&self, name: &str) {
        let sides = json!([{"CaptureMode": "Input"}, {"CaptureMode": "Output"}]);
        let capture = json!({
            "EnableCapture": true, "InitialSamplingPercentage": 100, "DestinationS3Uri": format!("s3://{BUCKET}/capture"), "CaptureOptions": sides,
        });
        self.endpoint_with(name, Some(capture));
    }

    pub fn endpoint_with(&self, name: &str, capture: Option<Value>) {
        let variant = json!({"VariantName": "AllTraffic", "ModelName": name, "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"});
        let mut config = json!({"EndpointConfigName": name, "ProductionVariants": [variant]});
        if let Some(capture) = capture {
            config["DataCaptureConfig"] = capture;
        }
        // Nobody asks it anything: that no program stands for its image does not matter.
        let image = json!({"Image": "111122223333.dkr.ecr.eu-west-1.amazonaws.com/model:1"});
        self.call("CreateModel", json!({"ModelName": name, "ExecutionRoleArn": ROLE, "PrimaryContainer": image}))
            .unwrap();
        self.call("CreateEndpointConfig", config).unwrap();
        self.call("CreateEndpoint", json!({"EndpointName": name, "EndpointConfigName": name})).unwrap();
    }

    /// Captured records of an hour.
    pub fn capture(&self, hour: OffsetDateTime, ids: std::ops::Range<u32>, answer: fn(u32) -> String) {
        let key = model_monitor::layout::capture(ENDPOINT, "AllTraffic", hour, "08d6d8b9");
        self.account.put(&format!("capture/{key}"), captures(ids, answer));
    }

    /// The labels of an hour.
    pub fn label(&self, hour: OffsetDateTime, ids: std::ops::Range<u32>) {
        let mut lines = Vec::new();
        ids.for_each(|id| GroundTruth::new(&format!("sts_{id}"), &(id % 2).to_string()).write(&mut lines));
        self.account.put(&format!("labels/{}/0100.jsonl", model_monitor::layout::hour(hour)), lines);
    }

    /// Captures and labels of 300 requests of an hour.
    pub fn traffic(&self, hour: OffsetDateTime, answer: fn(u32) -> String) {
        self.capture(hour, 0..300, answer);
        self.label(hour, 0..300);
    }

    /// Creates the schedule, and waits until it is scheduled.
    pub async fn schedule(&self, expression: &str) {
        self.call("CreateMonitoringSchedule", schedule(SCHEDULE, expression)).unwrap();
        self.settled().await;
    }

    /// Starts, stops or deletes the schedule.
    pub fn steer(&self, operation: &str) -> Result<Value, ApiError> {
        self.call(operation, json!({"MonitoringScheduleName": SCHEDULE}))
    }

    pub fn describe(&self) -> Value {
        self.steer("DescribeMonitoringSchedule").unwrap()
    }

    pub fn advance(&self, by: Duration) {
        self.account.fake.advance(by).unwrap();
    }

    /// The executions of the schedule, oldest first, once all that is due has been done.
    pub async fn settled(&self) -> Vec<Execution> {
        patiently(monitoring::settled(&self.account.fake, REGION, SCHEDULE)).await.unwrap()
    }

    /// Moves the clock and gives the execution that was fired last.
    pub async fn next(&self) -> Execution {
        self.advance(HOUR);
        self.settled().await.pop().unwrap()
    }

    /// Hours of the executions' scheduled times, and their statuses, oldest first.
    pub async fn outline(&self) -> Vec<(u8, &'static str)> {
        let executions = self.settled().await;
        executions.iter().map(|execution| (execution.scheduled.date().hour(), execution.status.as_str())).collect()
    }
}

pub fn captures(ids: std::ops::Range<u32>, answer: fn(u32) -> String) -> Vec<u8> {
    let types = ContentTypes { csv: vec!["text/csv".to_owned()], json: vec![] };
    let mut lines = Vec::new();
    for id in ids {
        let side = |mode, body: &str| Some(Payload::capture(mode, Some("text/csv"), body.as_bytes(), &types));
        let sides = CaptureData {
            endpoint_input: side(Mode::Input, "0.5,0.25\n"),
            endpoint_output: side(Mode::Output, &answer(id)),
            batch_transform_output: None,
        };
        let ids = EventMetadata {
            event_id: format!("event-{id}"),
            inference_id: Some(format!("sts_{id}")),
            inference_time: Some("2026-11-26T10:29:02Z".to_owned()),
            ..EventMetadata::default()
        };
        Capture::new(sides, ids).write(&mut lines);
    }
    lines
}

/// Right but for every fifth: an accuracy of 0.8.
pub fn healthy(id: u32) -> String {
    answer((id % 2 == 1) != id.is_multiple_of(5))
}

/// Right but for every second: an accuracy of 0.5.
pub fn drifted(_: u32) -> String {
    answer(true)
}

fn answer(positive: bool) -> String {
    format!("{},{}\n", u8::from(positive), if positive { 0.75 } else { 0.25 })
}

pub fn constraints(accuracy: f64) -> String {
    format!(
        r#"{{"version": 0.0, "binary_classification_constraints": {{"accuracy": {{"threshold": {accuracy}, "comparison_operator": "LessThanThreshold"}}}}}}"#
    )
}

/// A job definition as a client sends it.
pub fn definition(name: &str) -> Value {
    json!({
        "JobDefinitionName": name,
        "ModelQualityBaselineConfig": {"ConstraintsResource": {"S3Uri": format!("s3://{BUCKET}/baseline/constraints.json")}},
        "ModelQualityAppSpecification": {
            "ImageUri": "468650794304.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-model-monitor-analyzer",
            "ProblemType": "BinaryClassification",
            "Environment": {"publish_cloudwatch_metrics": "Enabled"},
        },
        "ModelQualityJobInput": {
            "EndpointInput": {
                "EndpointName": ENDPOINT, "LocalPath": "/opt/ml/processing/input_data", "InferenceAttribute": "0", "ProbabilityAttribute": "1",
            },
            "GroundTruthS3Input": {"S3Uri": format!("s3://{BUCKET}/labels")},
        },
        "ModelQualityJobOutputConfig": {"MonitoringOutputs": [{"S3Output": {
            "S3Uri": format!("s3://{BUCKET}/results"), "LocalPath": "/opt/ml/processing/output", "S3UploadMode": "Continuous",
        }}]},
        "JobResources": {"ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.xlarge", "VolumeSizeInGB": 20}},
        "RoleArn": ROLE,
        "StoppingCondition": {"MaxRuntimeInSeconds": 1800},
    })
}

/// A schedule as a client sends it.
pub fn schedule(name: &str, expression: &str) -> Value {
    json!({"MonitoringScheduleName": name, "MonitoringScheduleConfig": {
        "ScheduleConfig": {"ScheduleExpression": expression}, "MonitoringJobDefinitionName": DEFINITION, "MonitoringType": "ModelQuality"}})
}

/// With a member set, or taken away by null, at a path of names and numbers.
pub fn with(mut value: Value, path: &str, member: Value) -> Value {
    let (parent, name) = path.rsplit_once('/').unwrap();
    let parent = value.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    if member.is_null() {
        parent.shift_remove(name);
    } else {
        parent.insert(name.to_owned(), member);
    }
    value
}
