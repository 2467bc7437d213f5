//! Monitoring schedules: when the job of a definition runs.

use serde_json::{Value, json};

use super::monitoring_job_definition::{self as job_definition, MonitoringType};
use super::paging::{self, Order, SortKey};
use super::{monitoring_execution, names, tags};
use crate::ApiError;
use crate::fake::Context;
use crate::monitoring::captured::Captured;
use crate::monitoring::expression::Expression;
use crate::monitoring::window::Offsets;
use crate::monitoring::{self, Execution, Schedule, execution};
use crate::store::{Record, Records};

/// What a `MonitoringScheduleConfig` comes down to.
struct Wanted {
    monitoring_type: MonitoringType,
    config: Value,
    endpoint: String,
    expression: Expression,
    offsets: Offsets,
}

impl Wanted {
    /// Reads and checks a configuration.
    fn read(context: &Context<'_>, config: &Value) -> Result<Self, ApiError> {
        let (fake, region) = (context.fake, context.region);
        let definition = fake.store.read(|view| job_definition::of_schedule(view, fake, region, config))?;
        let monitoring_type = definition.monitoring_type;
        let schedule = &config["ScheduleConfig"];
        let expression = match schedule["ScheduleExpression"].as_str() {
            Some(expression) => Expression::read(expression)?,
            None => Expression::DEFAULT,
        };
        let longest = definition.details.get("StoppingCondition").and_then(|stop| stop["MaxRuntimeInSeconds"].as_u64());
        let allowed = monitoring_type.max_runtime_seconds();
        if expression.period_hours() == 1 && longest.is_some_and(|longest| longest > allowed) {
            let message = format!(
                "MaxRuntimeInSeconds of an hourly {monitoring_type} monitoring schedule must not be more than {allowed}."
            );
            return Err(ApiError::validation(message));
        }
        let offsets = Offsets::read(expression, schedule, definition.endpoint_input())?;
        Captured::of(context, definition.endpoint())?;
        let endpoint = definition.endpoint().to_owned();
        Ok(Self { monitoring_type, config: config.clone(), endpoint, expression, offsets })
    }
}

pub(super) fn create(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let (fake, now) = (context.fake, context.fake.clock.now());
    let name = input["MonitoringScheduleName"].as_str().unwrap_or_default();
    let wanted = Wanted::read(context, &input["MonitoringScheduleConfig"])?;
    let mut schedule = Schedule {
        region: context.region.to_owned(),
        name: name.to_owned(),
        arn: arn(context, name),
        id: fake.ids.hex(24),
        monitoring_type: wanted.monitoring_type,
        config: wanted.config,
        endpoint: wanted.endpoint,
        offsets: wanted.offsets,
        stopped: false,
        pending: true,
        next: None,
        last: None,
        created: now,
        modified: now,
    };
    schedule.wind(wanted.expression, now);
    fake.store.write(|change| {
        if let Some(other) = change.get::<Schedule>(&schedule.key())? {
            return Err(ApiError::new("ResourceInUse", format!("Monitoring Schedule {} already exists", other.arn)));
        }
        change.put(&schedule)?;
        tags::create(change, &schedule.arn, input)
    })?;
    monitoring::launch(fake, &schedule);
    Ok(json!({"MonitoringScheduleArn": schedule.arn}))
}

pub(super) fn describe(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let (schedule, last) = context.fake.store.read(|view| {
        let schedule = existing(view, context, input)?;
        let last: Option<Execution> = schedule.last.as_deref().map(|key| view.get(key)).transpose()?.flatten();
        Ok((schedule, last))
    })?;
    let mut output = json!({
        "MonitoringScheduleArn": schedule.arn,
        "MonitoringScheduleName": schedule.name,
        "MonitoringScheduleStatus": schedule.status(),
        "MonitoringType": schedule.monitoring_type,
        "CreationTime": schedule.created,
        "LastModifiedTime": schedule.modified,
        "MonitoringScheduleConfig": schedule.config,
        "EndpointName": schedule.endpoint,
    });
    if let Some(last) = last {
        output["LastMonitoringExecutionSummary"] = monitoring_execution::summary(context.fake, &last);
    }
    Ok(output)
}

pub(super) fn update(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let wanted = Wanted::read(context, &input["MonitoringScheduleConfig"])?;
    let schedule = change(context, input, |schedule| {
        schedule.monitoring_type = wanted.monitoring_type;
        schedule.config = wanted.config;
        schedule.endpoint = wanted.endpoint;
        schedule.offsets = wanted.offsets;
        schedule.wind(wanted.expression, context.fake.clock.now());
    })?;
    Ok(json!({"MonitoringScheduleArn": schedule.arn}))
}

pub(super) fn start(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    change(context, input, |schedule| {
        if schedule.stopped {
            schedule.stopped = false;
            schedule.wind(schedule.expression(), context.fake.clock.now());
        }
    })?;
    Ok(Value::Null)
}

/// What runs already goes on to its end.
pub(super) fn stop(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    change(context, input, |schedule| schedule.stopped = true)?;
    Ok(Value::Null)
}

/// The executions of a schedule stay on record.
pub(super) fn delete(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    context.fake.store.write(|change| {
        let schedule = unlocked(change, context, input)?;
        let executions: Vec<Execution> = change.list(&execution::keys_of_schedule(&schedule.region, &schedule.name))?;
        if executions.iter().any(|execution| !execution.status.is_final()) {
            return Err(ApiError::validation("can't delete schedule as it has in-progress executions"));
        }
        change.delete::<Schedule>(&schedule.key())?;
        tags::delete(change, &schedule.arn)
    })?;
    context.fake.engine.notify();
    Ok(Value::Null)
}

pub(super) fn list(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let schedules = context.fake.store.read(|view| view.list::<Schedule>(&names::key(context.region, "")))?;
    let named = |member: &str, name: &str| input[member].as_str().is_none_or(|asked| asked.eq_ignore_ascii_case(name));
    let schedules = schedules.into_iter().filter(|schedule| {
        paging::name_contains(&schedule.name, input)
            && named("EndpointName", &schedule.endpoint)
            && named("MonitoringJobDefinitionName", schedule.definition().unwrap_or_default())
            && named("StatusEquals", schedule.status())
            && named("MonitoringTypeEquals", &schedule.monitoring_type.to_string())
            && paging::within(schedule.created, input, "CreationTimeAfter", "CreationTimeBefore")
            && paging::within(schedule.modified, input, "LastModifiedTimeAfter", "LastModifiedTimeBefore")
    });
    let sort_key = |schedule: &Schedule| match input["SortBy"].as_str() {
        Some("Name") => SortKey::name(&schedule.name),
        Some("Status") => SortKey::name(schedule.status()),
        _ => SortKey::time(schedule.created),
    };
    let (page, token) =
        paging::page("ListMonitoringSchedules", input, Order::Descending, schedules, sort_key, Record::key)?;
    Ok(paging::with_token(json!({"MonitoringScheduleSummaries": page.iter().map(summary).collect::<Vec<_>>()}), token))
}

fn summary(schedule: &Schedule) -> Value {
    let mut summary = json!({
        "MonitoringScheduleName": schedule.name,
        "MonitoringScheduleArn": schedule.arn,
        "CreationTime": schedule.created,
        "LastModifiedTime": schedule.modified,
        "MonitoringScheduleStatus": schedule.status(),
        "EndpointName": schedule.endpoint,
        "MonitoringType": schedule.monitoring_type,
    });
    if let Some(name) = schedule.definition() {
        summary["MonitoringJobDefinitionName"] = json!(name);
    }
    summary
}

fn arn(context: &Context<'_>, name: &str) -> String {
    context.sagemaker_arn(&format!("monitoring-schedule/{}", name.to_lowercase()))
}

fn existing(records: &impl Records, context: &Context<'_>, input: &Value) -> Result<Schedule, ApiError> {
    let name = input["MonitoringScheduleName"].as_str().unwrap_or_default();
    let found = records.get(&names::key(context.region, name))?;
    found.ok_or_else(|| ApiError::not_found(format!("Monitoring Schedule {} not found", arn(context, name))))
}

/// The schedule, unless what was last asked for has not taken effect yet.
fn unlocked(records: &impl Records, context: &Context<'_>, input: &Value) -> Result<Schedule, ApiError> {
    let schedule = existing(records, context, input)?;
    if schedule.pending {
        return Err(ApiError::validation("Monitoring schedule in status Pending"));
    }
    Ok(schedule)
}

/// Changes a schedule, which is pending then.
fn change(context: &Context<'_>, input: &Value, f: impl FnOnce(&mut Schedule)) -> Result<Schedule, ApiError> {
    let schedule = context.fake.store.write(|change| {
        let mut schedule = unlocked(change, context, input)?;
        f(&mut schedule);
        schedule.pending = true;
        schedule.modified = context.fake.clock.now();
        change.put(&schedule)?;
        Ok(schedule)
    })?;
    context.fake.engine.notify();
    Ok(schedule)
}
