//! The crate through its public door.

mod build;
mod fixtures;
mod lint;
mod properties;
mod scale;
