//! What an endpoint does is authorised as the role of its model.

use aws_sdk_sagemaker::types::EndpointStatus;
use sagemaker_fake::Fake;
use sagemaker_fake::account::Scenario;
use sagemaker_fake::jobs::logs;

use super::jobs::NEEDED;
use super::policy;
use crate::account::{BUCKET, ROLE, STS};
use crate::clients::REGION;
use crate::hosting::Stage;

/// An account whose user may do anything, and whose execution role what it needs but for this action; it has the model
/// `good`, made before anybody was asked.
async fn stage(lacks: &str) -> Stage {
    let mut scenario = Scenario::ready();
    scenario.users[0].policies.inline = [("all".to_owned(), policy("Allow", &["*"], "*"))].into();
    let actions: Vec<_> = NEEDED.into_iter().filter(|action| *action != lacks).collect();
    scenario.roles[0].policies.inline = [("work".to_owned(), policy("Allow", &actions, "*"))].into();
    let stage = Stage::with(Fake::builder().scenario(scenario)).await;
    let fake = stage.aws.fake();
    fake.enforcement.turn_on(&fake.store).unwrap();
    stage
}

#[tokio::test]
async fn an_endpoint_fails_for_want_of_a_permission() {
    let check = async |lacks: &str, expected: &str| {
        let stage = stage(lacks).await;
        stage.endpoint("Sts", "good", None).await;
        assert_eq!(stage.status("Sts").await, (EndpointStatus::Failed, Some(expected.to_owned())), "{lacks}");
    };
    for action in &NEEDED[3..7] {
        check(action, &format!("The role '{ROLE}' does not have BatchGetImage permission for the image: '{STS}'."))
            .await;
    }
    let url = format!("s3://{BUCKET}/model.tar.gz");
    let failed = format!(
        "Failed to download model data for container \"container_1\" from URL: \"{url}\". Please ensure that there is an object located \
         at the URL and that the role passed to CreateModel has permissions to download the object."
    );
    check("s3:GetObject", &failed).await;
}

#[tokio::test]
async fn an_endpoint_that_may_not_log_serves_unheard() {
    for (lacks, heard) in [("", 1), ("logs:PutLogEvents", 0)] {
        let stage = stage(lacks).await;
        let endpoint = stage.endpoint("Sts", "good", None).await;
        assert_eq!(stage.status("Sts").await, (EndpointStatus::InService, None));
        let streams = logs::streams(stage.aws.fake(), REGION, &endpoint.log_group(), "").unwrap();
        assert_eq!(streams.len(), heard, "{lacks}");
    }
}
