//! What only shows on the wire: chunked bodies, hosts, headers of answers, and the record of calls.

use sagemaker_fake::calls::Call;

use super::{Account, BUCKET, client, objects::contents};
use crate::clients::{Answer, raw, signed_for};

const SIGNED_CHUNKS: &str = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";
const UNSIGNED_CHUNKS: &str = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";

async fn put(account: &Account, hash: &str, length: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let authorization = signed_for("s3");
    let mut all = vec![
        ("Authorization", authorization.as_str()),
        ("x-amz-content-sha256", hash),
        ("x-amz-decoded-content-length", length),
        ("Content-Encoding", "aws-chunked,gzip"),
    ];
    all.extend_from_slice(headers);
    raw(account.server.url(), &format!("PUT /{BUCKET}/chunked"), &all, body).await
}

#[tokio::test]
async fn chunked_bodies_are_decoded() {
    let account = Account::new().await;
    let check = async |hash: &str, headers: &[(&str, &str)], body: &str| {
        let answer = put(&account, hash, "11", headers, body).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let got = account.s3.get_object().bucket(BUCKET).key("chunked").send().await.unwrap();
        assert_eq!(got.content_encoding(), Some("gzip"), "aws-chunked concerns the way, not the object");
        assert_eq!(got.body.collect().await.unwrap().to_vec(), b"hello world");
    };
    let signature = "chunk-signature=ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648";
    check(SIGNED_CHUNKS, &[], &format!("6;{signature}\r\nhello \r\n5;{signature}\r\nworld\r\n0;{signature}\r\n\r\n"))
        .await;
    // CRC32 of `hello world`, by Python's zlib: DUoRhQ==.
    let trailer = ("x-amz-trailer", "x-amz-checksum-crc32");
    check(UNSIGNED_CHUNKS, &[trailer], "b\r\nhello world\r\n0\r\nx-amz-checksum-crc32:DUoRhQ==\r\n\r\n").await;
}

#[tokio::test]
async fn broken_chunked_bodies_are_refused() {
    let account = Account::new().await;
    let trailer = ("x-amz-trailer", "x-amz-checksum-crc32");
    let check = async |length: &str, body: &str, expected: &str| {
        let answer = put(&account, UNSIGNED_CHUNKS, length, &[trailer], body).await;
        assert_eq!(answer.status, 400, "{body}");
        assert!(answer.body.contains(&format!("<Code>{expected}</Code>")), "{body}: {}", answer.body);
    };
    check("5", "5\r\nhello\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n", "BadDigest").await;
    check("5", "5\r\nhello\r\n0\r\n\r\n", "MalformedTrailerError").await;
    check("5", "5\r\nhel", "IncompleteBody").await;
    check("5", "5\r\nhello\r\n", "IncompleteBody").await;
    check("5", "3\r\nhel\r\n0\r\n\r\n", "IncompleteBody").await;
    check("5", "6\r\nhello!\r\n0\r\n\r\n", "IncompleteBody").await;
    check("5", "5\r\nhello!\r\n0\r\n\r\n", "IncompleteBody").await;
    check("5", "what\r\nhello\r\n0\r\n\r\n", "IncompleteBody").await;
    check("5", "fffffffffffffffff\r\nhello", "IncompleteBody").await;
    check("5", &"a".repeat(100_000), "IncompleteBody").await;
    check("x", "5\r\nhello\r\n0\r\n\r\n", "InvalidArgument").await;
    assert_eq!(contents(&account.fake), 0);
}

#[tokio::test]
async fn the_bucket_may_be_in_the_host() {
    let account = Account::new().await;
    account.put("dir/k", b"hello").await;
    let authorization = signed_for("s3");
    for (host, path, status) in [
        ("sts-bucket.localhost:4566", "/dir/k", 200),
        ("sts-bucket.s3.localhost", "/dir/k", 200),
        ("localhost:4566", "/sts-bucket/dir/k", 200),
        ("s3.localhost", "/sts-bucket/dir/k", 200),
        ("other.localhost", "/dir/k", 404),
    ] {
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: {authorization}\r\nConnection: close\r\n\r\n"
        );
        let answer = exchange(&account, &request).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{host}{path}: {answer}");
    }
}

pub async fn exchange(account: &Account, request: &str) -> String {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let mut stream = tokio::net::TcpStream::connect(account.server.url().trim_start_matches("http://")).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn errors_are_complete_and_heads_have_no_body() {
    let account = Account::new().await;
    let authorization = signed_for("s3");
    let authorization = ("Authorization", authorization.as_str());
    let ask = async |line: &str| raw(account.server.url(), line, &[authorization], "").await;
    let answer = ask("GET /sts-bucket/none").await;
    assert_eq!((answer.status, answer.header("content-type")), (404, Some("application/xml")));
    let id = answer.header("x-amz-request-id").unwrap();
    for part in [
        "<Code>NoSuchKey</Code><Message>The specified key does not exist.</Message>",
        &format!("<RequestId>{id}</RequestId>"),
    ] {
        assert!(answer.body.contains(part), "{}", answer.body);
    }
    let answer = ask("GET /No_Such/name").await;
    assert!(
        answer.body.contains("<Code>InvalidBucketName</Code><Message>The specified bucket is not valid.</Message>"),
        "{}",
        answer.body
    );
    let answer = ask("HEAD /sts-bucket/none").await;
    assert_eq!((answer.status, answer.body.as_str()), (404, ""));
    let answer = raw(account.server.url(), "GET /sts-bucket/none", &[], "").await;
    assert_eq!(answer.status, 403);
    assert!(answer.body.contains("<Code>AccessDenied</Code>"), "{}", answer.body);
    let answer = ask("GET /sts-bucket/none?torrent").await;
    assert_eq!(answer.status, 501);
    assert!(answer.body.contains("<Code>NotImplemented</Code><Message>GetObjectTorrent"), "{}", answer.body);
}

/// As boto3 presigns: what would be headers is in the query.
#[tokio::test]
async fn a_presigned_query_stands_for_headers() {
    let account = Account::new().await;
    account.put("k", b"hello").await;
    let presigned = |more: &str| {
        let credential = "X-Amz-Credential=test%2F20261124%2Feu-west-1%2Fs3%2Faws4_request";
        let life = "X-Amz-Date=20991231T000000Z&X-Amz-Expires=60";
        format!("/sts-bucket/k?{more}&X-Amz-Algorithm=AWS4-HMAC-SHA256&{credential}&{life}&X-Amz-Signature=0")
    };
    let check = async |line: String, status: u16| {
        let answer = raw(account.server.url(), &line, &[], "").await;
        assert_eq!(answer.status, status, "{line}: {}", answer.body);
    };
    check(format!("GET {}", presigned("x-amz-expected-bucket-owner=111122223333")), 200).await;
    check(format!("GET {}", presigned("x-amz-expected-bucket-owner=999999999999")), 403).await;
    check(format!("PUT {}", presigned("x-amz-meta-who=m%20e")), 200).await;
    let head = account.s3.head_object().bucket(BUCKET).key("k").send().await.unwrap();
    assert_eq!(head.metadata().unwrap()["who"], "m e");
    check(format!("GET {}", presigned("x=1").replace("Expires=60", "Expires=604801")), 400).await;
    check(format!("GET {}", presigned("x=1").replace("2099", "2020")), 403).await;
    // Signature Version 2.
    check("GET /sts-bucket/k?AWSAccessKeyId=test&Signature=x%3D&Expires=4102444800".to_owned(), 200).await;
    check("GET /sts-bucket/k?AWSAccessKeyId=test&Signature=x%3D&Expires=1500000000".to_owned(), 403).await;
}

#[tokio::test]
async fn calls_are_remembered() {
    let account = Account::new().await;
    account.put("k", b"x").await;
    let stranger = client(account.server.url(), "test", "us-east-1");
    _ = stranger.head_object().bucket(BUCKET).key("none").send().await;
    _ = stranger.list_objects_v2().bucket("no-such-bucket").send().await;
    let calls = account.fake.calls.snapshot();
    let seen = calls.iter().map(|Call { service, operation, region, caller, error, .. }| {
        (service.as_str(), operation.as_str(), region.as_str(), caller.as_str(), error.as_deref())
    });
    let user = "arn:aws:iam::111122223333:user/sts-developer";
    assert_eq!(
        seen.collect::<Vec<_>>(),
        [
            ("s3", "PutObject", "eu-west-1", user, None),
            ("s3", "HeadObject", "us-east-1", user, Some("PermanentRedirect")),
            ("s3", "ListObjectsV2", "us-east-1", user, Some("NoSuchBucket")),
        ]
    );
    assert!(calls[0].user_agent.contains("aws-sdk-rust"), "{}", calls[0].user_agent);
}
