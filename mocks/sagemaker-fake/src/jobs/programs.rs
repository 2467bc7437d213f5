//! Which program stands for which image.

use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

/// How long a container that was told to stop may take before it is killed, as SageMaker has it.
const GRACE: Duration = Duration::from_secs(120);

/// How long a container of an endpoint may take to pass its first health check, as SageMaker has it.
const STARTUP: Duration = Duration::from_secs(8 * 60);

/// The image patterns and their programs, first match wins.
#[derive(Debug, Clone)]
pub struct Programs {
    images: Vec<Image>,
    own: Option<PathBuf>,
    grace: Duration,
    startup: Duration,
}

/// A program that stands for some images.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Image {
    uri: Vec<String>,
    program: Vec<String>,
    #[serde(default)]
    entrypoint: Option<String>,
}

/// What `mocks/images.toml` holds.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Images {
    image: Vec<Image>,
}

const OWN: &str = "{self}";

impl Programs {
    /// What `mocks/images.toml` says: our own image is this very binary.
    #[must_use]
    pub fn built_in() -> Self {
        let images: Images = toml::from_str(include_str!("../../../images.toml")).expect("a test reads it");
        Self { images: images.image, own: std::env::current_exe().ok(), grace: GRACE, startup: STARTUP }
    }

    /// Maps the images that fit `pattern` (`*` stands for anything) to a command, before all others. A job's entrypoint
    /// and arguments follow the command's own arguments.
    #[must_use]
    pub fn with<I: Into<String>>(mut self, pattern: &str, command: impl IntoIterator<Item = I>) -> Self {
        let program = command.into_iter().map(Into::into).collect();
        self.images.insert(0, Image { uri: vec![pattern.to_owned()], program, entrypoint: None });
        self
    }

    /// Says which binary has the `container` verb, if it is not the one that runs.
    #[must_use]
    pub fn own_binary(mut self, path: impl Into<PathBuf>) -> Self {
        self.own = Some(path.into());
        self
    }

    /// How long a program that was told to stop may take before it is killed; two minutes unless told otherwise.
    #[must_use]
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// How long a container of an endpoint may take to pass its first health check; eight minutes unless told otherwise.
    #[must_use]
    pub fn startup(mut self, startup: Duration) -> Self {
        self.startup = startup;
        self
    }

    pub(crate) fn startup_patience(&self) -> Duration {
        self.startup
    }

    pub(crate) fn grace_period(&self) -> Duration {
        self.grace
    }

    /// The command line for an image with a job's entrypoint and arguments; otherwise a sentence that says what is
    /// missing.
    pub(crate) fn command(
        &self,
        image: &str,
        entrypoint: &[String],
        arguments: &[String],
    ) -> Result<Vec<String>, String> {
        let Some(found) = self.images.iter().find(|known| known.uri.iter().any(|pattern| fits(pattern, image))) else {
            return Err(format!(
                "no program stands for the image {image}: add an [[image]] with its uri and program to mocks/images.toml"
            ));
        };
        let given = match (&found.entrypoint, entrypoint) {
            (Some(own), [first, rest @ ..]) if first == own => rest,
            (Some(own), [first, ..]) => {
                return Err(format!("the image {image} has no program {first}, only {own}"));
            }
            (_, given) => given,
        };
        let mut command = Vec::new();
        for part in &found.program {
            match (part.as_str(), &self.own) {
                (OWN, Some(own)) => command.push(own.to_string_lossy().into_owned()),
                (OWN, None) => return Err("this binary does not know its own path".to_owned()),
                _ => command.push(part.clone()),
            }
        }
        command.extend(given.iter().chain(arguments).cloned());
        if command.is_empty() {
            return Err(format!("the program that stands for the image {image} is empty"));
        }
        Ok(command)
    }
}

/// Whether `text` is what `pattern` says, with `*` for anything.
fn fits(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let parts: Vec<_> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    const IMAGE: &str = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/sts-container:8f3a";

    fn strings(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn patterns() {
        fn check(pattern: &str, text: &str, expected: bool) {
            assert_eq!(fits(pattern, text), expected, "{pattern} {text}");
        }
        check("*/sts-container:*", IMAGE, true);
        check("*/sts-container:*", "r/sts-container@sha256:ab", false);
        check("*/sts-container:*", "r/other-sts-container:1", false);
        check("a*b*a", "aba", true);
        check("a*a", "a", false);
        check("a", "ab", false);
        check("*", "", true);
    }

    #[test]
    fn our_image_is_this_binary() {
        fn check(image: &str, entrypoint: &[&str], arguments: &[&str], expected: &[&str]) {
            let programs = Programs::built_in().own_binary("/fake");
            let command = programs.command(image, &strings(entrypoint), &strings(arguments)).unwrap();
            assert_eq!(command, strings(expected));
        }
        let digest = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/sts-container@sha256:00";
        check(IMAGE, &[], &["train"], &["/fake", "container", "train"]);
        check(digest, &["/usr/bin/sts-container"], &["evaluate", "--x"], &["/fake", "container", "evaluate", "--x"]);
        check(IMAGE, &["/usr/bin/sts-container", "baseline"], &[], &["/fake", "container", "baseline"]);
    }

    #[test]
    fn a_missing_program_says_what_to_add() {
        let programs = Programs::built_in();
        let unknown = programs.command("somebody/xgboost:1", &[], &[]).unwrap_err();
        assert!(unknown.contains("somebody/xgboost:1") && unknown.contains("mocks/images.toml"), "{unknown}");
        let shell = programs.command(IMAGE, &strings(&["/bin/sh"]), &[]).unwrap_err();
        assert!(shell.contains("has no program /bin/sh"), "{shell}");
    }

    #[test]
    fn what_is_injected_comes_first() {
        let programs = Programs::built_in().with("*/sts-container:*", ["/bin/sh", "-c"]);
        let command = programs.command(IMAGE, &[], &strings(&["exit 3"])).unwrap();
        assert_eq!(command, strings(&["/bin/sh", "-c", "exit 3"]));
    }
}
