//! The numbers that a run is judged by, each derived here and nowhere else from what was counted.

use std::time::Duration;

use crate::stats::{Metric, Rates, Snapshot, Totals};
use crate::verdict::{HealthNumbers, RunNumbers};
use crate::vocabulary::ClientState;

/// What the health of the stream follows from at a moment; `recent`: over the last ten seconds.
pub(super) fn of_moment(at: Duration, snapshot: &Snapshot, recent: Option<&Rates>) -> HealthNumbers {
    let clients = snapshot.active();
    let stalled = snapshot.in_state(ClientState::Stalled);
    HealthNumbers {
        at,
        clients,
        stalled_share: (clients > 0).then(|| stalled as f64 / clients as f64),
        error_share: recent.and_then(Rates::error_share),
        local_faults: recent.map_or(0, |rates| rates.local_faults),
        bits_per_second: recent.map(|rates| rates.bits_per_second),
        run: of_run(&snapshot.totals),
    }
}

/// What the result of the run follows from.
pub(super) fn of_run(totals: &Totals) -> RunNumbers {
    RunNumbers { error_share: totals.error_share(), has_played: totals.get(Metric::PlaybackStarts) > 0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::Registry;
    use crate::vocabulary::outcome::Fault;
    use crate::vocabulary::{Clock, Kind, Outcome};

    #[test]
    fn what_this_machine_could_not_make_is_no_share_of_the_failures() {
        let (registry, mut snapshot) = (Registry::new(1), Snapshot::default());
        let client = registry.add();
        let meter = client.meter(0, Clock::start());
        assert_eq!(of_moment(Duration::ZERO, &snapshot, None), HealthNumbers::default());
        meter.count(Metric::PlaybackStarts, 1);
        meter.set_state(ClientState::Stalled);
        for outcome in [Outcome::Ok, Outcome::of_status(503, false), Fault::LocalFiles.into()] {
            meter.start(Kind::Segment).finish(outcome, None);
        }
        registry.snapshot(0, &mut snapshot);
        let run = RunNumbers { error_share: Some(0.5), has_played: true };
        let numbers = of_moment(Duration::ZERO, &snapshot, None);
        assert_eq!(
            numbers,
            HealthNumbers { clients: 1, stalled_share: Some(1.0), run, ..HealthNumbers::default() }
        );
    }
}
