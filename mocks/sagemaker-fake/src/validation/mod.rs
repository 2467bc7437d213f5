//! Requests against the constraints of AWS's own service models, and answers too where tests ask for it.
//!
//! The constraints are facts, as tables under `mocks/api/` that `cargo xtask api-constraints` makes: which members a
//! shape has, which are required, of what type, length, range, pattern and set of values.

mod answer;
mod pattern;
mod request;
mod tables;

pub use tables::{Api, Kind, Operation, Shape};

#[cfg(test)]
mod tests;
