//! The account as a person looks at it, at `/_stsmm/`: pages without JavaScript, made when they are asked for.
//!
//! | file | page |
//! |---|---|
//! | `overview` | the first one: what there is, what runs, how to get in |
//! | `execution`, `graph` | an execution of a pipeline, and the drawing of its steps |
//! | `pipeline` | a pipeline: its versions and executions |
//! | `job` | a job: what it was asked for, what it printed |
//! | `endpoint` | an endpoint: its variants, what it has captured |
//! | `schedule` | a monitoring schedule: when it is due, its executions |
//! | `bucket` | a bucket and its objects |
//! | `record` | any other record, and all of a kind |
//! | `calls` | who asked for what |
//! | `layout`, `words` | what all of them have around them and in them |
//!
//! All that is shown is escaped where it is put in. Nobody's secret is on a page.

mod bucket;
mod calls;
mod endpoint;
mod execution;
mod graph;
mod job;
mod layout;
mod overview;
mod pipeline;
mod record;
mod schedule;
mod words;

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use maud::{Markup, html};

use crate::protocol::{encode, pairs};
use crate::{ApiError, Fake};
use layout::Page;

/// What a page is made from.
struct Look<'a> {
    fake: &'a Fake,
    /// Where the reader has it from.
    url: String,
    /// The parameters of the query.
    query: Vec<(String, String)>,
}

impl Look<'_> {
    /// A parameter of the query; empty if it was not given.
    fn asked(&self, name: &str) -> &str {
        self.query.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }
}

/// Whether a path below the prefix is one of a page.
pub(crate) fn serves(asked: &str) -> bool {
    asked.is_empty() || asked.starts_with("page/")
}

/// The page at a path below the prefix, for a reader who has it from this host. Blocks while the store is read.
pub(crate) fn answer(fake: &Fake, asked: &str, query: &str, host: &str) -> Response<Bytes> {
    let look = Look { fake, url: format!("http://{host}"), query: pairs(query.as_bytes()).collect() };
    let (status, page) = match made(&look, asked) {
        Ok(page) => (StatusCode::OK, page),
        Err(error) => (error.status, Page::new("Not here", html! { p { (error.message) } })),
    };
    let mut response = Response::new(Bytes::from(page.render(&look).into_string()));
    *response.status_mut() = status;
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        // Should a name ever get through unescaped, it finds nothing that it may do.
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'",
        ),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    for (name, value) in headers {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

fn made(look: &Look<'_>, asked: &str) -> Result<Page, ApiError> {
    match asked {
        "" => overview::page(look),
        "page/calls" => Ok(calls::page(look)),
        "page/kind" => record::kind(look, look.asked("of")),
        "page/record" => one(look, look.asked("kind"), look.asked("key")),
        _ => Err(nothing(asked)),
    }
}

fn one(look: &Look<'_>, kind: &str, key: &str) -> Result<Page, ApiError> {
    match kind {
        "execution" => execution::page(look, key),
        "pipeline" => pipeline::page(look, key),
        "job" => job::page(look, key),
        "endpoint" => endpoint::page(look, key),
        "monitoring-schedule" => schedule::page(look, key),
        "bucket" => bucket::page(look, key),
        "object" => bucket::object(look, key),
        _ => record::page(look, kind, key),
    }
}

fn nothing(what: &str) -> ApiError {
    ApiError::new("NotFound", format!("there is no {what}")).with_status(StatusCode::NOT_FOUND)
}

/// A link to the page of a record.
fn link(kind: &str, key: &str, text: &str) -> Markup {
    html! { a href=(path(kind, key)) { (text) } }
}

/// Where the page of a record is.
fn path(kind: &str, key: &str) -> String {
    format!("/_stsmm/page/record?kind={}&key={}", encode(kind), encode(key))
}

/// A link to the page of what an ARN of SageMaker's names, if it has one.
fn link_arn(arn: &str) -> Markup {
    match named(arn) {
        Some((kind, key)) => link(kind, &key, arn.splitn(6, ':').last().unwrap_or_default()),
        None => html! { (arn) },
    }
}

/// The kind and the key of what an ARN of SageMaker's names, if there are pages of such.
fn named(arn: &str) -> Option<(&str, String)> {
    let mut parts = arn.splitn(6, ':').skip(2);
    let (service, region, resource) =
        (parts.next(), parts.next().unwrap_or_default(), parts.nth(1).unwrap_or_default());
    let (kind, name) = resource.split_once('/').unwrap_or_default();
    let key = |name: &str| crate::sagemaker::names::key(region, name);
    match kind {
        _ if service != Some("sagemaker") => None,
        "pipeline" if name.contains("/execution/") => Some(("execution", key(name))),
        "pipeline" | "model" | "endpoint" | "endpoint-config" | "model-package-group" | "monitoring-schedule" => {
            Some((kind, key(name)))
        }
        "hyper-parameter-tuning-job" => Some(("tuning-job", key(name))),
        "processing-job" | "training-job" | "transform-job" => {
            Some(("job", crate::sagemaker::names::key(&format!("{region}/{kind}"), name)))
        }
        "model-package" => Some((
            kind,
            match name.split_once('/') {
                Some((group, version)) => format!("{}/{version:0>10}", key(group)),
                None => key(name),
            },
        )),
        _ => None,
    }
}

/// A link to the page of what an S3 URI names, for one that names something.
fn link_uri(uri: &str) -> Markup {
    match uri.strip_prefix("s3://").and_then(|rest| rest.split_once('/')) {
        Some((bucket, prefix)) => html! {
            a href={ (path("bucket", bucket)) "&prefix=" (encode(prefix)) } { (uri) }
        },
        None => html! { (uri) },
    }
}
