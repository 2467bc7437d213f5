//! Jobs: processing and training, really run as programs laid out by SageMaker's container contract.

pub mod programs;
