//! What a player is told and what it answers: the words between the mind of a client and its hands.

use std::sync::Arc;
use std::time::Duration;

use super::{Decryption, Profile, SessionLength};
use crate::hls::{Playlist, VariantChoice};
use crate::vocabulary::{Reuse, SecretUrl};

/// Requests that a client can have open at a time.
pub const LANES: usize = 2;

/// What a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resource {
    /// The address that the operator gave: a multivariant or a media playlist.
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
    /// The number of the track that it is for.
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
    /// What it is for.
    pub what: Resource,
    /// The lane that it is made in, below [`LANES`].
    pub lane: usize,
    /// Its address.
    pub url: SecretUrl,
    /// First and last byte, if only a part is wanted.
    pub range: Option<(u64, u64)>,
    /// The entity tag of the playlist that the client has.
    pub unless: Option<Arc<str>>,
    /// How what comes is decrypted, if it is encrypted as a whole.
    pub decryption: Option<Box<Decryption>>,
    /// The time in which the whole response must be there.
    pub total: Duration,
    /// The connection that it uses.
    pub reuse: Reuse,
}

/// What to do next.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Request this, tell that it is under way ([`Input::Woke`]) and, when it has ended, how it went.
    Fetch(Fetch),
    /// Nothing before this time, or before a request that is open ends; `None`: only the latter.
    Wait(Option<Duration>),
    /// The stream has ended and was played to its end.
    Finished,
    /// The viewer leaves.
    Leave(Departure),
}

/// Why a viewer leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Departure {
    /// What failed was tried as often as this player does.
    GaveUp,
    /// The session was as long as it should be.
    SessionOver,
}

/// What happened.
#[derive(Debug)]
pub enum Input {
    /// The client begins, a request is under way, or the time of [`Action::Wait`] has come.
    Woke,
    /// A request has ended.
    Ended(Resource, Answer),
}

/// How a request went.
#[derive(Debug)]
pub enum Answer {
    /// A playlist.
    Playlist {
        /// The address that it finally came from.
        url: SecretUrl,
        /// Its entity tag.
        etag: Option<Arc<str>>,
        /// What it says; shared by all clients that got the same.
        playlist: Arc<Playlist>,
        /// For how long a browser uses it without asking again.
        fresh_for: Duration,
    },
    /// The playlist has not changed (304).
    Unchanged {
        /// For how long a browser uses it without asking again.
        fresh_for: Duration,
    },
    /// A key, an initialization section, or a segment of this many bytes.
    Media(u64),
    /// It failed.
    Failed(Failure),
}

/// How a request failed, as far as players tell failures apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The server said that it will not give this: a status of 400 to 499.
    Refused,
    /// The server answered with another status that is a failure, which may be better the next time.
    Broken,
    /// Nothing usable came: no whole response, or not what was asked for. To a player in a browser it is a network
    /// error.
    Unusable,
}

/// What every player of a run is made from.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The address that the operator gave.
    pub entry: SecretUrl,
    /// Which variants are played.
    pub choice: VariantChoice,
    /// What kind of player it is.
    pub profile: &'static Profile,
    /// How long viewers stay.
    pub session: SessionLength,
}
