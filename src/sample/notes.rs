//! Notes that the sampler adds to the journal: stalls that begin and end, the peak of the throughput, and thresholds that
//! are crossed.
//!
//! The journal has the changes of the verdict already. These happen without one, too: clients can begin to stall while
//! requests have been failing for a minute.

use std::time::Duration;

use super::RunSample;
use crate::run_state::{Journal, Note, NoteKind};
use crate::verdict::{DEGRADED_SHARE, JudgedThreshold, Verdict};
use crate::vocabulary::{ClientState, RunState, units};

/// Time for which stalls must last, or be over, before there is a note: single clients come and go.
const LASTING: Duration = Duration::from_secs(2);
/// Time after which a throughput that was not exceeded is the peak.
const PEAK_AFTER: Duration = Duration::from_secs(10);
/// Ratio to the peak that was noted last from which on there is another note.
const HIGHER: f64 = 1.1;

/// Stalls that are noted.
#[derive(Clone, Copy, Debug)]
struct Stalls {
    began: Duration,
    most: f64,
}

/// Writes the notes of a run.
#[derive(Clone, Debug, Default)]
pub(super) struct NoteTaker {
    /// Time since which the stalls are different from what was noted last.
    since: Option<Duration>,
    stalls: Option<Stalls>,
    /// Highest throughput, the time at which it was reached, and the clients then.
    peak: Option<(f64, Duration, u64)>,
    /// Highest throughput that is noted.
    noted_peak: Option<f64>,
}

impl NoteTaker {
    /// Takes a sample. What a run that ends does to its clients is not noted.
    pub(super) fn observe(&mut self, sample: &RunSample, journal: &Journal) {
        if sample.state.is_ending() {
            return;
        }
        self.note_stalls(sample, journal);
        self.note_peak(sample, journal);
    }

    fn note_stalls(&mut self, sample: &RunSample, journal: &Journal) {
        // Without a client none is stalled.
        let share = sample.health.stalled_share.unwrap_or(0.0);
        if let Some(stalls) = &mut self.stalls {
            stalls.most = stalls.most.max(share);
        }
        let none = sample.snapshot.in_state(ClientState::Stalled) == 0;
        let changes = if self.stalls.is_some() { none } else { share >= DEGRADED_SHARE };
        if !changes {
            self.since = None;
            return;
        }
        let at = *self.since.get_or_insert(sample.at);
        if sample.at.saturating_sub(at) < LASTING {
            return;
        }
        self.since = None;
        let (kind, text) = match self.stalls.take() {
            None => {
                self.stalls = Some(Stalls { began: at, most: share });
                let clients = units::plural(sample.active_clients(), "client");
                (NoteKind::StallsBegan, format!("{} of {clients} are stalled", units::percent(Some(share))))
            }
            Some(Stalls { began, most }) => {
                let (most, length) = (units::percent(Some(most)), units::span(at.saturating_sub(began)));
                (
                    NoteKind::StallsEnded,
                    format!("no client is stalled any more: {most} at most, for {length}"),
                )
            }
        };
        journal.note(Note { at, kind, text });
    }

    fn note_peak(&mut self, sample: &RunSample, journal: &Journal) {
        let Some(highest) = sample.peak_bits_per_second else { return };
        if self.peak.is_none_or(|(peak, ..)| highest > peak) {
            self.peak = Some((highest, sample.at, sample.active_clients()));
        }
        // While clients are added to a stream that is served well, the throughput only pauses.
        let may_rise = sample.state == RunState::Ramping && sample.health.verdict < Verdict::Degraded;
        let least = self.noted_peak.map_or(0.0, |noted| HIGHER * noted);
        if let Some((peak, at, clients)) = self.peak.filter(|(peak, ..)| *peak > least)
            && sample.at.saturating_sub(at) >= PEAK_AFTER
            && !may_rise
        {
            let clients = units::plural(clients, "client");
            let again = if self.noted_peak.is_some() { "again, " } else { "" };
            let text = format!("throughput peaks {again}at {} with {clients}", units::bit_rate(peak));
            journal.note(Note { at, kind: NoteKind::Peak, text });
            self.noted_peak = Some(peak);
        }
    }
}

/// Notes each threshold that was crossed for the first time, or ends the run. One that is crossed again is not noted:
/// a value next to its limit would fill the journal.
pub(super) fn note_thresholds(before: &[JudgedThreshold], now: &[JudgedThreshold], sample: &RunSample) {
    for (before, now) in before.iter().zip(now) {
        let threshold = &now.threshold;
        let (then, standing) = (before.standing, now.standing);
        let value = standing.value.map_or(units::UNKNOWN.to_owned(), |value| threshold.shown(value));
        let note = |at, text| sample.journal.note(Note { at, kind: NoteKind::Threshold, text });
        if let (None, Some(at)) = (then.crossed_at, standing.crossed_at) {
            note(at, format!("threshold {threshold} crossed: {value}"));
        }
        if let (None, Some(at)) = (then.aborted_at, standing.aborted_at) {
            note(at, format!("threshold {threshold} stayed crossed and ends the run: {value}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::Health;

    /// Feeds samples a quarter of a second apart with this many stalled clients of 200, and returns the notes.
    fn notes(stalled: impl Fn(f64) -> u64) -> Vec<(f64, NoteKind, String)> {
        let (mut taker, journal) = (NoteTaker::default(), Journal::default());
        for tick in 0..240_u32 {
            let at = f64::from(tick) / 4.0;
            let mut sample = RunSample { at: Duration::from_secs_f64(at), ..RunSample::default() };
            sample.snapshot.states[ClientState::Stalled.index()] = stalled(at);
            sample.snapshot.states[ClientState::Playing.index()] = 200 - stalled(at);
            sample.state = RunState::Running;
            sample.health =
                Health { stalled_share: sample.state_share(ClientState::Stalled), ..Health::default() };
            taker.observe(&sample, &journal);
        }
        journal.notes().map(|note| (note.at.as_secs_f64(), note.kind, note.text.clone())).collect()
    }

    #[test]
    fn stalls_that_last_give_two_notes() {
        let seen = notes(|at| if (10.0..15.0).contains(&at) { 30 + u64::from(at > 12.0) * 10 } else { 0 });
        assert_eq!(
            seen,
            [
                (10.0, NoteKind::StallsBegan, "15.0% of 200 clients are stalled".to_owned()),
                (
                    15.0,
                    NoteKind::StallsEnded,
                    "no client is stalled any more: 20.0% at most, for 5.0 s".to_owned()
                ),
            ]
        );
    }

    #[test]
    fn single_clients_and_short_stalls_give_none() {
        assert_eq!(notes(|at| u64::from((at as u64).is_multiple_of(3))), []);
        assert_eq!(notes(|at| if (at as u64).is_multiple_of(10) { 50 } else { 0 }), []);
    }

    #[test]
    fn a_stall_of_a_moment_does_not_end_the_stalls() {
        let seen =
            notes(|at| if (10.0..50.0).contains(&at) && !(at as u64).is_multiple_of(7) { 9 } else { 0 });
        assert_eq!(seen.len(), 2, "{seen:?}");
    }

    /// Feeds samples a second apart with this highest throughput, of which the first are those of a ramp, and returns
    /// the notes.
    fn peaks(ramp_s: u64, peak: impl Fn(u64) -> f64) -> Vec<(u64, String)> {
        let (mut taker, journal) = (NoteTaker::default(), Journal::default());
        for second in 0..60 {
            let sample = RunSample {
                at: Duration::from_secs(second),
                state: if second < ramp_s { RunState::Ramping } else { RunState::Running },
                peak_bits_per_second: Some(peak(second)),
                ..RunSample::default()
            };
            taker.observe(&sample, &journal);
        }
        journal.notes().map(|note| (note.at.as_secs(), note.text.clone())).collect()
    }

    #[test]
    fn the_peak_is_noted_once_when_it_was_not_exceeded() {
        let seen = peaks(20, |second| match second {
            0..=15 => 5.0e9,
            _ => (5.0e9 + 1e8 * second as f64).min(7.0e9),
        });
        assert_eq!(seen, [(20, "throughput peaks at 7 Gb/s with 0 clients".to_owned())]);
    }

    #[test]
    fn a_peak_that_is_a_tenth_higher_is_noted_again() {
        let seen = peaks(0, |second| match second {
            0..20 => 5.0e8,
            20..40 => 5.25e8,
            _ => 5.0e9,
        });
        let texts = [
            "throughput peaks at 500 Mb/s with 0 clients",
            "throughput peaks again, at 5 Gb/s with 0 clients",
        ];
        assert_eq!(seen, [(0, texts[0].to_owned()), (40, texts[1].to_owned())]);
    }

    #[test]
    fn stalls_end_when_their_clients_leave() {
        let (mut taker, journal) = (NoteTaker::default(), Journal::default());
        for second in 0..60 {
            let mut sample = RunSample {
                at: Duration::from_secs(second),
                state: RunState::Running,
                ..RunSample::default()
            };
            sample.health.stalled_share = (second < 10).then_some(0.5);
            sample.snapshot.states[ClientState::Stalled.index()] = u64::from(second < 10);
            taker.observe(&sample, &journal);
        }
        let seen: Vec<_> = journal.notes().map(|note| (note.at.as_secs(), note.kind)).collect();
        assert_eq!(seen, [(0, NoteKind::StallsBegan), (10, NoteKind::StallsEnded)]);
    }
}
