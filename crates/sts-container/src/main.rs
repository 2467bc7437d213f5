//! The program of our SageMaker image.

use std::process::ExitCode;

fn main() -> ExitCode {
    sts_container::run(std::env::args_os().skip(1))
}
