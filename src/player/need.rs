//! Resources that the next segment of a track needs, in the order of loading: key, initialization section, segment.
//!
//! * The key at each URL is loaded once (RFC 8216bis section 6.3.6). Only keys that are the 16 octets themselves
//!   (KEYFORMAT `identity`) are loaded; other systems have servers of their own.
//! * AES-128 is decrypted with the key of the segment and its initialization vector, which is the sequence number if
//!   the playlist gives none (section 5.2).

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use super::Resource;
use crate::hls::{ByteRange, Init, Key, KeyMethod, Segment};
use crate::vocabulary::secret_url::Access;
use crate::vocabulary::{SecretUrl, limits};

/// Loaded keys that a client remembers: more than a window lists, even with a new key for every segment.
const KEYS: usize = 64;

/// Next need of a track.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Need {
    /// Its playlist, now.
    Playlist,
    /// A piece of media, now.
    Media(Piece, Target),
    /// Nothing before this time; `None`: nothing before something else happens.
    Nothing { until: Option<Duration> },
}

/// A needed resource, or a part of one.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Target {
    /// `None`: the playlist names a URL that cannot be requested.
    pub(super) url: Option<SecretUrl>,
    /// First and last byte, if it is a part of a resource.
    pub(super) range: Option<(u64, u64)>,
    pub(super) decryption: Option<Box<Decryption>>,
}

impl Target {
    /// Creates a target for the whole resource at `url`, unencrypted.
    pub(super) fn new(url: SecretUrl) -> Self {
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

/// Decryption of a piece of media: AES-128 in CBC mode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decryption {
    /// URL that the key was loaded from.
    pub key: SecretUrl,
    /// Initialization vector.
    pub iv: [u8; 16],
}

impl Piece {
    /// Returns the resource for this piece of the track with this number.
    pub(super) fn on(self, track: usize) -> Resource {
        match self {
            Self::Key => Resource::Key(track),
            Self::Init => Resource::Init(track),
            Self::Segment(sequence) => Resource::Segment(track, sequence),
        }
    }
}

/// Keys that a client has loaded.
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

/// Returns the next need of `segment`. `init` is the initialization section that the client has, `base` the URL of
/// the playlist.
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
        return Need::Media(Piece::Key, Target::new(url.clone()));
    }
    let decryption = key
        .filter(|key| key.method == KeyMethod::Aes128)
        .zip(key_url)
        .map(|(key, url)| Decryption { key: url, iv: key.iv.unwrap_or_else(|| implicit_iv(piece)) })
        .map(Box::new);
    Need::Media(piece, Target { url: Some(base.refer(uri)), range: range.map(closed), decryption })
}

/// Returns the URL that a key is loaded from. A URL such as `skd:` belongs to another key system, whatever its format
/// is called, and is ignored. AES-128 is the exception: whole segments are useless without their key.
fn key_url(key: &Key, base: &SecretUrl) -> Option<SecretUrl> {
    let url = base.refer(key.uri.as_ref()?.as_str());
    (url.access() != Access::Refused || key.method == KeyMethod::Aes128).then_some(url)
}

/// Returns the key whose 16 octets can be loaded, if the media is encrypted with one.
fn usable(keys: &[Key]) -> Option<&Key> {
    keys.iter().find(|key| key.is_identity() && key.uri.is_some() && key.method != KeyMethod::Unknown)
}

fn implicit_iv(piece: Piece) -> [u8; 16] {
    let sequence = if let Piece::Segment(sequence) = piece { sequence } else { 0 };
    u128::from(sequence).to_be_bytes()
}

/// Returns the first and the last byte of a range.
fn closed(range: ByteRange) -> (u64, u64) {
    (range.offset, range.end().saturating_sub(1))
}
