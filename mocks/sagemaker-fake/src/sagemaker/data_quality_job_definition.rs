//! Definitions of jobs that watch what a model is asked, and what it answers.

use serde_json::Value;

use super::monitoring_job_definition::{self as definition, MonitoringType};
use crate::ApiError;
use crate::fake::Context;

const TYPE: MonitoringType = MonitoringType::DataQuality;

pub(super) fn create(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    definition::create(context, TYPE, input)
}

pub(super) fn describe(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    definition::describe(context, TYPE, input)
}

pub(super) fn delete(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    definition::delete(context, TYPE, input)
}

pub(super) fn list(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    definition::list(context, TYPE, input)
}
