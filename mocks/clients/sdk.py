"""What the journeys with the SageMaker Python SDK share: how it is told where AWS is, and a bucket with a role to begin with.

`AWS_ENDPOINT_URL`, the credentials and the region come from the environment. `Session` is what somebody has to add who
points this SDK anywhere else than at AWS.
"""

import json
import logging
import os
import warnings

# Before it is imported: the SDK tells much of what it finds and leaves out.
os.environ.setdefault("SAGEMAKER_SUPPRESS_V2_WARNING", "1")
logging.disable(logging.WARNING)
warnings.filterwarnings("ignore", module="sagemaker")

import boto3
import sagemaker
from sagemaker.workflow.pipeline_context import PipelineSession

REGION = os.environ["AWS_REGION"]
FULL_ACCESS = "arn:aws:iam::aws:policy/AmazonSageMakerFullAccess"


class Session(boto3.Session):
    """The SDK calls AWS STS by its public address, whatever the environment says: this takes that back."""

    def client(self, service_name, **options):
        if service_name == "sts":
            options.pop("endpoint_url", None)
        return super().client(service_name, **options)


boto_session = Session(region_name=REGION)
# It would tell AWS of every call.
CONFIG = {"SchemaVersion": "1.0", "SageMaker": {"PythonSDK": {"Modules": {"TelemetryOptOut": True}}}}
session = sagemaker.Session(boto_session=boto_session, sagemaker_config=CONFIG)


def steps_session(bucket):
    """One whose calls become steps."""
    return PipelineSession(boto_session=boto_session, default_bucket=bucket, sagemaker_config=CONFIG)


def stage(title):
    print(f"  {title}", flush=True)


def printed(group, prefix=""):
    """What is in a log so far."""
    logs = boto_session.client("logs")
    named = {"logStreamNamePrefix": prefix} if prefix else {}
    try:
        streams = logs.describe_log_streams(logGroupName=group, **named)["logStreams"]
    except logs.exceptions.ResourceNotFoundException:
        # Nobody has printed anything yet.
        return ""
    events = [
        event["message"] for stream in streams
        for event in logs.get_log_events(
            logGroupName=group, logStreamName=stream["logStreamName"], startFromHead=True
        )["events"]
    ]
    return "\n".join(events)


def bucket_and_role(name):
    stage("default bucket and role")
    bucket = session.default_bucket()
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
    iam = boto_session.client("iam")
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    iam.attach_role_policy(RoleName=name, PolicyArn=FULL_ACCESS)
    assert session.expand_role(name) == role
    return bucket, role


def remove_bucket_and_role(bucket, name):
    everything = boto_session.resource("s3").Bucket(bucket)
    everything.objects.all().delete()
    everything.delete()
    iam = boto_session.client("iam")
    iam.detach_role_policy(RoleName=name, PolicyArn=FULL_ACCESS)
    iam.delete_role(RoleName=name)
