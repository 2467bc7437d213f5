//! The progress of an execution: live on a terminal, a line per transition in a pipe; and that of a transfer, on a terminal
//! alone. It goes to stderr.

use std::collections::HashMap;
use std::io::{IsTerminal, Write};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::execution::{Execution, Step, StepResult, id};

/// What has been shown so far.
pub struct Progress {
    shown: HashMap<String, String>,
    status: String,
    live: Option<Live>,
}

/// A spinner for each step that runs.
struct Live {
    all: MultiProgress,
    spinners: HashMap<String, ProgressBar>,
}

impl Progress {
    /// Live if stderr is a terminal, plain lines otherwise.
    #[must_use]
    pub fn start() -> Self {
        let live =
            std::io::stderr().is_terminal().then(|| Live { all: MultiProgress::new(), spinners: HashMap::new() });
        Self { shown: HashMap::new(), status: String::new(), live }
    }

    /// Shows what has changed since the last time, and at first of which version the execution is.
    pub fn update(&mut self, execution: &Execution) {
        if let (true, Some(version)) = (self.status.is_empty(), execution.version) {
            self.say(&format!("version {version} of the pipeline"));
        }
        for (step, line) in self.transitions(execution) {
            match &mut self.live {
                Some(live) => live.show(step, &line),
                None => say(&line),
            }
        }
        if execution.status == "Stopping" && self.status != "Stopping" {
            self.say("the execution is being stopped");
        }
        self.status.clone_from(&execution.status);
    }

    /// A line beside the steps.
    pub fn say(&self, line: &str) {
        match &self.live {
            Some(live) => {
                // A progress line that cannot be written is no reason to stop watching.
                let _ = live.all.println(line);
            }
            None => say(line),
        }
    }

    /// The steps whose status is new, each with its line.
    fn transitions<'e>(&mut self, execution: &'e Execution) -> Vec<(&'e Step, String)> {
        let mut changed = Vec::new();
        for step in &execution.steps {
            if self.shown.get(&step.name) != Some(&step.status) {
                self.shown.insert(step.name.clone(), step.status.clone());
                changed.push((step, line(step)));
            }
        }
        changed
    }
}

/// Bytes on their way.
#[derive(Clone)]
pub struct Transfer(ProgressBar);

impl Transfer {
    /// Shown if stderr is a terminal.
    #[must_use]
    pub fn start(bytes: usize) -> Self {
        let bar = if std::io::stderr().is_terminal() { ProgressBar::new(bytes as u64) } else { ProgressBar::hidden() };
        if let Ok(style) = ProgressStyle::with_template("  {bar:30} {bytes} of {total_bytes}, {bytes_per_sec}") {
            bar.set_style(style);
        }
        Self(bar)
    }

    /// So many bytes more have gone out.
    pub fn advance(&self, bytes: usize) {
        self.0.inc(bytes as u64);
    }

    /// It starts anew.
    pub fn restart(&self) {
        self.0.set_position(0);
    }

    /// It is over.
    pub fn end(&self) {
        self.0.finish_and_clear();
    }
}

impl Live {
    fn show(&mut self, step: &Step, line: &str) {
        if has_ended(step) {
            if let Some(spinner) = self.spinners.remove(&step.name) {
                spinner.finish_and_clear();
            }
            let _ = self.all.println(line);
            return;
        }
        let all = &self.all;
        let spinner = self.spinners.entry(step.name.clone()).or_insert_with(|| {
            let spinner = all.add(ProgressBar::new_spinner());
            if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {elapsed}") {
                spinner.set_style(style);
            }
            spinner.enable_steady_tick(Duration::from_millis(120));
            spinner
        });
        spinner.set_message(line.trim_start().to_owned());
    }
}

fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

fn has_ended(step: &Step) -> bool {
    matches!(step.status.as_str(), "Succeeded" | "Failed" | "Stopped")
}

/// One step in one line: what happened to it, how long it took, what came of it.
fn line(step: &Step) -> String {
    let mark = match step.status.as_str() {
        "Succeeded" => '+',
        "Failed" => 'x',
        "Stopped" => '-',
        _ => ' ',
    };
    let mut line = format!("{mark} {:<22} {}", step.name, step.status);
    match (&step.cached_from, &step.taken_from, step.seconds()) {
        (Some(source), _, _) => line.push_str(&format!(", cached from execution {}", id(source))),
        (None, Some(source), _) => line.push_str(&format!(", taken from execution {}", id(source))),
        (None, None, Some(seconds)) => line.push_str(&format!(" after {seconds:.1} s")),
        (None, None, None) => {}
    }
    if step.attempts > 1 {
        line.push_str(&format!(", attempt {}", step.attempts));
    }
    if let Some(StepResult::Condition(outcome)) = &step.result {
        line.push_str(&format!(": {outcome}"));
    }
    if let Some(StepResult::ModelPackage(arn)) = &step.result {
        line.push_str(&format!(": {}", arn.rsplit(':').next().unwrap_or(arn)));
    }
    if let Some(reason) = &step.failure_reason {
        // Scripts fail in several lines: the text of AWS's training toolkit has four.
        line.push_str(&format!(": {}", reason.replace('\n', "\n    ")));
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(name: &str, status: &str) -> Step {
        Step { started: Some(10.0), ..Step::new(name, status) }
    }

    fn execution(steps: Vec<Step>) -> Execution {
        Execution { steps, ..Execution::new("arn:x/execution/abc", "Executing") }
    }

    #[test]
    fn each_transition_is_shown_once() {
        let mut progress = Progress { shown: HashMap::new(), status: String::new(), live: None };
        let mut lines = |steps| -> Vec<String> {
            progress.transitions(&execution(steps)).into_iter().map(|(_, line)| line).collect()
        };
        assert_eq!(lines(vec![step("A", "Executing")]), ["  A                      Executing"]);
        assert!(lines(vec![step("A", "Executing")]).is_empty());
        let done =
            Step { ended: Some(12.5), result: Some(StepResult::Condition("True".into())), ..step("A", "Succeeded") };
        let failed = Step { failure_reason: Some("ClientError: no\nExitCode 1".into()), ..step("B", "Failed") };
        let taken = Step { taken_from: Some("arn:x/execution/first".into()), ..step("C", "Succeeded") };
        assert_eq!(
            lines(vec![done, failed, taken]),
            [
                "+ A                      Succeeded after 2.5 s: True",
                "x B                      Failed: ClientError: no\n    ExitCode 1",
                "+ C                      Succeeded, taken from execution first"
            ]
        );
    }
}
