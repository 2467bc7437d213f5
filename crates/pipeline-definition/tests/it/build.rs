//! The builder makes what the SageMaker Python SDK makes of the same pipeline.
//!
//! The expected definition was written by hand after what version 2.240 of the SDK emits for such a pipeline (there
//! with the default debugger and profiler configuration of its estimators, which this builder leaves out).

use pipeline_definition::{Definition, Graph, Parameter, Step, build::*, definition::RetryPolicy};
use serde_json::{Value, json};

const IMAGE: &str = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/sts-container:1";
const ROLE: &str = "arn:aws:iam::123456789012:role/sts-execution";

fn output(step: &str, name: &str) -> Expr {
    let execution = Expr::execution("PipelineExecutionId");
    Expr::join("/", ["s3:/".into(), "bucket".into(), execution, step.into(), "output".into(), name.into()])
}

fn sts() -> Definition {
    let machine = Parameter::string("ProcessingInstanceType").with_default("ml.m5.xlarge");
    let machines = Parameter::integer("ProcessingInstanceCount").with_default(1);
    let approval = Parameter::string("ModelApprovalStatus")
        .with_default("Approved")
        .with_enum_values(["Approved", "PendingManualApproval"]);
    let input = Parameter::string("InputDataUrl").with_default("s3://bucket/sts/input/pairs.tsv");
    let threshold = Parameter::float("MseThreshold").with_default(0.3);

    let processing = |name: &str, verb: &str| {
        ProcessingStep::new(name, IMAGE, ROLE).entrypoint(["/usr/bin/sts-container"]).arguments([verb])
    };
    let preprocess = processing("PreprocessSTSData", "preprocess")
        .instances(&machine, &machines)
        .input("input-1", &input, "/opt/ml/processing/input")
        .output("train", "/opt/ml/processing/train", output("PreprocessSTSData", "train"))
        .output("test", "/opt/ml/processing/test", output("PreprocessSTSData", "test"));
    let train = TrainingStep::new("TrainSTSModel", IMAGE, ROLE, "s3://bucket/sts/stsTrain")
        .channel("train", Expr::processing_output("PreprocessSTSData", "train"), "text/csv")
        .hyperparameter("l2", 1.0);
    let evaluate = processing("EvaluateSTSModel", "evaluate")
        .instances(&machine, 1)
        .input("input-1", Expr::model_artifacts("TrainSTSModel"), "/opt/ml/processing/model")
        .output("evaluation", "/opt/ml/processing/evaluation", output("EvaluateSTSModel", "evaluation"))
        .property_file("stsEvaluationReport", "evaluation", "evaluation.json");
    let statistics = Expr::processing_output("EvaluateSTSModel", "evaluation");
    let register = RegisterModelStep::new("RegisterSTSModel-RegisterModel", "stsPackageGroup")
        .container(IMAGE, Expr::model_artifacts("TrainSTSModel"))
        .mime_types(["text/csv"], ["text/csv"])
        .instance_types(["ml.m5.xlarge"], ["ml.m5.xlarge"])
        .approval_status(&approval)
        .quality_statistics(Expr::join("/", [statistics, "evaluation.json".into()]));
    let mse = Expr::json_get("EvaluateSTSModel", "stsEvaluationReport", "regression_metrics.mse.value");
    let check = ConditionStep::new("CheckMSESTSEvaluation")
        .condition(Condition::less_than_or_equal_to(mse, &threshold))
        .if_step(register);
    Pipeline::new()
        .parameter(machine)
        .parameter(machines)
        .parameter(approval)
        .parameter(input)
        .parameter(threshold)
        .step(preprocess)
        .step(train)
        .step(evaluate)
        .step(check)
        .build()
}

fn expected() -> Value {
    let app = |verb: &str| json!({"ImageUri": IMAGE, "ContainerArguments": [verb], "ContainerEntrypoint": ["/usr/bin/sts-container"]});
    let cluster = |count: Value| {
        let machine = json!({"Get": "Parameters.ProcessingInstanceType"});
        json!({"ClusterConfig": {"InstanceType": machine, "InstanceCount": count, "VolumeSizeInGB": 30}})
    };
    let input = |uri: Value, path: &str| {
        json!({"InputName": "input-1", "AppManaged": false, "S3Input": {
            "S3Uri": uri, "LocalPath": path, "S3DataType": "S3Prefix", "S3InputMode": "File",
            "S3DataDistributionType": "FullyReplicated", "S3CompressionType": "None"}})
    };
    let output = |step: &str, name: &str| {
        let uri = [
            "s3:/".into(),
            "bucket".into(),
            json!({"Get": "Execution.PipelineExecutionId"}),
            step.into(),
            "output".into(),
            name.into(),
        ];
        json!({"OutputName": name, "AppManaged": false, "S3Output": {
            "S3Uri": {"Std:Join": {"On": "/", "Values": uri}},
            "LocalPath": format!("/opt/ml/processing/{name}"), "S3UploadMode": "EndOfJob"}})
    };
    let model = json!({"Get": "Steps.TrainSTSModel.ModelArtifacts.S3ModelArtifacts"});
    let statistics = json!({"Std:Join": {"On": "/", "Values": [
        {"Get": "Steps.EvaluateSTSModel.ProcessingOutputConfig.Outputs['evaluation'].S3Output.S3Uri"}, "evaluation.json"]}});
    json!({
        "Version": "2020-12-01",
        "Metadata": {},
        "Parameters": [
            {"Name": "ProcessingInstanceType", "Type": "String", "DefaultValue": "ml.m5.xlarge"},
            {"Name": "ProcessingInstanceCount", "Type": "Integer", "DefaultValue": 1},
            {"Name": "ModelApprovalStatus", "Type": "String", "DefaultValue": "Approved",
             "EnumValues": ["Approved", "PendingManualApproval"]},
            {"Name": "InputDataUrl", "Type": "String", "DefaultValue": "s3://bucket/sts/input/pairs.tsv"},
            {"Name": "MseThreshold", "Type": "Float", "DefaultValue": 0.3}
        ],
        "PipelineExperimentConfig": {
            "ExperimentName": {"Get": "Execution.PipelineName"}, "TrialName": {"Get": "Execution.PipelineExecutionId"}},
        "Steps": [
            {"Name": "PreprocessSTSData", "Type": "Processing", "Arguments": {
                "ProcessingResources": cluster(json!({"Get": "Parameters.ProcessingInstanceCount"})),
                "AppSpecification": app("preprocess"),
                "RoleArn": ROLE,
                "ProcessingInputs": [input(json!({"Get": "Parameters.InputDataUrl"}), "/opt/ml/processing/input")],
                "ProcessingOutputConfig": {"Outputs": [output("PreprocessSTSData", "train"), output("PreprocessSTSData", "test")]}}},
            {"Name": "TrainSTSModel", "Type": "Training", "Arguments": {
                "AlgorithmSpecification": {"TrainingInputMode": "File", "TrainingImage": IMAGE},
                "OutputDataConfig": {"S3OutputPath": "s3://bucket/sts/stsTrain"},
                "StoppingCondition": {"MaxRuntimeInSeconds": 86400},
                "ResourceConfig": {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 30},
                "RoleArn": ROLE,
                "InputDataConfig": [{
                    "DataSource": {"S3DataSource": {
                        "S3DataType": "S3Prefix",
                        "S3Uri": {"Get": "Steps.PreprocessSTSData.ProcessingOutputConfig.Outputs['train'].S3Output.S3Uri"},
                        "S3DataDistributionType": "FullyReplicated"}},
                    "ContentType": "text/csv",
                    "ChannelName": "train"}],
                "HyperParameters": {"l2": "1.0"}}},
            {"Name": "EvaluateSTSModel", "Type": "Processing", "Arguments": {
                "ProcessingResources": cluster(json!(1)),
                "AppSpecification": app("evaluate"),
                "RoleArn": ROLE,
                "ProcessingInputs": [input(model.clone(), "/opt/ml/processing/model")],
                "ProcessingOutputConfig": {"Outputs": [output("EvaluateSTSModel", "evaluation")]}},
             "PropertyFiles": [
                {"PropertyFileName": "stsEvaluationReport", "OutputName": "evaluation", "FilePath": "evaluation.json"}]},
            {"Name": "CheckMSESTSEvaluation", "Type": "Condition", "Arguments": {
                "Conditions": [{
                    "Type": "LessThanOrEqualTo",
                    "LeftValue": {"Std:JsonGet": {
                        "PropertyFile": {"Get": "Steps.EvaluateSTSModel.PropertyFiles.stsEvaluationReport"},
                        "Path": "regression_metrics.mse.value"}},
                    "RightValue": {"Get": "Parameters.MseThreshold"}}],
                "IfSteps": [{"Name": "RegisterSTSModel-RegisterModel", "Type": "RegisterModel", "Arguments": {
                    "ModelPackageGroupName": "stsPackageGroup",
                    "ModelMetrics": {
                        "ModelQuality": {"Statistics": {"ContentType": "application/json", "S3Uri": statistics}},
                        "Bias": {}, "Explainability": {}},
                    "InferenceSpecification": {
                        "Containers": [{"Image": IMAGE, "ModelDataUrl": model}],
                        "SupportedContentTypes": ["text/csv"],
                        "SupportedResponseMIMETypes": ["text/csv"],
                        "SupportedRealtimeInferenceInstanceTypes": ["ml.m5.xlarge"],
                        "SupportedTransformInstanceTypes": ["ml.m5.xlarge"]},
                    "ModelApprovalStatus": {"Get": "Parameters.ModelApprovalStatus"},
                    "SkipModelValidation": "None"}}],
                "ElseSteps": []}}
        ]
    })
}

#[test]
fn our_pipeline_has_the_sdk_s_shape_and_bytes_that_stay() {
    let definition = sts();
    assert_eq!(definition.to_value(), expected());
    // The order of the members too.
    assert_eq!(definition.to_json(), expected().to_string());
    assert_eq!(Definition::parse(&definition.to_json()).unwrap(), definition);
    assert_eq!(sts().to_json(), definition.to_json());
}

#[test]
fn our_pipeline_is_a_graph() {
    let graph = Graph::new(&sts()).unwrap();
    let order: Vec<_> = graph.order().collect();
    let preprocess_to_register = [
        "PreprocessSTSData",
        "TrainSTSModel",
        "EvaluateSTSModel",
        "CheckMSESTSEvaluation",
        "RegisterSTSModel-RegisterModel",
    ];
    assert_eq!(order, preprocess_to_register);
    assert_eq!(graph.parents("EvaluateSTSModel"), ["TrainSTSModel"]);
    assert!(graph.governor("RegisterSTSModel-RegisterModel").unwrap().outcome);
}

#[test]
fn an_empty_pipeline_is_one() {
    let empty = r#"{"Version":"2020-12-01","Metadata":{},"Parameters":[],"PipelineExperimentConfig":{"ExperimentName":{"Get":"Execution.PipelineName"},"TrialName":{"Get":"Execution.PipelineExecutionId"}},"Steps":[]}"#;
    assert_eq!(Pipeline::new().build().to_json(), empty);
}

#[test]
fn steps_carry_their_options() {
    fn check(step: impl Into<Step>, members: &Value) {
        let definition = Pipeline::new().step(step).build();
        let step = definition.to_value()["Steps"][0].clone();
        let expected = members.as_object().unwrap();
        let found: serde_json::Map<_, _> = expected.keys().map(|name| (name.clone(), step[name].clone())).collect();
        assert_eq!(&found, expected);
        assert_eq!(Definition::parse(&definition.to_json()).unwrap(), definition);
    }
    let threshold = Parameter::float("T");
    let fail = FailStep::new("F", Expr::join(" ", ["MSE >".into(), (&threshold).into()]));
    let message = json!({"Std:Join": {"On": " ", "Values": ["MSE >", {"Get": "Parameters.T"}]}});
    check(fail.clone(), &json!({"Name": "F", "Type": "Fail", "Arguments": {"ErrorMessage": message}}));
    check(
        fail.depends_on(["A", "B"]).depends_on(["C"]).display_name("D").description("E"),
        &json!({"DependsOn": ["A", "B", "C"], "DisplayName": "D", "Description": "E"}),
    );
    let network = json!({"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1", "subnet-2"]});
    let processing = ProcessingStep::new("P", IMAGE, ROLE)
        .output("o", "/opt/ml/processing/o", "s3://b/o")
        .environment("ROUNDS", &Parameter::integer("Rounds"))
        .environment("URL", &Parameter::string("Url"))
        .instances("ml.m5.large", 2)
        .volume_gb(50)
        .kms_key("alias/k")
        .network(["subnet-1", "subnet-2"], ["sg-1"])
        .max_runtime_seconds(600)
        .tags([("Project", "sts")]);
    let arguments = json!({
        "ProcessingResources": {"ClusterConfig": {
            "InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 50, "VolumeKmsKeyId": "alias/k"}},
        "AppSpecification": {"ImageUri": IMAGE},
        "RoleArn": ROLE,
        "ProcessingOutputConfig": {
            "Outputs": [{"OutputName": "o", "AppManaged": false, "S3Output": {
                "S3Uri": "s3://b/o", "LocalPath": "/opt/ml/processing/o", "S3UploadMode": "EndOfJob"}}],
            "KmsKeyId": "alias/k"},
        // What may not be a string is made one.
        "Environment": {"ROUNDS": {"Std:Join": {"On": "", "Values": [{"Get": "Parameters.Rounds"}]}}, "URL": {"Get": "Parameters.Url"}},
        "NetworkConfig": {"EnableNetworkIsolation": false, "VpcConfig": network},
        "StoppingCondition": {"MaxRuntimeInSeconds": 600},
        "Tags": [{"Key": "Project", "Value": "sts"}],
    });
    check(processing, &json!({"Arguments": arguments}));
    let retries = RetryPolicy::up_to_attempts(["Step.THROTTLING"], 3);
    let training = TrainingStep::new("T", IMAGE, ROLE, "s3://b/m")
        .kms_key("alias/k")
        .network(["subnet-1", "subnet-2"], ["sg-1"])
        .cache("P30D")
        .retry(retries)
        .retry(RetryPolicy::up_to_minutes(["SageMaker.CAPACITY_ERROR"], 60).with_interval(10, 1.5));
    let arguments = json!({
        "AlgorithmSpecification": {"TrainingInputMode": "File", "TrainingImage": IMAGE},
        "OutputDataConfig": {"S3OutputPath": "s3://b/m", "KmsKeyId": "alias/k"},
        "StoppingCondition": {"MaxRuntimeInSeconds": 86400},
        "ResourceConfig": {
            "InstanceType": "ml.m5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 30, "VolumeKmsKeyId": "alias/k"},
        "VpcConfig": network,
        "RoleArn": ROLE,
    });
    let policies = json!([
        {"BackoffRate": 2.0, "IntervalSeconds": 1, "MaxAttempts": 3, "ExceptionType": ["Step.THROTTLING"]},
        {"BackoffRate": 1.5, "IntervalSeconds": 10, "ExpireAfterMin": 60, "ExceptionType": ["SageMaker.CAPACITY_ERROR"]},
    ]);
    let cache = json!({"Enabled": true, "ExpireAfter": "P30D"});
    check(training, &json!({"Arguments": arguments, "RetryPolicies": policies, "CacheConfig": cache}));
    let model = ModelStep::new("M", IMAGE, Expr::model_artifacts("T"), ROLE)
        .environment("WORKERS", 2)
        .network(["subnet-1", "subnet-2"], ["sg-1"]);
    let container = json!({
        "Image": IMAGE, "Environment": {"WORKERS": "2"}, "ModelDataUrl": {"Get": "Steps.T.ModelArtifacts.S3ModelArtifacts"}});
    let arguments = json!({"ExecutionRoleArn": ROLE, "PrimaryContainer": container, "VpcConfig": network});
    check(model, &json!({"Type": "Model", "Arguments": arguments}));
    let register =
        RegisterModelStep::new("R", "group").customer_metadata("Execution", Expr::execution("PipelineExecutionArn"));
    let arguments = json!({
        "ModelPackageGroupName": "group",
        "CustomerMetadataProperties": {"Execution": {"Get": "Execution.PipelineExecutionArn"}},
        "InferenceSpecification": {
            "Containers": [], "SupportedContentTypes": [], "SupportedResponseMIMETypes": [],
            "SupportedRealtimeInferenceInstanceTypes": [], "SupportedTransformInstanceTypes": []},
        "ModelApprovalStatus": "PendingManualApproval",
        "SkipModelValidation": "None",
    });
    check(register, &json!({"Arguments": arguments}));
}

#[test]
fn conditions_are_written_as_the_sdk_writes_them() {
    fn check(condition: Condition, expected: &Value) {
        let definition = Pipeline::new().step(ConditionStep::new("C").condition(condition)).build();
        assert_eq!(&definition.steps[0].conditions()[0], expected);
    }
    let comparison = |kind: &str| json!({"Type": kind, "LeftValue": 1, "RightValue": "b"});
    check(Condition::equals(1, "b"), &comparison("Equals"));
    check(Condition::greater_than(1, "b"), &comparison("GreaterThan"));
    check(Condition::greater_than_or_equal_to(1, "b"), &comparison("GreaterThanOrEqualTo"));
    check(Condition::less_than(1, "b"), &comparison("LessThan"));
    check(Condition::less_than_or_equal_to(1, "b"), &comparison("LessThanOrEqualTo"));
    check(Condition::one_of(true, [1.5, 2.0]), &json!({"Type": "In", "QueryValue": true, "Values": [1.5, 2.0]}));
    let not = Condition::negation(Condition::equals(1, "b"));
    let written = json!({"Type": "Not", "Expression": comparison("Equals")});
    check(not.clone(), &written);
    check(Condition::any_of([not]), &json!({"Type": "Or", "Conditions": [written]}));
    let s3 = Expr::json_get_s3(Expr::join("/", ["s3://b".into(), "k".into()]), "a.b");
    let get = json!({"Std:JsonGet": {"S3Uri": {"Std:Join": {"On": "/", "Values": ["s3://b", "k"]}}, "Path": "a.b"}});
    check(Condition::equals(s3, 1), &json!({"Type": "Equals", "LeftValue": get, "RightValue": 1}));
}
