//! Units: the one place that parses and formats durations, rates, sizes and bit rates.
//!
//! * Parsing: every error is one sentence that says what is accepted.
//! * Formatting: an unknown value is `--`, never 0; at most four significant digits; thousands have separators.

use std::ops::RangeInclusive;
use std::time::Duration;

/// Placeholder for an unknown value.
pub const UNKNOWN: &str = "--";

/// Accepted rates of starts, per second. A slower one would not add a second client for eleven days, and the interval
/// between two starts must stay far below the maximum of `Duration`.
const RATES: RangeInclusive<f64> = 0.000_001..=1_000_000.0;

/// Largest accepted count: above every limit, and exact as a float.
const COUNT_MAX: f64 = 1e12;

/// Accepted sizes: far above any run, and exact as a float.
const BYTES: RangeInclusive<f64> = 1.0..=1e15;

/// Parses a duration such as `90s`, `1m30s`, `250ms`, `2h`, or a bare number of seconds.
///
/// # Errors
/// One sentence that says what is accepted.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let accepted = || "expected a duration such as 250ms, 30s, 1m30s or 2h".to_owned();
    let text = text.trim();
    let seconds = match text.parse::<f64>() {
        Ok(seconds) => seconds,
        Err(_) => text.parse::<jiff::SignedDuration>().map_err(|_| accepted())?.as_secs_f64(),
    };
    // A year is longer than any run and far below the limits of `Duration` and the clock.
    if !(0.0..=366.0 * 86_400.0).contains(&seconds) {
        return Err(accepted());
    }
    Duration::try_from_secs_f64(seconds).map_err(|_| accepted())
}

/// Parses starts per second: `5`, `50/s`, `3000/m`, `7200/h`.
///
/// # Errors
/// One sentence that says what is accepted.
pub fn parse_rate(text: &str) -> Result<f64, String> {
    let accepted = || {
        let [slowest, fastest] = [RATES.start(), RATES.end()];
        format!(
            "expected a rate from {slowest} to {} per second, such as 5, 50/s or 3000/m",
            number(*fastest)
        )
    };
    let (amount, per) = text.trim().split_once('/').unwrap_or((text.trim(), "s"));
    let seconds = match per.trim() {
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        _ => return Err(accepted()),
    };
    let rate = amount.trim().parse::<f64>().map_err(|_| accepted())? / seconds;
    if RATES.contains(&rate) { Ok(rate) } else { Err(accepted()) }
}

/// Parses a whole number as people write it: `2500`, `2,500`, `2_500`, `2.5k`, `1M`.
///
/// # Errors
/// [`NotACount`] for any other text. It has no message: the caller knows what it accepts.
pub fn parse_count(text: &str) -> Result<u64, NotACount> {
    let digits = text.trim().replace([',', '_', ' '], "");
    let (digits, factor) = match digits.strip_suffix(['k', 'K']) {
        Some(thousands) => (thousands, 1e3),
        None => digits.strip_suffix('M').map_or((digits.as_str(), 1.0), |millions| (millions, 1e6)),
    };
    // `parse::<f64>` also takes signs, exponents, `inf` and `nan`.
    let is_plain = digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let value = digits.parse::<f64>().ok().filter(|_| is_plain).ok_or(NotACount)? * factor;
    // Tolerates the rounding of 4.35k; rejects half a client.
    let is_whole = (value - value.round()).abs() < 1e-6;
    if is_whole && value <= COUNT_MAX { Ok(value.round() as u64) } else { Err(NotACount) }
}

/// Error of [`parse_count`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotACount;

/// Parses bits per second: `2500k`, `6M`, `1.5Mbps`, `20 Mb/s`, `800000`.
///
/// # Errors
/// One sentence that says what is accepted.
pub fn parse_bit_rate(text: &str) -> Result<u64, String> {
    let accepted = || "expected a bandwidth such as 2500k, 6M, 1.5Mbps or 800000".to_owned();
    let lower = text.trim().to_ascii_lowercase();
    let number = ["bits/s", "bit/s", "bps", "b/s", "b"].iter().find_map(|unit| lower.strip_suffix(unit));
    let number = number.unwrap_or(&lower).trim();
    let (number, factor) = match number.char_indices().last() {
        Some((at, 'k')) => (&number[..at], 1e3),
        Some((at, 'm')) => (&number[..at], 1e6),
        Some((at, 'g')) => (&number[..at], 1e9),
        _ => (number, 1.0),
    };
    let bits = number.trim().parse::<f64>().map_err(|_| accepted())? * factor;
    if bits.is_finite() && (1.0..=1e12).contains(&bits) { Ok(bits as u64) } else { Err(accepted()) }
}

/// Parses bytes: `500G`, `20MB`, `2GiB`, `1500000`. Units are decimal, or binary with an `i`.
///
/// # Errors
/// One sentence that says what is accepted.
pub fn parse_bytes(text: &str) -> Result<u64, String> {
    let accepted = || "expected a size from 1 byte to 1000T, such as 500M, 20GiB or 1500000".to_owned();
    let lower = text.trim().to_ascii_lowercase();
    let number = lower.strip_suffix('b').unwrap_or(&lower);
    let (number, base) = match number.strip_suffix('i') {
        Some(number) => (number, 1024_f64),
        None => (number, 1000_f64),
    };
    let (number, power) = match number.char_indices().last() {
        Some((at, 'k')) => (&number[..at], 1),
        Some((at, 'm')) => (&number[..at], 2),
        Some((at, 'g')) => (&number[..at], 3),
        Some((at, 't')) => (&number[..at], 4),
        // `Ki` without its letter means nothing.
        _ if base > 1000.0 => return Err(accepted()),
        _ => (number, 0),
    };
    let is_plain = number.trim().bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let bytes =
        number.trim().parse::<f64>().ok().filter(|_| is_plain).ok_or_else(accepted)? * base.powi(power);
    if BYTES.contains(&bytes) { Ok(bytes as u64) } else { Err(accepted()) }
}

/// Parses a share: `5%`, `0.05`, `100%`.
///
/// # Errors
/// One sentence that says what is accepted.
pub fn parse_share(text: &str) -> Result<f64, String> {
    let accepted = || "expected a share such as 5% or 0.05".to_owned();
    let text = text.trim();
    let share = match text.strip_suffix('%') {
        Some(percent) => percent.trim().parse::<f64>().map_err(|_| accepted())? / 100.0,
        None => text.parse::<f64>().map_err(|_| accepted())?,
    };
    if (0.0..=1.0).contains(&share) { Ok(share) } else { Err(accepted()) }
}

/// Formats a whole number with thousands separators: `12,345`.
pub fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Formats a number with about four significant digits: `0.123`, `12.35`, `1,235`.
pub fn number(value: f64) -> String {
    if !value.is_finite() {
        return UNKNOWN.to_owned();
    }
    match value.abs() {
        size if size >= 999.95 => {
            let rounded = count(value.abs().round() as u64);
            if value < 0.0 { format!("-{rounded}") } else { rounded }
        }
        size if size >= 99.995 => format!("{value:.1}"),
        size if size >= 9.9995 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

/// Formats bytes in decimal units: `1.23 GB`.
pub fn bytes(value: u64) -> String {
    humansize::format_size(value, humansize::DECIMAL.decimal_places(2))
}

/// Formats bits per second in decimal units: `4.12 Gb/s`.
pub fn bit_rate(bits_per_second: f64) -> String {
    if !bits_per_second.is_finite() || bits_per_second < 0.0 {
        return UNKNOWN.to_owned();
    }
    let style = humansize::FormatSizeOptions::from(humansize::DECIMAL)
        .base_unit(humansize::BaseUnit::Bit)
        .decimal_places(2)
        .suffix("/s");
    humansize::format_size(bits_per_second.round() as u64, style).replace("bit/s", "b/s")
}

/// Formats events per second: `12.3`, `1,234`, `--` if unknown.
pub fn rate(per_second: Option<f64>) -> String {
    match per_second {
        None => UNKNOWN.to_owned(),
        Some(0.0) => "0".to_owned(),
        Some(rate) if rate < 0.1 => format!("{rate:.2}"),
        Some(rate) if rate < 99.95 => format!("{rate:.1}"),
        Some(rate) => count(rate.round() as u64),
    }
}

/// Formats a share in percent: `0.52%`, `--` if unknown.
pub fn percent(share: Option<f64>) -> String {
    match share.filter(|share| share.is_finite()) {
        None => UNKNOWN.to_owned(),
        Some(0.0) => "0%".to_owned(),
        Some(share) if share < 0.1 => format!("{:.2}%", share * 100.0),
        Some(share) => format!("{:.1}%", share * 100.0),
    }
}

/// Formats microseconds as milliseconds: `0.12`, `12.3`, `1,234`.
pub fn milliseconds(microseconds: u64) -> String {
    let ms = microseconds as f64 / 1000.0;
    match ms {
        _ if ms < 9.995 => format!("{ms:.2}"),
        _ if ms < 99.95 => format!("{ms:.1}"),
        _ => count(ms.round() as u64),
    }
}

/// Formats elapsed time: `00:01:24`; hours may exceed two digits.
pub fn clock(elapsed: Duration) -> String {
    let seconds = elapsed.as_secs();
    format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// Formats elapsed time where there is little room: `1:24`, or `1:05:00` from an hour on.
pub fn short_clock(elapsed: Duration) -> String {
    let seconds = elapsed.as_secs();
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    match hours {
        0 => format!("{minutes}:{:02}", seconds % 60),
        _ => format!("{hours}:{minutes:02}:{:02}", seconds % 60),
    }
}

/// Formats a length of time without a fraction if it has none: `4 s`, `4.5 s`.
pub fn short_span(length: Duration) -> String {
    if length.subsec_nanos() == 0 { whole_span(length) } else { span(length) }
}

/// Formats a length of time in whole seconds: `8 s`, `1 m 11 s`.
pub fn whole_span(length: Duration) -> String {
    match length.as_secs() {
        seconds @ 0..60 => format!("{seconds} s"),
        _ => span(length),
    }
}

/// Formats a length of time for people: `250 ms`, `12.3 s`, `3 m 20 s`, `2 h 05 m`.
pub fn span(length: Duration) -> String {
    let seconds = length.as_secs();
    match seconds {
        0 => format!("{} ms", length.as_millis()),
        1..60 => format!("{:.1} s", (length.as_secs_f64() * 10.0).floor() / 10.0),
        60..3600 => format!("{} m {:02} s", seconds / 60, seconds % 60),
        _ => format!("{} h {:02} m", seconds / 3600, seconds / 60 % 60),
    }
}

/// Formats a duration in whole milliseconds so that [`parse_duration`] reads it again: `250ms`, `1m30s`, `2h`, `0s`.
pub fn duration(length: Duration) -> String {
    let ms = length.as_millis();
    let parts = [(ms / 3_600_000, "h"), (ms / 60_000 % 60, "m"), (ms / 1_000 % 60, "s"), (ms % 1_000, "ms")];
    let text: String = parts
        .iter()
        .filter(|(amount, _)| *amount > 0)
        .map(|(amount, unit)| format!("{amount}{unit}"))
        .collect();
    if text.is_empty() { "0s".to_owned() } else { text }
}

/// Formats a count with its noun: `1 client`, `12 clients`.
pub fn plural(value: u64, singular: &str) -> String {
    format!("{} {singular}{}", count(value), if value == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_take_units() {
        for (text, ms) in [
            ("250ms", 250),
            ("30s", 30_000),
            ("1m30s", 90_000),
            ("2h", 7_200_000),
            ("5", 5_000),
            ("0", 0),
            ("1.5s", 1_500),
        ] {
            assert_eq!(parse_duration(text).map(|d| d.as_millis()), Ok(ms), "{text}");
        }
        for text in ["", "ten", "-5s", "5 parsecs", "inf", "nan", "1e300", "1e30s", "584y", "367d", "-0.1"] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_duration_is_read_as_it_was_written() {
        for (ms, text) in
            [(0, "0s"), (250, "250ms"), (90_000, "1m30s"), (7_200_000, "2h"), (86_461_001, "24h1m1s1ms")]
        {
            let length = Duration::from_millis(ms);
            assert_eq!(duration(length), text);
            assert_eq!(parse_duration(text), Ok(length));
        }
    }

    #[test]
    fn rates_take_units() {
        for (text, rate) in [("5", 5.0), ("50/s", 50.0), ("3000/m", 50.0), ("7200/h", 2.0), ("0.5", 0.5)] {
            assert_eq!(parse_rate(text), Ok(rate), "{text}");
        }
        for text in [
            "0", "0/s", "-0", "-1", "5/day", "fast", "inf", "nan", "", "1e-300", "5e-324", "1e300", "1e7",
            "1e-6/h",
        ] {
            let refused = parse_rate(text).expect_err(text);
            assert!(
                refused.starts_with("expected a rate from 0.000001 to 1,000,000 per second"),
                "{refused}"
            );
        }
    }

    #[test]
    fn counts_are_whole_numbers_with_separators_and_thousands() {
        for (text, value) in [
            ("10", 10),
            ("10k", 10_000),
            ("2.5k", 2_500),
            ("4.35K", 4_350),
            ("1M", 1_000_000),
            ("2,500", 2_500),
            ("1_000 000", 1_000_000),
            ("0", 0),
        ] {
            assert_eq!(parse_count(text), Ok(value), "{text}");
        }
        for text in
            ["", "k", ".", "2.5", "0.0001k", "ten", "-1", "+1", "1e5", "inf", "nan", "99999999999999", "10%"]
        {
            assert_eq!(parse_count(text), Err(NotACount), "{text}");
        }
    }

    #[test]
    fn bit_rates_take_units() {
        for (text, bits) in [
            ("2500k", 2_500_000),
            ("6M", 6_000_000),
            ("1.5Mbps", 1_500_000),
            ("20 Mb/s", 20_000_000),
            ("800000", 800_000),
        ] {
            assert_eq!(parse_bit_rate(text), Ok(bits), "{text}");
        }
        for text in ["0", "-1M", "fast", "", "k"] {
            assert!(parse_bit_rate(text).is_err(), "{text}");
        }
    }

    #[test]
    fn sizes_take_decimal_and_binary_units() {
        for (text, bytes) in [
            ("1500000", 1_500_000),
            ("500M", 500_000_000),
            ("1.5 GB", 1_500_000_000),
            ("20GiB", 20 << 30),
            ("2ki", 2_048),
            ("1b", 1),
            ("1000T", 1_000_000_000_000_000),
        ] {
            assert_eq!(parse_bytes(text), Ok(bytes), "{text}");
        }
        for text in ["0", "-1M", "", "G", "2i", "2iB", "1e9", "inf", "nan", "1001T", "5 apples"] {
            assert!(parse_bytes(text).is_err(), "{text}");
        }
    }

    #[test]
    fn shares_take_percent() {
        assert_eq!(parse_share("5%"), Ok(0.05));
        assert_eq!(parse_share("0.25"), Ok(0.25));
        assert!(parse_share("101%").is_err());
        assert!(parse_share("-1").is_err());
    }

    #[test]
    fn numbers_are_written_for_people() {
        assert_eq!(count(0), "0");
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(number(0.5), "0.500");
        assert_eq!(number(1234.5), "1,235");
        assert_eq!(number(-1234.5), "-1,235");
        assert_eq!(number(f64::NAN), "--");
        assert_eq!(bytes(1_234_000_000), "1.23 GB");
        assert_eq!(bit_rate(4.12e9), "4.12 Gb/s");
        assert_eq!(bit_rate(f64::NAN), "--");
        assert_eq!(rate(None), "--");
        assert_eq!(rate(Some(0.0)), "0");
        assert_eq!(rate(Some(1234.4)), "1,234");
        assert_eq!(percent(Some(0.312)), "31.2%");
        assert_eq!(percent(None), "--");
        assert_eq!(milliseconds(1_234_567), "1,235");
        assert_eq!(milliseconds(120), "0.12");
        assert_eq!(clock(Duration::from_secs(3_661)), "01:01:01");
        assert_eq!(span(Duration::from_secs(200)), "3 m 20 s");
        assert_eq!(plural(1, "client"), "1 client");
        assert_eq!(plural(1200, "client"), "1,200 clients");
    }
}
