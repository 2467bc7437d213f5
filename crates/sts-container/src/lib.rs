//! The one program inside our SageMaker containers, by SageMaker's contracts for processing, training and serving
//! containers. A file for each verb; `contract` knows the folders and files that SageMaker lays out.
//!
//! Everything is below `/opt/ml`, or below the folder named by `STSMM_OPT_ML`: so a job also runs where it is no
//! container. `SM_*` variables, which only SageMaker's framework images set, are never read.

mod baseline;
mod contract;
mod error;
mod evaluate;
mod files;
mod monitor;
mod parallel;
mod preprocess;
mod scoring;
mod serve;
mod train;

use std::{env, ffi::OsString, io::Write, net::SocketAddr, process::ExitCode, thread};

use clap::{Parser, Subcommand};
use tokio::{
    runtime::{Builder, Runtime},
    signal::unix::{Signal, SignalKind, signal},
};

use crate::{contract::OptMl, error::Error};

/// The tag of the image that holds this program: a hash of its source, so that another program is another image.
pub const TAG: &str = env!("STS_CONTAINER_TAG");

/// What a shell reports of a process that SIGTERM ended.
const TERMINATED: u8 = 143;

/// Runs one verb to its end, with the program's arguments (without its name), and gives the exit code: 0 done, 1 failed,
/// 2 wrong usage, 143 stopped by SIGTERM. A failure's reason is on stderr, and where SageMaker looks for it: in the
/// exit message of a processing job, in the failure file of a training job.
///
/// SIGTERM is taken over for the rest of the process, which is expected to end with this code. May be called from an
/// async runtime's thread, which it blocks.
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let args = std::iter::once(OsString::from("sts-container")).chain(args);
    let verb = match Cli::try_parse_from(args) {
        Ok(cli) => cli.verb,
        Err(usage) => {
            // Nothing is left to tell it to where this fails.
            let _ = usage.print();
            return u8::try_from(usage.exit_code()).map_or(ExitCode::FAILURE, ExitCode::from);
        }
    };
    // A runtime cannot be started on a thread that already drives one.
    let finished = thread::spawn(move || {
        let opt_ml = OptMl::from_env();
        match verb.run(&opt_ml) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => verb.fail(&opt_ml, &error),
        }
    });
    finished.join().unwrap_or(ExitCode::FAILURE)
}

/// What runs inside the SageMaker containers of a paraphrase classifier.
#[derive(Debug, Parser)]
#[command(name = "sts-container", version = TAG)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Clone, Copy, Subcommand)]
enum Verb {
    /// Processing: sentence pairs to train, validation and test rows, and the vocabulary.
    Preprocess,
    /// Training: rows and vocabulary to a model.
    Train,
    /// Processing: a model and test rows to evaluation.json.
    Evaluate,
    /// Processing: a model and validation rows to the baseline of a model quality monitor.
    Baseline,
    /// Processing: captures and labels to merged records, or rows to statistics, constraints and violations: what the
    /// images of SageMaker Model Monitor do, by their environment.
    Monitor,
    /// Serving: answers requests with a model's predictions.
    Serve {
        /// Where to listen: 0.0.0.0:8080, as SageMaker expects, unless `SAGEMAKER_BIND_TO_PORT` names another port. Where
        /// this is no container, nobody but the machine itself is listened to.
        #[arg(long, value_name = "ADDRESS")]
        listen: Option<SocketAddr>,
    },
}

impl Verb {
    fn run(self, opt_ml: &OptMl) -> Result<(), Error> {
        let runtime = Builder::new_multi_thread().enable_all().build().map_err(Error::Runtime)?;
        // As a container's first process, this one is not ended by SIGTERM unless it listens.
        let terminated = runtime.block_on(async { signal(SignalKind::terminate()) }).map_err(Error::Runtime)?;
        let result = match self {
            Self::Preprocess => until_stopped(&runtime, terminated, opt_ml, preprocess::run),
            Self::Train => until_stopped(&runtime, terminated, opt_ml, train::run),
            Self::Evaluate => until_stopped(&runtime, terminated, opt_ml, evaluate::run),
            Self::Baseline => until_stopped(&runtime, terminated, opt_ml, baseline::run),
            Self::Monitor => until_stopped(&runtime, terminated, opt_ml, monitor::run),
            Self::Serve { listen } => runtime.block_on(async move {
                let address =
                    listen.map_or_else(|| serve::address(opt_ml, env::var(serve::PORT).ok().as_deref()), Ok)?;
                let mut terminated = terminated;
                serve::run(opt_ml, address, async move {
                    terminated.recv().await;
                })
                .await
            }),
        };
        // Work that was stopped is not waited for: the process is about to end.
        runtime.shutdown_background();
        result
    }

    /// Reports a failure to whom it concerns.
    fn fail(self, opt_ml: &OptMl, error: &Error) -> ExitCode {
        let reason = opt_ml.as_in_container(&error::chain(error));
        let _ = writeln!(std::io::stderr(), "error: {reason}");
        let told = match self {
            Self::Preprocess | Self::Evaluate | Self::Baseline | Self::Monitor => opt_ml.write_message(&reason),
            Self::Train => opt_ml.write_failure(&reason),
            // Of a serving container, SageMaker keeps the log alone.
            Self::Serve { .. } => Ok(()),
        };
        if let Err(unwritten) = told {
            let _ = writeln!(std::io::stderr(), "error: {}", error::chain(&unwritten));
        }
        if matches!(error, Error::Stopped) { ExitCode::from(TERMINATED) } else { ExitCode::FAILURE }
    }
}

/// Runs work that blocks, until it ends or SIGTERM comes.
fn until_stopped(
    runtime: &Runtime,
    mut terminated: Signal,
    opt_ml: &OptMl,
    work: fn(&OptMl) -> Result<(), Error>,
) -> Result<(), Error> {
    let opt_ml = opt_ml.clone();
    runtime.block_on(async {
        let working = tokio::task::spawn_blocking(move || work(&opt_ml));
        tokio::select! {
            result = working => result.unwrap_or(Err(Error::Panicked)),
            _ = terminated.recv() => Err(Error::Stopped),
        }
    })
}

/// Tells the log a line. A log that nobody reads any more is no reason to fail.
fn say(line: impl std::fmt::Display) {
    let _ = writeln!(std::io::stdout(), "{line}");
}
