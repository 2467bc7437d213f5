//! Where records are in S3: a folder for each hour, in UTC.

use time::{OffsetDateTime, UtcOffset, macros::format_description};

/// The folder of an hour, as captures, labels, merged records and results have it: `2021/05/18/00`.
#[must_use]
pub fn hour(time: OffsetDateTime) -> String {
    let format = format_description!("[year]/[month]/[day]/[hour]");
    // Fails for years beyond four digits alone, whose folder nobody looks for.
    time.to_offset(UtcOffset::UTC).format(format).unwrap_or_default()
}

/// The object into which an endpoint's variant captures: below the capture's destination, named after the time of its
/// first record and a unique id. SageMaker begins another one a minute later.
///
/// ```
/// use time::macros::datetime;
/// let key = model_monitor::layout::capture("Churn", "AllTraffic", datetime!(2021-05-18 00:28:04.146 UTC), "08d6d8b9");
/// assert_eq!(key, "Churn/AllTraffic/2021/05/18/00/28-04-146-08d6d8b9.jsonl");
/// ```
#[must_use]
pub fn capture(endpoint: &str, variant: &str, first: OffsetDateTime, id: &str) -> String {
    let first = first.to_offset(UtcOffset::UTC);
    let (minute, second, milli) = (first.minute(), first.second(), first.millisecond());
    format!("{endpoint}/{variant}/{}/{minute:02}-{second:02}-{milli:03}-{id}.jsonl", hour(first))
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn hours_are_those_of_utc() {
        assert_eq!(hour(datetime!(2021-05-18 01:30:00 +02:00)), "2021/05/17/23");
        let key = capture("E", "v", datetime!(2021-05-18 01:30:09.007 +05:30), "id");
        assert_eq!(key, "E/v/2021/05/17/20/00-09-007-id.jsonl");
    }
}
