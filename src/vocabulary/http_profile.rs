//! How a player writes its requests and uses its connections, as data: what an origin can tell players apart by.

/// How a player speaks HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HttpProfile {
    /// `Accept-Encoding` for playlists; `None`: the header is not sent.
    pub playlist_encoding: Option<&'static str>,
    /// `Accept-Encoding` for everything else.
    pub media_encoding: Option<&'static str>,
    /// `Range: bytes=0-` on what is wanted whole.
    pub whole_range: bool,
    /// `If-None-Match` on playlists that came with an entity tag.
    pub conditional: bool,
    /// Header lines that only this player sends.
    pub extra: &'static [(&'static str, &'static str)],
    /// Playlists and media go over HTTP/1.1 connections of their own.
    pub connections_apart: bool,
    /// The connection that an initialization section came over is closed.
    pub closes_after_init: bool,
}

/// The connection that a request uses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reuse {
    /// One that is open and idle, else a new one; it is kept.
    #[default]
    Kept,
    /// A new one; it is kept.
    Fresh,
    /// One that is open and idle, else a new one; it is closed afterwards.
    Final,
    /// A new one; it is closed afterwards.
    Single,
}

impl Reuse {
    /// True if an idle connection is used where there is one.
    pub fn takes_idle(self) -> bool {
        matches!(self, Self::Kept | Self::Final)
    }

    /// True if the connection is kept.
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
