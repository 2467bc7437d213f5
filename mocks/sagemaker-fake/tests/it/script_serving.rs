//! Models that scripts serve, in the environment that a map of images names. Nobody need have Python: what stands for it here
//! says what it is asked to run, and then serves as our own image does. What the server makes of a script, and of requests,
//! `cargo xtask clients scripts` tries.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use aws_sdk_sagemaker::types::{
    ContainerDefinition, EndpointStatus, TransformDataSource, TransformInput, TransformInstanceType,
    TransformJobStatus, TransformOutput, TransformResources, TransformS3DataSource,
};
use sagemaker_fake::jobs::programs::Programs;
use sagemaker_fake::jobs::{Kind, ended, logs};
use sagemaker_fake::{Fake, FakeBuilder};

use crate::account::{BUCKET, ROLE, patiently, programs};
use crate::clients::REGION;
use crate::hosting::{Stage, archive, model, row};

const IMAGE: &str = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3";

const PING: &str = "The primary container for production variant AllTraffic did not pass the ping health check. Please check \
                    CloudWatch logs for this endpoint.";

/// A map of images, and the interpreter that it names.
struct Map {
    folder: tempfile::TempDir,
}

impl Map {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let python = folder.path().join("python");
        let own = env!("CARGO_BIN_EXE_sagemaker-fake");
        let script = format!(
            "#!/bin/sh\n\
             if [ \"$2\" = pip ]; then echo 'ERROR: No matching distribution found for numpy' >&2; exit 1; fi\n\
             head -n 1 \"$1\"\n\
             echo \"$#: ${{1##*/}} $2 [$PYTHONPATH] $SAGEMAKER_PROGRAM $SM_MODEL_DIR\"\n\
             if [ $SAGEMAKER_PROGRAM = fails.py ]; then echo 'ValueError: the model is of 1999'; exit 1; fi\n\
             cat \"$2/code/$SAGEMAKER_PROGRAM\"\n\
             exec {own} container serve\n"
        );
        fs::write(&python, script).unwrap();
        fs::set_permissions(&python, fs::Permissions::from_mode(0o755)).unwrap();
        let text = "[[image]]\nuri = \"*/sagemaker-scikit-learn:*\"\npython = \"python\"\n";
        fs::write(folder.path().join("images.toml"), text).unwrap();
        Self { folder }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("images.toml")
    }

    /// Where no job's files can be shown as `/opt/ml`: as any machine can be.
    fn programs(&self) -> Programs {
        programs().file(&self.path()).unwrap().relocated()
    }

    async fn stage(&self, builder: FakeBuilder) -> Stage {
        Stage::running(builder, self.programs()).await
    }
}

/// A model of the image with these variables.
async fn create_model(stage: &Stage, name: &str, key: &str, environment: &[(&str, &str)]) {
    let mut container = ContainerDefinition::builder().image(IMAGE).model_data_url(format!("s3://{BUCKET}/{key}"));
    for (variable, value) in environment {
        container = container.environment(*variable, *value);
    }
    let create = stage.client.create_model().model_name(name).execution_role_arn(ROLE);
    create.primary_container(container.build()).send().await.unwrap();
}

/// What is in the logs of a group, with `/opt/ml` where the fake says that it is elsewhere.
fn printed(stage: &Stage, group: &str, prefix: &str) -> String {
    let fake = stage.aws.fake();
    let streams = logs::streams(fake, REGION, group, prefix).unwrap();
    let events = streams.iter().flat_map(|stream| logs::events(fake, stream, 0, 1000).unwrap());
    let log = events.map(|event| event.message).collect::<Vec<_>>().join("\n");
    let told = log.lines().find_map(|line| line.strip_prefix("(/opt/ml is at ")?.split_once(": "));
    told.map_or_else(|| log.clone(), |(folder, _)| log.replace(folder, "/opt/ml"))
}

fn of_endpoint(stage: &Stage, name: &str) -> String {
    printed(stage, &format!("/aws/sagemaker/Endpoints/{name}"), "")
}

fn of_transform(stage: &Stage, name: &str) -> String {
    printed(stage, "/aws/sagemaker/TransformJobs", &format!("{name}/"))
}

const SUBMITTED: (&str, &str) = ("SAGEMAKER_SUBMIT_DIRECTORY", "s3://sts-bucket/code.tar.gz");

#[tokio::test]
async fn a_script_from_s3_serves_even_when_s3_has_it_no_more() {
    let (map, state) = (Map::new(), tempfile::tempdir().unwrap());
    let stage = map.stage(Fake::builder().state(state.path())).await;
    stage.put("code.tar.gz", &archive("inference.py", b"# the script\n"));
    create_model(&stage, "script", "model.tar.gz", &[("SAGEMAKER_PROGRAM", "inference.py"), SUBMITTED]).await;
    stage.endpoint("script", "script", None).await;
    assert_eq!(stage.status("script").await, (EndpointStatus::InService, None));
    assert_eq!(stage.invoke("script", &[("content-type", "text/csv")], &row()).await.status, 200);

    let log = of_endpoint(&stage, "script");
    let log: Vec<_> = log.lines().collect();
    assert!(log[0].starts_with("(/opt/ml is at "), "{log:?}");
    assert!(log[1].starts_with("\"\"\"Serves the model of a script"), "{log:?}");
    assert_eq!(log[2..4], ["2: serve.py /opt/ml [/opt/ml/code] inference.py /opt/ml/model", "# the script"]);

    stage.put("code.tar.gz", b"no archive");
    stage.close().await;
    let stage = map.stage(Fake::builder().state(state.path())).await;
    assert_eq!(stage.invoke("script", &[("content-type", "text/csv")], &row()).await.status, 200);
}

/// A `model.tar.gz` that was packed anew with code, as AWS's SDK does it.
fn packed_with(files: &[(&str, &str)]) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    tar::Archive::new(flate2::read::GzDecoder::new(model())).unpack(folder.path()).unwrap();
    for (name, content) in files {
        let path = folder.path().join("code").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    let mut tar = tar::Builder::new(flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast()));
    tar.append_dir_all(".", folder.path()).unwrap();
    tar.into_inner().unwrap().finish().unwrap()
}

/// A batch transform of one row.
async fn transform(stage: &Stage, name: &str) -> (TransformJobStatus, Option<String>) {
    stage.put("rows/a.csv", row().as_bytes());
    let data = TransformS3DataSource::builder()
        .s3_data_type(aws_sdk_sagemaker::types::S3DataType::S3Prefix)
        .s3_uri(format!("s3://{BUCKET}/rows"))
        .build();
    let input = TransformInput::builder()
        .data_source(TransformDataSource::builder().s3_data_source(data).build())
        .content_type("text/csv")
        .build();
    let resources =
        TransformResources::builder().instance_type(TransformInstanceType::MlM5Large).instance_count(1).build();
    let output = TransformOutput::builder().s3_output_path(format!("s3://{BUCKET}/scored/{name}")).build();
    let create = stage.client.create_transform_job().transform_job_name(name).model_name(name).transform_input(input);
    create.transform_output(output).transform_resources(resources).send().await.unwrap();
    patiently(ended(stage.aws.fake(), REGION, Kind::TransformJob, name)).await.unwrap();
    let described = stage.client.describe_transform_job().transform_job_name(name).send().await.unwrap();
    (described.transform_job_status().unwrap().clone(), described.failure_reason().map(str::to_owned))
}

#[tokio::test]
async fn a_script_that_comes_with_its_model_transforms() {
    let map = Map::new();
    let stage = map.stage(Fake::builder()).await;
    let files = [("inference.py", "# packed\n"), ("setup.py", ""), ("src/lib/__init__.py", "")];
    stage.put("packed.tar.gz", &packed_with(&files));
    let environment = [
        ("SAGEMAKER_PROGRAM", "inference.py"),
        ("SAGEMAKER_SUBMIT_DIRECTORY", "/opt/ml/model/code"),
        ("PYTHONPATH", "/x"),
    ];
    create_model(&stage, "packed", "packed.tar.gz", &environment).await;
    assert_eq!(transform(&stage, "packed").await, (TransformJobStatus::Completed, None));
    assert_eq!(stage.keys("scored"), ["scored/packed/a.csv.out"]);

    let log = of_transform(&stage, "packed");
    let log: Vec<_> = log.lines().collect();
    assert!(log[0].starts_with("(setup.py: AWS's images install the package"), "{log:?}");
    let told = "2: serve.py /opt/ml [/opt/ml/code:/opt/ml/code/src:/x] inference.py /opt/ml/model";
    assert!(log.contains(&told) && log.contains(&"# packed"), "{log:?}");
}

#[tokio::test]
async fn what_does_not_serve_fails_its_health_check_and_says_why() {
    let map = Map::new();
    let stage = map.stage(Fake::builder()).await;
    stage.put("code.tar.gz", &archive("inference.py", b""));
    stage.put("required.tar.gz", &archive("requirements.txt", b"numpy"));
    stage.put("no-archive", b"x");
    let program = ("SAGEMAKER_PROGRAM", "inference.py");
    let directory = |uri| ("SAGEMAKER_SUBMIT_DIRECTORY", uri);
    let check = async |name: &str, environment: &[(&str, &str)], why: &str| {
        create_model(&stage, name, "model.tar.gz", environment).await;
        stage.endpoint(name, name, None).await;
        assert_eq!(stage.status(name).await, (EndpointStatus::Failed, Some(PING.to_owned())), "{name}");
        let log = of_endpoint(&stage, name);
        assert!(log.contains(why), "{name}: {log}");

        let failed = "AlgorithmError: See job logs for more information".to_owned();
        assert_eq!(transform(&stage, name).await, (TransformJobStatus::Failed, Some(failed)), "{name}");
        let log = of_transform(&stage, name);
        assert!(log.contains(why), "{name}: {log}");
    };
    check("no-program", &[SUBMITTED], "nothing says which script serves the model: name it in SAGEMAKER_PROGRAM").await;
    check("fails", &[("SAGEMAKER_PROGRAM", "fails.py"), SUBMITTED], "ValueError: the model is of 1999").await;
    check(
        "no-code",
        &[program, directory("s3://sts-bucket/nothing.tar.gz")],
        "An error occurred (404) when calling the HeadObject operation: Not Found",
    )
    .await;
    check("no-folder", &[program, directory("/opt/ml/model/code")], "No such file or directory: '/opt/ml/model/code'")
        .await;
    check(
        "no-archive",
        &[program, directory("s3://sts-bucket/no-archive")],
        "s3://sts-bucket/no-archive is no tar.gz archive",
    )
    .await;
    check(
        "required",
        &[program, directory("s3://sts-bucket/required.tar.gz")],
        "ERROR: No matching distribution found for numpy",
    )
    .await;
}
