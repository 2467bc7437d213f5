//! SageMaker Model Monitor's analyses. Model quality: records that an endpoint captured and labels that came later, to
//! metrics, constraints and violations in AWS's formats. Data quality: the same of the columns of any data. No file, no
//! network: bytes come in through `BufRead`, values and bytes go out.
//!
//! The modules in the order in which data passes through them:
//!
//! | module | from | to |
//! |---|---|---|
//! | [`layout`] | a time | the folders of its hour in S3, names of captured objects |
//! | [`records`] | lines of JSON | [`records::Capture`], [`records::GroundTruth`], [`records::Merged`], and back |
//! | [`merge`] | captures and ground truth | merged records, and a [`merge::Report`] |
//! | [`dataset`] | merged records, CSV, JSON lines; where the values are ([`attribute`]) | [`analysis::Observation`] |
//! | [`analysis`] | rows of predictions and labels | [`statistics::Statistics`]: `statistics.json` |
//! | [`constraints`] | statistics of a baseline | [`constraints::Constraints`]: `constraints.json`, and back |
//! | [`tolerance`] | rows of a baseline | how far chance moves each metric, and constraints with that margin |
//! | [`violations`] | statistics and constraints | [`violations::Violations`]: `constraint_violations.json` |
//! | [`cloudwatch`] | statistics | the metrics that a job publishes |
//! | [`data_quality`] | rows of any columns | statistics, constraints and violations of them |
//! | [`distribution`] | captured requests | how each feature is distributed, and how far from a baseline |

pub mod analysis;
pub mod attribute;
pub mod cloudwatch;
pub mod constraints;
pub mod data_quality;
pub mod dataset;
pub mod distribution;
pub mod layout;
pub mod merge;
pub mod problem;
pub mod records;
pub mod statistics;
pub mod tolerance;
pub mod violations;

mod binary;
mod json;
mod multiclass;
mod regression;
mod samples;

pub use multiclass::MAX_CLASSES;
pub use samples::SAMPLED_FROM;
