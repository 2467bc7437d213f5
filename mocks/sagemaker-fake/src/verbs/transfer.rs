//! `export` and `import`: the account on its way out and in.

use std::fs::File;
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use http::Method;
use sagemaker_fake::doors::control;
use sagemaker_fake::export;

use super::target::{Target, Unserved};
use crate::Output;

/// Prints the state as one JSON document, or writes the whole account into a file
#[derive(Args)]
pub struct Export {
    /// The file, a tar: the state, and the contents of S3's objects, logs, and models that serve
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    #[command(flatten)]
    target: Target,
}

/// Takes the account over that was exported into a file, in place of the one that is there
#[derive(Args)]
pub struct Import {
    /// What was exported: a tar, or a state as JSON that refers to no contents
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    target: Target,
}

impl Export {
    pub fn run(self, output: Output) -> anyhow::Result<()> {
        let Some(path) = &self.file else {
            let state = match &self.target.url {
                Some(url) => control::ask(url, &Method::GET, "state")?,
                None => export::folder(&self.target.state)?,
            };
            println!("{}", serde_json::to_string_pretty(&state)?);
            return Ok(());
        };
        // Whole or not at all.
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let cannot_write = || format!("cannot write {}", path.display());
        let mut draft = tempfile::NamedTempFile::new_in(folder).with_context(cannot_write)?;
        self.target.with(Unserved::Rests, |url| Ok(control::download(url, "archive", draft.as_file_mut())?))?;
        draft.as_file_mut().flush().with_context(cannot_write)?;
        let size = draft.as_file().metadata().with_context(cannot_write)?.len();
        draft.persist(path).with_context(cannot_write)?;
        match output {
            Output::Text => println!("exported into {} ({size} bytes)", path.display()),
            Output::Json => println!("{}", serde_json::json!({"file": path, "bytes": size})),
        }
        Ok(())
    }
}

impl Import {
    pub fn run(self, output: Output) -> anyhow::Result<()> {
        let cannot_read = || format!("cannot read {}", self.file.display());
        let mut file = File::open(&self.file).with_context(cannot_read)?;
        let what = if is_json(&mut file).with_context(cannot_read)? { "state" } else { "archive" };
        let counts = self.target.with(Unserved::Begins, |url| Ok(control::upload(url, &Method::POST, what, &file)?))?;
        match output {
            Output::Text => println!("imported {}: {}", self.file.display(), super::counted(&counts)),
            Output::Json => println!("{counts}"),
        }
        Ok(())
    }
}

/// Whether a file begins as a JSON document does, and no tar.
fn is_json(file: &mut File) -> std::io::Result<bool> {
    let mut first = [0; 1];
    let read = file.read(&mut first)?;
    file.rewind()?;
    Ok(read == 1 && (first[0] == b'{' || first[0].is_ascii_whitespace()))
}
