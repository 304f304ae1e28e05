//! What a request asks for. The order is the order of every table and report.

/// The kind of thing that a client requests (RFC 8216bis section 2 names them).
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
    /// Anything else: what the origin could not name, for instance.
    Unknown,
}

impl Kind {
    /// How many kinds there are: the length of every table that is indexed by kind.
    pub const COUNT: usize = 6;

    /// All kinds, in the order of every table and report.
    pub const ALL: [Self; Self::COUNT] =
        [Self::Playlist, Self::Segment, Self::Part, Self::Init, Self::Key, Self::Unknown];

    /// The place of this kind in a table of [`Kind::COUNT`].
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The word for this kind on the screen, in reports and in fault rules.
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
