//! Model Monitor: definitions, schedules and executions.

mod definitions;
mod executions;
mod firing;
mod schedules;
mod sdk;
mod served;
mod world;
