//! One instance of a job or an endpoint: its process, what it prints, and its end.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::net::unix::pipe;
use tokio::process::{Child, Command};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::logs::Writer;
use crate::clock::Timestamp;
use crate::fake::WeakFake;

/// More than a pipe holds.
const PIPE: usize = 1 << 20;

/// The file in an instance's folder that holds its program's process id.
pub(crate) const PID: &str = "pid";

/// Kills a program that is still running in this folder because the process that had started it was itself killed.
/// Where the system cannot tell what a process id stands for by now (there is no `/proc`), nothing is done.
pub(crate) fn kill_orphan(folder: &Path) {
    let Ok(id) = std::fs::read_to_string(folder.join(PID)) else { return };
    let runs_here = std::fs::read_link(format!("/proc/{id}/cwd")).is_ok_and(|cwd| cwd == folder);
    if let Some(pid) = id.parse().ok().and_then(Pid::from_raw).filter(|_| runs_here) {
        // It may end by itself just now.
        let _ = kill_process(pid, Signal::KILL);
    }
}

/// A program that runs. It is killed when this is dropped.
pub(crate) struct Instance {
    child: Child,
    printed: pipe::Receiver,
    log: Writer,
}

impl Instance {
    /// Starts a program in a folder, with nothing of our own environment but the search path.
    pub(crate) fn start(
        command: &[String],
        folder: &Path,
        environment: &BTreeMap<String, String>,
        log: Writer,
    ) -> io::Result<Self> {
        let (program, arguments) = command.split_first().ok_or(io::ErrorKind::InvalidInput)?;
        // One pipe for both, so that what was printed first stays first.
        let (reader, writer) = io::pipe()?;
        let child = Command::new(program)
            .args(arguments)
            .current_dir(folder)
            .env_clear()
            .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
            .envs(environment)
            .stdin(Stdio::null())
            .stdout(writer.try_clone()?)
            .stderr(writer)
            .kill_on_drop(true)
            .spawn()?;
        if let Some(id) = child.id() {
            std::fs::write(folder.join(PID), id.to_string())?;
        }
        Ok(Self { child, printed: pipe::Receiver::from_owned_fd(OwnedFd::from(reader))?, log })
    }

    /// Follows the program to its end, handing every line to `line`. When told to stop, the program gets a SIGTERM, and
    /// after the grace period a SIGKILL.
    pub(crate) async fn follow(
        mut self,
        fake: &WeakFake,
        mut stop: watch::Receiver<bool>,
        grace: Duration,
        mut line: impl FnMut(Timestamp, &str),
    ) -> io::Result<ExitStatus> {
        let (mut open, mut stopping, mut kill_at) = (true, false, None);
        loop {
            tokio::select! {
                ready = self.printed.readable(), if open => {
                    ready?;
                    open = self.take(fake, &mut line)?;
                }
                status = self.child.wait() => {
                    let status = status?;
                    // Whatever it left running holds the pipe open and is not waited for: its container is gone.
                    self.take(fake, &mut line)?;
                    let now = now(fake)?;
                    self.log.finish(now)?.iter().for_each(|text| line(now, text));
                    return Ok(status);
                }
                _ = stop.wait_for(|stop| *stop), if !stopping => {
                    stopping = true;
                    kill_at = Some(Instant::now() + grace);
                    self.terminate();
                }
                () = sleep_until(kill_at.unwrap_or_else(Instant::now)), if kill_at.is_some() => {
                    kill_at = None;
                    self.child.start_kill()?;
                }
            }
        }
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

    fn terminate(&self) {
        let pid = self.child.id().and_then(|id| Pid::from_raw(id.try_into().ok()?));
        if let Some(Err(error)) = pid.map(|pid| kill_process(pid, Signal::TERM)) {
            tracing::warn!("cannot stop a program: {error}");
        }
    }
}

fn now(fake: &WeakFake) -> io::Result<Timestamp> {
    fake.upgrade().map(|fake| fake.clock.now()).ok_or_else(|| io::Error::other("the fake is closed"))
}
