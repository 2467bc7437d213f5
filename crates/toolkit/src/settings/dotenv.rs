//! The `.env` file: which one applies, and what stands on which line of it.

use std::cell::Cell;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::error::Failure;

/// A `.env` file that was read.
#[derive(Debug, Default, Clone)]
pub struct DotEnv {
    /// The file as seen from the current directory: `.env`, `../.env`.
    pub label: String,
    /// What it sets, in the order of its lines. Blank values are there too: they say that something is unset on purpose.
    pub entries: Vec<Entry>,
}

/// One variable of a `.env` file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The variable.
    pub key: String,
    /// Its value, unquoted and with `${...}` substituted.
    pub value: String,
    /// From 1.
    pub line: usize,
}

impl DotEnv {
    /// Reads the nearest `.env`, from the current directory upwards to the root of the project.
    ///
    /// # Errors
    /// When it cannot be read, or a line of it is no `KEY=value`.
    pub fn find(current: &Path) -> Result<Option<Self>, Failure> {
        let root = project_root(current);
        for (depth, folder) in current.ancestors().enumerate() {
            let path = folder.join(".env");
            let label = "../".repeat(depth) + ".env";
            match std::fs::read(&path) {
                Ok(content) => return Self::parse(label, &content).map(Some),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(Failure::usage(format!("cannot read {label}")).because(error)),
            }
            if folder == root {
                break;
            }
        }
        Ok(None)
    }

    /// Reads the content of a `.env`.
    ///
    /// # Errors
    /// When a line of it is no `KEY=value`; the line itself is not shown, for it may hold a secret.
    pub fn parse(label: String, content: &[u8]) -> Result<Self, Failure> {
        let content = content.strip_prefix("\u{feff}".as_bytes()).unwrap_or(content);
        let lines_read = Rc::new(Cell::new(0));
        let mut variables = dotenvy::from_read_iter(LineByLine { rest: content, lines_read: Rc::clone(&lines_read) });
        let mut entries = Vec::new();
        loop {
            let before = lines_read.get();
            let Some(variable) = variables.next() else { return Ok(Self { label, entries }) };
            match variable {
                Ok((key, value)) => entries.push(Entry { line: line_of(content, before, &key), key, value }),
                Err(dotenvy::Error::LineParse(..)) => {
                    let line = lines_read.get();
                    return Err(Failure::usage(format!("{label}:{line} is not of the form KEY=value"))
                        .hint("a value with spaces or a `#` needs quotes; a quote that is opened must be closed"));
                }
                Err(error) => return Err(Failure::usage(format!("cannot read {label}")).because(error)),
            }
        }
    }

    /// The first entry of this variable that is not blank.
    #[must_use]
    pub fn get(&self, variable: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.key == variable && !entry.value.trim().is_empty())
    }
}

/// The nearest folder that holds `.git` or `Cargo.lock`, else the current one. Nothing above it belongs to the project:
/// somebody else's `.env` must not be read, nor state be left there.
#[must_use]
pub fn project_root(current: &Path) -> PathBuf {
    let is_root = |folder: &&Path| folder.join(".git").exists() || folder.join("Cargo.lock").exists();
    current.ancestors().find(is_root).unwrap_or(current).to_owned()
}

/// The line of `key` after the first `skip` lines: comments and blank lines may stand between, and the value may go on
/// over several lines.
fn line_of(content: &[u8], skip: usize, key: &str) -> usize {
    let text = String::from_utf8_lossy(content);
    let is_of_key = |line: &str| {
        let line = line.trim_start();
        let line = line.strip_prefix("export").map_or(line, str::trim_start);
        line.strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with('='))
    };
    let found = text.lines().enumerate().skip(skip).find(|(_, line)| is_of_key(line));
    found.map_or(skip, |(index, _)| index) + 1
}

/// Hands out one line per read and counts: dotenvy keeps no line numbers, and buffers whatever a read returns.
struct LineByLine<'a> {
    rest: &'a [u8],
    lines_read: Rc<Cell<usize>>,
}

impl Read for LineByLine<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let line_end = self.rest.iter().position(|byte| *byte == b'\n').map_or(self.rest.len(), |at| at + 1);
        let length = line_end.min(buffer.len());
        buffer[..length].copy_from_slice(&self.rest[..length]);
        self.rest = &self.rest[length..];
        if length > 0 && length == line_end {
            self.lines_read.set(self.lines_read.get() + 1);
        }
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(content: &str, expected: &[(&str, &str, usize)]) {
        let file = DotEnv::parse(".env".to_owned(), content.as_bytes()).unwrap();
        let entries: Vec<_> = file.entries.iter().map(|it| (it.key.as_str(), it.value.as_str(), it.line)).collect();
        assert_eq!(entries, expected, "{content:?}");
    }

    #[test]
    fn knows_the_line_of_each_variable() {
        check("", &[]);
        check("A=1\nB=2", &[("A", "1", 1), ("B", "2", 2)]);
        check("# A=0\n\n  A = 1 # one\nexport B='2'\n", &[("A", "1", 3), ("B", "2", 4)]);
        check("A=\"1\n2\"\r\nB=3\r\n", &[("A", "1\n2", 1), ("B", "3", 3)]);
        check("\u{feff}A=1\n", &[("A", "1", 1)]);
        check("A=\nA=2\n", &[("A", "", 1), ("A", "2", 2)]);
        check("A=1\nB=${A}2\n", &[("A", "1", 1), ("B", "12", 2)]);
    }

    #[test]
    fn a_wrong_line_is_named_and_not_shown() {
        for (content, line) in [("A=1\nAWS_SECRET secret\n", 2), ("A='1\n\n", 2), ("# no\nA=1 2\n", 2)] {
            let failure = DotEnv::parse(".env".to_owned(), content.as_bytes()).unwrap_err();
            assert_eq!(failure.to_string(), format!(".env:{line} is not of the form KEY=value"), "{content:?}");
            assert!(!failure.report(true).contains("secret"));
        }
    }

    #[test]
    fn the_nearest_up_to_the_root_applies() {
        let above = tempfile::tempdir().unwrap();
        let root = above.path().join("project");
        let below = root.join("a/b");
        std::fs::create_dir_all(&below).unwrap();
        std::fs::write(above.path().join(".env"), "A=above").unwrap();
        std::fs::create_dir(root.join(".git")).unwrap();
        assert!(DotEnv::find(&below).unwrap().is_none(), "what is above the project is not ours");
        std::fs::write(root.join(".env"), "A=root").unwrap();
        let found = DotEnv::find(&below).unwrap().unwrap();
        assert_eq!((found.label.as_str(), found.entries[0].value.as_str()), ("../../.env", "root"));
        std::fs::write(below.join(".env"), "A=below").unwrap();
        assert_eq!(DotEnv::find(&below).unwrap().unwrap().label, ".env");
        assert_eq!(project_root(&below), root);
    }
}
