//! Preflight of a run: the first client goes ahead of the others, and shows a wrong URL before there is a load.
//!
//! * The first client is like any other: its requests belong to the run, so counts still equal the origin's.
//! * The others wait until it requests media: a few round trips if all is well.
//! * One failure may be chance. A second try decides, by the same client or by the one that replaces it.
//! * A slow or overloaded origin is worth a load test, so the others then start after [`PATIENCE`].

use std::time::Duration;

use crate::sample::Sources;
use crate::stats::{Metric, Snapshot, Totals};
use crate::vocabulary::Kind;
use crate::vocabulary::outcome::{Fault, Outcome};

/// Maximum wait of the others: hls.js retries a playlist after one second.
const PATIENCE: Duration = Duration::from_secs(2);
/// Number of failures independent of the load that refuses a run.
const TRIES: u64 = 2;

/// Time between two looks of the controller while the others wait: far below a round trip of most networks.
pub(super) const LOOK: Duration = Duration::from_millis(2);

/// Order of the first client and the others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ahead {
    /// The others wait for the first client.
    #[default]
    First,
    /// All clients start as the ramp requires.
    Together,
    /// Only the first client starts, and the run ends when the plan has its price.
    Probe,
    /// All clients start as the ramp requires, and nothing is priced.
    Single,
}

/// Knowledge of the stream from its first client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// Too little is known.
    Waiting,
    /// The stream can be loaded, or nothing proves that it cannot.
    Loads,
    /// The first playlist fails with this outcome, and would for every client.
    Refused(Outcome),
}

/// Watches the first client.
pub(super) struct FirstClient {
    seen: Seen,
    /// Memory to read counters into; `None` after the decision.
    snapshot: Option<Box<Snapshot>>,
}

impl FirstClient {
    pub(super) fn new(ahead: Ahead) -> Self {
        match ahead {
            Ahead::First | Ahead::Probe => Self { seen: Seen::Waiting, snapshot: Some(Box::default()) },
            Ahead::Together | Ahead::Single => Self { seen: Seen::Loads, snapshot: None },
        }
    }

    pub(super) fn is_decided(&self) -> bool {
        self.seen != Seen::Waiting
    }

    /// Reads the counters and judges them, until the decision is made.
    pub(super) fn look(&mut self, now: Duration, sources: &Sources) -> Seen {
        if let Some(snapshot) = self.snapshot.as_mut() {
            sources.read_totals(now, snapshot);
            self.seen = judge(now, &snapshot.totals);
        }
        if self.is_decided() {
            self.snapshot = None;
        }
        self.seen
    }
}

/// Judges the stream from the counters, which so far hold only the first client's requests.
fn judge(now: Duration, totals: &Totals) -> Seen {
    if totals.started() > totals.started_of(Kind::Playlist) {
        return Seen::Loads;
    }
    let playlists = totals.kind(Kind::Playlist);
    // Redirects that were followed also count as ok.
    let came = playlists.ok.requests > totals.get(Metric::Redirects);
    let failed = playlists.outcomes().filter(|(outcome, _)| !outcome.is_ok());
    let (lasting, passing): (Vec<_>, Vec<_>) = failed.partition(|(outcome, _)| is_lasting(*outcome));
    let most = lasting.iter().max_by_key(|(_, tally)| tally.requests);
    let tries: u64 = lasting.iter().map(|(_, tally)| tally.requests).sum();
    let enough = tries >= TRIES && (!came || totals.get(Metric::GaveUp) >= TRIES);
    let late = now >= PATIENCE;
    match most {
        Some((outcome, _)) if enough || (late && !came && passing.is_empty()) => Seen::Refused(*outcome),
        _ if late => Seen::Loads,
        _ => Seen::Waiting,
    }
}

/// Reports whether every client would meet this failure, whatever the load. A server error or a timeout may pass;
/// 408, 425 and 429 ask for another try.
fn is_lasting(outcome: Outcome) -> bool {
    match outcome {
        Outcome::Ok => false,
        Outcome::Http(failure) => failure
            .status()
            .is_some_and(|code| (400..500).contains(&code) && !matches!(code, 408 | 425 | 429)),
        Outcome::Failed(fault) => matches!(
            fault,
            Fault::DnsNotFound
                | Fault::ConnRefused
                | Fault::ConnProxy
                | Fault::TlsCert
                | Fault::TlsHandshake
                // With prior knowledge, a server of HTTP/1.1 alone.
                | Fault::H2Protocol
                | Fault::PlaylistNotM3u8
                | Fault::PolicyScheme
                | Fault::PolicyHost
                | Fault::PolicyAddress
                | Fault::PolicyRedirects
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::{ClientHandle, Meter};
    use crate::vocabulary::Clock;

    struct Run {
        totals: Totals,
        sources: Sources,
        client: ClientHandle,
    }

    impl Run {
        fn new() -> Self {
            let sources = Sources::new(1);
            let client = sources.registry.add();
            Self { totals: Totals::default(), sources, client }
        }

        fn meter(&self) -> Meter {
            self.client.meter(0, Clock::start())
        }

        fn ends(&self, kind: Kind, outcome: Outcome) {
            self.meter().start(kind).finish(outcome, None);
        }

        fn seen(&mut self, ms: u64) -> Seen {
            let mut snapshot = Snapshot::default();
            self.sources.read_totals(Duration::ZERO, &mut snapshot);
            self.totals = snapshot.totals;
            judge(Duration::from_millis(ms), &self.totals)
        }
    }

    fn http(status: u16) -> Outcome {
        Outcome::from_status(status, false)
    }

    #[test]
    fn the_others_start_when_the_first_client_asks_for_media() {
        let mut run = Run::new();
        assert_eq!(run.seen(0), Seen::Waiting);
        run.ends(Kind::Playlist, Outcome::Ok);
        run.ends(Kind::Playlist, Outcome::Ok);
        assert_eq!(run.seen(3), Seen::Waiting);
        let meter = run.meter();
        let _open = meter.start(Kind::Segment);
        let mut snapshot = Snapshot::default();
        run.sources.read_totals(Duration::ZERO, &mut snapshot);
        assert_eq!(judge(Duration::ZERO, &snapshot.totals), Seen::Loads);
    }

    #[test]
    fn a_second_failure_that_no_load_can_change_refuses_the_run() {
        let faults = [
            Fault::DnsNotFound,
            Fault::ConnRefused,
            Fault::TlsCert,
            Fault::TlsHandshake,
            Fault::H2Protocol,
            Fault::PlaylistNotM3u8,
            Fault::PolicyHost,
            Fault::PolicyAddress,
            Fault::PolicyRedirects,
        ];
        let outcomes = [400, 401, 403, 404, 410, 451].map(http).into_iter().chain(faults.map(Outcome::from));
        for outcome in outcomes {
            let mut run = Run::new();
            run.ends(Kind::Playlist, outcome);
            assert_eq!(run.seen(5), Seen::Waiting, "{outcome}");
            run.ends(Kind::Playlist, outcome);
            assert_eq!(run.seen(300), Seen::Refused(outcome), "{outcome}");
        }
    }

    #[test]
    fn one_failure_refuses_when_no_second_try_comes() {
        let mut run = Run::new();
        run.ends(Kind::Playlist, http(404));
        assert_eq!(run.seen(1_999), Seen::Waiting);
        assert_eq!(run.seen(2_000), Seen::Refused(http(404)));
    }

    #[test]
    fn an_overloaded_or_slow_origin_is_loaded_after_two_seconds() {
        let passing = [Fault::TimeoutFirstByte, Fault::ConnReset, Fault::DnsServerFailure, Fault::LocalPorts];
        let outcomes = [408, 425, 429, 500, 503, 599].map(http).into_iter().chain(passing.map(Outcome::from));
        for outcome in outcomes {
            let mut run = Run::new();
            (0..9).for_each(|_| run.ends(Kind::Playlist, outcome));
            assert_eq!(run.seen(1_999), Seen::Waiting, "{outcome}");
            assert_eq!(run.seen(2_000), Seen::Loads, "{outcome}");
        }
        assert_eq!(Run::new().seen(2_000), Seen::Loads, "nothing was answered yet");
    }

    #[test]
    fn a_variant_that_fails_refuses_only_when_clients_leave() {
        let mut run = Run::new();
        run.ends(Kind::Playlist, Outcome::Ok);
        run.ends(Kind::Playlist, http(404));
        run.ends(Kind::Playlist, http(404));
        assert_eq!(run.seen(10), Seen::Waiting, "a third variant may play");
        run.meter().count(Metric::GaveUp, 2);
        assert_eq!(run.seen(10), Seen::Refused(http(404)));
    }

    #[test]
    fn a_redirect_to_nowhere_is_no_playlist() {
        let mut run = Run::new();
        for _ in 0..2 {
            run.ends(Kind::Playlist, Outcome::Ok);
            run.meter().count(Metric::Redirects, 1);
            run.ends(Kind::Playlist, http(404));
        }
        assert_eq!(run.seen(10), Seen::Refused(http(404)));
    }

    #[test]
    fn the_decision_is_made_by_the_first_client_or_by_none() {
        let mut first = FirstClient::new(Ahead::First);
        let sources = Sources::new(1);
        assert!(!first.is_decided());
        assert_eq!(first.look(Duration::ZERO, &sources), Seen::Waiting);
        assert_eq!(first.look(PATIENCE, &sources), Seen::Loads);
        assert!(first.is_decided() && FirstClient::new(Ahead::Together).is_decided());
    }
}
