//! A response to the first client, as a forecast needs it.

use std::sync::Arc;
use std::time::Duration;

use crate::hls::Playlist;
use crate::player::{Answer, Resource};
use crate::vocabulary::SecretUrl;

/// A response to the first client.
#[derive(Clone, Debug)]
pub struct Probed {
    /// Purpose of the request.
    pub what: Resource,
    /// True if the client only probes the track that it belongs to, and plays another.
    pub is_other: bool,
    /// URL that was requested.
    pub url: SecretUrl,
    /// URL that the response came from, after redirects.
    pub base: SecretUrl,
    /// Redirects that were followed.
    pub hops: u32,
    /// Body bytes on the wire.
    pub wire_bytes: u64,
    /// Time that the request took.
    pub took: Duration,
    /// True if it came over HTTP/2.
    pub http2: bool,
    /// Content of the response.
    pub got: Got,
}

/// Content of a response.
#[derive(Clone, Debug)]
pub enum Got {
    /// A playlist, the time for which it may be reused, and its entity tag.
    Playlist(Arc<Playlist>, Duration, Option<Arc<str>>),
    /// A key, an initialization section or a segment.
    Media,
    /// Nothing of use: an unchanged playlist or a failure.
    Nothing,
}

impl From<&Answer> for Got {
    fn from(answer: &Answer) -> Self {
        match answer {
            Answer::Playlist { playlist, fresh_for, etag, .. } => {
                Self::Playlist(Arc::clone(playlist), *fresh_for, etag.clone())
            }
            Answer::Media(_) => Self::Media,
            Answer::Unchanged { .. } | Answer::Failed(_) => Self::Nothing,
        }
    }
}
