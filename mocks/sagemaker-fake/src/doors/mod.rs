//! The door: how a request gets in. Every service is behind the same one, at one URL.
//!
//! | file | knows |
//! |---|---|
//! | [`http`], `patience` | connections, and clients that stall |
//! | `answer` | what a request is answered, whatever it is for |
//! | [`overlay`] | answers of a test's own, which come before the fake's |
//! | [`control`] | what the fake itself answers under `/_stsmm/` |
//! | [`owner`] | how a second process finds who serves a state folder |

mod answer;
pub mod control;
pub mod http;
pub mod overlay;
pub mod owner;
mod patience;
