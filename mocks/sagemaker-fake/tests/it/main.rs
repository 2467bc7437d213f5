//! The fake, driven as its clients drive it.

mod account;
mod caching;
mod capture;
mod clients;
mod cloudwatch;
mod endpoints;
mod executions;
mod export;
mod garbage;
mod hosting;
mod iam;
mod invocations;
mod jobs;
mod lifecycle;
mod logs;
mod negatives;
mod pipelines;
mod registry;
mod retries;
mod s3;
mod selective;
mod service_quotas;
mod sts;
mod sts_pipeline;
mod versions;
mod wire;
