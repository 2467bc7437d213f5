//! What came of it all, as a table to read: `tests/fault-matrix.md`.

use std::collections::BTreeMap;
use std::path::PathBuf;

const HEAD: &str = "\
# What the verbs make of it when a call goes wrong

Made by `FAULT_MATRIX=all cargo test -p toolkit fault_matrix`; the test suite checks a part of it. Throttling, failures (500) and
broken connections (reset before anything is done; the answer lost or cut after everything is) come once, the others always.

*done*: the verb has done its work all the same. *1: AccessDenied*: it ends with exit code 1, names the call and AWS's code and
says what to do; run again without the fault, it has done its work, and cleaning up instead finds everything. *–*: it cannot
happen to this call.
";

/// Cells by verb, call and fault, in the order in which they came.
#[derive(Debug, Default, PartialEq)]
pub struct Table {
    rows: Vec<(String, String, BTreeMap<String, String>)>,
}

impl Table {
    pub fn put(&mut self, verb: &str, call: &str, fault: &str, result: String) {
        let is_this = |row: &&mut (String, String, _)| row.0 == verb && row.1 == call;
        if self.rows.iter_mut().find(is_this).is_none() {
            self.rows.push((verb.to_owned(), call.to_owned(), BTreeMap::new()));
        }
        let row = self.rows.iter_mut().find(is_this).expect("it was just put there");
        row.2.insert(fault.to_owned(), result);
    }

    /// Puts these cells into the file, and takes out of it the calls that are no more.
    pub fn write(&self, columns: &[&str]) {
        let kept = Self::read(columns);
        let mut text = HEAD.to_owned();
        let mut verb = "";
        for (of, call, cells) in &self.rows {
            if of != verb {
                verb = of;
                let (names, rule) = (columns.join(" | "), "---|".repeat(columns.len()));
                text.push_str(&format!("\n## {verb}\n\n| call | {names} |\n|---|{rule}\n"));
            }
            let cell =
                |column: &&str| cells.get(*column).or_else(|| kept.cell(of, call, column)).map_or("", String::as_str);
            let cells: Vec<_> = columns.iter().map(cell).collect();
            text.push_str(&format!("| {call} | {} |\n", cells.join(" | ")));
        }
        std::fs::write(file(), text).unwrap();
    }

    /// Whether the file says the same of every cell that is here, and knows no other calls.
    pub fn compare(&self, columns: &[&str]) {
        let kept = Self::read(columns);
        let mut differing = Vec::new();
        for (verb, call, cells) in &self.rows {
            for (fault, result) in cells {
                let known = kept.cell(verb, call, fault);
                if known != Some(result) {
                    differing.push(format!("{verb} / {call} / {fault}: {result}, and the table says {known:?}"));
                }
            }
        }
        let gone =
            kept.rows.iter().filter(|(verb, call, _)| !self.rows.iter().any(|row| row.0 == *verb && row.1 == *call));
        differing.extend(gone.map(|(verb, call, _)| format!("{verb} does not call {call} any more")));
        assert!(differing.is_empty(), "write the table anew, with FAULT_MATRIX=all:\n{}", differing.join("\n"));
    }

    fn cell(&self, verb: &str, call: &str, fault: &str) -> Option<&String> {
        self.rows.iter().find(|row| row.0 == verb && row.1 == call)?.2.get(fault)
    }

    /// What the file says; nothing if there is none.
    fn read(columns: &[&str]) -> Self {
        let mut table = Self::default();
        let mut verb = "";
        let text = std::fs::read_to_string(file()).unwrap_or_default();
        for line in text.lines() {
            if let Some(of) = line.strip_prefix("## ") {
                verb = of;
            }
            let cells: Vec<_> = line.trim_matches('|').split('|').map(str::trim).collect();
            if line.starts_with("| ") && cells[0] != "call" {
                for (column, cell) in columns.iter().zip(&cells[1..]) {
                    table.put(verb, cells[0], column, (*cell).to_owned());
                }
            }
        }
        table
    }
}

fn file() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fault-matrix.md")
}
