//! A media segment, as a view of its list, and the ways to reach one: by place, from either end, in order.

use std::{borrow::Cow, fmt, ops::Range, sync::Arc, time::Duration};

use jiff::Timestamp;

use super::{
    low_latency::Part,
    resource::{ByteRange, Init, Key},
    segments::{NewSegment, Segments},
    text::Reference,
};

/// Media segment (section 3): a place in a list of [`Segments`].
#[derive(Clone, Copy)]
pub struct Segment<'a> {
    list: &'a Segments,
    index: usize,
}

impl<'a> Segment<'a> {
    /// Returns the media sequence number.
    pub fn sequence(self) -> u64 {
        self.list.sequence(self.index)
    }

    /// Returns the URL. It is empty only if the playlist named no usable one; the segment is then a
    /// [`gap`](Self::gap).
    pub fn uri(self) -> Reference<Cow<'a, str>> {
        Reference::from_checked(self.list.uri(self.index))
    }

    /// Returns the duration, at most [`PLAYLIST_DURATION`](crate::vocabulary::limits::PLAYLIST_DURATION). It is 0 if
    /// the playlist gave no usable one: code that paces by it needs a floor.
    pub fn duration(self) -> Duration {
        self.list.duration(self.index)
    }

    /// Returns the byte range within the resource; the whole resource if absent.
    pub fn byte_range(self) -> Option<ByteRange> {
        self.list.byte_range(self.index)
    }

    /// Returns the initialization section that it needs, shared by all segments that need the same one.
    pub fn init(self) -> Option<&'a Arc<Init>> {
        self.list.init(self.index)
    }

    /// Returns the keys that apply to it, one for each key format; none if it is not encrypted.
    pub fn keys(self) -> &'a [Key] {
        self.shared_keys().map(|keys| &**keys).unwrap_or_default()
    }

    /// Returns the same keys. `None` until a playlist has named a key or `METHOD=NONE`; empty after the latter.
    pub(super) fn shared_keys(self) -> Option<&'a Arc<[Key]>> {
        self.list.shared_keys(self.index)
    }

    /// Reports whether the timeline may jump between the previous segment and this one.
    pub fn discontinuity(self) -> bool {
        self.list.discontinuity(self.index)
    }

    /// Returns the discontinuity sequence number.
    pub fn discontinuity_sequence(self) -> u64 {
        self.list.discontinuity_sequence(self.index)
    }

    /// Reports whether the segment does not exist and must not be requested (section 4.4.4.7).
    pub fn gap(self) -> bool {
        self.list.gap(self.index)
    }

    /// Returns its approximate bits per second (section 4.4.4.8).
    pub fn bitrate(self) -> Option<u64> {
        self.list.bitrate(self.index)
    }

    /// Returns the wall-clock time of its first sample, if the playlist states it; see
    /// [`Media::date_time_of`](super::Media::date_time_of).
    pub fn date_time(self) -> Option<Timestamp> {
        self.list.date_time(self.index)
    }

    /// Returns its parts, in order, while the playlist still lists them.
    pub fn parts(self) -> &'a [Part] {
        self.list.parts_of(self.index)
    }

    /// Reports whether both segments have the same URL apart from query and fragment, the same byte range and the
    /// same duration, at whatever place in their playlists.
    ///
    /// A different source proves nothing: a URL that is signed for each load differs although the media is the same.
    /// Only the media sequence number identifies a segment of a playlist.
    pub fn has_same_source(self, other: Segment<'_>) -> bool {
        self.has_same_extent(other) && self.uri().without_query() == other.uri().without_query()
    }

    /// Reports whether both segments have the same duration and the same byte range.
    pub(super) fn has_same_extent(self, other: Segment<'_>) -> bool {
        self.duration() == other.duration() && self.byte_range() == other.byte_range()
    }

    /// Copies all its properties, to add it to another list.
    pub(super) fn to_new(self) -> NewSegment {
        NewSegment {
            uri: self.uri().to_shared(),
            duration: self.duration(),
            byte_range: self.byte_range(),
            init: self.init().cloned(),
            keys: self.shared_keys().cloned(),
            discontinuity: self.discontinuity(),
            timeline: self.list.timeline(self.index),
            gap: self.gap(),
            bitrate: self.bitrate(),
            date_time: self.date_time(),
            parts: self.parts().to_vec(),
        }
    }
}

impl PartialEq for Segment<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.sequence() == other.sequence()
            && self.discontinuity() == other.discontinuity()
            && self.discontinuity_sequence() == other.discontinuity_sequence()
            && (self.gap(), self.bitrate(), self.date_time())
                == (other.gap(), other.bitrate(), other.date_time())
            && (self.init(), self.shared_keys(), self.parts())
                == (other.init(), other.shared_keys(), other.parts())
            && (self.duration(), self.byte_range(), self.uri())
                == (other.duration(), other.byte_range(), other.uri())
    }
}

impl fmt::Debug for Segment<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Segment")
            .field("sequence", &self.sequence())
            .field("uri", &self.uri())
            .field("duration", &self.duration())
            .field("byte_range", &self.byte_range())
            .field("init", &self.init())
            .field("keys", &self.shared_keys())
            .field("discontinuity_sequence", &self.discontinuity_sequence())
            .field("gap", &self.gap())
            .field("date_time", &self.date_time())
            .field("parts", &self.parts())
            .finish_non_exhaustive()
    }
}

/// Views of the segments.
impl Segments {
    /// Returns the segment at `index`.
    pub fn get(&self, index: usize) -> Option<Segment<'_>> {
        (index < self.len()).then_some(Segment { list: self, index })
    }

    /// Returns the oldest segment.
    pub fn first(&self) -> Option<Segment<'_>> {
        self.get(0)
    }

    /// Returns the newest segment.
    pub fn last(&self) -> Option<Segment<'_>> {
        self.get(self.len().checked_sub(1)?)
    }

    /// Iterates over all segments, oldest first.
    pub fn iter(&self) -> Iter<'_> {
        self.range(0..self.len())
    }

    /// Iterates over the segments at these places, as far as they exist.
    pub fn range(&self, places: Range<usize>) -> Iter<'_> {
        let end = places.end.min(self.len());
        Iter { list: self, places: places.start.min(end)..end }
    }

    /// Returns the newest segments, at most `count`; all keep their numbers.
    pub(super) fn newest(self, count: usize) -> Self {
        let Some(surplus) = self.len().checked_sub(count).filter(|surplus| *surplus > 0) else { return self };
        let mut newest = Self::default();
        self.range(surplus..self.len()).for_each(|segment| newest.push(segment.to_new()));
        newest.number(self.sequence(surplus), self.first_discontinuity());
        newest
    }
}

impl PartialEq for Segments {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().eq(other.iter())
    }
}

impl fmt::Debug for Segments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl<'a> IntoIterator for &'a Segments {
    type Item = Segment<'a>;
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

/// Iterator over segments, from either end.
#[derive(Clone, Debug)]
pub struct Iter<'a> {
    list: &'a Segments,
    places: Range<usize>,
}

impl<'a> Iterator for Iter<'a> {
    type Item = Segment<'a>;

    fn next(&mut self) -> Option<Segment<'a>> {
        self.places.next().map(|index| Segment { list: self.list, index })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.places.size_hint()
    }
}

impl DoubleEndedIterator for Iter<'_> {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.places.next_back().map(|index| Segment { list: self.list, index })
    }
}

impl ExactSizeIterator for Iter<'_> {}
