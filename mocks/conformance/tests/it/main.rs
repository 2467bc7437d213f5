//! The conformance suite against the fake: each case in an account of its own.

mod fake;
mod live;
mod suite;
