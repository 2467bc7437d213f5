//! `cargo xtask ci`: what must hold before anything lands. The workflow on the server only calls this.

use std::process::ExitCode;

use anyhow::{Context, bail, ensure};
use clap::ValueEnum;
use serde_json::Value;
use xshell::Shell;

use crate::cargo::cargo;
use crate::flags::{Check, Ci, ImageCheck};

impl Ci {
    /// Runs the checks in their order, and stops at the first that fails.
    pub fn run(self, sh: &Shell) -> anyhow::Result<ExitCode> {
        for check in Check::value_variants() {
            if self.checks.is_empty() || self.checks.contains(check) {
                check.run(sh)?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl Check {
    fn run(self, sh: &Shell) -> anyhow::Result<()> {
        match self {
            Check::Fmt => cargo(sh).args(["fmt", "--all", "--check"]).run()?,
            Check::Clippy => {
                let clippy = cargo(sh).args(["clippy", "--workspace", "--all-targets", "--locked"]);
                clippy.args(["--", "-D", "warnings"]).run()?;
                // Apart, for what the benches need would build the AWS SDKs anew.
                let crates = ["sts-model", "sts-container", "model-monitor"];
                let packages = crates.iter().flat_map(|name| ["--package", name]);
                let features = crates.map(|name| format!("{name}/bench")).join(",");
                let benches = cargo(sh).arg("clippy").args(packages).args(["--features", &features, "--benches"]);
                benches.args(["--locked", "--", "-D", "warnings"]).run()?;
            }
            Check::Workspace => workspace(sh)?,
            Check::Doc => {
                let _warnings = sh.push_env("RUSTDOCFLAGS", "-D warnings");
                cargo(sh).args(["doc", "--workspace", "--no-deps", "--locked"]).run()?;
            }
            Check::Test => cargo(sh).args(["test", "--workspace", "--locked"]).run()?,
            Check::Image => drop(ImageCheck { archive: None }.run(sh)?),
        }
        Ok(())
    }
}

/// The crates that do no IO and know no AWS.
const PURE: [&str; 5] = ["container-image", "sts-model", "pipeline-definition", "model-monitor", "iam-policy"];

/// The crates that may depend on AWS SDKs.
const SPEAK_TO_AWS: [&str; 2] = ["toolkit", "conformance"];

/// The crates of AWS's that hold the types of a configuration.
const CONFIGURATION: [&str; 3] = ["aws-credential-types", "aws-smithy-runtime-api", "aws-types"];

/// What the manifests must hold to: see the invariants in ARCHITECTURE.md.
fn workspace(sh: &Shell) -> anyhow::Result<()> {
    let metadata = cargo(sh).args(["metadata", "--format-version", "1", "--no-deps", "--locked"]).quiet().read()?;
    let metadata: Value = serde_json::from_str(&metadata)?;
    let packages = metadata["packages"].as_array().context("cargo metadata lists no packages")?;
    let mut faults = Vec::new();
    for package in packages {
        let name = package["name"].as_str().unwrap_or_default();
        let manifest = sh.read_file(package["manifest_path"].as_str().unwrap_or_default())?;
        if !manifest.contains("[lints]\nworkspace = true") {
            faults.push(format!("{name}: does not take the lints of the workspace"));
        }
        for item in package["dependencies"].as_array().into_iter().flatten() {
            let (dependency, kind) = (item["name"].as_str().unwrap_or_default(), &item["kind"]);
            // What SDKs are configured with is no SDK, and whoever does not ask for it does not build it.
            let optional_types =
                name == "sagemaker-fake" && item["optional"] == true && CONFIGURATION.contains(&dependency);
            let aws = dependency.starts_with("aws-") && !optional_types;
            if aws && !SPEAK_TO_AWS.contains(&name) && (kind != "dev" || name == "xtask") {
                faults
                    .push(format!("{name}: depends on {dependency}; only {} speak to AWS", SPEAK_TO_AWS.join(" and ")));
            }
            if PURE.contains(&name) && kind != "dev" && ["tokio", "axum", "reqwest", "hyper"].contains(&dependency) {
                faults.push(format!("{name}: depends on {dependency}; it does no IO"));
            }
        }
        let mut section = "";
        for line in manifest.lines() {
            if line.starts_with('[') {
                section = line;
            }
            if !section.ends_with("dependencies]") {
                continue;
            }
            if line.contains("= \"") || line.contains("version = ") {
                faults.push(format!("{name}: `{line}` names a version; versions stand in the root manifest"));
            }
        }
    }
    ensure!(!packages.is_empty(), "cargo metadata lists no packages");
    if !faults.is_empty() {
        bail!("the workspace does not hold to its invariants:\n  {}", faults.join("\n  "));
    }
    println!("workspace: {} packages hold to the invariants", packages.len());
    Ok(())
}
