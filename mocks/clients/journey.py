"""The whole journey with boto3: from an empty account to a monitored endpoint, and back to an empty account.

Nothing in here knows that AWS is a fake, but for one thing: the clock of the fake is moved, where on AWS one would wait
for the hour. `AWS_ENDPOINT_URL`, the credentials and the region come from the environment; `CONTROL_URL` moves the clock.
"""

import csv
import datetime
import io
import json
import os
import pathlib
import sys
import time
import urllib.request
import uuid

import boto3
from botocore.exceptions import ClientError

HERE = pathlib.Path(__file__).parent
REGION = os.environ["AWS_REGION"]
NAME = "clients-boto3"
ANALYZER = f"468650794304.dkr.ecr.{REGION}.amazonaws.com/sagemaker-model-monitor-analyzer"

session = boto3.Session(region_name=REGION)
sagemaker, runtime, s3, iam, sts, logs, cloudwatch = (
    session.client(name)
    for name in ("sagemaker", "sagemaker-runtime", "s3", "iam", "sts", "logs", "cloudwatch")
)


def stage(title):
    print(f"  {title}", flush=True)


def refused(code, words, call, **parameters):
    """The call must be refused with this code, in a sentence with these words."""
    try:
        call(**parameters)
    except ClientError as error:
        found = error.response["Error"]
        assert found["Code"] == code and words in found["Message"], found
        return error.response
    raise AssertionError(f"it was not refused: {parameters}")


def pages(client, operation, member, **parameters):
    """All items of a list that comes in pages."""
    return [
        item
        for page in client.get_paginator(operation).paginate(**parameters)
        for item in page[member]
    ]


def settled(describe, member, *endings, seconds=120):
    """Asks until the status is one of these."""
    for _ in range(seconds * 5):
        answer = describe()
        if answer[member] in endings:
            return answer
        time.sleep(0.2)
    raise AssertionError(f"it is still {answer[member]} after {seconds} seconds: {answer}")


def advance(seconds):
    url = f"{os.environ['CONTROL_URL']}/clock/advance?seconds={seconds}"
    request = urllib.request.Request(url, method="POST")
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def identity():
    stage("identity, bucket and role")
    account = sts.get_caller_identity()["Account"]
    bucket = f"{NAME}-{REGION}-{account}"
    refused("404", "Not Found", s3.head_bucket, Bucket=bucket)
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.get_waiter("bucket_exists").wait(Bucket=bucket)
    assert s3.head_bucket(Bucket=bucket)["BucketRegion"] == REGION
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
    role = iam.create_role(RoleName=NAME, AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    objects = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:ListBucket"],
                "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
            },
            {"Effect": "Allow", "Action": ["logs:*", "cloudwatch:PutMetricData"], "Resource": "*"},
        ],
    }
    iam.put_role_policy(RoleName=NAME, PolicyName="objects", PolicyDocument=json.dumps(objects))
    assert iam.get_role_policy(RoleName=NAME, PolicyName="objects")["PolicyDocument"] == objects
    image = f"{account}.dkr.ecr.{REGION}.amazonaws.com/sts-container:latest"
    return account, bucket, role, image


def pipeline(bucket, role, image):
    stage("pipeline: created, updated, started with parameters")
    s3.upload_file(os.environ["PAIRS"], bucket, "input/pairs.tsv")
    definition = (HERE / "pipeline.json").read_text()
    refused("ResourceNotFound", "does not exist", sagemaker.describe_pipeline, PipelineName=NAME)
    token = uuid.uuid4().hex
    create = dict(PipelineName=NAME, PipelineDefinition=definition, RoleArn=role, ClientRequestToken=token)
    made = sagemaker.create_pipeline(**create, Tags=[{"Key": "Project", "Value": "sts"}])
    create["ClientRequestToken"] = uuid.uuid4().hex
    refused("ValidationException", "already exist", sagemaker.create_pipeline, **create)
    sagemaker.update_pipeline(PipelineName=NAME, PipelineDescription="updated", PipelineDefinition=definition)
    described = sagemaker.describe_pipeline(PipelineName=NAME)
    assert described["PipelineDescription"] == "updated"
    assert json.loads(described["PipelineDefinition"]) == json.loads(definition)
    assert described["CreationTime"] <= described["LastModifiedTime"]
    sagemaker.create_model_package_group(ModelPackageGroupName=NAME, ModelPackageGroupDescription="of boto3")

    def start(token=None, **parameters):
        given = [{"Name": name, "Value": value} for name, value in parameters.items()]
        token = {"ClientRequestToken": token} if token else {}
        return sagemaker.start_pipeline_execution(PipelineName=NAME, PipelineParameters=given, **token)

    given = dict(Bucket=bucket, Role=role, Image=image, Group=NAME)
    refused("ValidationException", "Nonsense", start, **given, Nonsense="1")
    token = uuid.uuid4().hex
    execution = start(token, **given, Instances="2")["PipelineExecutionArn"]
    assert start(token, **given, Instances="2")["PipelineExecutionArn"] == execution, "a token is a token"
    strict = start(**given, Threshold="0.0001")["PipelineExecutionArn"]
    return made["PipelineArn"], execution, strict


def executions(execution, strict):
    stage("executions: waited for, with their steps")
    describe = lambda arn: lambda: sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
    endings = ("Succeeded", "Failed", "Stopped")
    done = settled(describe(execution), "PipelineExecutionStatus", *endings)
    steps = pages(
        sagemaker, "list_pipeline_execution_steps", "PipelineExecutionSteps",
        PipelineExecutionArn=execution, PaginationConfig={"PageSize": 2},
    )
    assert done["PipelineExecutionStatus"] == "Succeeded", (done, steps)
    steps = {step["StepName"]: step for step in steps}
    assert set(steps) == {"Preprocess", "Train", "Evaluate", "Gate", "Baseline", "Register"}, steps
    assert all(step["StepStatus"] == "Succeeded" and step["StartTime"] <= step["EndTime"] for step in steps.values())
    assert steps["Gate"]["Metadata"]["Condition"]["Outcome"] == "True"

    done = settled(describe(strict), "PipelineExecutionStatus", *endings)
    assert done["PipelineExecutionStatus"] == "Failed", done
    failed = sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=strict, SortOrder="Descending")
    failed = [step for step in failed["PipelineExecutionSteps"] if step["StepStatus"] == "Failed"]
    assert [step["StepName"] for step in failed] == ["TooInaccurate"], failed
    assert failed[0]["Metadata"]["Fail"]["ErrorMessage"] == "the MSE is above 0.0001", failed
    listed = pages(
        sagemaker, "list_pipeline_executions", "PipelineExecutionSummaries",
        PipelineName=NAME, PaginationConfig={"PageSize": 1},
    )
    assert {one["PipelineExecutionArn"] for one in listed} == {execution, strict}
    parameters = sagemaker.list_pipeline_parameters_for_execution(PipelineExecutionArn=execution)
    assert {"Name": "Instances", "Value": "2"} in parameters["PipelineParameters"]
    return steps


def jobs(bucket, steps, execution):
    stage("jobs: described, with their logs and what they have written")
    training = steps["Train"]["Metadata"]["TrainingJob"]["Arn"].split("/")[-1]
    job = sagemaker.describe_training_job(TrainingJobName=training)
    assert job["TrainingJobStatus"] == "Completed" and job["BillableTimeInSeconds"] >= 1
    metrics = {metric["MetricName"]: metric["Value"] for metric in job.get("FinalMetricDataList", [])}
    group = "/aws/sagemaker/TrainingJobs"
    streams = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=f"{training}/")["logStreams"]
    events = logs.get_log_events(logGroupName=group, logStreamName=streams[0]["logStreamName"], startFromHead=True)
    assert any("accuracy" in event["message"] for event in events["events"]), (events, metrics)
    folder = execution.split("/")[-1]
    written = pages(s3, "list_objects_v2", "Contents", Bucket=bucket, Prefix=f"{folder}/", PaginationConfig={"PageSize": 2})
    assert sum(f"{folder}/train/" in each["Key"] for each in written) == 2, "each of two instances has written its rows"
    report = json.load(s3.get_object(Bucket=bucket, Key=f"{folder}/evaluation/evaluation.json")["Body"])
    assert 0 < report["regression_metrics"]["mse"]["value"] < 0.3
    rows = []
    for each in written:
        if f"{folder}/test/" in each["Key"] and each["Key"].endswith(".csv"):
            rows += csv.reader(io.StringIO(s3.get_object(Bucket=bucket, Key=each["Key"])["Body"].read().decode()))
    return job["ModelArtifacts"]["S3ModelArtifacts"], rows, f"{folder}/baseline"


def registry(steps, artefact):
    stage("registry: the package, approved")
    package = steps["Register"]["Metadata"]["RegisterModel"]["Arn"]
    listed = sagemaker.list_model_packages(ModelPackageGroupName=NAME, SortBy="CreationTime", SortOrder="Descending")
    assert [one["ModelPackageArn"] for one in listed["ModelPackageSummaryList"]] == [package]
    described = sagemaker.describe_model_package(ModelPackageName=package)
    assert described["ModelApprovalStatus"] == "PendingManualApproval" and described["ModelPackageVersion"] == 1
    assert described["InferenceSpecification"]["Containers"][0]["ModelDataUrl"] == artefact
    sagemaker.update_model_package(ModelPackageArn=package, ModelApprovalStatus="Approved")
    assert sagemaker.describe_model_package(ModelPackageName=package)["ModelApprovalStatus"] == "Approved"
    refused("ValidationException", "does not exist", sagemaker.list_model_packages, ModelPackageGroupName="nobodys")
    return package


def endpoint(bucket, role, package):
    stage("endpoint: model, configuration with capture, in service")
    sagemaker.create_model(ModelName=NAME, ExecutionRoleArn=role, PrimaryContainer={"ModelPackageName": package})
    capture = {
        "EnableCapture": True,
        "InitialSamplingPercentage": 100,
        "DestinationS3Uri": f"s3://{bucket}/capture",
        "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
        "CaptureContentTypeHeader": {"CsvContentTypes": ["text/csv"]},
    }
    variant = {
        "VariantName": "AllTraffic", "ModelName": NAME, "InitialInstanceCount": 1, "InstanceType": "ml.m5.large",
    }
    sagemaker.create_endpoint_config(
        EndpointConfigName=NAME, ProductionVariants=[variant], DataCaptureConfig=capture
    )
    refused("ValidationException", "Could not find", sagemaker.describe_endpoint, EndpointName=NAME)
    sagemaker.create_endpoint(EndpointName=NAME, EndpointConfigName=NAME)
    sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=NAME, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    described = sagemaker.describe_endpoint(EndpointName=NAME)
    assert described["ProductionVariants"][0]["CurrentInstanceCount"] == 1
    assert described["DataCaptureConfig"]["CaptureStatus"] == "Started"


def invocations(bucket, rows):
    stage("traffic: answers, and what is captured of them")
    # What follows is of one hour: it begins with it.
    advance(3660 - int(advance(0)["now"]) % 3600)
    right = 0
    for number, row in enumerate(rows):
        answer = runtime.invoke_endpoint(
            EndpointName=NAME, ContentType="text/csv", Accept="text/csv",
            InferenceId=f"clients_{number}", Body=",".join(row[1:]),
        )
        label, probability = answer["Body"].read().decode().strip().split(",")
        assert 0 <= float(probability) <= 1 and answer["InvokedProductionVariant"] == "AllTraffic"
        right += label == row[0]
    assert right / len(rows) > 0.7, (right, len(rows))
    missing = dict(EndpointName="nobodys", Body=b"1")
    refused("ValidationError", "not found", runtime.invoke_endpoint, **missing)
    refused("ModelError", "", runtime.invoke_endpoint, EndpointName=NAME, ContentType="text/csv", Body=b"not,numbers")
    advance(61)
    captured = pages(s3, "list_objects_v2", "Contents", Bucket=bucket, Prefix=f"capture/{NAME}/AllTraffic/")
    lines = []
    for each in captured:
        lines += s3.get_object(Bucket=bucket, Key=each["Key"])["Body"].read().decode().splitlines()
    records = [json.loads(line) for line in lines]
    mine = [record for record in records if record["eventMetadata"].get("inferenceId", "").startswith("clients_")]
    assert len(mine) == len(rows), (len(mine), len(rows))
    return captured


def monitoring(bucket, role, rows, captured, baseline):
    stage("monitoring: baseline, job definition, schedule")
    environment = {
        "dataset_format": json.dumps({"csv": {"header": True}}),
        "dataset_source": "/opt/ml/processing/input/baseline_dataset_input",
        "output_path": "/opt/ml/processing/output",
        "analysis_type": "MODEL_QUALITY",
        "problem_type": "BinaryClassification",
        "inference_attribute": "prediction",
        "probability_attribute": "probability",
        "ground_truth_attribute": "label",
    }
    cluster = {"ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.xlarge", "VolumeSizeInGB": 20}}
    sagemaker.create_processing_job(
        ProcessingJobName=NAME, RoleArn=role, AppSpecification={"ImageUri": ANALYZER}, Environment=environment,
        ProcessingResources=cluster, StoppingCondition={"MaxRuntimeInSeconds": 1800},
        ProcessingInputs=[{
            "InputName": "baseline_dataset_input",
            "S3Input": {
                "S3Uri": f"s3://{bucket}/{baseline}", "LocalPath": environment["dataset_source"],
                "S3DataType": "S3Prefix", "S3InputMode": "File", "S3DataDistributionType": "FullyReplicated",
            },
        }],
        ProcessingOutputConfig={"Outputs": [{
            "OutputName": "monitoring_output",
            "S3Output": {
                "S3Uri": f"s3://{bucket}/monitoring/baseline", "LocalPath": environment["output_path"],
                "S3UploadMode": "EndOfJob",
            },
        }]},
    )
    describe = lambda: sagemaker.describe_processing_job(ProcessingJobName=NAME)
    job = settled(describe, "ProcessingJobStatus", "Completed", "Failed", "Stopped")
    assert job["ProcessingJobStatus"] == "Completed", job
    constraints = json.load(s3.get_object(Bucket=bucket, Key="monitoring/baseline/constraints.json")["Body"])
    assert "accuracy" in constraints["binary_classification_constraints"], constraints
    # An accuracy that no hour has: so that there is a violation to read.
    constraints["binary_classification_constraints"]["accuracy"]["threshold"] = 1.0
    s3.put_object(Bucket=bucket, Key="monitoring/baseline/constraints.json", Body=json.dumps(constraints))

    labels = [
        {
            "groundTruthData": {"data": row[0], "encoding": "CSV"},
            "eventMetadata": {"eventId": f"clients_{number}"},
            "eventVersion": "0",
        }
        for number, row in enumerate(rows)
    ]
    for hour in {"/".join(each["Key"].split("/")[3:7]) for each in captured}:
        s3.put_object(
            Bucket=bucket, Key=f"labels/{hour}/labels.jsonl", Body="\n".join(json.dumps(label) for label in labels)
        )
    sagemaker.create_model_quality_job_definition(
        JobDefinitionName=NAME, RoleArn=role, JobResources=cluster,
        ModelQualityBaselineConfig={
            "ConstraintsResource": {"S3Uri": f"s3://{bucket}/monitoring/baseline/constraints.json"}
        },
        ModelQualityAppSpecification={"ImageUri": ANALYZER, "ProblemType": "BinaryClassification"},
        ModelQualityJobInput={
            "EndpointInput": {
                "EndpointName": NAME, "LocalPath": "/opt/ml/processing/input_data",
                "InferenceAttribute": "0", "ProbabilityAttribute": "1",
            },
            "GroundTruthS3Input": {"S3Uri": f"s3://{bucket}/labels"},
        },
        ModelQualityJobOutputConfig={"MonitoringOutputs": [{"S3Output": {
            "S3Uri": f"s3://{bucket}/monitoring/results", "LocalPath": "/opt/ml/processing/output",
        }}]},
    )
    sagemaker.create_monitoring_schedule(
        MonitoringScheduleName=NAME,
        MonitoringScheduleConfig={
            "ScheduleConfig": {"ScheduleExpression": "cron(0 * ? * * *)"},
            "MonitoringJobDefinitionName": NAME, "MonitoringType": "ModelQuality",
        },
    )
    describe = lambda: sagemaker.describe_monitoring_schedule(MonitoringScheduleName=NAME)
    settled(describe, "MonitoringScheduleStatus", "Scheduled")


def hours(bucket):
    stage("two hours later: executions, the report of violations, the metric")
    listing = lambda: sagemaker.list_monitoring_executions(
        MonitoringScheduleName=NAME, SortBy="ScheduledTime", SortOrder="Ascending"
    )["MonitoringExecutionSummaries"]
    advance(2 * 3600)
    endings = ("Completed", "CompletedWithViolations", "Failed", "Stopped")
    overall = lambda: {"all": all(one["MonitoringExecutionStatus"] in endings for one in listing()), "found": listing()}
    found = settled(overall, "all", True)["found"]
    assert len(found) == 2, found
    violated = [one for one in found if one["MonitoringExecutionStatus"] == "CompletedWithViolations"]
    assert violated, found
    report = pages(s3, "list_objects_v2", "Contents", Bucket=bucket, Prefix=f"monitoring/results/{NAME}/{NAME}/")
    report = next(each["Key"] for each in report if each["Key"].endswith("constraint_violations.json"))
    report = json.load(s3.get_object(Bucket=bucket, Key=report)["Body"])
    assert any(each["metric_name"] == "accuracy" for each in report["violations"]), report
    metrics = pages(cloudwatch, "list_metrics", "Metrics", Dimensions=[{"Name": "MonitoringSchedule", "Value": NAME}])
    accuracy = next(metric for metric in metrics if metric["MetricName"] == "accuracy")
    now = datetime.datetime.now(datetime.timezone.utc)
    points = cloudwatch.get_metric_statistics(
        Namespace=accuracy["Namespace"], MetricName="accuracy", Dimensions=accuracy["Dimensions"],
        StartTime=now - datetime.timedelta(hours=2), EndTime=now + datetime.timedelta(hours=6),
        Period=3600, Statistics=["Average"],
    )["Datapoints"]
    assert points and 0.5 < points[0]["Average"] <= 1, points
    # Another hour without traffic: the execution fails, and says why.
    empty = [one for one in found if one["MonitoringExecutionStatus"] == "Failed"]
    assert all("no data" in one["FailureReason"].lower() for one in empty), empty


def cleanup(bucket, package):
    stage("cleanup, in the order that AWS wants")
    sagemaker.delete_monitoring_schedule(MonitoringScheduleName=NAME)
    for _ in range(100):
        try:
            sagemaker.describe_monitoring_schedule(MonitoringScheduleName=NAME)
        except ClientError as error:
            assert error.response["Error"]["Code"] == "ResourceNotFound", error
            break
        time.sleep(0.1)
    sagemaker.delete_model_quality_job_definition(JobDefinitionName=NAME)
    sagemaker.delete_endpoint(EndpointName=NAME)
    sagemaker.get_waiter("endpoint_deleted").wait(EndpointName=NAME, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    sagemaker.delete_endpoint_config(EndpointConfigName=NAME)
    sagemaker.delete_model(ModelName=NAME)
    refused("ConflictException", "", sagemaker.delete_model_package_group, ModelPackageGroupName=NAME)
    sagemaker.delete_model_package(ModelPackageName=package)
    sagemaker.delete_model_package_group(ModelPackageGroupName=NAME)
    sagemaker.delete_pipeline(PipelineName=NAME, ClientRequestToken=uuid.uuid4().hex)
    refused("BucketNotEmpty", "not empty", s3.delete_bucket, Bucket=bucket)
    everything = session.resource("s3").Bucket(bucket)
    everything.objects.all().delete()
    everything.delete()
    s3.get_waiter("bucket_not_exists").wait(Bucket=bucket)
    refused("DeleteConflict", "delete policies first", iam.delete_role, RoleName=NAME)
    iam.delete_role_policy(RoleName=NAME, PolicyName="objects")
    iam.delete_role(RoleName=NAME)
    refused("NoSuchEntity", "cannot be found", iam.get_role, RoleName=NAME)


def main():
    account, bucket, role, image = identity()
    _, execution, strict = pipeline(bucket, role, image)
    steps = executions(execution, strict)
    artefact, rows, baseline = jobs(bucket, steps, execution)
    package = registry(steps, artefact)
    endpoint(bucket, role, package)
    captured = invocations(bucket, rows)
    monitoring(bucket, role, rows, captured, baseline)
    hours(bucket)
    cleanup(bucket, package)


if __name__ == "__main__":
    sys.exit(main())
