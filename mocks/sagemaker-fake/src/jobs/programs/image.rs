//! One entry of the map: what stands for some images.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use super::Python;
use crate::wildcard::fits;

/// What stands for some images. The words are those of `mocks/images.toml`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Image {
    pub uri: Vec<String>,
    pub program: Option<Vec<String>>,
    pub entrypoint: Option<String>,
    pub python: Option<Python>,
    pub environment: BTreeMap<String, String>,
    pub working_directory: Option<String>,
    pub limits: Limits,
}

/// What a program may take, beside what the job allows it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Limits {
    /// How long it may run, in real time.
    pub time: Option<Duration>,
    /// How much memory it and its children may hold, in bytes.
    pub memory: Option<u64>,
    /// The file that says so.
    pub file: String,
}

/// What `program` calls this very binary.
pub(super) const OWN: &str = "{self}";

impl Image {
    /// With nothing but a pattern.
    pub(super) fn of(pattern: &str) -> Self {
        Self {
            uri: vec![pattern.to_owned()],
            program: None,
            entrypoint: None,
            python: None,
            environment: BTreeMap::new(),
            working_directory: None,
            limits: Limits::default(),
        }
    }

    pub(super) fn is_for(&self, image: &str) -> bool {
        self.uri.iter().any(|pattern| fits(pattern, image))
    }

    /// Whether our own program stands for it, which finds its files wherever they are.
    pub(crate) fn is_own(&self) -> bool {
        self.program.as_ref().and_then(|program| program.first()).is_some_and(|first| first == OWN)
    }

    /// The command line with the entrypoint and arguments that are asked for; otherwise a sentence that says what is
    /// missing.
    pub(crate) fn command(
        &self,
        image: &str,
        own: Option<&Path>,
        entrypoint: &[String],
        arguments: &[String],
    ) -> Result<Vec<String>, String> {
        let given = match (&self.entrypoint, entrypoint) {
            (Some(own), [first, rest @ ..]) if first == own => rest,
            (Some(own), [first, ..]) => {
                return Err(format!("the image {image} has no program {first}, only {own}"));
            }
            (_, given) => given,
        };
        let Some(program) = &self.program else {
            return match given {
                [] => Err(format!(
                    "the image {image} is asked for its own entrypoint, and nothing stands for that: give its [[image]] a \
                     `program`"
                )),
                given => Ok(given.iter().chain(arguments).cloned().collect()),
            };
        };
        let mut command = Vec::new();
        for part in program {
            match (part.as_str(), own) {
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

#[cfg(test)]
mod tests {
    use super::super::Programs;
    use super::*;

    const IMAGE: &str = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/sts-container:8f3a";

    fn strings(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    fn command(image: &str, entrypoint: &[&str], arguments: &[&str]) -> Result<Vec<String>, String> {
        let programs = Programs::built_in().own_binary("/fake").with("*/shell:*", ["/bin/sh", "-c"]);
        let found = programs.find(image)?;
        found.command(image, programs.own(), &strings(entrypoint), &strings(arguments))
    }

    #[test]
    fn our_image_is_this_binary() {
        fn check(image: &str, entrypoint: &[&str], arguments: &[&str], expected: &[&str]) {
            assert_eq!(command(image, entrypoint, arguments).unwrap(), strings(expected));
        }
        let digest = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/sts-container@sha256:00";
        check(IMAGE, &[], &["train"], &["/fake", "container", "train"]);
        check(digest, &["/usr/bin/sts-container"], &["evaluate", "--x"], &["/fake", "container", "evaluate", "--x"]);
        check(IMAGE, &["/usr/bin/sts-container", "baseline"], &[], &["/fake", "container", "baseline"]);
        check("r/shell:1", &[], &["exit 3"], &["/bin/sh", "-c", "exit 3"]);
        let shell = command(IMAGE, &["/bin/sh"], &[]).unwrap_err();
        assert!(shell.contains("has no program /bin/sh"), "{shell}");
    }

    #[test]
    fn without_a_program_what_is_named_is_run() {
        let image = Image::of("*");
        let run = |entrypoint: &[&str]| image.command("r/sklearn:1", None, &strings(entrypoint), &strings(&["--x"]));
        assert_eq!(run(&["python3", "a.py"]).unwrap(), ["python3", "a.py", "--x"]);
        assert!(run(&[]).unwrap_err().contains("give its [[image]] a `program`"));
    }
}
