//! IAM policy documents: parse, evaluate, explain, simulate, generate, repair.
//!
//! Pure: no IO and no AWS SDK. What AWS documents is followed to the word; where its documentation is silent, the comment
//! at the place says what was chosen and why.
//!
//! | module | what it does |
//! |---|---|
//! | [`document`] | the document: read it with all that is wrong in it, hold it |
//! | [`operator`] | the operators of conditions |
//! | [`problem`] | what is wrong in a document, where, what AWS would say, and what to write instead |

mod arn;
pub mod document;
mod json;
mod nearest;
pub mod operator;
pub mod problem;
mod values;

pub use document::{Kind, Policy, Statement};
pub use problem::Problem;
