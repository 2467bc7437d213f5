//! `stsmm`.
fn main() {}
