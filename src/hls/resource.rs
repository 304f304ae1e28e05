//! Resources that segments need, and ranges of them: byte range, initialization section, keys.

use std::sync::Arc;

use super::text::{Reference, Text};

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
    /// The keys that apply to it; see [`Segment::keys`](super::Segment::keys).
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
