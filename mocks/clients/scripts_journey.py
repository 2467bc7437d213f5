"""Scripts in other people's images, by the SageMaker Python SDK 2.x: preprocess, train and evaluate with scikit-learn.

The definition is what the SDK makes of its scikit-learn classes: a script alone, scripts in an archive with a shell script
that unpacks it, script mode, and the SDK's own repacking of the model. The fake runs them in the environment that
`scripts/images.toml` names. Then the model is served, which is `scripts_serving.py`, and scripts end badly: what is said of
it, and where.

`sdk.py` says where AWS is; `VENV` is the environment that the map names.
"""

import io
import json
import os
import pathlib
import shutil
import sys
import tarfile
import tempfile
import time

# First, for it quietens the SDK.
from sdk import boto_session, bucket_and_role, printed, remove_bucket_and_role, session, stage, steps_session
from sagemaker.inputs import TrainingInput
from sagemaker.processing import FrameworkProcessor, ProcessingInput, ProcessingOutput
from sagemaker.sklearn import SKLearn, SKLearnModel, SKLearnProcessor
from sagemaker.workflow.condition_step import ConditionStep
from sagemaker.workflow.conditions import ConditionLessThanOrEqualTo
from sagemaker.workflow.fail_step import FailStep
from sagemaker.workflow.functions import Join, JsonGet
from sagemaker.workflow.model_step import ModelStep
from sagemaker.workflow.parameters import ParameterFloat, ParameterString
from sagemaker.workflow.pipeline import Pipeline
from sagemaker.workflow.properties import PropertyFile
from sagemaker.workflow.steps import ProcessingStep, TrainingStep

import scripts_serving

NAME = "clients-scripts"
# A copy: the SDK puts scripts of its own beside those that it packs.
WORK = tempfile.TemporaryDirectory()
SCRIPTS = shutil.copytree(pathlib.Path(__file__).parent / "scripts", f"{WORK.name}/scripts")
INSTANCE = {"instance_count": 1, "instance_type": "ml.m5.xlarge"}
# In the map, the one has as much time and memory as it wants, the other has not.
VERSION, LIMITED = "1.2-1", "1.0-1"

sagemaker = boto_session.client("sagemaker")
s3 = boto_session.client("s3")


def pipeline(bucket, role):
    of_steps = steps_session(bucket)
    common = {"role": role, "sagemaker_session": of_steps, **INSTANCE}
    data = ParameterString("Input", default_value=f"s3://{bucket}/{NAME}/input")
    threshold = ParameterFloat("Threshold", default_value=0.3)

    def output(name):
        return ProcessingOutput(output_name=name, source=f"/opt/ml/processing/{name}")

    def of_preprocess(part):
        return preprocess.properties.ProcessingOutputConfig.Outputs[part].S3Output.S3Uri

    preprocess = ProcessingStep(
        name="Preprocess",
        step_args=SKLearnProcessor(framework_version=VERSION, **common).run(
            code=f"{SCRIPTS}/preprocess.py", arguments=["--test-share", "0.25"],
            inputs=[ProcessingInput(source=data, destination="/opt/ml/processing/pairs", input_name="pairs")],
            outputs=[output("train"), output("test"), output("seen")],
        ),
    )
    estimator = SKLearn(
        entry_point="train.py", source_dir=SCRIPTS, framework_version=VERSION,
        hyperparameters={"l2": 2.0, "class-weight": "balanced"},
        metric_definitions=[{"Name": "train:accuracy", "Regex": "train:accuracy=(.*?);"}],
        output_path=f"s3://{bucket}/{NAME}/models", **common,
    )
    train = TrainingStep(name="Train", step_args=estimator.fit({"train": TrainingInput(of_preprocess("train"))}))
    artefact = train.properties.ModelArtifacts.S3ModelArtifacts
    report = PropertyFile(name="Report", output_name="evaluation", path="evaluation.json")
    evaluate = ProcessingStep(
        name="Evaluate", property_files=[report],
        step_args=FrameworkProcessor(estimator_cls=SKLearn, framework_version=VERSION, **common).run(
            code="evaluate.py", source_dir=SCRIPTS,
            inputs=[
                ProcessingInput(source=artefact, destination="/opt/ml/processing/model", input_name="model"),
                ProcessingInput(
                    source=of_preprocess("test"), destination="/opt/ml/processing/test", input_name="test"
                ),
            ],
            outputs=[output("evaluation"), output("seen")],
        ),
    )
    # Whoever serves it may not fetch the script: the model is packed anew with it, by a training job of the SDK's own.
    model = SKLearnModel(
        model_data=artefact, role=role, entry_point="inference.py", source_dir=SCRIPTS, framework_version=VERSION,
        enable_network_isolation=True, sagemaker_session=of_steps,
    )
    register = ModelStep(
        name="Register",
        step_args=model.register(
            content_types=["application/jsonlines"], response_types=["application/json"],
            inference_instances=["ml.m5.large"], transform_instances=["ml.m5.large"], model_package_group_name=NAME,
        ),
    )
    mse = JsonGet(step_name="Evaluate", property_file=report, json_path="regression_metrics.mse.value")
    too_inaccurate = FailStep("TooInaccurate", error_message=Join(on=" ", values=["the MSE is above", threshold]))
    gate = ConditionStep(
        name="Gate", conditions=[ConditionLessThanOrEqualTo(left=mse, right=threshold)],
        if_steps=[register], else_steps=[too_inaccurate],
    )
    return Pipeline(
        name=NAME, parameters=[data, threshold], steps=[preprocess, train, evaluate, gate], sagemaker_session=of_steps,
    )


def ended(execution):
    """The steps of an execution that has come to its end."""
    status = lambda: execution.describe()["PipelineExecutionStatus"]
    for _ in range(1200):
        if status() not in ("Executing", "Stopping"):
            break
        time.sleep(0.1)
    return status(), {step["StepName"]: step for step in execution.list_steps()}


def content(uri):
    bucket, key = uri.removeprefix("s3://").split("/", 1)
    return s3.get_object(Bucket=bucket, Key=key)["Body"].read()


def unpacked(uri):
    """The files of an archive by their names."""
    with tarfile.open(fileobj=io.BytesIO(content(uri))) as archive:
        files = [member for member in archive if member.isfile()]
        return {os.path.normpath(member.name): archive.extractfile(member).read() for member in files}


def job(step):
    """The job of a step, as it is described."""
    metadata = step["Metadata"]
    if "TrainingJob" in metadata:
        return sagemaker.describe_training_job(TrainingJobName=metadata["TrainingJob"]["Arn"].split("/")[-1])
    return sagemaker.describe_processing_job(ProcessingJobName=metadata["ProcessingJob"]["Arn"].split("/")[-1])


def printed_by(kind, name):
    """What a job has printed so far."""
    return printed(f"/aws/sagemaker/{kind}Jobs", f"{name}/")


def outputs(described):
    return {output["OutputName"]: output["S3Output"]["S3Uri"] for output in
            described["ProcessingOutputConfig"]["Outputs"]}


def run(bucket, role):
    stage("pipeline: a script, script mode, scripts in an archive, the model packed anew")
    made = pipeline(bucket, role)
    made.upsert(role_arn=role)
    status, steps = ended(made.start())
    assert status == "Succeeded", (status, steps)
    repack = next(name for name in steps if "Repack" in name)
    assert set(steps) == {"Preprocess", "Train", "Evaluate", "Gate", repack, "Register-RegisterModel"}, set(steps)

    status, strict = ended(made.start(parameters={"Threshold": 0.0001}))
    assert status == "Failed" and strict["TooInaccurate"]["StepStatus"] == "Failed", strict
    return made, steps, repack


def what_the_scripts_saw(steps):
    stage("what the scripts saw: /opt/ml, their arguments, the variables of script mode")
    venv = os.path.realpath(os.environ["VENV"])
    described = job(steps["Preprocess"])
    seen = json.loads(content(f"{outputs(described)['seen']}/preprocess.json"))
    assert seen["script"] == "/opt/ml/processing/input/code/preprocess.py", seen
    assert seen["arguments"] == ["--test-share", "0.25"] and os.path.realpath(seen["python"]) == venv, seen
    files = {"config/processingjobconfig.json", "config/resourceconfig.json", "processing/pairs/pairs.tsv"}
    assert {f"/opt/ml/{file}" for file in files} <= set(seen["files"]), seen
    assert described["ExitMessage"].endswith("rows to train with"), described
    assert "test: " in printed_by("Processing", described["ProcessingJobName"])

    described = job(steps["Train"])
    artefact = described["ModelArtifacts"]["S3ModelArtifacts"]
    assert set(unpacked(artefact)) == {"model.joblib"}
    seen = json.loads(unpacked(artefact.replace("model.tar.gz", "output.tar.gz"))["seen.json"])
    assert seen["script"] == "/opt/ml/code/train.py" and seen["folder"] == "/opt/ml/code", seen
    assert seen["arguments"] == ["--class-weight", "balanced", "--l2", "2.0"], seen
    variables = seen["environment"]
    expected = {
        "SM_MODEL_DIR": "/opt/ml/model", "SM_CHANNEL_TRAIN": "/opt/ml/input/data/train", "SM_CHANNELS": '["train"]',
        "SM_OUTPUT_DATA_DIR": "/opt/ml/output/data", "SM_HP_L2": "2.0", "SM_HP_CLASS-WEIGHT": "balanced",
        "SM_MODULE_NAME": "train", "SM_USER_ENTRY_POINT": "train.py", "SM_CURRENT_HOST": "algo-1",
        "SM_HOSTS": '["algo-1"]', "TRAINING_JOB_NAME": described["TrainingJobName"],
    }
    assert expected.items() <= variables.items(), variables
    assert json.loads(variables["SM_HPS"]) == {"l2": 2.0, "class-weight": "balanced"}, variables
    assert json.loads(variables["SM_USER_ARGS"]) == seen["arguments"], variables
    assert json.loads(variables["SM_TRAINING_ENV"])["job_name"] == described["TrainingJobName"], variables
    (metric,) = described["FinalMetricDataList"]
    assert metric["MetricName"] == "train:accuracy" and 0.7 < metric["Value"] < 1, metric
    assert "train:accuracy=" in printed_by("Training", described["TrainingJobName"])

    described = job(steps["Evaluate"])
    assert described["AppSpecification"]["ContainerEntrypoint"][0] == "/bin/bash", described
    seen = json.loads(content(f"{outputs(described)['seen']}/evaluate.json"))
    assert seen["script"] == "/opt/ml/processing/input/code/evaluate.py", seen
    report = json.loads(content(f"{outputs(described)['evaluation']}/evaluation.json"))
    accuracy = report["binary_classification_metrics"]["accuracy"]["value"]
    assert 0.7 < accuracy < 1 and abs(report["regression_metrics"]["mse"]["value"] - (1 - accuracy)) < 1e-9, report


def what_was_registered(steps, repack):
    stage("the model, packed anew with its script, is registered")
    packed = job(steps[repack])["ModelArtifacts"]["S3ModelArtifacts"]
    assert {"model.joblib", "code/inference.py", "code/preprocess.py"} <= set(unpacked(packed)), unpacked(packed).keys()
    package = sagemaker.describe_model_package(
        ModelPackageName=steps["Register-RegisterModel"]["Metadata"]["RegisterModel"]["Arn"]
    )
    (container,) = package["InferenceSpecification"]["Containers"]
    assert container["ModelDataUrl"] == packed, container
    assert container["Environment"]["SAGEMAKER_PROGRAM"] == "inference.py", container
    return package["ModelPackageArn"]


def served(bucket, role, steps, package):
    artefact = job(steps["Train"])["ModelArtifacts"]["S3ModelArtifacts"]
    test = content(f"{outputs(job(steps['Preprocess']))['test']}/test.csv").decode()
    # The label is the first.
    rows = [[float(value) for value in line.split(",")[1:]] for line in test.splitlines()]
    scripts_serving.serve(bucket, role, SCRIPTS, package, artefact, unpacked(artefact)["model.joblib"], rows)


def until_ended(describe, status):
    """A job that has come to its end, as it is described."""
    for _ in range(1800):
        described = describe()
        if described[status] not in ("InProgress", "Stopping"):
            return described
        time.sleep(0.1)
    raise AssertionError(f"it is still {described[status]}: {described}")


def processing(role, how, version=VERSION, **options):
    """Starts a processing job of the script that ends badly; its name."""
    processor = SKLearnProcessor(framework_version=version, role=role, sagemaker_session=session, **INSTANCE, **options)
    processor.run(code=f"{SCRIPTS}/misbehave.py", arguments=["--how", how], wait=False, logs=False)
    return processor.latest_job.job_name


def processed(name):
    return until_ended(lambda: sagemaker.describe_processing_job(ProcessingJobName=name), "ProcessingJobStatus")


def trained(role, how, version=VERSION, **options):
    """A training job of the same script, when it has ended."""
    estimator = SKLearn(
        entry_point="misbehave.py", source_dir=SCRIPTS, framework_version=version, hyperparameters={"how": how},
        role=role, sagemaker_session=session, **INSTANCE, **options,
    )
    estimator.fit(wait=False)
    name = estimator.latest_training_job.name
    return until_ended(lambda: sagemaker.describe_training_job(TrainingJobName=name), "TrainingJobStatus")


def deaf(role):
    stage("a script that does not hear that it is to stop")
    name = processing(role, "deaf")
    for _ in range(600):
        if "this takes long" in printed_by("Processing", name):
            break
        time.sleep(0.1)
    sagemaker.stop_processing_job(ProcessingJobName=name)
    return name


def bad_processing(role):
    stage("processing that fails, with its exit message; that takes too long; that takes too much memory")
    described = processed(processing(role, "message"))
    assert described["ProcessingJobStatus"] == "Failed", described
    assert described["ExitMessage"] == "the pairs are of 1999: take newer ones", described
    assert described["FailureReason"].startswith("AlgorithmError: "), described

    described = processed(processing(role, "error"))
    assert described["FailureReason"].startswith("AlgorithmError: ") and "ExitMessage" not in described, described
    assert "ValueError: the pairs are of 1999" in printed_by("Processing", described["ProcessingJobName"])

    described = processed(processing(role, "overrun", max_runtime_in_seconds=2))
    assert described["ProcessingJobStatus"] == "Stopped", described

    described = processed(processing(role, "overrun", LIMITED))
    assert described["ProcessingJobStatus"] == "Failed" and "time_limit of 5s" in described["FailureReason"], described

    described = processed(processing(role, "memory", LIMITED))
    more = "ClientError: Please use an instance type with more memory"
    assert described["FailureReason"].startswith(more), described
    assert "memory_limit of 300" in printed_by("Processing", described["ProcessingJobName"])


def bad_training(role):
    stage("script mode that fails, with the toolkit's words or its own; that takes too long; too much memory")
    described = trained(role, "error")
    reason = described["FailureReason"]
    assert reason.startswith("AlgorithmError: ExecuteUserScriptError:\nExitCode 1\n"), described
    assert "misbehave.py --how error" in reason and reason.endswith(", exit code: 1"), described
    assert "ValueError: the pairs are of 1999" in printed_by("Training", described["TrainingJobName"])

    described = trained(role, "failure")
    assert described["FailureReason"] == "AlgorithmError: nothing can be learned from this, exit code: 1", described

    described = trained(role, "overrun", max_run=2)
    assert described["TrainingJobStatus"] == "Stopped", described
    assert described["SecondaryStatus"] == "MaxRuntimeExceeded", described

    described = trained(role, "memory", LIMITED)
    assert described["FailureReason"].startswith("ClientError: Please use an instance type with more memory"), described


def bad_step(bucket, role):
    stage("the step of a job that fails")
    of_steps = steps_session(bucket)
    processor = SKLearnProcessor(framework_version=VERSION, role=role, sagemaker_session=of_steps, **INSTANCE)
    step = ProcessingStep(
        name="Misbehave", step_args=processor.run(code=f"{SCRIPTS}/misbehave.py", arguments=["--how", "message"]),
    )
    made = Pipeline(name=f"{NAME}-misbehave", steps=[step], sagemaker_session=of_steps)
    made.upsert(role_arn=role)
    status, steps = ended(made.start())
    assert status == "Failed" and steps["Misbehave"]["StepStatus"] == "Failed", steps
    described = job(steps["Misbehave"])
    assert steps["Misbehave"]["FailureReason"].endswith(described["FailureReason"]), (steps, described)
    assert described["ExitMessage"] == "the pairs are of 1999: take newer ones", described
    made.delete()


def main():
    bucket, role = bucket_and_role(NAME)
    session.upload_data(os.environ["PAIRS"], bucket=bucket, key_prefix=f"{NAME}/input")
    stopping = deaf(role)
    made, steps, repack = run(bucket, role)
    what_the_scripts_saw(steps)
    served(bucket, role, steps, what_was_registered(steps, repack))
    bad_processing(role)
    bad_training(role)
    bad_step(bucket, role)

    # SageMaker gives it two minutes.
    stage("what did not hear is killed")
    described = processed(stopping)
    assert described["ProcessingJobStatus"] == "Stopped", described
    assert "told to stop, and goes on" in printed_by("Processing", stopping)

    stage("cleanup")
    made.delete()
    for package in sagemaker.list_model_packages(ModelPackageGroupName=NAME)["ModelPackageSummaryList"]:
        sagemaker.delete_model_package(ModelPackageName=package["ModelPackageArn"])
    sagemaker.delete_model_package_group(ModelPackageGroupName=NAME)
    remove_bucket_and_role(bucket, NAME)


if __name__ == "__main__":
    sys.exit(main())
