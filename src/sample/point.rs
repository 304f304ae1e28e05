//! A second of a run, as charts and reports show it; or a bin of several seconds, or of several machines.
//!
//! Everything but the peaks and the time is a count or the worst, so points add up in any order.

use std::time::Duration;

use super::bins::Addable;
use super::stream::AGED_RUNGS;
use super::timeline::Bin;
use crate::stats::Heat;
use crate::verdict::Verdict;
use crate::vocabulary::{Kind, Timed};

/// Failed outcomes that have a column of their own: more colours than that cannot be told apart.
pub const CODES: usize = 15;

/// Maximum number of points of a whole run: as many as a wide screen has columns, twice.
pub const BINS: usize = 600;

/// Durations whose distribution over time is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeatOf {
    /// Segments from start to end, ok or failed.
    Segment,
    /// Segments to the first byte.
    FirstByte,
    /// Playlists from start to end, ok or failed.
    Playlist,
    /// Start-up of clients.
    Startup,
    /// Distance of viewers from the live event.
    LiveLatency,
}

impl HeatOf {
    /// Number of these durations.
    pub const COUNT: usize = 5;

    /// All of them.
    pub const ALL: [Self; Self::COUNT] =
        [Self::Segment, Self::FirstByte, Self::Playlist, Self::Startup, Self::LiveLatency];

    /// Returns the index in a table of [`HeatOf::COUNT`].
    pub const fn index(self) -> usize {
        self as usize
    }

    /// Returns the name in reports, which is that of the duration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Segment => "segment",
            Self::FirstByte => "segment_ttfb",
            Self::Playlist => "playlist",
            Self::Startup => "startup",
            Self::LiveLatency => "live_latency",
        }
    }

    /// Returns the durations that are shown under this name.
    pub(super) const fn durations(self) -> &'static [Timed] {
        match self {
            Self::Segment => &[Timed::Total(Kind::Segment), Timed::Failed(Kind::Segment)],
            Self::FirstByte => &[Timed::FirstByte(Kind::Segment)],
            Self::Playlist => &[Timed::Total(Kind::Playlist), Timed::Failed(Kind::Playlist)],
            Self::Startup => &[Timed::Startup],
            Self::LiveLatency => &[Timed::LiveLatency],
        }
    }
}

/// Largest values of a single second: a wide bin must not hide them. They do not add up, so no report has them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Peaks {
    /// Clients that were stalled at once.
    pub stalled: u32,
    /// Requests that failed in a second.
    pub failed: u32,
    /// Body bytes that arrived in a second.
    pub bytes: u64,
    /// Requests that were open at once.
    pub open: u32,
    /// Age of the oldest open request, in microseconds.
    pub oldest_open_us: u64,
    /// Ages of the playlists of the first rungs, in milliseconds; 0 if unknown.
    pub playlist_age_ms: [u32; AGED_RUNGS],
}

impl Peaks {
    fn raise(&mut self, other: &Self) {
        self.stalled = self.stalled.max(other.stalled);
        self.failed = self.failed.max(other.failed);
        self.bytes = self.bytes.max(other.bytes);
        self.open = self.open.max(other.open);
        self.oldest_open_us = self.oldest_open_us.max(other.oldest_open_us);
        let ages = self.playlist_age_ms.iter_mut().zip(other.playlist_age_ms);
        ages.for_each(|(mine, theirs)| *mine = theirs.max(*mine));
    }
}

/// Values of a second or of a bin.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Point {
    /// Clients by state, requests by class, and bytes.
    pub counts: Bin,
    /// Failed requests, in the order of the history's codes; the last number counts all others. Requests that hlswarm
    /// cut, and expected responses, are not among them.
    pub codes: [u32; CODES + 1],
    /// Clients that joined.
    pub joined: u32,
    /// Stalls that began.
    pub stalls: u32,
    /// Bits that viewers needed: the announced bit rates of clients that play, wait or stall, times the time. A client
    /// whose variant announces none adds nothing.
    pub need_bits: u64,
    /// Worst verdict.
    pub verdict: Verdict,
    /// Durations that ended, by [`HeatOf`].
    pub heat: [Heat; HeatOf::COUNT],
    /// Largest values of a second.
    pub peaks: Peaks,
    /// Time of the run at which the last second ends.
    pub ends: Duration,
}

impl Point {
    /// Returns the number of requests that failed, except those that hlswarm cut.
    pub fn failed(&self) -> u64 {
        self.codes.iter().copied().map(u64::from).sum()
    }

    /// Adds to the count of one code.
    pub(super) fn add_code(&mut self, place: usize, count: u64) {
        if let Some(into) = self.codes.get_mut(place) {
            *into = into.saturating_add(u32::try_from(count).unwrap_or(u32::MAX));
        }
    }
}

impl Addable for Point {
    const BINS: usize = BINS;

    fn add(&mut self, other: &Self) {
        self.counts.add(&other.counts);
        for (place, count) in other.codes.into_iter().enumerate() {
            self.add_code(place, u64::from(count));
        }
        self.joined = self.joined.saturating_add(other.joined);
        self.stalls = self.stalls.saturating_add(other.stalls);
        self.need_bits = self.need_bits.saturating_add(other.need_bits);
        self.verdict = self.verdict.max(other.verdict);
        self.heat.iter_mut().zip(&other.heat).for_each(|(mine, theirs)| mine.add(theirs));
        self.peaks.raise(&other.peaks);
        self.ends = self.ends.max(other.ends);
    }
}
