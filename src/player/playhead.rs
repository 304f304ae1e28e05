//! Playback clock: the times at which playback runs and stands still.
//!
//! * Start-up lasts until the first media arrives. Then media plays in real time until the buffer runs dry, which is
//!   a stall, unless the stream has ended. The next media ends the stall.
//! * Start-up + play + stall = time since the beginning, until everything was played.

use std::time::Duration;

use crate::vocabulary::clock::micros;
use crate::vocabulary::{ClientState, Playback};

/// State of playback.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    StartingUp,
    Playing,
    Stalled,
    /// All media was played.
    Ended,
}

/// Counts between two calls of [`Player::take_tally`](super::Player::take_tally).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Time before playback began.
    pub startup: Duration,
    /// Media played.
    pub play: Duration,
    /// Time that playback stood still after its beginning.
    pub stall: Duration,
    /// Stalls that began.
    pub stalls: u64,
    /// Time from the client's beginning to the beginning of playback, if playback began.
    pub began: Option<Duration>,
    /// Bytes of the media played, by the mean bit rate of what was loaded.
    pub played_bytes: u64,
    /// Latency of the viewer of a live stream when a playlist brought something new.
    pub live_latency: Option<Duration>,
    /// Segments that were never fetched: they left the window, or the player skipped them.
    pub segments_skipped: u64,
    /// Times that the client skipped to another live position instead of continuing after its last segment.
    pub edge_jumps: u64,
    /// Times that the client switched to another variant.
    pub variant_switches: u64,
    /// Reloads of playlists that needed no request.
    pub cached_reloads: u64,
}

/// The playback clock of one client.
#[derive(Debug)]
pub(super) struct Playhead {
    phase: Phase,
    began: Duration,
    /// Time up to which the tally is complete.
    settled: Duration,
    /// Media played until `settled`.
    position: Duration,
    /// Media that can be played without a gap, from the beginning.
    buffered: Duration,
    complete: bool,
    max_drift: Duration,
    /// Media loaded and its bytes, over all tracks that playback waits for. Their quotient is the bit rate.
    loaded: Duration,
    loaded_bytes: u64,
    /// Bytes of the media played that earlier tallies contain.
    played_bytes: u64,
    tally: Tally,
}

impl Playhead {
    pub(super) fn new(now: Duration) -> Self {
        Self {
            phase: Phase::StartingUp,
            began: now,
            settled: now,
            position: Duration::ZERO,
            buffered: Duration::ZERO,
            complete: false,
            max_drift: Duration::ZERO,
            loaded: Duration::ZERO,
            loaded_bytes: 0,
            played_bytes: 0,
            tally: Tally::default(),
        }
    }

    pub(super) fn phase(&self) -> Phase {
        self.phase
    }

    /// Returns the media played until `now`.
    pub(super) fn position(&self, now: Duration) -> Duration {
        match self.phase {
            Phase::Playing => (self.position + now.saturating_sub(self.settled)).min(self.buffered),
            _ => self.position,
        }
    }

    /// Settles everything up to `now`.
    pub(super) fn advance(&mut self, now: Duration) {
        let passed = now.saturating_sub(self.settled);
        match self.phase {
            Phase::StartingUp => self.tally.startup += passed,
            Phase::Stalled => self.tally.stall += passed,
            Phase::Ended => {}
            Phase::Playing => {
                let played = passed.min(self.buffered.saturating_sub(self.position));
                self.position += played;
                self.tally.play += played;
                let stood = passed.saturating_sub(played);
                if self.complete && self.position >= self.buffered {
                    self.phase = Phase::Ended;
                } else if !stood.is_zero() {
                    self.phase = Phase::Stalled;
                    self.tally.stalls += 1;
                    self.tally.stall += stood;
                }
            }
        }
        self.settled = self.settled.max(now);
        if self.phase != Phase::Ended {
            let drift = self.settled.saturating_sub(self.began).saturating_sub(self.position);
            self.max_drift = self.max_drift.max(drift);
        }
    }

    /// Counts a loaded segment of this many bytes, `length` of it media that no other track counts.
    pub(super) fn load(&mut self, bytes: u64, length: Duration) {
        self.loaded += length;
        self.loaded_bytes = self.loaded_bytes.saturating_add(bytes);
    }

    /// Extends the media without a gap to `buffered`. Everything up to `now` must have been settled.
    pub(super) fn buffer(&mut self, buffered: Duration, now: Duration) {
        self.buffered = self.buffered.max(buffered);
        if self.buffered <= self.position {
            return;
        }
        match self.phase {
            Phase::StartingUp => {
                self.phase = Phase::Playing;
                self.tally.began = Some(now.saturating_sub(self.began));
            }
            Phase::Stalled => self.phase = Phase::Playing,
            Phase::Playing | Phase::Ended => {}
        }
    }

    /// Notes that no more media will come.
    pub(super) fn complete(&mut self, now: Duration) {
        self.complete = true;
        if self.phase != Phase::Playing || self.position(now) >= self.buffered {
            self.phase = Phase::Ended;
        }
    }

    /// Returns the time at which playback changes by itself: the buffer runs dry, or the stream has been played.
    pub(super) fn wake(&self, now: Duration) -> Option<Duration> {
        let dry = now + self.buffered.saturating_sub(self.position(now));
        // At this exact time a stall has not begun yet, but the end has come.
        let wake = if self.complete { dry } else { dry + Duration::from_micros(1) };
        (self.phase == Phase::Playing).then_some(wake)
    }

    pub(super) fn take_tally(&mut self) -> Tally {
        let share = self.position.as_secs_f64() / self.loaded.as_secs_f64().max(f64::MIN_POSITIVE);
        // The cast is safe: a number of bytes is far below 2^53, and never negative.
        let played = (self.loaded_bytes as f64 * share.min(1.0)) as u64;
        self.tally.played_bytes = played.saturating_sub(self.played_bytes);
        self.played_bytes = self.played_bytes.max(played);
        std::mem::take(&mut self.tally)
    }

    /// Returns the playback that the viewer sees, as far as the clock knows it.
    pub(super) fn playback(&self, waiting: bool) -> Playback {
        let settled = micros(self.settled);
        let dry_at_us = match self.phase {
            Phase::StartingUp => 0,
            Phase::Playing => settled + micros(self.buffered.saturating_sub(self.position)),
            Phase::Stalled | Phase::Ended => settled,
        };
        // One formula for the reader: position = offset + min(time, dry_at). While playback stands still, the formula
        // gives the position at `settled`.
        let anchor = if self.phase == Phase::StartingUp { 0 } else { settled };
        Playback {
            state: match self.phase {
                Phase::Ended => ClientState::Finished,
                Phase::Stalled => ClientState::Stalled,
                _ if waiting => ClientState::Waiting,
                Phase::StartingUp => ClientState::Starting,
                Phase::Playing => ClientState::Playing,
            },
            joined_us: micros(self.began),
            offset_us: micros(self.position).cast_signed() - anchor.cast_signed(),
            dry_at_us,
            max_drift_us: micros(self.max_drift),
            bandwidth: 0,
            live_offset_us: None,
        }
    }
}
