//! The record of a monitoring schedule, and when it is due.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::execution::{Execution, Status as ExecutionStatus};
use super::expression::Expression;
use super::window::Offsets;
use crate::clock::Timestamp;
use crate::ids::Ids;
use crate::sagemaker::monitoring_job_definition::MonitoringType;
use crate::sagemaker::names;
use crate::store::{Change, Record, Records};
use crate::{ApiError, Fake};

/// A monitoring schedule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Schedule {
    /// Its region.
    pub region: String,
    /// Its name, in the case it was given in.
    pub name: String,
    /// `arn:aws:sagemaker:REGION:ACCOUNT:monitoring-schedule/NAME`, the name in lower case.
    pub arn: String,
    /// Tells it from another one of its name, before or after it.
    pub id: String,
    /// What it looks at.
    pub monitoring_type: MonitoringType,
    /// `MonitoringScheduleConfig`, as it was given.
    pub config: Value,
    /// The endpoint that its job definition watches.
    pub endpoint: String,
    /// What its executions look at.
    pub offsets: Offsets,
    /// Whether it has been stopped.
    pub stopped: bool,
    /// Whether what was last asked for has not taken effect yet.
    pub pending: bool,
    /// When it fires next, unless it has been stopped.
    pub next: Option<Timestamp>,
    /// The key of its last execution.
    pub last: Option<String>,
    /// When it was created.
    pub created: Timestamp,
    /// When it last changed.
    pub modified: Timestamp,
}

impl Record for Schedule {
    const KIND: &'static str = "monitoring-schedule";
    fn key(&self) -> String {
        names::key(&self.region, &self.name)
    }
}

impl Schedule {
    /// `MonitoringScheduleStatus`. A schedule is `Pending` for a moment whenever it has been created or changed.
    #[must_use]
    pub fn status(&self) -> &'static str {
        match (self.pending, self.stopped) {
            (true, _) => "Pending",
            (false, true) => "Stopped",
            (false, false) => "Scheduled",
        }
    }

    /// The name of the job definition that it runs, unless the definition is its own.
    #[must_use]
    pub fn definition(&self) -> Option<&str> {
        self.config["MonitoringJobDefinitionName"].as_str()
    }

    /// From now on it goes by its expression: one that fires at once is due now, any other at its next hour. What was due
    /// while it was stopped stays undone.
    pub(crate) fn wind(&mut self, expression: Expression, now: Timestamp) {
        self.next = match expression {
            Expression::Now => Some(now),
            expression => expression.next(now),
        };
    }

    /// As its configuration says.
    pub(crate) fn expression(&self) -> Expression {
        let text = self.config["ScheduleConfig"]["ScheduleExpression"].as_str();
        // It was read when the schedule was made.
        text.and_then(|text| Expression::read(text).ok()).unwrap_or(Expression::DEFAULT)
    }

    /// Whether it is to fire by `now`.
    pub(crate) fn is_due(&self, now: Timestamp) -> bool {
        self.due(now).is_some()
    }

    /// When it is due, if that is by `now`.
    fn due(&self, now: Timestamp) -> Option<Timestamp> {
        self.next.filter(|due| !self.stopped && *due <= now)
    }

    /// Puts an execution on record, and with it when the next one is due: a time fires once, whatever happens.
    fn fire(&mut self, change: &mut Change<'_>, ids: &Ids, due: Timestamp, now: Timestamp) -> Result<(), ApiError> {
        let execution = Execution {
            region: self.region.clone(),
            schedule: self.name.clone(),
            schedule_arn: self.arn.clone(),
            endpoint: self.endpoint.clone(),
            monitoring_type: self.monitoring_type,
            config: self.config.clone(),
            id: ids.hex(24),
            scheduled: due,
            window: self.offsets.at(due),
            status: ExecutionStatus::Pending,
            job: None,
            failure_reason: None,
            created: now,
            modified: now,
        };
        self.next = self.expression().next(due);
        self.last = Some(execution.key());
        change.put(&execution)?;
        change.put(self)
    }
}

/// What was last asked for takes effect.
pub(super) fn settle(fake: &Fake, key: &str) -> Result<(), ApiError> {
    fake.store.write(|change| match change.get::<Schedule>(key)? {
        Some(mut schedule) => {
            schedule.pending = false;
            schedule.modified = fake.clock.now();
            change.put(&schedule)
        }
        None => Ok(()),
    })?;
    fake.engine.notify();
    Ok(())
}

/// How many executions are put on record at a time.
const BATCH: usize = 500;

/// Puts every execution that is due by now on record, of all schedules, in the order of their times.
///
/// # Errors
/// An internal failure when the store cannot be written.
pub fn fire(fake: &Fake) -> Result<(), ApiError> {
    let now = fake.clock.now();
    let any_due = || {
        let schedules = fake.store.read(|view| view.list::<Schedule>(""))?;
        Ok(schedules.iter().any(|schedule| schedule.is_due(now)))
    };
    let mut fired = false;
    while any_due()? {
        fired = true;
        fake.store.write(|change| {
            let mut schedules = change.list::<Schedule>("")?;
            for _ in 0..BATCH {
                let first = schedules.iter_mut().filter_map(|schedule| Some((schedule.due(now)?, schedule)));
                let Some((due, schedule)) = first.min_by_key(|(due, _)| *due) else { break };
                schedule.fire(change, &fake.ids, due, now)?;
            }
            Ok(())
        })?;
    }
    if fired {
        fake.engine.notify();
    }
    Ok(())
}
