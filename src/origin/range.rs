//! Evaluates a request's `Range` header against the length of a resource (RFC 9110 section 14).

use std::ops::Range;

/// Meaning of a `Range` header for a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// The whole resource: the header is absent, or a server may ignore it (another unit, several ranges, bad
    /// syntax).
    Everything,
    /// These bytes (206).
    Bytes(Range<u64>),
    /// No byte of the resource (416).
    Nothing,
}

/// Parses `bytes=FIRST-LAST`, `bytes=FIRST-` or `bytes=-LENGTH` for a resource of `length` bytes.
pub fn asked(header: Option<&str>, length: u64) -> Asked {
    let Some((first, last)) = header.and_then(|text| text.trim().strip_prefix("bytes=")?.split_once('-'))
    else {
        return Asked::Everything;
    };
    match (first.trim(), last.trim()) {
        ("", suffix) => match suffix.parse::<u64>() {
            Ok(0) => Asked::Nothing,
            Ok(count) if length > 0 => Asked::Bytes(length.saturating_sub(count)..length),
            Ok(_) => Asked::Nothing,
            Err(_) => Asked::Everything,
        },
        (first, "") => first.parse().map_or(Asked::Everything, |first| span(first, u64::MAX, length)),
        (first, last) => match (first.parse(), last.parse::<u64>()) {
            (Ok(first), Ok(last)) if first <= last => span(first, last, length),
            _ => Asked::Everything,
        },
    }
}

fn span(first: u64, last: u64, length: u64) -> Asked {
    if first < length { Asked::Bytes(first..last.saturating_add(1).min(length)) } else { Asked::Nothing }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_range_is_understood_and_everything_else_ignored() {
        for (header, expected) in [
            ("bytes=0-", Asked::Bytes(0..100)),
            ("bytes=0-0", Asked::Bytes(0..1)),
            ("bytes=10-19", Asked::Bytes(10..20)),
            ("bytes=90-200", Asked::Bytes(90..100)),
            ("bytes=0-18446744073709551615", Asked::Bytes(0..100)),
            ("bytes=-30", Asked::Bytes(70..100)),
            ("bytes=-300", Asked::Bytes(0..100)),
            ("bytes=-0", Asked::Nothing),
            ("bytes=100-", Asked::Nothing),
            ("bytes=100-200", Asked::Nothing),
            ("bytes=20-10", Asked::Everything),
            ("bytes=0-1,4-5", Asked::Everything),
            ("bytes=-", Asked::Everything),
            ("bytes=a-b", Asked::Everything),
            ("items=0-1", Asked::Everything),
            ("bytes", Asked::Everything),
        ] {
            assert_eq!(asked(Some(header), 100), expected, "{header}");
        }
        assert_eq!(asked(None, 100), Asked::Everything);
        assert_eq!(asked(Some("bytes=0-"), 0), Asked::Nothing);
        assert_eq!(asked(Some("bytes=-1"), 0), Asked::Nothing);
    }
}
