//! Evaluates a request's `Range` header against the length of a resource (RFC 9110 section 14).

use std::ops::Range;

/// Meaning of a `Range` header for a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RangeRequest {
    /// The whole resource: the header is absent, or a server may ignore it (another unit, several ranges, bad
    /// syntax).
    Everything,
    /// These bytes (206).
    Bytes(Range<u64>),
    /// No byte of the resource (416).
    Nothing,
}

/// Parses `bytes=FIRST-LAST`, `bytes=FIRST-` or `bytes=-LENGTH` for a resource of `length` bytes.
pub fn requested(header: Option<&str>, length: u64) -> RangeRequest {
    let Some((first, last)) = header.and_then(|text| text.trim().strip_prefix("bytes=")?.split_once('-'))
    else {
        return RangeRequest::Everything;
    };
    match (first.trim(), last.trim()) {
        ("", suffix) => match suffix.parse::<u64>() {
            Ok(0) => RangeRequest::Nothing,
            Ok(count) if length > 0 => RangeRequest::Bytes(length.saturating_sub(count)..length),
            Ok(_) => RangeRequest::Nothing,
            Err(_) => RangeRequest::Everything,
        },
        (first, "") => first.parse().map_or(RangeRequest::Everything, |first| span(first, u64::MAX, length)),
        (first, last) => match (first.parse(), last.parse::<u64>()) {
            (Ok(first), Ok(last)) if first <= last => span(first, last, length),
            _ => RangeRequest::Everything,
        },
    }
}

fn span(first: u64, last: u64, length: u64) -> RangeRequest {
    if first < length {
        RangeRequest::Bytes(first..last.saturating_add(1).min(length))
    } else {
        RangeRequest::Nothing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_range_is_understood_and_everything_else_ignored() {
        for (header, expected) in [
            ("bytes=0-", RangeRequest::Bytes(0..100)),
            ("bytes=0-0", RangeRequest::Bytes(0..1)),
            ("bytes=10-19", RangeRequest::Bytes(10..20)),
            ("bytes=90-200", RangeRequest::Bytes(90..100)),
            ("bytes=0-18446744073709551615", RangeRequest::Bytes(0..100)),
            ("bytes=-30", RangeRequest::Bytes(70..100)),
            ("bytes=-300", RangeRequest::Bytes(0..100)),
            ("bytes=-0", RangeRequest::Nothing),
            ("bytes=100-", RangeRequest::Nothing),
            ("bytes=100-200", RangeRequest::Nothing),
            ("bytes=20-10", RangeRequest::Everything),
            ("bytes=0-1,4-5", RangeRequest::Everything),
            ("bytes=-", RangeRequest::Everything),
            ("bytes=a-b", RangeRequest::Everything),
            ("items=0-1", RangeRequest::Everything),
            ("bytes", RangeRequest::Everything),
        ] {
            assert_eq!(requested(Some(header), 100), expected, "{header}");
        }
        assert_eq!(requested(None, 100), RangeRequest::Everything);
        assert_eq!(requested(Some("bytes=0-"), 0), RangeRequest::Nothing);
        assert_eq!(requested(Some("bytes=-1"), 0), RangeRequest::Nothing);
    }
}
