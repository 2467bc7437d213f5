//! `cargo xtask bench`: how fast it is, beside how fast it should be.
//!
//! Criterion's benches of single functions, then the container's program as a whole, built for release, on copies of the
//! sample. Nothing fails here: figures of a busy machine say nothing. The targets are for two cores that are idle.

mod hour;

use std::fmt::Write as _;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use serde_json::Value;
use xshell::{Shell, cmd};

use crate::cargo::cargo;

/// Criterion's results: folder below `target/criterion`, what it is, how many things one iteration handles.
const BENCHES: [(&str, &str, f64); 11] = [
    ("features/count words", "count the words of a pair", 1000.0),
    ("features/extract", "features of a pair", 1000.0),
    ("features/write rows", "write a row", 1000.0),
    ("fit/4000 rows", "fit to 4,000 rows", 1.0),
    ("fit/predict a row", "predict a row", 1.0),
    ("preprocess/5801 pairs", "preprocess 5,801 pairs", 1.0),
    ("serve/a row of features", "serve a row, alone", 1.0),
    ("serve/a pair", "serve a pair, alone", 1.0),
    ("serve/100 rows of features", "serve 100 rows, alone", 1.0),
    ("hour/merge", "merge a record, one thread, in memory", 1e6),
    ("hour/analyse", "analyse a record, one thread, in memory", 1e6),
];

/// How often the shortest of several runs is looked for.
const RUNS: usize = 10;

/// How many connections ask the server at the same time, and for how many seconds.
const LOAD: [(u32, u32); 2] = [(8, 5), (32, 5)];

/// A measured figure, and what it should be.
struct Row {
    what: String,
    figure: String,
    target: &'static str,
    verdict: &'static str,
}

/// Measures, and prints a table.
pub fn run(sh: &Shell) -> anyhow::Result<ExitCode> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("the workspace has no folder")?;
    sh.change_dir(root);
    cargo(sh)
        .args(["bench", "--package", "sts-model", "--package", "sts-container", "--package", "model-monitor"])
        .args(["--bench", "features", "--bench", "fit", "--bench", "preprocess", "--bench", "serve", "--bench", "hour"])
        .args(["--features", "sts-model/bench,sts-container/bench,model-monitor/bench", "--", "--noplot"])
        .run()?;
    cargo(sh).args(["build", "--quiet", "--release", "--package", "sts-container"]).run()?;
    let program = target(root).join("release/sts-container");

    let mut rows = Vec::new();
    for (folder, what, count) in BENCHES {
        let estimates = target(root).join("criterion").join(folder).join("new/estimates.json");
        let estimates: Value = serde_json::from_str(&sh.read_file(&estimates)?)?;
        let nanoseconds = estimates["median"]["point_estimate"].as_f64().context("criterion has no median")? / count;
        rows.push(Row::plain(what, duration(nanoseconds)));
    }
    rows.extend(preprocess(sh, root, &program)?);
    rows.extend(serve(sh, root, &program)?);
    rows.extend(hour::run(sh, &program)?);

    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    println!("\n{:<44}{:>24}   {:<20}{cores} cores", "", "", "target");
    for Row { what, figure, target, verdict } in rows {
        println!("{what:<44}{figure:>24}   {target:<20}{verdict}");
    }
    Ok(ExitCode::SUCCESS)
}

impl Row {
    fn plain(what: impl Into<String>, figure: String) -> Self {
        Self { what: what.into(), figure, target: "", verdict: "" }
    }

    fn judged(what: impl Into<String>, figure: String, target: &'static str, is_met: bool) -> Self {
        Self { what: what.into(), figure, target, verdict: if is_met { "met" } else { "missed" } }
    }
}

fn target(root: &Path) -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from)
}

/// In a unit that leaves a few digits before the point.
fn duration(nanoseconds: f64) -> String {
    match nanoseconds {
        n if n < 1e3 => format!("{n:.0} ns"),
        n if n < 1e6 => format!("{:.1} us", n / 1e3),
        n if n < 1e9 => format!("{:.1} ms", n / 1e6),
        n => format!("{:.2} s", n / 1e9),
    }
}

/// Preprocessing from start to end: of as many pairs as the Microsoft Research corpus has, then of ten times and of a
/// hundred times as many.
fn preprocess(sh: &Shell, root: &Path, program: &Path) -> anyhow::Result<Vec<Row>> {
    let sample = sh.read_file(root.join("mocks/data/pairs.tsv"))?;
    let mut rows = Vec::new();
    let mut of_ten_thousand = None;
    for (pairs, runs) in [(5801, RUNS), (10_000, 3), (1_000_000, 1)] {
        let folder = sh.create_temp_dir()?;
        sh.write_file(folder.path().join("processing/input/pairs.tsv"), repeated(&sample, pairs)?)?;
        let (mut shortest, mut memory) = (Duration::MAX, 0);
        for _ in 0..runs {
            let start = Instant::now();
            let mut child = container(program, folder.path()).arg("preprocess").stdout(Stdio::null()).spawn()?;
            // Waiting for the peak would cost time where little is there.
            memory = if pairs > 5801 { peak_memory(&mut child)? } else { 0 };
            ensure!(child.wait()?.success(), "preprocess failed");
            shortest = shortest.min(start.elapsed());
        }
        let seconds = shortest.as_secs_f64();
        let each = duration(seconds * 1e9 / pairs as f64);
        match (pairs, of_ten_thousand) {
            (5801, _) => rows.push(Row::judged(
                format!("preprocess of 5,801 pairs, best of {runs}"),
                format!("{:.0} ms", seconds * 1e3),
                "at most 100 ms",
                seconds <= 0.1,
            )),
            (_, Some((before, memory_before))) => {
                let is_flat = memory <= memory_before + 8 * 1024 && seconds / pairs as f64 <= before * 1.25;
                let figure = format!("{seconds:.1} s, {each} each, {} MB", memory / 1024);
                rows.push(Row::judged("preprocess of 1,000,000", figure, "flat, linear", is_flat));
            }
            _ => {
                of_ten_thousand = Some((seconds / pairs as f64, memory));
                let figure = format!("{:.0} ms, {each} each, {} MB", seconds * 1e3, memory / 1024);
                rows.push(Row::plain(format!("preprocess of {pairs}"), figure));
            }
        }
    }
    Ok(rows)
}

/// The sample again and again.
fn repeated(sample: &str, pairs: usize) -> anyhow::Result<String> {
    let (header, rows) = sample.split_once('\n').context("the sample has no header")?;
    let mut text = format!("{header}\n");
    rows.lines().cycle().take(pairs).for_each(|row| {
        text.push_str(row);
        text.push('\n');
    });
    Ok(text)
}

fn container(program: &Path, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.env("STSMM_OPT_ML", folder);
    command
}

/// The most memory that a process had, in KB, as Linux counts it; looked at until it ends.
fn peak_memory(child: &mut Child) -> anyhow::Result<u64> {
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    while child.try_wait()?.is_none() {
        // A process that is ending has none any more.
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let now = text.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse().ok());
        peak = peak.max(now.unwrap_or(0));
        std::thread::sleep(Duration::from_millis(2));
    }
    Ok(peak)
}

/// Ends the server when the measuring is over, or has failed.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The server under the load of wrk, where there is one.
fn serve(sh: &Shell, root: &Path, program: &Path) -> anyhow::Result<Vec<Row>> {
    if cmd!(sh, "wrk -v").quiet().ignore_status().ignore_stdout().ignore_stderr().run().is_err() {
        return Ok(vec![Row::plain("serve under load", "wrk is not installed".to_owned())]);
    }
    let folder = sh.create_temp_dir()?;
    let at = |path: &str| folder.path().join(path);
    sh.create_dir(at("processing/input"))?;
    sh.copy_file(root.join("mocks/data/pairs.tsv"), at("processing/input"))?;
    let step = |verb: &str| -> anyhow::Result<()> {
        let done = container(program, folder.path()).arg(verb).stdout(Stdio::null()).status()?;
        ensure!(done.success(), "{verb} failed");
        Ok(())
    };
    step("preprocess")?;
    for channel in ["train", "vocabulary"] {
        let (from, to) = (at(&format!("processing/{channel}")), at(&format!("input/data/{channel}")));
        sh.create_dir(&to)?;
        for file in sh.read_dir(from)? {
            sh.copy_file(file, &to)?;
        }
    }
    step("train")?;

    let rows = sh.read_file(at("processing/test/test.csv"))?;
    let row = rows.lines().next().and_then(|row| row.split_once(',')).context("there is no test row")?.1;
    let mut script = String::new();
    writeln!(script, "wrk.method = 'POST'")?;
    writeln!(script, "wrk.body = '{row}'")?;
    writeln!(script, "wrk.headers['Content-Type'] = 'text/csv'")?;
    writeln!(script, "function done(summary, latency, requests)")?;
    writeln!(script, "  local wrong = summary.errors.status + summary.errors.read + summary.errors.timeout")?;
    writeln!(script, "  local rate = summary.requests / summary.duration * 1e6")?;
    writeln!(script, "  print('figures', rate, latency:percentile(50), latency:percentile(99), wrong)")?;
    writeln!(script, "end")?;
    sh.write_file(at("load.lua"), script)?;

    let mut command = container(program, folder.path());
    let child = command.args(["serve", "--listen", "127.0.0.1:0"]).stdout(Stdio::piped()).spawn()?;
    let mut server = Server(child);
    let log = server.0.stdout.take().context("the server has no log")?;
    let mut log = BufReader::new(log).lines();
    let listening = log.next().context("the server did not start")??;
    let address = listening.strip_prefix("listening on ").context("the server does not say where it is")?;
    ensure!(log.next().context("the server ended")??.starts_with("model of "), "the model is not loaded");

    let mut rows = Vec::new();
    for (connections, seconds) in LOAD {
        let (connections, seconds, script) = (connections.to_string(), seconds.to_string(), at("load.lua"));
        let url = format!("http://{address}/invocations");
        let printed = cmd!(sh, "wrk -t2 -c{connections} -d{seconds}s -s {script} {url}").quiet().read()?;
        let figures = printed.lines().find_map(|line| line.strip_prefix("figures")).context("wrk gave no figures")?;
        let figures: Vec<f64> = figures.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
        let [rate, p50, p99, wrong] = figures[..] else { anyhow::bail!("wrk gave other figures: {printed}") };
        ensure!(wrong == 0.0, "{wrong} requests failed");
        let what = |what: &str| format!("serve, {connections} connections: {what}");
        let half = duration(p50 * 1e3);
        rows.push(Row::judged(what("requests"), format!("{rate:.0}/s"), "at least 40000/s", rate >= 40_000.0));
        let figure = format!("{} (half: {half})", duration(p99 * 1e3));
        rows.push(Row::judged(what("99%"), figure, "below 1 ms", p99 < 1000.0));
    }
    Ok(rows)
}
