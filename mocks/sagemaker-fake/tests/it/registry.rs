//! The model registry through the real SDK: groups, packages, models, and the tags of everything.

use std::time::Duration;

use aws_sdk_sagemaker::Client;
use aws_sdk_sagemaker::types::{
    ContainerDefinition, InferenceSpecification, MetricsSource, ModelApprovalStatus, ModelMetrics,
    ModelPackageContainerDefinition, ModelPackageStatus, ModelPackageType, ModelQuality, SortOrder, Tag,
};
use sagemaker_fake::Fake;
use sagemaker_fake::clock::{Clock, Timestamp};
use sagemaker_fake::testing::FakeAws;

use crate::clients::{ROLE, arn, sagemaker, said};

const GROUP: &str = "stsPackageGroup";
const IMAGE: &str = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/model:1";

async fn start() -> (FakeAws, Client) {
    let aws = FakeAws::start_with(Fake::builder().clock(Clock::frozen(Timestamp(1_790_000_000_000)))).await;
    let client = sagemaker(&aws);
    (aws, client)
}

fn tag(key: &str, value: &str) -> Tag {
    Tag::builder().key(key).value(value).build()
}

fn inference() -> InferenceSpecification {
    let container =
        ModelPackageContainerDefinition::builder().image(IMAGE).model_data_url("s3://bucket/model.tar.gz").build();
    InferenceSpecification::builder()
        .containers(container)
        .supported_content_types("text/csv")
        .supported_response_mime_types("text/csv")
        .build()
}

async fn register(client: &Client) -> String {
    let answer =
        client.create_model_package().model_package_group_name(GROUP).inference_specification(inference()).send().await;
    answer.unwrap().model_package_arn.unwrap()
}

#[tokio::test]
async fn groups_are_made_described_listed_and_deleted() {
    let (_aws, client) = start().await;
    let made = client
        .create_model_package_group()
        .model_package_group_name(GROUP)
        .model_package_group_description("ours")
        .send()
        .await
        .unwrap();
    assert_eq!(made.model_package_group_arn(), Some(arn("model-package-group/stsPackageGroup").as_str()));
    let again = client.create_model_package_group().model_package_group_name(GROUP).send().await;
    let exists = format!("Model Package Group already exists: {}", arn("model-package-group/stsPackageGroup"));
    assert_eq!(said(again), ("ValidationException".to_owned(), exists));

    for name in [GROUP, &arn("model-package-group/stsPackageGroup")] {
        let group = client.describe_model_package_group().model_package_group_name(name).send().await.unwrap();
        assert_eq!(group.model_package_group_description(), Some("ours"));
        assert_eq!(group.model_package_group_status().unwrap().as_str(), "Completed");
    }
    let listed = client.list_model_package_groups().name_contains("PACKAGE").send().await.unwrap();
    assert_eq!(listed.model_package_group_summary_list().len(), 1);

    let package = register(&client).await;
    let full = client.delete_model_package_group().model_package_group_name(GROUP).send().await;
    assert!(full.unwrap_err().into_service_error().is_conflict_exception());
    client.delete_model_package().model_package_name(package).send().await.unwrap();
    client.delete_model_package_group().model_package_group_name(GROUP).send().await.unwrap();
    let gone = client.describe_model_package_group().model_package_group_name(GROUP).send().await;
    let absent = format!("ModelPackageGroup {} does not exist.", arn("model-package-group/stsPackageGroup"));
    assert_eq!(said(gone), ("ValidationException".to_owned(), absent));
}

#[tokio::test]
async fn a_version_keeps_what_it_was_given() {
    let (aws, client) = start().await;
    client.create_model_package_group().model_package_group_name(GROUP).send().await.unwrap();
    let metrics =
        MetricsSource::builder().content_type("application/json").s3_uri("s3://bucket/evaluation.json").build();
    let metrics = ModelMetrics::builder().model_quality(ModelQuality::builder().statistics(metrics).build()).build();
    let made = client
        .create_model_package()
        .model_package_group_name(GROUP)
        .model_package_description("first")
        .inference_specification(inference())
        .model_metrics(metrics.clone())
        .customer_metadata_properties("execution", "e1")
        .customer_metadata_properties("baseline", "b1")
        .send()
        .await
        .unwrap();
    let first = made.model_package_arn().unwrap();
    assert_eq!(first, arn("model-package/stsPackageGroup/1"));
    assert_eq!(register(&client).await, arn("model-package/stsPackageGroup/2"));

    let described = client.describe_model_package().model_package_name(first).send().await.unwrap();
    assert_eq!((described.model_package_group_name(), described.model_package_version()), (Some(GROUP), Some(1)));
    assert_eq!(described.model_package_status(), Some(&ModelPackageStatus::Completed));
    assert_eq!(described.model_approval_status(), Some(&ModelApprovalStatus::PendingManualApproval));
    assert_eq!(described.inference_specification(), Some(&inference()));
    assert_eq!(described.model_metrics(), Some(&metrics));
    assert_eq!(described.customer_metadata_properties().unwrap()["execution"], "e1");
    assert!(described.last_modified_time().is_none());

    aws.fake().clock.advance(Duration::from_secs(5));
    client
        .update_model_package()
        .model_package_arn(first)
        .model_approval_status(ModelApprovalStatus::Approved)
        .approval_description("good enough")
        .customer_metadata_properties("execution", "e2")
        .customer_metadata_properties_to_remove("baseline")
        .send()
        .await
        .unwrap();
    let described = client.describe_model_package().model_package_name(first).send().await.unwrap();
    assert_eq!(described.model_approval_status(), Some(&ModelApprovalStatus::Approved));
    assert_eq!(described.approval_description(), Some("good enough"));
    assert_eq!(described.customer_metadata_properties().unwrap().get("execution").map(String::as_str), Some("e2"));
    assert_eq!(described.customer_metadata_properties().unwrap().len(), 1);
    assert_eq!(described.last_modified_time().unwrap().secs(), 1_790_000_005);
    assert_eq!(described.model_package_description(), Some("first"));

    // A version that was deleted does not come again.
    client.delete_model_package().model_package_name(arn("model-package/stsPackageGroup/2")).send().await.unwrap();
    assert_eq!(register(&client).await, arn("model-package/stsPackageGroup/3"));
}

#[tokio::test]
async fn versions_are_listed_by_approval_in_order_and_in_pages() {
    let (aws, client) = start().await;
    client.create_model_package_group().model_package_group_name(GROUP).send().await.unwrap();
    for version in 1..=12 {
        let package = register(&client).await;
        if version % 4 == 0 {
            let approve = client
                .update_model_package()
                .model_package_arn(package)
                .model_approval_status(ModelApprovalStatus::Approved);
            approve.send().await.unwrap();
        }
        aws.fake().clock.advance(Duration::from_secs(1));
    }
    client
        .create_model_package()
        .model_package_name("alone")
        .inference_specification(inference())
        .send()
        .await
        .unwrap();
    let list = || client.list_model_packages();
    let versions = |answer: aws_sdk_sagemaker::operation::list_model_packages::ListModelPackagesOutput| -> Vec<i32> {
        answer.model_package_summary_list().iter().map(|package| package.model_package_version().unwrap_or(0)).collect()
    };
    let approved = list()
        .model_package_group_name(GROUP)
        .model_approval_status(ModelApprovalStatus::Approved)
        .sort_order(SortOrder::Descending);
    assert_eq!(versions(approved.send().await.unwrap()), [12, 8, 4]);
    // Oldest first, ten a page.
    assert_eq!(versions(list().model_package_group_name(GROUP).send().await.unwrap()), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    let all = list()
        .model_package_group_name(GROUP)
        .max_results(5)
        .into_paginator()
        .items()
        .send()
        .collect::<Result<Vec<_>, _>>()
        .await
        .unwrap();
    assert_eq!(all.len(), 12);
    // Without a group, only packages on their own unless versions are asked for.
    assert_eq!(versions(list().send().await.unwrap()), [0]);
    let both = list().model_package_type(ModelPackageType::Both).max_results(100).send().await.unwrap();
    assert_eq!(versions(both).len(), 13);
    let missing = list().model_package_group_name("nope").send().await;
    assert_eq!(said(missing).1, format!("ModelPackageGroup {} does not exist.", arn("model-package-group/nope")));
}

#[tokio::test]
async fn packages_refuse_what_aws_refuses() {
    let (_aws, client) = start().await;
    client.create_model_package_group().model_package_group_name(GROUP).send().await.unwrap();
    let new = || client.create_model_package().inference_specification(inference());
    let check =
        |result, message: &str| assert_eq!(said(result), ("ValidationException".to_owned(), message.to_owned()));
    check(new().send().await, "Missing ARN.");
    check(
        new().model_package_name("a").model_package_group_name(GROUP).send().await,
        "Both ModelPackageName and ModelPackageGroupName are provided in the input. Cannot determine which one to use.",
    );
    let absent = format!("ModelPackageGroup {} does not exist.", arn("model-package-group/nope"));
    check(new().model_package_group_name("nope").send().await, &absent);
    // Of versions there are no tags: https://github.com/aws/aws-cdk/issues/33699.
    let tagged = "Tags are not supported in Model Package versions. Please add them to the Model Package Group";
    check(new().model_package_group_name(GROUP).tags(tag("a", "b")).send().await, tagged);
    let version = register(&client).await;
    assert_eq!(said(client.add_tags().resource_arn(&version).tags(tag("a", "b")).send().await).1, tagged);
    assert_eq!(said(client.list_tags().resource_arn(&version).send().await).1, tagged);
    let missing =
        client.describe_model_package().model_package_name(arn("model-package/stsPackageGroup/9")).send().await;
    assert_eq!(said(missing).1, format!("ModelPackage {} does not exist.", arn("model-package/stsPackageGroup/9")));
    let token = "0".repeat(36);
    let once = || new().model_package_group_name(GROUP).client_token(&token);
    let (one, other) = (once().send().await.unwrap(), once().send().await.unwrap());
    assert_eq!(one.model_package_arn(), other.model_package_arn());
}

#[tokio::test]
async fn models_are_made_of_what_exists() {
    let (_aws, client) = start().await;
    let new = |name: &str| client.create_model().model_name(name).execution_role_arn(ROLE);
    let image = || ContainerDefinition::builder().image(IMAGE).build();
    let check =
        |result, message: &str| assert_eq!(said(result), ("ValidationException".to_owned(), message.to_owned()));

    assert_eq!(said(new("m").send().await).0, "ValidationException");
    let data = ContainerDefinition::builder().image(IMAGE).model_data_url("s3://bucket/model.tar.gz").build();
    check(new("m").primary_container(data).send().await, "Could not find model data at s3://bucket/model.tar.gz.");
    let package = arn("model-package/stsPackageGroup/1");
    let container = ContainerDefinition::builder().model_package_name(&package).build();
    check(new("m").primary_container(container).send().await, &format!("ModelPackage {package} does not exist."));
    let role = "arn:aws:iam::111122223333:role/nobody";
    let (_, message) = said(new("m").execution_role_arn(role).primary_container(image()).send().await);
    assert!(message.starts_with(&format!("The execution role ARN \"{role}\" is invalid. ")), "{message}");
    let missing = format!("Could not find model \"{}\".", arn("model/m"));
    assert_eq!(said(client.describe_model().model_name("M").send().await), ("ValidationException".to_owned(), missing));

    let made = new("Model-1").primary_container(image()).tags(tag("a", "b")).send().await.unwrap();
    assert_eq!(made.model_arn(), Some(arn("model/model-1").as_str()));
    let again = new("model-1").primary_container(image()).send().await;
    check(again, &format!("Cannot create already existing model \"{}\".", arn("model/model-1")));
    let found = client.describe_model().model_name("Model-1").send().await.unwrap();
    assert_eq!((found.model_name(), found.execution_role_arn()), (Some("Model-1"), Some(ROLE)));
    assert_eq!(found.primary_container().unwrap().image(), Some(IMAGE));
    assert_eq!(client.list_models().name_contains("MODEL").send().await.unwrap().models().len(), 1);
    client.delete_model().model_name("Model-1").send().await.unwrap();
    assert_eq!(said(client.delete_model().model_name("Model-1").send().await).0, "ValidationException");
}

#[tokio::test]
async fn tags_of_any_resource() {
    let (_aws, client) = start().await;
    let group = arn("model-package-group/stsPackageGroup");
    client
        .create_model_package_group()
        .model_package_group_name(GROUP)
        .tags(tag("Project", "sts"))
        .send()
        .await
        .unwrap();
    let list = async || -> Vec<(String, String)> {
        let answer = client.list_tags().resource_arn(&group).send().await.unwrap();
        answer.tags().iter().map(|tag| (tag.key().unwrap().to_owned(), tag.value().unwrap().to_owned())).collect()
    };
    let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    client.add_tags().resource_arn(&group).tags(tag("Project", "other")).tags(tag("Tool", "")).send().await.unwrap();
    assert_eq!(list().await, [pair("Project", "other"), pair("Tool", "")]);
    client.delete_tags().resource_arn(&group).tag_keys("Project").tag_keys("none").send().await.unwrap();
    assert_eq!(list().await, [pair("Tool", "")]);

    let many = |from: usize, count: usize| {
        (from..from + count).map(|number| tag(&format!("k{number}"), "v")).collect::<Vec<_>>()
    };
    client.add_tags().resource_arn(&group).set_tags(Some(many(0, 49))).send().await.unwrap();
    assert_eq!(
        said(client.add_tags().resource_arn(&group).set_tags(Some(many(49, 1))).send().await).0,
        "ValidationException"
    );
    assert_eq!(list().await.len(), 50);
    let check = async |tags: Vec<Tag>| said(client.add_tags().resource_arn(&group).set_tags(Some(tags)).send().await).0;
    assert_eq!(check(vec![tag("aws:x", "v")]).await, "ValidationException");
    assert_eq!(check(vec![tag("k", "v"), tag("k", "w")]).await, "ValidationException");
    assert_eq!(check(vec![tag("k€", "v")]).await, "ValidationException");
    assert_eq!(said(client.list_tags().resource_arn(arn("model/none")).send().await).0, "ValidationException");

    // The tags go with what they were on.
    client.delete_model_package_group().model_package_group_name(GROUP).send().await.unwrap();
    assert_eq!(said(client.list_tags().resource_arn(&group).send().await).0, "ValidationException");
}

#[tokio::test]
async fn a_group_has_a_resource_policy() {
    const POLICY: &str = r#"{"Version":"2012-10-17","Statement":[{"Sid":"Share","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"sagemaker:DescribeModelPackage","Resource":"*"}]}"#;
    let (_aws, client) = start().await;
    let refused = |said: (String, String), sentence: &str| {
        let arn = arn("model-package-group/stsPackageGroup");
        assert_eq!(said, ("ValidationException".to_owned(), format!("{sentence}: {arn}")));
    };
    let put = |policy: &str| {
        client.put_model_package_group_policy().model_package_group_name(GROUP).resource_policy(policy).send()
    };
    let get = || client.get_model_package_group_policy().model_package_group_name(GROUP).send();
    let delete = || client.delete_model_package_group_policy().model_package_group_name(GROUP).send();
    // Terraform tells by these words what is not there.
    refused(said(put(POLICY).await), "Cannot find Model Package Group");
    refused(said(get().await), "Cannot find Model Package Group");
    refused(said(delete().await), "Cannot find Model Package Group");
    client.create_model_package_group().model_package_group_name(GROUP).send().await.unwrap();
    refused(said(get().await), "Cannot find resource policy for");
    refused(said(delete().await), "Cannot find resource policy for");
    assert_eq!(said(put("{}").await).0, "ValidationException");
    put(POLICY).await.unwrap();
    assert_eq!(get().await.unwrap().resource_policy(), Some(POLICY));
    delete().await.unwrap();
    refused(said(get().await), "Cannot find resource policy for");
}
