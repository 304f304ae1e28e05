//! What the next segment of a track needs, in the order in which it is loaded: key, initialization section, segment.
//!
//! * A key is loaded once for each address (RFC 8216bis section 6.3.6); only keys that are the 16 octets themselves
//!   (KEYFORMAT `identity`) are loaded, other systems ask servers of their own.
//! * AES-128 is undone with the key of the segment and its initialization vector, which is the sequence number where
//!   the playlist gives none (section 5.2).

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use super::Resource;
use crate::hls::{ByteRange, Init, Key, KeyMethod, Segment};
use crate::vocabulary::secret_url::Access;
use crate::vocabulary::{SecretUrl, limits};

/// Keys that a client remembers having loaded: more than a window that rotates them with every segment lists.
const KEYS: usize = 64;

/// What a track needs next.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Need {
    /// Its playlist, now.
    Playlist,
    /// A piece of media, now.
    Media(Piece, Target),
    /// Nothing before this time, or nothing before something else happens.
    Nothing { until: Option<Duration> },
}

/// A resource that is needed, or a part of one.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Target {
    /// `None`: the playlist names an address that cannot be requested.
    pub(super) url: Option<SecretUrl>,
    /// First and last byte, if it is a part of a resource.
    pub(super) range: Option<(u64, u64)>,
    pub(super) decryption: Option<Box<Decryption>>,
}

impl Target {
    /// The whole of what is at `url`, in the clear.
    pub(super) fn of(url: SecretUrl) -> Self {
        Self { url: Some(url), range: None, decryption: None }
    }
}

/// A piece of media.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    Key,
    Init,
    Segment(u64),
}

/// How a piece of media is decrypted: AES-128 in CBC mode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decryption {
    /// The address that its key was loaded from.
    pub key: SecretUrl,
    /// The initialization vector.
    pub iv: [u8; 16],
}

impl Piece {
    /// The same piece of the track with this number.
    pub(super) fn on(self, track: usize) -> Resource {
        match self {
            Self::Key => Resource::Key(track),
            Self::Init => Resource::Init(track),
            Self::Segment(sequence) => Resource::Segment(track, sequence),
        }
    }
}

/// The keys that a client has loaded.
#[derive(Debug, Default)]
pub(super) struct Keys(VecDeque<SecretUrl>);

impl Keys {
    pub(super) fn add(&mut self, url: Option<SecretUrl>) {
        self.0.extend(url);
        let bytes = |keys: &VecDeque<SecretUrl>| keys.iter().map(|url| url.wire_path().len()).sum::<usize>();
        while self.0.len() > KEYS || (self.0.len() > 1 && bytes(&self.0) > limits::KEY_URL_BYTES) {
            self.0.pop_front();
        }
    }

    fn has(&self, url: &SecretUrl) -> bool {
        self.0.contains(url)
    }
}

/// What `segment` needs next; `init` is the initialization section that the client has, `base` the address of the
/// playlist.
pub(super) fn of_segment(
    segment: Segment<'_>,
    init: Option<&Arc<Init>>,
    base: &SecretUrl,
    keys: &Keys,
) -> Need {
    if let Some(missing) = segment.init().filter(|needed| init != Some(*needed)) {
        let key = missing.keys.as_deref().and_then(usable);
        return of_piece(Piece::Init, missing.uri.as_str(), missing.byte_range, key, base, keys);
    }
    let key = usable(segment.keys());
    let piece = Piece::Segment(segment.sequence());
    of_piece(piece, segment.uri().as_str(), segment.byte_range(), key, base, keys)
}

fn of_piece(
    piece: Piece,
    uri: &str,
    range: Option<ByteRange>,
    key: Option<&Key>,
    base: &SecretUrl,
    keys: &Keys,
) -> Need {
    let key_url = key.and_then(|key| key_url(key, base));
    if let Some(url) = key_url.as_ref().filter(|url| !keys.has(url)) {
        return Need::Media(Piece::Key, Target::of(url.clone()));
    }
    let decryption = key
        .filter(|key| key.method == KeyMethod::Aes128)
        .zip(key_url)
        .map(|(key, url)| Decryption { key: url, iv: key.iv.unwrap_or_else(|| implicit_iv(piece)) })
        .map(Box::new);
    Need::Media(piece, Target { url: Some(base.refer(uri)), range: range.map(closed), decryption })
}

/// Where a key is loaded from. An address such as `skd:` asks a system of its own, whatever its format is called; only
/// whole segments cannot be had without it.
fn key_url(key: &Key, base: &SecretUrl) -> Option<SecretUrl> {
    let url = base.refer(key.uri.as_ref()?.as_str());
    (url.access() != Access::Refused || key.method == KeyMethod::Aes128).then_some(url)
}

/// The key whose 16 octets can be loaded, if the media is encrypted with one.
fn usable(keys: &[Key]) -> Option<&Key> {
    keys.iter().find(|key| key.is_identity() && key.uri.is_some() && key.method != KeyMethod::Unknown)
}

fn implicit_iv(piece: Piece) -> [u8; 16] {
    let sequence = if let Piece::Segment(sequence) = piece { sequence } else { 0 };
    u128::from(sequence).to_be_bytes()
}

/// First and last byte of a range.
fn closed(range: ByteRange) -> (u64, u64) {
    (range.offset, range.end().saturating_sub(1))
}
