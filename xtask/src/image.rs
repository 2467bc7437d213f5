//! `cargo xtask image`: the container image of `sts-container`, made without Docker; pushing it is the toolkit's business.
//!
//! The same source and toolchain make the same image, to the bit, wherever they are checked out. [`check`] runs its
//! program as SageMaker would, [`container`] is where it does, and [`files`] are what it is given there.

mod check;
mod container;
mod files;

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, ensure};
use container_image::{File, Image, Layer, Platform, Runs};
use xshell::{Shell, cmd};

use crate::cargo::cargo;
use crate::flags::ImageBuild;
use crate::forward;

/// Where the program is in the image.
const PROGRAM: &str = "usr/bin/sts-container";

/// What the image is made of: whatever else changes leaves it the image that it was.
const SOURCES: [&str; 5] =
    ["Cargo.lock", "crates/container-image", "crates/model-monitor", "crates/sts-container", "crates/sts-model"];

/// Targets that need nothing of the system that the program runs on, the best first: musl is made for it, the GNU one
/// does it too.
const TARGETS: [&str; 2] = ["x86_64-unknown-linux-musl", "x86_64-unknown-linux-gnu"];

/// An image in its archive.
pub struct Built {
    /// The archive.
    pub archive: PathBuf,
    name: String,
    image: Image,
    /// Of the program, in bytes.
    unpacked: usize,
}

impl fmt::Display for Built {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { archive, name, image, unpacked } = self;
        writeln!(f, "{name}")?;
        writeln!(f, "digest   {}", image.digest())?;
        writeln!(f, "size     {}, of which the program unpacked {}", megabytes(image.size()), megabytes(*unpacked))?;
        write!(f, "archive  {}", archive.display())
    }
}

impl ImageBuild {
    /// Builds the program, makes the image, and writes it as an archive.
    ///
    /// # Errors
    /// When the program does not build, or the archive cannot be written.
    pub fn run(self, sh: &Shell) -> anyhow::Result<ExitCode> {
        println!("{}", build(sh, self.out)?);
        eprintln!("`docker load --input` takes it; `cargo xtask image push` brings it into a registry as it is");
        Ok(ExitCode::SUCCESS)
    }
}

/// Has the toolkit push the image: that of `--archive`, else the one that is built now.
///
/// # Errors
/// When the image cannot be built, or the toolkit cannot be run.
pub fn push(sh: &Shell, mut arguments: Vec<OsString>) -> anyhow::Result<ExitCode> {
    let is_given = |argument: &OsString| {
        let argument = argument.to_string_lossy();
        argument.starts_with("--archive") || matches!(argument.as_ref(), "--help" | "-h")
    };
    if !arguments.iter().any(is_given) {
        let built = build(sh, None)?;
        eprintln!("{built}");
        arguments.extend(["--archive".into(), built.archive.into_os_string()]);
    }
    forward::toolkit(sh, arguments)
}

/// Builds the image and writes its archive.
///
/// # Errors
/// When the program does not build, or the archive cannot be written.
pub fn build(sh: &Shell, out: Option<PathBuf>) -> anyhow::Result<Built> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("the workspace has no folder")?;
    // What the caller names is named from where the caller is.
    let out = out.map(|out| sh.current_dir().join(out));
    let _in_root = sh.push_dir(root);
    let folder = target_folder(sh)?;
    let program = program(sh, root, &folder)?;
    let tag = tag(sh, &program)?;
    let content = sh.read_binary_file(&program)?;
    let unpacked = content.len();
    let files = [File::program(PROGRAM, content), File::shared_directory("tmp")];
    let runs = Runs { entrypoint: vec![format!("/{PROGRAM}")], labels: labels(sh, &tag), ..Runs::default() };
    let image = Image::new(&Platform::linux_amd64(), &runs, vec![Layer::new(files)?])?;
    let name = format!("sts-container:{tag}");
    let archive = out.unwrap_or_else(|| folder.join(format!("sts-container-{tag}.tar")));
    sh.write_file(&archive, image.to_archive(&name)?)?;
    Ok(Built { name, image, archive, unpacked })
}

/// The folder in which the image is built: builds for it and other builds do not undo each other.
fn target_folder(sh: &Shell) -> anyhow::Result<PathBuf> {
    let metadata = cargo(sh).args(["metadata", "--format-version", "1", "--no-deps", "--locked"]).quiet().read()?;
    let metadata: serde_json::Value = serde_json::from_str(&metadata)?;
    let target = metadata["target_directory"].as_str().context("cargo metadata names no target directory")?;
    Ok(Path::new(target).join("image"))
}

/// Builds the program; where it is.
fn program(sh: &Shell, root: &Path, folder: &Path) -> anyhow::Result<PathBuf> {
    let sysroot = cmd!(sh, "rustc --print sysroot").quiet().read()?;
    let has = |target: &&str| Path::new(&sysroot).join("lib/rustlib").join(target).is_dir();
    let target = TARGETS.into_iter().find(has).with_context(|| {
        format!("the toolchain builds for none of {}; `rustup target add {}` adds one", TARGETS.join(", "), TARGETS[0])
    })?;
    let home = std::env::home_dir().context("nobody's home folder is known")?;
    let cargo_home = std::env::var_os("CARGO_HOME").map_or_else(|| home.join(".cargo"), PathBuf::from);
    // Where things are on this machine must not show in the program. The last that fits is taken.
    let places =
        [(&*cargo_home, "/cargo"), (Path::new(&sysroot), "/rust"), (root, "/source"), (folder, "/source/target")];
    let renamed = places.map(|(place, name)| format!("--remap-path-prefix={}={name}", place.display()));
    let flags = [&["-Ctarget-feature=+crt-static".to_owned()], renamed.as_slice()].concat();
    eprintln!("building sts-container for {target}: about a minute and a half on two cores, the first time");
    let build =
        cargo(sh).args(["build", "--quiet", "--locked", "--package", "sts-container", "--bin", "sts-container"]);
    let build = build.args(["--profile", "image", "--target", target, "--target-dir"]).arg(folder);
    // The flags of whoever calls are not ours: they would make another program.
    let build = build.env("CARGO_ENCODED_RUSTFLAGS", flags.join("\x1f")).env("CARGO_INCREMENTAL", "0");
    build.quiet().run().context("sts-container does not build")?;
    let program = folder.join(target).join("image/sts-container");
    let content = sh.read_binary_file(&program)?;
    for place in [cargo_home.join("registry"), root.join("crates"), folder.join(target)] {
        let place = place.display().to_string();
        let shows = content.windows(place.len()).any(|bytes| bytes == place.as_bytes());
        ensure!(!shows, "{place} shows in {}: elsewhere it would be another program", program.display());
    }
    Ok(program)
}

/// The tag of the image, which the program knows: a hash of its source.
fn tag(sh: &Shell, program: &Path) -> anyhow::Result<String> {
    let version = cmd!(sh, "{program} --version").quiet().read().context("the program does not run on this machine")?;
    let tag = version.split(' ').next_back().unwrap_or_default().to_owned();
    ensure!(tag.len() == 16 && tag.bytes().all(|byte| byte.is_ascii_hexdigit()), "`{version}` names no tag");
    Ok(tag)
}

/// Where the program comes from. Without git, or outside of a repository, nothing is known of it.
fn labels(sh: &Shell, tag: &str) -> std::collections::BTreeMap<String, String> {
    let git = |arguments: &[&str]| {
        cmd!(sh, "git").args(arguments).args(["--"]).args(SOURCES).quiet().ignore_stderr().read().unwrap_or_default()
    };
    let revision = match (git(&["log", "--max-count=1", "--format=%H"]), git(&["status", "--porcelain"])) {
        (revision, changes) if changes.is_empty() => revision,
        (revision, _) => format!("{revision}-dirty"),
    };
    let origin = cmd!(sh, "git remote get-url origin").quiet().ignore_stderr().read().unwrap_or_default();
    let facts = [
        ("title", "sts-container".to_owned()),
        ("version", tag.to_owned()),
        ("revision", revision),
        ("source", public(&origin).unwrap_or_default()),
    ];
    let known = facts.into_iter().filter(|(_, fact)| !fact.is_empty());
    known.map(|(name, fact)| (format!("org.opencontainers.image.{name}"), fact)).collect()
}

/// The URL of a repository as anyone may read it: nothing of a folder of this machine, and nobody's password.
fn public(origin: &str) -> Option<String> {
    let (scheme, rest) = origin.split_once("://").filter(|(scheme, _)| matches!(*scheme, "https" | "http" | "ssh"))?;
    let (host, path) = rest.split_once('/')?;
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    Some(format!("{scheme}://{host}/{path}"))
}

#[expect(clippy::cast_precision_loss, reason = "for people")]
fn megabytes(bytes: usize) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_source_is_told_without_what_is_private() {
        for (origin, expected) in [
            ("https://example.com/team/project.git", Some("https://example.com/team/project.git")),
            ("https://me:secret@example.com/team/project.git", Some("https://example.com/team/project.git")),
            ("/home/me/project", None),
            ("file:///home/me/project", None),
            ("", None),
        ] {
            assert_eq!(public(origin).as_deref(), expected, "{origin}");
        }
    }
}
