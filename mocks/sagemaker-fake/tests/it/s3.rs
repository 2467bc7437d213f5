//! S3 through the real SDK, and where no SDK would send it, through a socket.

mod buckets;
mod lifecycle;
mod listing;
mod multipart;
mod objects;
mod refusals;
mod wire;

use aws_credential_types::Credentials;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::{BehaviorVersion, Region};
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::ByteStream;
use sagemaker_fake::Fake;
use sagemaker_fake::doors::http::{Server, serve};
use sagemaker_fake::protocol::Checked;
use tokio::net::TcpListener;

pub const ACCOUNT: &str = "111122223333";
pub const STRANGER: &str = "999999999999";
pub const BUCKET: &str = "sts-bucket";

/// A fake with one empty bucket in eu-west-1, served on a port of its own.
pub struct Account {
    pub fake: Fake,
    pub server: Server,
    pub s3: Client,
}

impl Account {
    pub async fn new() -> Self {
        Self::of(Fake::builder().build().unwrap()).await
    }

    pub async fn of(fake: Fake) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = serve(&fake, listener, Checked::Yes).unwrap();
        let s3 = client(server.url(), "AKIAIOSFODNN7EXAMPLE", "eu-west-1");
        if sagemaker_fake::s3::bucket(&fake, BUCKET).unwrap().is_none() {
            sagemaker_fake::s3::create_bucket(&fake, BUCKET, "eu-west-1", ACCOUNT).unwrap();
        }
        Self { fake, server, s3 }
    }

    pub async fn put(&self, key: &str, content: &[u8]) {
        self.s3.put_object().bucket(BUCKET).key(key).body(ByteStream::from(content.to_vec())).send().await.unwrap();
    }

    pub async fn content(&self, key: &str) -> Vec<u8> {
        let object = self.s3.get_object().bucket(BUCKET).key(key).send().await.unwrap();
        object.body.collect().await.unwrap().to_vec()
    }
}

pub fn client(url: &str, access_key_id: &str, region: &str) -> Client {
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(region.to_owned()))
        .credentials_provider(Credentials::new(access_key_id, "secret", None, None, "test"))
        .endpoint_url(url)
        .force_path_style(true)
        .retry_config(aws_sdk_s3::config::retry::RetryConfig::disabled())
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .build();
    Client::from_conf(config)
}

/// Status and AWS's code of a refusal.
#[track_caller]
pub fn refusal<T: std::fmt::Debug, E: ProvideErrorMetadata + std::fmt::Debug>(
    result: Result<T, SdkError<E>>,
) -> (u16, String) {
    let error = result.expect_err("the call must be refused");
    let status = error.raw_response().map_or(0, |response| response.status().as_u16());
    (status, error.code().unwrap_or_default().to_owned())
}

/// AWS's code and sentence of a refusal.
#[track_caller]
pub fn sentence<T: std::fmt::Debug, E: ProvideErrorMetadata + std::fmt::Debug>(
    result: Result<T, SdkError<E>>,
) -> String {
    let error = result.expect_err("the call must be refused");
    format!("{}: {}", error.code().unwrap_or_default(), error.message().unwrap_or_default())
}
