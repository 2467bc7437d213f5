//! All findings, as a page for people and as data.

use std::collections::BTreeMap;
use std::fmt::{self, Write};

use serde::Serialize;
use serde_json::{Value, json};

use super::check::{self, CHECKS, Selection};
use super::finding::{Finding, Verdict};
use super::permissions::{Depth, Judgement};
use crate::output::many;

/// What was found.
pub struct Report {
    pub(super) selection: Selection,
    /// The fake's account is nobody's.
    offline: bool,
    findings: Vec<Finding>,
    /// The accounts whose ids are covered.
    pub(super) accounts: Vec<String>,
    /// What the role may do, if that was asked.
    pub judgement: Option<Judgement>,
}

impl Report {
    pub(super) fn new(selection: Selection, offline: bool) -> Self {
        Self { selection, offline, findings: Vec::new(), accounts: Vec::new(), judgement: None }
    }

    pub(super) fn add(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    pub(super) fn extend(&mut self, findings: impl IntoIterator<Item = Finding>) {
        self.findings.extend(findings);
    }

    pub(super) fn add_if_asked(&mut self, id: &str, finding: impl FnOnce() -> Finding) {
        if self.selection.asks(id) {
            self.findings.push(finding());
        }
    }

    pub(super) fn has_failed(&self, id: &str) -> bool {
        self.findings.iter().any(|finding| finding.id == id && finding.verdict == Verdict::Fail)
    }

    /// In the order of the table, with everything that was not reached. A check that only met a missing permission is not
    /// told beside the one that says so.
    pub(super) fn finished(mut self) -> Self {
        if let Some(judgement) = &self.judgement {
            for finding in &mut self.findings {
                if let Some(action) = finding.lacks.filter(|action| judgement.refuses(action)) {
                    let id = judgement.check_of(action).unwrap_or("permissions");
                    *finding = Finding::skip(finding.id, id);
                }
            }
        }
        // What shows that something is wrong before it is reached tells it best.
        for check in CHECKS {
            if self.findings.iter().any(|finding| finding.id == check.id) || !self.selection.asks(check.id) {
                continue;
            }
            let waits_for = self.cause_before(check.id);
            if let Some(waits_for) = waits_for {
                self.findings.push(Finding::skip(check.id, waits_for));
            }
        }
        let place = |id: &str| CHECKS.iter().position(|check| check.id == id);
        self.findings.sort_by_key(|finding| place(finding.id));
        let selection = &self.selection;
        self.findings.retain(|finding| selection.shows(finding.id) || finding.verdict == Verdict::Fail);
        self
    }

    /// The check whose answer this one waits for in vain: the first on the way that did not pass.
    fn cause_before(&self, id: &str) -> Option<&'static str> {
        for earlier in check::by_id(id).waits_for {
            match self.findings.iter().find(|finding| finding.id == *earlier) {
                Some(finding) if matches!(finding.verdict, Verdict::Pass | Verdict::Warn) => {}
                Some(finding) if finding.verdict == Verdict::Skip => {
                    return self.cause_before(earlier).or(Some(earlier));
                }
                Some(_) => return Some(earlier),
                None => return self.cause_before(earlier).or(Some(earlier)),
            }
        }
        None
    }

    /// The findings, in the order of the checks.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// How many findings have this verdict.
    #[must_use]
    pub fn count(&self, verdict: Verdict) -> usize {
        self.findings.iter().filter(|finding| finding.verdict == verdict).count()
    }

    /// How the permissions are known, in a sentence.
    fn depth(&self) -> Option<String> {
        let judgement = self.judgement.as_ref()?;
        let by = &judgement.identity;
        Some(match judgement.depth {
            Depth::Simulated => format!(
                "Permissions were simulated by AWS, as {by}. The simulator does not look at the policies of buckets, keys \
                 and VPC endpoints, nor at session policies."
            ),
            Depth::Evaluated => format!(
                "AWS's simulator may not be asked. The policies that {by} can read were evaluated here; the \
                 organization's are not among them."
            ),
            Depth::Probed => format!(
                "Neither may AWS's simulator be asked nor the policies be read. Calls that change nothing were tried as \
                 {by}; what changes something is not verified."
            ),
            Depth::None => "Nothing could be found out about the permissions.".to_owned(),
        })
    }

    fn summary(&self) -> String {
        let verdicts = [Verdict::Fail, Verdict::Unknown, Verdict::Warn, Verdict::Skip, Verdict::Pass];
        let counts: BTreeMap<_, _> = verdicts.iter().map(|verdict| (verdict.word(), self.count(*verdict))).collect();
        let words = [
            ("FAIL", "failed"),
            ("unknown", "not verified"),
            ("warn", "warned of"),
            ("skip", "skipped"),
            ("pass", "passed"),
        ];
        let words = words.iter().filter(|(verdict, _)| counts[verdict] > 0);
        let words: Vec<_> = words.map(|(verdict, word)| format!("{} {word}", counts[verdict])).collect();
        format!("{}: {}", many(self.findings.len(), "check"), words.join(", "))
    }

    /// Ids of accounts, as far as they are known, with all but the last four digits covered; all of them with `verbose`.
    fn masked(&self, text: String, verbose: bool) -> String {
        if verbose {
            return text;
        }
        self.accounts.iter().fold(text, |text, id| text.replace(id, &format!("********{}", &id[id.len() - 4..])))
    }

    /// The page.
    #[must_use]
    pub fn text(&self, verbose: bool) -> String {
        let mut page = String::new();
        // A String takes everything.
        let _ = self.write(&mut page, verbose);
        self.masked(page, verbose)
    }

    fn write(&self, page: &mut impl Write, verbose: bool) -> fmt::Result {
        for finding in &self.findings {
            writeln!(page, "{:<8} {:<23} {}", finding.verdict.word(), finding.id, wrapped(&finding.found, 33))?;
            if finding.verdict == Verdict::Pass && !verbose {
                continue;
            }
            let mut line = |name: &str, text: &str| writeln!(page, "{:9}{name:<9} {}", "", wrapped(text, 19));
            if !finding.asked.is_empty() {
                line("asked", &finding.asked.join(", "))?;
            }
            if let Some(identity) = &finding.identity {
                line("as", identity)?;
            }
            if let Some(said) = &finding.said {
                line("answer", said)?;
            }
            if let Some(why) = finding.why {
                line("why", why)?;
            }
            for repair in &finding.repairs {
                line("repair", &repair.to_string())?;
            }
        }
        writeln!(page, "\n{}", self.summary())?;
        if let Some(depth) = self.depth() {
            writeln!(page, "{}", wrapped(&depth, 0))?;
        }
        let covers = !self.accounts.is_empty() && !verbose && self.findings.iter().any(|it| !it.repairs.is_empty());
        if covers {
            writeln!(page, "{}", wrapped("Account ids are covered: -v shows them, which a repair needs.", 0))?;
        }
        if self.offline {
            writeln!(page, "{}", wrapped("This was the fake's account, not one of AWS's.", 0))?;
        }
        Ok(())
    }

    /// The same as data.
    #[must_use]
    pub fn json(&self, verbose: bool) -> Value {
        let verdicts = [Verdict::Pass, Verdict::Warn, Verdict::Fail, Verdict::Unknown, Verdict::Skip];
        let counts: BTreeMap<_, _> =
            verdicts.iter().map(|verdict| (verdict.word().to_lowercase(), self.count(*verdict))).collect();
        let whole = json!({
            "findings": self.findings.iter().map(Asked::new).collect::<Vec<_>>(),
            "counts": counts,
            "depth": self.judgement.as_ref().map(|judgement| judgement.depth),
            "offline": self.offline,
        });
        // What is covered in the text of JSON leaves it JSON: digits become asterisks within strings.
        serde_json::from_str(&self.masked(whole.to_string(), verbose)).unwrap_or(whole)
    }
}

/// A finding with its question.
#[derive(Serialize)]
struct Asked<'a> {
    #[serde(flatten)]
    finding: &'a Finding,
    question: &'static str,
}

impl<'a> Asked<'a> {
    fn new(finding: &'a Finding) -> Self {
        Self { finding, question: check::by_id(finding.id).question }
    }
}

/// The width of a page.
const WIDTH: usize = 80;

/// Breaks lines between words, and indents all but the first. Words longer than a line and lines that are indented
/// already (JSON) stay whole.
fn wrapped(text: &str, indent: usize) -> String {
    let mut lines: Vec<String> = Vec::new();
    for given in text.lines() {
        if given.starts_with([' ', '{', '}']) {
            lines.push(given.to_owned());
            continue;
        }
        let mut line = String::new();
        for word in given.split(' ') {
            if !line.is_empty() && indent + line.chars().count() + 1 + word.chars().count() > WIDTH {
                lines.push(std::mem::take(&mut line));
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        lines.push(line);
    }
    lines.join(&format!("\n{}", " ".repeat(indent)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(findings: Vec<Finding>) -> Report {
        let mut report = Report::new(Selection::new(&[], &[], false).unwrap(), false);
        report.extend(findings);
        report.finished()
    }

    #[test]
    fn what_was_not_reached_waits_for_the_first_that_did_not_pass() {
        let report = report(vec![Finding::pass("credentials", "there"), Finding::fail("caller", "unknown key")]);
        let of = |id: &str| report.findings().iter().find(|finding| finding.id == id).unwrap();
        for id in ["role", "assume-role", "bucket", "bucket-settings", "quotas", "permissions-s3"] {
            assert_eq!((of(id).verdict, of(id).found.as_str()), (Verdict::Skip, "waits for caller"), "{id}");
        }
        assert_eq!(report.count(Verdict::Fail), 1);
    }

    #[test]
    fn accounts_are_covered_unless_asked_for() {
        let mut report = report(vec![Finding::warn("account", "of 111122223333")]);
        report.accounts = vec!["111122223333".to_owned()];
        assert!(report.text(false).contains("********3333") && !report.text(false).contains("111122223333"));
        assert!(report.text(true).contains("111122223333"));
        assert!(!report.json(false).to_string().contains("111122223333"));
    }

    #[test]
    fn lines_are_broken_between_words_and_json_is_left_whole() {
        let long = "word ".repeat(20);
        assert!(wrapped(long.trim(), 33).lines().all(|line| line.trim_end().chars().count() <= WIDTH));
        assert_eq!(wrapped("add:\n{\n  \"a\": 1\n}", 2), "add:\n  {\n    \"a\": 1\n  }");
    }
}
