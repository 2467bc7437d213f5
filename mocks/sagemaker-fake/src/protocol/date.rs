//! The `Date` of an answer.

use std::sync::{Mutex, PoisonError};

use http::HeaderValue;
use time::OffsetDateTime;
use time::macros::format_description;

use crate::Fake;

/// The account's clock, by which signatures are judged, as the header has it.
pub(crate) fn date(fake: &Fake) -> HeaderValue {
    /// The second that was written last, and how: it lasts for thousands of answers.
    static LAST: Mutex<Option<(i64, HeaderValue)>> = Mutex::new(None);

    let now = fake.account_time();
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    match &*last {
        Some((second, written)) if *second == now => written.clone(),
        _ => last.insert((now, write(now))).1.clone(),
    }
}

fn write(second: i64) -> HeaderValue {
    let format =
        format_description!("[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT");
    let time = OffsetDateTime::from_unix_timestamp(second).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    HeaderValue::try_from(time.format(format).unwrap_or_default()).unwrap_or_else(|_| HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_dates_as_http_does() {
        assert_eq!(write(784_111_777), "Sun, 06 Nov 1994 08:49:37 GMT");
    }
}
