//! A range of time with attributes (RFC 8216bis section 4.4.5.1): advertisements, chapters, interstitials.

use std::time::Duration;

use jiff::Timestamp;

use super::text::Text;

/// What the playlist says of a range of time.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct DateRange {
    /// Names the range; tags with the same ID speak of the same range.
    pub id: Text,
    /// Which family of ranges it belongs to.
    pub class: Option<Text>,
    /// When it begins.
    pub start_date: Option<Timestamp>,
    /// When it ends.
    pub end_date: Option<Timestamp>,
    /// How long it takes.
    pub duration: Option<Duration>,
    /// How long it is expected to take.
    pub planned_duration: Option<Duration>,
    /// It ends where the next range of its class begins.
    pub end_on_next: bool,
    /// Every other attribute as it stands in the tag, without quotes: `CUE`, `SCTE35-*`, `X-*`.
    pub attributes: Vec<(Text, Text)>,
}
