//! IAM policy documents: parse, evaluate, explain, repair, simulate.
//!
//! Pure: no IO and no AWS SDK. What AWS documents is followed to the word; where its documentation is silent, the comment
//! at the place says what was chosen and why.
//!
//! | module | what it does |
//! |---|---|
//! | [`document`] | the document: read it with all that is wrong in it, hold it |
//! | [`evaluate()`] | whether a request is allowed, and by what; [`assume_role`] for a role and its session tags |
//! | [`Decision`] | the decision: who refused, AWS's own sentence, and what was missing in the request |
//! | [`generate`] | the documents that this toolkit's callers and its execution role need; also as Terraform |
//! | [`repair`] | what to add or to remove so that a refused request is allowed |
//! | [`simulate`] | what IAM's simulator answers, and the context keys that policies mention |
//! | [`operator`] | the operators of conditions |
//! | [`problem`] | what is wrong in a document, where, what AWS would say, and what to write instead |

mod arn;
mod caller;
mod condition;
mod context;
mod decision;
pub mod document;
mod evaluate;
pub mod generate;
mod json;
mod layer;
mod nearest;
pub mod operator;
mod pattern;
mod places;
pub mod problem;
pub mod repair;
pub mod simulate;
mod values;

pub use caller::Caller;
pub use context::Context;
pub use decision::{Decision, Matched, Outcome};
pub use document::{Kind, Policy, Statement};
pub use evaluate::{Attached, Policies, Request, assume_role, evaluate};
pub use problem::Problem;
