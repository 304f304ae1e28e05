//! A media segment and what holds for it: byte range, initialization section, keys.

use std::{borrow::Cow, fmt, sync::Arc, time::Duration};

use jiff::Timestamp;

use super::{
    low_latency::Part,
    segments::{NewSegment, Segments},
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
    /// Whole segments, AES-256 in GCM; not decrypted here.
    Aes256Gcm,
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

/// A media segment (section 3): a place in a list of [`Segments`].
#[derive(Clone, Copy)]
pub struct Segment<'a> {
    pub(super) list: &'a Segments,
    pub(super) index: usize,
}

impl<'a> Segment<'a> {
    /// The media sequence number.
    pub fn sequence(self) -> u64 {
        self.list.sequence(self.index)
    }

    /// Where it is. Empty only where the playlist named no usable URL; the segment is a [`gap`](Self::gap) then.
    pub fn uri(self) -> Reference<Cow<'a, str>> {
        Reference::of(self.list.uri(self.index))
    }

    /// How long it plays, at most [`PLAYLIST_DURATION`](crate::vocabulary::limits::PLAYLIST_DURATION). 0 where the
    /// playlist gave no usable duration: whoever paces by it needs a floor.
    pub fn duration(self) -> Duration {
        self.list.duration(self.index)
    }

    /// Which part of the resource it is; all of it if absent.
    pub fn byte_range(self) -> Option<ByteRange> {
        self.list.byte_range(self.index)
    }

    /// The initialization section that it needs, shared by all segments that need the same.
    pub fn init(self) -> Option<&'a Arc<Init>> {
        self.list.init(self.index)
    }

    /// The keys that hold for it, one for each key format; none if it is clear.
    pub fn keys(self) -> &'a [Key] {
        self.shared_keys().map(|keys| &**keys).unwrap_or_default()
    }

    /// The same; `None` until a playlist has named a key or said `METHOD=NONE`, empty after the latter.
    pub(super) fn shared_keys(self) -> Option<&'a Arc<[Key]>> {
        self.list.shared_keys(self.index)
    }

    /// Whether the timeline may jump between the segment before and this one.
    pub fn discontinuity(self) -> bool {
        self.list.discontinuity(self.index)
    }

    /// The discontinuity sequence number.
    pub fn discontinuity_sequence(self) -> u64 {
        self.list.discontinuity_sequence(self.index)
    }

    /// Whether the segment does not exist and must not be requested (section 4.4.4.7).
    pub fn gap(self) -> bool {
        self.list.gap(self.index)
    }

    /// About how many bits per second it has (section 4.4.4.8).
    pub fn bitrate(self) -> Option<u64> {
        self.list.bitrate(self.index)
    }

    /// The wall-clock time of its first sample, where the playlist says so; see
    /// [`Media::date_time_of`](super::Media::date_time_of).
    pub fn date_time(self) -> Option<Timestamp> {
        self.list.date_time(self.index)
    }

    /// Its parts, in order, while the playlist still lists them.
    pub fn parts(self) -> &'a [Part] {
        self.list.parts_of(self.index)
    }

    /// Returns true when both name the same part of the same resource for the same time, wherever they stand.
    ///
    /// The reverse proves nothing: a URL that is signed for each load differs although the media is the same. Only the
    /// media sequence number says which segment of a playlist it is.
    pub fn has_same_source(self, other: Segment<'_>) -> bool {
        self.has_same_extent(other) && self.uri().without_query() == other.uri().without_query()
    }

    /// Returns true when both are equally long and the same part of their resources.
    pub(super) fn has_same_extent(self, other: Segment<'_>) -> bool {
        self.duration() == other.duration() && self.byte_range() == other.byte_range()
    }

    /// All that it has, to be added to another list.
    pub(super) fn to_new(self) -> NewSegment {
        NewSegment {
            uri: self.uri().to_shared(),
            duration: self.duration(),
            byte_range: self.byte_range(),
            init: self.init().cloned(),
            keys: self.shared_keys().cloned(),
            discontinuity: self.discontinuity(),
            timeline: self.list.timeline(self.index),
            gap: self.gap(),
            bitrate: self.bitrate(),
            date_time: self.date_time(),
            parts: self.parts().to_vec(),
        }
    }
}

impl PartialEq for Segment<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.sequence() == other.sequence()
            && self.discontinuity() == other.discontinuity()
            && self.discontinuity_sequence() == other.discontinuity_sequence()
            && (self.gap(), self.bitrate(), self.date_time())
                == (other.gap(), other.bitrate(), other.date_time())
            && (self.init(), self.shared_keys(), self.parts())
                == (other.init(), other.shared_keys(), other.parts())
            && (self.duration(), self.byte_range(), self.uri())
                == (other.duration(), other.byte_range(), other.uri())
    }
}

impl fmt::Debug for Segment<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Segment")
            .field("sequence", &self.sequence())
            .field("uri", &self.uri())
            .field("duration", &self.duration())
            .field("byte_range", &self.byte_range())
            .field("init", &self.init())
            .field("keys", &self.shared_keys())
            .field("discontinuity_sequence", &self.discontinuity_sequence())
            .field("gap", &self.gap())
            .field("date_time", &self.date_time())
            .field("parts", &self.parts())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_range_is_not_empty_and_ends_within_64_bits() {
        assert_eq!(ByteRange::new(0, 0), None);
        assert_eq!(ByteRange::new(u64::MAX, 1), None);
        assert_eq!(ByteRange::new(u64::MAX - 1, 1).expect("fits").end(), u64::MAX);
    }
}
