//! The crate through its public door.

mod build;
mod fixtures;
mod properties;
mod scale;
