//! A program and the folder that it has as `/opt/ml`: as a container, with nothing else around it, or relocated.

use std::ffi::OsString;
use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use container_image::Image;
use flate2::read::GzDecoder;

use super::files::Files;

/// How long SageMaker waits for a server to be well, and the server is given to end, at most.
const PATIENCE: Duration = Duration::from_secs(30);

/// Where a verb of the steps' program can be run.
pub struct Container {
    /// What is `/opt/ml` there.
    opt_ml: PathBuf,
    /// The program, with all that comes before its verb.
    command: Vec<OsString>,
    /// Its environment, beside what a job adds: nothing else is in it.
    environment: Vec<(String, String)>,
}

impl Container {
    /// The entrypoint of an image, with `root`, where nothing but the files of the image is, as its root folder.
    ///
    /// # Errors
    /// When the image cannot be unpacked, or nobody may have a root folder of his own here.
    pub fn of_image(image: &Image, root: &Path) -> anyhow::Result<Self> {
        for layer in image.layers() {
            let mut files = tar::Archive::new(GzDecoder::new(layer.blob().bytes()));
            files.set_preserve_permissions(true);
            files.unpack(root).context("a layer cannot be unpacked")?;
        }
        let config: serde_json::Value = serde_json::from_slice(image.config().bytes())?;
        let words = |name: &str| -> Vec<String> {
            config["config"][name]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|word| word.as_str().map(str::to_owned))
                .collect()
        };
        let pairs = words("Env")
            .into_iter()
            .filter_map(|pair| pair.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned())));
        let (environment, entrypoint): (Vec<_>, _) = (pairs.collect(), words("Entrypoint"));

        // Root may, unless something forbids it; whoever else may where there are user namespaces.
        let ways: [&[&str]; 2] = [&["chroot"], &["unshare", "--user", "--map-root-user", "chroot"]];
        let mut refusals = Vec::new();
        for way in ways {
            let way = way.iter().map(|word| program(word));
            let command = way.chain([root.into()]).chain(entrypoint.iter().map(OsString::from)).collect();
            let container = Self { opt_ml: root.join("opt/ml"), command, environment: environment.clone() };
            let tried = container.command("--version").output();
            match tried {
                Ok(output) if output.status.success() => return Ok(container),
                Ok(output) => refusals.push(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
                Err(error) => refusals.push(format!("{}: {error}", container.command[0].display())),
            }
        }
        bail!(
            "the image's program cannot be run with a root folder of its own: {}; it must be static, and whoever is not root \
             needs user namespaces",
            refusals.join("; ")
        )
    }

    /// The program that the fake runs, with `/opt/ml` in a folder of this machine.
    pub fn of_library(fake: &Path, folder: &Path) -> Self {
        Self {
            opt_ml: folder.to_owned(),
            command: vec![fake.into(), "container".into()],
            environment: vec![("STSMM_OPT_ML".to_owned(), folder.display().to_string())],
        }
    }

    fn command(&self, verb: &str) -> Command {
        let mut command = Command::new(&self.command[0]);
        command.args(&self.command[1..]).arg(verb).env_clear().envs(self.environment.iter().cloned());
        command.env("AWS_REGION", "eu-west-1").stdin(Stdio::null());
        command
    }

    /// Runs a job to its end; what is in `/opt/ml` then, and as `log` what it printed.
    ///
    /// # Errors
    /// When it fails.
    pub fn job(&self, verb: &str, given: &Files, environment: &[(&str, &str)]) -> anyhow::Result<Files> {
        given.write(&self.opt_ml)?;
        let output = self.command(verb).envs(environment.iter().copied()).output()?;
        let log = [output.stdout, output.stderr].concat();
        ensure!(output.status.success(), "{verb} failed ({}): {}", output.status, String::from_utf8_lossy(&log).trim());
        Ok(Files::read(&self.opt_ml)?.with("log", log))
    }

    /// Serves a model at a port that it is told, and ends when it is told to; what it answers to these invocations, each
    /// a content type and a body.
    ///
    /// # Errors
    /// When it is not well in time, refuses an invocation, or does not end as it should.
    pub fn serve(&self, given: &Files, invocations: &[(&str, &str)]) -> anyhow::Result<Vec<String>> {
        given.write(&self.opt_ml)?;
        // One that is free now.
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let mut command = self.command("serve");
        command.env("SAGEMAKER_BIND_TO_PORT", port.to_string()).stdout(Stdio::null());
        let mut server = Server(command.spawn()?);
        let start = Instant::now();
        while !ask(port, "GET /ping", "", "").is_ok_and(|(status, _)| status == 200) {
            let ended = server.0.try_wait()?;
            ensure!(ended.is_none() && start.elapsed() < PATIENCE, "serve: no ping is answered at the port {port}");
            sleep(Duration::from_millis(10));
        }
        let mut answers = Vec::new();
        for (content_type, body) in invocations {
            let (status, answer) = ask(port, "POST /invocations", content_type, body)?;
            ensure!(status == 200, "serve: {content_type} is answered with {status}: {answer}");
            answers.push(answer);
        }
        server.stop()?;
        Ok(answers)
    }
}

/// A server that is killed when this is dropped.
struct Server(Child);

impl Server {
    /// Ends it as SageMaker does.
    fn stop(mut self) -> anyhow::Result<()> {
        let told = Command::new("kill").arg(self.0.id().to_string()).status()?;
        ensure!(told.success(), "serve: it has ended by itself");
        let start = Instant::now();
        loop {
            match self.0.try_wait()? {
                Some(status) => break ensure!(status.success(), "serve: told to stop, it failed ({status})"),
                None if start.elapsed() > PATIENCE => {
                    bail!("serve: told to stop, it did not in {} s", PATIENCE.as_secs())
                }
                None => sleep(Duration::from_millis(10)),
            }
        }
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// One request to this port of this machine; the status and the body of the answer.
fn ask(port: u16, request: &str, content_type: &str, body: &str) -> anyhow::Result<(u16, String)> {
    let mut connection = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    connection.set_read_timeout(Some(PATIENCE))?;
    write!(
        connection,
        "{request} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: {content_type}\r\n"
    )?;
    write!(connection, "Content-Length: {}\r\n\r\n{body}", body.len())?;
    let mut answer = String::new();
    connection.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").context("no answer of HTTP")?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).context("an answer without a status")?;
    Ok((status, body.to_owned()))
}

/// Where a program of the system is, whose environment has no search path.
fn program(name: &str) -> OsString {
    let path = std::env::var_os("PATH").unwrap_or_default();
    // Whoever is not root may not have them in the search path.
    let folders = std::env::split_paths(&path).chain(["/usr/sbin", "/sbin"].map(PathBuf::from));
    let found =
        folders.map(|folder| folder.join(name)).find(|file| fs::metadata(file).is_ok_and(|file| file.is_file()));
    found.unwrap_or_else(|| name.into()).into()
}
