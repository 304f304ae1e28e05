//! `Retry-After` (RFC 9110 section 10.2.3) of a 429 or 503: the time for which a server asks its client to wait.
//!
//! * It is a number of seconds or a date. Of several lines the first readable one counts.
//! * A date is compared with the `Date` of the same response, so that the clocks of server and client may differ.
//! * A wait of no time, a date in the past and anything unreadable ask for nothing. A long wait is cut to
//!   [`limits::RETRY_AFTER_MAX`].

use std::time::Duration;

use jiff::Timestamp;

use super::freshness::{between, date, seconds};
use crate::vocabulary::limits;

/// Headers of a response that tell its client when to retry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RetryAfter {
    time: Option<RetryTime>,
    /// `Date`.
    date: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RetryTime {
    For(Duration),
    Until(Timestamp),
}

impl RetryAfter {
    /// Records a header that concerns retries; ignores others. To be called for responses of a busy server only.
    pub(super) fn read(&mut self, name: &[u8], value: &[u8]) {
        let text = || std::str::from_utf8(value).unwrap_or_default().trim();
        if name.eq_ignore_ascii_case(b"retry-after") {
            let read = || seconds(text()).map(RetryTime::For).or_else(|| date(text()).map(RetryTime::Until));
            self.time = self.time.or_else(read);
        } else if name.eq_ignore_ascii_case(b"date") {
            self.date = date(text());
        }
    }

    /// Returns the wait that the response asks for; `now` is the time of its arrival. `None`: it asks for none.
    pub fn wait(&self, now: Timestamp) -> Option<Duration> {
        let wait = match self.time? {
            RetryTime::For(wait) => wait,
            RetryTime::Until(until) => between(self.date.unwrap_or(now), until)?,
        };
        (!wait.is_zero()).then(|| wait.min(limits::RETRY_AFTER_MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the seconds that these headers ask for, at 08:49:37.
    fn wait(headers: &[(&str, &str)]) -> Option<f64> {
        let mut retry_after = RetryAfter::default();
        headers.iter().for_each(|(name, value)| retry_after.read(name.as_bytes(), value.as_bytes()));
        let now = "2026-11-06T08:49:37Z".parse().expect("a date");
        retry_after.wait(now).map(|wait| wait.as_secs_f64())
    }

    fn asked(value: &str) -> Option<f64> {
        wait(&[("Retry-After", value)])
    }

    #[test]
    fn seconds_and_dates_are_waits_of_at_most_a_minute() {
        for (value, expected) in [
            ("1", 1.0),
            (" 30 ", 30.0),
            ("007", 7.0),
            ("60", 60.0),
            ("61", 60.0),
            ("3600", 60.0),
            ("99999999999999999999999", 60.0),
            ("Fri, 06 Nov 2026 08:49:50 GMT", 13.0),
            ("Friday, 06-Nov-26 08:49:50 GMT", 13.0),
            ("Fri Nov  6 08:49:50 2026", 13.0),
            ("Fri, 06 Nov 2026 09:49:37 GMT", 60.0),
            ("Mon, 30 Dec 2999 23:59:59 GMT", 60.0),
        ] {
            assert_eq!(asked(value), Some(expected), "{value}");
        }
    }

    #[test]
    fn junk_and_the_past_ask_for_nothing() {
        for value in [
            "",
            "abc",
            "-1",
            "+5",
            "1.5",
            "0",
            "5 s",
            "5, 6",
            "0x10",
            "\u{0665}",
            "Wed, 21 Oct 2015 07:28:00 GMT",
        ] {
            assert_eq!(asked(value), None, "{value}");
        }
        assert_eq!(wait(&[]), None);
        assert_eq!(wait(&[("X-Retry-After", "5")]), None);
    }

    #[test]
    fn the_first_readable_line_counts_and_a_date_is_measured_by_the_servers_own_clock() {
        assert_eq!(wait(&[("retry-after", "abc"), ("RETRY-AFTER", "5"), ("Retry-After", "9")]), Some(5.0));
        let until = ("Retry-After", "Fri, 06 Nov 2026 10:00:20 GMT");
        let date = ("Date", "Fri, 06 Nov 2026 10:00:00 GMT");
        assert_eq!(wait(&[date, until]), Some(20.0));
        assert_eq!(wait(&[until, date]), Some(20.0));
        assert_eq!(wait(&[until, ("Date", "Fri, 06 Nov 2026 10:00:20 GMT")]), None);
    }
}
