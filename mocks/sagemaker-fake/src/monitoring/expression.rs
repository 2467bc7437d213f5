//! When a schedule fires: `cron(0 * ? * * *)`, `cron(0 H ? * * *)`, `cron(0 H/N ? * * *)` or `NOW`.
//!
//! AWS runs an execution up to twenty minutes after the hour; here it is the full hour itself.

use crate::ApiError;
use crate::clock::Timestamp;

/// An hour, in milliseconds.
pub const HOUR_MS: i64 = 3_600_000;

const DAY_HOURS: i64 = 24;

/// When a schedule fires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expression {
    /// Once, at once.
    Now,
    /// At those hours of the day, in UTC, that are a multiple of `period` away from `hour`. 1 is every hour, 24 is daily.
    Every {
        /// In hours, from 1 to 24.
        period: i64,
        /// One of the hours, from 0 to 23.
        hour: i64,
    },
}

impl Expression {
    /// A schedule that names no expression is a daily one, at a time that SageMaker picks.
    pub const DEFAULT: Self = Self::Every { period: DAY_HOURS, hour: 0 };

    /// Reads a `ScheduleExpression`.
    ///
    /// # Errors
    /// `ValidationException`: SageMaker knows no other cron expressions.
    pub fn read(text: &str) -> Result<Self, ApiError> {
        let hours = || {
            let hours = text.strip_prefix("cron(0 ")?.strip_suffix(" ? * * *)")?;
            match hours.split_once('/') {
                None if hours == "*" => Some((1, 0)),
                None => Some((DAY_HOURS, number(hours, 0, 23)?)),
                Some((hour, period)) => Some((number(period, 1, 24)?, number(hour, 0, 23)?)),
            }
        };
        match (text, hours()) {
            ("NOW", _) => Ok(Self::Now),
            (_, Some((period, hour))) => Ok(Self::Every { period, hour }),
            _ => Err(ApiError::validation(format!(
                "Invalid ScheduleExpression '{text}'. Supported are NOW, cron(0 * ? * * *), cron(0 [00-23] ? * * *) and \
                 cron(0 [00-23]/[01-24] ? * * *)."
            ))),
        }
    }

    /// The first time after `time` at which it fires; never again, for one that fires at once.
    #[must_use]
    pub fn next(self, time: Timestamp) -> Option<Timestamp> {
        let Self::Every { period, hour } = self else { return None };
        let first = time.0.div_euclid(HOUR_MS) + 1;
        let mut hours = (first..).take(usize::try_from(2 * DAY_HOURS).unwrap_or_default());
        let next = hours.find(|at| (at.rem_euclid(DAY_HOURS) - hour % period).rem_euclid(period) == 0)?;
        Some(Timestamp(next * HOUR_MS))
    }

    /// The hours that one execution looks back, unless it is told otherwise.
    #[must_use]
    pub fn period_hours(self) -> i64 {
        match self {
            Self::Now => 1,
            Self::Every { period, .. } => period,
        }
    }
}

/// One or two digits within bounds.
fn number(text: &str, least: i64, greatest: i64) -> Option<i64> {
    let plain = (1..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|number| plain && (least..=greatest).contains(number))
}

#[cfg(test)]
mod tests {
    use time::OffsetDateTime;
    use time::macros::datetime;

    use super::*;

    fn at(time: OffsetDateTime) -> Timestamp {
        Timestamp(time.unix_timestamp() * 1000)
    }

    #[test]
    fn expressions_are_read() {
        #[track_caller]
        fn check(text: &str, expected: Option<(i64, i64)>) {
            let read = Expression::read(text).ok();
            assert_eq!(read, expected.map(|(period, hour)| Expression::Every { period, hour }), "{text}");
        }
        check("cron(0 * ? * * *)", Some((1, 0)));
        check("cron(0 0 ? * * *)", Some((24, 0)));
        check("cron(0 07 ? * * *)", Some((24, 7)));
        check("cron(0 17/12 ? * * *)", Some((12, 17)));
        check("cron(0 0/2 ? * * *)", Some((2, 0)));
        check("cron(0 00/24 ? * * *)", Some((24, 0)));
        assert_eq!(Expression::read("NOW"), Ok(Expression::Now));
        for text in [
            "",
            "now",
            "rate(1 hour)",
            "cron(5 * ? * * *)",
            "cron(0 24 ? * * *)",
            "cron(0 0/0 ? * * *)",
            "cron(0 0/25 ? * * *)",
            "cron(0 +1 ? * * *)",
            "cron(0 001 ? * * *)",
            "cron(0 * * * ? *)",
            "cron(0 */2 ? * * *)",
            "cron(0 1/ ? * * *)",
        ] {
            check(text, None);
        }
    }

    #[test]
    fn fires_at_full_hours_after_the_time() {
        #[track_caller]
        fn check(text: &str, time: OffsetDateTime, expected: OffsetDateTime) {
            assert_eq!(Expression::read(text).unwrap().next(at(time)), Some(at(expected)), "{text} after {time}");
        }
        check("cron(0 * ? * * *)", datetime!(2026-11-26 10:20:01 UTC), datetime!(2026-11-26 11:00 UTC));
        check("cron(0 * ? * * *)", datetime!(2026-11-26 11:00 UTC), datetime!(2026-11-26 12:00 UTC));
        check("cron(0 * ? * * *)", datetime!(2026-12-31 23:59:59 UTC), datetime!(2027-01-01 00:00 UTC));
        check("cron(0 12 ? * * *)", datetime!(2026-11-26 12:00 UTC), datetime!(2026-11-27 12:00 UTC));
        check("cron(0 17/12 ? * * *)", datetime!(2026-11-26 01:00 UTC), datetime!(2026-11-26 05:00 UTC));
        check("cron(0 17/12 ? * * *)", datetime!(2026-11-26 05:00 UTC), datetime!(2026-11-26 17:00 UTC));
        check("cron(0 0/2 ? * * *)", datetime!(2026-11-26 21:30 UTC), datetime!(2026-11-26 22:00 UTC));
        // The hours of a period that does not divide the day begin anew each day, as those of cron do.
        check("cron(0 3/10 ? * * *)", datetime!(2026-11-26 14:00 UTC), datetime!(2026-11-26 23:00 UTC));
        check("cron(0 3/10 ? * * *)", datetime!(2026-11-26 23:00 UTC), datetime!(2026-11-27 03:00 UTC));
        assert_eq!(Expression::Now.next(Timestamp(0)), None);
    }
}
