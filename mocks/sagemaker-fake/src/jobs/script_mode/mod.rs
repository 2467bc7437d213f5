//! Script mode: what `train` does in AWS's framework images, as their `sagemaker-training` toolkit has it. The code is fetched
//! from S3 as the role and unpacked to `/opt/ml/code`; the script runs there with the hyperparameters as arguments and the
//! `SM_*` variables; if it fails, the toolkit says why in `/opt/ml/output/failure`. And what `serve` does there.
//!
//! | module | what it does |
//! |---|---|
//! | `capture` | what is told of what a script printed before it failed |
//! | `environment` | what a script is told: arguments and variables |
//! | `python` | values as Python writes them |
//! | `serving` | a script that serves a model |
//! | `source` | the code: fetched, unpacked, its requirements looked at |

mod capture;
mod environment;
mod python;
mod serving;
mod source;

use std::collections::BTreeMap;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::ExitStatus;

pub(super) use self::capture::Capture;
use self::environment::Configuration;
pub(crate) use self::serving::serve;
use super::launch::Launch;
use super::programs::{Image, Programs};
use super::tree::Tree;
use crate::authorisation::Work;

/// A script that is ready to run.
#[derive(Debug)]
pub(crate) struct Script {
    pub launch: Launch,
    /// What the toolkit writes into the log first.
    pub said: Vec<String>,
}

/// What the toolkit says instead of running a script.
#[derive(Debug)]
pub(crate) struct Refusal {
    /// What it writes into the log and into its failure file.
    pub text: String,
    /// What it ends with.
    pub exit_code: i32,
    /// What we add in the log.
    pub help: Option<String>,
}

/// What is said of a package: the toolkit installs it, with pip. Here the environment is the user's own.
const NOT_INSTALLED: &str = "(setup.py: AWS's images install the package; here its modules are found where they lie, in \
                             /opt/ml/code and /opt/ml/code/src, and what it requires must be installed)";

/// The exit code of the toolkit when a script has failed.
const FAILED: i32 = 1;

impl Refusal {
    /// A mistake of whoever wrote the script.
    fn client(text: impl Into<String>) -> Self {
        Self { text: text.into(), exit_code: FAILED, help: None }
    }

    /// Whatever else goes wrong; the toolkit adds its Python traceback.
    fn framework(text: impl std::fmt::Display) -> Self {
        Self::client(format!("Framework Error: \n{text}"))
    }

    /// A file that is not there.
    fn missing(path: &str) -> Self {
        Self { exit_code: 2, ..Self::framework(format!("[Errno 2] No such file or directory: '{path}'")) }
    }

    fn internal(error: &io::Error) -> Self {
        Self::framework(error)
    }
}

/// Makes a script ready on one instance, whose configuration files are there. `launch` is what it runs in.
pub(super) fn prepare(
    work: &Work<'_>,
    image: &Image,
    programs: &Programs,
    environment: &BTreeMap<String, String>,
    tree: &Tree,
) -> Result<Script, Refusal> {
    let mut launch = Launch::of(programs, image, Vec::new(), environment);
    let configuration = Configuration::read(tree, &launch.environment).map_err(|error| Refusal::internal(&error))?;
    let base = launch.opt_ml(tree);
    let code = tree.make("code").map_err(|error| Refusal::internal(&error))?;
    source::fetch(work, configuration.submit_directory.as_deref(), tree, &code)?;
    let program = entry_point(configuration.program.as_deref())?;
    let arguments = configuration.arguments();
    let mut said = Vec::new();
    let python = launch.python().map_err(Refusal::framework)?;
    launch.command = match kind(&code, program) {
        Kind::Command => {
            let script = code.join(program);
            let executable = std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o777));
            executable.map_err(|_| Refusal::missing(&format!("{base}/code/{program}")))?;
            let arguments: Vec<_> = arguments.iter().map(|argument| quoted(argument)).collect();
            vec!["/bin/sh".to_owned(), "-c".to_owned(), format!("./{program} {}", arguments.join(" "))]
        }
        Kind::Package => {
            said.extend(source::requirements(&code, &python, Kind::Package)?);
            said.push(NOT_INSTALLED.to_owned());
            let module = program.strip_suffix(".py").unwrap_or(program).to_owned();
            [vec![python, "-m".to_owned(), module], arguments].concat()
        }
        Kind::Program => {
            said.extend(source::requirements(&code, &python, Kind::Program)?);
            [vec![python, "--".to_owned(), program.to_owned()], arguments].concat()
        }
    };
    let variables = configuration.variables(&base, &launch.environment);
    launch.environment.extend(variables);
    if source::keeps_modules_in_src(&code) {
        launch
            .environment
            .entry("PYTHONPATH".to_owned())
            .and_modify(|path| path.push_str(&format!(":{base}/code/src")));
    }
    launch.work_in("/opt/ml/code");
    if configuration.is_distributed() {
        said.push(
            "(distributed training: the script is run once on each instance, and nothing launches it together)"
                .to_owned(),
        );
    }
    said.push("Invoking script with the following command:".to_owned());
    said.push(launch.command.join(" "));
    Ok(Script { launch, said })
}

/// Leaves what the toolkit leaves of a script that has failed, unless the script has done so itself; gives what the toolkit
/// ends with.
pub(super) fn failed(tree: &Tree, command: &[String], status: ExitStatus, capture: &Capture) -> io::Result<i32> {
    let path = tree.at("output/failure");
    if path.exists() {
        return Ok(FAILED);
    }
    // Python's way to say that it was killed.
    let code = status.code().unwrap_or_else(|| -status.signal().unwrap_or_default());
    let extra = match code {
        137 => "ExtraInfo \"OutOfMemory: Process killed by SIGKILL (signal 9)\"\n",
        _ => "",
    };
    let (message, command) = (capture.message(), command.join(" "));
    let text =
        format!("ExecuteUserScriptError:\nExitCode {code}\nErrorMessage \"{message}\"\n{extra}Command \"{command}\"");
    std::fs::write(path, text)?;
    Ok(FAILED)
}

/// What an entry point is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A module of a Python package.
    Package,
    /// A Python script.
    Program,
    /// Anything else that can be executed.
    Command,
}

fn kind(code: &Path, program: &str) -> Kind {
    if program.ends_with(".sh") {
        Kind::Command
    } else if code.join("setup.py").exists() {
        Kind::Package
    } else if program.ends_with(".py") {
        Kind::Program
    } else {
        Kind::Command
    }
}

/// A name that can be a script of the code. The sentences are the toolkit's.
fn entry_point(program: Option<&str>) -> Result<&str, Refusal> {
    let allowed = |character: char| character.is_ascii_alphanumeric() || "._+-/".contains(character);
    let Some(program) = program.filter(|program| !program.is_empty()) else {
        return Err(Refusal::client(
            "The training entry point name is empty. Set the 'sagemaker_program' hyperparameter (or ContainerEntrypoint) to \
             the name of the script to run, relative to your source directory -- for example 'train.py' or 'train.sh'.",
        ));
    };
    let name = python::repr(&program.into());
    let mut unsupported: Vec<_> = program.chars().filter(|character| !allowed(*character)).collect();
    unsupported.sort_unstable();
    unsupported.dedup();
    let detail = if !unsupported.is_empty() {
        let named: Vec<_> = unsupported.iter().map(|character| python::repr(&character.to_string().into())).collect();
        format!("the character(s) {}", named.join(", "))
    } else if program.starts_with('-') {
        "a leading '-', which is read as a command-line option".to_owned()
    } else if program.starts_with('/') {
        "a leading '/', which makes it an absolute path".to_owned()
    } else if program.starts_with('+') || program.split('/').any(str::is_empty) {
        "an unsupported character at the start of the name".to_owned()
    } else if program.split('/').any(|segment| segment == "." || segment == "..") {
        return Err(Refusal::client(format!(
            "The training entry point {name} cannot be used because it contains '.' or '..' path segments. The entry \
             point must be a path inside your source directory. Set the 'sagemaker_program' hyperparameter (or \
             ContainerEntrypoint) to a path relative to that directory -- for example 'train.py' or 'bin/train.sh'."
        )));
    } else {
        return Ok(program);
    };
    Err(Refusal::client(format!(
        "The training entry point {name} cannot be used because it contains {detail}. Rename the script so its name \
         contains only letters, digits, '.', '_', '+', '-' and '/', and does not start with '-' or '/', then set the \
         'sagemaker_program' hyperparameter (or ContainerEntrypoint) to the new name -- for example 'train.py' or \
         'bin/train.sh'."
    )))
}

/// A word as `shlex.quote` quotes it for a shell.
fn quoted(word: &str) -> String {
    let plain = |character: char| character.is_ascii_alphanumeric() || "@%+=:,./-_".contains(character);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\"'\"'"))
    }
}
