//! Endpoints, their configurations, what they answer, and what is captured of that.

use std::time::Duration;

use anyhow::{Context, ensure};
use aws_sdk_sagemaker::types::{
    CaptureContentTypeHeader, CaptureMode, CaptureOption, CaptureStatus, DataCaptureConfig, DesiredWeightAndCapacity,
    EndpointStatus as Status, ProductionVariant, ProductionVariantInstanceType, ProductionVariantSummary,
};

use super::models;
use crate::World;
use crate::case::Cost::{Cents, Free};
use crate::case::cases;
use crate::made::Made;
use crate::model::row;
use crate::refusal::refused;

cases! { "endpoints":
    configurations_from_creation_to_deletion (Free) ["sagemaker:CreateEndpointConfig", "sagemaker:DescribeEndpointConfig",
        "sagemaker:DeleteEndpointConfig", "sagemaker:ListEndpointConfigs"];
    configurations_name_models_that_exist (Free) ["sagemaker:CreateEndpointConfig"];
    an_endpoint_is_made_and_answers (Cents(10)) ["sagemaker:CreateEndpoint", "sagemaker:DescribeEndpoint", "sagemaker:InvokeEndpoint",
        "sagemaker:DeleteEndpoint", "sagemaker:ListEndpoints"];
    what_is_asked_is_captured (Cents(10)) ["sagemaker:CreateEndpoint", "sagemaker:InvokeEndpoint", "sagemaker:DescribeEndpoint"];
    an_endpoint_is_updated_while_it_serves (Cents(20)) ["sagemaker:UpdateEndpoint", "sagemaker:DeleteEndpointConfig"];
    weights_are_changed (Cents(10)) ["sagemaker:UpdateEndpointWeightsAndCapacities"];
    what_is_missing_is_named (Free) ["sagemaker:CreateEndpoint", "sagemaker:DescribeEndpoint", "sagemaker:UpdateEndpoint",
        "sagemaker:DeleteEndpoint", "sagemaker:DescribeEndpointConfig", "sagemaker:DeleteEndpointConfig",
        "sagemaker:InvokeEndpoint", "sagemaker:UpdateEndpointWeightsAndCapacities"];
}

const VALIDATION: &str = "ValidationException";

fn variant(model: &str) -> ProductionVariant {
    ProductionVariant::builder()
        .variant_name("AllTraffic")
        .model_name(model)
        .initial_instance_count(1)
        .instance_type(ProductionVariantInstanceType::MlM5Large)
        .build()
}

/// Makes a configuration of one variant: its name.
async fn config(world: &World, model: &str, capture: Option<DataCaptureConfig>) -> anyhow::Result<String> {
    let name = world.name("Config");
    world.will_make(Made::EndpointConfig(name.clone()));
    let create = world.clients.sagemaker.create_endpoint_config().endpoint_config_name(&name);
    let create = create.production_variants(variant(model)).set_data_capture_config(capture).tags(world.tag());
    let made = create.send().await?;
    let arn = world.arn(&format!("endpoint-config/{}", name.to_lowercase()));
    ensure!(made.endpoint_config_arn() == Some(&arn), "{made:?}");
    Ok(name)
}

/// Makes an endpoint and waits until it serves: its name.
pub(super) async fn serving(world: &World, capture: Option<DataCaptureConfig>) -> anyhow::Result<String> {
    let model = models::create(world, "Served").await?;
    let config = config(world, &model, capture).await?;
    let name = world.name("Endpoint");
    world.will_make(Made::Endpoint(name.clone()));
    let create = world.clients.sagemaker.create_endpoint().endpoint_name(&name).endpoint_config_name(config);
    create.tags(world.tag()).send().await?;
    let status = status(world, &name).await?;
    ensure!([Status::Creating, Status::InService].contains(&status), "a new endpoint is being made first: {status:?}");
    settled(world, &name).await?;
    Ok(name)
}

async fn status(world: &World, name: &str) -> anyhow::Result<Status> {
    let found = world.clients.sagemaker.describe_endpoint().endpoint_name(name).send().await?;
    found.endpoint_status().cloned().context("an endpoint has a status")
}

async fn settled(world: &World, name: &str) -> anyhow::Result<()> {
    world
        .until("an endpoint to serve", async || match status(world, name).await? {
            Status::InService => Ok(Some(())),
            Status::Failed => anyhow::bail!("the endpoint failed"),
            _ => Ok(None),
        })
        .await
}

/// Captures all of the traffic below a prefix.
pub(super) fn capture(uri: &str) -> DataCaptureConfig {
    let side = |mode| CaptureOption::builder().capture_mode(mode).build();
    DataCaptureConfig::builder()
        .enable_capture(true)
        .initial_sampling_percentage(100)
        .destination_s3_uri(uri)
        .capture_options(side(CaptureMode::Input))
        .capture_options(side(CaptureMode::Output))
        .capture_content_type_header(CaptureContentTypeHeader::builder().csv_content_types("text/csv").build())
        .build()
}

/// Asks an endpoint about a row: its answer.
pub(super) async fn invoke(world: &World, endpoint: &str, inference_id: &str) -> anyhow::Result<String> {
    let path = format!("/endpoints/{endpoint}/invocations");
    let headers =
        [("content-type", "text/csv"), ("accept", "text/csv"), ("x-amzn-sagemaker-inference-id", inference_id)];
    let answer = world.clients.runtime.post("InvokeEndpoint", &path, &headers, row().into_bytes()).await?;
    Ok(String::from_utf8(answer)?)
}

async fn configurations_from_creation_to_deletion(world: &World) -> anyhow::Result<()> {
    let sagemaker = &world.clients.sagemaker;
    let model = models::create(world, "Configured").await?;
    let name = config(world, &model, Some(capture(&world.uri("stsmm-live-tests/never")))).await?;
    let again = sagemaker.create_endpoint_config().endpoint_config_name(&name).production_variants(variant(&model));
    refused(again.send().await, VALIDATION, "Cannot create already existing endpoint configuration \"arn:")?;
    let found = sagemaker.describe_endpoint_config().endpoint_config_name(&name).send().await?;
    ensure!(found.endpoint_config_name() == Some(&name) && found.production_variants().len() == 1, "{found:?}");
    let captured = found.data_capture_config().context("its capture comes back")?;
    ensure!(captured.initial_sampling_percentage() == Some(100) && captured.capture_options().len() == 2);
    let listed = sagemaker.list_endpoint_configs().name_contains(&name).send().await?;
    ensure!(listed.endpoint_configs().len() == 1, "{listed:?}");
    sagemaker.delete_endpoint_config().endpoint_config_name(&name).send().await?;
    let gone = sagemaker.describe_endpoint_config().endpoint_config_name(&name).send().await;
    refused(gone, VALIDATION, "Could not find endpoint configuration \"arn:")
}

async fn configurations_name_models_that_exist(world: &World) -> anyhow::Result<()> {
    let create = world.clients.sagemaker.create_endpoint_config().endpoint_config_name(world.name("Never"));
    let create = create.production_variants(variant(&world.name("no-model"))).send().await;
    refused(create, VALIDATION, "Could not find model \"arn:")
}

async fn an_endpoint_is_made_and_answers(world: &World) -> anyhow::Result<()> {
    let sagemaker = &world.clients.sagemaker;
    let name = serving(world, None).await?;
    let found = sagemaker.describe_endpoint().endpoint_name(&name).send().await?;
    let [variant] = found.production_variants() else { anyhow::bail!("one variant: {found:?}") };
    ensure!(variant.current_instance_count() == Some(1) && variant.current_weight() == Some(1.0), "{variant:?}");
    let again = sagemaker.create_endpoint().endpoint_name(&name);
    let again = again.endpoint_config_name(found.endpoint_config_name().unwrap_or_default()).send().await;
    refused(again, VALIDATION, "Cannot create already existing endpoint \"arn:")?;
    let answer = invoke(world, &name, "sts_1").await?;
    let (label, probability) = answer.trim().split_once(',').context("a prediction and its probability")?;
    ensure!(["0", "1"].contains(&label) && (0.0..=1.0).contains(&probability.parse::<f64>()?), "{answer}");
    let listed = sagemaker.list_endpoints().name_contains(&name).status_equals(Status::InService).send().await?;
    ensure!(listed.endpoints().len() == 1, "{listed:?}");
    sagemaker.delete_endpoint().endpoint_name(&name).send().await?;
    world
        .until("an endpoint to be gone", async || {
            let found = sagemaker.describe_endpoint().endpoint_name(&name).send().await;
            Ok(found.is_err().then_some(()))
        })
        .await?;
    let gone = sagemaker.describe_endpoint().endpoint_name(&name).send().await;
    refused(gone, VALIDATION, "Could not find endpoint \"arn:")
}

async fn what_is_asked_is_captured(world: &World) -> anyhow::Result<()> {
    let uri = world.output("capture");
    let name = serving(world, Some(capture(&uri))).await?;
    let found = world.clients.sagemaker.describe_endpoint().endpoint_name(&name).send().await?;
    let summary = found.data_capture_config().context("what is captured is described")?;
    ensure!(summary.capture_status() == Some(&CaptureStatus::Started), "{summary:?}");
    ensure!(summary.current_sampling_percentage() == Some(100) && summary.destination_s3_uri() == Some(&uri));
    invoke(world, &name, "sts_captured").await?;
    // A file is put into S3 when its minutes are over.
    world.pass(Duration::from_secs(120)).await?;
    let (bucket, s3) = (&world.account.bucket, &world.clients.s3);
    let prefix = uri.split_once(&format!("{bucket}/")).context("a URI names its bucket")?.1;
    let key = world
        .until("a file of what was captured", async || {
            let listed =
                s3.list_objects_v2().bucket(bucket).prefix(format!("{prefix}/{name}/AllTraffic/")).send().await?;
            Ok(listed.contents().first().and_then(|object| object.key().map(str::to_owned)))
        })
        .await?;
    ensure!(key.ends_with(".jsonl"), "{key}");
    let file = s3.get_object().bucket(bucket).key(key).send().await?.body.collect().await?.to_vec();
    let record: serde_json::Value =
        serde_json::from_slice(file.split(|byte| *byte == b'\n').next().unwrap_or_default())?;
    ensure!(record["eventMetadata"]["inferenceId"] == "sts_captured", "{record}");
    ensure!(record["captureData"]["endpointInput"]["data"] == row().as_str(), "{record}");
    Ok(())
}

async fn an_endpoint_is_updated_while_it_serves(world: &World) -> anyhow::Result<()> {
    let sagemaker = &world.clients.sagemaker;
    let name = serving(world, None).await?;
    let old = sagemaker.describe_endpoint().endpoint_name(&name).send().await?;
    let old = old.endpoint_config_name().context("it names its configuration")?.to_owned();
    let model = models::create(world, "Next").await?;
    let next = config(world, &model, None).await?;
    let missing = sagemaker.update_endpoint().endpoint_name(&name).endpoint_config_name(world.name("none"));
    refused(missing.send().await, VALIDATION, "Could not find endpoint configuration \"arn:")?;
    sagemaker.update_endpoint().endpoint_name(&name).endpoint_config_name(&next).send().await?;
    invoke(world, &name, "sts_meanwhile").await?;
    settled(world, &name).await?;
    let found = sagemaker.describe_endpoint().endpoint_name(&name).send().await?;
    ensure!(found.endpoint_config_name() == Some(&next), "{found:?}");
    // AWS warns against it, and lets go of a configuration that is in use: what serves goes on.
    for config in [old, next] {
        sagemaker.delete_endpoint_config().endpoint_config_name(config).send().await?;
    }
    invoke(world, &name, "sts_still").await?;
    Ok(())
}

async fn weights_are_changed(world: &World) -> anyhow::Result<()> {
    let sagemaker = &world.clients.sagemaker;
    let name = serving(world, None).await?;
    let change = |variant: &str| {
        let wish = DesiredWeightAndCapacity::builder().variant_name(variant).desired_weight(0.5).build();
        sagemaker.update_endpoint_weights_and_capacities().endpoint_name(&name).desired_weights_and_capacities(wish)
    };
    refused(change("Nobody").send().await, VALIDATION, "")?;
    change("AllTraffic").send().await?;
    settled(world, &name).await?;
    let found = sagemaker.describe_endpoint().endpoint_name(&name).send().await?;
    ensure!(
        found.production_variants().first().and_then(ProductionVariantSummary::current_weight) == Some(0.5),
        "{found:?}"
    );
    Ok(())
}

async fn what_is_missing_is_named(world: &World) -> anyhow::Result<()> {
    let (sagemaker, name) = (&world.clients.sagemaker, world.name("missing"));
    let no_config =
        format!("Could not find endpoint configuration \"{}\".", world.arn(&format!("endpoint-config/{name}")));
    let no_endpoint = format!("Could not find endpoint \"{}\".", world.arn(&format!("endpoint/{name}")));
    let create = sagemaker.create_endpoint().endpoint_name(&name).endpoint_config_name(&name);
    refused(create.send().await, VALIDATION, &no_config)?;
    let describe = sagemaker.describe_endpoint_config().endpoint_config_name(&name);
    refused(describe.send().await, VALIDATION, &no_config)?;
    refused(sagemaker.delete_endpoint_config().endpoint_config_name(&name).send().await, VALIDATION, &no_config)?;
    refused(sagemaker.describe_endpoint().endpoint_name(&name).send().await, VALIDATION, &no_endpoint)?;
    refused(sagemaker.delete_endpoint().endpoint_name(&name).send().await, VALIDATION, &no_endpoint)?;
    let update = sagemaker.update_endpoint().endpoint_name(&name).endpoint_config_name(&name);
    refused(update.send().await, VALIDATION, "Could not find endpoint")?;
    let wish = DesiredWeightAndCapacity::builder().variant_name("v").desired_weight(1.0).build();
    let weights = sagemaker.update_endpoint_weights_and_capacities().endpoint_name(&name);
    refused(weights.desired_weights_and_capacities(wish).send().await, VALIDATION, &no_endpoint)?;
    let path = format!("/endpoints/{name}/invocations");
    let asked = world.clients.runtime.post("InvokeEndpoint", &path, &[("content-type", "text/csv")], vec![b'1']).await;
    refused(asked, "ValidationError", &format!("Endpoint {name} of account {} not found.", world.account.id))
}
