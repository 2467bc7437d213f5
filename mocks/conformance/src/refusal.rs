//! What AWS says when it refuses.

use std::fmt::Debug;

use anyhow::{anyhow, ensure};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

/// Demands that a call is refused with this code, and a sentence that contains `part`.
///
/// # Errors
/// When it was not refused, or otherwise.
pub(crate) fn refused<T: Debug, E: ProvideErrorMetadata + Debug>(
    result: Result<T, E>,
    code: &str,
    part: &str,
) -> anyhow::Result<()> {
    let error = result.err().ok_or_else(|| anyhow!("a call that AWS refuses with {code} ({part}) was answered"))?;
    let (said_code, said) = (error.code().unwrap_or_default(), error.message().unwrap_or_default());
    ensure!(
        said_code == code && said.contains(part),
        "expected {code} ({part}), and got {said_code}: {said} ({error:?})"
    );
    Ok(())
}
