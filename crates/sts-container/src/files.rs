//! Folders of files as SageMaker fills them, and files that are there in full or not at all.

use std::{
    fs::{self, File},
    io::{BufReader, BufWriter, Write},
    path::{Path, PathBuf},
};

use crate::error::Error;

/// All files of a folder and of those inside it, in the order of their names. `extension` is without the dot; `None`
/// takes every file.
///
/// # Errors
/// The folder cannot be read, or no such file is in it.
pub(crate) fn list(folder: &Path, extension: Option<&str>) -> Result<Vec<PathBuf>, Error> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(&folder).map_err(|source| Error::Read { path: folder.clone(), source })?;
        for entry in entries {
            let path = entry.map_err(|source| Error::Read { path: folder.clone(), source })?.path();
            if path.is_dir() {
                folders.push(path);
            } else if extension.is_none_or(|extension| path.extension().is_some_and(|own| own == extension)) {
                files.push(path);
            }
        }
    }
    if files.is_empty() {
        let what = extension.map_or("file".to_owned(), |extension| format!("*.{extension}"));
        return Err(Error::NoFile { folder: folder.to_owned(), what });
    }
    files.sort();
    Ok(files)
}

/// The one file of a folder.
///
/// # Errors
/// The folder cannot be read, or has none or several.
pub(crate) fn only(folder: &Path) -> Result<PathBuf, Error> {
    let mut files = list(folder, None)?;
    match files.len() {
        1 => Ok(files.remove(0)),
        count => Err(Error::SeveralFiles { folder: folder.to_owned(), count }),
    }
}

/// Opens a file to read it from its start to its end.
///
/// # Errors
/// It is not there, or may not be read.
pub(crate) fn open(path: &Path) -> Result<BufReader<File>, Error> {
    File::open(path).map(BufReader::new).map_err(|source| Error::Read { path: path.to_owned(), source })
}

/// Reads files in chunks, one file after the other; each chunk comes with its file.
///
/// # Errors
/// A file cannot be read; or, by `wrong`, it cannot be cut.
pub(crate) fn chunks<F: AsRef<Path>, C, E, I: Iterator<Item = Result<C, E>>>(
    files: &[F],
    cut: impl Fn(BufReader<File>) -> Result<I, E>,
    wrong: fn(PathBuf, E) -> Error,
) -> impl Iterator<Item = Result<(&F, C), Error>> {
    files.iter().flat_map(move |file| {
        let wrong = move |source| wrong(file.as_ref().to_owned(), source);
        let (chunks, error) = match open(file.as_ref()).and_then(|opened| cut(opened).map_err(wrong)) {
            Ok(chunks) => (Some(chunks), None),
            Err(error) => (None, Some(Err(error))),
        };
        chunks.into_iter().flatten().map(move |chunk| Ok((file, chunk.map_err(wrong)?))).chain(error)
    })
}

/// The whole content of a file.
///
/// # Errors
/// It is not there, or may not be read.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Error> {
    fs::read(path).map_err(|source| Error::Read { path: path.to_owned(), source })
}

/// Writes a whole file at once: who stops the program in between finds no half of it.
///
/// # Errors
/// The folder or the file cannot be written.
pub(crate) fn write(path: &Path, content: &str) -> Result<(), Error> {
    let mut file = Output::new(path.to_owned());
    file.append(content)?;
    file.finish()
}

/// A file that grows, and gets its name when it is finished. Without content there is no file.
#[derive(Debug)]
pub(crate) struct Output {
    path: PathBuf,
    writer: Option<BufWriter<File>>,
}

impl Output {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path, writer: None }
    }

    /// Adds content.
    ///
    /// # Errors
    /// The folder or the file cannot be written.
    pub(crate) fn append(&mut self, content: &(impl AsRef<[u8]> + ?Sized)) -> Result<(), Error> {
        let writer = match self.writer.take() {
            Some(writer) => writer,
            None => self.create()?,
        };
        let writer = self.writer.insert(writer);
        writer.write_all(content.as_ref()).map_err(|source| Error::Write { path: self.path.clone(), source })
    }

    /// Gives the file its name.
    ///
    /// # Errors
    /// What was added cannot be written.
    pub(crate) fn finish(mut self) -> Result<(), Error> {
        let Some(mut writer) = self.writer.take() else { return Ok(()) };
        let written = writer.flush().and_then(|()| fs::rename(self.unfinished(), &self.path));
        written.map_err(|source| Error::Write { path: self.path.clone(), source })
    }

    fn create(&self) -> Result<BufWriter<File>, Error> {
        let folder = self.path.parent().map_or(Ok(()), fs::create_dir_all);
        let file = folder.and_then(|()| File::create(self.unfinished()));
        file.map(BufWriter::new).map_err(|source| Error::Write { path: self.path.clone(), source })
    }

    fn unfinished(&self) -> PathBuf {
        let mut name = self.path.clone().into_os_string();
        name.push(".unfinished");
        name.into()
    }
}

/// What was not finished is not left behind.
impl Drop for Output {
    fn drop(&mut self) {
        if self.writer.take().is_some() {
            // Best effort: the job has failed already.
            let _ = fs::remove_file(self.unfinished());
        }
    }
}
