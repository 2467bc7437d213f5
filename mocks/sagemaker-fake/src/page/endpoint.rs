//! An endpoint: its variants, what it has captured, and the end of what its containers have printed.

use maud::{Markup, html};

use super::layout::{Page, facts, section, table, text};
use super::words::{json, moment, size, status};
use super::{Look, job, link, link_uri, nothing};
use crate::endpoints::{Deployment, Endpoint};
use crate::jobs::inputs::split_uri;
use crate::jobs::logs;
use crate::sagemaker::names;
use crate::store::Records;
use crate::{ApiError, s3};

pub(super) fn page(look: &Look<'_>, key: &str) -> Result<Page, ApiError> {
    let endpoint: Endpoint = look.fake.store.read(|view| view.get(key))?.ok_or_else(|| nothing("such endpoint"))?;
    let streams = logs::streams(look.fake, &endpoint.region, &endpoint.log_group(), "")?;
    let body = html! {
        (facts([
            ("Status", Some(status(endpoint.status.as_str()))),
            ("Created", Some(moment(endpoint.created))),
            ("Changed", Some(moment(endpoint.modified))),
            ("ARN", text(Some(&endpoint.arn))),
        ]))
        @if let Some(reason) = &endpoint.failure_reason { p.why { (reason) } }
        @for (title, deployment) in [("Serves", &endpoint.serving), ("Is to serve", &endpoint.pending)] {
            @if let Some(deployment) = deployment { (section(title, deployed(&endpoint, deployment))) }
        }
        @if let Some(captured) = captured(look, &endpoint) { (section("Captured", captured)) }
        (section("Log", job::printed(look, &streams)?))
        @if let Some(serving) = &endpoint.serving { details { summary { "Configuration" } (json(&serde_json::json!(serving.details))) } }
    };
    Ok(Page::new(endpoint.name.clone(), body).live(endpoint.status.is_in_progress()))
}

fn deployed(endpoint: &Endpoint, deployment: &Deployment) -> Markup {
    let variants = deployment.variants.iter().map(|variant| {
        let model = variant.details.get("ModelName").and_then(|name| name.as_str()).unwrap_or_default();
        vec![
            html! { (variant.name) },
            link("model", &names::key(&endpoint.region, model), model),
            html! { (variant.weight) @if (variant.weight - variant.desired_weight).abs() > 0.0 { " → " (variant.desired_weight) } },
            html! { @if let Some(instances) = variant.instances { (instances) } @else { "serverless" } },
            html! { (variant.details.get("InstanceType").and_then(|kind| kind.as_str()).unwrap_or_default()) },
            html! { @if let Some(url) = &variant.container.model_data_url { (link_uri(url)) } },
        ]
    });
    let heads = ["variant", "model", "weight", "instances", "type", "model data"];
    html! {
        p { "Configuration " (link("endpoint-config", &names::key(&endpoint.region, &deployment.config), &deployment.config))
            ", since " (moment(deployment.started)) }
        (table(&heads, variants.collect(), "none"))
    }
}

/// What is in S3 of what was captured.
fn captured(look: &Look<'_>, endpoint: &Endpoint) -> Option<Markup> {
    let deployment = endpoint.serving.as_ref().or(endpoint.pending.as_ref())?;
    let config = deployment.details.get("DataCaptureConfig")?;
    let destination = config["DestinationS3Uri"].as_str()?;
    let (bucket, prefix) = split_uri(destination)?;
    let below = format!("{}/{}/", prefix.trim_end_matches('/'), endpoint.name);
    let objects = s3::list(look.fake, bucket, below.trim_start_matches('/')).unwrap_or_default();
    let bytes = objects.iter().map(|object| object.size).sum();
    Some(facts([
        (
            "Captures",
            Some(
                html! { @if config["EnableCapture"] == true { (config["InitialSamplingPercentage"]) " %" } @else { "nothing" } },
            ),
        ),
        ("Files", Some(html! { (objects.len()) ", " (size(bytes)) })),
        ("Newest", objects.iter().map(|object| object.last_modified).max().map(moment)),
        ("Where", Some(link_uri(destination))),
    ]))
}
