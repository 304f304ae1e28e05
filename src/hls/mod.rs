//! Playlists: text to values.
