//! IAM: roles.
