//! Data quality: rows of any columns to statistics, constraints and violations in AWS's formats.
//!
//! | module | from | to |
//! |---|---|---|
//! | [`rows`] | CSV, JSON lines, captured requests | rows of named values |
//! | [`profile`] | rows | [`statistics::Statistics`]: `statistics.json` |
//! | [`sketch`] | numbers | how they are distributed, in flat memory |
//! | [`constraints`] | statistics of a baseline | [`constraints::Constraints`]: `constraints.json`, and back |
//! | [`violations`] | statistics and constraints | [`violations::Violations`]: `constraint_violations.json` |
//! | [`metrics`] | the same | what is published of each column |

mod captured;
pub mod constraints;
pub mod metrics;
pub mod profile;
pub mod rows;
pub mod sketch;
pub mod statistics;
pub mod violations;
