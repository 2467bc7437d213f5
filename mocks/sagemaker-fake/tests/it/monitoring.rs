//! Model Monitor: definitions, schedules and executions.

mod data_quality;
mod definitions;
mod executions;
mod firing;
mod schedules;
mod sdk;
mod served;
mod world;
