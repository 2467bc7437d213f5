//! An account with models for its endpoints: real ones, served by the program of this workspace, and broken ones.

use std::io::Write;
use std::sync::OnceLock;

use aws_sdk_sagemaker::types::{
    CaptureMode, CaptureOption, ContainerDefinition, DataCaptureConfig, EndpointStatus, ProductionVariant,
    ProductionVariantInstanceType,
};
use sagemaker_fake::endpoints::{self, Endpoint};
use sagemaker_fake::jobs::programs::Programs;
use sagemaker_fake::testing::FakeAws;
use sagemaker_fake::{Fake, FakeBuilder, engine, s3};
use sts_model::vocabulary::Counter;
use sts_model::{features, sample};

use crate::account::{BUCKET, ROLE, STS, patiently, programs};
use crate::clients::{Answer, REGION, raw, sagemaker, signed_for};

/// An account, and a client of it.
pub struct Stage {
    pub aws: FakeAws,
    pub client: aws_sdk_sagemaker::Client,
}

/// What to call InvokeEndpoint with, beside the body.
pub type Headers<'a> = &'a [(&'a str, &'a str)];

impl Stage {
    pub async fn new() -> Self {
        Self::with(Fake::builder()).await
    }

    pub async fn with(builder: FakeBuilder) -> Self {
        Self::running(builder, programs()).await
    }

    /// With the model `good`, whose data is at `model.tar.gz`, in a bucket, unless the state has them already.
    pub async fn running(builder: FakeBuilder, programs: Programs) -> Self {
        let aws = FakeAws::start_with(builder.programs(programs)).await;
        let client = sagemaker(&aws);
        let stage = Self { aws, client };
        if s3::bucket(stage.aws.fake(), BUCKET).unwrap().is_none() {
            s3::create_bucket(stage.aws.fake(), BUCKET, REGION, stage.aws.fake().account()).unwrap();
            stage.put("model.tar.gz", model());
            stage.model("good", STS, "model.tar.gz").await;
        }
        stage
    }

    /// Closes the fake.
    pub async fn close(self) {
        let fake = self.aws.fake().clone();
        drop(self);
        engine::close(fake).await;
    }

    pub fn put(&self, key: &str, content: &[u8]) {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), content).unwrap();
        s3::put_file(self.aws.fake(), BUCKET, key, file.path()).unwrap();
    }

    pub async fn model(&self, name: &str, image: &str, key: &str) {
        let container =
            ContainerDefinition::builder().image(image).model_data_url(format!("s3://{BUCKET}/{key}")).build();
        let create = self.client.create_model().model_name(name).execution_role_arn(ROLE);
        create.primary_container(container).send().await.unwrap();
    }

    /// A configuration of variants, each a name, its model and its weight.
    pub async fn config(&self, name: &str, variants: &[(&str, &str, f32)], capture: Option<DataCaptureConfig>) {
        let variants = variants.iter().map(|(name, model, weight)| variant(name, model, *weight)).collect();
        let create = self.client.create_endpoint_config().endpoint_config_name(name);
        create.set_production_variants(Some(variants)).set_data_capture_config(capture).send().await.unwrap();
    }

    /// An endpoint, of a configuration of the same name, with one variant of this model.
    pub async fn endpoint(&self, name: &str, model: &str, capture: Option<DataCaptureConfig>) -> Endpoint {
        self.config(name, &[("AllTraffic", model, 1.0)], capture).await;
        self.client.create_endpoint().endpoint_name(name).endpoint_config_name(name).send().await.unwrap();
        self.settled(name).await.unwrap()
    }

    pub async fn settled(&self, name: &str) -> Option<Endpoint> {
        patiently(endpoints::settled(self.aws.fake(), REGION, name)).await.unwrap()
    }

    pub async fn status(&self, name: &str) -> (EndpointStatus, Option<String>) {
        let described = self.client.describe_endpoint().endpoint_name(name).send().await.unwrap();
        (described.endpoint_status().unwrap().clone(), described.failure_reason().map(str::to_owned))
    }

    /// InvokeEndpoint, signed.
    pub async fn invoke(&self, endpoint: &str, headers: Headers<'_>, body: &str) -> Answer {
        let authorization = signed_for("sagemaker");
        let mut all = vec![("authorization", authorization.as_str())];
        all.extend(headers);
        let line = format!("POST /endpoints/{endpoint}/invocations");
        patiently(raw(&self.aws.endpoint_url(), &line, &all, body)).await
    }

    pub fn keys(&self, prefix: &str) -> Vec<String> {
        s3::list(self.aws.fake(), BUCKET, prefix).unwrap().into_iter().map(|object| object.key).collect()
    }

    pub fn text(&self, key: &str) -> String {
        std::io::read_to_string(s3::open(self.aws.fake(), BUCKET, key).unwrap().1).unwrap()
    }
}

pub fn variant(name: &str, model: &str, weight: f32) -> ProductionVariant {
    ProductionVariant::builder()
        .variant_name(name)
        .model_name(model)
        .initial_instance_count(1)
        .instance_type(ProductionVariantInstanceType::MlM5Large)
        .initial_variant_weight(weight)
        .build()
}

/// Captures this percentage of the traffic below `capture/`.
pub fn capture(percentage: i32, modes: &[CaptureMode]) -> DataCaptureConfig {
    let options = modes.iter().map(|mode| CaptureOption::builder().capture_mode(mode.clone()).build()).collect();
    DataCaptureConfig::builder()
        .enable_capture(true)
        .initial_sampling_percentage(percentage)
        .destination_s3_uri(format!("s3://{BUCKET}/capture"))
        .set_capture_options(Some(options))
        .capture_content_type_header(
            aws_sdk_sagemaker::types::CaptureContentTypeHeader::builder()
                .csv_content_types("text/csv")
                .json_content_types("application/jsonlines")
                .build(),
        )
        .build()
}

/// A row of features, as the model takes them.
pub fn row() -> String {
    features::extract("the cat sat on the mat", "a cat sat on a mat", &Counter::new().finish())
        .iter()
        .map(|value| format!("{value}"))
        .collect::<Vec<_>>()
        .join(",")
}

/// A `model.tar.gz` of the real thing, fitted to a sample.
pub fn model() -> &'static [u8] {
    static MODEL: OnceLock<Vec<u8>> = OnceLock::new();
    MODEL.get_or_init(|| sample::model(200).to_tar_gz())
}

/// A `.tar.gz` of one file.
pub fn archive(name: &str, content: &[u8]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(content.len() as u64);
    header.set_mode(0o644);
    tar.append_data(&mut header, name, content).unwrap();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(&tar.into_inner().unwrap()).unwrap();
    gzip.finish().unwrap()
}
