//! The fake, driven as its clients drive it.

mod clients;

mod export;
mod pipelines;
mod registry;
mod s3;
mod sts;
mod wire;
