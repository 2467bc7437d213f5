//! What AWS said no to, why, and what to do next.

use std::error::Error;

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::dry::Refused;
use super::hints;
use crate::error::{Failure, Kind};

/// The failure of `call`, e.g. `CreatePipeline`: AWS's own code and sentence, or why there was no answer, and the next
/// thing to do.
pub fn describe<E>(call: &str, error: SdkError<E, HttpResponse>) -> Failure
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    if let Some(known) = find::<Failure>(&error) {
        return known.again(format!("{call}: {known}"));
    }
    if let Some(refused) = find::<Refused>(&error) {
        return Failure::operation(refused.to_string())
            .hint("this is a mistake of the toolkit: a dry run plans without calling this");
    }
    if let Some(credentials) = find::<CredentialsError>(&error) {
        return no_credentials(call, credentials);
    }
    let raw = error.raw_response();
    let status = raw.map(|raw| raw.status().as_u16());
    let request_id = raw.and_then(|raw| {
        ["x-amzn-requestid", "x-amz-request-id", "x-amzn-request-id"].iter().find_map(|name| raw.headers().get(*name))
    });
    let failure = match &error {
        SdkError::ServiceError(service) => refusal(call, service.err().code(), service.err().message(), status),
        SdkError::TimeoutError(_) => {
            Failure::operation(format!("{call}: no answer in time")).transient().hint(hints::NETWORK)
        }
        SdkError::DispatchFailure(dispatch) if dispatch.is_timeout() || dispatch.is_io() => {
            Failure::operation(format!("{call} did not reach AWS: {}", deepest(&error)))
                .transient()
                .hint(hints::NETWORK)
        }
        SdkError::ResponseError(_) => {
            Failure::operation(format!("{call}: the answer cannot be read: {}", deepest(&error)))
                .transient()
                .hint(hints::ENDPOINT)
        }
        _ => Failure::operation(format!("{call} was not sent: {}", deepest(&error))),
    };
    failure.with_request_id(request_id)
}

fn refusal(call: &str, code: Option<&str>, message: Option<&str>, status: Option<u16>) -> Failure {
    let text = match (code, message) {
        (Some(code), Some(message)) => format!("{code}: {message}"),
        (Some(code), None) => code.to_owned(),
        (None, Some(message)) => message.to_owned(),
        (None, None) => {
            status.map_or_else(|| "no reason was given".to_owned(), |status| format!("HTTP status {status}"))
        }
    };
    let code = code.unwrap_or_default();
    let mut failure =
        Failure::operation(format!("{call} was refused: {text}")).with_aws_code((!code.is_empty()).then_some(code));
    let hint = hints::hint(code, message.unwrap_or_default());
    // The answer to a HEAD request says nothing but its status.
    if let Some(hint) = hint.or_else(|| hints::wordless(status?).filter(|_| code.is_empty() && message.is_none())) {
        failure = failure.hint(hint);
    }
    if hints::is_throttling(code) || status.is_some_and(|status| status >= 500 || status == 429) {
        failure = failure.transient();
    }
    failure
}

/// Nobody could say who is calling: which providers were asked, and what each of them answered.
pub(crate) fn no_credentials(call: &str, error: &CredentialsError) -> Failure {
    let said = deepest(error);
    let what = format!("{call} was not sent: there are no credentials");
    let hint = hints::credentials(&said);
    match error {
        CredentialsError::CredentialsNotLoaded(_) => {
            Failure::new(Kind::NoCredentials, format!("{what}: {}", attempts(error))).hint(hint)
        }
        _ => Failure::new(Kind::NoCredentials, format!("{what}: {said}")).hint(hint),
    }
}

/// One line for all the providers that were asked; the SDK's own text has one line for each.
fn attempts(error: &CredentialsError) -> String {
    let chain =
        error.source().and_then(|it| it.downcast_ref::<aws_config::meta::ProviderChainError<CredentialsError>>());
    let Some(chain) = chain else { return deepest(error) };
    let attempts =
        chain.attempts().iter().map(|attempt| format!("\n  {}: {}", attempt.name(), deepest(attempt.error())));
    format!("these were asked{}", attempts.collect::<String>())
}

/// The error of this type in the chain of causes.
fn find<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    causes(error).find_map(|error| error.downcast_ref())
}

/// The last cause: the wrappers above it say little more than that something failed.
fn deepest(error: &(dyn Error + 'static)) -> String {
    causes(error).last().map(ToString::to_string).unwrap_or_default()
}

/// The error and its causes, outermost first.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    let mut next = Some(error);
    std::iter::from_fn(move || {
        let this = next?;
        next = this.source();
        Some(this)
    })
}
