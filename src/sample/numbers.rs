//! Numbers that a run is judged by. Each is derived from the counters here and nowhere else.

use std::time::Duration;

use super::RunSample;
use crate::stats::{Metric, Rates, Snapshot, Totals};
use crate::verdict::{EndNumbers, HealthNumbers, RunNumbers};
use crate::vocabulary::outcome::Fault;
use crate::vocabulary::{ClientState, Outcome, share};

/// Returns the numbers of a moment from which the health of the stream follows; `recent` covers the last ten seconds.
pub(super) fn of_moment(at: Duration, snapshot: &Snapshot, recent: Option<&Rates>) -> HealthNumbers {
    let clients = snapshot.active();
    let stalled = snapshot.in_state(ClientState::Stalled);
    HealthNumbers {
        at,
        clients,
        playing: snapshot.in_state(ClientState::Playing),
        stalled,
        stalled_share: share(stalled, clients),
        error_share: recent.and_then(Rates::error_share),
        local_faults: recent.map_or(0, |rates| rates.local_faults),
        bits_per_second: recent.map(|rates| rates.bits_per_second),
        thresholds_crossed: 0,
        run: of_run(&snapshot.totals),
    }
}

/// Returns the numbers of the whole run from which its result follows.
pub(super) fn of_run(totals: &Totals) -> RunNumbers {
    RunNumbers { error_share: totals.error_share(), has_played: totals.get(Metric::PlaybackStarts) > 0 }
}

impl RunSample {
    /// Returns the numbers that a run is judged by; `lost` is the number of threads lost to a panic.
    pub fn end_numbers(&self, lost: u64) -> EndNumbers {
        let totals = &self.snapshot.totals;
        let ended = |fault: Fault| totals.ended(fault.into());
        EndNumbers {
            panics: self.panics + lost,
            invariant_violations: self.snapshot.invariant_violations,
            clients_started: self.snapshot.created,
            clients_played: totals.get(Metric::PlaybackStarts),
            finished: totals.finished(),
            ok: totals.ended(Outcome::Ok),
            cut: ended(Fault::Cut),
            expected: totals.expected_responses(),
            local_files: ended(Fault::LocalFiles),
            local_ports: ended(Fault::LocalPorts),
            local_memory: ended(Fault::LocalMemory),
            local_internal: ended(Fault::LocalInternal),
            clients_target: self.target.into(),
            clients_peak: self.peak_clients,
            lasted: self.at,
            health: self.run_health,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::Registry;
    use crate::vocabulary::{Clock, Kind};

    #[test]
    fn what_this_machine_could_not_make_is_no_share_of_the_failures() {
        let (registry, mut snapshot) = (Registry::new(1), Snapshot::default());
        let client = registry.add();
        let meter = client.meter(0, Clock::start());
        assert_eq!(of_moment(Duration::ZERO, &snapshot, None), HealthNumbers::default());
        meter.count(Metric::PlaybackStarts, 1);
        meter.set_state(ClientState::Stalled);
        for outcome in [Outcome::Ok, Outcome::from_status(503, false), Fault::LocalFiles.into()] {
            meter.start(Kind::Segment).finish(outcome, None);
        }
        registry.snapshot(0, &mut snapshot);
        let run = RunNumbers { error_share: Some(0.5), has_played: true };
        let numbers = of_moment(Duration::ZERO, &snapshot, None);
        assert_eq!(
            numbers,
            HealthNumbers {
                clients: 1,
                stalled: 1,
                stalled_share: Some(1.0),
                run,
                ..HealthNumbers::default()
            }
        );
    }
}
