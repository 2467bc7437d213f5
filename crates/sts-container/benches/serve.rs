//! `serve` asked over one kept connection, one request after the other: how long an answer takes that nobody else waits
//! for. What it does under load is measured by `cargo xtask bench`.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
};

use criterion::Criterion;
use sts_model::{features, logistic::Params, pairs::Pair, rows, sample, validation};

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    benches(&mut criterion);
    criterion.final_summary();
}

fn benches(criterion: &mut Criterion) {
    let pairs = sample::pairs(300);
    let params = Params::default().check().expect("the defaults can be used");
    let model = validation::fit(pairs.iter(), params).expect("the sample can be fitted to");
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::create_dir(folder.path().join("model")).expect("a folder in it");
    fs::write(folder.path().join("model/model.json"), model.to_json()).expect("a file in that");
    let (mut server, address) = start(folder.path());

    let mut csv = String::new();
    for Pair { sentence1, sentence2, .. } in &pairs[..100] {
        rows::write(&mut csv, &features::extract(sentence1, sentence2, &model.vocabulary));
    }
    let row = csv.lines().next().expect("there are rows");
    let Pair { sentence1, sentence2, .. } = &pairs[0];
    let json = serde_json::json!({"sentence1": sentence1, "sentence2": sentence2}).to_string();
    let mut connection = BufReader::new(TcpStream::connect(address).expect("the server listens"));
    let mut group = criterion.benchmark_group("serve");
    for (name, content_type, body) in [
        ("a row of features", "text/csv", row),
        ("a pair", "application/jsonlines", &json),
        ("100 rows of features", "text/csv", &csv),
    ] {
        let length = body.len();
        let request = format!(
            "POST /invocations HTTP/1.1\r\nHost: localhost\r\nContent-Type: {content_type}\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        group.bench_function(name, |b| b.iter(|| ask(&mut connection, &request)));
    }
    group.finish();
    server.kill().and_then(|()| server.wait()).expect("the server can be ended");
}

/// Starts the server and waits for its model.
fn start(folder: &Path) -> (Child, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sts-container"));
    command.args(["serve", "--listen", "127.0.0.1:0"]).env("STSMM_OPT_ML", folder).stdout(Stdio::piped());
    let mut server = command.spawn().expect("the program runs");
    let mut log = BufReader::new(server.stdout.take().expect("it is piped")).lines().map_while(Result::ok);
    let address = log.next().and_then(|line| line.strip_prefix("listening on ").map(str::to_owned));
    assert!(log.next().is_some_and(|line| line.starts_with("model of ")), "the model is not loaded");
    (server, address.expect("it says where it listens"))
}

fn ask(connection: &mut BufReader<TcpStream>, request: &str) -> usize {
    connection.get_mut().write_all(request.as_bytes()).expect("the request is sent");
    let (mut line, mut length) = (String::new(), 0);
    connection.read_line(&mut line).expect("an answer comes");
    assert!(line.starts_with("HTTP/1.1 200 "), "{line}");
    while line != "\r\n" {
        line.clear();
        connection.read_line(&mut line).expect("it goes on");
        if let Some(value) = line.strip_prefix("content-length: ") {
            length = value.trim().parse().expect("a number");
        }
    }
    let mut body = vec![0; length];
    connection.read_exact(&mut body).expect("its body follows");
    body.len()
}
