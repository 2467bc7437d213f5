//! Who serves a state folder. One process owns it, and leaves its URL there for others to find.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use http::Method;
use serde::{Deserialize, Serialize};

use super::control;

/// The file that names the owner.
const FILE: &str = "owner.json";

/// The owner of a state folder, for as long as this lives.
#[derive(Debug)]
pub struct Owner {
    file: PathBuf,
    notice: Notice,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Notice {
    /// Where the owner answers.
    url: String,
    /// The number of its process.
    process: u32,
}

impl Owner {
    /// Says that this process serves the state in `folder` at `url`. The file appears whole or not at all. It is the
    /// lock on the store that keeps a second process out; this only says where the first one is.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn claim(folder: &Path, url: &str) -> io::Result<Self> {
        let notice = Notice { url: url.to_owned(), process: std::process::id() };
        let mut draft = tempfile::NamedTempFile::new_in(folder)?;
        serde_json::to_writer(&mut draft, &notice)?;
        draft.flush()?;
        let file = folder.join(FILE);
        draft.persist(&file)?;
        Ok(Self { file, notice })
    }

    /// The URL at which the state in `folder` is being served, if it is. What a killed process left is not believed:
    /// whoever answers there must serve this very folder.
    #[must_use]
    pub fn find(folder: &Path) -> Option<String> {
        let notice = read(&folder.join(FILE))?;
        let answer = control::ask(&notice.url, &Method::GET, "owner").ok()?;
        let theirs = Path::new(answer["folder"].as_str()?).canonicalize().ok()?;
        (theirs == folder.canonicalize().ok()?).then_some(notice.url)
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        // Another process may have claimed the folder since; its notice is not ours to remove.
        if read(&self.file).is_some_and(|notice| notice == self.notice) {
            _ = std::fs::remove_file(&self.file);
        }
    }
}

fn read(file: &Path) -> Option<Notice> {
    serde_json::from_slice(&std::fs::read(file).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Fake;
    use crate::protocol::Checked;

    #[tokio::test(flavor = "multi_thread")]
    async fn an_owner_is_found_while_it_serves_and_not_after() {
        let folder = tempfile::tempdir().unwrap();
        let find = || tokio::task::block_in_place(|| Owner::find(folder.path()));
        assert_eq!(find(), None);

        let fake = Fake::builder().state(folder.path().to_owned()).build().unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = crate::doors::http::serve(&fake, listener, Checked::No).unwrap();
        let owner = Owner::claim(folder.path(), server.url()).unwrap();
        assert_eq!(find().as_deref(), Some(server.url()));

        // Another folder's owner answers at the URL that a killed process left behind.
        let other = tempfile::tempdir().unwrap();
        let stale = Owner::claim(other.path(), server.url()).unwrap();
        assert_eq!(tokio::task::block_in_place(|| Owner::find(other.path())), None);
        drop(stale);

        drop(owner);
        assert_eq!(find(), None);
        assert!(!folder.path().join(FILE).exists());
    }
}
