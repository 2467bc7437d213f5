//! Endpoints and their configurations through the real SDK.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use aws_sdk_sagemaker::types::{
    DesiredWeightAndCapacity, EndpointConfigSortKey, EndpointSortKey, EndpointStatus, OrderKey, Tag, VariantProperty,
    VariantPropertyType, VariantStatus,
};
use sagemaker_fake::Fake;
use sagemaker_fake::account::Scenario;
use sagemaker_fake::jobs::logs;

use crate::account::{BUCKET, SHELL, STS, patiently, programs};
use crate::clients::{REGION, arn, raw, said, signed_for};
use crate::hosting::{Stage, archive, row, variant};

const VALIDATION: &str = "ValidationException";
/// No program stands for it.
const UNMAPPED: &str = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/xgboost:1";

#[track_caller]
fn refused<T: std::fmt::Debug, E: aws_sdk_sagemaker::error::ProvideErrorMetadata>(result: Result<T, E>, message: &str) {
    assert_eq!(said(result), (VALIDATION.to_owned(), message.to_owned()));
}

#[tokio::test]
async fn a_configuration_from_creation_to_deletion() {
    let stage = Stage::new().await;
    let (client, name) = (&stage.client, "Config");
    let create = || {
        let tag = Tag::builder().key("Project").value("sts").build();
        let create = client.create_endpoint_config().endpoint_config_name(name).tags(tag);
        create.production_variants(variant("AllTraffic", "good", 1.0)).kms_key_id("alias/k").send()
    };
    let created = create().await.unwrap();
    assert_eq!(created.endpoint_config_arn(), Some(arn("endpoint-config/config").as_str()));
    refused(
        create().await,
        &format!("Cannot create already existing endpoint configuration \"{}\".", arn("endpoint-config/config")),
    );

    let described = client.describe_endpoint_config().endpoint_config_name("config").send().await.unwrap();
    assert_eq!(
        (described.endpoint_config_name(), described.kms_key_id(), described.enable_network_isolation()),
        (Some(name), Some("alias/k"), Some(false))
    );
    assert_eq!(described.production_variants(), [variant("AllTraffic", "good", 1.0)]);
    let tags = client.list_tags().resource_arn(arn("endpoint-config/config")).send().await.unwrap();
    assert_eq!(tags.tags()[0].value(), Some("sts"));

    client.delete_endpoint_config().endpoint_config_name(name).send().await.unwrap();
    let gone = format!("Could not find endpoint configuration \"{}\".", arn("endpoint-config/config"));
    refused(client.describe_endpoint_config().endpoint_config_name(name).send().await, &gone);
    refused(client.delete_endpoint_config().endpoint_config_name(name).send().await, &gone);
}

#[tokio::test]
async fn configurations_that_are_refused() {
    let stage = Stage::new().await;
    let create = |variants| {
        let create = stage.client.create_endpoint_config().endpoint_config_name("c");
        create.set_production_variants(Some(variants)).send()
    };
    refused(
        create(vec![variant("a", "nobody", 1.0)]).await,
        &format!("Could not find model \"{}\".", arn("model/nobody")),
    );
    refused(
        create(vec![variant("a", "good", 1.0), variant("a", "good", 1.0)]).await,
        "Duplicate variant name \"a\" found in the request.",
    );
    let without = aws_sdk_sagemaker::types::ProductionVariant::builder().variant_name("a").model_name("good").build();
    refused(
        create(vec![without]).await,
        "Production variant \"a\" must specify either InstanceType with InitialInstanceCount, or ServerlessConfig.",
    );
}

#[tokio::test]
async fn lists_are_filtered_sorted_and_paged() {
    let stage = Stage::new().await;
    for name in ["b-two", "a-one", "b-one"] {
        stage.endpoint(name, "good", None).await;
    }
    let pages = stage.client.list_endpoint_configs().sort_by(EndpointConfigSortKey::Name).max_results(2);
    let listed = pages.sort_order(OrderKey::Ascending).into_paginator().items().send().try_collect().await.unwrap();
    let names: Vec<_> = listed.iter().map(|config| config.endpoint_config_name().unwrap()).collect();
    assert_eq!(names, ["a-one", "b-one", "b-two"]);

    let pages = stage.client.list_endpoints().sort_by(EndpointSortKey::Name).max_results(1).name_contains("B-");
    let listed = pages.status_equals(EndpointStatus::InService).into_paginator().items().send();
    let listed = listed.try_collect().await.unwrap();
    let names: Vec<_> = listed.iter().map(|endpoint| endpoint.endpoint_name().unwrap()).collect();
    assert_eq!(names, ["b-two", "b-one"]);
    let failed = stage.client.list_endpoints().status_equals(EndpointStatus::Failed).send().await.unwrap();
    assert!(failed.endpoints().is_empty());
}

#[tokio::test]
async fn an_endpoint_from_creation_to_deletion() {
    let stage = Stage::new().await;
    let client = &stage.client;
    stage.config("first", &[("AllTraffic", "good", 1.0)], None).await;
    let create = || client.create_endpoint().endpoint_name("Sts").endpoint_config_name("first").send();
    assert_eq!(create().await.unwrap().endpoint_arn(), Some(arn("endpoint/sts").as_str()));
    let creating = client.describe_endpoint().endpoint_name("sts").send().await.unwrap();
    if creating.endpoint_status() == Some(&EndpointStatus::Creating) {
        let pending = creating.pending_deployment_summary().unwrap();
        assert_eq!(pending.endpoint_config_name(), Some("first"));
        assert_eq!(pending.production_variants()[0].variant_status()[0].status(), Some(&VariantStatus::Creating));
        assert!(creating.production_variants().is_empty());
        let in_progress = format!("Cannot update in-progress endpoint \"{}\".", arn("endpoint/sts"));
        refused(client.delete_endpoint().endpoint_name("Sts").send().await, &in_progress);
        refused(client.update_endpoint().endpoint_name("Sts").endpoint_config_name("first").send().await, &in_progress);
    }
    refused(create().await, &format!("Cannot create already existing endpoint \"{}\".", arn("endpoint/sts")));

    stage.settled("Sts").await;
    let described = client.describe_endpoint().endpoint_name("Sts").send().await.unwrap();
    assert_eq!(
        (described.endpoint_status(), described.endpoint_config_name(), described.failure_reason()),
        (Some(&EndpointStatus::InService), Some("first"), None)
    );
    assert!(described.pending_deployment_summary().is_none() && described.data_capture_config().is_none());
    let variant = &described.production_variants()[0];
    assert_eq!(
        (variant.variant_name(), variant.current_weight(), variant.desired_instance_count()),
        (Some("AllTraffic"), Some(1.0), Some(1))
    );
    assert_eq!(variant.deployed_images()[0].specified_image(), Some(STS));

    let log = logs::streams(stage.aws.fake(), REGION, "/aws/sagemaker/Endpoints/Sts", "AllTraffic/i-").unwrap();
    let events = logs::events(stage.aws.fake(), &log[0], 0, 10).unwrap();
    assert!(events[0].message.starts_with("listening on 127.0.0.1:"), "{events:?}");

    // AWS lets go of what an endpoint has taken over.
    client.delete_endpoint_config().endpoint_config_name("first").send().await.unwrap();
    client.delete_model().model_name("good").send().await.unwrap();
    assert_eq!(stage.invoke("Sts", &[("content-type", "text/csv")], &row()).await.status, 200);

    client.delete_endpoint().endpoint_name("Sts").send().await.unwrap();
    assert_eq!(stage.settled("Sts").await, None);
    let gone = format!("Could not find endpoint \"{}\".", arn("endpoint/sts"));
    refused(client.describe_endpoint().endpoint_name("Sts").send().await, &gone);
    refused(client.delete_endpoint().endpoint_name("Sts").send().await, &gone);
    refused(
        client.create_endpoint().endpoint_name("Sts").endpoint_config_name("first").send().await,
        &format!("Could not find endpoint configuration \"{}\".", arn("endpoint-config/first")),
    );
    assert!(!stage.aws.fake().folder().join("endpoints/eu-west-1/Sts").exists());
}

#[tokio::test]
async fn what_cannot_be_served_fails_with_a_reason() {
    let stage = Stage::new().await;
    stage.put("no-archive", b"x");
    stage.put("empty.tar.gz", &archive("nothing", b""));
    stage.put("gone.tar.gz", &archive("nothing", b""));
    let reason = async |name: &str, image, key| {
        stage.model(name, image, key).await;
        if key == "gone.tar.gz" {
            let (url, signed) = (stage.aws.endpoint_url(), signed_for("s3"));
            raw(&url, &format!("DELETE /{BUCKET}/{key}"), &[("authorization", signed.as_str())], "").await;
        }
        stage.endpoint(name, name, None).await;
        let (status, reason) = stage.status(name).await;
        assert_eq!(status, EndpointStatus::Failed, "{name}");
        reason.unwrap()
    };
    let ping = "The primary container for production variant AllTraffic did not pass the ping health check. Please check CloudWatch \
                logs for this endpoint.";
    assert_eq!(reason("without-a-model", STS, "empty.tar.gz").await, ping);
    assert_eq!(reason("no-server", SHELL, "empty.tar.gz").await, ping);
    let unmapped = reason("unmapped", UNMAPPED, "empty.tar.gz").await;
    assert!(unmapped.contains(&format!("no program stands for the image {UNMAPPED}")), "{unmapped}");
    assert!(unmapped.contains("mocks/images.toml"), "{unmapped}");
    assert_eq!(
        reason("no-archive", STS, "no-archive").await,
        "Failed to extract model data archive for container \"container_1\" from URL \"s3://sts-bucket/no-archive\". Please ensure \
         that the object located at the URL is a valid tar.gz archive."
    );
    assert_eq!(
        reason("gone", STS, "gone.tar.gz").await,
        "Failed to download model data for container \"container_1\" from URL: \"s3://sts-bucket/gone.tar.gz\". Please ensure that \
         there is an object located at the URL and that the role passed to CreateModel has permissions to download the object."
    );
    let answer = stage.invoke("gone", &[], "1").await;
    assert_eq!(answer.body, "{\"Message\":\"Endpoint gone of account 111122223333 not found.\"}");
    // Nothing but deletion is left for it.
    refused(
        stage.client.update_endpoint().endpoint_name("gone").endpoint_config_name("gone").send().await,
        &format!("Cannot update failed endpoint \"{}\".", arn("endpoint/gone")),
    );
    stage.client.delete_endpoint().endpoint_name("gone").send().await.unwrap();
    assert_eq!(stage.settled("gone").await, None);
}

#[tokio::test]
async fn a_container_that_never_is_well_is_given_up() {
    let programs =
        programs().with("*/sleeper:*", ["/bin/sh", "-c", "exec sleep 60", "sh"]).startup(Duration::from_millis(50));
    let stage = Stage::running(Fake::builder(), programs).await;
    stage.model("sleeper", "111122223333.dkr.ecr.eu-west-1.amazonaws.com/sleeper:1", "model.tar.gz").await;
    let endpoint = stage.endpoint("sleeper", "sleeper", None).await;
    assert!(endpoint.failure_reason.unwrap().contains("did not pass the ping health check"));
}

#[tokio::test]
async fn a_failed_update_leaves_the_old_deployment_serving() {
    let stage = Stage::new().await;
    stage.endpoint("sts", "good", None).await;
    stage.put("empty.tar.gz", &archive("nothing", b""));
    stage.model("bad", STS, "empty.tar.gz").await;
    stage.config("bad", &[("AllTraffic", "bad", 1.0)], None).await;
    stage.client.update_endpoint().endpoint_name("sts").endpoint_config_name("bad").send().await.unwrap();
    stage.settled("sts").await;
    let described = stage.client.describe_endpoint().endpoint_name("sts").send().await.unwrap();
    assert_eq!(
        (described.endpoint_status(), described.endpoint_config_name()),
        (Some(&EndpointStatus::InService), Some("sts"))
    );
    assert!(described.failure_reason().unwrap().contains("did not pass the ping health check"));
    assert_eq!(stage.invoke("sts", &[("content-type", "text/csv")], &row()).await.status, 200);
    // The next one that succeeds takes the reason away.
    stage.client.update_endpoint().endpoint_name("sts").endpoint_config_name("sts").send().await.unwrap();
    stage.settled("sts").await;
    assert_eq!(stage.status("sts").await, (EndpointStatus::InService, None));
}

#[tokio::test]
async fn weights_and_capacities_change_and_are_retained() {
    let stage = Stage::new().await;
    stage.config("two", &[("a", "good", 1.0), ("b", "good", 0.0)], None).await;
    stage.client.create_endpoint().endpoint_name("sts").endpoint_config_name("two").send().await.unwrap();
    stage.settled("sts").await;
    let invoked = async || {
        let answer = stage.invoke("sts", &[("content-type", "text/csv")], &row()).await;
        answer.header("x-amzn-invoked-production-variant").unwrap().to_owned()
    };
    assert_eq!(invoked().await, "a");
    let wish = |name: &str, weight, count| {
        let wish = DesiredWeightAndCapacity::builder().variant_name(name).desired_weight(weight);
        wish.desired_instance_count(count).build()
    };
    let update = |wishes| {
        let update = stage.client.update_endpoint_weights_and_capacities().endpoint_name("sts");
        update.set_desired_weights_and_capacities(Some(wishes)).send()
    };
    refused(
        update(vec![wish("c", 1.0, 1)]).await,
        &format!("Could not find variant \"c\" in endpoint \"{}\".", arn("endpoint/sts")),
    );
    update(vec![wish("a", 0.0, 2), wish("b", 3.0, 4)]).await.unwrap();
    let variants = async || {
        stage.settled("sts").await;
        let described = stage.client.describe_endpoint().endpoint_name("sts").send().await.unwrap();
        let shape = |variant: &aws_sdk_sagemaker::types::ProductionVariantSummary| {
            (variant.current_weight().unwrap(), variant.current_instance_count().unwrap())
        };
        described.production_variants().iter().map(shape).collect::<Vec<_>>()
    };
    assert_eq!(variants().await, [(0.0, 2), (3.0, 4)]);
    assert_eq!(invoked().await, "b");

    let update = || stage.client.update_endpoint().endpoint_name("sts").endpoint_config_name("two");
    update().retain_all_variant_properties(true).send().await.unwrap();
    assert_eq!(variants().await, [(0.0, 2), (3.0, 4)]);
    let excluded = VariantProperty::builder().variant_property_type(VariantPropertyType::DesiredWeight).build();
    update().retain_all_variant_properties(true).exclude_retained_variant_properties(excluded).send().await.unwrap();
    assert_eq!(variants().await, [(1.0, 2), (0.0, 4)]);
    update().send().await.unwrap();
    assert_eq!(variants().await, [(1.0, 1), (0.0, 1)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_update_under_traffic_drops_no_request() {
    let stage = Arc::new(Stage::new().await);
    stage.endpoint("sts", "good", None).await;
    let (stop, answered) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let clients: Vec<_> = (0..4)
        .map(|_| {
            let (stage, stop, answered) = (Arc::clone(&stage), Arc::clone(&stop), Arc::clone(&answered));
            tokio::spawn(async move {
                while !stop.load(Ordering::SeqCst) {
                    let answer = stage.invoke("sts", &[("content-type", "text/csv")], &row()).await;
                    assert_eq!(answer.status, 200, "{}", answer.body);
                    answered.fetch_add(1, Ordering::SeqCst);
                }
            })
        })
        .collect();
    for _ in 0..3 {
        let before = answered.load(Ordering::SeqCst);
        stage.client.update_endpoint().endpoint_name("sts").endpoint_config_name("sts").send().await.unwrap();
        stage.settled("sts").await;
        assert_eq!(stage.status("sts").await, (EndpointStatus::InService, None));
        // The traffic has gone on all the while, and goes on.
        let more = async {
            while answered.load(Ordering::SeqCst) < before + 20 {
                tokio::task::yield_now().await;
            }
        };
        patiently(more).await;
    }
    stop.store(true, Ordering::SeqCst);
    for client in clients {
        client.await.unwrap();
    }
}

#[tokio::test]
async fn endpoints_serve_again_when_the_state_is_opened_again() {
    let state = tempfile::tempdir().unwrap();
    let stage = Stage::with(Fake::builder().state(state.path())).await;
    let first = stage.endpoint("sts", "good", None).await;
    stage.close().await;

    let stage = Stage::with(Fake::builder().state(state.path())).await;
    // It is waited for, and not refused, although its container has only just been started.
    let answer = stage.invoke("sts", &[("content-type", "text/csv")], &row()).await;
    assert_eq!((answer.status, stage.status("sts").await), (200, (EndpointStatus::InService, None)));
    assert_eq!(stage.settled("sts").await.unwrap(), first);
}

#[tokio::test]
async fn an_endpoint_that_was_left_running_serves_without_its_model_in_s3() {
    let scenario = Scenario::named("endpoint-left-running").unwrap();
    // Whether its user may call what this test calls is not the question here.
    let scenario = Scenario { enforce_iam: false, ..scenario };
    let stage = Stage::with(Fake::builder().scenario(scenario)).await;
    let described = stage.client.describe_endpoint().endpoint_name("sts-endpoint").send().await.unwrap();
    let age = stage.aws.fake().clock.now().0 / 1000 - described.creation_time().unwrap().secs();
    assert_eq!((described.endpoint_status(), age / 86_400), (Some(&EndpointStatus::InService), 9));
    let config = described.endpoint_config_name().unwrap();
    let config = stage.client.describe_endpoint_config().endpoint_config_name(config).send().await.unwrap();
    let variant = &config.production_variants()[0];
    assert_eq!(variant.instance_type().map(AsRef::as_ref), Some("ml.m5.xlarge"));
    stage.client.describe_model().model_name(variant.model_name().unwrap()).send().await.unwrap();
    let tags = stage.client.list_tags().resource_arn(described.endpoint_arn().unwrap()).send().await.unwrap();
    assert_eq!(tags.tags().len(), 2);
    assert_eq!(stage.invoke("sts-endpoint", &[("content-type", "text/csv")], &row()).await.status, 200);
}
