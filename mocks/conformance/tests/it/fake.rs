//! A fake account for one case.

use std::sync::Arc;
use std::time::Duration;

use aws_config::{BehaviorVersion, Region};
use aws_credential_types::Credentials;
use aws_types::os_shim_internal::{Env, Fs};
use conformance::wait::Time;
use conformance::{Account, Clients, World};
use futures::future::BoxFuture;
use sagemaker_fake::jobs::programs::Programs;
use sagemaker_fake::testing::FakeAws;
use sagemaker_fake::{Fake, s3};

const REGION: &str = "eu-west-1";
const BUCKET: &str = "conformance";

/// The fake's time: it never waits, and moves its clock instead.
struct FakeTime(Fake);

impl Time for FakeTime {
    fn pause(&self) -> BoxFuture<'_, ()> {
        Box::pin(tokio::task::yield_now())
    }

    fn pass(&self, duration: Duration) -> BoxFuture<'_, anyhow::Result<()>> {
        Box::pin(async move { Ok(self.0.advance(duration)?) })
    }
}

/// An account with a bucket, and the world that a case sees of it.
pub async fn account() -> (FakeAws, World) {
    let programs = Programs::built_in().own_binary(env!("CARGO_BIN_EXE_live-tests"));
    let aws = FakeAws::start_with(Fake::builder().programs(programs)).await;
    let id = aws.fake().account().to_owned();
    s3::create_bucket(aws.fake(), BUCKET, REGION, &id).unwrap();
    let config = aws_config::defaults(BehaviorVersion::latest())
        .region(Region::new(REGION))
        .env(Env::from_slice(&[]))
        .fs(Fs::from_slice(&[]))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        // One port serves everything.
        .endpoint_url(aws.endpoint_url())
        .credentials_provider(Credentials::new(
            "AKIAIOSFODNN7EXAMPLE",
            "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            None,
            None,
            "test",
        ))
        .load()
        .await;
    let account = Account {
        region: REGION.to_owned(),
        role: format!("arn:aws:iam::{id}:role/sts-execution"),
        bucket: BUCKET.to_owned(),
        image: format!("{id}.dkr.ecr.{REGION}.amazonaws.com/sts-container:test"),
        id,
    };
    let time = Arc::new(FakeTime(aws.fake().clone()));
    // Looking takes no time here: how long a case may take is its test's business.
    let world = World::new(Clients::new(&config), account, time, "test").looking(u32::MAX);
    (aws, world)
}
