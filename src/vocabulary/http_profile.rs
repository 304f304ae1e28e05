//! HTTP behaviour of a player as data: its request headers and its use of connections, by which an origin can
//! distinguish players.

/// HTTP behaviour of a player.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HttpProfile {
    /// `Accept-Encoding` for playlists; `None` sends no such header.
    pub playlist_encoding: Option<&'static str>,
    /// `Accept-Encoding` for everything else.
    pub media_encoding: Option<&'static str>,
    /// Sends `Range: bytes=0-` when requesting a whole resource.
    pub whole_range: bool,
    /// Sends `If-None-Match` for playlists that came with an entity tag.
    pub conditional: bool,
    /// Header lines that only this player sends.
    pub extra: &'static [(&'static str, &'static str)],
    /// Uses separate HTTP/1.1 connections for playlists and media.
    pub connections_apart: bool,
    /// Closes the connection that delivered an initialization section.
    pub closes_after_init: bool,
}

/// Connection that a request uses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reuse {
    /// An idle open one, else a new one; kept afterwards.
    #[default]
    Kept,
    /// A new one; kept afterwards.
    Fresh,
    /// An idle open one, else a new one; closed afterwards.
    Final,
    /// A new one; closed afterwards.
    Single,
}

impl Reuse {
    /// Reports whether an idle connection is used if there is one.
    pub fn takes_idle(self) -> bool {
        matches!(self, Self::Kept | Self::Final)
    }

    /// Reports whether the connection is kept.
    pub fn keeps(self) -> bool {
        matches!(self, Self::Kept | Self::Fresh)
    }
}

impl HttpProfile {
    /// The profile of a browser.
    pub const BROWSER: Self = Self {
        playlist_encoding: Some("gzip, deflate, br, zstd"),
        media_encoding: Some("identity"),
        whole_range: false,
        conditional: true,
        extra: &[],
        connections_apart: false,
        closes_after_init: false,
    };
}

impl Default for HttpProfile {
    fn default() -> Self {
        Self::BROWSER
    }
}
