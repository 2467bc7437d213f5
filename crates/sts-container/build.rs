//! Makes `STS_CONTAINER_TAG`: a hash of everything that the program is made of, for the tag of its image.

use std::hash::{DefaultHasher, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Beside the folders of source: what says which libraries are linked, and in which versions.
const MANIFESTS: [&str; 5] =
    ["../../Cargo.lock", "../../Cargo.toml", "Cargo.toml", "../model-monitor/Cargo.toml", "../sts-model/Cargo.toml"];

fn main() {
    let mut files: Vec<_> = MANIFESTS.map(PathBuf::from).into();
    for folder in ["src", "../model-monitor/src", "../sts-model/src"] {
        println!("cargo::rerun-if-changed={folder}");
        collect(Path::new(folder), &mut files);
    }
    for manifest in MANIFESTS {
        println!("cargo::rerun-if-changed={manifest}");
    }
    files.sort();
    let mut hash = DefaultHasher::new();
    for file in files {
        hash.write(file.to_string_lossy().as_bytes());
        hash.write(&std::fs::read(&file).unwrap_or_default());
    }
    // Another compiler makes another program.
    let compiler = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    hash.write(&Command::new(compiler).arg("--version").output().map(|said| said.stdout).unwrap_or_default());
    println!("cargo::rustc-env=STS_CONTAINER_TAG={:016x}", hash.finish());
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, files);
        } else {
            files.push(path);
        }
    }
}
