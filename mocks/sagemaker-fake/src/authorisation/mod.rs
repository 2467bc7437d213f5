//! Who may do what.

pub mod principal;
