//! InvokeEndpoint: a request for an inference, passed on to a container.

use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};

use super::capture::{Exchange, Side};
use super::hosting::{Hosted, InFlight, Serving};
use super::record::{Endpoint, Status};
use crate::fake::Context;
use crate::sagemaker::names;
use crate::{ApiError, Fake, cloudwatch, engine};

/// The longest body of a request and of an answer, in bytes. AWS raised it from 6 MiB, which its service model still
/// has.
pub const LONGEST_BODY: usize = 25 << 20;

/// How long a container may take to answer, as SageMaker has it.
const PATIENCE: Duration = Duration::from_secs(60);

/// The header with what a caller or a model has to say beside its body.
pub const CUSTOM_ATTRIBUTES: &str = "x-amzn-sagemaker-custom-attributes";

/// A request for an inference.
#[derive(Debug, Clone, Default)]
pub struct Invocation {
    /// The name of the endpoint.
    pub endpoint: String,
    /// The media type of the body.
    pub content_type: Option<String>,
    /// The media types that the caller wants.
    pub accept: Option<String>,
    /// For the model, which may answer with some of its own.
    pub custom_attributes: Option<String>,
    /// The caller's name for the request, in what is captured of it.
    pub inference_id: Option<String>,
    /// The variant to ask, whatever the weights.
    pub target_variant: Option<String>,
    /// What the model is to look at.
    pub body: Bytes,
}

/// What a model answers.
#[derive(Debug, Clone)]
pub struct Inference {
    /// The variant that answered.
    pub variant: String,
    /// The media type of the body.
    pub content_type: Option<HeaderValue>,
    /// The model's own.
    pub custom_attributes: Option<HeaderValue>,
    /// The inference.
    pub body: Bytes,
}

/// Why there is no inference.
#[derive(Debug, Clone)]
pub enum Refusal {
    /// SageMaker refuses, or has nobody to ask.
    Service(ApiError),
    /// The container failed: `ModelError`.
    Model {
        /// SageMaker's sentence.
        message: String,
        /// What the container answered with; 0 if it did not answer.
        original_status: u16,
        /// What it said.
        original_message: String,
        /// The log group of the endpoint.
        log_stream_arn: String,
    },
}

impl From<ApiError> for Refusal {
    fn from(error: ApiError) -> Self {
        Self::Service(error)
    }
}

/// Asks an endpoint's model.
///
/// # Errors
/// `ValidationError` for an endpoint that does not serve or a variant that it does not have, `ServiceUnavailable` while
/// a container that ended is being started again, `ModelError`.
pub async fn invoke(context: &Context<'_>, invocation: &Invocation) -> Result<Inference, Refusal> {
    let (fake, time, begun) = (context.fake, context.fake.clock.now(), Instant::now());
    let (serving, _in_flight) = serving(context, &invocation.endpoint).await?;
    let hosted = match &invocation.target_variant {
        None => serving.pick(fake.ids.fraction()),
        Some(name) => serving.variants.iter().find(|variant| variant.name == *name),
    };
    let hosted = hosted.ok_or_else(|| {
        let name = invocation.target_variant.as_deref().unwrap_or_default();
        ApiError::new("ValidationError", format!("Variant {name} not found for Request."))
    })?;
    let asked = Instant::now();
    let answer = ask(fake, hosted, invocation).await;
    let model_latency = asked.elapsed();
    let measured = cloudwatch::invocations::Invocation {
        region: &serving.endpoint.region,
        endpoint: &serving.endpoint.name,
        variant: &hosted.name,
        time,
        status: answer.as_ref().map_or_else(Fault::status, |answer| answer.status().as_u16()),
        model_latency,
        overhead_latency: begun.elapsed().saturating_sub(model_latency),
    };
    cloudwatch::invocations::record(fake, &measured);
    let answer = answer.map_err(|fault| fault.refusal(context, &serving.endpoint))?;
    let inference = Inference {
        variant: hosted.name.clone(),
        content_type: answer.headers().get(header::CONTENT_TYPE).cloned(),
        custom_attributes: answer.headers().get(CUSTOM_ATTRIBUTES).cloned(),
        body: answer.into_body(),
    };
    if let Some(capture) = &hosted.capture {
        let content_type = inference.content_type.as_ref().and_then(|value| value.to_str().ok());
        capture.record(
            fake,
            &Exchange {
                time,
                request: Side { content_type: invocation.content_type.as_deref(), body: &invocation.body },
                answer: Side { content_type, body: &inference.body },
                inference_id: invocation.inference_id.as_deref(),
                custom_attributes: invocation.custom_attributes.as_deref(),
            },
        );
    }
    Ok(inference)
}

/// What answers for an endpoint. Just after a start, an endpoint that was in service is waited for.
async fn serving(context: &Context<'_>, name: &str) -> Result<(std::sync::Arc<Serving>, InFlight), ApiError> {
    let key = names::key(context.region, name);
    let look = |fake: &Fake| -> Result<_, ApiError> {
        if let Some(found) = fake.hosting.find(&key) {
            return Ok(Some(found));
        }
        match super::named(&Context { fake, ..*context }, name)? {
            Some(Endpoint { status: Status::InService | Status::Updating, .. }) => Ok(None),
            _ => {
                let message = format!("Endpoint {name} of account {} not found.", fake.account());
                Err(ApiError::new("ValidationError", message))
            }
        }
    };
    if let Some(found) = look(context.fake)? {
        return Ok(found);
    }
    let found = tokio::time::timeout(PATIENCE, engine::until(&context.fake.downgrade(), look)).await;
    found.unwrap_or_else(|_| Err(unavailable()))
}

fn unavailable() -> ApiError {
    ApiError::new("ServiceUnavailable", "The service is unavailable. Try your call again.")
        .with_status(StatusCode::SERVICE_UNAVAILABLE)
}

/// How a container failed.
enum Fault {
    /// It is being started again.
    Down,
    /// It did not answer, for this reason.
    Silent(&'static str),
    /// It answered so.
    Refused(http::Response<Bytes>),
}

async fn ask(fake: &Fake, hosted: &Hosted, invocation: &Invocation) -> Result<http::Response<Bytes>, Fault> {
    let port = hosted.container.port().ok_or(Fault::Down)?;
    let mut headers = HeaderMap::new();
    let given = [
        ("content-type", &invocation.content_type),
        ("accept", &invocation.accept),
        (CUSTOM_ATTRIBUTES, &invocation.custom_attributes),
        ("x-amzn-sagemaker-inference-id", &invocation.inference_id),
    ];
    for (name, value) in given {
        if let Some(value) = value.as_deref().and_then(|value| HeaderValue::from_str(value).ok()) {
            headers.insert(name, value);
        }
    }
    let asked = fake.hosting.client.invoke(port, headers, invocation.body.clone(), LONGEST_BODY);
    match tokio::time::timeout(PATIENCE, asked).await {
        Ok(Ok(answer)) if answer.status().is_client_error() || answer.status().is_server_error() => {
            Err(Fault::Refused(answer))
        }
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(cause)) => {
            tracing::debug!("{}: {cause}", hosted.name);
            Err(Fault::Silent("An error occurred while handling request as the model process exited."))
        }
        Err(_) => Err(Fault::Silent(
            "Your invocation timed out while waiting for a response from container primary. Review the latency metrics for each \
             container in Amazon CloudWatch, resolve the issue, and try again.",
        )),
    }
}

impl Fault {
    /// What the container answered with; 0 if it did not answer.
    fn status(&self) -> u16 {
        match self {
            Self::Down | Self::Silent(_) => 0,
            Self::Refused(answer) => answer.status().as_u16(),
        }
    }

    /// In SageMaker's own sentences.
    fn refusal(self, context: &Context<'_>, endpoint: &Endpoint) -> Refusal {
        let (status, said) = match self {
            Self::Down => return Refusal::Service(unavailable()),
            Self::Silent(said) => (0, said.to_owned()),
            Self::Refused(answer) => (answer.status().as_u16(), String::from_utf8_lossy(answer.body()).into_owned()),
        };
        let (region, account, group) = (&endpoint.region, context.fake.account(), endpoint.log_group());
        let kind = if (400..500).contains(&status) { "client" } else { "server" };
        Refusal::Model {
            message: format!(
                "Received {kind} error ({status}) from primary with message \"{said}\". See https://{region}.console.aws.amazon.com/\
                 cloudwatch/home?region={region}#logEventViewer:group={group} in account {account} for more information."
            ),
            original_status: status,
            original_message: said,
            log_stream_arn: format!("arn:aws:logs:{region}:{account}:log-group:{group}"),
        }
    }
}
