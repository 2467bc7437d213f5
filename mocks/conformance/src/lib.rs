//! What AWS does, as cases: each makes what it needs through AWS's own SDKs, looks at what is answered, and removes what it
//! made. The same bodies run against the fake, as its tests, and against a real account, as `cargo xtask live-tests`.
//!
//! [`cases()`] lists them all; [`World`] is the account that a case works in.

mod case;
pub mod cases;
mod clients;
pub mod guard;
mod made;
mod model;
mod refusal;
pub mod wait;
mod world;

pub use case::{Case, Cost};
pub use cases::cases;
pub use clients::Clients;
pub use world::{Account, World};
