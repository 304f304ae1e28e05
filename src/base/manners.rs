//! How a player writes its requests and uses its connections, as data: what an origin can tell players apart by.

/// The manners of a player.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Manners {
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
}

impl Default for Manners {
    /// Those of a browser.
    fn default() -> Self {
        Self {
            playlist_encoding: Some("gzip, deflate, br, zstd"),
            media_encoding: Some("identity"),
            whole_range: false,
            conditional: true,
            extra: &[],
            connections_apart: false,
        }
    }
}
