//! The crate through its public door.

mod conditions;
mod evaluate;
mod fixtures;
mod generate;
mod hostile;
mod layers;
mod properties;
mod repair;
mod simulate;
mod trust;
