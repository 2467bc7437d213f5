//! Which service and operation a request means.

use http::{HeaderMap, Method, header};

use super::{Credential, Service, query, runtime};

/// Where a request goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// A service of the awsJson protocol, and the operation that `X-Amz-Target` names.
    Json(Service, String),
    /// A service of the awsQuery protocol, and the operation that `Action` names.
    Query(Service, Option<String>),
    /// A service of the rpc-v2-cbor protocol, and the operation that the path names.
    Cbor(Service, String),
    /// InvokeEndpoint, of the endpoint of this name: for [`runtime::invoke`].
    Invoke(String),
    /// Everything else is S3.
    S3,
    /// A service of AWS's that the fake does not have.
    Unserved {
        /// As the request names it.
        service: String,
        /// As the request names it; may be empty.
        operation: String,
    },
}

impl Route {
    /// The service and the operation, by the names that they go by in the record of calls.
    pub(super) fn names(&self) -> (&str, &str) {
        match self {
            Self::Json(service, operation) | Self::Cbor(service, operation) => (service.name(), operation),
            Self::Query(service, operation) => (service.name(), operation.as_deref().unwrap_or_default()),
            Self::Unserved { service, operation } => (service, operation),
            Self::Invoke(_) => ("sagemaker", "InvokeEndpoint"),
            Self::S3 => ("s3", ""),
        }
    }

    /// Whether the operation only reads, and no more than AWS gives in one answer: it does not wait for the disk, and is
    /// answered in less time than another thread takes to begin. A list looks at all that there is.
    #[must_use]
    pub fn only_reads(&self) -> bool {
        let (_, operation) = self.names();
        operation.starts_with("Describe") || operation.starts_with("Get")
    }
}

/// Finds out what a request means from its method, path, query, headers and, of a query request, its body.
#[must_use]
pub fn route(method: &Method, path: &str, query: &str, headers: &HeaderMap, body: &[u8]) -> Route {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if let Some((prefix, operation)) = header("x-amz-target").rsplit_once('.') {
        let operation = operation.to_owned();
        return match prefix {
            "SageMaker" => Route::Json(Service::SageMaker, operation),
            "Logs_20140328" => Route::Json(Service::Logs, operation),
            "GraniteServiceVersion20100801" => Route::Json(Service::CloudWatch, operation),
            "AmazonEC2ContainerRegistry_V20150921" => Route::Json(Service::Ecr, operation),
            "ServiceQuotasV20190624" => Route::Json(Service::ServiceQuotas, operation),
            other => Route::Unserved { service: other.to_owned(), operation },
        };
    }
    let signed_for = Credential::of(headers, query).map(|credential| credential.service).unwrap_or_default();
    if *method == Method::POST
        && matches!(signed_for.as_str(), "sagemaker" | "")
        && let Some(endpoint) = runtime::endpoint(path)
    {
        return Route::Invoke(endpoint.to_owned());
    }
    let form = header(header::CONTENT_TYPE.as_str()).starts_with("application/x-www-form-urlencoded");
    let is_query = path == "/" && ((*method == Method::POST && form) || query.contains("Action="));
    match signed_for.as_str() {
        "sts" => Route::Query(Service::Sts, query::action(query, body)),
        "iam" => Route::Query(Service::Iam, query::action(query, body)),
        "monitoring" => match path.strip_prefix("/service/GraniteServiceVersion20100801/operation/") {
            Some(operation) => Route::Cbor(Service::CloudWatch, operation.to_owned()),
            None => Route::Query(Service::CloudWatch, query::action(query, body)),
        },
        "s3" => Route::S3,
        // Unsigned, or signed for a name that is no service's: the version says whose action it is.
        "" if is_query => match query::parameter(query, body, "Version").as_deref() {
            Some("2010-05-08") => Route::Query(Service::Iam, query::action(query, body)),
            Some("2010-08-01") => Route::Query(Service::CloudWatch, query::action(query, body)),
            _ => Route::Query(Service::Sts, query::action(query, body)),
        },
        "" => Route::S3,
        other => {
            // awsQuery names its operation in the body, rpc-v2 in the path: /service/NAME/operation/NAME.
            let of_path = path.split_once("/operation/").map(|(_, operation)| operation.to_owned());
            let operation =
                of_path.or_else(|| query::action(query, body)).unwrap_or_else(|| format!("{method} {path}"));
            Route::Unserved { service: other.to_owned(), operation }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_service_and_operation() {
        let check = |request: &str, headers: &[(&'static str, &str)], body: &str, expected: Route| {
            let (method, uri) = request.split_once(' ').unwrap();
            let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
            let headers = headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
            assert_eq!(
                route(&method.parse().unwrap(), path, query, &headers, body.as_bytes()),
                expected,
                "{request} {headers:?}"
            );
        };
        let signed = |service: &str| {
            format!("AWS4-HMAC-SHA256 Credential=K/20261124/eu-west-1/{service}/aws4_request, Signature=0")
        };
        let form = ("content-type", "application/x-www-form-urlencoded; charset=utf-8");
        let json = |service, operation: &str| Route::Json(service, operation.to_owned());
        let query = |service, operation: &str| Route::Query(service, Some(operation.to_owned()));
        let unserved =
            |service: &str, operation: &str| Route::Unserved { service: service.into(), operation: operation.into() };

        check("POST /", &[("x-amz-target", "SageMaker.ListModels")], "{}", json(Service::SageMaker, "ListModels"));
        check("POST /", &[("x-amz-target", "Logs_20140328.GetLogEvents")], "{}", json(Service::Logs, "GetLogEvents"));
        check(
            "POST /",
            &[("x-amz-target", "DynamoDB_20120810.ListTables")],
            "{}",
            unserved("DynamoDB_20120810", "ListTables"),
        );
        check(
            "POST /",
            &[("authorization", &signed("sts")), form],
            "Action=AssumeRole&Version=2011-06-15",
            query(Service::Sts, "AssumeRole"),
        );
        check("GET /?Action=GetRole", &[("authorization", &signed("iam"))], "", query(Service::Iam, "GetRole"));
        check("POST /", &[form], "Action=GetRole&Version=2010-05-08", query(Service::Iam, "GetRole"));
        check(
            "POST /",
            &[form],
            "Action=GetCallerIdentity&Version=2011-06-15",
            query(Service::Sts, "GetCallerIdentity"),
        );
        check("POST /", &[("authorization", &signed("sts")), form], "", Route::Query(Service::Sts, None));
        check("GET /bucket/key", &[("authorization", &signed("s3"))], "", Route::S3);
        check("GET /bucket/key", &[], "", Route::S3);
        check("POST /bucket?delete", &[("authorization", &signed("s3")), form], "", Route::S3);
        check(
            "POST /",
            &[("authorization", &signed("monitoring")), form],
            "Action=ListMetrics",
            Route::Query(Service::CloudWatch, Some("ListMetrics".into())),
        );
        check(
            "POST /service/GraniteServiceVersion20100801/operation/ListMetrics",
            &[("authorization", &signed("monitoring"))],
            "",
            Route::Cbor(Service::CloudWatch, "ListMetrics".into()),
        );
        check(
            "POST /",
            &[("x-amz-target", "GraniteServiceVersion20100801.ListMetrics")],
            "{}",
            json(Service::CloudWatch, "ListMetrics"),
        );
        check(
            "POST /service/Kinesis/operation/ListStreams",
            &[("authorization", &signed("kinesis"))],
            "",
            unserved("kinesis", "ListStreams"),
        );
        check(
            "POST /endpoints/e/invocations",
            &[("authorization", &signed("sagemaker"))],
            "1,2",
            Route::Invoke("e".to_owned()),
        );
        check("POST /endpoints/e/invocations", &[], "1,2", Route::Invoke("e".to_owned()));
        check("POST /endpoints/e/invocations", &[("authorization", &signed("s3"))], "", Route::S3);
        check("PUT /endpoints/e/invocations", &[], "", Route::S3);
        check(
            "POST /endpoints/e/async-invocations",
            &[("authorization", &signed("sagemaker"))],
            "",
            unserved("sagemaker", "POST /endpoints/e/async-invocations"),
        );
    }
}
