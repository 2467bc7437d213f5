//! The one error of the verbs: what failed, why, what to do next, and the exit code that says it to a script.

use std::error::Error;
use std::fmt;

/// A verb that did not do what it was asked to.
///
/// Shown as `error: WHAT: WHY` and, after a blank line, `hint: WHAT TO DO`.
pub struct Failure(Box<Parts>);

struct Parts {
    kind: Kind,
    what: String,
    hint: Option<String>,
    aws_code: Option<String>,
    request_id: Option<String>,
    transient: bool,
    source: Option<Box<dyn Error + Send + Sync>>,
}

/// What sort of failure it is: it decides the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A check or an operation failed: 1.
    Operation,
    /// Wrong arguments or settings: 2.
    Usage,
    /// Nobody said who is calling: 1. A dry run goes on without.
    NoCredentials,
    /// It could not be found out: 3.
    Unverified,
    /// The monitor found violations: 4.
    Violations,
    /// Ctrl-C: 130.
    Interrupted,
    /// Whoever read our output has gone away, content with what it got: 0.
    BrokenPipe,
}

impl Failure {
    /// A failure of this sort.
    pub fn new(kind: Kind, what: impl Into<String>) -> Self {
        Self(Box::new(Parts {
            kind,
            what: what.into(),
            hint: None,
            aws_code: None,
            request_id: None,
            transient: false,
            source: None,
        }))
    }

    /// A check or an operation that failed.
    pub fn operation(what: impl Into<String>) -> Self {
        Self::new(Kind::Operation, what)
    }

    /// Arguments or settings that cannot be used.
    pub fn usage(what: impl Into<String>) -> Self {
        Self::new(Kind::Usage, what)
    }

    /// Something that could not be found out.
    pub fn unverified(what: impl Into<String>) -> Self {
        Self::new(Kind::Unverified, what)
    }

    /// Says what to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// Says what lies beneath. The text of this failure should not repeat it.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Remembers AWS's code.
    #[must_use]
    pub(crate) fn with_aws_code(mut self, code: Option<&str>) -> Self {
        self.0.aws_code = code.map(str::to_owned);
        self
    }

    /// Remembers the id under which AWS's support finds the request.
    #[must_use]
    pub(crate) fn with_request_id(mut self, id: Option<&str>) -> Self {
        self.0.request_id = id.map(str::to_owned);
        self
    }

    /// Remembers that it may well go away by itself.
    #[must_use]
    pub(crate) fn transient(mut self) -> Self {
        self.0.transient = true;
        self
    }

    /// The same failure in other words.
    pub(crate) fn again(&self, what: String) -> Self {
        let Parts { kind, hint, aws_code, request_id, transient, .. } = &*self.0;
        let (kind, transient) = (*kind, *transient);
        let (hint, aws_code, request_id) = (hint.clone(), aws_code.clone(), request_id.clone());
        Self(Box::new(Parts { kind, what, hint, aws_code, request_id, transient, source: None }))
    }

    /// Whether it may well go away by itself: throttling, a failure on the side of AWS, a broken connection.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        self.0.transient
    }

    /// What sort of failure it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// AWS's own code, e.g. `ResourceNotFound`, if it was AWS that said no.
    #[must_use]
    pub fn aws_code(&self) -> Option<&str> {
        self.0.aws_code.as_deref()
    }

    /// The next thing to do, if there is one.
    #[must_use]
    pub fn next(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }

    /// The code that the process ends with.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self.0.kind {
            Kind::BrokenPipe => 0,
            Kind::Operation | Kind::NoCredentials => 1,
            Kind::Usage => 2,
            Kind::Unverified => 3,
            Kind::Violations => 4,
            Kind::Interrupted => 130,
        }
    }

    /// What is printed on stderr. Verbose adds the id of the request.
    #[must_use]
    pub fn report(&self, verbose: bool) -> String {
        let mut text = format!("error: {self}");
        let mut source = self.source();
        while let Some(cause) = source {
            text.push_str(&format!(": {cause}"));
            source = cause.source();
        }
        if let (true, Some(id)) = (verbose, &self.0.request_id) {
            text.push_str(&format!("\nrequest id: {id}"));
        }
        if let Some(hint) = &self.0.hint {
            text.push_str(&format!("\n\nhint: {hint}"));
        }
        text
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.what)
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.0.kind, self.report(true))
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_says_what_why_and_what_next() {
        let failure = Failure::operation("CreatePipeline was refused")
            .because(std::io::Error::other("no route"))
            .with_request_id(Some("abc"))
            .hint("try again");
        assert_eq!(failure.report(false), "error: CreatePipeline was refused: no route\n\nhint: try again");
        assert_eq!(
            failure.report(true),
            "error: CreatePipeline was refused: no route\nrequest id: abc\n\nhint: try again"
        );
    }

    #[test]
    fn exit_codes_are_the_documented_ones() {
        for (kind, code) in [
            (Kind::BrokenPipe, 0),
            (Kind::Operation, 1),
            (Kind::NoCredentials, 1),
            (Kind::Usage, 2),
            (Kind::Unverified, 3),
            (Kind::Violations, 4),
            (Kind::Interrupted, 130),
        ] {
            assert_eq!(Failure::new(kind, "").exit_code(), code, "{kind:?}");
        }
    }
}
