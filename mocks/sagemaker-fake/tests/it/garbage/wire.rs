//! Requests that were damaged on their way: an answer of HTTP's shape, or the end of the connection.

use std::sync::Arc;

use proptest::prelude::*;
use sagemaker_fake::Fake;
use sagemaker_fake::doors::http::serve;
use sagemaker_fake::protocol::Checked;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::runner;
use crate::clients::signed_for;

/// Requests that are right, some of them several in a row.
fn right() -> Vec<Vec<u8>> {
    let request = |line: &str, service: &str, more: &str, body: &str| {
        let signed = signed_for(service);
        format!("{line} HTTP/1.1\r\nHost: localhost\r\nAuthorization: {signed}\r\n{more}\r\n{body}")
    };
    let sized = |body: &str| format!("Content-Length: {}\r\n", body.len());
    let create = r#"{"ModelPackageGroupName":"g"}"#;
    let target = "X-Amz-Target: SageMaker.CreateModelPackageGroup\r\n";
    let json = request("POST /", "sagemaker", &format!("{target}{}", sized(create)), create);
    let chunked = format!("{target}Transfer-Encoding: chunked\r\n");
    let chunked =
        request("POST /", "sagemaker", &chunked, &format!("{:x}\r\n{create}\r\n0\r\nA: b\r\n\r\n", create.len()));
    let form = "Action=GetCallerIdentity&Version=2011-06-15";
    let form =
        request("POST /", "sts", &format!("Content-Type: application/x-www-form-urlencoded\r\n{}", sized(form)), form);
    let aws_chunked = "5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n";
    let put = "x-amz-content-sha256: STREAMING-UNSIGNED-PAYLOAD-TRAILER\r\nx-amz-decoded-content-length: 5\r\nExpect: 100-continue\r\n";
    let put = request("PUT /b/k", "s3", &format!("{put}{}", sized(aws_chunked)), aws_chunked);
    let get = request("GET /b/k?partNumber=1", "s3", "Range: bytes=0-3\r\n", "");
    let own = request("GET /_stsmm/clock", "", "", "");
    let invoke = request("POST /endpoints/e/invocations", "sagemaker", &sized("1,2"), "1,2");
    let old = json.replace("HTTP/1.1", "HTTP/1.0");
    let all = [json.as_str(), &form, &get, &chunked, &own].concat();
    [json, chunked, form, put, get, own, invoke, old, all].map(String::into_bytes).to_vec()
}

#[derive(Debug, Clone)]
enum Damage {
    Byte(u8),
    Cut,
    Inserted(Vec<u8>),
    Doubled,
    LineLost,
}

fn damage() -> impl Strategy<Value = Damage> {
    prop_oneof![
        any::<u8>().prop_map(Damage::Byte),
        Just(Damage::Cut),
        proptest::collection::vec(any::<u8>(), 1..20).prop_map(Damage::Inserted),
        Just(Damage::Inserted(b"\r\n\r\n".to_vec())),
        Just(Damage::Inserted(vec![b'9'; 30])),
        Just(Damage::Doubled),
        Just(Damage::LineLost),
    ]
}

fn damaged(mut bytes: Vec<u8>, wounds: Vec<(proptest::sample::Index, Damage)>) -> Vec<u8> {
    for (at, damage) in wounds {
        if bytes.is_empty() {
            break;
        }
        let at = at.index(bytes.len());
        match damage {
            Damage::Byte(byte) => bytes[at] = byte,
            Damage::Cut => bytes.truncate(at),
            Damage::Inserted(more) => drop(bytes.splice(at..at, more)),
            Damage::Doubled => bytes.extend_from_within(at..),
            Damage::LineLost => {
                let end =
                    bytes[at..].iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |length| at + length + 1);
                bytes.drain(at..end);
            }
        }
    }
    bytes
}

#[test]
fn damaged_requests_are_answered_or_hung_up_on() {
    let tokio = tokio::runtime::Runtime::new().unwrap();
    let fake = tokio.block_on(async { Fake::builder().build().unwrap() });
    let server =
        tokio.block_on(async { serve(&fake, TcpListener::bind("127.0.0.1:0").await.unwrap(), Checked::Yes).unwrap() });
    let address: Arc<str> = server.url().trim_start_matches("http://").into();
    let exchange = |sent: Vec<u8>, split: usize| {
        let address = Arc::clone(&address);
        tokio.block_on(async move {
            let mut stream = TcpStream::connect(&*address).await.unwrap();
            let (first, second) = sent.split_at(split.min(sent.len()));
            // It may have hung up already.
            _ = stream.write_all(first).await;
            _ = stream.write_all(second).await;
            _ = stream.shutdown().await;
            let mut answer = Vec::new();
            _ = stream.read_to_end(&mut answer).await;
            String::from_utf8_lossy(&answer).into_owned()
        })
    };
    let wounds = proptest::collection::vec((any::<proptest::sample::Index>(), damage()), 1..4);
    let cases = (proptest::sample::select(right()), wounds, 0..600_usize);
    let tried = runner(600).run(&cases, |(request, wounds, split)| {
        let sent = damaged(request, wounds);
        let answer = exchange(sent.clone(), split);
        prop_assert!(
            answer.is_empty() || answer.starts_with("HTTP/1."),
            "{:?}: {}",
            String::from_utf8_lossy(&sent),
            answer
        );
        let failed = ["HTTP/1.1 500", "HTTP/1.0 500", "panicked"].iter().any(|sign| answer.contains(sign));
        prop_assert!(!failed, "{:?}: {}", String::from_utf8_lossy(&sent), answer);
        Ok(())
    });
    tried.unwrap_or_else(|error| panic!("{error}"));
    // Undamaged, they are understood.
    for request in right() {
        let answer = exchange(request, 10);
        assert!(["200", "400", "404", "100"].iter().any(|status| answer.get(9..12) == Some(status)), "{answer}");
    }
}
