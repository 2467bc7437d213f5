//! The durations of `ExpireAfter`.

use std::time::Duration;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// Before the `T`, and after it. A year and a month have the lengths that AWS's examples of a step's cache give no reason
/// to be exact about.
const UNITS: [&[(char, u64)]; 2] =
    [&[('Y', 365 * DAY), ('M', 30 * DAY), ('W', 7 * DAY), ('D', DAY)], &[('H', HOUR), ('M', MINUTE), ('S', 1)]];

/// Reads an `ExpireAfter`: an ISO 8601 duration of whole numbers, whose `P` may be left out, in upper or lower case (`P30D`,
/// `30d`, `PT1H`, `T16m`, `30dT5h`: all of these are in AWS's documentation or were accepted). None: it is no duration.
#[must_use]
pub fn expire_after(text: &str) -> Option<Duration> {
    let text = text.to_ascii_uppercase();
    let text = text.strip_prefix('P').unwrap_or(&text);
    let (date, time) = match text.split_once('T') {
        Some((_, "")) => return None,
        Some((date, time)) => (date, time),
        None => (text, ""),
    };
    if date.is_empty() && time.is_empty() {
        return None;
    }
    let seconds = part(date, UNITS[0])?.checked_add(part(time, UNITS[1])?)?;
    Some(Duration::from_secs(seconds))
}

/// Numbers, each with its unit, the units in their order.
fn part(mut text: &str, mut units: &[(char, u64)]) -> Option<u64> {
    let mut sum = 0_u64;
    while !text.is_empty() {
        let end = text.find(|c: char| !c.is_ascii_digit())?;
        let number: u64 = text[..end].parse().ok()?;
        let unit = text[end..].chars().next()?;
        let at = units.iter().position(|(name, _)| *name == unit)?;
        sum = sum.checked_add(number.checked_mul(units[at].1)?)?;
        units = &units[at + 1..];
        text = &text[end + unit.len_utf8()..];
    }
    Some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read() {
        fn check(text: &str, seconds: Option<u64>) {
            assert_eq!(expire_after(text), seconds.map(Duration::from_secs), "{text}");
        }
        check("P30D", Some(30 * DAY));
        check("30d", Some(30 * DAY));
        check("p4dt12h", Some(4 * DAY + 12 * HOUR));
        check("PT1H", Some(HOUR));
        check("T16m", Some(16 * MINUTE));
        check("30dT5h", Some(30 * DAY + 5 * HOUR));
        check("P1Y2M3W4DT5H6M7S", Some((365 + 60 + 21 + 4) * DAY + 5 * HOUR + 6 * MINUTE + 7));
        check("P0D", Some(0));
        for wrong in
            ["", "P", "T", "PT", "30", "30x", "d30", "5h", "P1DT", "-1d", "1.5d", "1d1y", "30 d", "Tä", "1dT1d"]
        {
            check(wrong, None);
        }
        check("99999999999999999999d", None);
        check("9999999999999999999d", None);
    }
}
