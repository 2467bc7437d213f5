"""Makes the definitions beside this file, with the SageMaker Python SDK (2.257.7), offline.

    pip install 'sagemaker<3'; AWS_DEFAULT_REGION=eu-west-1 python make.py

Nothing that builds or tests runs it.
"""

import json
from pathlib import Path

import boto3
from sagemaker.estimator import Estimator
from sagemaker.inputs import TrainingInput
from sagemaker.model import Model
from sagemaker.model_monitor.dataset_format import DatasetFormat
from sagemaker.transformer import Transformer
from sagemaker.tuner import CategoricalParameter, ContinuousParameter, HyperparameterTuner, IntegerParameter
from sagemaker.workflow.callback_step import CallbackOutput, CallbackOutputTypeEnum, CallbackStep
from sagemaker.workflow.check_job_config import CheckJobConfig
from sagemaker.workflow.condition_step import ConditionStep
from sagemaker.workflow.conditions import ConditionGreaterThan
from sagemaker.workflow.execution_variables import ExecutionVariables
from sagemaker.workflow.fail_step import FailStep
from sagemaker.workflow.functions import Join
from sagemaker.workflow.model_step import ModelStep
from sagemaker.workflow.parameters import ParameterBoolean, ParameterString
from sagemaker.workflow.pipeline import Pipeline
from sagemaker.workflow.pipeline_context import PipelineSession
from sagemaker.workflow.quality_check_step import DataQualityCheckConfig, ModelQualityCheckConfig, QualityCheckStep
from sagemaker.workflow.steps import CacheConfig, TransformStep, TuningStep

ROLE = "arn:aws:iam::111122223333:role/sts-execution"
BUCKET = "sts-bucket"
REGISTRY = "111122223333.dkr.ecr.eu-west-1.amazonaws.com"
INSTANCE = {"instance_count": 1, "instance_type": "ml.m5.large"}

session = PipelineSession(
    boto_session=boto3.Session(region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="y"),
    default_bucket=BUCKET,
)
session._default_bucket = BUCKET  # else it would be looked for
a_day = CacheConfig(enable_caching=True, expire_after="P1D")


def model(data):
    return Model(image_uri=f"{REGISTRY}/sts-container:1", model_data=data, role=ROLE, sagemaker_session=session)


def score():
    data = ParameterString("ModelData", default_value=f"s3://{BUCKET}/model.tar.gz")
    rows = ParameterString("Rows", default_value=f"s3://{BUCKET}/rows")
    create = ModelStep(name="CreateSTS", step_args=model(data).create(instance_type="ml.m5.large"))
    transformer = Transformer(
        model_name=create.properties.ModelName, strategy="MultiRecord", assemble_with="Line", accept="text/csv",
        output_path=f"s3://{BUCKET}/scored", max_payload=1, max_concurrent_transforms=2, sagemaker_session=session,
        **INSTANCE)
    scores = TransformStep(
        name="ScoreSTS", cache_config=a_day,
        step_args=transformer.transform(
            data=rows, content_type="text/csv", split_type="Line", input_filter="$[1:]", join_source="Input",
            output_filter="$[0,-2,-1]"))
    ask = CallbackStep(
        name="AskSomebody", sqs_queue_url="https://sqs.eu-west-1.amazonaws.com/111122223333/sts",
        inputs={"scored": scores.properties.TransformOutput.S3OutputPath, "limit": 7},
        outputs=[
            CallbackOutput("threshold", CallbackOutputTypeEnum.Float),
            CallbackOutput("who", CallbackOutputTypeEnum.String),
        ])
    too_strict = Join(on=" ", values=["too strict:", ask.properties.Outputs["who"]])
    strict = ConditionStep(
        name="IsStrict", conditions=[ConditionGreaterThan(left=ask.properties.Outputs["threshold"], right=0.5)],
        if_steps=[FailStep("TooStrict", error_message=too_strict)], else_steps=[])
    return Pipeline(
        name="score", parameters=[data, rows], steps=[create, scores, ask, strict], sagemaker_session=session)


def tuning():
    estimator = Estimator(
        image_uri=f"{REGISTRY}/shell:1", role=ROLE, output_path=f"s3://{BUCKET}/models",
        hyperparameters={"epochs": "3"}, sagemaker_session=session, **INSTANCE)
    tuner = HyperparameterTuner(
        estimator, "loss",
        {
            "l2": ContinuousParameter(0.001, 1.0, scaling_type="Logarithmic"),
            "depth": IntegerParameter(1, 5),
            "solver": CategoricalParameter(["a", "b"]),
        },
        metric_definitions=[{"Name": "loss", "Regex": "loss=([0-9.]+)"}], objective_type="Minimize", max_jobs=4,
        max_parallel_jobs=2, strategy="Bayesian", random_seed=7)
    tune = TuningStep(name="TuneSTS", step_args=tuner.fit(inputs={"train": TrainingInput(f"s3://{BUCKET}/train")}))
    best = model(tune.get_top_model_s3_uri(top_k=0, s3_bucket=BUCKET, prefix="models"))
    create = ModelStep(name="BestSTS", step_args=best.create(instance_type="ml.m5.large"))
    return Pipeline(name="tuning", parameters=[], steps=[tune, create], sagemaker_session=session)


def checks():
    data = ParameterString("Data", default_value=f"s3://{BUCKET}/baseline/data.csv")
    predictions = ParameterString("Predictions", default_value=f"s3://{BUCKET}/baseline/predictions.csv")
    skip = ParameterBoolean("SkipCheck", default_value=False)
    register = ParameterBoolean("RegisterNewBaseline", default_value=False)
    statistics = ParameterString("SuppliedStatistics", default_value="")
    constraints = ParameterString("SuppliedConstraints", default_value="")
    settings = {"skip_check": skip, "register_new_baseline": register, "model_package_group_name": "sts-group"}

    def job():
        return CheckJobConfig(role=ROLE, volume_size_in_gb=30, sagemaker_session=session, **INSTANCE)

    def output(name):
        return Join(on="/", values=[f"s3://{BUCKET}/checks", ExecutionVariables.PIPELINE_EXECUTION_ID, name])

    of_data = QualityCheckStep(
        name="DataQuality", check_job_config=job(), supplied_baseline_statistics=statistics,
        supplied_baseline_constraints=constraints,
        quality_check_config=DataQualityCheckConfig(
            baseline_dataset=data, output_s3_uri=output("data"),
            dataset_format=DatasetFormat.csv(header=True, output_columns_position="START")),
        **settings)
    of_model = QualityCheckStep(
        name="ModelQuality", check_job_config=job(), cache_config=a_day, depends_on=[of_data],
        quality_check_config=ModelQualityCheckConfig(
            baseline_dataset=predictions, dataset_format=DatasetFormat.csv(header=True), output_s3_uri=output("model"),
            problem_type="BinaryClassification", inference_attribute="prediction",
            probability_attribute="probability", ground_truth_attribute="label"),
        **settings)
    parameters = [data, predictions, skip, register, statistics, constraints]
    return Pipeline(name="checks", parameters=parameters, steps=[of_data, of_model], sagemaker_session=session)


for pipeline in [score(), tuning(), checks()]:
    definition = json.loads(pipeline.definition())
    Path(__file__).with_name(f"{pipeline.name}.json").write_text(json.dumps(definition, indent=2) + "\n")
