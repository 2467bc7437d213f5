//! Who may do what: every call authorised as AWS does, if the fake enforces IAM.
//!
//! Requests come here after their shape was validated and before anything is looked up, so that whoever may not look
//! learns nothing. AWS is not known to do it in another order.
//!
//! | file | knows |
//! |---|---|
//! | `enforcement` | whether IAM is enforced, and what was asked of it |
//! | `principal` | who calls, with every policy that has a say |
//! | `asker` | asks on somebody's behalf, and says AWS's sentence if the answer is no |
//! | `keys` | the condition keys of a request |
//! | `table` | AWS's mapping of operations to actions and resources |
//! | `call` | the operations of every service but S3; roles that are handed on, tags that are put on what is made |
//! | `assume_role` | roles that are assumed, by callers and by SageMaker |
//! | `s3` | S3, whose objects have no operations of their own |
//! | `work` | what a job or a pipeline does as its role |

mod asker;
mod assume_role;
mod call;
mod enforcement;
mod keys;
pub mod principal;
pub(crate) mod s3;
mod table;
mod work;

pub use asker::{Asker, Refused};
pub use enforcement::{Asked, Enforcement};

pub(crate) use assume_role::{Assumption, assumable_by_sagemaker, assume_role, could_not_assume};
pub(crate) use call::{check, unallowed};
pub(crate) use enforcement::Mark;
pub(crate) use work::{NotAssumed, Work};
