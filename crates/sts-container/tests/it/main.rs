//! The real binary, run in folders laid out as SageMaker lays them out.

mod chain;
mod failures;
mod instances;
mod monitor;
mod stop;
mod tree;
