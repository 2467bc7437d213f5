//! Every protocol, with anything in any place: an answer in its own words, and none that says that the fake failed.

use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, Uri};
use http_body_util::BodyExt as _;
use proptest::prelude::*;
use sagemaker_fake::Fake;
use sagemaker_fake::protocol::{Checked, Route, answer, route, runtime, signature};
use sagemaker_fake::s3::{self, S3Service};
use serde_json::{Value, json};

use super::runner;
use crate::clients::{REGION, ROLE, signed_for};

/// What is asked: as much of HTTP as the protocols look at.
#[derive(Debug, Clone)]
struct Asked {
    method: Method,
    path: String,
    query: String,
    headers: HeaderMap,
    body: Vec<u8>,
}

struct Account {
    fake: Fake,
    s3: S3Service,
}

impl Account {
    fn new() -> Self {
        let fake = Fake::builder().build().unwrap();
        Self { s3: s3::service(&fake), fake }
    }

    /// As the door does it.
    async fn ask(&self, asked: &Asked) -> Response<Vec<u8>> {
        let Asked { method, path, query, headers, body } = asked;
        let request = signature::Request { method, path, query, headers, body: Some(body) };
        match route(method, path, query, headers, body) {
            Route::S3 => {
                let target = if query.is_empty() { path.clone() } else { format!("{path}?{query}") };
                let mut request = Request::new(axum::body::Body::from(body.clone()));
                *request.method_mut() = method.clone();
                *request.uri_mut() = target.parse().unwrap_or_else(|_| Uri::from_static("/"));
                *request.headers_mut() = headers.clone();
                let (head, body) = self.s3.call(request).await.into_parts();
                let body = body.collect().await.expect("what is answered is whole").to_bytes();
                Response::from_parts(head, body.to_vec())
            }
            Route::Invoke(endpoint) => {
                let answered = runtime::invoke(&self.fake, &endpoint, &request, Some(body.clone().into())).await;
                answered.map(|body| body.to_vec())
            }
            route => answer(&self.fake, &route, &request, Checked::Yes).map(|body| body.to_vec()),
        }
    }
}

/// What is wrong with an answer: it must be in the words of its protocol, and not tell of a failure of the fake's own.
fn wrong(asked: &Asked, response: &Response<Vec<u8>>) -> Option<String> {
    let (status, body) = (response.status(), response.body().as_slice());
    let kind = response.headers().get("content-type").and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let text = String::from_utf8_lossy(body);
    if status.is_server_error() && status != 501 {
        return Some(format!("{status}: {text}"));
    }
    let fits = match kind {
        _ if asked.method == Method::HEAD && body.is_empty() => true,
        "application/x-amz-json-1.1" | "application/x-amz-json-1.0" | "application/json" => {
            let read = serde_json::from_slice::<Value>(body);
            let error = read.as_ref().is_ok_and(|body| body["__type"].is_string() || body["Message"].is_string());
            if status == 200 { read.is_ok() || body.is_empty() } else { error }
        }
        "application/cbor" => {
            let read = ciborium::from_reader::<ciborium::Value, _>(body);
            read.is_ok_and(|read| status == 200 || read.as_map().is_some_and(|error| error.len() == 2))
        }
        "text/xml" | "application/xml" => {
            let may_stand = |letter: char| !letter.is_control() || matches!(letter, '\t' | '\n' | '\r');
            text.chars().all(may_stand) && (status.is_success() || text.contains("<Code>"))
        }
        // A HEAD, an empty answer, or the content of an object.
        _ => status.is_success() || body.is_empty(),
    };
    (!fits).then(|| format!("{status} {kind}: {text}"))
}

fn text() -> impl Strategy<Value = String> {
    let seen = [
        "",
        "/",
        "//",
        "/b",
        "/b/k",
        "/b/../k",
        "/%",
        "/%00",
        "/%ff%fe",
        "*",
        "a=b",
        "uploads",
        "uploadId=x&partNumber=0",
        "partNumber=99999999999999999999",
        "list-type=2&max-keys=-1",
        "versioning",
        "delete",
        "Action=AssumeRole",
        "%zz",
        "X-Amz-Credential=%ff%2F%2F%2Fs3%2F",
        "X-Amz-Signature=0&X-Amz-Date=x&X-Amz-Expires=9999999999999999999",
        "/endpoints/e/invocations",
        "/endpoints//invocations",
        "/service/GraniteServiceVersion20100801/operation/PutMetricData",
        "/service//operation/",
        "bytes=0-",
        "bytes=18446744073709551615-18446744073709551616",
        "aws-chunked",
        "gzip",
        "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
        "UNSIGNED-PAYLOAD",
        "-1",
        "18446744073709551616",
        "0",
        "application/x-www-form-urlencoded",
        "application/cbor",
        "Thu, 01 Jan 1970 00:00:00 GMT",
        "\"\"",
        "W/\"",
        "CRC32",
        "AAAAAA==",
        "x-amz-checksum-crc32",
        "b/k",
        "/b/k?versionId=",
        "COPY",
        "REPLACE",
        "a=b&a=c",
        "SageMaker.",
        "SageMaker.ListModels",
        ".",
        "Logs_20140328.GetLogEvents",
        "GraniteServiceVersion20100801.PutMetricData",
        "AWS4-HMAC-SHA256 Credential=",
        "AWS4-HMAC-SHA256 Credential=///////",
        "AWS test:x",
        "FwoGZXIvYXdzE",
        "e30.e30",
    ];
    let ways =
        [signed_for("s3"), signed_for("sagemaker"), signed_for("sts"), signed_for("monitoring"), signed_for("é")];
    let seen: Vec<String> = seen.into_iter().map(str::to_owned).chain(ways).collect();
    prop_oneof![4 => proptest::sample::select(seen), 1 => ".{0,30}", 1 => "[ -~]{0,30}"]
}

fn headers() -> impl Strategy<Value = HeaderMap> {
    #[rustfmt::skip]
    let names = [
        "authorization", "x-amz-target", "content-type", "content-encoding", "content-length", "content-md5", "expect", "host", "range",
        "if-match", "if-none-match", "if-modified-since", "if-unmodified-since", "transfer-encoding", "x-amz-acl", "x-amz-checksum-crc32",
        "x-amz-checksum-sha256", "x-amz-content-sha256", "x-amz-copy-source", "x-amz-copy-source-range", "x-amz-date",
        "x-amz-decoded-content-length", "x-amz-expected-bucket-owner", "x-amz-metadata-directive", "x-amz-sdk-checksum-algorithm",
        "x-amz-security-token", "x-amz-server-side-encryption", "x-amz-tagging", "x-amz-trailer", "x-amz-meta-a",
        "x-amzn-sagemaker-inference-id", "x-amzn-sagemaker-target-variant", "user-agent", "accept", "smithy-protocol",
    ];
    let value = prop_oneof![text().prop_map(String::into_bytes), proptest::collection::vec(any::<u8>(), 0..12)];
    proptest::collection::vec((proptest::sample::select(names.to_vec()), value), 0..6).prop_map(|given| {
        let valid = given
            .into_iter()
            .filter_map(|(name, value)| Some((HeaderName::from_static(name), HeaderValue::from_bytes(&value).ok()?)));
        valid.collect()
    })
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    let cbor = |value: Value| {
        let mut bytes = Vec::new();
        ciborium::into_writer(&value, &mut bytes).unwrap();
        bytes
    };
    let seen: Vec<Vec<u8>> = vec![
        b"{}".to_vec(),
        json!({"ModelPackageGroupName": "g", "Tags": [{"Key": "k", "Value": "v"}]}).to_string().into_bytes(),
        cbor(json!({"Namespace": "n", "MetricData": [{"MetricName": "m", "Value": 1.5}]})),
        format!("Action=AssumeRole&Version=2011-06-15&RoleArn={ROLE}&RoleSessionName=s&Tags.member.1.Key=k")
            .into_bytes(),
        b"Action=CreateRole&Version=2010-05-08&RoleName=r&AssumeRolePolicyDocument=%7B%7D".to_vec(),
        format!(
            "<CreateBucketConfiguration><LocationConstraint>{REGION}</LocationConstraint></CreateBucketConfiguration>"
        )
        .into_bytes(),
        b"<Delete><Object><Key>k</Key></Object></Delete>".to_vec(),
        b"<Tagging><TagSet><Tag><Key>k</Key><Value>v</Value></Tag></TagSet></Tagging>".to_vec(),
        b"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>x</ETag></Part></CompleteMultipartUpload>"
            .to_vec(),
        b"5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n".to_vec(),
    ];
    let changed =
        (proptest::sample::select(seen.clone()), any::<proptest::sample::Index>(), any::<u8>(), any::<bool>());
    let changed = changed.prop_map(|(mut body, at, byte, cut)| {
        let at = at.index(body.len());
        body[at] = byte;
        if cut {
            body.truncate(at);
        }
        body
    });
    prop_oneof![
        proptest::sample::select(seen),
        changed,
        proptest::collection::vec(any::<u8>(), 0..60),
        ".{0,60}".prop_map(String::into_bytes)
    ]
}

fn anything() -> impl Strategy<Value = Asked> {
    let methods =
        [Method::GET, Method::PUT, Method::POST, Method::DELETE, Method::HEAD, Method::OPTIONS, Method::PATCH];
    (proptest::sample::select(methods.to_vec()), text(), text(), headers(), body())
        .prop_map(|(method, path, query, headers, body)| Asked { method, path, query, headers, body })
}

/// For one service, signed, with all the rest at random.
fn meant_for(service: &'static str, head: &'static [(&'static str, &'static str)]) -> impl Strategy<Value = Asked> {
    anything().prop_map(move |mut asked| {
        asked.headers.insert("authorization", signed_for(service).parse().unwrap());
        for (name, value) in head {
            asked.headers.insert(*name, HeaderValue::from_static(value));
        }
        if service == "monitoring" && !asked.path.contains("operation") {
            asked.path = "/service/GraniteServiceVersion20100801/operation/PutMetricData".to_owned();
        }
        asked
    })
}

#[test]
fn anything_in_any_place_is_answered() {
    let tokio = tokio::runtime::Runtime::new().unwrap();
    let account = tokio.block_on(async { Account::new() });
    let check = |asked: Asked| {
        let response = tokio.block_on(account.ask(&asked));
        prop_assert_eq!(wrong(&asked, &response), None, "{:?}", asked);
        Ok(())
    };
    let strategies = [
        anything().boxed(),
        meant_for("s3", &[]).boxed(),
        meant_for("sagemaker", &[("x-amz-target", "SageMaker.CreateModelPackageGroup")]).boxed(),
        meant_for("logs", &[("x-amz-target", "Logs_20140328.GetLogEvents")]).boxed(),
        meant_for("monitoring", &[]).boxed(),
        meant_for("iam", &[("content-type", "application/x-www-form-urlencoded")]).boxed(),
        meant_for("sts", &[("content-type", "application/x-www-form-urlencoded")]).boxed(),
    ];
    for strategy in strategies {
        runner(500).run(&strategy, check).unwrap_or_else(|error| panic!("{error}"));
    }
}

/// What exhausts a stack, a memory or a clock if it is taken as it comes.
#[tokio::test]
async fn what_is_deep_long_or_huge_is_refused_or_borne() {
    let account = Account::new();
    let json = |operation: &str, body: Vec<u8>| {
        ask("sagemaker", "/", ("x-amz-target", format!("SageMaker.{operation}")), body)
    };
    let form = |service: &str, body: String| {
        ask(service, "/", ("content-type", "application/x-www-form-urlencoded".to_owned()), body.into_bytes())
    };
    let cbor = |body: Vec<u8>| {
        let path = "/service/GraniteServiceVersion20100801/operation/PutMetricData";
        ask("monitoring", path, ("smithy-protocol", "rpc-v2-cbor".to_owned()), body)
    };
    let s3 = |query: &str, body: String| Asked {
        method: if query == "delete" { Method::POST } else { Method::PUT },
        query: query.to_owned(),
        ..ask("s3", "/b", ("content-type", "application/xml".to_owned()), body.into_bytes())
    };
    let deep = |open: &str, close: &str| format!("{}{}", open.repeat(100_000), close.repeat(100_000));
    let inside = |member: &str, value: &str| {
        let mut input = json!({"PipelineName": "p", "RoleArn": ROLE, "ClientRequestToken": "0".repeat(36), "PipelineDefinition": "{}"});
        input[member] = json!(value);
        json("CreatePipeline", input.to_string().into_bytes())
    };
    let many = |length: usize, item: fn(usize) -> String| (1..=length).map(item).collect::<Vec<_>>().join("&");
    let escaped = |text: &str| text.bytes().map(|byte| format!("%{byte:02x}")).collect::<String>();
    for asked in [
        json("CreatePipeline", deep("[", "]").into_bytes()),
        json("CreatePipeline", deep("{\"a\":", "}").into_bytes()),
        json("CreatePipeline", format!("{{\"PipelineName\":{}", "[".repeat(1 << 20)).into_bytes()),
        json("ListModels", b"{\"MaxResults\":1e999}".to_vec()),
        json("ListModels", format!("{{\"MaxResults\":{}}}", "9".repeat(1 << 20)).into_bytes()),
        json("ListModels", b"{\"MaxResults\":-0.0,\"CreationTimeAfter\":1e308}".to_vec()),
        json("ListModels", format!("{{\"NameContains\":\"{}\"}}", "a-".repeat(2 << 20)).into_bytes()),
        json("ListModels", b"{\"NameContains\":\"\xff\xfe\"}".to_vec()),
        json("ListModels", b"{\"NameContains\":\"\\ud800\"}".to_vec()),
        inside("PipelineDefinition", &deep("{\"Steps\":[", "]}")),
        inside("PipelineDefinition", &deep("[", "]")),
        inside("PipelineName", &"a".repeat(4 << 20)),
        inside("RoleArn", &format!("arn:aws:iam::{}", "1".repeat(1 << 20))),
        cbor(vec![0x81; 1 << 20]),
        cbor(vec![0xa1; 1 << 20]),
        cbor(vec![0xc1; 1 << 20]),
        cbor(vec![0x9f; 1 << 20]),
        // Says that it has so many items, members, bytes.
        cbor([&[0x9b], [0xff; 8].as_slice()].concat()),
        cbor([&[0xbb], [0xff; 8].as_slice()].concat()),
        cbor([&[0x5b], [0x7f; 8].as_slice()].concat()),
        cbor([&[0x7b], [0x7f; 8].as_slice()].concat()),
        form("sts", format!("Action=AssumeRole&Tags{}=1", ".member.1".repeat(100_000))),
        form(
            "sts",
            format!(
                "Action=AssumeRole&RoleArn={ROLE}&RoleSessionName=s&{}",
                many(30_000, |n| format!("Tags.member.{n}.Key=k{n}"))
            ),
        ),
        form(
            "iam",
            format!("Action=SimulateCustomPolicy&{}", many(30_000, |n| format!("ActionNames.member.{n}=s3:Get{n}"))),
        ),
        form(
            "iam",
            format!("Action=CreateRole&RoleName=r&AssumeRolePolicyDocument={}", escaped(&deep("{\"a\":", "}"))),
        ),
        form("iam", format!("Action=CreateRole&RoleName={}", "%00".repeat(300_000))),
        form("monitoring", format!("Action=ListMetrics&{}", "&".repeat(1 << 20))),
        s3("tagging", deep("<Tagging>", "</Tagging>")),
        s3("delete", format!("<Delete>{}</Delete>", "<Object><Key>k</Key></Object>".repeat(20_000))),
        s3("tagging", format!("<Tagging {}></Tagging>", "a='b' ".repeat(100_000))),
        s3("tagging", "<!DOCTYPE a [<!ENTITY b \"c\"><!ENTITY d \"&b;&b;\">]><Tagging>&d;</Tagging>".to_owned()),
        s3(&"tagging&".repeat(10_000), String::new()),
    ] {
        let response = account.ask(&asked).await;
        let shown: String = String::from_utf8_lossy(&asked.body).chars().take(80).collect();
        assert_eq!(wrong(&asked, &response), None, "{} {shown}", asked.path);
    }
}

fn ask(service: &str, path: &str, header: (&'static str, String), body: Vec<u8>) -> Asked {
    let mut headers = HeaderMap::new();
    headers.insert("authorization", signed_for(service).parse().unwrap());
    headers.insert(header.0, header.1.parse().unwrap());
    Asked { method: Method::POST, path: path.to_owned(), query: String::new(), headers, body }
}
