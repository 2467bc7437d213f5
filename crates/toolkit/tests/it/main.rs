//! The binary, run as a user runs it.

mod command_line;
mod config;
mod journey;
mod offline;
mod pipeline;
mod permissions;
mod transcripts;
mod user;
