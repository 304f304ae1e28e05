//! Entry point for fuzzing the requests that the built-in origin reads; see [`crate::fuzzing`].

use std::time::Duration;

use super::path::{Resource, kind_of};
use super::range::{RangeRequest, requested};
use super::rule::FaultRule;
use crate::vocabulary::Kind;

/// Reads the lines of any text as a path, a `Range` header, a length and a fault rule. A range lies within its
/// resource, and an active rule has begun and not ended.
pub fn origin(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut lines = text.lines();
    let [path, range, length, rule] = [(); 4].map(|()| lines.next().unwrap_or_default());
    if Resource::parse(path).is_some_and(|resource| resource != Resource::Page) {
        assert_ne!(kind_of(path), Kind::Unknown, "{path}");
    }
    let length = length.parse().unwrap_or(0);
    if let RangeRequest::Bytes(bytes) = requested(Some(range), length) {
        assert!(bytes.start < bytes.end && bytes.end <= length, "{range} of {length}: {bytes:?}");
    }
    let Ok(rule) = rule.parse::<FaultRule>() else { return };
    assert!((0.0..=1.0).contains(&rule.share), "{rule:?}");
    for elapsed in [Duration::ZERO, Duration::from_secs(30), Duration::from_hours(1), Duration::MAX] {
        if let Some(active) = rule.active_at(elapsed) {
            assert!(active.since <= elapsed && active.until.is_none_or(|until| elapsed < until), "{rule:?}");
        }
    }
}
