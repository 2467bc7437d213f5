//! Jobs: processing and training, really run as programs laid out by SageMaker's container contract.

pub mod logs;
pub mod programs;
