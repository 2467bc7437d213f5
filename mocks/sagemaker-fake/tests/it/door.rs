//! The door: what connections, and clients that behave badly, meet there.

use std::time::Duration;

use sagemaker_fake::Fake;
use sagemaker_fake::doors::http::{Patience, Server, serve, serve_with};
use sagemaker_fake::doors::overlay::Overlay;
use sagemaker_fake::protocol::Checked;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::clients::{raw, signed_for};

/// One that a test can wait for the end of.
const SHORT: Patience =
    Patience { head: Duration::from_millis(50), stall: Duration::from_millis(50), linger: Duration::from_millis(50) };

struct Door {
    fake: Fake,
    server: Server,
}

impl Door {
    async fn open() -> Self {
        Self::with(Patience::default()).await
    }

    async fn with(patience: Patience) -> Self {
        let fake = Fake::builder().build().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = serve_with(&fake, listener, Checked::Yes, &Overlay::default(), patience).unwrap();
        Self { fake, server }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.server.url().trim_start_matches("http://")).await.unwrap()
    }

    /// Sends this, and returns what comes until the fake hangs up.
    async fn exchange(&self, sent: &[u8]) -> String {
        let mut stream = self.connect().await;
        // Who is refused early may not get rid of everything.
        _ = stream.write_all(sent).await;
        rest(&mut stream).await
    }
}

/// What comes until the fake hangs up.
async fn rest(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    // A reset is an end too.
    _ = stream.read_to_end(&mut answer).await;
    String::from_utf8(answer).unwrap()
}

/// The next answer on a connection that is kept.
async fn answer(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    let head = String::from_utf8(head).unwrap();
    let length = head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).await.unwrap();
    head + &String::from_utf8_lossy(&body)
}

/// A call of SageMaker. Its body is not as long as it says if `length` differs.
fn call(operation: &str, version: &str, more: &str, length: usize, body: &str) -> String {
    format!(
        "POST / HTTP/{version}\r\nHost: localhost\r\nX-Amz-Target: SageMaker.{operation}\r\nAuthorization: {}\r\n{more}\
         Content-Length: {length}\r\n\r\n{body}",
        signed_for("sagemaker")
    )
}

fn list(more: &str) -> String {
    call("ListModels", "1.1", more, 2, "{}")
}

#[tokio::test]
async fn requests_may_follow_each_other_without_waiting() {
    let door = Door::open().await;
    let create = |name: &str| {
        let body = format!(r#"{{"ModelPackageGroupName":"{name}"}}"#);
        call("CreateModelPackageGroup", "1.1", "", body.len(), &body)
    };
    let describe = call("DescribeModelPackageGroup", "1.1", "", 29, r#"{"ModelPackageGroupName":"b"}"#);
    let sent = [create("a"), create("b"), describe, list("Connection: close\r\n")].concat();
    let answered = door.exchange(sent.as_bytes()).await;
    let order =
        ["model-package-group/a\"}", "model-package-group/b\"}", "\"ModelPackageGroupStatus\"", "{\"Models\":[]}"];
    let found: Vec<_> = order.iter().filter_map(|part| answered.find(part)).collect();
    assert!(found.len() == 4 && found.is_sorted(), "{answered}");
    assert_eq!(answered.matches("HTTP/1.1 200 OK\r\n").count(), 4, "{answered}");
}

#[tokio::test]
async fn old_clients_are_answered_and_left() {
    let door = Door::open().await;
    let answered = door.exchange(call("ListModels", "1.0", "", 2, "{}").as_bytes()).await;
    assert!(answered.starts_with("HTTP/1.0 200 OK\r\n") && answered.ends_with("\r\n\r\n{\"Models\":[]}"), "{answered}");
}

#[tokio::test]
async fn who_asks_whether_to_go_on_is_told() {
    let door = Door::open().await;
    let mut stream = door.connect().await;
    stream.write_all(call("ListModels", "1.1", "Expect: 100-continue\r\n", 2, "").as_bytes()).await.unwrap();
    assert_eq!(answer(&mut stream).await, "HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(b"{}").await.unwrap();
    assert!(answer(&mut stream).await.starts_with("HTTP/1.1 200 OK\r\n"));
    // Not if nobody wants it.
    let long = call("ListModels", "1.1", "Expect: 100-continue\r\n", 100_000_000, "");
    let answered = door.exchange(long.as_bytes()).await;
    assert!(answered.starts_with("HTTP/1.1 413 Payload Too Large\r\n"), "{answered}");
}

#[tokio::test]
async fn bodies_that_are_too_long_are_refused_in_the_words_of_the_protocol() {
    let door = Door::open().await;
    let long = "x".repeat(9 << 20);
    let json = call("CreatePipeline", "1.1", "", 100_000_000, "");
    let form = format!(
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Type: application/x-www-form-urlencoded\r\nAuthorization: {}\r\n\
         Content-Length: 9437184\r\n\r\n{long}",
        signed_for("iam")
    );
    let cbor = format!(
        "POST /service/GraniteServiceVersion20100801/operation/PutMetricData HTTP/1.1\r\nHost: h\r\nAuthorization: {}\r\n\
         Content-Length: 100000000\r\n\r\n",
        signed_for("monitoring")
    );
    // Its length is not known before it is too long.
    let chunked = list("Transfer-Encoding: chunked\r\n").replace("Content-Length: 2\r\n\r\n{}", "\r\n");
    let chunked = format!("{chunked}{:x}\r\n{long}\r\n", long.len());
    let model = format!(
        "POST /endpoints/e/invocations HTTP/1.1\r\nHost: h\r\nAuthorization: {}\r\nContent-Length: 100000000\r\n\r\n",
        signed_for("sagemaker")
    );
    let too_long = "HTTP content length exceeded 8388608 bytes.";
    let name = "RequestEntityTooLargeException";
    let check = async |sent: &str, parts: &[&str]| {
        // The client is answered although most of what it announces never comes.
        let mut stream = door.connect().await;
        stream.write_all(sent.as_bytes()).await.unwrap();
        let answered = answer(&mut stream).await;
        assert!(answered.starts_with("HTTP/1.1 413 "), "{answered}");
        parts.iter().for_each(|part| assert!(answered.contains(part), "{part}: {answered}"));
    };
    check(&json, &["application/x-amz-json-1.1", name, too_long]).await;
    check(&form, &["<ErrorResponse", &format!("<Code>{name}</Code>"), too_long]).await;
    check(&chunked, &["application/x-amz-json-1.1", name, too_long]).await;
    check(&cbor, &["application/cbor"]).await;
    check(&model, &["HTTP content length exceeded"]).await;
    let calls = door.fake.calls.snapshot();
    let seen: Vec<_> = calls.iter().map(|call| (call.operation.as_str(), call.error.as_deref())).collect();
    let refused = Some(name);
    assert_eq!(seen[..2], [("CreatePipeline", refused), ("", refused)]);
    assert_eq!(seen[2..4], [("ListModels", refused), ("PutMetricData", refused)]);
}

/// The client sends on, and finds the answer when it is done.
#[tokio::test]
async fn whoever_is_refused_may_come_to_the_end_of_his_body() {
    let door = Door::open().await;
    let long = "x".repeat(20 << 20);
    let json = call("CreatePipeline", "1.1", "", long.len(), &long);
    assert!(door.exchange(json.as_bytes()).await.contains("RequestEntityTooLargeException"));
    let put = format!(
        "PUT /no-such-bucket/k HTTP/1.1\r\nHost: h\r\nConnection: close\r\nAuthorization: {}\r\nContent-Length: {}\r\n\r\n{long}",
        signed_for("s3"),
        long.len()
    );
    assert!(door.exchange(put.as_bytes()).await.contains("<Code>NoSuchBucket</Code>"));
}

#[tokio::test]
async fn clients_that_stop_in_the_middle_are_let_go() {
    let door = Door::with(SHORT).await;
    let s3 =
        format!("PUT /b/k HTTP/1.1\r\nHost: h\r\nAuthorization: {}\r\nContent-Length: 9\r\n\r\n", signed_for("s3"));
    let stopped = [
        String::new(),
        "POST / HT".to_owned(),
        "POST / HTTP/1.1\r\nHost: h\r\nX-Am".to_owned(),
        call("ListModels", "1.1", "", 100, "{"),
        call("ListModels", "1.1", "", 100_000_000, "{"),
        list("Transfer-Encoding: chunked\r\n").replace("Content-Length: 2\r\n\r\n{}", "\r\n5\r\nabc"),
        format!(
            "POST /endpoints/e/invocations HTTP/1.1\r\nHost: h\r\nAuthorization: {}\r\nContent-Length: 9\r\n\r\n1",
            signed_for("sagemaker")
        ),
        s3,
    ];
    for sent in stopped {
        let answered = door.exchange(sent.as_bytes()).await;
        let refused = ["", "HTTP/1.1 4"].iter().any(|start| answered.starts_with(start));
        assert!(refused && !answered.starts_with("HTTP/1.1 5"), "{sent}: {answered}");
    }
    // One that has nothing to ask, too.
    let mut idle = door.connect().await;
    idle.write_all(list("").as_bytes()).await.unwrap();
    assert!(answer(&mut idle).await.starts_with("HTTP/1.1 200 OK\r\n"));
    assert_eq!(rest(&mut idle).await, "");
}

/// Its answer does not fit into what lies between, and it reads none of it.
#[tokio::test]
async fn clients_that_do_not_read_are_let_go() {
    let door = Door::with(SHORT).await;
    let authorization = signed_for("s3");
    let signed = [("Authorization", authorization.as_str())];
    let url = door.server.url();
    let here =
        "<CreateBucketConfiguration><LocationConstraint>eu-west-1</LocationConstraint></CreateBucketConfiguration>";
    assert_eq!(raw(url, "PUT /slow-readers", &signed, here).await.status, 200);
    assert_eq!(raw(url, "PUT /slow-readers/k", &signed, &"x".repeat(16 << 20)).await.status, 200);
    let mut stream = door.connect().await;
    let get = format!("GET /slow-readers/k HTTP/1.1\r\nHost: h\r\nAuthorization: {authorization}\r\n\r\n");
    stream.write_all(get.as_bytes()).await.unwrap();
    // The server stops when the connection has ended, and not before.
    let Door { server, .. } = door;
    tokio::time::timeout(Duration::from_secs(4), server.stop()).await.expect("the connection is given up");
    assert!(rest(&mut stream).await.len() < 16 << 20);
}

#[tokio::test]
async fn hundreds_may_be_idle() {
    let door = Door::open().await;
    let mut idle = Vec::new();
    for _ in 0..400 {
        idle.push(door.connect().await);
    }
    assert!(door.exchange(list("Connection: close\r\n").as_bytes()).await.starts_with("HTTP/1.1 200 OK\r\n"));
    for stream in &mut idle {
        stream.write_all(list("").as_bytes()).await.unwrap();
    }
    for stream in &mut idle {
        assert!(answer(stream).await.starts_with("HTTP/1.1 200 OK\r\n"));
    }
}

#[tokio::test]
async fn what_is_no_request_is_refused_or_hung_up_on() {
    let door = Door::open().await;
    let long = "a".repeat(100_000);
    for sent in [
        "\r\n\r\n\r\n",
        "hello\r\n\r\n",
        "GET\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: 99999999999999999999999\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
        "GET / HTTP/1.1\r\nno colon\r\n\r\n",
        "GET /\u{0} HTTP/1.1\r\n\r\n",
        "CONNECT a:1 HTTP/1.1\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nConnection: close\r\n\r\n",
        "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}\u{0}",
        &format!("GET /{long} HTTP/1.1\r\n\r\n"),
        &format!("GET / HTTP/1.1\r\nA: {long}\r\n\r\n"),
        &format!("GET / HTTP/1.1\r\n{}\r\n", "A: b\r\n".repeat(1000)),
    ] {
        let mut stream = door.connect().await;
        _ = stream.write_all(sent.as_bytes()).await;
        // The client has nothing more to say.
        _ = stream.shutdown().await;
        let answered = rest(&mut stream).await;
        // An operation that S3 does not have is a 501.
        let refused = ["HTTP/1.1 4", "HTTP/1.1 501 "].iter().any(|start| answered.starts_with(start));
        assert!(answered.is_empty() || refused, "{sent:.60}: {answered}");
    }
    assert!(door.exchange(list("Connection: close\r\n").as_bytes()).await.starts_with("HTTP/1.1 200 OK\r\n"));
}

#[tokio::test]
async fn a_stop_waits_for_who_is_being_answered() {
    let door = Door::open().await;
    let mut idle = door.connect().await;
    let mut busy = door.connect().await;
    busy.write_all(list("Expect: 100-continue\r\n").strip_suffix("{}").unwrap().as_bytes()).await.unwrap();
    // It is being answered.
    assert!(answer(&mut busy).await.starts_with("HTTP/1.1 100 "));
    let Door { server, .. } = door;
    let address = server.url().trim_start_matches("http://").to_owned();
    let stopped = tokio::spawn(server.stop());
    assert_eq!(rest(&mut idle).await, "");
    assert!(TcpStream::connect(address).await.is_err());
    busy.write_all(b"{}").await.unwrap();
    assert!(rest(&mut busy).await.starts_with("HTTP/1.1 200 OK\r\n"));
    stopped.await.unwrap();
}

#[tokio::test]
async fn a_server_that_is_dropped_hangs_up() {
    let fake = Fake::builder().build().unwrap();
    let server = serve(&fake, TcpListener::bind("127.0.0.1:0").await.unwrap(), Checked::No).unwrap();
    let mut stream = TcpStream::connect(server.url().trim_start_matches("http://")).await.unwrap();
    stream.write_all(list("").as_bytes()).await.unwrap();
    assert!(answer(&mut stream).await.starts_with("HTTP/1.1 200 OK\r\n"));
    drop(server);
    assert_eq!(rest(&mut stream).await, "");
}
