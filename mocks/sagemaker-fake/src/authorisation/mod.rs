//! Who may do what.

mod enforcement;
pub mod principal;

pub use enforcement::{Asked, Enforcement};
