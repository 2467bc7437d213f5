//! The doors: how a request gets in. All of them lead to the same account.
//!
//! | door | serves | for |
//! |---|---|---|
//! | [`http`] | everything, S3 too, at one URL | everyone |
//! | [`wiremock`] | everything but S3 and InvokeEndpoint | tests that want to put an answer of their own on top |
//!
//! [`control`] is what the fake itself answers under `/_stsmm/`; [`owner`] is how a second process finds who serves a
//! state folder.

mod answer;
pub mod control;
pub mod http;
pub mod owner;
mod patience;
pub mod wiremock;
