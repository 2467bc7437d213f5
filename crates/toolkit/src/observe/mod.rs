//! What exists: read, never changed. A plan is made from it.

pub mod bucket;
pub mod image;
pub mod input;
pub mod monitoring;
pub mod objects;
pub mod registry;
pub mod serving;

pub use bucket::{Bucket, observe as bucket};
pub use input::Input;
pub(crate) use registry::is_absent;
pub use registry::{PackageGroup, Pipeline, tags};

/// What could be learnt about a thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen<T> {
    /// It is there.
    Present(T),
    /// It is not there.
    Absent,
    /// It could not be looked at, for this reason.
    Unknown(String),
}
