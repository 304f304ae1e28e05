//! The playback of a client: what a player publishes, and what every reader computes from it.

use super::ClientState;

/// The playback of a client as a function of time: all moments are microseconds since the start of the run.
///
/// While media plays, position grows with time until the moment `dry_at_us`; while it does not, `dry_at_us` is the
/// moment at which it stopped, so one formula holds for both. A reader meets `offset_us` and `dry_at_us` of the same
/// moment, rounded to a millisecond; the other fields are read one by one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Playback {
    /// What the client said that it is doing.
    pub state: ClientState,
    /// When the client began.
    pub joined_us: u64,
    /// Position minus time, while media plays.
    pub offset_us: i64,
    /// When the buffer runs dry, or ran dry.
    pub dry_at_us: u64,
    /// The largest drift that the client itself noticed.
    pub max_drift_us: u64,
    /// Bits per second of the variant that is played, 0 when unknown.
    pub bandwidth: u64,
    /// Live latency is time - position + this; `None`: not live, or not known yet.
    pub live_offset_us: Option<i64>,
}

impl Playback {
    /// The state at a moment: a client that plays is stalled once its buffer has run dry, also while it waits
    /// after a failure. Before playback began (`dry_at_us` is 0) nothing can run dry.
    pub fn state_at(&self, now_us: u64) -> ClientState {
        state_at(self.state, self.dry_at_us, now_us)
    }

    /// Microseconds of media played until a moment.
    pub fn position_at(&self, now_us: u64) -> u64 {
        let until = i64::try_from(now_us.min(self.dry_at_us)).unwrap_or(i64::MAX);
        u64::try_from(self.offset_us.saturating_add(until)).unwrap_or(0)
    }

    /// Microseconds of media in the buffer at a moment.
    pub fn buffer_at(&self, now_us: u64) -> u64 {
        self.dry_at_us.saturating_sub(now_us)
    }

    /// Microseconds between what happens and what the viewer sees at a moment; `None`: not live, or not known. A
    /// clock that lies behind the encoder's makes it 0.
    pub fn live_latency_at(&self, now_us: u64) -> Option<u64> {
        let behind = i64::try_from(now_us).ok()?.checked_sub_unsigned(self.position_at(now_us))?;
        Some(u64::try_from(behind.saturating_add(self.live_offset_us?)).unwrap_or(0))
    }

    /// Drift at a moment: time since the client began minus what it has played.
    pub fn drift_at(&self, now_us: u64) -> u64 {
        now_us.saturating_sub(self.joined_us).saturating_sub(self.position_at(now_us))
    }
}

/// See [`Playback::state_at`].
pub(crate) fn state_at(state: ClientState, dry_at_us: u64, now_us: u64) -> ClientState {
    match state {
        ClientState::Playing | ClientState::Waiting if dry_at_us > 0 && now_us > dry_at_us => {
            ClientState::Stalled
        }
        state => state,
    }
}
