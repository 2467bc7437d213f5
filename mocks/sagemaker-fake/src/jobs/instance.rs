//! One instance of a job or an endpoint: its process, what it prints, and its end.

use std::future::pending;
use std::io;
use std::os::fd::OwnedFd;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal};
use tokio::net::unix::pipe;
use tokio::process::{Child, Command};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};

use super::launch::Launch;
use super::logs::Writer;
use super::processes::{self, Processes};
use super::programs::Limits;
use super::tree::Tree;
use crate::clock::Timestamp;
use crate::fake::WeakFake;

/// More than a pipe holds.
const PIPE: usize = 1 << 20;

/// How often one looks at how much memory a program holds, if that is limited.
const LOOK: Duration = Duration::from_millis(200);

/// The file in an instance's folder that holds its program's process id, for people.
pub(crate) const PID: &str = "pid";

/// How a program ended.
#[derive(Debug, Clone, Copy)]
pub(crate) struct End {
    pub status: ExitStatus,
    /// Which of its limits it has overrun, if that is why.
    pub overrun: Option<Overrun>,
}

/// A limit of `images.toml`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Overrun {
    Time,
    Memory,
}

impl Overrun {
    /// FailureReason, without the kind of error: SageMaker's sentence for what it knows, and ours for what it does not.
    pub(crate) fn sentence(self, limits: &Limits) -> String {
        match self {
            Self::Memory => {
                "Please use an instance type with more memory, or reduce the size of job data processed on an \
                             instance."
                    .to_owned()
            }
            Self::Time => format!("The program ran for longer than {}.", time_limit(limits)),
        }
    }
}

/// A program that runs. It is killed when this is dropped, with all that it has started.
pub(crate) struct Instance {
    child: Child,
    processes: Processes,
    /// What started it and waits for it, if that is another process.
    waiting: Option<Pid>,
    limits: Limits,
    notice: Option<String>,
    printed: pipe::Receiver,
    log: Writer,
}

impl Drop for Instance {
    fn drop(&mut self) {
        // One that has been followed to its end is gone.
        if self.child.id().is_some() {
            self.processes.kill();
        }
    }
}

impl Instance {
    /// Starts a program in the folder of an instance.
    pub(crate) fn start(launch: &Launch, tree: &Tree, log: Writer) -> io::Result<Self> {
        // One pipe for both, so that what was printed first stays first.
        let (reader, writer) = io::pipe()?;
        let child = Command::from(launch.prepare(tree)?)
            .stdin(Stdio::null())
            .stdout(writer.try_clone()?)
            .stderr(writer)
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        let leader = child.id().and_then(|id| Pid::from_raw(id.try_into().ok()?));
        if let Some(id) = child.id() {
            std::fs::write(tree.root().join(PID), id.to_string())?;
        }
        Ok(Self {
            child,
            processes: Processes::of(leader, tree.opt_ml()),
            waiting: leader.filter(|_| launch.is_waited_for()),
            limits: launch.limits.clone(),
            notice: launch.notice(tree),
            printed: pipe::Receiver::from_owned_fd(OwnedFd::from(reader))?,
            log,
        })
    }

    /// Follows the program to its end, handing every line to `line`. When told to stop, or when its time is over, the program
    /// and what it has started get a SIGTERM, and after the grace period a SIGKILL. Too much memory is a SIGKILL at once.
    pub(crate) async fn follow(
        mut self,
        fake: &WeakFake,
        mut stop: watch::Receiver<bool>,
        grace: Duration,
        mut line: impl FnMut(Timestamp, &str),
    ) -> io::Result<End> {
        if let Some(notice) = self.notice.take() {
            self.say(fake, &notice)?;
        }
        let (mut open, mut stopping, mut kill_at, mut overrun) = (true, false, None, None);
        let mut too_long = std::pin::pin!(too_long(self.limits.time));
        let mut too_large = std::pin::pin!(too_large(self.processes.clone(), self.limits.memory));
        let status = loop {
            tokio::select! {
                ready = self.printed.readable(), if open => {
                    ready?;
                    open = self.take(fake, &mut line)?;
                }
                status = self.child.wait() => break status?,
                _ = stop.wait_for(|stop| *stop), if !stopping => {
                    stopping = true;
                    kill_at = Some(Instant::now() + grace);
                    self.processes.signal(Signal::TERM, self.waiting);
                }
                () = &mut too_long, if !stopping && overrun.is_none() => {
                    stopping = true;
                    overrun = Some(Overrun::Time);
                    kill_at = Some(Instant::now() + grace);
                    self.say(fake, &format!("(stopped: this has run for longer than {})", time_limit(&self.limits)))?;
                    self.processes.signal(Signal::TERM, self.waiting);
                }
                used = &mut too_large, if overrun.is_none() => {
                    overrun = Some(Overrun::Memory);
                    self.say(fake, &format!("(killed: this has taken {used} bytes of memory, more than {})", memory_limit(&self.limits)))?;
                    self.processes.kill();
                }
                () = sleep_until(kill_at.unwrap_or_else(Instant::now)), if kill_at.is_some() => {
                    kill_at = None;
                    self.processes.kill();
                }
            }
        };
        // What it has started and was told to stop with it may still have something to say: that holds the pipe open.
        while let (true, Some(kill_at)) = (open, kill_at) {
            tokio::select! {
                ready = self.printed.readable() => {
                    ready?;
                    open = self.take(fake, &mut line)?;
                }
                () = sleep_until(kill_at) => break,
            }
        }
        // Its container is gone, and with it whatever it has left running.
        self.processes.kill();
        self.take(fake, &mut line)?;
        let now = now(fake)?;
        self.log.finish(now)?.iter().for_each(|text| line(now, text));
        Ok(End { status, overrun })
    }

    /// Puts a word of our own into the log.
    fn say(&mut self, fake: &WeakFake, text: &str) -> io::Result<()> {
        let now = now(fake)?;
        self.log.finish(now)?;
        self.log.say(now, text)
    }

    /// Takes what has been printed so far, at most as much as a pipe holds; says whether more may come.
    fn take(&mut self, fake: &WeakFake, line: &mut impl FnMut(Timestamp, &str)) -> io::Result<bool> {
        let mut buffer = [0; 16 << 10];
        for _ in 0..PIPE / buffer.len() {
            match self.printed.try_read(&mut buffer) {
                Ok(0) => return Ok(false),
                Ok(length) => {
                    let now = now(fake)?;
                    self.log.write(now, &buffer[..length])?.iter().for_each(|text| line(now, text));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }
}

fn time_limit(limits: &Limits) -> String {
    let limit = humantime::format_duration(limits.time.unwrap_or_default());
    format!("the time_limit of {limit} in {}", limits.file)
}

fn memory_limit(limits: &Limits) -> String {
    format!("the memory_limit of {} bytes in {}", limits.memory.unwrap_or_default(), limits.file)
}

async fn too_long(limit: Option<Duration>) {
    match limit {
        Some(limit) => sleep(limit).await,
        None => pending().await,
    }
}

/// Waits until processes hold more memory than they may; gives how much.
async fn too_large(processes: Processes, limit: Option<u64>) -> u64 {
    let Some(limit) = limit else { return pending().await };
    if !processes::can_be_seen() {
        tracing::warn!("this system has no /proc: the memory_limit of programs is not watched");
        return pending().await;
    }
    loop {
        sleep(LOOK).await;
        let processes = processes.clone();
        match tokio::task::spawn_blocking(move || processes.memory(limit)).await {
            Ok(used) if used > limit => return used,
            _ => {}
        }
    }
}

fn now(fake: &WeakFake) -> io::Result<Timestamp> {
    fake.upgrade().map(|fake| fake.clock.now()).ok_or_else(|| io::Error::other("the fake is closed"))
}
