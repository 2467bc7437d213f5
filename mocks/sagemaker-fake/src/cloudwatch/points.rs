//! Data points: a set of statistics for each second or minute in which there were any, an hour of them in a record.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::metric::Metric;
use crate::ApiError;
use crate::clock::Timestamp;
use crate::store::{Change, Record, Records};

const HOUR_MS: i64 = 3_600_000;

/// Everything that CloudWatch keeps of some values.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Statistics {
    /// How many there were.
    pub count: f64,
    /// Their sum.
    pub sum: f64,
    /// The least.
    pub minimum: f64,
    /// The greatest.
    pub maximum: f64,
}

impl Statistics {
    /// One value that was seen `count` times.
    pub(crate) fn of(value: f64, count: f64) -> Self {
        Self { count, sum: value * count, minimum: value, maximum: value }
    }

    /// Both together.
    #[must_use]
    pub(super) fn and(self, other: Self) -> Self {
        Self {
            count: self.count + other.count,
            sum: self.sum + other.sum,
            minimum: self.minimum.min(other.minimum),
            maximum: self.maximum.max(other.maximum),
        }
    }

    /// One of the five statistics, by AWS's name.
    pub(super) fn get(self, name: &str) -> Option<f64> {
        match name {
            "SampleCount" => Some(self.count),
            "Sum" => Some(self.sum),
            "Minimum" => Some(self.minimum),
            "Maximum" => Some(self.maximum),
            "Average" => Some(self.sum / self.count),
            _ => None,
        }
    }
}

/// Values of a metric at a time.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Datum {
    /// Of which metric.
    pub metric: Metric,
    /// When.
    pub time: Timestamp,
    /// `None` if it has none.
    pub unit: String,
    /// The values.
    pub statistics: Statistics,
    /// Whether they are kept by the second instead of by the minute.
    pub by_second: bool,
}

/// One data point.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Point {
    pub time: Timestamp,
    pub unit: String,
    pub statistics: Statistics,
}

/// The data points of an hour. Each is `[second of the hour, unit, count, sum, minimum, maximum]`.
#[derive(Serialize, Deserialize)]
pub(crate) struct Hour {
    metric: String,
    hour: i64,
    points: Vec<(i64, String, f64, f64, f64, f64)>,
}

impl Record for Hour {
    const KIND: &'static str = "metric-hour";
    fn key(&self) -> String {
        key(&self.metric, self.hour)
    }
}

fn key(metric: &str, hour: i64) -> String {
    format!("{metric}/{hour:09}")
}

/// Adds values to their metrics.
///
/// # Errors
/// An internal failure when the store cannot be written.
pub(crate) fn add(change: &mut Change<'_>, now: Timestamp, data: &[Datum]) -> Result<(), ApiError> {
    for datum in data {
        change.put(&Metric { last: now, ..datum.metric.clone() })?;
        let (metric, hour) = (datum.metric.id(), datum.time.0.div_euclid(HOUR_MS));
        let second = datum.time.0.rem_euclid(HOUR_MS) / 1000;
        let second = if datum.by_second { second } else { second / 60 * 60 };
        let mut record: Hour =
            change.get(&key(&metric, hour))?.unwrap_or_else(|| Hour { metric, hour, points: Vec::new() });
        let at = |point: &(i64, String, f64, f64, f64, f64)| point.0 == second && point.1 == datum.unit;
        let mut all = datum.statistics;
        if let Some(before) = record.points.iter().position(at) {
            let (_, _, count, sum, minimum, maximum) = record.points.swap_remove(before);
            all = all.and(Statistics { count, sum, minimum, maximum });
        }
        record.points.push((second, datum.unit.clone(), all.count, all.sum, all.minimum, all.maximum));
        change.put(&record)?;
    }
    Ok(())
}

/// The data points of a metric within a time, oldest first.
///
/// # Errors
/// An internal failure when the store cannot be read.
pub(super) fn within(records: &impl Records, metric: &Metric, time: &Range<Timestamp>) -> Result<Vec<Point>, ApiError> {
    const PAGE: usize = 48;
    let (metric, last) = (metric.id(), time.end.0.div_euclid(HOUR_MS));
    let prefix = format!("{metric}/");
    let mut from = key(&metric, time.start.0.div_euclid(HOUR_MS));
    let mut points = Vec::new();
    loop {
        let hours: Vec<Hour> = records.page(&prefix, &from, PAGE)?;
        for hour in hours.iter().take_while(|hour| hour.hour <= last) {
            points.extend(hour.points.iter().map(|(second, unit, count, sum, minimum, maximum)| Point {
                time: Timestamp(hour.hour * HOUR_MS + second * 1000),
                unit: unit.clone(),
                statistics: Statistics { count: *count, sum: *sum, minimum: *minimum, maximum: *maximum },
            }));
        }
        match hours.last() {
            Some(hour) if hours.len() == PAGE && hour.hour <= last => from = key(&metric, hour.hour + 1),
            _ => break,
        }
    }
    points.retain(|point| time.contains(&point.time));
    points.sort_by(|one, other| (one.time, &one.unit).cmp(&(other.time, &other.unit)));
    Ok(points)
}

/// Points summed up by periods that begin at `start`: each with the beginning of its period, oldest first.
pub(super) fn by_period(points: &[Point], start: Timestamp, period_ms: i64) -> Vec<(Timestamp, Statistics)> {
    let mut periods: Vec<(Timestamp, Statistics)> = Vec::new();
    for point in points {
        let begin = Timestamp(start.0 + (point.time.0 - start.0).div_euclid(period_ms) * period_ms);
        match periods.last_mut().filter(|(time, _)| *time == begin) {
            Some((_, all)) => *all = all.and(point.statistics),
            None => periods.push((begin, point.statistics)),
        }
    }
    periods
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;

    fn datum(time: i64, value: f64) -> Datum {
        let metric = Metric {
            region: "r".into(),
            namespace: "n".into(),
            name: "m".into(),
            dimensions: vec![("d".into(), "v".into())],
            last: Timestamp(0),
        };
        Datum {
            metric,
            time: Timestamp(time),
            unit: "None".into(),
            statistics: Statistics::of(value, 1.0),
            by_second: false,
        }
    }

    #[test]
    fn values_of_a_minute_are_one_point() {
        let store = Store::in_memory().unwrap();
        let data = [datum(61_000, 1.0), datum(119_999, 3.0), datum(120_000, 5.0), datum(HOUR_MS * 100, 7.0)];
        store.write(|change| add(change, Timestamp(9), &data)).unwrap();
        let points = |range: Range<i64>| {
            let time = Timestamp(range.start)..Timestamp(range.end);
            store.read(|view| within(view, &data[0].metric, &time)).unwrap()
        };
        let all = points(0..HOUR_MS * 200);
        assert_eq!(all.iter().map(|point| point.time.0).collect::<Vec<_>>(), [60_000, 120_000, HOUR_MS * 100]);
        assert_eq!(all[0].statistics, Statistics { count: 2.0, sum: 4.0, minimum: 1.0, maximum: 3.0 });
        assert_eq!(points(60_000..120_000).len(), 1);
        assert_eq!(points(120_001..HOUR_MS * 100).len(), 0);
        let hours = by_period(&all, Timestamp(0), HOUR_MS);
        assert_eq!(hours[0], (Timestamp(0), Statistics { count: 3.0, sum: 9.0, minimum: 1.0, maximum: 5.0 }));
        assert_eq!(hours[1].0, Timestamp(HOUR_MS * 100));
        assert_eq!(store.read(|view| view.list::<Metric>("r/n\0")).unwrap()[0].last, Timestamp(9));
    }

    #[test]
    fn many_hours_are_read_page_by_page() {
        let store = Store::in_memory().unwrap();
        let data: Vec<_> = (0..200).map(|hour| datum(hour * HOUR_MS, 1.0)).collect();
        store.write(|change| add(change, Timestamp(0), &data)).unwrap();
        let points = |range: Range<i64>| {
            let time = Timestamp(range.start * HOUR_MS)..Timestamp(range.end * HOUR_MS);
            store.read(|view| within(view, &data[0].metric, &time)).unwrap().len()
        };
        assert_eq!((points(0..200), points(48..96), points(150..1000), points(10..10)), (200, 48, 50, 0));
    }
}
