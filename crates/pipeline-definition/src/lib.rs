//! SageMaker pipeline definitions (the 2020-12-01 grammar): build, parse, lint, diff, draw, resolve.
//!
//! Pure: no IO and no AWS SDK. What the grammar refers to at run time (parameters, execution variables, what a step's
//! Describe call answers, property files) comes in through [`resolve::Scope`].
//!
//! | module | what it does |
//! |---|---|
//! | [`build`] | a typed builder whose output has the shape that the SageMaker Python SDK emits |
//! | [`definition`] | the document: parse it, hold it, write it back |
//! | [`diff`] | what differs between two definitions, by meaning |
//! | [`draw`] | the steps as text, Mermaid and Graphviz |
//! | [`lint`] | finds what is wrong, with rule, place and suggestion |
//! | [`graph`] | which step waits for which, what may start now, and which steps may run alone |
//! | [`parameters`] | binds the values of one execution to the declared parameters |
//! | [`expression`], [`path`] | the grammar of `Get`, `Std:Join` and `Std:JsonGet` |
//! | [`resolve`] | replaces the expressions of a value by what they stand for |
//! | [`condition`] | the conditions of a Condition step |
//! | [`cache`] | whether an earlier run may stand in for a new one |
//! | [`retry`] | whether a failed step is tried again, and when |

pub mod build;
pub mod cache;
pub mod condition;
pub mod definition;
pub mod diff;
pub mod draw;
pub mod expression;
pub mod graph;
pub mod lint;
pub mod nearest;
pub mod parameters;
pub mod path;
pub mod pointer;
pub mod resolve;
pub mod retry;

pub use definition::{Definition, Parameter, ParameterType, ParseError, Step, StepType};
pub use graph::{Graph, GraphError};
