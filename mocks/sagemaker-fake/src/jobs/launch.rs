//! What is started as a container: a command with its surroundings and limits, and how it finds its files.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::namespace::{self, Namespace};
use super::processes::OPT_ML;
use super::programs::{Image, Limits, Programs, Python};
use super::tree::Tree;

/// What is started as a container.
#[derive(Debug, Clone)]
pub(crate) struct Launch {
    /// The command line, as it would be in a container.
    pub command: Vec<String>,
    /// The environment, as it would be in a container.
    pub environment: BTreeMap<String, String>,
    /// What it may take.
    pub limits: Limits,
    python: Option<Python>,
    working_directory: Option<String>,
    files: Files,
}

/// How a program finds what is `/opt/ml` in a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Files {
    /// It looks where `STSMM_OPT_ML` says, as our own does.
    Asked,
    /// They are there.
    There(Namespace),
    /// What it is told of `/opt/ml` is told of the instance's folder instead.
    Told,
}

impl Launch {
    /// What stands for the image of a URI, with the entrypoint, arguments and environment that are asked for; otherwise a
    /// sentence that says what is missing.
    pub(crate) fn new(
        programs: &Programs,
        (uri, image): (&str, &Image),
        entrypoint: &[String],
        arguments: &[String],
        environment: &BTreeMap<String, String>,
    ) -> Result<Self, String> {
        let command = image.command(uri, programs.own(), entrypoint, arguments)?;
        Ok(Self::of(programs, image, command, environment))
    }

    /// A command in the surroundings of an image.
    pub(crate) fn of(
        programs: &Programs,
        image: &Image,
        command: Vec<String>,
        environment: &BTreeMap<String, String>,
    ) -> Self {
        // Our own program needs no namespace: whoever runs nothing else does not wait for one to be tried.
        let namespace = || if programs.is_relocated() { None } else { Namespace::available() };
        let files = if image.is_own() { Files::Asked } else { namespace().map_or(Files::Told, Files::There) };
        let mut whole = image.environment.clone();
        whole.extend(environment.clone());
        Self {
            command,
            environment: whole,
            limits: image.limits.clone(),
            python: image.python.clone(),
            working_directory: image.working_directory.clone(),
            files,
        }
    }

    /// The interpreter of the image's Python: the one that stands for it, else that of this machine.
    pub(crate) fn python(&self) -> Result<String, String> {
        if let Some(python) = &self.python {
            return Ok(python.executable.to_string_lossy().into_owned());
        }
        let path = self.search_path();
        let found = std::env::split_paths(&path).map(|folder| folder.join("python3")).find(|file| file.is_file());
        let found =
            found.ok_or("no Python stands for the one in the image: give its [[image]] a `python`, or install python3");
        Ok(found?.to_string_lossy().into_owned())
    }

    /// Begins in this directory, wherever the image would.
    pub(crate) fn work_in(&mut self, directory: &str) {
        self.working_directory = Some(directory.to_owned());
    }

    /// The folder that the program knows as `/opt/ml`.
    pub(crate) fn opt_ml(&self, tree: &Tree) -> String {
        self.seen("/opt/ml", tree)
    }

    /// What is to be said in the log before the program says anything.
    pub(crate) fn notice(&self, tree: &Tree) -> Option<String> {
        (self.files == Files::Told).then(|| {
            format!(
                "(/opt/ml is at {0}: {HELP}. What begins with /opt/ml in arguments and environment now begins with that)",
                tree.opt_ml().display(),
                HELP = namespace::HELP
            )
        })
    }

    /// Whether the process that is started is not the program itself, but waits for it.
    pub(crate) fn is_waited_for(&self) -> bool {
        matches!(self.files, Files::There(namespace) if namespace.waits())
    }

    /// What is to be spawned: in the instance's folder, with nothing of our own environment but the search path.
    pub(crate) fn prepare(&self, tree: &Tree) -> io::Result<Command> {
        let directory = self.directory(tree)?;
        let mut environment: BTreeMap<OsString, OsString> =
            self.environment.iter().map(|(name, value)| (name.into(), self.seen(value, tree).into())).collect();
        let path = self.search_path();
        if let Some(python) = &self.python {
            // As AWS's images have it: what a script prints is in the log even if it is killed.
            environment.entry("PYTHONUNBUFFERED".into()).or_insert_with(|| "1".into());
            if let Some(folder) = &python.virtual_env {
                environment.entry("VIRTUAL_ENV".into()).or_insert_with(|| folder.into());
            }
        }
        environment.insert(OPT_ML.into(), tree.opt_ml().into());
        let path = environment.entry("PATH".into()).or_insert(path).clone();

        let command: Vec<_> = self.command.iter().map(|argument| self.seen(argument, tree)).collect();
        self.find(command.first().map_or("", String::as_str), tree, &path)?;
        let (line, start) = match self.files {
            Files::There(namespace) => {
                namespace::lay_out(tree)?;
                let line = [unspeakable(&self.environment), command].concat();
                (namespace.command(tree, &directory, &line), tree.root().to_owned())
            }
            Files::Asked | Files::Told => (command, directory),
        };
        let (program, arguments) = line.split_first().ok_or(io::ErrorKind::InvalidInput)?;
        let mut command = Command::new(program);
        command.args(arguments).current_dir(start).env_clear().envs(environment);
        Ok(command)
    }

    /// The folder in which the program begins, as it knows it.
    fn directory(&self, tree: &Tree) -> io::Result<PathBuf> {
        let Some(directory) = &self.working_directory else { return Ok(tree.root().to_owned()) };
        match tree.within(directory) {
            Some(here) => std::fs::create_dir_all(here)?,
            None if Path::new(directory).is_dir() => {}
            None => {
                return Err(io::Error::new(
                    io::ErrorKind::NotFound,
                    format!("there is no working_directory {directory}"),
                ));
            }
        }
        Ok(self.seen(directory, tree).into())
    }

    /// The folder of the Python environment before our own.
    fn search_path(&self) -> OsString {
        let own = std::env::var_os("PATH").unwrap_or_default();
        let first = self.python.iter().map(|python| python.folder().to_owned());
        std::env::join_paths(first.chain(std::env::split_paths(&own))).unwrap_or(own)
    }

    /// A text as the program is to see it.
    fn seen(&self, text: &str, tree: &Tree) -> String {
        if self.files == Files::Told { relocated(text, tree) } else { text.to_owned() }
    }

    /// Makes sure that there is such a program: whatever starts it would say so less clearly.
    fn find(&self, program: &str, tree: &Tree, path: &OsString) -> io::Result<()> {
        let found = if !program.contains('/') {
            std::env::split_paths(path).any(|folder| folder.join(program).is_file())
        } else if Path::new(program).is_relative() {
            true
        } else {
            tree.within(program).unwrap_or_else(|| program.into()).exists()
        };
        if found {
            Ok(())
        } else {
            Err(io::Error::new(io::ErrorKind::NotFound, "there is no such program on this machine"))
        }
    }
}

/// A text that begins with `/opt/ml`, or is `NAME=` and such a text, with the instance's folder instead.
fn relocated(text: &str, tree: &Tree) -> String {
    let (name, value) = match text.split_once('=') {
        Some((name, value)) if name.starts_with('-') => (&text[..=name.len()], value),
        _ => ("", text),
    };
    match tree.within(value) {
        Some(path) => format!("{name}{}", path.display()),
        None => text.to_owned(),
    }
}

/// `env NAME=VALUE ...` for the variables whose names a shell forgets, as the `SM_HP_LEARNING-RATE` of script mode.
fn unspeakable(environment: &BTreeMap<String, String>) -> Vec<String> {
    let is_word = |name: &str| {
        !name.starts_with(|first: char| first.is_ascii_digit())
            && name.chars().all(|character| character.is_ascii_alphanumeric() || character == '_')
    };
    let forgotten: Vec<_> =
        environment.iter().filter(|(name, _)| !is_word(name)).map(|(name, value)| format!("{name}={value}")).collect();
    if forgotten.is_empty() { Vec::new() } else { std::iter::once("env".to_owned()).chain(forgotten).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_begins_with_opt_ml_is_relocated() {
        let tree = Tree::new(Path::new("/state/algo-1")).unwrap();
        let check = |text: &str, expected: &str| assert_eq!(relocated(text, &tree), expected, "{text}");
        check("/opt/ml", "/state/algo-1/opt/ml");
        check("/opt/ml/processing/input/code/x.py", "/state/algo-1/opt/ml/processing/input/code/x.py");
        check("--model=/opt/ml/model", "--model=/state/algo-1/opt/ml/model");
        check("x=/opt/ml/model", "x=/opt/ml/model");
        check("/opt/mlx", "/opt/mlx");
        check("see /opt/ml", "see /opt/ml");
    }

    #[test]
    fn what_a_shell_forgets_is_said_again() {
        let environment = |names: &[&str]| names.iter().map(|name| ((*name).to_owned(), "1".to_owned())).collect();
        assert_eq!(unspeakable(&environment(&["A", "SM_HP_L2"])), [""; 0]);
        assert_eq!(
            unspeakable(&environment(&["A", "SM_HP_LEARNING-RATE", "2B"])),
            ["env", "2B=1", "SM_HP_LEARNING-RATE=1"]
        );
    }
}
