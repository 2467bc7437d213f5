//! `/opt/ml` at `/opt/ml`: a program gets a view of the files of this machine in which the `opt` of its instance's folder is
//! `/opt`, with what is really in `/opt` beside its `ml`. Nothing outside that view changes, and nobody need be root.
//!
//! That takes Linux, a mount namespace, and one of two programs: `unshare` of util-linux, which becomes the program, or
//! bubblewrap, which stays and waits for it. What this machine lets us do is tried once.

use std::io;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use super::tree::Tree;

/// How a program gets a view of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Namespace {
    /// Root may have one for the asking.
    OfRoot,
    /// Anybody else is root in a user namespace first.
    OfUser,
    Bubblewrap,
}

/// What to do where there is none.
pub(crate) const HELP: &str = "this machine cannot show a job's files to a program as /opt/ml: install bubblewrap, or let \
                               users have namespaces (util-linux's `unshare -U -r -m true` must succeed)";

/// Mounts what is really in `/opt` beside `ml`, and all of that as `/opt`. Arguments: the new `/opt`, the working directory,
/// the command.
const ENTER: &str = r#"set -e
opt=$1 directory=$2
shift 2
for child in "$opt"/* "$opt"/.[!.]*; do
    name=${child##*/}
    if [ "$name" != ml ] && [ ! -h "$child" ] && [ -e "$child" ] && [ -e "/opt/$name" ]; then
        mount -o rbind "/opt/$name" "$child"
    fi
done
mount -o rbind "$opt" /opt
cd "$directory"
unset OLDPWD
exec "$@""#;

impl Namespace {
    /// What this machine lets us do.
    pub(crate) fn available() -> Option<Self> {
        static AVAILABLE: OnceLock<Option<Namespace>> = OnceLock::new();
        *AVAILABLE.get_or_init(|| {
            let found = [Self::OfRoot, Self::OfUser, Self::Bubblewrap].into_iter().find(|way| way.works());
            if found.is_none() {
                tracing::warn!("{HELP}");
            }
            found
        })
    }

    /// Whether a program really finds its file.
    fn works(self) -> bool {
        let try_it = || -> io::Result<bool> {
            let folder = tempfile::tempdir()?;
            let tree = Tree::new(folder.path())?;
            tree.make("probe")?;
            lay_out(&tree)?;
            let command =
                self.command(&tree, Path::new("/"), &["test".to_owned(), "-d".to_owned(), "/opt/ml/probe".to_owned()]);
            let silent = Command::new(&command[0]).args(&command[1..]).stdin(Stdio::null()).output()?;
            Ok(silent.status.success())
        };
        try_it().unwrap_or(false)
    }

    /// Whether the process that is started is not the program itself, but waits for it.
    pub(crate) fn waits(self) -> bool {
        self == Self::Bubblewrap
    }

    /// The command line that runs another one with a view of its own, in a directory of that view.
    pub(crate) fn command(self, tree: &Tree, directory: &Path, command: &[String]) -> Vec<String> {
        let opt = tree.root().join("opt").to_string_lossy().into_owned();
        let directory = directory.to_string_lossy().into_owned();
        let mut line: Vec<String> = Vec::new();
        let mut say = |words: &[&str]| line.extend(words.iter().map(|word| (*word).to_owned()));
        match self {
            Self::OfRoot => say(&["unshare", "-m", "/bin/sh", "-c", ENTER, "sh", &opt, &directory]),
            Self::OfUser => say(&["unshare", "-U", "-r", "-m", "/bin/sh", "-c", ENTER, "sh", &opt, &directory]),
            Self::Bubblewrap => {
                say(&["bwrap", "--dev-bind", "/", "/", "--bind", &opt, "/opt"]);
                for name in neighbours().unwrap_or_default() {
                    let path = format!("/opt/{name}");
                    say(&["--dev-bind-try", &path, &path]);
                }
                say(&["--chdir", &directory, "--"]);
            }
        }
        line.extend(command.iter().cloned());
        line
    }
}

/// Makes room in an instance's `opt` for what is really in `/opt`.
pub(crate) fn lay_out(tree: &Tree) -> io::Result<()> {
    for name in neighbours()? {
        let (path, place) = (Path::new("/opt").join(&name), tree.root().join("opt").join(&name));
        if place.symlink_metadata().is_ok() {
            continue;
        }
        // One that goes meanwhile is not missed.
        let Ok(kind) = path.symlink_metadata().map(|metadata| metadata.file_type()) else { continue };
        if kind.is_symlink() {
            std::os::unix::fs::symlink(std::fs::read_link(&path)?, &place)?;
        } else if kind.is_dir() {
            std::fs::create_dir(&place)?;
        } else {
            std::fs::write(&place, "")?;
        }
    }
    Ok(())
}

/// What is really in `/opt`, beside `ml`.
fn neighbours() -> io::Result<Vec<String>> {
    let names = std::fs::read_dir("/opt")?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
    names.filter(|name| name.as_ref().map_or(true, |name| name != "ml")).collect()
}
