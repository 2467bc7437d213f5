//! What the images of PyTorch and TensorFlow tell of a script that has failed: what it printed from its first error on. Those
//! of scikit-learn, XGBoost and MXNet leave that to the log.
//!
//! Unlike the toolkit, which reads the two streams of a script by themselves, and breaks a line where two writes meet, this
//! takes whole lines in the order in which they were printed.

use std::collections::HashSet;

/// What begins an error, for the toolkit: the errors of Python, and a few more. One that holds the name of another is left out.
const ERRORS: [&str; 54] = [
    "Exception",
    "ArithmeticError",
    "AssertionError",
    "AttributeError",
    "BrokenPipeError",
    "BufferError",
    "ChildProcessError",
    "ConnectionAbortedError",
    "ConnectionError",
    "ConnectionRefusedError",
    "ConnectionResetError",
    "EOFError",
    "EnvironmentError",
    "FileExistsError",
    "FileNotFoundError",
    "FloatingPointError",
    "IOError",
    "ImportError",
    "IndentationError",
    "IndexError",
    "InterruptedError",
    "IsADirectoryError",
    "KeyError",
    "LookupError",
    "MemoryError",
    "ModuleNotFoundError",
    "NameError",
    "NotADirectoryError",
    "NotImplementedError",
    "OSError",
    "OverflowError",
    "PermissionError",
    "RecursionError",
    "ReferenceError",
    "RuntimeError",
    "SyntaxError",
    "SystemError",
    "TabError",
    "TimeoutError",
    "TypeError",
    "UnboundLocalError",
    "UnicodeDecodeError",
    "UnicodeEncodeError",
    "UnicodeError",
    "UnicodeTranslateError",
    "ValueError",
    "ZeroDivisionError",
    "Invalid requirement",
    "ResourceExhaustedError",
    "OutOfRangeError",
    "InvalidArgumentError",
    "ExecuteUserScriptError",
    "mpirun.real",
    "ORTE",
];

/// How much is kept, in bytes. A FailureReason shows a thousandth of it.
const MOST: usize = 1 << 20;

/// The `ErrorMessage` of a script, while it runs.
#[derive(Debug, Default)]
pub(in crate::jobs) struct Capture {
    is_on: bool,
    lines: Vec<String>,
    seen: HashSet<String>,
    size: usize,
}

impl Capture {
    /// As the image has it.
    pub(in crate::jobs) fn of(image: &str) -> Self {
        let repository = image.rsplit('/').next().unwrap_or_default();
        let is_on = ["pytorch", "tensorflow"].iter().any(|framework| repository.contains(framework));
        Self { is_on, ..Self::default() }
    }

    /// Takes a line that was printed. One that was there before is not told again.
    pub(in crate::jobs) fn observe(&mut self, line: &str) {
        let begins = || ERRORS.iter().any(|error| line.contains(error));
        if !self.is_on || self.size >= MOST || (self.lines.is_empty() && !begins()) {
            return;
        }
        let line = line.trim_matches([' ', ':']).to_owned();
        if self.seen.insert(line.clone()) {
            self.size += line.len();
            self.lines.push(line);
        }
    }

    /// All of it: the toolkit begins every line but the first with a space.
    pub(super) fn message(&self) -> String {
        self.lines.join("\n ").trim().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The expected texts are those of sagemaker-training 5.1.4 for scripts that wrote these lines to stderr at once.
    #[test]
    fn from_the_first_error_on() {
        fn check(image: &str, lines: &[&str], expected: &str) {
            let mut capture = Capture::of(image);
            lines.iter().for_each(|line| capture.observe(line));
            assert_eq!(capture.message(), expected, "{image} {lines:?}");
        }
        let raised = [
            "epoch 1: loss=0.5",
            "Traceback (most recent call last):",
            "  File \"/opt/ml/code/t.py\", line 1, in <module>",
            "    raise ValueError('no \"rows\"')",
            "ValueError: no \"rows\"",
        ];
        let told = "raise ValueError('no \"rows\"')\n ValueError: no \"rows\"";
        check("763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-training:2.1-cpu-py310", &raised, told);
        check("r/huggingface-tensorflow-training:1", &raised, told);
        check("683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3", &raised, "");
        check("pytorch.example.com/own:1", &raised, "");
        let twice = ["KeyError: 'a'", "", "  during : ", "KeyError: 'a'", "", "OSError:"];
        check("r/pytorch-training:1", &twice, "KeyError: 'a'\n \n during\n OSError");
        check("r/pytorch-training:1", &["nothing wrong"], "");
    }
}
