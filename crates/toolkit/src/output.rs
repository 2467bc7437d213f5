//! Where words go: data to stdout, as text or as one JSON document; everything said on the way to stderr.

use std::fmt::Display;
use std::io::{ErrorKind, Write};

use clap::ValueEnum;
use serde::Serialize;

use crate::error::{Failure, Kind};

/// The form of what a verb prints on stdout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Format {
    /// For people
    #[default]
    Text,
    /// One JSON document, for programs
    Json,
}

/// How a verb speaks.
#[derive(Debug, Clone, Copy, Default)]
pub struct Output {
    /// The form of the data.
    pub format: Format,
    /// Whether to say more than is usually wanted.
    pub verbose: bool,
}

impl Output {
    /// Prints what the verb was asked for: `text` for people, `value` as JSON for programs.
    ///
    /// # Errors
    /// When stdout cannot be written. A reader that has gone away ([`Kind::BrokenPipe`]) counts as success.
    pub fn print(&self, text: impl Display, value: &impl Serialize) -> Result<(), Failure> {
        match self.format {
            Format::Text => self.line(text),
            Format::Json => {
                let json = serde_json::to_string_pretty(value)
                    .map_err(|error| Failure::operation("the result cannot be written as JSON").because(error))?;
                self.line(json)
            }
        }
    }

    /// Prints a line of data as it comes, whatever the format: for what has no end, such as a log.
    ///
    /// # Errors
    /// As [`Output::print`].
    pub fn line(&self, line: impl Display) -> Result<(), Failure> {
        let mut stdout = std::io::stdout().lock();
        let text = line.to_string();
        let end = if text.ends_with('\n') { "" } else { "\n" };
        write!(stdout, "{text}{end}").and_then(|()| stdout.flush()).map_err(|error| match error.kind() {
            ErrorKind::BrokenPipe => Failure::new(Kind::BrokenPipe, "stdout is closed"),
            _ => Failure::operation("cannot write to stdout").because(error),
        })
    }

    /// Says something on the way.
    pub fn note(&self, note: impl Display) {
        to_stderr(note);
    }

    /// Says something on the way, to those who want to hear more.
    pub fn detail(&self, note: impl Display) {
        if self.verbose {
            to_stderr(note);
        }
    }

    /// Says what may not be as the user thinks.
    pub fn warn(&self, warning: impl Display) {
        to_stderr(format_args!("warning: {warning}"));
    }
}

/// There is nobody left to tell when stderr cannot be written.
pub(crate) fn to_stderr(text: impl Display) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// `4.1 MB`.
#[expect(clippy::cast_precision_loss, reason = "for people")]
pub(crate) fn megabytes(bytes: usize) -> String {
    match bytes {
        ..100_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        _ => format!("{:.1} MB", bytes as f64 / 1e6),
    }
}

/// `1 error`, `2 errors`.
pub(crate) fn many(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}
