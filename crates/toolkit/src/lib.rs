//! The verbs: the only crate that speaks to AWS.
