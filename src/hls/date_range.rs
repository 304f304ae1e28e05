//! Range of time with attributes (RFC 8216bis section 4.4.5.1): advertisements, chapters, interstitials.

use std::time::Duration;

use jiff::Timestamp;

use super::text::Text;

/// Range of time as the playlist describes it.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct DateRange {
    /// Identifies the range; tags with the same ID describe the same range.
    pub id: Text,
    /// Family of ranges that it belongs to.
    pub class: Option<Text>,
    /// Start of the range.
    pub start_date: Option<Timestamp>,
    /// End of the range.
    pub end_date: Option<Timestamp>,
    /// Length of the range.
    pub duration: Option<Duration>,
    /// Expected length of the range.
    pub planned_duration: Option<Duration>,
    /// It ends where the next range of its class begins.
    pub end_on_next: bool,
    /// All other attributes as in the tag, without quotes: `CUE`, `SCTE35-*`, `X-*`.
    pub attributes: Vec<(Text, Text)>,
}
