//! The fake as a program of its own.

fn main() {}
