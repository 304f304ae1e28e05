//! A media segment and the properties that apply to it: byte range, initialization section, keys.

use std::{borrow::Cow, fmt, sync::Arc, time::Duration};

use jiff::Timestamp;

use super::{
    low_latency::Part,
    segments::{NewSegment, Segments},
    text::{Reference, Text},
};

/// Sub-range of a resource (RFC 8216bis section 4.4.4.2). Never empty; its end fits in `u64`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ByteRange {
    /// The first byte.
    pub offset: u64,
    /// Number of bytes, at least 1.
    pub length: u64,
}

impl ByteRange {
    /// Creates a range, unless it would be empty or end beyond `u64`.
    pub(super) fn new(offset: u64, length: u64) -> Option<Self> {
        (length > 0 && offset.checked_add(length).is_some()).then_some(Self { offset, length })
    }

    /// Returns the offset of the first byte after the range.
    pub fn end(self) -> u64 {
        self.offset.saturating_add(self.length)
    }
}

/// Initialization section (section 4.4.4.5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Init {
    /// Its URL.
    pub uri: Reference,
    /// Its byte range within the resource; the whole resource if absent.
    pub byte_range: Option<ByteRange>,
    /// The keys that apply to it; see [`Segment::keys`].
    pub keys: Option<Arc<[Key]>>,
}

/// Encryption method of a segment (section 4.4.4.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyMethod {
    /// Whole segments, AES-128 in CBC mode.
    Aes128,
    /// Samples within the segment.
    SampleAes,
    /// Samples within the segment, AES-CTR.
    SampleAesCtr,
    /// Whole segments, AES-256 in GCM; not decrypted by this program.
    Aes256Gcm,
    /// A method that this program does not know, and so cannot decrypt.
    Unknown,
}

/// Source of a decryption key (sections 4.4.4.4 and 4.4.6.5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// Encryption method of the data.
    pub method: KeyMethod,
    /// URL of the key; absent if the playlist names no usable one.
    pub uri: Option<Reference>,
    /// Initialization vector; if absent, the sequence number of the segment, big-endian.
    pub iv: Option<[u8; 16]>,
    /// Format of the resource at the URL; if absent, `identity`: the 16 octets of the key.
    pub format: Option<Text>,
    /// Versions of the format, `1/2/5`; if absent, 1.
    pub format_versions: Option<Text>,
}

impl Key {
    /// Reports whether the URL leads to the 16 octets of the key themselves.
    pub fn is_identity(&self) -> bool {
        self.format.as_ref().is_none_or(|format| format.as_str() == "identity")
    }
}

/// Media segment (section 3): a place in a list of [`Segments`].
#[derive(Clone, Copy)]
pub struct Segment<'a> {
    pub(super) list: &'a Segments,
    pub(super) index: usize,
}

impl<'a> Segment<'a> {
    /// Returns the media sequence number.
    pub fn sequence(self) -> u64 {
        self.list.sequence(self.index)
    }

    /// Returns the URL. It is empty only if the playlist named no usable one; the segment is then a
    /// [`gap`](Self::gap).
    pub fn uri(self) -> Reference<Cow<'a, str>> {
        Reference::from_checked(self.list.uri(self.index))
    }

    /// Returns the duration, at most [`PLAYLIST_DURATION`](crate::vocabulary::limits::PLAYLIST_DURATION). It is 0 if
    /// the playlist gave no usable one: code that paces by it needs a floor.
    pub fn duration(self) -> Duration {
        self.list.duration(self.index)
    }

    /// Returns the byte range within the resource; the whole resource if absent.
    pub fn byte_range(self) -> Option<ByteRange> {
        self.list.byte_range(self.index)
    }

    /// Returns the initialization section that it needs, shared by all segments that need the same one.
    pub fn init(self) -> Option<&'a Arc<Init>> {
        self.list.init(self.index)
    }

    /// Returns the keys that apply to it, one for each key format; none if it is not encrypted.
    pub fn keys(self) -> &'a [Key] {
        self.shared_keys().map(|keys| &**keys).unwrap_or_default()
    }

    /// Returns the same keys. `None` until a playlist has named a key or `METHOD=NONE`; empty after the latter.
    pub(super) fn shared_keys(self) -> Option<&'a Arc<[Key]>> {
        self.list.shared_keys(self.index)
    }

    /// Reports whether the timeline may jump between the previous segment and this one.
    pub fn discontinuity(self) -> bool {
        self.list.discontinuity(self.index)
    }

    /// Returns the discontinuity sequence number.
    pub fn discontinuity_sequence(self) -> u64 {
        self.list.discontinuity_sequence(self.index)
    }

    /// Reports whether the segment does not exist and must not be requested (section 4.4.4.7).
    pub fn gap(self) -> bool {
        self.list.gap(self.index)
    }

    /// Returns its approximate bits per second (section 4.4.4.8).
    pub fn bitrate(self) -> Option<u64> {
        self.list.bitrate(self.index)
    }

    /// Returns the wall-clock time of its first sample, if the playlist states it; see
    /// [`Media::date_time_of`](super::Media::date_time_of).
    pub fn date_time(self) -> Option<Timestamp> {
        self.list.date_time(self.index)
    }

    /// Returns its parts, in order, while the playlist still lists them.
    pub fn parts(self) -> &'a [Part] {
        self.list.parts_of(self.index)
    }

    /// Reports whether both segments have the same URL apart from query and fragment, the same byte range and the
    /// same duration, at whatever place in their playlists.
    ///
    /// A different source proves nothing: a URL that is signed for each load differs although the media is the same.
    /// Only the media sequence number identifies a segment of a playlist.
    pub fn has_same_source(self, other: Segment<'_>) -> bool {
        self.has_same_extent(other) && self.uri().without_query() == other.uri().without_query()
    }

    /// Reports whether both segments have the same duration and the same byte range.
    pub(super) fn has_same_extent(self, other: Segment<'_>) -> bool {
        self.duration() == other.duration() && self.byte_range() == other.byte_range()
    }

    /// Copies all its properties, to add it to another list.
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
