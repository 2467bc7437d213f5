use std::{
    future::poll_fn,
    pin::Pin,
    sync::OnceLock,
    task::{Context, Poll},
    time::Duration,
};

use http_body_util::{BodyExt, Full};
use hyper::{
    Request, StatusCode,
    body::{Body, Bytes, Frame},
    header,
};
use sts_model::{features, pairs::Pair, rows, sample};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::oneshot,
};

use super::{
    handler::{Handler, MAX_BODY, MAX_LARGE},
    *,
};

fn artifact() -> Artifact {
    static ARTIFACT: OnceLock<Artifact> = OnceLock::new();
    ARTIFACT.get_or_init(|| sample::model(200)).clone()
}

fn loaded() -> Handler {
    let handler = Handler::new();
    handler.load(artifact());
    handler
}

async fn send(handler: Handler, headers: &[(&str, &str)], body: impl Into<Bytes>) -> (StatusCode, String, String) {
    let mut request = Request::post("/invocations");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = handler.answer(request.body(Full::new(body.into())).unwrap()).await;
    let (head, body) = response.into_parts();
    let content_type = head.headers.get(header::CONTENT_TYPE).map_or("", |value| value.to_str().unwrap());
    let body = body.collect().await.unwrap().to_bytes();
    (head.status, content_type.to_owned(), String::from_utf8(body.to_vec()).unwrap())
}

/// A request without a body.
fn bare(method: &str, path: &str) -> Request<Full<Bytes>> {
    Request::builder().method(method).uri(path).body(Full::default()).unwrap()
}

/// A row of features of a pair of the sample.
fn features_of(pair: &Pair) -> [f64; features::COUNT] {
    features::extract(&pair.sentence1, &pair.sentence2, &artifact().vocabulary)
}

fn csv_of(pairs: &[Pair]) -> String {
    let mut csv = String::new();
    pairs.iter().for_each(|pair| rows::write(&mut csv, &features_of(pair)));
    csv
}

fn json_of(pairs: &[Pair]) -> String {
    let line =
        |pair: &Pair| serde_json::json!({"sentence1": pair.sentence1, "sentence2": pair.sentence2}).to_string() + "\n";
    pairs.iter().map(line).collect()
}

#[tokio::test]
async fn ping_waits_for_the_model() {
    async fn check(handler: Handler, expected: StatusCode) {
        let response = handler.answer(bare("GET", "/ping")).await;
        assert_eq!(response.status(), expected);
        assert!(response.into_body().collect().await.unwrap().to_bytes().is_empty());
    }
    check(loaded(), StatusCode::OK).await;
    check(Handler::new(), StatusCode::SERVICE_UNAVAILABLE).await;

    let (status, _, reason) = send(Handler::new(), &[("content-type", "text/csv")], "1").await;
    assert_eq!((status, reason.as_str()), (StatusCode::SERVICE_UNAVAILABLE, "the model is not loaded yet\n"));
}

#[tokio::test]
async fn features_and_pairs_get_the_same_answers() {
    let pairs = &sample::pairs(230)[200..];
    let predictions: Vec<_> = pairs.iter().map(|pair| artifact().predict(&features_of(pair))).collect();
    assert!(predictions.iter().any(|prediction| prediction.label));
    assert!(predictions.iter().any(|prediction| !prediction.label));
    let csv: Vec<_> = predictions.iter().map(|p| format!("{},{}", u8::from(p.label), p.probability)).collect();
    let json: Vec<_> = predictions
        .iter()
        .map(|p| format!(r#"{{"prediction":{},"probability":{}}}"#, u8::from(p.label), p.probability))
        .collect();
    for (content_type, body) in [("text/csv", csv_of(pairs)), ("application/jsonlines", json_of(pairs))] {
        let ask =
            async |accept| send(loaded(), &[("content-type", content_type), ("accept", accept)], body.clone()).await;
        assert_eq!(ask("text/csv").await, (StatusCode::OK, "text/csv".to_owned(), csv.join("\n")));
        let expected = (StatusCode::OK, "application/jsonlines".to_owned(), json.join("\n"));
        assert_eq!(ask("application/jsonlines").await, expected);
    }
}

#[tokio::test]
async fn media_types() {
    async fn check(content_type: Option<&str>, accept: Option<&str>, expected: Result<&str, StatusCode>) {
        let pair = &sample::pairs(1);
        let is_json = content_type.is_some_and(|content_type| content_type.contains("json"));
        let body = if is_json { json_of(pair) } else { csv_of(pair) };
        let headers: Vec<_> = content_type
            .map(|value| ("content-type", value))
            .into_iter()
            .chain(accept.map(|value| ("accept", value)))
            .collect();
        let (status, media_type, reason) = send(loaded(), &headers, body).await;
        let found = if status == StatusCode::OK { Ok(media_type.as_str()) } else { Err(status) };
        assert_eq!(found, expected, "{content_type:?} {accept:?}: {reason}");
    }
    const CSV: Option<&str> = Some("text/csv");
    const JSON: Option<&str> = Some("application/jsonlines");
    check(CSV, None, Ok("text/csv")).await;
    check(JSON, None, Ok("text/csv")).await;
    check(Some("text/csv; charset=utf-8; label_size=0"), None, Ok("text/csv")).await;
    check(Some("TEXT/CSV"), None, Ok("text/csv")).await;
    check(Some("application/jsonlines;charset=UTF-8"), None, Ok("text/csv")).await;
    check(Some("application/json"), None, Err(StatusCode::UNSUPPORTED_MEDIA_TYPE)).await;
    check(Some("application/x-www-form-urlencoded"), None, Err(StatusCode::UNSUPPORTED_MEDIA_TYPE)).await;
    check(Some(""), None, Err(StatusCode::UNSUPPORTED_MEDIA_TYPE)).await;
    check(None, None, Err(StatusCode::UNSUPPORTED_MEDIA_TYPE)).await;
    check(CSV, Some(""), Ok("text/csv")).await;
    check(CSV, Some("*/*"), Ok("text/csv")).await;
    check(CSV, Some("text/*"), Ok("text/csv")).await;
    check(CSV, Some("application/*"), Ok("application/jsonlines")).await;
    check(CSV, Some("Application/JsonLines; charset=utf-8"), Ok("application/jsonlines")).await;
    check(CSV, Some("application/jsonlines, */*;q=0.1"), Ok("application/jsonlines")).await;
    check(CSV, Some("text/csv;q=0.2, application/jsonlines;q=0.9"), Ok("application/jsonlines")).await;
    check(CSV, Some("text/csv;q=0, */*"), Ok("application/jsonlines")).await;
    check(CSV, Some("image/png, text/csv"), Ok("text/csv")).await;
    check(CSV, Some("application/json"), Err(StatusCode::NOT_ACCEPTABLE)).await;
    check(CSV, Some("text/csv;q=0"), Err(StatusCode::NOT_ACCEPTABLE)).await;
}

#[tokio::test]
async fn bad_requests_get_a_reason() {
    async fn check(content_type: &str, body: impl Into<Bytes>, status: StatusCode, reason: &str) {
        let found = send(loaded(), &[("content-type", content_type)], body).await;
        assert_eq!((found.0, found.2.trim_end()), (status, reason));
    }
    const COUNT: usize = features::COUNT;
    const BAD: StatusCode = StatusCode::BAD_REQUEST;
    // A row of zeros but for one column, counted from 1.
    let row = |column: usize, value: &str| {
        (1..=COUNT).map(|own| if own == column { value } else { "0" }).collect::<Vec<_>>().join(",") + "\n"
    };
    let good = row(1, "0.5");
    let csv = async |body: String, reason: &str| check("text/csv", body, BAD, reason).await;
    csv(String::new(), "the body is empty").await;
    csv("\n".to_owned(), "row 1: is blank").await;
    csv(format!("{good}\n{good}"), "row 2: is blank").await;
    csv("0,1".to_owned(), &format!("row 1: 2 columns, expected {COUNT}")).await;
    csv(format!("{good}1,{good}"), &format!("row 2: {} columns, expected {COUNT}", COUNT + 1)).await;
    csv(good.clone() + &row(3, "many"), "row 2, column 3: \"many\" is not a number").await;
    csv(row(4, ""), "row 1, column 4: \"\" is not a number").await;
    csv(row(2, "NaN"), "row 1, column 2: NaN is not finite").await;
    csv(row(5, "-inf"), "row 1, column 5: -inf is not finite").await;
    csv(row(5, "1e999"), "row 1, column 5: inf is not finite").await;
    let huge = (1..=COUNT).map(|column| if column % 2 == 0 { "1e308" } else { "-1e308" }).collect::<Vec<_>>().join(",");
    csv(huge, "row 1: the features are so large that the model has no probability for them").await;
    csv("x".repeat(rows::MAX_ROW + 1), &format!("row 1: longer than {} bytes", rows::MAX_ROW)).await;
    check("text/csv", &b"0,\xff\n"[..], BAD, "row 1: is not UTF-8 text").await;

    let json = async |body: &'static str, reason: &str| check("application/jsonlines", body, BAD, reason).await;
    let object = r#"expected an object such as {"sentence1": "...", "sentence2": "..."}"#;
    json("", "the body is empty").await;
    json("\r\n", "row 1: is blank").await;
    json(r#"{"sentence1": "a"}"#, "row 1, column 18: missing field `sentence2`").await;
    json("{\"sentence1\": \"a\", \"sentence2\": \"b\"}\n{]\n", "row 2, column 2: key must be a string").await;
    json(r#"{"sentence1": "a", "sentence2": 2}"#, "row 1, column 33: invalid type: integer `2`, expected a string")
        .await;
    json(
        r#"{"sentence1": "a", "sentence2": "b", "label": 1}"#,
        "row 1, column 44: unknown field `label`, expected `sentence1` or `sentence2`",
    )
    .await;
    json(r#"["a", "b"]"#, &format!("row 1, column 1: {object}")).await;
    json("0.5,0.5", &format!("row 1, column 1: {object}")).await;
    let not_utf8 = &b"{\"sentence1\": \"\xe9\", \"sentence2\": \"b\"}"[..];
    check("application/jsonlines", not_utf8, BAD, "row 1, column 16: is not UTF-8 text").await;

    let too_large = StatusCode::PAYLOAD_TOO_LARGE;
    check("text/csv", vec![b'0'; MAX_BODY + 1], too_large, "the body is larger than 6291456 bytes").await;
    // The largest body that is read is refused for what it is.
    let reason = format!("row 1: longer than {} bytes", rows::MAX_ROW);
    check("text/csv", vec![b'0'; MAX_BODY], BAD, &reason).await;
}

#[tokio::test]
async fn other_requests_are_refused() {
    let status = async |method, path| loaded().answer(bare(method, path)).await.status();
    assert_eq!(status("GET", "/").await, StatusCode::NOT_FOUND);
    assert_eq!(status("GET", "/invocations").await, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(status("POST", "/ping").await, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(status("HEAD", "/ping").await, StatusCode::OK);
}

/// A body of unknown length, which arrives when somebody sends it.
struct Late(oneshot::Receiver<Bytes>);

impl Body for Late {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if self.0.is_terminated() {
            return Poll::Ready(None);
        }
        Pin::new(&mut self.0).poll(context).map(|sent| Some(sent.map(Frame::data).map_err(std::io::Error::other)))
    }
}

/// What does not fit is refused before its body has arrived; the others are answered in the end.
#[tokio::test]
async fn too_many_large_requests_are_refused() {
    let handler = &loaded();
    let late = || {
        let (send, body) = oneshot::channel();
        let request = Request::post("/invocations").header("content-type", "text/csv").body(Late(body)).unwrap();
        (send, Box::pin(handler.answer(request)))
    };
    let mut waiting: Vec<_> = (0..MAX_LARGE).map(|_| late()).collect();
    for (_, answer) in &mut waiting {
        let is_pending = poll_fn(|context| Poll::Ready(answer.as_mut().poll(context).is_pending())).await;
        assert!(is_pending);
    }
    let refused = late().1.await;
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(refused.headers()[header::RETRY_AFTER], "1");
    // Small requests are no part of this.
    let row = csv_of(&sample::pairs(1));
    let small = Request::post("/invocations").header("content-type", "text/csv");
    assert_eq!(handler.answer(small.body(Full::<Bytes>::from(row.clone())).unwrap()).await.status(), StatusCode::OK);
    for (send, answer) in waiting {
        send.send(Bytes::from(row.clone())).unwrap();
        assert_eq!(answer.await.status(), StatusCode::OK);
    }
    let (send, answer) = late();
    send.send(Bytes::from(row)).unwrap();
    assert_eq!(answer.await.status(), StatusCode::OK);
}

/// Reads until the answer holds a text. The peer closes the connection if that never comes.
async fn read_until(connection: &mut TcpStream, wanted: &str) -> String {
    let mut answer = Vec::new();
    while !String::from_utf8_lossy(&answer).contains(wanted) {
        assert_ne!(connection.read_buf(&mut answer).await.unwrap(), 0, "{}", String::from_utf8_lossy(&answer));
    }
    String::from_utf8(answer).unwrap()
}

#[tokio::test]
async fn on_a_socket_what_was_accepted_is_answered() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let server = tokio::spawn(server::serve(listener, Arc::new(loaded()), async { drop(stopped.await) }));

    // Two requests on one connection.
    let mut connection = TcpStream::connect(address).await.unwrap();
    for _ in 0..2 {
        connection.write_all(b"GET /ping HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
        let answer = read_until(&mut connection, "\r\n\r\n").await;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.contains("content-length: 0\r\n"), "{answer}");
    }
    // A request that is under way when the server is told to stop. That it is under way, the server says itself.
    let body = csv_of(&sample::pairs(3));
    let head = format!(
        "POST /invocations HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/csv\r\nContent-Length: {}\r\nExpect: 100-continue\r\n\r\n",
        body.len()
    );
    connection.write_all(head.as_bytes()).await.unwrap();
    read_until(&mut connection, "HTTP/1.1 100 Continue\r\n\r\n").await;
    stop.send(()).unwrap();
    // The server has stopped listening when nobody can connect any more.
    while TcpStream::connect(address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    connection.write_all(body.as_bytes()).await.unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    let predictions = answer.split_once("\r\n\r\n").unwrap().1;
    assert_eq!(predictions.lines().count(), 3, "{answer}");
    tokio::time::timeout(Duration::from_secs(60), server).await.expect("the server ends").unwrap().unwrap();
}

#[test]
fn listens_where_sagemaker_says_and_outside_of_a_container_to_nobody_else() {
    fn check(root: &str, port: Option<&str>, expected: &str) {
        let address = address(&OptMl::new(root.into()), port);
        assert_eq!(address.map_or_else(|error| error.to_string(), |address| address.to_string()), expected);
    }
    check("", None, "0.0.0.0:8080");
    check("/opt/ml", Some("8081"), "0.0.0.0:8081");
    check("/tmp/job/opt/ml", None, "127.0.0.1:8080");
    check("/tmp/job/opt/ml", Some("31000"), "127.0.0.1:31000");
    check("", Some("http"), "SAGEMAKER_BIND_TO_PORT is \"http\", which is no port");
}
