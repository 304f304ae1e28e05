//! Inputs and actions of a player: the interface between the decisions of a client and its I/O.

use std::sync::Arc;
use std::time::Duration;

use super::{Decryption, Profile, SessionLength};
use crate::hls::{Playlist, VariantChoice};
use crate::vocabulary::{LeaveReason, Reuse, SecretUrl};

/// Requests that a client can have open at a time.
pub const LANES: usize = 2;

/// Purpose of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resource {
    /// The URL that the operator gave: a multivariant or a media playlist.
    Entry,
    /// The media playlist of a track.
    Playlist(usize),
    /// The key that the next segment of a track needs.
    Key(usize),
    /// The initialization section that the next segment of a track needs.
    Init(usize),
    /// A segment of a track.
    Segment(usize, u64),
}

impl Resource {
    /// Returns the number of the track that it is for.
    pub fn track(self) -> Option<usize> {
        match self {
            Self::Entry => None,
            Self::Playlist(track) | Self::Key(track) | Self::Init(track) | Self::Segment(track, _) => {
                Some(track)
            }
        }
    }
}

/// A request that the player wants.
#[derive(Clone, Debug, PartialEq)]
pub struct Fetch {
    /// Purpose of the request.
    pub what: Resource,
    /// Lane that it is made in, below [`LANES`].
    pub lane: usize,
    /// URL to request.
    pub url: SecretUrl,
    /// True if a playlist names the URL that was loaded over `https`.
    pub secure: bool,
    /// First and last byte, if only a part is wanted.
    pub range: Option<(u64, u64)>,
    /// Entity tag of the playlist that the client has.
    pub unless: Option<Arc<str>>,
    /// Decryption of the response, if the resource is encrypted as a whole.
    pub decryption: Option<Box<Decryption>>,
    /// Time within which the whole response must arrive.
    pub total: Duration,
    /// Connection that it uses.
    pub reuse: Reuse,
}

/// Next step of a client.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Make this request, report that it is under way ([`Input::Woke`]) and, when it has ended, report its answer.
    Fetch(Fetch),
    /// Do nothing until this time, or until an open request ends; `None`: only the latter.
    Wait(Option<Duration>),
    /// The stream has ended and was played to its end.
    Finished,
    /// The viewer leaves.
    Leave(LeaveReason),
}

/// Something that the player reacts to.
#[derive(Debug)]
pub enum Input {
    /// The client begins, a request is under way, or the time of [`Action::Wait`] has come.
    Woke,
    /// A request has ended.
    Ended(Resource, Answer),
}

/// Result of a request.
#[derive(Debug)]
pub enum Answer {
    /// A playlist.
    Playlist {
        /// URL that it was loaded from, after redirects.
        url: SecretUrl,
        /// Its entity tag.
        etag: Option<Arc<str>>,
        /// Parsed content, shared by all clients that received the same playlist.
        playlist: Arc<Playlist>,
        /// Time for which a browser uses it without another request.
        fresh_for: Duration,
    },
    /// The playlist has not changed (304).
    Unchanged {
        /// Time for which a browser uses it without another request.
        fresh_for: Duration,
    },
    /// A key, an initialization section, or a segment of this many bytes.
    Media(u64),
    /// The request failed.
    Failed(Failure),
}

/// Failure of a request, as far as players distinguish failures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The server refused the request: a status of 400 to 499.
    Refused,
    /// The server answered with another failure status; a later request may succeed.
    Broken,
    /// No usable response came: it was incomplete, or not the requested resource. A player in a browser sees a
    /// network error.
    Unusable,
}

/// Settings that all players of a run share.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The URL that the operator gave.
    pub entry: SecretUrl,
    /// Variants to play.
    pub choice: VariantChoice,
    /// Kind of player.
    pub profile: &'static Profile,
    /// Length of the sessions.
    pub session: SessionLength,
}
