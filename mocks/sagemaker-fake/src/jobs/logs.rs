//! What jobs and endpoints print, kept as CloudWatch Logs would: log groups, streams, events.
//!
//! A stream is a record; its events are lines of a plain file under the fake's `logs` folder, each
//! `MILLISECONDS<space>MESSAGE`. Logs outlive the job's working folder.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Seek, SeekFrom, Write};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::store::{Record, Records};
use crate::{ApiError, Fake};

/// The longest message in bytes, as CloudWatch Logs has it. Longer lines become several events.
const LONGEST_MESSAGE: usize = 262_118;

/// A stream that has grown to this many bytes takes no more events, so that a job that prints without end does not
/// fill the disk. One last event says so.
const LARGEST_STREAM: u64 = 64 << 20;

/// A log group that somebody has made or set up. One that came into being with its first stream needs no record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// The region it is in.
    pub region: String,
    /// Its name, e.g. `/aws/sagemaker/ProcessingJobs`.
    pub name: String,
    /// When it was made.
    pub created: Timestamp,
    /// How many days its events are shown for; for ever if nothing is said.
    pub retention_days: Option<u32>,
    /// `STANDARD` or another class, which makes no difference here.
    pub class: String,
    /// The key that AWS would encrypt it with.
    pub kms_key_id: Option<String>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

impl Record for Group {
    const KIND: &'static str = "log-group";
    fn key(&self) -> String {
        format!("{}{}", self.region, self.name)
    }
}

/// A log stream: what one instance of one job or endpoint prints.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stream {
    /// The region it is in.
    pub region: String,
    /// The log group, e.g. `/aws/sagemaker/ProcessingJobs`.
    pub group: String,
    /// `JOB/algo-1-EPOCH`, or `VARIANT/i-...` of an endpoint.
    pub name: String,
    /// When it was made.
    pub created: Timestamp,
}

impl Record for Stream {
    const KIND: &'static str = "log-stream";
    fn key(&self) -> String {
        format!("{}{}:{}", self.region, self.group, self.name)
    }
}

impl Stream {
    fn path(&self, fake: &Fake) -> PathBuf {
        fake.folder()
            .join("logs")
            .join(&self.region)
            .join(self.group.trim_start_matches('/'))
            .join(format!("{}.log", self.name))
    }
}

/// One line that a job printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// When it was printed, by the fake's clock.
    pub time: Timestamp,
    /// The line, without its end.
    pub message: String,
}

/// The log groups of a region, in order.
///
/// # Errors
/// An internal failure when the store cannot be read.
pub fn groups(fake: &Fake, region: &str) -> Result<Vec<String>, ApiError> {
    let groups = fake.store.read(|view| {
        let streams = view.list::<Stream>(region)?.into_iter().filter(|stream| stream.region == region);
        let made = view.list::<Group>(region)?.into_iter().filter(|group| group.region == region);
        Ok(streams.map(|stream| stream.group).chain(made.map(|group| group.name)).collect::<BTreeSet<_>>())
    })?;
    Ok(groups.into_iter().collect())
}

/// Removes a group with its streams, and their events.
///
/// # Errors
/// An internal failure when the store cannot be written, or a file cannot be removed.
pub fn delete_group(fake: &Fake, region: &str, group: &str) -> Result<(), ApiError> {
    let streams = streams(fake, region, group, "")?;
    fake.store.write(|change| {
        change.delete::<Group>(&format!("{region}{group}"))?;
        streams.iter().try_for_each(|stream| change.delete::<Stream>(&stream.key()).map(drop))
    })?;
    // A file without a record is shown to nobody: a kill in between loses nothing.
    for stream in streams {
        match std::fs::remove_file(stream.path(fake)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(ApiError::internal(error)),
            _ => {}
        }
    }
    Ok(())
}

/// The streams of a group whose name begins with `prefix`, in the order of their names. A group that does not exist
/// has none.
///
/// # Errors
/// An internal failure when the store cannot be read.
pub fn streams(fake: &Fake, region: &str, group: &str, prefix: &str) -> Result<Vec<Stream>, ApiError> {
    fake.store.read(|view| view.list(&format!("{region}{group}:{prefix}")))
}

/// The events of a stream from the `start`th (counted from 0), at most `limit`, oldest first. Fewer than `limit` means
/// that there are no more yet.
///
/// # Errors
/// An internal failure when the file of the stream cannot be read.
pub fn events(fake: &Fake, stream: &Stream, start: usize, limit: usize) -> Result<Vec<Event>, ApiError> {
    let Some(file) = open(fake, stream)? else { return Ok(Vec::new()) };
    lines(file).skip(start).take(limit).map(|line| parse(&line.map_err(ApiError::internal)?)).collect()
}

/// The last events of a stream, at most `most`, oldest first: those of its last quarter of a megabyte.
///
/// # Errors
/// An internal failure when the file of the stream cannot be read.
pub fn tail(fake: &Fake, stream: &Stream, most: usize) -> Result<Vec<Event>, ApiError> {
    const END: u64 = LONGEST_MESSAGE as u64;
    let Some(mut file) = open(fake, stream)? else { return Ok(Vec::new()) };
    let size = file.metadata().map_err(ApiError::internal)?.len();
    file.seek(SeekFrom::Start(size.saturating_sub(END))).map_err(ApiError::internal)?;
    // The first line is cut, unless it is the first of all.
    let whole = lines(file).skip(usize::from(size > END));
    let mut events = whole.map(|line| parse(&line.map_err(ApiError::internal)?)).collect::<Result<Vec<_>, _>>()?;
    Ok(events.split_off(events.len().saturating_sub(most)))
}

/// The times of the first and the last event of a stream, if it has any.
///
/// # Errors
/// An internal failure when the file of the stream cannot be read.
pub fn span(fake: &Fake, stream: &Stream) -> Result<Option<(Timestamp, Timestamp)>, ApiError> {
    let Some(first) = events(fake, stream, 0, 1)?.pop() else { return Ok(None) };
    let Some(file) = open(fake, stream)? else { return Ok(None) };
    let last = last_line(file).map_err(ApiError::internal)?;
    Ok(Some((first.time, parse(&last)?.time)))
}

/// Takes what one instance of a job prints.
#[derive(Debug)]
pub(crate) struct Writer {
    /// Nothing if what is printed is kept nowhere.
    file: Option<File>,
    size: u64,
    /// The beginning of a line whose end is not there yet.
    rest: Vec<u8>,
}

impl Writer {
    /// Makes the stream, or goes on with it.
    pub(crate) fn open(fake: &Fake, stream: &Stream) -> Result<Self, ApiError> {
        let path = stream.path(fake);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(ApiError::internal)?;
        }
        let file = File::options().create(true).append(true).open(&path).map_err(ApiError::internal)?;
        let size = file.metadata().map_err(ApiError::internal)?.len();
        fake.store.write(|change| match change.get::<Stream>(&stream.key())? {
            Some(_) => Ok(()),
            None => change.put(stream),
        })?;
        Ok(Self { file: Some(file), size, rest: Vec::new() })
    }

    /// Keeps nothing.
    pub(crate) fn deaf() -> Self {
        Self { file: None, size: 0, rest: Vec::new() }
    }

    /// Takes bytes as they come out of the program; gives the lines that they complete.
    pub(super) fn write(&mut self, time: Timestamp, bytes: &[u8]) -> io::Result<Vec<String>> {
        self.rest.extend_from_slice(bytes);
        let (mut lines, mut start) = (Vec::new(), 0);
        while let Some((length, next)) = line_end(&self.rest[start..]) {
            let line = String::from_utf8_lossy(&self.rest[start..start + length]);
            lines.push(line.trim_end_matches('\r').to_owned());
            start += next;
        }
        self.rest.drain(..start);
        self.append(time, &lines)?;
        Ok(lines)
    }

    /// Puts a word of our own among what the program prints.
    pub(crate) fn say(&mut self, time: Timestamp, text: &str) -> io::Result<()> {
        self.write(time, format!("{text}\n").as_bytes()).map(drop)
    }

    /// The program has ended: a last line may lack its end.
    pub(super) fn finish(&mut self, time: Timestamp) -> io::Result<Vec<String>> {
        if self.rest.is_empty() { Ok(Vec::new()) } else { self.write(time, b"\n") }
    }

    fn append(&mut self, time: Timestamp, lines: &[String]) -> io::Result<()> {
        let Some(file) = &mut self.file else { return Ok(()) };
        let mut text = String::new();
        // CloudWatch Logs takes no empty events.
        for line in lines.iter().filter(|line| !line.is_empty()) {
            if self.size >= LARGEST_STREAM {
                break;
            }
            let before = text.len();
            text.push_str(&format!("{} {line}\n", time.0));
            self.size += (text.len() - before) as u64;
            if self.size >= LARGEST_STREAM {
                text.push_str(&format!(
                    "{} (this log has reached {LARGEST_STREAM} bytes; what follows is not kept)\n",
                    time.0
                ));
            }
        }
        file.write_all(text.as_bytes())
    }
}

/// Where the first line of `bytes` ends and where the next one begins, if it is complete or as long as a line can be.
fn line_end(bytes: &[u8]) -> Option<(usize, usize)> {
    match bytes.iter().take(LONGEST_MESSAGE).position(|byte| *byte == b'\n') {
        Some(end) => Some((end, end + 1)),
        None => (bytes.len() >= LONGEST_MESSAGE).then_some((LONGEST_MESSAGE, LONGEST_MESSAGE)),
    }
}

fn open(fake: &Fake, stream: &Stream) -> Result<Option<File>, ApiError> {
    match File::open(stream.path(fake)) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(ApiError::internal(error)),
    }
}

/// The lines that are complete: a reader may be faster than the writer, or the writer may have been killed.
fn lines(file: File) -> impl Iterator<Item = io::Result<Vec<u8>>> {
    let mut reader = BufReader::new(file);
    std::iter::from_fn(move || {
        let mut line = Vec::new();
        match reader.read_until(b'\n', &mut line) {
            Ok(_) => (line.pop() == Some(b'\n')).then_some(Ok(line)),
            Err(error) => Some(Err(error)),
        }
    })
}

fn parse(line: &[u8]) -> Result<Event, ApiError> {
    let line = String::from_utf8_lossy(line);
    let event = line
        .split_once(' ')
        .and_then(|(time, message)| Some(Event { time: Timestamp(time.parse().ok()?), message: message.to_owned() }));
    event.ok_or_else(|| ApiError::internal(format!("a line of a log file has no time: {line}")))
}

/// The last complete line of a file that has one.
fn last_line(mut file: File) -> io::Result<Vec<u8>> {
    let size = file.metadata()?.len();
    // No line is longer than a message and its time.
    file.seek(SeekFrom::Start(size.saturating_sub(LONGEST_MESSAGE as u64 + 64)))?;
    Ok(lines(file).collect::<io::Result<Vec<_>>>()?.pop().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(name: &str) -> Stream {
        Stream {
            region: "eu-west-1".into(),
            group: "/aws/sagemaker/ProcessingJobs".into(),
            name: name.into(),
            created: Timestamp(5),
        }
    }

    #[tokio::test]
    async fn keeps_lines_as_events() {
        let fake = Fake::builder().build().unwrap();
        let one = stream("job/algo-1-5");
        let mut writer = Writer::open(&fake, &one).unwrap();
        assert_eq!(writer.write(Timestamp(7), b"first\n\nsec").unwrap(), ["first", ""]);
        assert_eq!(writer.write(Timestamp(8), b"ond\r\nlast \xff").unwrap(), ["second"]);
        assert_eq!(writer.finish(Timestamp(9)).unwrap(), ["last \u{fffd}"]);

        let all = events(&fake, &one, 0, 10).unwrap();
        let seen: Vec<_> = all.iter().map(|event| (event.time.0, event.message.as_str())).collect();
        assert_eq!(seen, [(7, "first"), (8, "second"), (9, "last \u{fffd}")]);
        assert_eq!(events(&fake, &one, 1, 1).unwrap(), all[1..2]);
        assert_eq!(events(&fake, &one, 3, 10).unwrap(), []);
        assert_eq!(tail(&fake, &one, 2).unwrap(), all[1..]);
        assert_eq!(tail(&fake, &one, 9).unwrap(), all);
        assert_eq!(span(&fake, &one).unwrap(), Some((Timestamp(7), Timestamp(9))));
    }

    #[tokio::test]
    async fn streams_are_found_by_prefix_and_region() {
        let fake = Fake::builder().build().unwrap();
        let other = Stream { region: "us-east-1".into(), ..stream("job/algo-1-5") };
        for stream in [&stream("job/algo-1-5"), &stream("job/algo-2-5"), &stream("job2/algo-1-5"), &other] {
            Writer::open(&fake, stream).unwrap();
        }
        let group = "/aws/sagemaker/ProcessingJobs";
        assert_eq!(
            streams(&fake, "eu-west-1", group, "job/").unwrap(),
            [stream("job/algo-1-5"), stream("job/algo-2-5")]
        );
        assert_eq!(streams(&fake, "eu-west-1", "/aws/sagemaker/TrainingJobs", "").unwrap(), []);
        assert_eq!(groups(&fake, "eu-west-1").unwrap(), [group]);
        assert_eq!(span(&fake, &stream("job/algo-1-5")).unwrap(), None);
    }

    #[tokio::test]
    async fn an_endless_line_becomes_several_events() {
        let fake = Fake::builder().build().unwrap();
        let one = stream("job/algo-1-5");
        let mut writer = Writer::open(&fake, &one).unwrap();
        writer.write(Timestamp(7), &vec![b'x'; LONGEST_MESSAGE + 3]).unwrap();
        writer.finish(Timestamp(7)).unwrap();
        let lengths: Vec<_> = events(&fake, &one, 0, 10).unwrap().iter().map(|event| event.message.len()).collect();
        assert_eq!(lengths, [LONGEST_MESSAGE, 3]);
        let tail: Vec<_> = tail(&fake, &one, 9).unwrap().iter().map(|event| event.message.len()).collect();
        assert_eq!(tail, [3]);
    }
}
