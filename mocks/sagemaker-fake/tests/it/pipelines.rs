//! Pipelines through the real SDK.

use aws_sdk_sagemaker::Client;
use aws_sdk_sagemaker::types::{ParallelismConfiguration, PipelineStatus, SortOrder, SortPipelinesBy, Tag};
use sagemaker_fake::Fake;
use sagemaker_fake::clock::{Clock, Timestamp};
use sagemaker_fake::ids::Ids;
use sagemaker_fake::testing::FakeAws;

use crate::clients::{ROLE, arn, sagemaker, sagemaker_as, said, user};

const DEFINITION: &str = r#"{"Version":"2020-12-01","Parameters":[],"Steps":[{"Name":"End","Type":"Fail","Arguments":{"ErrorMessage":"no"}}]}"#;

/// A token of the least length that AWS takes.
fn token(number: u32) -> String {
    format!("{number:032}")
}

async fn create(client: &Client, name: &str) -> String {
    let answer =
        client.create_pipeline().pipeline_name(name).role_arn(ROLE).pipeline_definition(DEFINITION).send().await;
    answer.unwrap().pipeline_arn.unwrap()
}

#[tokio::test]
async fn what_is_created_is_described() {
    let aws =
        FakeAws::start_with(Fake::builder().clock(Clock::frozen(Timestamp(1_790_000_000_500))).ids(Ids::seeded(1)))
            .await;
    let client = sagemaker(&aws);
    let created = client
        .create_pipeline()
        .pipeline_name("stsPipeline")
        .pipeline_display_name("Similarity")
        .pipeline_description("compares sentences")
        .role_arn(ROLE)
        .pipeline_definition(DEFINITION)
        .parallelism_configuration(ParallelismConfiguration::builder().max_parallel_execution_steps(2).build())
        .tags(Tag::builder().key("Project").value("sts").build())
        .send()
        .await
        .unwrap();
    assert_eq!(created.pipeline_arn(), Some(arn("pipeline/stsPipeline").as_str()));

    for name in ["stsPipeline", "STSPIPELINE", &arn("pipeline/stsPipeline")] {
        let found = client.describe_pipeline().pipeline_name(name).send().await.unwrap();
        assert_eq!(found.pipeline_name(), Some("stsPipeline"));
        assert_eq!(found.pipeline_display_name(), Some("Similarity"));
        assert_eq!(found.pipeline_description(), Some("compares sentences"));
        assert_eq!(found.pipeline_definition(), Some(DEFINITION));
        assert_eq!(found.role_arn(), Some(ROLE));
        assert_eq!(found.pipeline_status(), Some(&PipelineStatus::Active));
        assert_eq!(found.creation_time().unwrap().as_secs_f64(), 1_790_000_000.5);
        assert_eq!(found.last_run_time(), None);
        assert_eq!(found.parallelism_configuration().unwrap().max_parallel_execution_steps(), Some(2));
        let by = found.created_by().unwrap().iam_identity().unwrap();
        assert_eq!(by.arn(), Some("arn:aws:iam::111122223333:user/sts-developer"));
    }
    let tags = client.list_tags().resource_arn(arn("pipeline/stsPipeline")).send().await.unwrap();
    assert_eq!(tags.tags()[0].key(), Some("Project"));
}

#[tokio::test]
async fn an_update_changes_what_it_names_and_nothing_else() {
    let aws = FakeAws::start_with(Fake::builder().clock(Clock::frozen(Timestamp(1_790_000_000_000)))).await;
    let client = sagemaker(&aws);
    client
        .create_pipeline()
        .pipeline_name("p")
        .role_arn(ROLE)
        .pipeline_definition(DEFINITION)
        .pipeline_description("before")
        .send()
        .await
        .unwrap();
    aws.fake().clock.advance(std::time::Duration::from_secs(60));
    client.update_pipeline().pipeline_name("p").pipeline_display_name("shown").send().await.unwrap();
    let found = client.describe_pipeline().pipeline_name("p").send().await.unwrap();
    assert_eq!((found.pipeline_display_name(), found.pipeline_description()), (Some("shown"), Some("before")));
    assert_eq!(found.pipeline_definition(), Some(DEFINITION));
    assert_eq!(found.last_modified_time().unwrap().secs() - found.creation_time().unwrap().secs(), 60);
}

#[tokio::test]
async fn refuses_what_aws_refuses() {
    let aws = FakeAws::start().await;
    let client = sagemaker(&aws);
    let check =
        |said: (String, String), code: &str, message: &str| assert_eq!(said, (code.to_owned(), message.to_owned()));
    let new = || client.create_pipeline().pipeline_name("p").role_arn(ROLE).pipeline_definition(DEFINITION);
    let parse = "Unable to parse pipeline definition. Expecting start of Json";

    check(
        said(new().pipeline_definition("not json at all").send().await),
        "ValidationException",
        &format!("{parse} Object."),
    );
    let no_list = r#"{"Version":"2020-12-01","Steps":{}}"#;
    check(said(new().pipeline_definition(no_list).send().await), "ValidationException", &format!("{parse} Array."));
    let twice = DEFINITION.replace("[{", r#"[{"Name":"End","Type":"Fail","Arguments":{"ErrorMessage":"x"}},{"#);
    assert!(said(new().pipeline_definition(twice).send().await).1.contains("'End'"));

    let missing = "arn:aws:iam::111122223333:role/nobody";
    check(
        said(new().role_arn(missing).send().await),
        "ValidationException",
        &format!(
            "Could not assume role {missing}. Please ensure that the role exists and allows principal 'sagemaker.amazonaws.com' to assume the role."
        ),
    );
    check(
        said(new().pipeline_name("a_b").send().await),
        "ValidationException",
        "1 validation error detected: Value 'a_b' at 'pipelineName' failed to satisfy constraint: Member must satisfy regular expression \
         pattern: [a-zA-Z0-9](-*[a-zA-Z0-9]){0,255}",
    );
    assert_eq!(aws.export().get("pipeline"), None);

    create(&client, "p").await;
    for same in ["p", "P"] {
        let (code, message) = said(new().pipeline_name(same).send().await);
        assert_eq!(code, "ValidationException");
        assert!(message.contains("already exists"), "{message}");
    }
    let absent = format!("Pipeline '{}' does not exist.", arn("pipeline/nope"));
    check(said(client.describe_pipeline().pipeline_name("nope").send().await), "ResourceNotFound", &absent);
    check(said(client.update_pipeline().pipeline_name("nope").send().await), "ResourceNotFound", &absent);
    check(said(client.delete_pipeline().pipeline_name("nope").send().await), "ResourceNotFound", &absent);
    let modelled = client.describe_pipeline().pipeline_name("nope").send().await.unwrap_err().into_service_error();
    assert!(modelled.is_resource_not_found());
    // A pipeline of another region is another pipeline.
    let elsewhere = sagemaker_as(&aws, user(), "us-east-1");
    assert_eq!(said(elsewhere.describe_pipeline().pipeline_name("p").send().await).0, "ResourceNotFound");
}

#[tokio::test]
async fn the_same_token_does_the_same_thing_once() {
    let aws = FakeAws::start().await;
    let client = sagemaker(&aws);
    let new = |name: &str| {
        client
            .create_pipeline()
            .pipeline_name(name)
            .role_arn(ROLE)
            .pipeline_definition(DEFINITION)
            .client_request_token(token(1))
    };
    let first = new("p").send().await.unwrap();
    assert_eq!(new("p").send().await.unwrap().pipeline_arn(), first.pipeline_arn());
    assert_eq!(said(new("q").send().await).0, "ConflictException");

    let delete = || client.delete_pipeline().pipeline_name("p").client_request_token(token(2));
    delete().send().await.unwrap();
    delete().send().await.unwrap();
    assert_eq!(said(delete().client_request_token(token(3)).send().await).0, "ResourceNotFound");
    // A request that failed may be tried again with its token.
    assert_eq!(said(delete().client_request_token(token(3)).send().await).0, "ResourceNotFound");
}

#[tokio::test]
async fn lists_in_pages_by_prefix_time_and_order() {
    let aws = FakeAws::start_with(Fake::builder().clock(Clock::frozen(Timestamp(1_790_000_000_000)))).await;
    let client = sagemaker(&aws);
    for number in 0..12 {
        create(&client, &format!("pipe-{number:02}")).await;
        aws.fake().clock.advance(std::time::Duration::from_secs(1));
    }
    create(&client, "Other").await;
    let names = |answer: &aws_sdk_sagemaker::operation::list_pipelines::ListPipelinesOutput| -> Vec<String> {
        answer.pipeline_summaries().iter().map(|summary| summary.pipeline_name().unwrap().to_owned()).collect()
    };
    // Newest first, ten a page.
    let first = client.list_pipelines().pipeline_name_prefix("PIPE").send().await.unwrap();
    assert_eq!(names(&first)[0], "pipe-11");
    assert_eq!(names(&first).len(), 10);
    let rest = client
        .list_pipelines()
        .pipeline_name_prefix("PIPE")
        .set_next_token(first.next_token.clone())
        .send()
        .await
        .unwrap();
    assert_eq!((names(&rest), rest.next_token()), (vec!["pipe-01".to_owned(), "pipe-00".to_owned()], None));

    let by_name = client
        .list_pipelines()
        .sort_by(SortPipelinesBy::Name)
        .sort_order(SortOrder::Ascending)
        .max_results(2)
        .send()
        .await
        .unwrap();
    assert_eq!(names(&by_name), ["Other", "pipe-00"]);
    let after = aws_sdk_sagemaker::primitives::DateTime::from_secs(1_790_000_011);
    let late = client.list_pipelines().created_after(after).send().await.unwrap();
    assert_eq!(names(&late), ["Other", "pipe-11"]);

    let token = first.next_token.unwrap();
    for foreign in [client.list_pipelines().next_token("guess"), client.list_pipelines().next_token(&token)] {
        assert_eq!(said(foreign.send().await).0, "ValidationException");
    }
    let paged: Vec<_> = client
        .list_pipelines()
        .max_results(5)
        .into_paginator()
        .items()
        .send()
        .collect::<Result<Vec<_>, _>>()
        .await
        .unwrap();
    assert_eq!(paged.len(), 13);
}
