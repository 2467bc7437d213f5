//! The decisions: from what was observed and what is wanted to a plan. No IO, no clock.

pub mod bootstrap;
pub mod deploy;
pub mod image;
pub mod run;

pub use bootstrap::bootstrap;
pub use run::run;
