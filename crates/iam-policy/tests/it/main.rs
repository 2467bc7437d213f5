//! The crate through its public door.

mod conditions;
mod evaluate;
mod fixtures;
mod layers;
mod properties;
mod repair;
mod simulate;
mod trust;
