"""Models that are served by scripts, by the SageMaker Python SDK 2.x: the second half of `scripts_journey.py`.

The registered package, whose script came along with its model, is deployed and transforms; the model as it was trained is
deployed with a script that says no more than how it is loaded. What they answer is what the model says in the environment
that stands for the image. Then scripts that do not serve.
"""

import csv
import json
import os
import pathlib
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

# First, for it quietens the SDK.
from sdk import boto_session, printed, session, stage
import numpy
from sagemaker import ModelPackage, Predictor
from sagemaker.deserializers import CSVDeserializer, JSONDeserializer
from sagemaker.serializers import CSVSerializer, JSONLinesSerializer, JSONSerializer
from sagemaker.sklearn import SKLearnModel

NAME = "clients-scripts"
ONE = {"initial_instance_count": 1, "instance_type": "ml.m5.large"}
# What the model says of pairs, and of rows, outside any container: the folder of the scripts, the model, and both as JSON.
ITS_OWN = """
import json, sys, joblib, numpy
sys.path.insert(0, sys.argv[1])
import inference
model, given = joblib.load(sys.argv[2]), json.load(sys.stdin)
pairs = inference.input_fn(given["pairs"], "application/jsonlines")
rows = numpy.array(given["rows"], dtype=numpy.float32)
print(json.dumps([inference.predict_fn(pairs, model), model.predict(rows).tolist()]))
"""

sagemaker = boto_session.client("sagemaker")
runtime = boto_session.client("sagemaker-runtime")
s3 = boto_session.client("s3")


def its_own(scripts, model, pairs, rows):
    """Probabilities of pairs and classes of rows, by the model itself."""
    path = pathlib.Path(scripts).parent / "model.joblib"
    path.write_bytes(model)
    told = subprocess.run(
        [f"{os.environ['VENV']}/bin/python", "-c", ITS_OWN, scripts, path], check=True, capture_output=True, text=True,
        input=json.dumps({"pairs": "\n".join(map(json.dumps, pairs)), "rows": rows}),
    )
    return json.loads(told.stdout)


def some_pairs():
    with open(os.environ["PAIRS"], encoding="utf-8-sig", newline="") as file:
        pairs = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    return [{"sentence1": pair["#1 String"], "sentence2": pair["#2 String"]} for pair in pairs[:40]]


def predictor(name, serializer, deserializer):
    return Predictor(name, sagemaker_session=session, serializer=serializer, deserializer=deserializer)


def remove(of):
    of.delete_model()
    of.delete_endpoint(delete_endpoint_config=True)


def registered(role, package, pairs, expected):
    stage("the registered package is deployed, and asked by many at once")
    sagemaker.update_model_package(ModelPackageArn=package, ModelApprovalStatus="Approved")
    model = ModelPackage(role=role, model_package_arn=package, sagemaker_session=session)
    model.deploy(endpoint_name=f"{NAME}-package", **ONE)
    asked = predictor(f"{NAME}-package", JSONLinesSerializer(), JSONDeserializer())
    assert numpy.allclose(asked.predict(pairs), expected), expected
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda pair: asked.predict([pair])[0], pairs))
    assert numpy.allclose(answers, expected), answers
    remove(asked)


def transformed(bucket, role, package, pairs, expected):
    stage("the registered package transforms")
    body = "\n".join(map(json.dumps, pairs))
    s3.put_object(Bucket=bucket, Key=f"{NAME}/transform/pairs.jsonl", Body=body)
    model = ModelPackage(role=role, model_package_arn=package, sagemaker_session=session)
    transformer = model.transformer(
        instance_count=1, instance_type="ml.m5.large", strategy="MultiRecord", assemble_with="Line",
        output_path=f"s3://{bucket}/{NAME}/transformed",
    )
    transformer.transform(
        f"s3://{bucket}/{NAME}/transform", content_type="application/jsonlines", split_type="Line", logs=False,
    )
    answer = s3.get_object(Bucket=bucket, Key=f"{NAME}/transformed/pairs.jsonl.out")["Body"].read()
    assert numpy.allclose(json.loads(answer), expected), answer
    transformer.delete_model()


def sklearn_model(role, scripts, artefact, entry_point, **options):
    return SKLearnModel(
        model_data=artefact, role=role, entry_point=entry_point, source_dir=scripts, framework_version="1.2-1",
        sagemaker_session=session, **options,
    )


def as_trained(role, scripts, artefact, rows, expected):
    stage("the model as it was trained is deployed with its script: NumPy, CSV and JSON by the container's own functions")
    name = f"{NAME}-model"
    asked = sklearn_model(role, scripts, artefact, "plain.py").deploy(endpoint_name=name, **ONE)
    answer = asked.predict(numpy.array(rows, dtype=numpy.float32))
    assert isinstance(answer, numpy.ndarray) and answer.tolist() == expected, answer
    answer = predictor(name, CSVSerializer(), CSVDeserializer()).predict(rows)
    assert answer == [[str(value)] for value in expected], answer
    answer = predictor(name, JSONSerializer(), JSONDeserializer()).predict(rows)
    assert answer == expected, answer
    # Without a word of what is wanted it is JSON.
    body = "\n".join(",".join(map(str, row)) for row in rows)
    answer = runtime.invoke_endpoint(EndpointName=name, ContentType="text/csv", Body=body)
    assert answer["ContentType"] == "application/json" and json.load(answer["Body"]) == expected, answer

    refused(name, "text/plain", body, "Content type text/plain is not supported by this framework: write an input_fn")
    # One record of CSV is no table to the container's own input_fn.
    refused(name, "text/csv", body.splitlines()[0], "Expected 2D array, got 1D array instead")
    remove(asked)


def refused(name, content_type, body, why):
    """A request that a script fails at: the caller is told that it failed, and the log why."""
    try:
        runtime.invoke_endpoint(EndpointName=name, ContentType=content_type, Body=body)
    except runtime.exceptions.ModelError as error:
        said = error.response
        assert said["OriginalStatusCode"] == 500 and "<h1>Internal Server Error</h1>" in said["OriginalMessage"], said
    else:
        raise AssertionError(f"{content_type}: an answer")
    log = printed(f"/aws/sagemaker/Endpoints/{name}")
    assert "Exception on /invocations [POST]" in log and why in log and "Traceback" in log, log


def failed(name, why):
    """An endpoint that never answers, with the reason in its log."""
    for _ in range(600):
        described = sagemaker.describe_endpoint(EndpointName=name)
        if described["EndpointStatus"] != "Creating":
            break
        time.sleep(0.1)
    assert described["EndpointStatus"] == "Failed", described
    assert described["FailureReason"] == (
        "The primary container for production variant AllTraffic did not pass the ping health check. Please check "
        "CloudWatch logs for this endpoint."
    ), described
    log = printed(f"/aws/sagemaker/Endpoints/{name}")
    assert why in log, log
    remove(Predictor(name, sagemaker_session=session))


def badly(role, scripts, artefact, rows):
    stage("scripts that do not serve: no model, no prediction, no model_fn, no script at all")
    name = f"{NAME}-no-prediction"
    asked = sklearn_model(role, scripts, artefact, "misserve.py", env={"HOW": "prediction"})
    asked = asked.deploy(endpoint_name=name, **ONE)
    refused(name, "application/json", json.dumps(rows), "ValueError: nothing can be predicted of these")
    assert f"asked for {len(rows)} rows" in printed(f"/aws/sagemaker/Endpoints/{name}")
    remove(asked)

    model = sklearn_model(role, scripts, artefact, "misserve.py", env={"HOW": "model"})
    model.deploy(endpoint_name=f"{NAME}-no-model", wait=False, **ONE)
    failed(f"{NAME}-no-model", "ValueError: the model is of 1999")

    sklearn_model(role, scripts, artefact, "rows.py").deploy(endpoint_name=f"{NAME}-no-model-fn", wait=False, **ONE)
    failed(f"{NAME}-no-model-fn", "NotImplementedError: Please provide a model_fn implementation")

    model = sklearn_model(role, scripts, artefact, "plain.py")
    sagemaker.create_model(
        ModelName=f"{NAME}-no-script", ExecutionRoleArn=role,
        PrimaryContainer={"Image": model.serving_image_uri(session.boto_region_name, None), "ModelDataUrl": artefact},
    )
    session.endpoint_from_production_variants(
        f"{NAME}-no-script", [{"ModelName": f"{NAME}-no-script", "VariantName": "AllTraffic", "InitialVariantWeight": 1,
                               "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}], wait=False,
    )
    failed(f"{NAME}-no-script", "nothing says which script serves the model: name it in SAGEMAKER_PROGRAM")


def serve(bucket, role, scripts, package, artefact, model, rows):
    """`package` is registered with its script, `artefact` the model as it was trained, `model` the one in both."""
    pairs = some_pairs()
    probabilities, classes = its_own(scripts, model, pairs, rows)
    registered(role, package, pairs, probabilities)
    transformed(bucket, role, package, pairs, probabilities)
    as_trained(role, scripts, artefact, rows, classes)
    badly(role, scripts, artefact, rows)
