//! The other end: how a process asks the one that serves a state.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use http::Method;
use serde_json::Value;

use super::PREFIX;

/// How long a process on this machine may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long it may take to put an account in place of another, or into an archive.
const LONG_PATIENCE: Duration = Duration::from_secs(600);

/// Asks the fake at `url`, e.g. `GET` `state`. Blocks for ten seconds at most.
///
/// # Errors
/// When nobody answers there, or it is no fake that does, or it refuses: then the error says why.
pub fn ask(url: &str, method: &Method, what: &str) -> io::Result<Value> {
    let (mut head, _) = Connection::open(url, PATIENCE)?.send(method, what, 0, io::empty())?;
    head.json()
}

/// The same, with something to tell it.
///
/// # Errors
/// Those of [`ask`].
pub fn tell(url: &str, method: &Method, what: &str, told: &Value) -> io::Result<Value> {
    let told = told.to_string();
    let (mut answer, _) = Connection::open(url, PATIENCE)?.send(method, what, told.len() as u64, told.as_bytes())?;
    answer.json()
}

/// Sends the fake at `url` what is in a file. Blocks for minutes at most.
///
/// # Errors
/// Those of [`ask`], or the file cannot be read.
pub fn upload(url: &str, method: &Method, what: &str, file: &File) -> io::Result<Value> {
    let length = file.metadata()?.len();
    let (mut answer, _) = Connection::open(url, LONG_PATIENCE)?.send(method, what, length, file)?;
    answer.json()
}

/// Writes the answer of the fake at `url` into a file. Blocks for minutes at most.
///
/// # Errors
/// Those of [`ask`], or the file cannot be written, or the answer is cut off.
pub fn download(url: &str, what: &str, file: &mut File) -> io::Result<()> {
    let (mut answer, length) = Connection::open(url, LONG_PATIENCE)?.send(&Method::GET, what, 0, io::empty())?;
    let written = io::copy(&mut answer.body, file)?;
    if length.is_some_and(|length| length != written) {
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, format!("{url} ended in the middle of its answer")));
    }
    Ok(())
}

struct Connection<'a> {
    url: &'a str,
    authority: &'a str,
    stream: TcpStream,
}

/// An answer that is no refusal.
struct Answer<'a> {
    url: &'a str,
    body: BufReader<TcpStream>,
}

impl<'a> Connection<'a> {
    fn open(url: &'a str, patience: Duration) -> io::Result<Self> {
        let authority = url.strip_prefix("http://").unwrap_or(url).trim_end_matches('/');
        let address = authority
            .to_socket_addrs()?
            .next()
            .ok_or_else(|| io::Error::other(format!("{authority} is no address")))?;
        let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
        stream.set_read_timeout(Some(patience))?;
        stream.set_write_timeout(Some(patience))?;
        Ok(Self { url, authority, stream })
    }

    /// Gives the answer, and how long it is, if that was said.
    fn send(
        mut self,
        method: &Method,
        what: &str,
        length: u64,
        mut body: impl Read,
    ) -> io::Result<(Answer<'a>, Option<u64>)> {
        let Self { url, authority, .. } = self;
        // HTTP/1.0: the answer comes in one piece and ends where the connection does.
        write!(
            self.stream,
            "{method} {PREFIX}{what} HTTP/1.0\r\nHost: {authority}\r\nContent-Length: {length}\r\n\r\n"
        )?;
        // Who is refused is told so, though not all was heard.
        let sent = io::copy(&mut body, &mut self.stream);
        let mut answer = BufReader::new(self.stream);
        let (mut status, mut line, mut length) = (String::new(), String::new(), None);
        if answer.read_line(&mut status)? == 0 {
            sent?;
        }
        while answer.read_line(&mut line)? > 0 && !line.trim_end().is_empty() {
            if let Some((_, value)) =
                line.split_once(':').filter(|(name, _)| name.eq_ignore_ascii_case("content-length"))
            {
                length = value.trim().parse().ok();
            }
            line.clear();
        }
        let code = status.split(' ').nth(1).ok_or_else(|| io::Error::other(format!("{url} does not speak HTTP")))?;
        let mut answer = Answer { url, body: answer };
        if code != "200" {
            let why = answer.json().ok().and_then(|error| error["message"].as_str().map(str::to_owned));
            return Err(io::Error::other(match why {
                Some(why) => format!("{url} answers {code}: {why}"),
                None => format!("{url} answers {}", status.trim_end()),
            }));
        }
        Ok((answer, length))
    }
}

impl Answer<'_> {
    fn json(&mut self) -> io::Result<Value> {
        serde_json::from_reader(&mut self.body)
            .map_err(|error| io::Error::other(format!("{} does not answer as the fake does: {error}", self.url)))
    }
}
