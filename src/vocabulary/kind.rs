//! Kinds of requests. Their order is the order of every table and report.

/// Kind of resource that a client requests (RFC 8216bis section 2 names them).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Kind {
    /// A multivariant or a media playlist.
    Playlist,
    /// A media segment.
    Segment,
    /// A partial segment of a low-latency stream.
    Part,
    /// A media initialization section (`EXT-X-MAP`).
    Init,
    /// A decryption key (`EXT-X-KEY`).
    Key,
    /// Anything else, for instance a path that the built-in origin does not know.
    Unknown,
}

impl Kind {
    /// Number of kinds: the length of every table that is indexed by kind.
    pub const COUNT: usize = 6;

    /// All kinds, in the order of every table and report.
    pub const ALL: [Self; Self::COUNT] =
        [Self::Playlist, Self::Segment, Self::Part, Self::Init, Self::Key, Self::Unknown];

    /// Returns the index of this kind in a table of [`Kind::COUNT`] entries.
    pub const fn index(self) -> usize {
        self as usize
    }

    /// Returns the name of this kind on the screen, in reports and in fault rules.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Playlist => "playlist",
            Self::Segment => "segment",
            Self::Part => "part",
            Self::Init => "init",
            Self::Key => "key",
            Self::Unknown => "unknown",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_lists_every_kind_at_its_own_index() {
        for (index, kind) in Kind::ALL.iter().enumerate() {
            assert_eq!(kind.index(), index);
        }
    }
}
