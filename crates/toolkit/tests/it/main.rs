//! The binary, run as a user runs it.

mod account;
mod command_line;
mod config;
mod differential;
mod doctor;
mod fault_matrix;
mod image;
mod journey;
mod model;
mod monitoring;
mod offline;
mod permissions;
mod pipeline;
mod scenarios;
mod selective;
mod tolerance;
mod transcripts;
mod user;
