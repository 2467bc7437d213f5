//! Reads a map of images from a file. All of its mistakes are told at once, each with its line and what to do.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::time::Duration;

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::image::{Image, Limits, OWN};
use super::{Mistakes, Python};

/// The words of an entry.
const WORDS: [&str; 8] =
    ["uri", "program", "entrypoint", "python", "environment", "working_directory", "time_limit", "memory_limit"];

/// Reads a file; paths in it are relative to its folder.
pub(super) fn read(path: &Path) -> Result<Vec<Image>, Mistakes> {
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|error| {
        Mistakes(vec![format!("{name}: the map of images cannot be read: {error}; --images and STSMM_IMAGES name it")])
    })?;
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    parse(&text, &name, path.parent().unwrap_or(Path::new("/")))
}

/// Reads the text of a file called `name`; paths in it are relative to `folder`.
pub(super) fn parse(text: &str, name: &str, folder: &Path) -> Result<Vec<Image>, Mistakes> {
    let (table, errors) = DeTable::parse_recoverable(text);
    let mut reader = Reader { text, name, folder, mistakes: Vec::new() };
    for error in errors {
        reader.mistake(error.span().unwrap_or_default(), error.message());
    }
    let mut images = Vec::new();
    // What is not TOML makes guesses of what follows it: only the mistakes of form are told.
    if reader.mistakes.is_empty() {
        for (key, value) in table.get_ref() {
            match (key.get_ref().as_ref(), value.get_ref()) {
                ("image", DeValue::Array(entries)) => {
                    images.extend(entries.iter().map(|entry| reader.image(entry)));
                }
                (word, _) => reader.mistake(key.span(), format!("`{word}` is not known here: write [[image]] entries")),
            }
        }
    }
    reader.mistakes.sort();
    let mistakes: Vec<_> = reader.mistakes.into_iter().map(|(_, mistake)| mistake).collect();
    if mistakes.is_empty() { Ok(images) } else { Err(Mistakes(mistakes)) }
}

struct Reader<'a> {
    text: &'a str,
    name: &'a str,
    folder: &'a Path,
    /// With their lines.
    mistakes: Vec<(usize, String)>,
}

type Value<'i> = Spanned<DeValue<'i>>;

impl Reader<'_> {
    fn mistake(&mut self, at: Range<usize>, what: impl std::fmt::Display) {
        let before = self.text.as_bytes().iter().take(at.start);
        let line = 1 + before.filter(|byte| **byte == b'\n').count();
        self.mistakes.push((line, format!("{}:{line}: {what}", self.name)));
    }

    /// An entry, as far as it can be understood.
    fn image(&mut self, entry: &Value<'_>) -> Image {
        let mut image = Image { uri: Vec::new(), limits: self.limits(), ..Image::of("") };
        let DeValue::Table(table) = entry.get_ref() else {
            self.mistake(entry.span(), "an entry of `image` is a table: write [[image]]");
            return image;
        };
        for (key, value) in table {
            self.member(&mut image, key, value);
        }
        if table.get("uri").is_none() {
            self.mistake(
                entry.span(),
                "this [[image]] has no `uri`: say which images it is for, like \"*/scikit-learn:*\"",
            );
        }
        if image.entrypoint.is_some() && table.get("program").is_none() {
            let at = table.get("entrypoint").map_or(entry.span(), Spanned::span);
            self.mistake(
                at,
                "`entrypoint` is what `program` takes the place of, and there is none: add it, or leave both out",
            );
        }
        image
    }

    fn limits(&self) -> Limits {
        Limits { file: self.name.to_owned(), ..Limits::default() }
    }

    fn member(&mut self, image: &mut Image, key: &Spanned<DeString<'_>>, value: &Value<'_>) {
        match key.get_ref().as_ref() {
            "uri" => match value.get_ref() {
                DeValue::String(pattern) => image.uri = vec![pattern.to_string()],
                DeValue::Array(_) => image.uri = self.strings("uri", value).unwrap_or_default(),
                _ => self.mistake(value.span(), "`uri` is a pattern, like \"*/scikit-learn:*\", or a list of them"),
            },
            "program" => image.program = self.strings("program", value).map(|program| self.located(program)),
            "entrypoint" => image.entrypoint = self.string("entrypoint", value),
            "python" => image.python = self.python(value),
            "environment" => image.environment = self.environment(value),
            "working_directory" => {
                image.working_directory = self.string("working_directory", value).map(|path| self.path(&path));
            }
            "time_limit" => image.limits.time = self.time(value),
            "memory_limit" => image.limits.memory = self.memory(value),
            word => {
                let near = WORDS.iter().find(|known| strsim::levenshtein(known, word) <= 2);
                let help = near.map_or_else(
                    || format!("there are {}", WORDS.join(", ")),
                    |known| format!("did you mean `{known}`?"),
                );
                self.mistake(key.span(), format!("`{word}` is not known in an [[image]]: {help}"));
            }
        }
    }

    fn string(&mut self, word: &str, value: &Value<'_>) -> Option<String> {
        match value.get_ref() {
            DeValue::String(text) if !text.is_empty() => return Some(text.to_string()),
            _ => self.mistake(value.span(), format!("`{word}` is a string that is not empty")),
        }
        None
    }

    fn strings(&mut self, word: &str, value: &Value<'_>) -> Option<Vec<String>> {
        let items = value.get_ref().as_array().into_iter().flat_map(|items| items.iter());
        let strings: Option<Vec<_>> = items.map(|item| item.get_ref().as_str().map(str::to_owned)).collect();
        match strings {
            Some(strings) if strings.first().is_some_and(|first| !first.is_empty()) => return Some(strings),
            _ => self.mistake(value.span(), format!("`{word}` is a list of strings, like [\"one\", \"two\"]")),
        }
        None
    }

    /// A path of this machine, or of the container.
    fn path(&self, path: &str) -> String {
        self.folder.join(path).to_string_lossy().into_owned()
    }

    /// A program whose name is a path is found from the folder of the file.
    fn located(&self, mut program: Vec<String>) -> Vec<String> {
        if let Some(first) = program.first_mut().filter(|first| first.contains('/') && *first != OWN) {
            *first = self.path(first);
        }
        program
    }

    fn python(&mut self, value: &Value<'_>) -> Option<Python> {
        let path = self.string("python", value)?;
        let path = self.path(&path);
        let python = Python::at(Path::new(&path));
        if python.is_none() {
            self.mistake(
                value.span(),
                format!("there is no Python at {path}: name an interpreter or a virtual environment, made by python3 -m venv {path}"),
            );
        }
        python
    }

    fn environment(&mut self, value: &Value<'_>) -> BTreeMap<String, String> {
        let mut environment = BTreeMap::new();
        let Some(table) = value.get_ref().as_table() else {
            self.mistake(value.span(), "`environment` is a table of strings, like { NAME = \"value\" }");
            return environment;
        };
        for (key, value) in table {
            match value.get_ref() {
                DeValue::String(text) => {
                    environment.insert(key.get_ref().to_string(), text.to_string());
                }
                _ => self.mistake(
                    value.span(),
                    format!("the variable `{0}` is a string: write it in quotation marks", key.get_ref()),
                ),
            }
        }
        environment
    }

    fn time(&mut self, value: &Value<'_>) -> Option<Duration> {
        let time = value.get_ref().as_str().and_then(|text| humantime::parse_duration(text).ok());
        let time = time.filter(|time| !time.is_zero());
        if time.is_none() {
            self.mistake(value.span(), "`time_limit` is a time in words, like \"90s\" or \"1h 30m\"");
        }
        time
    }

    fn memory(&mut self, value: &Value<'_>) -> Option<u64> {
        let memory = value.get_ref().as_str().and_then(bytes);
        if memory.is_none() {
            self.mistake(value.span(), "`memory_limit` is an amount in words, like \"500 MB\" or \"2 GiB\"");
        }
        memory
    }
}

/// `500 MB`, `2 GiB`: so many bytes, more than none.
fn bytes(text: &str) -> Option<u64> {
    let digits = text.trim().find(|character: char| !character.is_ascii_digit())?;
    let (number, unit) = text.trim().split_at(digits);
    let unit = match unit.trim() {
        "kB" => 1000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(unit).filter(|bytes| *bytes > 0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parsed(text: &str) -> Result<Vec<Image>, Mistakes> {
        parse(text, "images.toml", Path::new("/maps"))
    }

    #[test]
    fn the_built_in_map_is_right() {
        let images = parsed(include_str!("../../../../images.toml")).unwrap();
        assert!(images.len() >= 2 && images.iter().all(Image::is_own));
    }

    #[test]
    fn an_entry_says_everything() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("venv/bin")).unwrap();
        std::fs::write(folder.path().join("venv/bin/python"), "").unwrap();
        let text = r#"
            [[image]]
            uri = "*/sagemaker-scikit-learn:*"
            python = "venv"
            environment = { OMP_NUM_THREADS = "1" }
            working_directory = "/opt/ml/code"
            time_limit = "1h 30m"
            memory_limit = "2 GiB"

            [[image]]
            uri = ["a", "b"]
            entrypoint = "/usr/bin/serve"
            program = ["./serve.sh", "./x"]
        "#;
        let images = parse(text, "images.toml", folder.path()).unwrap();
        let file = "images.toml".to_owned();
        let expected = Image {
            python: Python::at(&folder.path().join("venv")),
            environment: BTreeMap::from([("OMP_NUM_THREADS".to_owned(), "1".to_owned())]),
            working_directory: Some("/opt/ml/code".to_owned()),
            limits: Limits { time: Some(Duration::from_secs(5400)), memory: Some(2 << 30), file: file.clone() },
            ..Image::of("*/sagemaker-scikit-learn:*")
        };
        assert_eq!(images[0], expected);
        let serve = folder.path().join("./serve.sh").to_string_lossy().into_owned();
        let expected = Image {
            uri: vec!["a".to_owned(), "b".to_owned()],
            entrypoint: Some("/usr/bin/serve".to_owned()),
            program: Some(vec![serve, "./x".to_owned()]),
            limits: Limits { file, ..Limits::default() },
            ..Image::of("")
        };
        assert_eq!(images[1], expected);
    }

    #[test]
    fn all_mistakes_are_told_at_once() {
        let text = "[[image]]\nprogramm = ['x']\nentrypoint = 3\n\n[[image]]\nuri = []\npython = 'nowhere'\ntime_limit = 5\n\
                    memory_limit = '2 apples'\nenvironment = { A = 1 }\n\n[image_s]\n";
        let mistakes = parsed(text).unwrap_err().to_string();
        let expected = [
            "images.toml:1: this [[image]] has no `uri`",
            "images.toml:2: `programm` is not known in an [[image]]: did you mean `program`?",
            "images.toml:3: `entrypoint` is a string that is not empty",
            "images.toml:6: `uri` is a list of strings",
            "images.toml:7: there is no Python at /maps/nowhere: name an interpreter or a virtual environment",
            "images.toml:8: `time_limit` is a time in words",
            "images.toml:9: `memory_limit` is an amount in words",
            "images.toml:10: the variable `A` is a string",
            "images.toml:12: `image_s` is not known here",
        ];
        let lines: Vec<_> = mistakes.lines().collect();
        assert_eq!(lines.len(), expected.len(), "{mistakes}");
        for (line, expected) in lines.iter().zip(expected) {
            assert!(line.starts_with(expected), "{line}\n{expected}");
        }
    }

    #[test]
    fn what_is_no_toml_is_told_with_its_line() {
        let mistakes = parsed("[[image]]\nuri = \n").unwrap_err().to_string();
        assert!(mistakes.starts_with("images.toml:2: "), "{mistakes}");
        let missing = read(Path::new("/nowhere/images.toml")).unwrap_err().to_string();
        assert!(missing.starts_with("/nowhere/images.toml: the map of images cannot be read"), "{missing}");
    }

    #[test]
    fn amounts() {
        fn check(text: &str, expected: Option<u64>) {
            assert_eq!(bytes(text), expected, "{text}");
        }
        check("2 GB", Some(2_000_000_000));
        check("512MiB", Some(512 << 20));
        check(" 1 kB ", Some(1000));
        check("0 GB", None);
        check("2", None);
        check("-1 GB", None);
        check("99999999999999 GiB", None);
    }

    proptest! {
        /// Whatever is in the file, it is read or its mistakes have places: no panic, no mistake without a line.
        #[test]
        fn anything_is_read_or_refused(
            lines in prop::collection::vec(
                prop_oneof![
                    Just("[[image]]".to_owned()),
                    ("(uri|program|python|entrypoint|environment|time_limit|memory_limit|x)", "(\"[a-z*]{0,3}\"|\\[\"a\"\\]|\\{ A = \"b\" \\}|7|\"2 GB\"|\"5s\"|)")
                        .prop_map(|(key, value)| format!("{key} = {value}")),
                    "\\PC{0,12}",
                ],
                0..12,
            ),
        ) {
            let text = lines.join("\n");
            match parsed(&text) {
                Ok(images) => prop_assert!(images.iter().all(|image| !image.uri.is_empty())),
                Err(mistakes) => {
                    for mistake in mistakes.0 {
                        let line = mistake.strip_prefix("images.toml:").and_then(|rest| rest.split(':').next()?.parse().ok());
                        prop_assert!(line.is_some_and(|line: usize| line >= 1 && line <= lines.len().max(1) + 1), "{}", mistake);
                    }
                }
            }
        }
    }
}
