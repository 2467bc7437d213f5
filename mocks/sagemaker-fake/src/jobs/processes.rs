//! The processes of one instance: its program, what that has started, and what that has left behind.
//!
//! A process belongs to an instance if its environment says so (`STSMM_OPT_ML`, which children inherit even when they detach
//! themselves), or if it is in the group of the instance's program or descends from one that belongs. Where there is no
//! `/proc`, the group is all that can be reached.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

/// The variable that says where the instance's `/opt/ml` is on this machine.
pub(crate) const OPT_ML: &str = "STSMM_OPT_ML";

/// How often one looks for further processes to kill: a process may start others while it is looked for.
const ROUNDS: usize = 100;

/// Whoever belongs to an instance.
#[derive(Debug, Clone)]
pub(crate) struct Processes {
    /// Who was started, and leads a group of its own. Nobody if that is not known any more.
    leader: Option<Pid>,
    opt_ml: PathBuf,
}

/// A process, as `/proc` tells.
struct Process {
    pid: Pid,
    parent: i32,
    group: i32,
}

/// Kills what is still running of an instance with this folder because the process that had started it was itself killed.
pub(crate) fn kill_orphan(folder: &Path) {
    Processes { leader: None, opt_ml: folder.join("opt").join("ml") }.kill();
}

/// Whether this system tells about its processes.
pub(crate) fn can_be_seen() -> bool {
    Path::new("/proc/self/status").exists()
}

impl Processes {
    /// Those of the instance that `leader` was started for.
    pub(crate) fn of(leader: Option<Pid>, opt_ml: PathBuf) -> Self {
        Self { leader, opt_ml }
    }

    /// Sends a signal to all of them but `spared`.
    pub(crate) fn signal(&self, signal: Signal, spared: Option<Pid>) {
        if let (false, Some(leader)) = (can_be_seen(), self.leader) {
            // It may have ended by itself just now, here and below.
            let _ = kill_process_group(leader, signal);
        }
        for process in self.members().iter().filter(|process| Some(process.pid) != spared) {
            let _ = kill_process(process.pid, signal);
        }
    }

    /// Kills all of them.
    pub(crate) fn kill(&self) {
        if let Some(leader) = self.leader {
            let _ = kill_process_group(leader, Signal::KILL);
        }
        for _ in 0..ROUNDS {
            let members = self.members();
            if members.is_empty() {
                return;
            }
            for process in members {
                let _ = kill_process(process.pid, Signal::KILL);
            }
            std::thread::yield_now();
        }
    }

    /// How much memory they hold, in bytes. What they share is counted once for each if that stays within `limit`, and else
    /// by its share, which takes longer to find out.
    pub(crate) fn memory(&self, limit: u64) -> u64 {
        let members = self.members();
        let total = |file: &str, field: &str| {
            members.iter().map(|process| kilobytes(process.pid, file, field).unwrap_or_default()).sum::<u64>()
        };
        let resident = total("status", "VmRSS:");
        // A system that does not tell the shares tells nothing there.
        if resident <= limit {
            resident
        } else {
            Some(total("smaps_rollup", "Pss:")).filter(|share| *share > 0).unwrap_or(resident)
        }
    }

    /// Everyone who belongs and has not ended.
    fn members(&self) -> Vec<Process> {
        let mut others: Vec<_> = all().collect();
        let mut found = Vec::new();
        let mut ids = HashSet::new();
        others.retain(|process| process.pid.as_raw_pid() as u32 != std::process::id());
        loop {
            let (belong, rest): (Vec<_>, Vec<_>) = others.into_iter().partition(|process| {
                ids.contains(&process.parent) || (ids.is_empty() && (self.leads(process) || self.marks(process.pid)))
            });
            others = rest;
            if belong.is_empty() {
                return found;
            }
            ids.extend(belong.iter().map(|process| process.pid.as_raw_pid()));
            found.extend(belong);
        }
    }

    fn leads(&self, process: &Process) -> bool {
        self.leader.is_some_and(|leader| leader == process.pid || leader.as_raw_pid() == process.group)
    }

    /// Whether a process's environment says that it is of this instance.
    fn marks(&self, pid: Pid) -> bool {
        let Ok(environment) = fs::read(format!("/proc/{}/environ", pid.as_raw_pid())) else { return false };
        let prefix = format!("{OPT_ML}=");
        let value = environment.split(|byte| *byte == 0).find_map(|variable| variable.strip_prefix(prefix.as_bytes()));
        let Some(path) = value.and_then(|value| std::str::from_utf8(value).ok()).map(Path::new) else { return false };
        path == self.opt_ml || fs::canonicalize(path).is_ok_and(|path| path == self.opt_ml)
    }
}

/// All processes of this machine that have not ended. None where there is no `/proc`.
fn all() -> impl Iterator<Item = Process> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| {
        let pid = Pid::from_raw(entry.file_name().to_str()?.parse().ok()?)?;
        // One that ends meanwhile has no status any more.
        let status = fs::read_to_string(entry.path().join("stat")).ok()?;
        // PID (NAME) STATE PARENT GROUP ..., and the name may hold anything.
        let mut fields = status.rsplit_once(')')?.1.split_whitespace();
        let ended = matches!(fields.next()?, "Z" | "X");
        let mut number = || fields.next()?.parse().ok();
        (!ended).then_some(Process { pid, parent: number()?, group: number()? })
    })
}

/// A field of a file about a process, `123 kB`, in bytes.
fn kilobytes(pid: Pid, file: &str, field: &str) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{}/{file}", pid.as_raw_pid())).ok()?;
    let value = text.lines().find_map(|line| line.strip_prefix(field))?;
    value.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1 << 10)
}
