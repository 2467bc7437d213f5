//! Who signs in at a registry that is not ECR's: as Docker's configuration says, `~/.docker/config.json` or that below
//! `DOCKER_CONFIG`.

use docker_credential::{CredentialRetrievalError, DockerCredential};
use oci_client::secrets::RegistryAuth;

use crate::error::Failure;

/// What Docker's configuration knows of the registry; nobody, where it knows nothing.
///
/// # Errors
/// When it knows something that cannot be used.
pub fn of(host: &str) -> Result<RegistryAuth, Failure> {
    match docker_credential::get_credential(host) {
        Ok(DockerCredential::UsernamePassword(user, password)) => Ok(RegistryAuth::Basic(user, password)),
        Ok(DockerCredential::IdentityToken(_)) => Err(Failure::usage(format!(
            "Docker's configuration has an identity token for {host}, which is for Docker's own exchange of tokens"
        ))
        .hint(format!("sign in with a user and a password, or an access token in its place: docker login {host}"))),
        Err(
            CredentialRetrievalError::NoCredentialConfigured
            | CredentialRetrievalError::ConfigNotFound
            // There is no such file.
            | CredentialRetrievalError::ConfigReadError,
        ) => Ok(RegistryAuth::Anonymous),
        Err(error) => Err(Failure::usage(format!("Docker's configuration does not say who signs in at {host}"))
            .because(error)
            .hint(format!("sign in again: docker login {host}"))),
    }
}
