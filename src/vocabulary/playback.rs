//! Playback of a client: the values that a player publishes, and the functions of time that readers compute from
//! them.

use super::{ClientState, share};

/// Buffer that counts as full, in microseconds: what the players of browsers hold.
pub const FULL_BUFFER_US: u64 = 30_000_000;

/// Playback of a client as a function of time. All moments are microseconds since the start of the run.
///
/// While media plays, the position grows with time until `dry_at_us`. While it does not, `dry_at_us` is the moment at
/// which it stopped, so one formula holds for both. A reader gets `offset_us` and `dry_at_us` of the same moment,
/// rounded to a millisecond; the other fields are read one by one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Playback {
    /// State that the client last reported.
    pub state: ClientState,
    /// Time at which the client began.
    pub joined_us: u64,
    /// Position minus time, while media plays.
    pub offset_us: i64,
    /// Time at which the buffer runs dry, or ran dry.
    pub dry_at_us: u64,
    /// Largest drift that the client itself noticed.
    pub max_drift_us: u64,
    /// Bits per second of the variant that is playing; 0 if unknown.
    pub bandwidth: u64,
    /// Offset such that live latency is time - position + offset; `None` if not live, or not known yet.
    pub live_offset_us: Option<i64>,
}

impl Playback {
    /// Returns the state at a moment. A playing client counts as stalled once its buffer has run dry, even while it
    /// waits after a failure. Before playback begins (`dry_at_us` is 0) the buffer cannot run dry.
    pub fn state_at(&self, now_us: u64) -> ClientState {
        state_at(self.state, self.dry_at_us, now_us)
    }

    /// Returns the microseconds of media played up to a moment.
    pub fn position_at(&self, now_us: u64) -> u64 {
        let until = i64::try_from(now_us.min(self.dry_at_us)).unwrap_or(i64::MAX);
        u64::try_from(self.offset_us.saturating_add(until)).unwrap_or(0)
    }

    /// Returns the microseconds of media in the buffer at a moment.
    pub fn buffer_at(&self, now_us: u64) -> u64 {
        self.dry_at_us.saturating_sub(now_us)
    }

    /// Returns the buffer at a moment as a share of a full one.
    pub fn buffer_share_at(&self, now_us: u64) -> f64 {
        share(self.buffer_at(now_us), FULL_BUFFER_US).unwrap_or_default()
    }

    /// Returns the microseconds between a live event and its playback at a moment; `None` if not live, or not known.
    /// Returns 0 if this machine's clock lags behind the encoder's.
    pub fn live_latency_at(&self, now_us: u64) -> Option<u64> {
        let behind = i64::try_from(now_us).ok()?.checked_sub_unsigned(self.position_at(now_us))?;
        Some(u64::try_from(behind.saturating_add(self.live_offset_us?)).unwrap_or(0))
    }

    /// Returns the drift at a moment: the time since the client began, minus the media played.
    pub fn drift_at(&self, now_us: u64) -> u64 {
        now_us.saturating_sub(self.joined_us).saturating_sub(self.position_at(now_us))
    }
}

/// Implements [`Playback::state_at`].
pub(crate) fn state_at(state: ClientState, dry_at_us: u64, now_us: u64) -> ClientState {
    match state {
        ClientState::Playing | ClientState::Waiting if dry_at_us > 0 && now_us > dry_at_us => {
            ClientState::Stalled
        }
        state => state,
    }
}
