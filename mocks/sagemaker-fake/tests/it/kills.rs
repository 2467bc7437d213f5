//! Kills at any moment: nothing that was acknowledged is lost, nothing is half done, and the next start succeeds.
//!
//! The real program serves a state folder, four clients write to it, and it is killed in the middle, again and again. What
//! a client asks for in which turn is fixed, so that the number of turns that were acknowledged says what must be there.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use crate::clients::{arn, signed_for};

const BUCKET: &str = "sts-kills";
const SHARED: &str = "shared";

#[test]
fn ten_kills_lose_nothing() {
    survive(10, 1);
}

/// Takes a minute: `cargo test -p sagemaker-fake --test it -- --ignored kills`.
#[test]
#[ignore = "takes a minute; ten kills are tried every time"]
fn a_hundred_kills_lose_nothing() {
    survive(100, 2);
}

fn survive(kills: usize, seed: u64) {
    let mut random = fastrand::Rng::with_seed(seed);
    let folder = tempfile::tempdir().unwrap();
    let mut writers: Vec<_> = (0..4).map(|number| Writer { number, done: 0, checked: 0 }).collect();
    let fake = Process::start(folder.path());
    prepare(&mut fake.client().unwrap());
    drop(fake);
    for _ in 0..kills {
        if random.u8(..4) == 0 {
            // Somewhere in the middle of starting.
            let starting = Process(Process::spawn(folder.path()), String::new());
            (0..random.usize(..20_000)).for_each(|_| std::thread::yield_now());
            drop(starting);
        }
        let fake = Process::start(folder.path());
        let mut client = fake.client().unwrap();
        for writer in &mut writers {
            writer.check(&mut client);
        }
        let left = AtomicUsize::new(random.usize(1..100));
        let (fake, left) = (std::sync::Mutex::new(Some(fake)), &left);
        std::thread::scope(|scope| {
            for writer in &mut writers {
                let mut client = fake.lock().unwrap().as_ref().map(|fake| fake.client().unwrap()).unwrap();
                let fake = &fake;
                scope.spawn(move || {
                    while writer.write(&mut client).is_ok() {
                        if left.fetch_sub(1, Ordering::SeqCst) == 1 {
                            drop(fake.lock().unwrap().take());
                        }
                    }
                });
            }
        });
    }
    let fake = Process::start(folder.path());
    let mut client = fake.client().unwrap();
    for writer in &mut writers {
        assert!(writer.done > 0);
        writer.checked = 0;
        writer.check(&mut client);
    }
}

/// Before anything is killed.
fn prepare(client: &mut Client) {
    let here =
        "<CreateBucketConfiguration><LocationConstraint>eu-west-1</LocationConstraint></CreateBucketConfiguration>";
    assert_eq!(client.send("s3", "PUT", &format!("/{BUCKET}"), "", here).unwrap().0, 200);
    let made = client.call("CreateModelPackageGroup", json!({"ModelPackageGroupName": SHARED})).unwrap();
    assert_eq!(made.0, 200, "{}", made.1);
}

/// A client that writes, one turn after the other, and knows how many were acknowledged.
struct Writer {
    number: usize,
    /// The turns that were acknowledged. The one after them may have been done as well.
    done: usize,
    /// The turns that have been looked for after they were acknowledged.
    checked: usize,
}

impl Writer {
    fn group(&self, turn: usize) -> String {
        format!("group-{}-{turn}", self.number)
    }

    fn new_object(&self, turn: usize) -> String {
        format!("/{BUCKET}/new/{}/{turn}", self.number)
    }

    fn same_object(&self) -> String {
        format!("/{BUCKET}/same/{}", self.number)
    }

    /// From a few bytes to a few blocks.
    fn content(&self, turn: usize) -> String {
        format!("{} in turn {turn} ", self.number).repeat(1 + turn * turn % 3000)
    }

    /// Takes the next turn.
    ///
    /// # Errors
    /// When the fake is gone before it answers.
    fn write(&mut self, client: &mut Client) -> io::Result<()> {
        let turn = self.done;
        let (status, said) = match turn % 4 {
            0 => {
                let tags = json!([{"Key": "turn", "Value": turn.to_string()}]);
                let input = json!({"ModelPackageGroupName": self.group(turn), "Tags": tags});
                client.call("CreateModelPackageGroup", input)?
            }
            1 => client.send("s3", "PUT", &self.new_object(turn), "", &self.content(turn))?,
            2 => {
                let tags = json!([{"Key": format!("writer-{}", self.number), "Value": turn.to_string()}]);
                let group = arn(&format!("model-package-group/{SHARED}"));
                client.call("AddTags", json!({"ResourceArn": group, "Tags": tags}))?
            }
            _ => client.send("s3", "PUT", &self.same_object(), "", &self.content(turn))?,
        };
        // The turn may have been taken before the kill, unacknowledged.
        assert!(status == 200 || said.contains("already exists"), "{status} {said}");
        self.done += 1;
        Ok(())
    }

    /// Looks for all that was acknowledged, and that what was not is there as a whole or not at all.
    fn check(&mut self, client: &mut Client) {
        for turn in self.checked..=self.done {
            let must = turn < self.done;
            match turn % 4 {
                0 => {
                    let name = json!({"ModelPackageGroupName": self.group(turn)});
                    let there = client.call("DescribeModelPackageGroup", name).unwrap().0 == 200;
                    assert!(there || !must, "{} is lost", self.group(turn));
                    let expected = there.then(|| turn.to_string());
                    assert_eq!(client.tag(&self.group(turn), "turn"), expected, "{} is half done", self.group(turn));
                }
                1 => {
                    let (status, content) = client.send("s3", "GET", &self.new_object(turn), "", "").unwrap();
                    let whole = status == 200 && content == self.content(turn);
                    assert!(whole || (!must && status == 404), "{} is lost: {status}", self.new_object(turn));
                }
                _ => {}
            }
        }
        self.checked = self.done;
        // What is written over: the last turn that was acknowledged, or the one after it.
        let last = |kind: usize| (0..self.done).rev().find(|turn| turn % 4 == kind);
        let next = |kind: usize| Some(self.done).filter(|turn| turn % 4 == kind);
        let tag = client.tag(SHARED, &format!("writer-{}", self.number)).map(|turn| turn.parse().unwrap());
        assert!(tag == last(2) || tag.is_some() && tag == next(2), "the tag is of turn {tag:?} of {}", self.done);
        let (status, content) = client.send("s3", "GET", &self.same_object(), "", "").unwrap();
        let content = (status == 200).then_some(content);
        let of = |turn: Option<usize>| turn.map(|turn| self.content(turn));
        assert!(
            content == of(last(3)) || content.is_some() && content == of(next(3)),
            "{} is lost",
            self.same_object()
        );
    }
}

/// The fake as a program, killed when this is dropped.
struct Process(Child, String);

impl Process {
    fn spawn(folder: &Path) -> Child {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sagemaker-fake"));
        command.args(["serve", "--port", "0", "--output", "json", "--state"]).arg(folder);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
    }

    /// Waits until it says that it answers.
    fn start(folder: &Path) -> Self {
        let mut child = Self::spawn(folder);
        let mut ready = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut ready).unwrap();
        let ready: Value = serde_json::from_str(&ready).expect("a start fails");
        Self(child, ready["endpoint_url"].as_str().unwrap().trim_start_matches("http://").to_owned())
    }

    fn client(&self) -> io::Result<Client> {
        TcpStream::connect(&self.1).map(|stream| Client(BufReader::new(stream)))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

/// A connection that is kept.
struct Client(BufReader<TcpStream>);

impl Client {
    fn call(&mut self, operation: &str, input: Value) -> io::Result<(u16, String)> {
        let target = format!("X-Amz-Target: SageMaker.{operation}\r\n");
        self.send("sagemaker", "POST", "/", &target, &input.to_string())
    }

    fn tag(&mut self, group: &str, key: &str) -> Option<String> {
        let group = arn(&format!("model-package-group/{group}"));
        let (status, tags) = self.call("ListTags", json!({"ResourceArn": group, "MaxResults": 50})).unwrap();
        let tags: Value = serde_json::from_str(&tags).ok().filter(|_| status == 200)?;
        let tag = tags["Tags"].as_array()?.iter().find(|tag| tag["Key"] == key)?;
        tag["Value"].as_str().map(str::to_owned)
    }

    /// The status and the body of the answer.
    fn send(&mut self, service: &str, method: &str, path: &str, more: &str, body: &str) -> io::Result<(u16, String)> {
        let signed = signed_for(service);
        let head = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: {signed}\r\n{more}");
        self.0.get_mut().write_all(format!("{head}Content-Length: {}\r\n\r\n{body}", body.len()).as_bytes())?;
        let gone = || io::Error::from(io::ErrorKind::UnexpectedEof);
        let (mut status, mut length) = (None, 0);
        loop {
            let mut line = String::new();
            self.0.read_line(&mut line)?;
            match line.trim_end().split_once(' ') {
                Some((version, rest)) if version.starts_with("HTTP/") => {
                    status = rest.get(..3).and_then(|s| s.parse().ok());
                }
                Some((name, value)) if name.eq_ignore_ascii_case("content-length:") => length = value.parse().unwrap(),
                Some(_) => {}
                None if line == "\r\n" => break,
                None => return Err(gone()),
            }
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body)?;
        Ok((status.ok_or_else(gone)?, String::from_utf8(body).unwrap()))
    }
}
