//! A whole AWS account for one test, at one endpoint URL.
//!
//! ```
//! # #[tokio::main]
//! # async fn main() {
//! use std::time::Duration;
//!
//! use sagemaker_fake::faults::CallFault;
//! use sagemaker_fake::testing::FakeAws;
//!
//! let aws = FakeAws::start().await;
//! // Clients of every service take this endpoint URL, and these credentials:
//! assert!(aws.endpoint_url().starts_with("http://127.0.0.1:"));
//! assert_eq!(aws.credentials().access_key_id, "AKIAIOSFODNN7EXAMPLE");
//! // What shall go wrong, and what time it is:
//! aws.fail_next("CreateTrainingJob", CallFault::Throttle);
//! aws.advance(Duration::from_secs(3600));
//! // Then look at what was asked for, and at what has become of the account:
//! assert!(aws.calls_of("CreateTrainingJob").is_empty());
//! assert!(aws.export()["role"].is_object());
//! # }
//! ```
//!
//! # From your own crate
//!
//! With the feature `sdk-config`, [`FakeAws::sdk_config`] is what the AWS SDK for Rust makes its clients from:
//!
//! ```toml
//! [dev-dependencies]
//! sagemaker-fake = { git = "...", features = ["sdk-config"] }
//! ```
//!
#![cfg_attr(feature = "sdk-config", doc = "```no_run")]
#![cfg_attr(not(feature = "sdk-config"), doc = "```ignore")]
//! # #[tokio::main]
//! # async fn main() {
//! use sagemaker_fake::faults::CallFault;
//! use sagemaker_fake::testing::FakeAws;
//!
//! // In a function that is a `#[tokio::test(flavor = "multi_thread")]`:
//! let aws = FakeAws::start().await;
//! let sagemaker = aws_sdk_sagemaker::Client::new(&aws.sdk_config());
//! let s3 = aws_sdk_s3::Client::new(&aws.sdk_config());
//!
//! aws.fail_next("ListPipelines", CallFault::Throttle);
//! assert!(sagemaker.list_pipelines().send().await.is_ok());
//! assert_eq!(aws.calls_of("ListPipelines").len(), 2);
//!
//! let elsewhere = aws_sdk_s3::types::CreateBucketConfiguration::builder()
//!     .location_constraint(aws_sdk_s3::types::BucketLocationConstraint::EuWest1)
//!     .build();
//! s3.create_bucket().bucket("models").create_bucket_configuration(elsewhere).send().await.unwrap();
//! let before = aws.snapshot();
//! s3.delete_bucket().bucket("models").send().await.unwrap();
//! assert!(FakeAws::start_from(&before).await.export()["bucket"]["models"].is_object());
//! # }
//! ```
//!
//! Programs that are started by a test find the account by their environment: [`FakeAws::environment`].

mod snapshot;

use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::net::TcpListener;
use wiremock::Mock;

use crate::account::{Keys, Scenario};
use crate::calls::Call;
use crate::doors::http::{self, Patience, Server};
use crate::doors::overlay::Overlay;
use crate::fake::StartError;
use crate::faults::{CallFault, JobFault, Rule};
use crate::jobs::Kind;
use crate::protocol::{Checked, DEFAULT_REGION};
use crate::{Fake, FakeBuilder, export};

pub(crate) use snapshot::Kept;
pub use snapshot::Snapshot;

/// A fake account at a port of its own, gone with this handle. Any number of them run side by side.
///
/// Every answer is checked against AWS's own model: one that AWS could not have given is an internal failure that says
/// what is wrong with it.
pub struct FakeAws {
    fake: Fake,
    overlay: Overlay,
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

    /// The account of a scenario that comes with the fake, e.g. `fresh-account`.
    ///
    /// # Panics
    /// When there is no such scenario, or the fake cannot start.
    pub async fn start_in(scenario: &str) -> Self {
        let scenario = Scenario::named(scenario).unwrap_or_else(|error| panic!("{error}"));
        Self::start_with(Fake::builder().scenario(scenario)).await
    }

    /// An account that goes on from where another one was when the snapshot was taken.
    ///
    /// # Panics
    /// When the fake cannot start.
    pub async fn start_from(snapshot: &Snapshot) -> Self {
        Self::start_with(snapshot.builder()).await
    }

    /// An account as the builder says: another scenario, a clock that stands still, ids from a seed, a state folder.
    ///
    /// # Panics
    /// When the fake cannot start.
    pub async fn start_with(builder: FakeBuilder) -> Self {
        let fake = opened(builder).await;
        let overlay = Overlay::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has a free port");
        let server = http::serve_with(&fake, listener, Checked::Yes, &overlay, Patience::default())
            .expect("a bound listener has an address");
        Self { fake, overlay, server }
    }

    /// The endpoint of every service, S3 and SageMaker's runtime included. Clients of S3 address buckets in the path.
    #[must_use]
    pub fn endpoint_url(&self) -> String {
        self.server.url().to_owned()
    }

    /// Where the account's resources are, for clients that do not care.
    #[must_use]
    pub fn region(&self) -> &'static str {
        DEFAULT_REGION
    }

    /// What a client signs with: the keys of the scenario's first user, unless the scenario says otherwise. Where IAM is not
    /// enforced, any other keys do as well.
    ///
    /// # Panics
    /// In a scenario whose client has no credentials.
    #[must_use]
    pub fn credentials(&self) -> Keys {
        self.fake.scenario().client_keys().expect("the client of this scenario has no credentials")
    }

    /// The environment of a program that shall work in this account, whatever its language.
    ///
    /// # Panics
    /// In a scenario whose client has no credentials.
    #[must_use]
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        let keys = self.credentials();
        let mut environment = vec![
            ("AWS_ENDPOINT_URL", self.endpoint_url()),
            ("AWS_REGION", self.region().to_owned()),
            ("AWS_DEFAULT_REGION", self.region().to_owned()),
            ("AWS_ACCESS_KEY_ID", keys.access_key_id),
            ("AWS_SECRET_ACCESS_KEY", keys.secret_access_key),
        ];
        environment.extend(keys.session_token.map(|token| ("AWS_SESSION_TOKEN", token)));
        environment
    }

    /// What the AWS SDK for Rust makes its clients from: the endpoint, a region and credentials. It has no HTTP client; the
    /// SDKs have one of their own, unless their default features are off.
    ///
    /// # Panics
    /// In a scenario whose client has no credentials.
    #[cfg(feature = "sdk-config")]
    #[must_use]
    pub fn sdk_config(&self) -> aws_types::SdkConfig {
        use aws_credential_types::Credentials;
        use aws_credential_types::provider::SharedCredentialsProvider;
        use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;

        let Keys { access_key_id, secret_access_key, session_token } = self.credentials();
        let credentials = Credentials::new(access_key_id, secret_access_key, session_token, None, "sagemaker-fake");
        aws_types::SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(aws_types::region::Region::new(self.region()))
            .endpoint_url(self.endpoint_url())
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .build()
    }

    /// Puts an answer of the test's own before the fake's, for the requests that it matches, of any service.
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() {
    /// use wiremock::{Mock, ResponseTemplate, matchers::header};
    ///
    /// let aws = sagemaker_fake::testing::FakeAws::start().await;
    /// let odd = ResponseTemplate::new(200).set_body_string(r#"{"PipelineSummaries": [{"PipelineName": "unheard-of"}]}"#);
    /// aws.on_top(Mock::given(header("x-amz-target", "SageMaker.ListPipelines")).respond_with(odd).up_to_n_times(1)).await;
    /// # }
    /// ```
    pub async fn on_top(&self, mock: Mock) {
        self.overlay.mount(mock).await;
    }

    /// The next call of this operation goes wrong, whoever makes it and of whichever service it is.
    ///
    /// # Panics
    /// When no service has such an operation.
    #[track_caller]
    pub fn fail_next(&self, operation: &str, fault: CallFault) {
        self.add_rule(Rule::new(fault).operation(operation).times(1));
    }

    /// The next job of this kind fails.
    #[track_caller]
    pub fn fail_next_job(&self, kind: Kind, fault: JobFault) {
        self.add_rule(Rule::new(fault).kind(kind).times(1));
    }

    /// Puts a rule in force by which things go wrong; its id, for [`Faults::remove`](crate::faults::Faults::remove).
    ///
    /// # Panics
    /// When the rule makes no sense.
    #[track_caller]
    pub fn add_rule(&self, rule: Rule) -> u64 {
        self.fake.faults.add(rule).unwrap_or_else(|error| panic!("{error}"))
    }

    /// Moves the account's clock forward: what is due in between happens.
    ///
    /// # Panics
    /// When it would come to stand too far ahead: see [`Offset::MAX`](crate::clock::Offset::MAX).
    #[track_caller]
    pub fn advance(&self, by: Duration) {
        self.fake.advance(by).unwrap_or_else(|error| panic!("{error}"));
    }

    /// Remembers the account as it is, for others to [go on](Self::start_from) from there. What runs just now runs again in
    /// them from its start, as after a kill.
    ///
    /// # Panics
    /// When the state cannot be read.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        Snapshot::of(&self.fake).unwrap_or_else(|error| panic!("the state cannot be read: {error}"))
    }

    /// The calls that reached the fake, oldest first.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.fake.calls.snapshot()
    }

    /// Those of this operation.
    #[must_use]
    pub fn calls_of(&self, operation: &str) -> Vec<Call> {
        self.calls().into_iter().filter(|call| call.operation == operation).collect()
    }

    /// The state of the account: every resource there is.
    ///
    /// # Panics
    /// When the state cannot be read.
    #[must_use]
    pub fn export(&self) -> Value {
        export::state(&self.fake.store).unwrap_or_else(|error| panic!("the state cannot be read: {error}"))
    }

    /// The fake itself: its clock, its store, its scenario, its faults.
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
