//! The crate against outside references, and as a whole.

mod artifact;
mod features;
mod logistic;
mod metrics;
mod quality;
mod sample;
mod validation;
