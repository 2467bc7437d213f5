//! `stsmm`: the verbs of `cargo xtask` that speak to AWS, or to the fake in its place.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    toolkit::run(std::env::args_os()).await
}
