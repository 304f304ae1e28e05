//! Parser for the dates of cookies as servers write them (RFC 6265 section 5.1.1): a time, a day, a month and a year,
//! in any order and with any separators.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// Bytes of a date that are parsed; the rest of a longer text is ignored.
const DATE_BYTES: usize = 128;

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// Parses a date into seconds since 1970; `None` if it is not a date.
pub(super) fn unix_seconds(text: &str) -> Option<i64> {
    let (mut time, mut day, mut month, mut year) = (None, None, None, None);
    for token in text.get(..text.len().min(DATE_BYTES))?.split(is_delimiter).filter(|token| !token.is_empty())
    {
        if time.is_none()
            && let Some(found) = clock(token)
        {
            time = Some(found);
        } else if day.is_none()
            && let Some(found) = number(token, 1..=2)
        {
            day = Some(found);
        } else if month.is_none()
            && let Some(found) = month_of(token)
        {
            month = Some(found);
        } else if year.is_none() {
            year = number(token, 2..=4).map(full_year);
        }
    }
    let ([hour, minute, second], day, month, year) =
        (time?, day?, month?, year.filter(|year| *year >= 1601)?);
    let small = |number: i16| i8::try_from(number).ok();
    let date =
        DateTime::new(year, small(month)?, small(day)?, small(hour)?, small(minute)?, small(second)?, 0);
    Some(TimeZone::UTC.to_timestamp(date.ok()?).ok()?.as_second())
}

fn is_delimiter(c: char) -> bool {
    matches!(c, '\t' | ' '..='/' | ';'..='@' | '['..='`' | '{'..='~')
}

/// Parses `hh:mm:ss`, one or two digits each; ignores any text after the digits of the seconds.
fn clock(token: &str) -> Option<[i16; 3]> {
    let mut parts = token.splitn(3, ':');
    let [hour, minute, second] = [parts.next()?, parts.next()?, parts.next()?];
    let whole = |part: &str| number(part, 1..=2).filter(|_| part.bytes().all(|byte| byte.is_ascii_digit()));
    Some([whole(hour)?, whole(minute)?, number(second, 1..=2)?])
}

/// Parses the number that a token begins with, if its count of digits lies within `digits`.
fn number(token: &str, digits: std::ops::RangeInclusive<usize>) -> Option<i16> {
    let length = token.bytes().take_while(u8::is_ascii_digit).count();
    token.get(..length).filter(|_| digits.contains(&length))?.parse().ok()
}

fn month_of(token: &str) -> Option<i16> {
    let name = token.get(..3)?.to_ascii_lowercase();
    let place = MONTHS.iter().position(|month| **month == name)?;
    i16::try_from(place + 1).ok()
}

/// Expands a year of two digits into one from 1970 to 2069.
fn full_year(year: i16) -> i16 {
    match year {
        70..=99 => year + 1900,
        0..=69 => year + 2000,
        _ => year,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_that_servers_write_is_the_same_moment() {
        for text in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
            "Sun, 06-Nov-1994 08:49:37 GMT",
            "06 nov 94 8:49:37",
            "1994 november 6 08:49:37Z",
        ] {
            assert_eq!(unix_seconds(text), Some(784_111_777), "{text}");
        }
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in [
            "",
            "soon",
            "0",
            "06 Nov 1994",
            "06 Nov 1994 25:00:00",
            "31 Feb 1994 08:49:37",
            "06 Nov 1500 08:49:37",
            "06 Nov 08:49:37",
            "ä",
            &"9".repeat(10_000),
            &"ä".repeat(200),
        ] {
            assert_eq!(unix_seconds(text), None, "{text:?}");
        }
    }
}
