//! Verbs of other binaries: built if need be, then run in place of this process.

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::Context;
use xshell::Shell;

use crate::cargo::cargo;

/// The fake's package and binary, and how long its first build takes.
const FAKE: (&str, &str, &str) = ("sagemaker-fake", "sagemaker-fake", "about a minute on two cores");

/// Runs the toolkit's binary.
pub fn toolkit(sh: &Shell, arguments: Vec<OsString>) -> anyhow::Result<ExitCode> {
    run(sh, "toolkit", "stsmm", "the AWS SDKs take about four minutes on two cores", arguments)
}

/// Runs the fake's binary.
pub fn mock(sh: &Shell, arguments: Vec<OsString>) -> anyhow::Result<ExitCode> {
    run(sh, FAKE.0, FAKE.1, FAKE.2, arguments)
}

/// Runs the conformance suite against a real account.
pub fn live_tests(sh: &Shell, arguments: Vec<OsString>) -> anyhow::Result<ExitCode> {
    run(sh, "conformance", "live-tests", "the AWS SDKs take about four minutes on two cores", arguments)
}

/// Builds `binary` and becomes it: signals and the exit code are its own.
fn run(
    sh: &Shell,
    package: &str,
    binary: &str,
    first_time: &str,
    arguments: Vec<OsString>,
) -> anyhow::Result<ExitCode> {
    let built = build(sh, package, binary, first_time)?;
    let error = Command::new(&built).args(arguments).exec();
    Err(error).with_context(|| format!("cannot run {}", built.display()))
}

/// Builds the fake's binary, and says where it is.
pub fn built_mock(sh: &Shell) -> anyhow::Result<PathBuf> {
    build(sh, FAKE.0, FAKE.1, FAKE.2)
}

/// Quiet, unless this is the first build, which nobody should have to sit through in silence.
fn build(sh: &Shell, package: &str, binary: &str, first_time: &str) -> anyhow::Result<PathBuf> {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("Cargo.toml");
    let built = std::env::current_exe()?.with_file_name(binary);
    let mut build =
        cargo(sh).args(["build", "--package", package, "--bin", binary]).arg("--manifest-path").arg(manifest);
    if built.exists() {
        build = build.arg("--quiet");
    } else {
        eprintln!("building {binary} for the first time: {first_time}");
        // aws-sdk-sagemaker is a third of the work and can start early, but cargo starts it last: nothing but the
        // toolkit depends on it. With more jobs than cores it begins while the others are still under way.
        let cores = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
        build = build.arg("--jobs").arg((cores + 2).to_string());
    }
    build.quiet().run().with_context(|| format!("{binary} does not build"))?;
    Ok(built)
}
