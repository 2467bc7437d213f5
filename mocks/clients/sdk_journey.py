"""The journey with the SageMaker Python SDK 2.x: a pipeline of its step classes, its Model and Predictor, its monitor.

`sdk.py` says where AWS is; `CONTROL_URL` moves the clock, where on AWS one would wait for the hour.
"""

import csv
import io
import json
import os
import pathlib
import sys
import time
import urllib.request

# First, for it quietens the SDK.
from sdk import REGION, boto_session, bucket_and_role, remove_bucket_and_role, session, stage, steps_session
import sagemaker
from sagemaker.inputs import TrainingInput
from sagemaker.estimator import Estimator
from sagemaker.model import Model, ModelPackage
from sagemaker.model_monitor import (
    CronExpressionGenerator, DataCaptureConfig, EndpointInput, ModelQualityMonitor,
)
from sagemaker.model_monitor.dataset_format import DatasetFormat
from sagemaker.processing import ProcessingInput, ProcessingOutput, Processor
from sagemaker.serializers import CSVSerializer
from sagemaker.deserializers import CSVDeserializer
from sagemaker.workflow.condition_step import ConditionStep
from sagemaker.workflow.conditions import ConditionLessThanOrEqualTo
from sagemaker.workflow.execution_variables import ExecutionVariables
from sagemaker.workflow.fail_step import FailStep
from sagemaker.workflow.functions import Join, JsonGet
from sagemaker.workflow.model_step import ModelStep
from sagemaker.workflow.parameters import ParameterFloat, ParameterInteger, ParameterString
from sagemaker.workflow.pipeline import Pipeline
from sagemaker.workflow.properties import PropertyFile
from sagemaker.workflow.steps import CacheConfig, ProcessingStep, TrainingStep

NAME = "clients-sdk"

s3 = boto_session.client("s3")


def advance(seconds):
    url = f"{os.environ['CONTROL_URL']}/clock/advance?seconds={seconds}"
    with urllib.request.urlopen(urllib.request.Request(url, method="POST")) as answer:
        return json.load(answer)["now"]


def definition(bucket, role, image):
    of_steps = steps_session(bucket)
    instances = ParameterInteger("Instances", default_value=1)
    threshold = ParameterFloat("Threshold", default_value=0.3)
    data = ParameterString("Input", default_value=f"s3://{bucket}/{NAME}/input")
    cache = CacheConfig(enable_caching=True, expire_after="P1D")

    def processor(verb, count=1):
        return Processor(
            image_uri=image, role=role, instance_count=count, instance_type="ml.m5.xlarge", base_job_name=NAME,
            entrypoint=["/usr/bin/sts-container", verb], sagemaker_session=of_steps,
        )

    def output(name):
        place = Join(on="/", values=[f"s3://{bucket}/{NAME}", ExecutionVariables.PIPELINE_EXECUTION_ID, name])
        return ProcessingOutput(output_name=name, source=f"/opt/ml/processing/{name}", destination=place)

    parts = ("train", "validation", "test", "vocabulary")
    preprocess = ProcessingStep(
        name="Preprocess", cache_config=cache,
        step_args=processor("preprocess", instances).run(
            inputs=[ProcessingInput(source=data, destination="/opt/ml/processing/input", input_name="input")],
            outputs=[output(part) for part in parts],
        ),
    )

    def of_preprocess(part):
        return preprocess.properties.ProcessingOutputConfig.Outputs[part].S3Output.S3Uri

    estimator = Estimator(
        image_uri=image, role=role, instance_count=1, instance_type="ml.m5.xlarge", hyperparameters={"l2": 1.0},
        output_path=f"s3://{bucket}/{NAME}/models", base_job_name=NAME, sagemaker_session=of_steps,
    )
    channels = ("train", "validation", "vocabulary")
    train = TrainingStep(
        name="Train", cache_config=cache,
        step_args=estimator.fit({
            channel: TrainingInput(of_preprocess(channel), content_type="text/csv") for channel in channels
        }),
    )
    artefact = train.properties.ModelArtifacts.S3ModelArtifacts
    model_input = ProcessingInput(source=artefact, destination="/opt/ml/processing/model", input_name="model")
    report = PropertyFile(name="Report", output_name="evaluation", path="evaluation.json")
    evaluate = ProcessingStep(
        name="Evaluate", property_files=[report],
        step_args=processor("evaluate").run(
            inputs=[
                model_input,
                ProcessingInput(
                    source=of_preprocess("test"), destination="/opt/ml/processing/test", input_name="test"
                ),
            ],
            outputs=[output("evaluation")],
        ),
    )
    baseline = ProcessingStep(
        name="Baseline",
        step_args=processor("baseline").run(
            inputs=[
                model_input,
                ProcessingInput(
                    source=of_preprocess("validation"), destination="/opt/ml/processing/validation",
                    input_name="validation",
                ),
            ],
            outputs=[output("validate")],
        ),
    )
    model = Model(image_uri=image, model_data=artefact, role=role, sagemaker_session=of_steps)
    register = ModelStep(
        name="Register",
        step_args=model.register(
            content_types=["text/csv"], response_types=["text/csv"], inference_instances=["ml.m5.large"],
            transform_instances=["ml.m5.large"], model_package_group_name=NAME, approval_status="Approved",
        ),
    )
    mse = JsonGet(step_name="Evaluate", property_file=report, json_path="regression_metrics.mse.value")
    too_inaccurate = FailStep("TooInaccurate", error_message=Join(on=" ", values=["the MSE is above", threshold]))
    gate = ConditionStep(
        name="Gate", conditions=[ConditionLessThanOrEqualTo(left=mse, right=threshold)],
        if_steps=[baseline, register], else_steps=[too_inaccurate],
    )
    return Pipeline(
        name=NAME, parameters=[data, instances, threshold], steps=[preprocess, train, evaluate, gate],
        sagemaker_session=of_steps,
    )


def run(pipeline, role):
    stage("pipeline: upsert, start, wait, list_steps")
    first = pipeline.upsert(role_arn=role, description="of the SDK", tags=[{"Key": "Project", "Value": "sts"}])
    again = pipeline.upsert(role_arn=role, description="of the SDK, again", tags=[{"Key": "Project", "Value": "new"}])
    assert first["PipelineArn"] == again["PipelineArn"]
    assert pipeline.describe()["PipelineDescription"] == "of the SDK, again"

    execution = pipeline.start(parameters={"Instances": 2}, execution_display_name="first")
    execution.wait(delay=1, max_attempts=120)
    steps = {step["StepName"]: step for step in execution.list_steps()}
    assert all(step["StepStatus"] == "Succeeded" for step in steps.values()), steps
    expected = {"Preprocess", "Train", "Evaluate", "Gate", "Baseline", "Register-RegisterModel"}
    assert set(steps) == expected, set(steps)
    assert execution.describe()["PipelineExecutionDisplayName"] == "first"

    second = pipeline.start(parameters={"Instances": 2})
    second.wait(delay=1, max_attempts=120)
    cached = {step["StepName"] for step in second.list_steps() if "CacheHitResult" in step}
    assert cached == {"Preprocess", "Train"}, cached

    strict = pipeline.start(parameters={"Threshold": 0.0001})
    try:
        strict.wait(delay=1, max_attempts=120)
        raise AssertionError("the gate let it through")
    except Exception as error:
        assert "PipelineExecutionComplete" in str(error), error
    assert any(step["StepStatus"] == "Failed" for step in strict.list_steps())
    return execution, steps


def serve(bucket, role, steps):
    stage("model package, deployed with data capture, and asked")
    package = steps["Register-RegisterModel"]["Metadata"]["RegisterModel"]["Arn"]
    model = ModelPackage(role=role, model_package_arn=package, sagemaker_session=session)
    capture = DataCaptureConfig(
        enable_capture=True, sampling_percentage=100, destination_s3_uri=f"s3://{bucket}/{NAME}/capture",
        csv_content_types=["text/csv"], sagemaker_session=session,
    )
    model.deploy(
        initial_instance_count=1, instance_type="ml.m5.large", endpoint_name=NAME, data_capture_config=capture,
    )
    predictor = sagemaker.Predictor(
        NAME, sagemaker_session=session, serializer=CSVSerializer(), deserializer=CSVDeserializer(),
    )
    return predictor


def traffic(bucket, execution, predictor):
    folder = f"{NAME}/{execution.arn.split('/')[-1]}"
    # What follows is of one hour: it begins with it.
    advance(3660 - int(advance(0)) % 3600)
    rows = []
    for key in session.list_s3_files(bucket, f"{folder}/test"):
        if key.endswith(".csv"):
            rows += csv.reader(io.StringIO(session.read_s3_file(bucket, key)))
    right = 0
    for number, row in enumerate(rows):
        (answer,) = predictor.predict(",".join(row[1:]), inference_id=f"sdk_{number}")
        right += answer[0] == row[0]
    assert right / len(rows) > 0.7, right
    # Capture is in S3 when its minute is over.
    advance(61)
    captured = session.list_s3_files(bucket, f"{NAME}/capture/{NAME}/AllTraffic")
    assert captured
    hours = {"/".join(key.split("/")[-5:-1]) for key in captured}
    labels = "\n".join(
        json.dumps({
            "groundTruthData": {"data": row[0], "encoding": "CSV"},
            "eventMetadata": {"eventId": f"sdk_{number}"},
            "eventVersion": "0",
        })
        for number, row in enumerate(rows)
    )
    for hour in hours:
        s3.put_object(Bucket=bucket, Key=f"{NAME}/labels/{hour}/labels.jsonl", Body=labels)
    return f"s3://{bucket}/{folder}/validate/baseline.csv"


def monitor(bucket, role, baseline):
    stage("monitor: suggest_baseline, schedule, executions, delete")
    watcher = ModelQualityMonitor(
        role=role, instance_count=1, instance_type="ml.m5.xlarge", max_runtime_in_seconds=1800,
        base_job_name=NAME, sagemaker_session=session,
    )
    suggestion = watcher.suggest_baseline(
        job_name=NAME, baseline_dataset=baseline, dataset_format=DatasetFormat.csv(header=True),
        output_s3_uri=f"s3://{bucket}/{NAME}/baseline", problem_type="BinaryClassification",
        inference_attribute="prediction", probability_attribute="probability", ground_truth_attribute="label",
        logs=False,
    )
    suggestion.wait(logs=False)
    suggested = watcher.latest_baselining_job.suggested_constraints()
    constraints = suggested.body_dict["binary_classification_constraints"]
    assert 0 < constraints["accuracy"]["threshold"] <= 1, constraints
    watcher.create_monitoring_schedule(
        monitor_schedule_name=NAME, problem_type="BinaryClassification",
        endpoint_input=EndpointInput(
            endpoint_name=NAME, destination="/opt/ml/processing/input_data",
            inference_attribute="0", probability_attribute="1",
        ),
        ground_truth_input=f"s3://{bucket}/{NAME}/labels", constraints=suggested,
        output_s3_uri=f"s3://{bucket}/{NAME}/results", schedule_cron_expression=CronExpressionGenerator.hourly(),
        enable_cloudwatch_metrics=True,
    )
    status = lambda: watcher.describe_schedule()["MonitoringScheduleStatus"]
    for _ in range(100):
        if status() == "Scheduled":
            break
        time.sleep(0.1)
    assert status() == "Scheduled", status()
    advance(3600)
    endings = ("Completed", "CompletedWithViolations", "Failed", "Stopped")
    for _ in range(300):
        last = watcher.describe_schedule().get("LastMonitoringExecutionSummary", {})
        if last.get("MonitoringExecutionStatus") in endings:
            break
        time.sleep(0.1)
    assert last["MonitoringExecutionStatus"] in ("Completed", "CompletedWithViolations"), last
    execution = watcher.list_executions()[-1]
    assert execution.statistics().body_dict["binary_classification_metrics"]["accuracy"]["value"] > 0.7
    watcher.delete_monitoring_schedule()
    return watcher


def cleanup(bucket, predictor, pipeline, steps):
    stage("cleanup")
    predictor.delete_model()
    predictor.delete_endpoint(delete_endpoint_config=True)
    client = boto_session.client("sagemaker")
    for package in client.list_model_packages(ModelPackageGroupName=NAME)["ModelPackageSummaryList"]:
        client.delete_model_package(ModelPackageName=package["ModelPackageArn"])
    client.delete_model_package_group(ModelPackageGroupName=NAME)
    pipeline.delete()
    remove_bucket_and_role(bucket, NAME)


def main():
    bucket, role = bucket_and_role(NAME)
    assert s3.head_bucket(Bucket=bucket, ExpectedBucketOwner=session.account_id())
    image = f"{session.account_id()}.dkr.ecr.{REGION}.amazonaws.com/sts-container:latest"
    pairs = pathlib.Path(os.environ["PAIRS"])
    session.upload_data(str(pairs), bucket=bucket, key_prefix=f"{NAME}/input")
    pipeline = definition(bucket, role, image)
    execution, steps = run(pipeline, role)
    predictor = serve(bucket, role, steps)
    baseline = traffic(bucket, execution, predictor)
    monitor(bucket, role, baseline)
    cleanup(bucket, predictor, pipeline, steps)


if __name__ == "__main__":
    sys.exit(main())
