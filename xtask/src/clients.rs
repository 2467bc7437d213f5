//! `cargo xtask clients`: other people's clients do the journey on the fake, by the scripts under `mocks/clients`.
//!
//! What a client needs is installed below `target/clients`, in the versions that the scripts pin, and stays there. Where
//! that is not possible (no Python, no Terraform, no network) the client is skipped with the reason.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::Instant;

use anyhow::{Context, bail};
use clap::ValueEnum;
use serde_json::Value;
use xshell::{Shell, TempDir, cmd};

use crate::flags::{Client, Clients};
use crate::{forward, image};

impl Clients {
    /// Tries one client after the other, each on an account of its own, and tells how it went.
    ///
    /// # Errors
    /// When the fake does not build or start.
    pub fn run(self, sh: &Shell) -> anyhow::Result<ExitCode> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("the workspace has no folder")?;
        let fake = forward::built_mock(sh)?;
        let target = fake.parent().and_then(Path::parent).context("the build has no folder")?;
        let place = Place { scripts: root.join("mocks/clients"), folder: target.join("clients"), root, fake: &fake };
        sh.create_dir(&place.folder)?;
        let mut code = ExitCode::SUCCESS;
        for client in Client::value_variants() {
            if !self.clients.is_empty() && !self.clients.contains(client) {
                continue;
            }
            let name = client.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
            println!("{name}:");
            let begin = Instant::now();
            match client.prepare(sh, &place)? {
                Err(reason) if self.require => bail!("{name} cannot be tried: {reason}"),
                Err(reason) => println!("  skipped: {reason}"),
                Ok(scripts) if scripts.run(sh, &place)? => println!("  passed in {} s", begin.elapsed().as_secs()),
                Ok(_) => {
                    println!("  FAILED");
                    code = ExitCode::FAILURE;
                }
            }
        }
        Ok(code)
    }
}

/// Where everything is.
struct Place<'a> {
    root: &'a Path,
    scripts: PathBuf,
    /// What is installed and written.
    folder: PathBuf,
    fake: &'a Path,
}

/// A client's scripts, ready to run: their interpreter if they need one, their names, and a folder of programs that they
/// find first.
#[derive(Default)]
struct Scripts {
    interpreter: Option<PathBuf>,
    names: &'static [&'static str],
    path: Option<PathBuf>,
    /// The map of images that the fake is given.
    images: Option<PathBuf>,
    /// The archive of the steps' image.
    archive: Option<PathBuf>,
}

impl Client {
    /// Sees to it that the client is there; the reason if it cannot be.
    fn prepare(self, sh: &Shell, place: &Place<'_>) -> anyhow::Result<Result<Scripts, String>> {
        match self {
            Client::Boto3 => Ok(venv(sh, place, "aws")?.map(|bin| python(&bin, &["journey.py", "s3.py", "ecr.py"]))),
            Client::Sdk => Ok(venv(sh, place, "sdk")?.map(|bin| python(&bin, &["sdk_journey.py"]))),
            Client::Scripts => {
                let ways = [
                    cmd!(sh, "unshare -m true"),
                    cmd!(sh, "unshare -U -r -m true"),
                    cmd!(sh, "bwrap --dev-bind / / true"),
                ];
                if !ways.into_iter().any(succeeds) {
                    return Ok(Err(
                        "nobody may have a view of the files here in which /opt/ml is a job's own".to_owned()
                    ));
                }
                let (sdk, mapped) = (venv(sh, place, "sdk")?, venv(sh, place, "scripts")?);
                // Beside the environment that it names.
                let images = place.folder.join("images.toml");
                sh.copy_file(place.scripts.join("scripts/images.toml"), &images)?;
                let ready = sdk.and_then(|bin| mapped.map(|_| python(&bin, &["scripts_journey.py"])));
                Ok(ready.map(|scripts| Scripts { images: Some(images), ..scripts }))
            }
            Client::Cli => {
                let bin = venv(sh, place, "aws")?;
                Ok(bin.map(|bin| Scripts { names: &["journey.sh"], path: Some(bin), ..Scripts::default() }))
            }
            Client::Skopeo if !succeeds(cmd!(sh, "skopeo --version")) => Ok(Err("no skopeo".to_owned())),
            Client::Skopeo => {
                let (bin, archive) = (venv(sh, place, "aws")?, Some(image::build(sh, None)?.archive));
                Ok(bin.map(|bin| Scripts { names: &["skopeo.sh"], path: Some(bin), archive, ..Scripts::default() }))
            }
            Client::Terraform => {
                let ready = terraform(sh, place)?;
                Ok(ready.map(|()| Scripts { names: &["terraform.sh"], ..Scripts::default() }))
            }
        }
    }
}

fn python(bin: &Path, names: &'static [&'static str]) -> Scripts {
    Scripts { interpreter: Some(bin.join("python")), names, ..Scripts::default() }
}

/// A virtual environment with the packages of `requirements-NAME.txt`; gives its folder of programs.
fn venv(sh: &Shell, place: &Place<'_>, name: &str) -> anyhow::Result<Result<PathBuf, String>> {
    let requirements = place.scripts.join(format!("requirements-{name}.txt"));
    let (venv, wanted) = (place.folder.join(name), sh.read_file(&requirements)?);
    let (bin, installed) = (venv.join("bin"), venv.join("installed.txt"));
    if sh.read_file(&installed).is_ok_and(|installed| installed == wanted) {
        return Ok(Ok(bin));
    }
    if !succeeds(cmd!(sh, "python3 --version")) {
        return Ok(Err("no python3".to_owned()));
    }
    if !succeeds(cmd!(sh, "python3 -m venv --clear {venv}")) {
        return Ok(Err("python3 cannot make virtual environments".to_owned()));
    }
    let pip = bin.join("pip");
    let install =
        cmd!(sh, "{pip} install --quiet --disable-pip-version-check --retries 1 --timeout 10 -r {requirements}");
    if !succeeds(install) {
        return Ok(Err(format!("pip cannot install {}", requirements.display())));
    }
    sh.write_file(&installed, wanted)?;
    Ok(Ok(bin))
}

/// Terraform's provider, from wherever its own configuration says.
fn terraform(sh: &Shell, place: &Place<'_>) -> anyhow::Result<Result<(), String>> {
    if !succeeds(cmd!(sh, "terraform version")) {
        return Ok(Err("no terraform".to_owned()));
    }
    let work = place.folder.join("terraform");
    sh.create_dir(&work)?;
    sh.copy_file(place.scripts.join("terraform/main.tf"), &work)?;
    if !succeeds(cmd!(sh, "terraform -chdir={work} init -input=false")) {
        return Ok(Err("terraform cannot install the AWS provider".to_owned()));
    }
    Ok(Ok(()))
}

fn succeeds(command: xshell::Cmd<'_>) -> bool {
    command.quiet().ignore_stdout().ignore_stderr().run().is_ok()
}

impl Scripts {
    /// Runs them on a fresh account, with another one beside it; whether all succeeded.
    fn run(&self, sh: &Shell, place: &Place<'_>) -> anyhow::Result<bool> {
        let account = Account::start(sh, place.fake, self.images.as_deref())?;
        let empty = Account::start(sh, place.fake, None)?;
        for name in self.names {
            if !self.run_one(place, name, &account, &empty)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn run_one(&self, place: &Place<'_>, name: &str, account: &Account, empty: &Account) -> anyhow::Result<bool> {
        let script = place.scripts.join(name);
        let mut command = match &self.interpreter {
            Some(interpreter) => {
                let mut command = Command::new(interpreter);
                command.arg(script);
                command
            }
            None => Command::new(script),
        };
        if let Some(bin) = &self.path {
            let paths = std::env::var_os("PATH").unwrap_or_default();
            let paths = std::iter::once(bin.clone()).chain(std::env::split_paths(&paths));
            command.env("PATH", std::env::join_paths(paths)?);
        }
        // Nothing of the user's own: what a client finds there, a profile above all, could lead it to AWS.
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("AWS_")) {
            command.env_remove(name);
        }
        let status = command
            .env("AWS_ENDPOINT_URL", &account.endpoint_url)
            .env("CONTROL_URL", &account.control_url)
            .env("EMPTY_ENDPOINT_URL", &empty.endpoint_url)
            .env("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
            .env("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
            .env("AWS_REGION", "eu-west-1")
            .env("AWS_DEFAULT_REGION", "eu-west-1")
            .env("AWS_CONFIG_FILE", "/dev/null")
            .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("PAIRS", place.root.join("mocks/data/pairs.tsv"))
            .envs(self.archive.iter().map(|archive| ("ARCHIVE", archive)))
            .env("FAKE", place.fake)
            .env("VENV", place.folder.join("scripts"))
            .env("WORK", place.folder.join("terraform"))
            .status()
            .with_context(|| format!("cannot run {name}"))?;
        Ok(status.success())
    }
}

/// A fake that is served while this lives.
struct Account {
    server: Child,
    endpoint_url: String,
    control_url: String,
    _state: TempDir,
}

impl Account {
    fn start(sh: &Shell, fake: &Path, images: Option<&Path>) -> anyhow::Result<Self> {
        let state = sh.create_temp_dir()?;
        let mut server = Command::new(fake)
            .args(["serve", "--port", "0", "--output", "json", "--state"])
            .arg(state.path())
            .args(images.iter().flat_map(|images| [OsStr::new("--images"), images.as_os_str()]))
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot run {}", fake.display()))?;
        let mut line = String::new();
        BufReader::new(server.stdout.take().context("the fake has no output")?).read_line(&mut line)?;
        let ready: Value = serde_json::from_str(&line).context("the fake does not say where it is served")?;
        let url = |name: &str| ready[name].as_str().map(str::to_owned);
        let endpoint_url = url("endpoint_url").context("the fake does not say where it is served")?;
        let control_url = url("control_url").unwrap_or_else(|| format!("{endpoint_url}/_stsmm"));
        Ok(Self { server, endpoint_url, control_url, _state: state })
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        // In order, so that it takes its endpoints along. It may be gone already.
        _ = Command::new("kill").arg(self.server.id().to_string()).status();
        _ = self.server.wait();
    }
}
