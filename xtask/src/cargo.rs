//! Another cargo, called from within one.

use xshell::{Cmd, Shell};

/// Cargo, without what `cargo run` told this program about itself. Handed on, that would be news to build scripts that
/// look at it (ring's does), and everything above them, the AWS SDKs too, would be built anew.
pub fn cargo(sh: &Shell) -> Cmd<'_> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    let own = names.filter(|name| ["CARGO_PKG_", "CARGO_MANIFEST_"].iter().any(|prefix| name.starts_with(prefix)));
    own.fold(sh.cmd(cargo), Cmd::env_remove)
}
