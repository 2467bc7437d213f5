//! The crate through its public door.

mod build;
mod diff;
mod draw;
mod fixtures;
mod lint;
mod properties;
mod scale;
