//! The playback clock: when the picture moves and when it stands still.
//!
//! * Before the first media: start-up. Then media plays in real time until the buffer runs dry: a stall, unless the
//!   stream has ended. A stall ends with the next media.
//! * Start-up + play + stall = time since the beginning, always.

use std::time::Duration;

use crate::vocabulary::clock::micros;
use crate::vocabulary::{ClientState, Playback};

/// Where playback stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    StartingUp,
    Playing,
    Stalled,
    /// Everything was played.
    Ended,
}

/// What happened between two calls of [`Player::take_tally`](super::Player::take_tally).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Time before playback began.
    pub startup: Duration,
    /// Media played.
    pub play: Duration,
    /// Time that playback stood still after it had begun.
    pub stall: Duration,
    /// Stalls that began.
    pub stalls: u64,
    /// Playback began for the first time, this long after the client did.
    pub began: Option<Duration>,
    /// Bytes of the media played, by the mean bit rate of what was loaded.
    pub played_bytes: u64,
    /// How far the viewer was behind a live stream when a playlist brought something new.
    pub live_latency: Option<Duration>,
    /// Segments that were never fetched: they left the window, or were given up.
    pub segments_skipped: u64,
    /// The client went on elsewhere in a live stream than behind what it had.
    pub edge_jumps: u64,
    /// Times that another variant was played from then on.
    pub variant_switches: u64,
    /// Reloads of playlists that needed no request.
    pub cached_reloads: u64,
}

/// The playback clock of one client.
#[derive(Debug)]
pub(super) struct Playhead {
    phase: Phase,
    began: Duration,
    /// Everything up to here is in the tally.
    settled: Duration,
    /// Media played until `settled`.
    position: Duration,
    /// Media that can be played without a gap, from the beginning.
    buffered: Duration,
    complete: bool,
    max_drift: Duration,
    /// Media loaded and its bytes, of all tracks that playback waits for: their quotient is the bit rate.
    loaded: Duration,
    loaded_bytes: u64,
    /// Bytes of the media played that have been in a tally.
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

    /// Media played until `now`.
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

    /// A segment of this many bytes was loaded, `length` of it media that no other track counts.
    pub(super) fn load(&mut self, bytes: u64, length: Duration) {
        self.loaded += length;
        self.loaded_bytes = self.loaded_bytes.saturating_add(bytes);
    }

    /// Media without a gap now reaches to `buffered`. Everything up to `now` must have been settled.
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

    /// No more media will come.
    pub(super) fn complete(&mut self, now: Duration) {
        self.complete = true;
        if self.phase != Phase::Playing || self.position(now) >= self.buffered {
            self.phase = Phase::Ended;
        }
    }

    /// When the viewer's picture changes by itself: the buffer runs dry, or the stream has been played.
    pub(super) fn wake(&self, now: Duration) -> Option<Duration> {
        let dry = now + self.buffered.saturating_sub(self.position(now));
        // At the very moment a stall has not begun yet; the end has come.
        let wake = if self.complete { dry } else { dry + Duration::from_micros(1) };
        (self.phase == Phase::Playing).then_some(wake)
    }

    pub(super) fn take_tally(&mut self) -> Tally {
        let share = self.position.as_secs_f64() / self.loaded.as_secs_f64().max(f64::MIN_POSITIVE);
        // A number of bytes: far below 2^53, and never negative.
        let played = (self.loaded_bytes as f64 * share.min(1.0)) as u64;
        self.tally.played_bytes = played.saturating_sub(self.played_bytes);
        self.played_bytes = self.played_bytes.max(played);
        std::mem::take(&mut self.tally)
    }

    /// What the viewer sees, as far as the clock knows it.
    pub(super) fn playback(&self, waiting: bool) -> Playback {
        let settled = micros(self.settled);
        let dry_at_us = match self.phase {
            Phase::StartingUp => 0,
            Phase::Playing => settled + micros(self.buffered.saturating_sub(self.position)),
            Phase::Stalled | Phase::Ended => settled,
        };
        // One formula for the reader: position = offset + min(time, dry_at). Where playback stands still that is
        // the position at `settled`.
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
