//! The crate through its public door.

mod conditions;
mod evaluate;
mod fixtures;
mod layers;
mod properties;
mod simulate;
mod trust;
