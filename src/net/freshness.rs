//! Freshness of RFC 9111, as Chromium computes it: the time for which a response may be reused without revalidation.
//!
//! * A browser is a private cache: it ignores `s-maxage`, and uses a tenth of the age of a file as its lifetime where
//!   only `Last-Modified` is known (section 4.2.2).
//! * `no-store`, `no-cache`, `Pragma: no-cache` and `Vary: *` rule out reuse without revalidation.
//!   `must-revalidate` only turns that heuristic off: a stale response is never used here.
//! * Other `Vary` headers are ignored: all requests of one client for playlists have the same headers.

use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;

/// Share of a file's age for which it is assumed to stay unchanged.
const HEURISTIC_SHARE: f64 = 0.1;

/// Lifetime of a response according to its headers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Freshness {
    /// True if `Cache-Control` or `Expires` is present.
    stated: bool,
    useless: bool,
    must_revalidate: bool,
    max_age: Option<Duration>,
    shared_max_age: Option<Duration>,
    expires: Option<StatedDate>,
    date: Option<StatedDate>,
    last_modified: Option<StatedDate>,
    age: Duration,
}

/// A date as the response states it. It is read only where the lifetime depends on it: reading one costs as much as
/// all other headers together.
#[derive(Clone, Debug, PartialEq, Eq)]
struct StatedDate {
    text: [u8; Self::LONGEST],
    length: u8,
}

impl StatedDate {
    /// Length of the longest form: a full weekday, and a zone other than GMT.
    const LONGEST: usize = 40;

    /// Keeps a text; one that is longer than a date stands for no date.
    fn new(value: &[u8]) -> Self {
        let value = Some(value.trim_ascii()).filter(|value| value.len() <= Self::LONGEST).unwrap_or_default();
        let mut text = [0; Self::LONGEST];
        text.iter_mut().zip(value).for_each(|(kept, byte)| *kept = *byte);
        Self { text, length: value.len() as u8 }
    }

    fn read(&self) -> Option<Timestamp> {
        date(std::str::from_utf8(self.text.get(..self.length.into())?).ok()?)
    }
}

impl Freshness {
    /// Records a header that concerns lifetimes; ignores others.
    pub fn read(&mut self, name: &[u8], value: &[u8]) {
        let named = |wanted: &str| name.eq_ignore_ascii_case(wanted.as_bytes());
        let text = || std::str::from_utf8(value).unwrap_or_default().trim();
        if named("cache-control") {
            self.stated = true;
            text().split(',').for_each(|directive| self.direct(directive.trim()));
        } else if named("expires") {
            self.stated = true;
            self.expires = Some(StatedDate::new(value));
        } else if named("date") {
            self.date = Some(StatedDate::new(value));
        } else if named("last-modified") {
            self.last_modified = Some(StatedDate::new(value));
        } else if named("age") {
            self.age = seconds(text()).unwrap_or_default();
        } else if named("pragma") {
            self.useless |=
                text().split(',').any(|directive| directive.trim().eq_ignore_ascii_case("no-cache"));
        } else if named("vary") {
            self.useless |= text().split(',').any(|header| header.trim() == "*");
        }
    }

    fn direct(&mut self, directive: &str) {
        let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
        let length = || seconds(value.trim().trim_matches('"'));
        match name.trim().to_ascii_lowercase().as_str() {
            "no-store" | "no-cache" => self.useless = true,
            "must-revalidate" => self.must_revalidate = true,
            "max-age" => self.max_age = self.max_age.or_else(length),
            "s-maxage" => self.shared_max_age = self.shared_max_age.or_else(length),
            _ => {}
        }
    }

    /// Reports whether the response has `Cache-Control` or `Expires`.
    pub fn is_stated(&self) -> bool {
        self.stated
    }

    /// Returns the longest lifetime that the response allows any cache, shared ones included; `None` if it states
    /// none.
    pub fn longest(&self) -> Option<Duration> {
        if self.useless {
            return None;
        }
        let private = self.max_age.or_else(|| self.expires_after(self.date()?));
        private.max(self.shared_max_age)
    }

    /// Returns the time for which a browser reuses the response from `now` on. `took` is the time between request and
    /// response.
    pub fn fresh_for(&self, now: Timestamp, took: Duration) -> Duration {
        if self.useless {
            return Duration::ZERO;
        }
        let date = self.date().unwrap_or(now);
        let lifetime = self.max_age.or_else(|| self.expires_after(date)).or_else(|| self.heuristic(date));
        // Section 4.2.3: the age by the clocks, but at least the `Age` that caches on the way report.
        let apparent = between(date, now).unwrap_or_default();
        lifetime.unwrap_or_default().saturating_sub(apparent.max(self.age) + took)
    }

    fn date(&self) -> Option<Timestamp> {
        self.date.as_ref()?.read()
    }

    fn expires_after(&self, date: Timestamp) -> Option<Duration> {
        // An invalid date, especially "0", means that the response has expired (section 5.3).
        self.expires
            .as_ref()
            .map(|expires| expires.read().and_then(|at| between(date, at)).unwrap_or_default())
    }

    fn heuristic(&self, date: Timestamp) -> Option<Duration> {
        if self.must_revalidate {
            return None;
        }
        let age = between(self.last_modified.as_ref()?.read()?, date)?;
        Some(age.mul_f64(HEURISTIC_SHARE))
    }
}

/// Parses a date in the forms of RFC 9110 section 5.6.7, or, as some servers write it, with a zone other than GMT.
pub(super) fn date(text: &str) -> Option<Timestamp> {
    // Most responses have two or three dates, nearly all in these forms.
    let date = httpdate::parse_http_date(text).ok().and_then(|date| Timestamp::try_from(date).ok());
    date.or_else(|| DateTimeParser::new().parse_timestamp(text).ok())
}

/// Returns the time from `earlier` to `later`; `None` if it would be negative.
pub(super) fn between(earlier: Timestamp, later: Timestamp) -> Option<Duration> {
    Duration::try_from(later.duration_since(earlier)).ok()
}

/// Parses a whole, non-negative number of seconds; one that overflows `u32` becomes `u32::MAX` (section 1.2.2).
pub(super) fn seconds(text: &str) -> Option<Duration> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| Duration::from_secs(text.parse().unwrap_or(u32::MAX).into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: &str = "2026-11-06T08:49:37Z";

    fn freshness(headers: &[(&str, &str)]) -> Freshness {
        let mut freshness = Freshness::default();
        headers.iter().for_each(|(name, value)| freshness.read(name.as_bytes(), value.as_bytes()));
        freshness
    }

    /// Returns the seconds for which a browser reuses a response that took half a second.
    fn fresh_for(headers: &[(&str, &str)]) -> f64 {
        let now = NOW.parse().expect("a date");
        freshness(headers).fresh_for(now, Duration::from_millis(500)).as_secs_f64()
    }

    #[test]
    fn a_browser_uses_a_response_as_long_as_it_is_fresh() {
        let date = ("Date", "Fri, 06 Nov 2026 08:49:37 GMT");
        for (headers, expected) in [
            (&[("Cache-Control", "max-age=30")][..], 29.5),
            (&[("cache-control", "public, Max-Age=\"30\"")], 29.5),
            (&[("Cache-Control", "max-age=30"), ("Age", "12")], 17.5),
            (&[("Cache-Control", "max-age=30"), ("Date", "Fri, 06 Nov 2026 08:49:27 GMT")], 19.5),
            (&[("Cache-Control", "max-age=30"), ("Age", "40")], 0.0),
            (&[("Cache-Control", "s-maxage=30")], 0.0),
            (&[("Cache-Control", "max-age=30, no-cache")], 0.0),
            (&[("Cache-Control", "max-age=30"), ("Cache-Control", "no-store")], 0.0),
            (&[("Cache-Control", "max-age=30"), ("Pragma", "no-cache")], 0.0),
            (&[("Cache-Control", "max-age=30"), ("Vary", "Accept-Encoding, *")], 0.0),
            (&[("Cache-Control", "max-age=30, must-revalidate"), ("Vary", "Origin")], 29.5),
            (&[("Cache-Control", "max-age=-1")], 0.0),
            (&[date, ("Expires", "Fri, 06 Nov 2026 08:50:37 GMT")], 59.5),
            (&[("Expires", "Fri, 06 Nov 2026 08:50:37 GMT")], 59.5),
            (&[date, ("Expires", "Fri, 06 Nov 2026 08:50:37 GMT"), ("Cache-Control", "max-age=2")], 1.5),
            (&[date, ("Expires", "0")], 0.0),
            (&[date, ("Last-Modified", "Fri, 06 Nov 2026 08:47:57 GMT")], 9.5),
            (
                &[("Last-Modified", "Fri, 06 Nov 2026 08:47:57 GMT"), ("Cache-Control", "must-revalidate")],
                0.0,
            ),
            (&[date, ("Last-Modified", "Fri, 06 Nov 2026 08:47:57 GMT"), ("Expires", "-1")], 0.0),
            (&[date, ("Expires", "Fri, 06 Nov 2026 09:50:37 +0100")], 59.5),
            (&[date, ("Expires", "Friday, 06-Nov-26 08:50:37 GMT")], 59.5),
            (&[date, ("Expires", "Fri, 06 Nov 2026 08:50:37 GMT, and much more than a date has")], 0.0),
            (&[date, ("Server", "max-age=30")], 0.0),
        ] {
            assert_eq!(fresh_for(headers), expected, "{headers:?}");
        }
    }

    #[test]
    fn a_huge_lifetime_is_no_error() {
        assert!(fresh_for(&[("Cache-Control", "max-age=99999999999999999999")]) > 4e9);
        assert_eq!(fresh_for(&[("Cache-Control", "max-age=30"), ("Age", "99999999999999999999")]), 0.0);
    }

    #[test]
    fn the_longest_lifetime_is_that_of_any_cache() {
        let longest = |headers: &[(&str, &str)]| freshness(headers).longest().map(|time| time.as_secs());
        assert_eq!(longest(&[("Cache-Control", "max-age=2, s-maxage=30")]), Some(30));
        assert_eq!(longest(&[("Cache-Control", "max-age=30")]), Some(30));
        assert_eq!(longest(&[("Cache-Control", "no-cache, max-age=30")]), None);
        assert_eq!(longest(&[("Last-Modified", "Fri, 06 Nov 2020 08:47:57 GMT")]), None);
        let dates = [("Date", "Fri, 06 Nov 2026 08:49:37 GMT"), ("Expires", "Fri, 06 Nov 2026 08:50:37 GMT")];
        assert_eq!(longest(&dates), Some(60));
        assert!(!freshness(&dates[..1]).is_stated() && freshness(&dates).is_stated());
    }
}
