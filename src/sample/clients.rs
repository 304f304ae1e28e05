//! Numbers over the clients of a sample: by speed and by drift, at their last reading.

use std::time::Duration;

use super::RunSample;
use crate::stats::ClientRow;
use crate::stats::speed::SLOW_BELOW;
use crate::vocabulary::share;

/// Drift from which on a client counts as far behind, in microseconds.
const HIGH_DRIFT_US: u64 = 5_000_000;

impl RunSample {
    /// Returns the drift of a client: the time since it began, minus the media that it has played.
    pub fn drift(&self, row: &ClientRow) -> Duration {
        Duration::from_micros(row.playback.drift_at(self.snapshot.clients_at_us))
    }

    /// Returns the drifts of the active clients in microseconds: those that have ended play nothing more.
    fn drifts_us(&self) -> impl Iterator<Item = u64> {
        let active = self.snapshot.clients.iter().filter(|row| row.state.is_active());
        active.map(|row| row.playback.drift_at(self.snapshot.clients_at_us))
    }

    /// Returns the number of active clients whose drift is more than five seconds.
    pub fn high_drift_clients(&self) -> u64 {
        self.drifts_us().filter(|drift_us| *drift_us > HIGH_DRIFT_US).count() as u64
    }

    /// Returns the mean drift of the active clients; `None` without any.
    pub fn average_drift(&self) -> Option<Duration> {
        let (count, sum) =
            self.drifts_us().fold((0, 0), |(count, sum), drift_us| (count + 1, sum + drift_us));
        Some(Duration::from_micros(share(sum, count)?.round() as u64))
    }

    /// Returns the number of clients that play at real time, and of those that are slower than that, which are those
    /// below 0.9. Clients whose speed is not known yet are in neither.
    pub fn clients_by_speed(&self) -> [u64; 2] {
        let speeds = || self.snapshot.clients.iter().filter_map(|row| row.speed);
        let below = speeds().filter(|speed| *speed < SLOW_BELOW).count();
        [speeds().count() - below, below].map(|count| count as u64)
    }

    /// Returns the number of slow clients: below 0.9 for more than five seconds.
    pub fn slow_clients(&self) -> u64 {
        self.snapshot.clients.iter().filter(|row| row.slow).count() as u64
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::vocabulary::{ClientState, Playback};

    fn row(state: ClientState, joined_s: u64, speed: Option<f64>) -> ClientRow {
        let fresh = ClientRow::fresh();
        let playback = Playback { state, joined_us: joined_s * 1_000_000, ..fresh.playback };
        ClientRow { state, playback, speed, slow: speed.is_some_and(|speed| speed < 0.5), ..fresh }
    }

    #[test]
    fn clients_are_counted_by_speed_and_drift_and_those_that_have_ended_drift_no_more() {
        use ClientState::{Finished, Playing, Stalled, Starting};
        let rows = [
            row(Playing, 9, Some(1.0)),
            row(Playing, 7, Some(0.9)),
            row(Stalled, 4, Some(0.2)),
            row(Starting, 10, None),
            row(Finished, 0, None),
        ];
        let mut sample = RunSample::default();
        (sample.snapshot.clients, sample.snapshot.clients_at_us) = (Arc::new(rows.to_vec()), 10_000_000);
        assert_eq!((sample.clients_by_speed(), sample.slow_clients()), ([2, 1], 1));
        assert_eq!(
            (sample.high_drift_clients(), sample.average_drift()),
            (1, Some(Duration::from_millis(2_500)))
        );
        assert_eq!(sample.drift(&sample.snapshot.clients[2]), Duration::from_secs(6));
        assert_eq!(RunSample::default().average_drift(), None);
    }
}
