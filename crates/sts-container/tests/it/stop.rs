//! SIGTERM, which is how SageMaker stops a container.

use std::{
    io::{BufRead, BufReader},
    os::unix::process::ExitStatusExt,
    process::{Command, Stdio},
};

use crate::{chain::Server, tree::Tree};

fn terminate(process: u32) {
    // The shell's own `kill`, which is there wherever a shell is.
    assert!(Command::new("sh").args(["-c", &format!("kill -TERM {process}")]).status().unwrap().success());
}

#[test]
fn a_server_ends_well() {
    let mut server = Server::start(&Tree::of_pipeline(300));
    terminate(server.process.id());
    assert_eq!(server.process.wait().unwrap().code(), Some(0));
}

#[test]
fn a_job_says_that_it_was_stopped() {
    let tree = Tree::of_pipeline(300);
    std::fs::remove_file(tree.path("model/model.json")).unwrap();
    // A pipe that nobody writes to: the job waits for as long as it takes to be stopped.
    let pipe = tree.path("input/data/train/more.csv");
    assert!(Command::new("mkfifo").arg(pipe).status().unwrap().success());
    let mut process = tree.command("train").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut log = BufReader::new(process.stdout.take().unwrap()).lines().map(Result::unwrap);
    log.find(|line| line.starts_with("train: reading 2")).expect("the job reads its channel");
    terminate(process.id());
    let output = process.wait_with_output().unwrap();
    // By itself, not by the signal.
    assert_eq!((output.status.code(), output.status.signal()), (Some(143), None));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "error: stopped by SIGTERM\n");
    assert_eq!(tree.text("output/failure"), "stopped by SIGTERM");
    assert!(tree.files("model").is_empty());
}
