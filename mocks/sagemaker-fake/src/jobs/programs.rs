//! Which program stands for which image.

/// The image patterns and their programs, first match wins.
pub struct Programs {}

impl Programs {
    /// What `mocks/images.toml` says: our own image is this very binary.
    #[must_use]
    pub fn built_in() -> Self {
        Self {}
    }
}
