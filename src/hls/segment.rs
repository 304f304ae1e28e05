//! A media segment and what holds for it: byte range, initialization section, keys.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;

use super::{
    low_latency::Part,
    text::{Reference, Text},
};

/// A sub-range of a resource (RFC 8216bis section 4.4.4.2), never empty, its end within `u64`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ByteRange {
    /// The first byte.
    pub offset: u64,
    /// How many bytes, at least 1.
    pub length: u64,
}

impl ByteRange {
    /// The range, unless it is empty or ends beyond what can be counted.
    pub(super) fn new(offset: u64, length: u64) -> Option<Self> {
        (length > 0 && offset.checked_add(length).is_some()).then_some(Self { offset, length })
    }

    /// The first byte behind the range.
    pub fn end(self) -> u64 {
        self.offset.saturating_add(self.length)
    }
}

/// An initialization section (section 4.4.4.5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Init {
    /// Where it is.
    pub uri: Reference,
    /// Which part of the resource it is; all of it if absent.
    pub byte_range: Option<ByteRange>,
    /// The keys that hold for it; see [`Segment::keys`].
    pub keys: Option<Arc<[Key]>>,
}

/// How a segment is encrypted (section 4.4.4.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyMethod {
    /// Whole segments, AES-128 in CBC mode.
    Aes128,
    /// Samples within the segment.
    SampleAes,
    /// Samples within the segment, AES-CTR.
    SampleAesCtr,
    /// A method that this program does not know: encrypted, but nothing can be done about it.
    Unknown,
}

/// A way to the decryption key (sections 4.4.4.4 and 4.4.6.5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// How the data is encrypted.
    pub method: KeyMethod,
    /// Where the key is; absent where the playlist names none that could be requested.
    pub uri: Option<Reference>,
    /// The initialization vector; absent: the sequence number of the segment, big-endian.
    pub iv: Option<[u8; 16]>,
    /// What the address leads to; absent: `identity`, the 16 octets of the key.
    pub format: Option<Text>,
    /// The versions of the format, `1/2/5`; absent: 1.
    pub format_versions: Option<Text>,
}

impl Key {
    /// Whether the address leads to the 16 octets of the key themselves.
    pub fn is_identity(&self) -> bool {
        self.format.as_ref().is_none_or(|format| format.as_str() == "identity")
    }
}

/// A media segment (section 3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// The media sequence number.
    pub sequence: u64,
    /// Where it is. Empty only where the playlist named no usable address; the segment is a [`Segment::gap`] then.
    pub uri: Reference,
    /// How long it plays, at most [`PLAYLIST_DURATION`](crate::base::limits::PLAYLIST_DURATION). 0 where the
    /// playlist gave no usable duration: whoever paces by it needs a floor.
    pub duration: Duration,
    /// Which part of the resource it is; all of it if absent.
    pub byte_range: Option<ByteRange>,
    /// The initialization section that it needs, shared by all segments that need the same.
    pub init: Option<Arc<Init>>,
    /// The keys that hold for it, one for each key format, shared by all segments with the same. `None` until a
    /// playlist has named a key or said `METHOD=NONE`; empty after the latter.
    pub keys: Option<Arc<[Key]>>,
    /// The timeline may jump between the segment before and this one.
    pub discontinuity: bool,
    /// The discontinuity sequence number.
    pub discontinuity_sequence: u64,
    /// The segment does not exist and must not be requested (section 4.4.4.7).
    pub gap: bool,
    /// About how many bits per second it has (section 4.4.4.8).
    pub bitrate: Option<u64>,
    /// The wall-clock time of its first sample, where the playlist says so; see
    /// [`Media::date_time_of`](super::Media::date_time_of).
    pub date_time: Option<Timestamp>,
    /// Its parts, in order, while the playlist still lists them.
    pub parts: Vec<Part>,
}

impl Segment {
    /// The keys that hold for the segment; none if it is clear.
    pub fn keys(&self) -> &[Key] {
        self.keys.as_deref().unwrap_or_default()
    }

    /// Whether both are the same piece of media, wherever they stand in a list.
    pub fn is_same_media(&self, other: &Self) -> bool {
        self.uri == other.uri && self.byte_range == other.byte_range && self.duration == other.duration
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_stays_small_for_long_lists_are_kept_of_them() {
        assert!(size_of::<Segment>() <= 192, "{} bytes", size_of::<Segment>());
    }

    #[test]
    fn a_byte_range_is_not_empty_and_ends_within_64_bits() {
        assert_eq!(ByteRange::new(0, 0), None);
        assert_eq!(ByteRange::new(u64::MAX, 1), None);
        assert_eq!(ByteRange::new(u64::MAX - 1, 1).expect("fits").end(), u64::MAX);
    }
}
