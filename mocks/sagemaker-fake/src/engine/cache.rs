//! Step caching: an earlier run of the same step stands in for a new one.

use std::time::Duration;

use pipeline_definition::Step;
use pipeline_definition::cache::{self, Key, Run, Verdict};
use serde_json::Value;

use super::execution::{CacheLookup, Execution, StepRecord, StepStatus, keys_of_pipeline};
use super::scope::ExecutionScope;
use crate::ApiError;
use crate::store::Records;

/// What the search came to, and on a hit the record of the run that stands in.
pub(super) type Found = (CacheLookup, Option<StepRecord>);

/// Looks for an earlier run of a step with these resolved arguments, among all executions of the same pipeline. `made`
/// is what the step's metadata calls what it makes: a step that had another type made something else. None: a step of
/// this type is never cached.
pub(super) fn look_up(
    scope: &ExecutionScope<'_>,
    step: &Step,
    made: &str,
    arguments: &Value,
) -> Result<Option<Found>, ApiError> {
    let Some(key) = Key::of(&step.kind, arguments) else { return Ok(None) };
    let (fake, this) = (scope.fake, scope.execution);
    let now = fake.clock.now();
    let enabled = step.cache_config.as_ref().is_some_and(|config| config.enabled);
    let executions = match enabled {
        true => fake.store.read(|view| view.list::<Execution>(&keys_of_pipeline(&this.region, &this.pipeline)))?,
        false => Vec::new(),
    };
    let earlier = executions.iter().filter(|execution| execution.arn != this.arn).filter_map(|execution| {
        let record =
            execution.step(&step.name).filter(|record| is_source(record) && record.metadata[made].is_object())?;
        let age = u64::try_from(now.0 - record.end?.0).unwrap_or_default();
        let key = &record.cache.as_ref()?.key;
        Some(Run { execution: &execution.arn, key, age: Duration::from_millis(age) })
    });
    let verdict = cache::look_up(step.cache_config.as_ref(), &key, earlier);
    let source = match &verdict {
        Verdict::Hit(source) => executions.iter().find(|execution| execution.arn == *source),
        Verdict::Miss(_) => None,
    };
    let source = source.and_then(|execution| execution.step(&step.name)).cloned();
    Ok(Some((CacheLookup { key, verdict }, source)))
}

/// Whether it really ran and succeeded. What was itself taken from the cache is no younger than its source.
fn is_source(record: &StepRecord) -> bool {
    record.status == StepStatus::Succeeded && record.cache_source().is_none()
}
