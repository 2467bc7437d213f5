//! A whole AWS account for one test.
//!
//! ```
//! # #[tokio::main]
//! # async fn main() {
//! use sagemaker_fake::testing::FakeAws;
//!
//! let aws = FakeAws::start().await;
//! // Clients of SageMaker, AWS STS, IAM and CloudWatch Logs take this endpoint URL:
//! assert!(aws.endpoint_url().starts_with("http://127.0.0.1:"));
//! // S3 has one of its own (with path-style addressing):
//! assert!(aws.s3_endpoint_url().starts_with("http://127.0.0.1:"));
//! // Then look at what was asked for, and at what has become of the account:
//! assert!(aws.calls().is_empty());
//! assert!(aws.export()["role"].is_object());
//! # }
//! ```

use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::net::TcpListener;
use wiremock::{Mock, MockServer};

use crate::calls::Call;
use crate::doors::http::Server;
use crate::doors::{http, wiremock as mounted};
use crate::fake::StartError;
use crate::protocol::Checked;
use crate::{Fake, FakeBuilder, export};

/// A fake account at two ports of its own, gone with this handle. Any number of them run side by side.
///
/// Every answer is checked against AWS's own model: one that AWS could not have given is an internal failure that says
/// what is wrong with it.
pub struct FakeAws {
    fake: Fake,
    mock: MockServer,
    server: Server,
}

impl FakeAws {
    /// The default account: in memory, with real time and random ids.
    ///
    /// # Panics
    /// When the machine has no port or temporary folder to give: a test can do nothing about that.
    pub async fn start() -> Self {
        Self::start_with(Fake::builder()).await
    }

    /// An account as the builder says: another scenario, a clock that stands still, ids from a seed, a state folder.
    ///
    /// # Panics
    /// When the fake cannot start.
    pub async fn start_with(builder: FakeBuilder) -> Self {
        let fake = opened(builder).await;
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has a free port");
        let server = http::serve(&fake, listener, Checked::Yes).expect("a bound listener has an address");
        let mock = MockServer::builder().disable_request_recording().start().await;
        mounted::mount(&fake, &mock, Checked::Yes).await;
        Self { fake, mock, server }
    }

    /// The endpoint of every service but S3.
    #[must_use]
    pub fn endpoint_url(&self) -> String {
        self.mock.uri()
    }

    /// The endpoint of S3. It serves every other service too, without what was put [`on_top`](Self::on_top).
    #[must_use]
    pub fn s3_endpoint_url(&self) -> String {
        self.server.url().to_owned()
    }

    /// The endpoint of SageMaker's runtime: InvokeEndpoint. The same as that of S3.
    #[must_use]
    pub fn runtime_endpoint_url(&self) -> String {
        self.s3_endpoint_url()
    }

    /// Puts an answer of the test's own before the fake's, for the requests that it matches: one odd answer, once.
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() {
    /// use wiremock::{Mock, ResponseTemplate, matchers::header};
    ///
    /// let aws = sagemaker_fake::testing::FakeAws::start().await;
    /// let throttled = ResponseTemplate::new(400).set_body_string(r#"{"__type":"ThrottlingException","message":"Rate exceeded"}"#);
    /// aws.on_top(Mock::given(header("x-amz-target", "SageMaker.ListPipelines")).respond_with(throttled).up_to_n_times(1)).await;
    /// # }
    /// ```
    pub async fn on_top(&self, mock: Mock) {
        self.mock.register(mock).await;
    }

    /// The calls that reached the fake, oldest first.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.fake.calls.snapshot()
    }

    /// The state of the account: every resource there is.
    ///
    /// # Panics
    /// When the state cannot be read.
    #[must_use]
    pub fn export(&self) -> Value {
        export::state(&self.fake.store).unwrap_or_else(|error| panic!("the state cannot be read: {error}"))
    }

    /// The fake itself: its clock, its store, its scenario.
    #[must_use]
    pub fn fake(&self) -> &Fake {
        &self.fake
    }
}

/// Opens a state that this process may have let go of only just now: whoever still works in the background, at the end
/// of an answer or of a job, holds it for a moment.
///
/// # Panics
/// When the fake cannot start, or the state is held for ten seconds.
pub async fn opened(builder: FakeBuilder) -> Fake {
    let patience = Instant::now() + Duration::from_secs(10);
    loop {
        match builder.clone().build() {
            Ok(fake) => return fake,
            Err(StartError::Held(_)) if Instant::now() < patience => tokio::task::yield_now().await,
            Err(error) => panic!("the fake cannot start: {error}"),
        }
    }
}
