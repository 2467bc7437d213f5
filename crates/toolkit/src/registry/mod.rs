//! A registry of container images, by its own protocol (Docker Registry HTTP API V2): ECR's, or any other.
//!
//! A blob is sent whole: of one that comes in chunks ECR keeps the first
//! (<https://github.com/aws/containers-roadmap/issues/2831>), and other registries limit their size.

pub mod credentials;
mod refusal;

use std::time::Duration;

use bytes::Bytes;
use futures::stream;
use oci_client::client::{Client, ClientConfig, ClientProtocol};
use oci_client::errors::OciDistributionError;
pub use oci_client::secrets::RegistryAuth;
use oci_client::token_cache::RegistryTokenType;
use oci_client::{Reference, RegistryOperation};

use crate::aws::dry::Refused;
use crate::aws::ecr::{MANIFESTS, SignIn};
use crate::aws::{Mode, Session};
use crate::error::Failure;
use refusal::Step;

/// How often something is tried that goes wrong for a moment.
const TRIES: u32 = 5;

/// How long to wait before the second try; twice as long before each further one.
const PAUSE: Duration = Duration::from_secs(1);

/// The same on this machine, where nobody has to be spared.
const SHORT_PAUSE: Duration = Duration::from_millis(10);

/// How much of a blob is sent between two words about it, in bytes.
const BLOCK: usize = 64 * 1024;

/// A repository of a registry, for those who have signed in.
pub struct Registry {
    client: Client,
    repository: Reference,
    auth: RegistryAuth,
    is_ecr: bool,
    pause: Duration,
    mode: Mode,
}

impl Registry {
    /// The repository in the registry of the session's account, signed in at with ECR's token.
    ///
    /// # Errors
    /// When ECR gives none.
    pub async fn of_account(session: &Session, repository: &str, mode: Mode) -> Result<Self, Failure> {
        let SignIn { endpoint, user, password } = session.clients.ecr.sign_in().await?;
        let (scheme, host) = endpoint.split_once("://").unwrap_or(("https", &endpoint));
        let plain = scheme == "http";
        let reference = reference(host, repository)?;
        let client = client(host, plain)?;
        for operation in [RegistryOperation::Pull, RegistryOperation::Push] {
            // What ECR's registry would ask for is known, and need not be asked.
            let token = RegistryTokenType::Basic(user.clone(), password.clone());
            client.tokens.insert(&reference, operation, token).await;
        }
        let auth = RegistryAuth::Basic(user, password);
        client.store_auth_if_needed(host, &auth).await;
        let pause = if session.offline { SHORT_PAUSE } else { PAUSE };
        Ok(Self { client, repository: reference, auth, is_ecr: true, pause, mode })
    }

    /// A repository of any registry. On this machine it is spoken to without TLS.
    ///
    /// # Errors
    /// When there is no such name.
    pub async fn anywhere(host: &str, repository: &str, auth: RegistryAuth, mode: Mode) -> Result<Self, Failure> {
        let reference = reference(host, repository)?;
        let plain = is_here(host);
        let client = client(host, plain)?;
        client.store_auth_if_needed(reference.resolve_registry(), &auth).await;
        let pause = if plain { SHORT_PAUSE } else { PAUSE };
        Ok(Self { client, repository: reference, auth, is_ecr: false, pause, mode })
    }

    /// The manifest of the image that has the tag, and its digest. Nothing if there is none, or no such repository.
    ///
    /// # Errors
    /// When the registry does not say.
    pub async fn manifest(&self, tag: &str) -> Result<Option<(Bytes, String)>, Failure> {
        let image = self.image(tag);
        let asked = self.patiently(Step::Tag, tag, async || {
            let pulled = self.client.pull_manifest_raw(&image, &self.auth, &MANIFESTS).await;
            pulled.map(Some).or_else(refusal::absent)
        });
        asked.await
    }

    /// A small blob: the config of an image.
    ///
    /// # Errors
    /// When the registry does not give it.
    pub async fn blob(&self, digest: &str) -> Result<Vec<u8>, Failure> {
        let pull = async || {
            let mut content = Vec::new();
            self.client.pull_blob(&self.repository, digest, &mut content).await.map(|()| content)
        };
        self.patiently(Step::Pull, digest, pull).await
    }

    /// Whether the repository has a blob.
    ///
    /// # Errors
    /// When the registry does not say.
    pub async fn has(&self, digest: &str) -> Result<bool, Failure> {
        self.patiently(Step::Look, digest, async || self.client.blob_exists(&self.repository, digest).await).await
    }

    /// Sends a blob, telling `sent` how many bytes have gone out and `again` that it starts anew.
    ///
    /// # Errors
    /// When the registry does not take it; in a dry run.
    pub async fn push_blob(
        &self,
        digest: &str,
        content: &Bytes,
        sent: impl Fn(usize) + Clone + Send + 'static,
        again: impl Fn(),
    ) -> Result<(), Failure> {
        self.may_change("PushBlob")?;
        let size = content.len() as u64;
        let push = async || {
            again();
            let (content, sent) = (content.clone(), sent.clone());
            let blocks = stream::iter((0..content.len()).step_by(BLOCK).map(move |from| {
                let block = content.slice(from..content.len().min(from + BLOCK));
                sent(block.len());
                Ok(block)
            }));
            self.client.push_blob_stream(&self.repository, blocks, digest, Some(size)).await.map(drop)
        };
        self.patiently(Step::Blob, digest, push).await
    }

    /// Gives an image its tag: from then on it can be pulled.
    ///
    /// # Errors
    /// When the registry does not take it; in a dry run.
    pub async fn put_manifest(
        &self,
        tag: &str,
        digest: &str,
        media_type: &str,
        content: &Bytes,
    ) -> Result<(), Failure> {
        self.may_change("PutManifest")?;
        let image = self.image(tag);
        let media_type = http::HeaderValue::from_str(media_type)
            .map_err(|error| Failure::operation(format!("`{media_type}` is no media type")).because(error))?;
        let put = async || {
            let put = self.client.push_manifest_raw(&image, content.clone(), media_type.clone()).await;
            // Of a try whose answer was lost the tag is there; ECR refuses it then, though it is the same image.
            match put {
                Err(error) => match self.client.fetch_manifest_digest(&image, &self.auth).await {
                    Ok(there) if there == digest => Ok(()),
                    _ => Err(error),
                },
                Ok(_) => Ok(()),
            }
        };
        self.patiently(Step::Manifest, tag, put).await
    }

    fn image(&self, tag: &str) -> Reference {
        let repository = &self.repository;
        Reference::with_tag(repository.registry().to_owned(), repository.repository().to_owned(), tag.to_owned())
    }

    fn may_change(&self, operation: &str) -> Result<(), Failure> {
        match self.mode {
            Mode::Live => Ok(()),
            Mode::Dry => {
                let refused = Refused { service: "Registry".to_owned(), operation: operation.to_owned() };
                Err(Failure::operation(refused.to_string()))
            }
        }
    }

    /// Tries again what may go well the next time.
    async fn patiently<T>(
        &self,
        step: Step,
        what: &str,
        call: impl AsyncFn() -> Result<T, OciDistributionError>,
    ) -> Result<T, Failure> {
        let mut pause = self.pause;
        for _ in 1..TRIES {
            match call().await {
                Err(error) if refusal::is_transient(&error) => tokio::time::sleep(pause).await,
                done => return done.map_err(|error| self.failure(step, what, &error)),
            }
            pause *= 2;
        }
        call().await.map_err(|error| self.failure(step, what, &error))
    }

    fn failure(&self, step: Step, what: &str, error: &OciDistributionError) -> Failure {
        refusal::failure(step, what, self.repository.resolve_registry(), self.is_ecr, error)
    }
}

/// A repository's name, as the protocol has it.
fn reference(host: &str, repository: &str) -> Result<Reference, Failure> {
    let name = format!("{host}/{repository}");
    name.parse().map_err(|error: oci_client::ParseError| {
        Failure::usage(format!("{name} is no repository of a registry"))
            .because(error)
            .hint("a registry is like registry.example.com or localhost:5000/team, and all of it is in lower case")
    })
}

/// A client for one registry.
fn client(host: &str, plain: bool) -> Result<Client, Failure> {
    // As the AWS SDKs' own client; whoever was quicker has installed the same.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let protocol = if plain { ClientProtocol::HttpsExcept(vec![host.to_owned()]) } else { ClientProtocol::Https };
    let config = ClientConfig {
        protocol,
        use_monolithic_push: true,
        connect_timeout: Some(Duration::from_secs(5)),
        read_timeout: Some(Duration::from_secs(120)),
        user_agent: concat!("stsmodelmonitor/", env!("CARGO_PKG_VERSION")),
        // Proxies are as the environment says, but not for this machine: naming one for TLS turns the environment off,
        // and without TLS it is not used.
        https_proxy: is_here(host).then(|| "http://127.0.0.1".to_owned()),
        ..ClientConfig::default()
    };
    Client::try_from(config).map_err(|error| {
        Failure::operation(format!("there can be no client for registries: {}", refusal::deepest(&error)))
            .hint("TLS wants the certificates of this system: install ca-certificates, or set SSL_CERT_FILE")
    })
}

/// Whether a host, with its port if it has one, is this machine.
fn is_here(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let name = name.trim_start_matches('[').trim_end_matches(']');
    name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_is_known_by_its_names() {
        for (host, here) in [
            ("localhost", true),
            ("localhost:5000", true),
            ("127.0.0.1:5000", true),
            ("127.9.9.9", true),
            ("[::1]:5000", true),
            ("registry.example.com:5000", false),
            ("192.0.2.1:5000", false),
            ("localhost.example.com", false),
        ] {
            assert_eq!(is_here(host), here, "{host}");
        }
    }
}
