//! The conformance suite against the fake: each case in an account of its own.

mod fake;
mod fidelity;
mod live;
mod refusals;
mod suite;
