//! The crate against what AWS's own programs wrote, against scikit-learn, and as a whole.

mod data_quality;
mod dataset;
mod distribution;
mod merge;
mod records;
mod statistics;
mod violations;
