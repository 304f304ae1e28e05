//! Places of playlists in the ladder of a stream.

/// Place of a playlist in the ladder: by its index in the multivariant playlist, never by its URL, which may be signed
/// for each client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rung {
    /// The only playlist of a stream without a multivariant playlist.
    Single,
    /// A variant, by its index among the variants.
    Variant(u16),
    /// Audio or subtitles with a playlist of their own, by the index among all of those.
    Rendition(u16),
}

impl Rung {
    /// Length of every table that is indexed by [`Rung::place`].
    pub const PLACES: usize = Self::VARIANTS + Self::RENDITIONS;
    /// Number of variants that have a place: a ladder rarely has more.
    const VARIANTS: usize = 16;
    const RENDITIONS: usize = 8;

    /// Returns the place in a table, variants before renditions; `None` if the table has no place for it. A stream of
    /// one playlist has the place of the first variant.
    pub fn place(self) -> Option<usize> {
        let (index, before, room) = match self {
            Self::Single => (0, 0, Self::VARIANTS),
            Self::Variant(index) => (usize::from(index), 0, Self::VARIANTS),
            Self::Rendition(index) => (usize::from(index), Self::VARIANTS, Self::RENDITIONS),
        };
        (index < room).then_some(before + index)
    }

    /// Returns the rung of the variant at `index`.
    pub fn variant(index: usize) -> Self {
        Self::Variant(clamped(index))
    }

    /// Returns the rung of the rendition at `index`.
    pub fn rendition(index: usize) -> Self {
        Self::Rendition(clamped(index))
    }
}

/// Returns an index that has no place if it does not fit.
fn clamped(index: usize) -> u16 {
    u16::try_from(index).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variants_come_before_renditions_and_what_is_beyond_the_table_has_no_place() {
        assert_eq!((Rung::Single.place(), Rung::variant(0).place()), (Some(0), Some(0)));
        assert_eq!((Rung::variant(15).place(), Rung::variant(16).place()), (Some(15), None));
        assert_eq!((Rung::rendition(0).place(), Rung::rendition(7).place()), (Some(16), Some(23)));
        assert_eq!((Rung::rendition(8).place(), Rung::variant(usize::MAX).place()), (None, None));
        assert_eq!(Rung::rendition(7).place(), Some(Rung::PLACES - 1));
    }
}
