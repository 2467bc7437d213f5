//! Clients of the fake, made by hand: no environment, no configuration files, no TLS.

use aws_credential_types::Credentials;
use aws_sdk_sagemaker::config::{BehaviorVersion, Region};
use aws_sdk_sagemaker::error::ProvideErrorMetadata;
use sagemaker_fake::testing::FakeAws;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

pub const REGION: &str = "eu-west-1";
pub const ROLE: &str = "arn:aws:iam::111122223333:role/sts-execution";

/// `arn:aws:sagemaker:eu-west-1:111122223333:RESOURCE`.
pub fn arn(resource: &str) -> String {
    format!("arn:aws:sagemaker:{REGION}:111122223333:{resource}")
}

pub fn user() -> Credentials {
    Credentials::new("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", None, None, "test")
}

pub fn sagemaker(aws: &FakeAws) -> aws_sdk_sagemaker::Client {
    sagemaker_as(aws, user(), REGION)
}

pub fn sagemaker_as(aws: &FakeAws, credentials: Credentials, region: &str) -> aws_sdk_sagemaker::Client {
    let config = aws_sdk_sagemaker::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(region.to_owned()))
        .credentials_provider(credentials)
        .endpoint_url(aws.endpoint_url())
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .build();
    aws_sdk_sagemaker::Client::from_conf(config)
}

pub fn sts_as(aws: &FakeAws, credentials: Credentials) -> aws_sdk_sts::Client {
    let config = aws_sdk_sts::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(REGION))
        .credentials_provider(credentials)
        .endpoint_url(aws.endpoint_url())
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .build();
    aws_sdk_sts::Client::from_conf(config)
}

/// AWS's code and sentence of an error.
pub fn said<T: std::fmt::Debug, E: ProvideErrorMetadata>(result: Result<T, E>) -> (String, String) {
    let error = result.expect_err("the call must be refused");
    (error.code().unwrap_or_default().to_owned(), error.message().unwrap_or_default().to_owned())
}

/// An answer as it came over the wire.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            line.split_once(": ").filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
        })
    }
}

/// Sends bytes that no SDK would send.
pub async fn raw(url: &str, request_line: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let mut stream = TcpStream::connect(url.trim_start_matches("http://")).await.unwrap();
    let mut request = format!(
        "{request_line} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {}\r\n",
        body.len()
    );
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    stream.write_all(format!("{request}\r\n{body}").as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, head: head.to_owned(), body: body.to_owned() }
}

/// How a request for this service is signed, as far as the fake looks at it.
pub fn signed_for(service: &str) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20261124/{REGION}/{service}/aws4_request, SignedHeaders=host, Signature=0"
    )
}

/// Sends a form to a service of the query protocol, signed with this key.
pub async fn raw_signed(aws: &FakeAws, service: &str, key: &str, secret: &str, form: &str) -> Answer {
    use hmac::{Hmac, Mac};
    use sha2::{Digest, Sha256};

    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let keyed = |key: &[u8], text: &str| {
        let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
        mac.update(text.as_bytes());
        mac.finalize().into_bytes().to_vec()
    };
    let format = time::macros::format_description!("[year][month][day]T[hour][minute][second]Z");
    let date = time::OffsetDateTime::now_utc().format(format).unwrap();
    let scope = [&date[..8], REGION, service, "aws4_request"];
    let body = hex(&Sha256::digest(form));
    let canonical = format!("POST\n/\n\nhost:localhost\nx-amz-date:{date}\n\nhost;x-amz-date\n{body}");
    let text = format!("AWS4-HMAC-SHA256\n{date}\n{}\n{}", scope.join("/"), hex(&Sha256::digest(canonical)));
    let signing = scope.iter().fold(format!("AWS4{secret}").into_bytes(), |key, part| keyed(&key, part));
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential={key}/{}, SignedHeaders=host;x-amz-date, Signature={}",
        scope.join("/"),
        hex(&keyed(&signing, &text))
    );
    let headers = [
        ("content-type", "application/x-www-form-urlencoded"),
        ("x-amz-date", date.as_str()),
        ("authorization", authorization.as_str()),
    ];
    raw(&aws.endpoint_url(), "POST /", &headers, form).await
}
