//! Which program stands for which image.
//!
//! | module | what it does |
//! |---|---|
//! | `image` | one entry of the map: a program, its surroundings and limits |
//! | `file` | reading the map from a file, with all of its mistakes at once |
//! | `python` | a Python environment of this machine |

mod file;
mod image;
mod python;

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub(crate) use self::image::{Image, Limits};
pub(crate) use self::python::Python;

/// How long a container that was told to stop may take before it is killed, as SageMaker has it.
const GRACE: Duration = Duration::from_secs(120);

/// How long a container of an endpoint may take to pass its first health check, as SageMaker has it.
const STARTUP: Duration = Duration::from_secs(8 * 60);

/// The variable that names a map of images.
pub const VARIABLE: &str = "STSMM_IMAGES";

/// The image patterns and their programs, first match wins.
#[derive(Debug, Clone)]
pub struct Programs {
    images: Vec<Image>,
    own: Option<PathBuf>,
    grace: Duration,
    startup: Duration,
    relocated: bool,
    source: Option<PathBuf>,
}

/// What is wrong in a map of images: every mistake, each with its place and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistakes(Vec<String>);

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

impl std::error::Error for Mistakes {}

impl Programs {
    /// What `mocks/images.toml` says: our own image is this very binary.
    ///
    /// # Panics
    /// With all that is wrong in it, if somebody has added to it.
    #[must_use]
    pub fn built_in() -> Self {
        // Whoever adds to it names what is beside it, as in a file of one's own.
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new(""));
        let images = file::parse(include_str!("../../../../images.toml"), "mocks/images.toml", folder);
        Self {
            images: images.unwrap_or_else(|mistakes| panic!("{mistakes}")),
            own: std::env::current_exe().ok(),
            grace: GRACE,
            startup: STARTUP,
            relocated: false,
            source: None,
        }
    }

    /// What a file says comes before all else: `mocks/images.toml` tells how it is written.
    ///
    /// # Errors
    /// All that is wrong in it, each with its line.
    pub fn file(mut self, path: &Path) -> Result<Self, Mistakes> {
        let mut images = file::read(path)?;
        images.append(&mut self.images);
        let source = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        Ok(Self { images, source: Some(source), ..self })
    }

    /// The file that was read last, if any was.
    #[must_use]
    pub fn source(&self) -> Option<&Path> {
        self.source.as_deref()
    }

    /// Maps the images that fit `pattern` (`*` stands for anything) to a command, before all others. A job's entrypoint
    /// and arguments follow the command's own arguments.
    #[must_use]
    pub fn with<I: Into<String>>(mut self, pattern: &str, command: impl IntoIterator<Item = I>) -> Self {
        let program = command.into_iter().map(Into::into).collect();
        self.images.insert(0, Image { program: Some(program), ..Image::of(pattern) });
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

    /// Leaves the files of a job where they are, as on a machine that cannot show them to a program as `/opt/ml`.
    #[must_use]
    pub fn relocated(mut self) -> Self {
        self.relocated = true;
        self
    }

    pub(crate) fn startup_patience(&self) -> Duration {
        self.startup
    }

    pub(crate) fn grace_period(&self) -> Duration {
        self.grace
    }

    pub(crate) fn is_relocated(&self) -> bool {
        self.relocated
    }

    pub(crate) fn own(&self) -> Option<&Path> {
        self.own.as_deref()
    }

    /// What stands for an image; otherwise a sentence that says what is missing.
    pub(crate) fn find(&self, image: &str) -> Result<&Image, String> {
        self.images.iter().find(|known| known.is_for(image)).ok_or_else(|| {
            format!(
                "no program stands for the image {image}: write an [[image]] with this uri into a file and name that by \
                 --images or {VARIABLE}; mocks/images.toml says how"
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_program_says_what_to_add() {
        let unknown = Programs::built_in().find("somebody/xgboost:1").unwrap_err();
        for word in ["somebody/xgboost:1", "mocks/images.toml", "--images", "STSMM_IMAGES"] {
            assert!(unknown.contains(word), "{unknown}");
        }
    }

    #[test]
    fn who_comes_later_comes_first() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("images.toml");
        std::fs::write(&path, "[[image]]\nuri = 'a*'\nprogram = ['true']").unwrap();
        let programs = Programs::built_in().file(&path).unwrap().with("ab", ["false"]);
        let program = |image: &str| programs.find(image).unwrap().program.clone().unwrap();
        assert_eq!((program("ab"), program("ac")), (vec!["false".to_owned()], vec!["true".to_owned()]));
        assert_eq!(program("r/sts-container:1"), ["{self}", "container"]);
    }
}
