//! A stateful fake of the parts of AWS that an ML pipeline touches: SageMaker, S3, AWS STS, IAM, Service
//! Quotas, CloudWatch and CloudWatch Logs.
//!
//! It does not answer from a script. A pipeline that is started here is scheduled as SageMaker schedules it, its steps
//! run as real programs laid out by the container contract, and what they write appears in the fake's S3.
//!
//! Layers, from the outside in:
//!
//! | layer | module | knows |
//! |---|---|---|
//! | doors | [`doors`] | HTTP: one listener for everything, with wiremock mocks before it where a test mounts some |
//! | protocol | [`protocol`] | awsJson, awsQuery, restJson, rpc-v2-cbor; which service and operation a request means |
//! | authorisation | [`authorisation`] | who may do what, if IAM is enforced: operations mapped to actions as AWS does |
//! | validation | [`validation`] | AWS's own constraints on requests, as tables under `mocks/api/` |
//! | operations | [`sagemaker`], [`s3`], [`sts`], [`iam`], [`cloudwatch`], [`logs`], [`service_quotas`] | one file per resource: unpack, act, wrap |
//! | lifecycle | [`engine`], [`jobs`], [`tuning`], [`endpoints`], [`monitoring`], [`clock`], [`pace`] | what happens after the answer: executions, jobs, endpoints, schedules, time |
//! | store | [`store`] | transactions over records; plain files for objects |

pub mod authorisation;
pub mod doors;
pub mod protocol;
pub mod validation;

pub mod cloudwatch;
pub mod iam;
pub mod logs;
pub mod s3;
pub mod sagemaker;
pub mod service_quotas;
pub mod sts;

pub mod ecr;
pub mod endpoints;
pub mod engine;
pub mod jobs;
pub mod monitoring;
pub mod tuning;

pub mod account;
pub mod archive;
pub mod calls;
pub mod clock;
pub mod coverage;
pub mod error;
pub mod export;
pub mod fake;
pub mod faults;
mod gate;
pub mod ids;
pub mod import;
pub mod pace;
mod page;
mod pages;
pub mod replace;
pub mod store;
pub mod testing;
mod wildcard;

pub use error::ApiError;
pub use fake::{Fake, FakeBuilder};
