//! Ladder of a stream, as the clients of one worker load it: the name of each rung, and its newest playlist.
//!
//! * Each worker has one table, and its thread is the one writer. A playlist that brings nothing new costs a few loads
//!   and stores nothing.
//! * A rung is known by its place in the multivariant playlist. If clients get multivariant playlists that list their
//!   variants in different orders, the first client's names stand for all.
//! * A reader that sees a playlist also sees the time at which it came, or that of a later one: the age of a playlist
//!   is never too high.

mod image;

use std::cmp::Ordering;
use std::sync::Arc;

use crate::sync::atomics::OnceLock;
use crate::sync::single_writer_cell::SingleWriterCell;
use crate::vocabulary::Rung;

/// Target durations without anything new after which lower numbers are those of a stream that began again. Until then
/// they are those of a cache that lags behind.
const RESTART_TARGETS: u64 = 3;

/// Kind of a rung.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RungKind {
    /// A variant, which clients choose by its bit rate.
    Variant,
    /// A rendition of audio.
    Audio,
    /// A rendition of subtitles.
    Subtitles,
}

/// Description of one rung in the multivariant playlist. All text is sanitised and bounded.
#[derive(Clone, Debug, PartialEq)]
pub struct RungName {
    /// Kind of the rung.
    pub kind: RungKind,
    /// Short name, such as `1080p` or `audio en`: at most 16 columns.
    pub label: Box<str>,
    /// Width and height in pixels.
    pub size: Option<(u32, u32)>,
    /// Frames per second.
    pub frame_rate: Option<f64>,
    /// Announced bits per second; `None` if unknown.
    pub bandwidth: Option<u64>,
    /// Codecs: at most 24 columns.
    pub codecs: Box<str>,
}

/// Progress of a media playlist; the later one is the greater.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Progress {
    /// Media sequence number of the newest segment.
    pub newest: u64,
    /// Parts after that segment.
    pub parts: u64,
    /// True if the playlist says that it has ended.
    pub is_ended: bool,
}

/// A media playlist that brought something new. All times are in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// Its progress.
    pub progress: Progress,
    /// Time of the run at which it came.
    pub came_us: u64,
    /// Time of the run at which its newest media ends; negative before the run.
    pub ends_us: i64,
    /// Target duration.
    pub target_us: u64,
    /// Duration of all its segments.
    pub window_us: u64,
    /// Distance from the end at which players shall begin.
    pub hold_back_us: u64,
    /// Number of its segments.
    pub segments: u64,
}

impl Listing {
    /// Reports whether a playlist with this progress that comes at `at_us` brings something new. Lower numbers do only
    /// if nothing else has for a while.
    fn is_before(&self, progress: Progress, at_us: u64) -> bool {
        progress > self.progress || (progress < self.progress && at_us > self.restarts_us())
    }

    /// Returns the time from which on lower numbers are those of a stream that began again.
    fn restarts_us(&self) -> u64 {
        self.came_us.saturating_add(RESTART_TARGETS.saturating_mul(self.target_us))
    }

    /// Returns the newer of the playlists that two workers had of one rung. Of the same, that which came first.
    fn newer(self, other: Self) -> Self {
        let is_newer = match other.progress.cmp(&self.progress) {
            Ordering::Equal => other.came_us < self.came_us,
            Ordering::Less => self.is_before(other.progress, other.came_us),
            // A worker whose clients have left the rung does not see that the stream began again.
            Ordering::Greater => !other.is_before(self.progress, self.came_us),
        };
        if is_newer { other } else { self }
    }
}

/// A rung as readers see it, over all workers.
#[derive(Clone, Debug, PartialEq)]
pub struct RungRow {
    /// Place of the rung, below [`Rung::PLACES`].
    pub place: usize,
    /// Name; `None` for a stream without a multivariant playlist.
    pub name: Option<Arc<RungName>>,
    /// Newest playlist; `None` before the first.
    pub listing: Option<Listing>,
}

/// One rung of one worker.
#[derive(Debug, Default)]
struct RungCells {
    name: OnceLock<Arc<RungName>>,
    /// Sequence number of the newest segment plus 1; 0 before the first playlist.
    newest: SingleWriterCell,
    /// Parts after that segment, times two; plus 1 if the playlist has ended.
    tail: SingleWriterCell,
    came_us: SingleWriterCell,
    ends_us: SingleWriterCell,
    target_us: SingleWriterCell,
    window_us: SingleWriterCell,
    hold_back_us: SingleWriterCell,
    segments: SingleWriterCell,
}

impl RungCells {
    /// Stores a playlist; by the one writer only.
    fn set(&self, listing: &Listing) {
        let Progress { newest, parts, is_ended } = listing.progress;
        self.came_us.set(listing.came_us);
        self.ends_us.set(listing.ends_us.cast_unsigned());
        self.target_us.set(listing.target_us);
        self.window_us.set(listing.window_us);
        self.hold_back_us.set(listing.hold_back_us);
        self.segments.set(listing.segments);
        self.tail.set(parts << 1 | u64::from(is_ended));
        // Release: a reader that sees the number sees everything stored before it.
        self.newest.set_release(newest.saturating_add(1));
    }

    /// Returns the number of the newest segment and the time at which its playlist came; `None` before the first.
    fn newest(&self) -> Option<(u64, u64)> {
        // Acquire, before any other cell is read: the counterpart of the release in `set`.
        let newest = self.newest.get_acquire().checked_sub(1)?;
        Some((newest, self.came_us.get()))
    }

    /// Returns the newest playlist; `None` before the first.
    fn listing(&self) -> Option<Listing> {
        let (newest, came_us) = self.newest()?;
        let tail = self.tail.get();
        Some(Listing {
            progress: Progress { newest, parts: tail >> 1, is_ended: tail & 1 == 1 },
            came_us,
            ends_us: self.ends_us.get().cast_signed(),
            target_us: self.target_us.get(),
            window_us: self.window_us.get(),
            hold_back_us: self.hold_back_us.get(),
            segments: self.segments.get(),
        })
    }
}

/// Table of one worker thread.
#[derive(Debug)]
pub(super) struct Ladder(Box<[RungCells]>);

impl Default for Ladder {
    fn default() -> Self {
        Self((0..Rung::PLACES).map(|_| RungCells::default()).collect())
    }
}

impl Ladder {
    fn cells(&self, rung: Rung) -> Option<&RungCells> {
        self.0.get(rung.place()?)
    }

    /// Reports whether a rung has a name, or needs none because the table has no place for it.
    pub(super) fn is_named(&self, rung: Rung) -> bool {
        self.cells(rung).is_none_or(|cells| cells.name.get().is_some())
    }

    /// Names a rung that has no name; by the one writer only.
    pub(super) fn name(&self, rung: Rung, name: RungName) {
        if let Some(cells) = self.cells(rung) {
            cells.name.get_or_init(|| Arc::new(name));
        }
    }

    /// Reports whether a playlist with this progress that comes at `at_us` brings something new; for the one writer
    /// only.
    pub(super) fn is_news(&self, rung: Rung, progress: Progress, at_us: u64) -> bool {
        let Some(cells) = self.cells(rung) else { return false };
        cells.listing().is_none_or(|before| before.is_before(progress, at_us))
    }

    /// Returns the number of the newest segment of a rung and the time at which its playlist came.
    #[cfg(all(test, hlswarm_loom))]
    pub(super) fn newest(&self, rung: Rung) -> Option<(u64, u64)> {
        self.cells(rung)?.newest()
    }

    /// Stores a playlist that brings something new; by the one writer only.
    pub(super) fn list(&self, rung: Rung, listing: &Listing) {
        self.cells(rung).into_iter().for_each(|cells| cells.set(listing));
    }

    /// Adds the rungs so far to `rows`, which stay in the order of their places.
    pub(super) fn add_to(&self, rows: &mut Vec<RungRow>) {
        for (place, cells) in self.0.iter().enumerate() {
            let (name, listing) = (cells.name.get().cloned(), cells.listing());
            if name.is_none() && listing.is_none() {
                continue;
            }
            match rows.binary_search_by_key(&place, |row| row.place) {
                Err(before) => rows.insert(before, RungRow { place, name, listing }),
                Ok(known) => {
                    let Some(row) = rows.get_mut(known) else { continue };
                    row.name = row.name.take().or(name);
                    row.listing = match (row.listing, listing) {
                        (Some(one), Some(other)) => Some(one.newer(other)),
                        (one, other) => one.or(other),
                    };
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn progress(newest: u64, parts: u64) -> Progress {
        Progress { newest, parts, is_ended: false }
    }

    fn listing(newest: u64, came_s: u64) -> Listing {
        let came_us = came_s * 1_000_000;
        Listing { progress: progress(newest, 0), came_us, target_us: 4_000_000, ..Listing::default() }
    }

    /// Offers playlists, each with its progress and the second at which it comes, and returns those that were news.
    fn news(ladder: &Ladder, offered: &[(Progress, u64)]) -> Vec<bool> {
        let offer = |(progress, at_s): &(Progress, u64)| {
            let is_news = ladder.is_news(Rung::Single, *progress, at_s * 1_000_000);
            if is_news {
                ladder.list(Rung::Single, &Listing { progress: *progress, ..listing(0, *at_s) });
            }
            is_news
        };
        offered.iter().map(offer).collect()
    }

    fn rows(workers: &[Ladder]) -> Vec<RungRow> {
        let mut rows = Vec::new();
        workers.iter().for_each(|worker| worker.add_to(&mut rows));
        rows
    }

    fn name(label: &str) -> RungName {
        RungName {
            kind: RungKind::Variant,
            label: label.into(),
            size: None,
            frame_rate: None,
            bandwidth: None,
            codecs: "".into(),
        }
    }

    #[test]
    fn a_playlist_is_news_once() {
        let ladder = Ladder::default();
        let offered = [(progress(0, 0), 1), (progress(0, 0), 2), (progress(0, 1), 3), (progress(1, 0), 4)];
        assert_eq!(news(&ladder, &offered), [true, false, true, true]);
        let ended = Progress { is_ended: true, ..progress(1, 0) };
        assert_eq!(news(&ladder, &[(ended, 5), (ended, 99)]), [true, false]);
        assert_eq!(rows(&[ladder])[0].listing, Some(Listing { progress: ended, ..listing(0, 5) }));
    }

    #[test]
    fn a_cache_that_lags_behind_is_no_news_and_a_stream_that_began_again_is() {
        let ladder = Ladder::default();
        let offered = [(progress(100, 0), 10), (progress(99, 0), 11), (progress(7, 0), 22)];
        assert_eq!(news(&ladder, &offered), [true, false, false]);
        // Three target durations after the last news.
        assert_eq!(news(&ladder, &[(progress(7, 0), 23), (progress(8, 0), 27)]), [true, true]);
        assert_eq!(rows(&[ladder])[0].listing, Some(listing(8, 27)));
    }

    #[test]
    fn of_two_workers_the_newest_playlist_counts_from_when_it_first_came() {
        let of = |listings: [Listing; 2]| {
            let workers = [Ladder::default(), Ladder::default()];
            for (worker, listing) in workers.iter().zip(&listings) {
                worker.list(Rung::Variant(2), listing);
            }
            let rows = rows(&workers);
            assert_eq!((rows.len(), rows[0].place), (1, 2));
            rows[0].listing.expect("a playlist")
        };
        for (one, other, newer) in [
            (listing(10, 40), listing(11, 44), listing(11, 44)),
            (listing(10, 41), listing(10, 40), listing(10, 40)),
            // A cache of the second worker lags behind.
            (listing(10, 40), listing(9, 44), listing(10, 40)),
            // The clients of the first worker left before the stream began again.
            (listing(10, 40), listing(3, 90), listing(3, 90)),
        ] {
            assert_eq!((of([one, other]), of([other, one])), (newer, newer));
        }
    }

    #[test]
    fn the_first_name_of_a_rung_stays_and_those_beyond_the_table_are_left_out() {
        let workers = [Ladder::default(), Ladder::default()];
        for (worker, label) in workers.iter().zip(["first", "second"]) {
            for index in 0..20 {
                assert_eq!(worker.is_named(Rung::Variant(index)), index >= 16, "{index}");
                worker.name(Rung::Variant(index), name(label));
                worker.name(Rung::Variant(index), name("third"));
                assert!(worker.is_named(Rung::Variant(index)));
            }
            worker.name(Rung::Rendition(1), name("audio"));
        }
        let rows = rows(&workers);
        let places: Vec<_> = rows.iter().map(|row| row.place).collect();
        assert_eq!(places, (0..16).chain([17]).collect::<Vec<_>>());
        let mut labels = rows.iter().filter_map(|row| row.name.as_ref()).map(|name| &*name.label);
        assert_eq!(labels.clone().filter(|label| *label == "first").count(), 16);
        assert_eq!(labels.next_back(), Some("audio"));
    }
}
