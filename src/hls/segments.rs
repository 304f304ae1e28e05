//! Segments of a media playlist, stored in columns: a window of hours has up to a hundred thousand, and each viewer
//! may get its own.
//!
//! * A [`Segment`](super::Segment) is a place in the list; its properties are looked up in the columns.
//! * A segment of a long list costs four bytes for its duration and a few for its URL. All other properties are
//!   stored only where they change from one segment to the next, or for the segments that have them.
//! * The sequence numbers rise by exactly one from segment to segment.

mod columns;
mod numbers;
mod uris;

use std::{borrow::Cow, sync::Arc, time::Duration};

use jiff::Timestamp;

use super::{
    low_latency::Part,
    resource::{ByteRange, Init, Key},
    text::Reference,
};
use columns::{Runs, Span, Sparse, SparseNumbers};
use uris::Uris;

/// Segments of a playlist, oldest first.
#[derive(Clone, Default)]
pub struct Segments {
    /// Media sequence number of the first segment.
    first_sequence: u64,
    /// Number added to each timeline to get its discontinuity sequence number.
    first_discontinuity: u64,
    uris: Uris,
    durations: Vec<Span>,
    /// Offset and length of each.
    byte_ranges: SparseNumbers<2>,
    inits: Runs<Option<Arc<Init>>>,
    keys: Runs<Option<Arc<[Key]>>>,
    /// Segments with a discontinuity before them.
    discontinuities: Vec<u32>,
    /// Discontinuity sequence numbers, counted from the beginning of the list.
    timelines: Runs<u64>,
    gaps: Runs<bool>,
    bitrates: Runs<Option<u64>>,
    /// Nanoseconds since 1970.
    date_times: SparseNumbers<1>,
    parts: Sparse<Vec<Part>>,
}

/// Segment to be added to a list.
#[derive(Clone, Debug, Default)]
pub(super) struct NewSegment {
    pub uri: Reference,
    pub duration: Duration,
    pub byte_range: Option<ByteRange>,
    pub init: Option<Arc<Init>>,
    pub keys: Option<Arc<[Key]>>,
    pub discontinuity: bool,
    /// Number of discontinuities so far, from the beginning of the list.
    pub timeline: u64,
    pub gap: bool,
    pub bitrate: Option<u64>,
    pub date_time: Option<Timestamp>,
    pub parts: Vec<Part>,
}

impl Segments {
    /// Returns the number of segments.
    pub fn len(&self) -> usize {
        self.durations.len()
    }

    /// Reports whether there are no segments.
    pub fn is_empty(&self) -> bool {
        self.durations.is_empty()
    }

    /// Iterates over the parts of each segment that lists any.
    pub fn part_lists(&self) -> impl Iterator<Item = &[Part]> {
        self.parts.values().iter().map(Vec::as_slice)
    }

    /// Iterates over the parts of all segments, in order.
    pub fn parts(&self) -> impl Iterator<Item = &Part> {
        self.part_lists().flatten()
    }

    /// Iterates over the initialization sections, in the order in which they take effect.
    pub fn inits(&self) -> impl Iterator<Item = &Arc<Init>> {
        self.inits.values().flatten()
    }

    /// Iterates over the keys, in the order in which they take effect.
    pub fn keys(&self) -> impl Iterator<Item = &Key> {
        self.keys.values().flatten().flat_map(|keys| keys.iter())
    }

    /// Appends the next segment.
    pub(super) fn push(&mut self, segment: NewSegment) {
        let index = u32::try_from(self.len()).unwrap_or(u32::MAX);
        self.uris.push(segment.uri.as_str());
        self.durations.push(segment.duration.into());
        self.inits.set(index, segment.init);
        self.keys.set(index, segment.keys);
        self.timelines.set(index, segment.timeline);
        self.gaps.set(index, segment.gap);
        self.bitrates.set(index, segment.bitrate);
        if segment.discontinuity {
            self.discontinuities.push(index);
        }
        if let Some(byte_range) = segment.byte_range {
            self.byte_ranges.set(index, [byte_range.offset, byte_range.length].map(u64::cast_signed));
        }
        if let Some(nanoseconds) = segment.date_time.and_then(nanoseconds) {
            self.date_times.set(index, [nanoseconds]);
        }
        if !segment.parts.is_empty() {
            self.parts.set(index, segment.parts);
        }
    }

    /// Sets the numbers with which the list begins.
    pub(super) fn number(&mut self, sequence: u64, discontinuity_sequence: u64) {
        self.first_sequence = sequence;
        self.first_discontinuity = discontinuity_sequence;
    }

    /// Renumbers all segments: their numbers rise by `count`.
    pub(super) fn slide(&mut self, count: u64) {
        self.first_sequence = self.first_sequence.saturating_add(count);
    }

    /// Releases spare capacity.
    pub(super) fn shrink(&mut self) {
        self.uris.shrink();
        self.durations.shrink_to_fit();
        self.byte_ranges.shrink();
        self.inits.shrink();
        self.keys.shrink();
        self.discontinuities.shrink_to_fit();
        self.timelines.shrink();
        self.gaps.shrink();
        self.bitrates.shrink();
        self.date_times.shrink();
        self.parts.shrink();
    }

    /// Returns the bytes on the heap, including shared ones.
    pub(super) fn heap_bytes(&self) -> usize {
        let columns = self.uris.heap_bytes()
            + self.durations.capacity() * size_of::<Span>()
            + self.byte_ranges.heap_bytes()
            + self.inits.heap_bytes()
            + self.keys.heap_bytes()
            + self.discontinuities.capacity() * size_of::<u32>()
            + self.timelines.heap_bytes()
            + self.gaps.heap_bytes()
            + self.bitrates.heap_bytes()
            + self.date_times.heap_bytes()
            + self.parts.heap_bytes();
        let inits: usize = self.inits().map(|init| init.heap_bytes()).sum();
        let keys: usize = self.keys().map(Key::heap_bytes).sum();
        let parts: usize = self.parts().map(Part::heap_bytes).sum();
        columns + inits + keys + parts
    }
}

/// Lookup of the properties of a [`Segment`](super::Segment).
impl Segments {
    pub(super) fn sequence(&self, index: usize) -> u64 {
        self.first_sequence.saturating_add(index as u64)
    }

    /// Returns the number added to each timeline.
    pub(super) fn first_discontinuity(&self) -> u64 {
        self.first_discontinuity
    }

    pub(super) fn uri(&self, index: usize) -> Cow<'_, str> {
        self.uris.get(index).unwrap_or_default()
    }

    pub(super) fn duration(&self, index: usize) -> Duration {
        self.durations.get(index).copied().map(Span::duration).unwrap_or_default()
    }

    pub(super) fn byte_range(&self, index: usize) -> Option<ByteRange> {
        let [offset, length] = self.byte_ranges.get(place(index))?.map(i64::cast_unsigned);
        Some(ByteRange { offset, length })
    }

    pub(super) fn init(&self, index: usize) -> Option<&Arc<Init>> {
        self.inits.get(place(index))?.as_ref()
    }

    pub(super) fn shared_keys(&self, index: usize) -> Option<&Arc<[Key]>> {
        self.keys.get(place(index))?.as_ref()
    }

    pub(super) fn discontinuity(&self, index: usize) -> bool {
        self.discontinuities.binary_search(&place(index)).is_ok()
    }

    /// Returns the number of discontinuities from the beginning of the list.
    pub(super) fn timeline(&self, index: usize) -> u64 {
        self.timelines.get(place(index)).copied().unwrap_or_default()
    }

    pub(super) fn discontinuity_sequence(&self, index: usize) -> u64 {
        self.first_discontinuity.saturating_add(self.timeline(index))
    }

    pub(super) fn gap(&self, index: usize) -> bool {
        self.gaps.get(place(index)).copied().unwrap_or_default()
    }

    pub(super) fn bitrate(&self, index: usize) -> Option<u64> {
        self.bitrates.get(place(index)).copied().flatten()
    }

    pub(super) fn date_time(&self, index: usize) -> Option<Timestamp> {
        let [nanoseconds] = self.date_times.get(place(index))?;
        Timestamp::from_nanosecond(nanoseconds.into()).ok()
    }

    pub(super) fn parts_of(&self, index: usize) -> &[Part] {
        self.parts.get(place(index)).map(Vec::as_slice).unwrap_or_default()
    }
}

fn place(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

/// Converts a date to its stored form; years 1678 to 2261 fit.
pub(super) fn nanoseconds(date_time: Timestamp) -> Option<i64> {
    i64::try_from(date_time.as_nanosecond()).ok()
}

#[cfg(test)]
mod tests;
