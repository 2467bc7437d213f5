//! The values that conditions compare, read from their text.

use std::net::IpAddr;

use ipnet::IpNet;
use time::{Date, OffsetDateTime, format_description::well_known::Iso8601};

pub(crate) fn number(text: &str) -> Option<f64> {
    text.trim().parse().ok().filter(|number: &f64| number.is_finite())
}

pub(crate) fn boolean(text: &str) -> Option<bool> {
    match text {
        _ if text.eq_ignore_ascii_case("true") => Some(true),
        _ if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

/// Nanoseconds since 1970. AWS takes the W3C profile of ISO 8601 (from the year alone to fractions of a second) and
/// seconds since 1970.
pub(crate) fn date(text: &str) -> Option<i128> {
    const YEAR: usize = 4;
    const MONTH: usize = 7;
    let whole = match text.len() {
        // Four digits are a year, not four digits' worth of seconds.
        YEAR => format!("{text}-01-01"),
        MONTH => format!("{text}-01"),
        _ => text.to_owned(),
    };
    // The time first: what reads a date alone does not mind what follows it.
    if let Ok(time) = OffsetDateTime::parse(&whole, &Iso8601::DEFAULT) {
        return Some(time.unix_timestamp_nanos());
    }
    if let Ok(seconds) = text.parse::<i64>()
        && text.len() != YEAR
    {
        return Some(i128::from(seconds) * NANOSECONDS);
    }
    let has_time = whole.contains(['T', ' ', ':']);
    let date = Date::parse(&whole, &Iso8601::DATE).ok().filter(|_| !has_time)?;
    Some(date.midnight().assume_utc().unix_timestamp_nanos())
}

const NANOSECONDS: i128 = 1_000_000_000;

/// A CIDR block; an address alone is the block of itself.
pub(crate) fn block(text: &str) -> Option<IpNet> {
    text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_iso_8601_or_seconds() {
        #[track_caller]
        fn check(text: &str, expected: Option<f64>) {
            assert_eq!(date(text).map(|nanoseconds| nanoseconds as f64 / 1e9), expected, "{text}");
        }
        // `date -u -d TEXT +%s` of GNU coreutils.
        check("2013-06-30T00:00:00Z", Some(1_372_550_400.0));
        check("2013-06-30", Some(1_372_550_400.0));
        check("2013-06", Some(1_370_044_800.0));
        check("2013", Some(1_356_998_400.0));
        check("2013-06-30T02:00+02:00", Some(1_372_550_400.0));
        check("2013-06-30T00:00:00.5Z", Some(1_372_550_400.5));
        check("1372550400", Some(1_372_550_400.0));
        check("2013-06-30T00:00:00+00:00", Some(1_372_550_400.0));
        check("20130630T000000Z", Some(1_372_550_400.0));
        check("-1", Some(-1.0));
        check("2013-06-30T25:00:00Z", None);
        check("2013-06-30Tx", None);
        check("tomorrow", None);
        check("", None);
    }

    #[test]
    fn an_address_alone_is_a_block() {
        assert_eq!(block("203.0.113.7"), block("203.0.113.7/32"));
        assert_eq!(block("2001:DB8::1"), block("2001:db8::1/128"));
        assert_eq!(block("203.0.113.0/33"), None);
    }
}
