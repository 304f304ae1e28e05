//! The exit of a run: its code, and the reasons for it.

use std::process::ExitCode;
use std::time::Duration;

use crate::control::{Ending, Plan, RefusedBy};
use crate::net::HttpVersion;
use crate::report::Exit;
use crate::run_state::ChangeSource;
use crate::sample::RunSample;
use crate::verdict::{Check, Consequence, EarlyEnd, EndAtLimit, RunEnd};
use crate::vocabulary::exit_code::{CRITERIA, INTERNAL, PREFLIGHT, SIGNALLED, UNTRUSTED, UNWRITTEN};
use crate::vocabulary::outcome::{Fault, Outcome};
use crate::vocabulary::{HardStop, StopCause, units};

/// Exit status of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExitStatus(u8);

impl ExitStatus {
    /// Returns the code.
    pub(super) const fn code(self) -> u8 {
        self.0
    }
}

impl From<u8> for ExitStatus {
    fn from(code: u8) -> Self {
        Self(code)
    }
}

impl From<ExitStatus> for ExitCode {
    fn from(status: ExitStatus) -> Self {
        Self::from(status.0)
    }
}

/// Returns the exit of a run that has ended: the code of the first failed check that has one, and the sentences of all
/// that are reasons.
pub(super) fn from_checks(checks: &[Check]) -> Exit {
    let failed = || checks.iter().filter(|check| check.fails());
    Exit {
        code: Some(failed().find_map(|check| code(check.consequence)).unwrap_or_default()),
        reasons: failed()
            .filter(|check| check.consequence != Consequence::Listed)
            .map(|check| check.sentence.clone())
            .collect(),
    }
}

fn code(consequence: Consequence) -> Option<u8> {
    match consequence {
        Consequence::Internal => Some(INTERNAL),
        Consequence::Ended(code) => Some(code),
        Consequence::Untrusted => Some(UNTRUSTED),
        Consequence::Criteria => Some(CRITERIA),
        Consequence::Reason | Consequence::Listed => None,
    }
}

/// Returns the end of a run, for its checks.
pub(super) fn run_end(ending: Ending, plan: &Plan, sample: &RunSample) -> RunEnd {
    RunEnd {
        refused: ending.refused.map(|by| match by {
            RefusedBy::Stream(outcome) => refused(sample, outcome, plan),
            RefusedBy::Price => too_expensive(sample),
        }),
        signal: signal(ending, plan),
        hard_stop: hard_stop(ending, plan, sample),
        ramp: match plan.stages.is_some() || plan.arrivals.is_some() {
            true => Duration::ZERO,
            false => plan.profile.length(sample.target),
        },
        is_braked: sample.journal.changes().any(|change| change.by == ChangeSource::Brake),
        // A search ends when it has its answer, however long it might have taken.
        duration: plan.asked_duration().filter(|_| ending.cause != Some(StopCause::Searched)),
        search: None,
        how: match ending.cause {
            Some(StopCause::Operator) => "q ended the run",
            Some(StopCause::Control) => "hlswarm ctl ended the run",
            Some(StopCause::Limit(_)) => "a hard stop ended the run",
            Some(StopCause::Threshold) => "--abort-on-fail ended the run",
            Some(StopCause::Searched) => "the search has ended",
            Some(StopCause::Fault) => "an internal fault ended the run",
            Some(_) => "a signal ended the run",
            None => "every client had finished",
        },
    }
}

/// Returns the hard stop that ended the run. Bytes and requests are the declared end of a run without a duration; a
/// bandwidth never is.
fn hard_stop(ending: Ending, plan: &Plan, sample: &RunSample) -> Option<EndAtLimit> {
    let Some(StopCause::Limit(stop)) = ending.cause else { return None };
    let spent = sample.spent(stop)?;
    let at = sample.hard_stop().map_or(sample.at, |(_, at)| at);
    let cut = match sample.snapshot.totals.ended(Fault::Cut.into()) {
        0 => String::new(),
        cut => format!(", {} cut", units::plural(cut, "request")),
    };
    let verb = match stop {
        HardStop::Bytes => "arrived",
        HardStop::Requests => "sent",
        HardStop::Bandwidth => "in a second",
    };
    let [limit, used] = [spent.limit, spent.used].map(|amount| stop.amount(amount));
    Some(EndAtLimit {
        is_early: stop == HardStop::Bandwidth || plan.asked_duration().is_some(),
        sentence: format!("{} {limit} reached at {}: {used} {verb}{cut}", stop.option(), units::clock(at)),
    })
}

/// Returns the exit after some reports could not be written.
pub(super) fn with_unwritten(exit: Exit, failed: &[String]) -> Exit {
    let code = exit.code.filter(|code| [INTERNAL, PREFLIGHT].contains(code)).or(Some(UNWRITTEN));
    Exit { code, reasons: exit.reasons.into_iter().chain(failed.iter().cloned()).collect() }
}

/// Returns the signal that ended the run early, or cut it short as a second one.
fn signal(ending: Ending, plan: &Plan) -> Option<EarlyEnd> {
    let cause = ending.cause?;
    // Ctrl-C is the normal end of a run for which no duration was asked.
    if cause == StopCause::Interrupt && plan.asked_duration().is_none() && !ending.cut {
        return None;
    }
    let (code, name) = of_signal(cause)?;
    let how = if ending.cut { "cut short" } else { "ended early" };
    Some(EarlyEnd { code, sentence: format!("{how} by {name}") })
}

/// Returns why the first client could not load the stream, so that there was no load. The code is 5 if nothing is at
/// this URL, 3 if its content cannot be played.
fn refused(sample: &RunSample, outcome: Outcome, plan: &Plan) -> EarlyEnd {
    let nothing_there = matches!(outcome, Outcome::Http(_) | Outcome::Failed(Fault::DnsNotFound));
    // A server that does not speak the one version that was asked for is well.
    let by_option = explanation(sample, outcome).and_then(HttpVersion::option_of);
    let code = if nothing_there || by_option.is_some() { PREFLIGHT } else { CRITERIA };
    let others = if plan.profile.clients > 1 { "; no other client was started" } else { "" };
    EarlyEnd { code, sentence: format!("{}{others}", why_refused(sample, outcome)) }
}

/// Returns the end of a run whose plan needs more than there is.
fn too_expensive(sample: &RunSample) -> EarlyEnd {
    let sentence = sample.priced.as_ref().and_then(|priced| priced.sentence());
    EarlyEnd { code: PREFLIGHT, sentence: sentence.unwrap_or_default() }
}

/// Returns what is known about the cause of a failure.
fn explanation(sample: &RunSample, outcome: Outcome) -> Option<&str> {
    let mut known = sample.distributions.iter().flat_map(|known| &known.explanations);
    known.find(|(fault, _)| outcome == (*fault).into()).map(|(_, detail)| &**detail)
}

/// Returns the sentence for an operator whose URL is probably wrong.
fn why_refused(sample: &RunSample, outcome: Outcome) -> String {
    let detail = explanation(sample, outcome).map_or(String::new(), |detail| format!(" ({detail})"));
    let playlist = "the first playlist";
    let hint = match explanation(sample, outcome).and_then(HttpVersion::option_of) {
        Some(option) => format!("leave out {option}, or give a server that speaks it"),
        None => hint(outcome).to_owned(),
    };
    match outcome {
        Outcome::Http(failure) => format!("{playlist} returned {failure} {}: {hint}", failure.words()),
        Outcome::Failed(Fault::PlaylistNotM3u8) => format!("{playlist} is not a playlist{detail}: {hint}"),
        Outcome::Failed(fault) => {
            let meaning = fault.meaning().trim_end_matches('.');
            format!(
                "{playlist} cannot be loaded: {fault_name}: {meaning}{detail}: {hint}",
                fault_name = fault.name()
            )
        }
        Outcome::Ok => format!("{playlist} cannot be played"),
    }
}

/// Returns what the operator may do about the first playlist.
fn hint(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Http(failure) if failure.status() == Some(407) => "is the login in --proxy right?",
        Outcome::Failed(Fault::ConnProxy) => "is --proxy right?",
        Outcome::Failed(Fault::TlsCert) => {
            "give --cacert FILE with the certificate of its issuer, or --insecure"
        }
        _ => "is the URL right?",
    }
}

/// Returns the code and the name of the external cause that ended a run; `None` if there was none.
pub(super) fn of_signal(cause: StopCause) -> Option<(u8, &'static str)> {
    match cause {
        // A panic, a hard stop or a threshold is a separate reason.
        StopCause::Operator
        | StopCause::Control
        | StopCause::Fault
        | StopCause::Limit(_)
        | StopCause::Threshold
        | StopCause::Searched => None,
        StopCause::Interrupt => Some((130, "Ctrl-C")),
        StopCause::HangUp => Some((129, "SIGHUP")),
        StopCause::TerminalGone => Some((129, "the loss of its terminal")),
        StopCause::AddressSpace => Some((UNTRUSTED, "the limit of its address space (ulimit -v)")),
        StopCause::Signal(number, name) => Some((SIGNALLED.saturating_add(number), name)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Facts, Report, RunOptions, build};
    use crate::sample::{Sampler, Sources};
    use crate::stats::Metric;
    use crate::verdict::{EndNumbers, Trust, allow_untrusted, checks};
    use crate::vocabulary::{Kind, RunIdentity};

    #[test]
    fn the_hint_is_about_what_the_outcome_is_about() {
        let of = |outcome| why_refused(&RunSample::default(), outcome);
        assert!(of(Outcome::from_status(404, false)).ends_with("404 Not Found: is the URL right?"));
        assert!(of(Outcome::from_status(407, false)).ends_with("is the login in --proxy right?"));
        assert!(of(Fault::ConnProxy.into()).ends_with("is --proxy right?"));
        assert!(of(Fault::TlsCert.into()).contains("--cacert FILE"));
    }

    #[test]
    fn a_report_that_is_missing_hides_neither_a_fault_nor_a_refusal() {
        let with = |code| {
            with_unwritten(Exit { code: Some(code), reasons: vec!["first".to_owned()] }, &["disk".to_owned()])
        };
        assert_eq!([70, 5, 0, 3, 4, 130].map(|code| with(code).code), [70, 5, 6, 6, 6, 6].map(Some));
        assert_eq!(with(5).reasons, ["first", "disk"]);
    }

    #[test]
    fn the_first_failed_check_with_a_code_decides_it_and_every_reason_is_given() {
        let signal = EarlyEnd { code: 143, sentence: "ended early by SIGTERM".to_owned() };
        let end = RunEnd { signal: Some(signal), ..RunEnd::default() };
        let numbers =
            EndNumbers { clients_started: 1, clients_target: 2, finished: 4, ..EndNumbers::default() };
        let exit = from_checks(&checks(&numbers, &Trust::default(), Some(&end)));
        let reasons = [
            "ended early by SIGTERM",
            "nothing was ever played",
            "fewer than half of the requests succeeded (0 of 4)",
            "the target was not reached: 1 of 2 clients were started",
        ];
        assert_eq!((exit.code, exit.reasons), (Some(143), reasons.map(str::to_owned).to_vec()));
        let unsigned = from_checks(&checks(&numbers, &Trust::default(), Some(&RunEnd::default())));
        assert_eq!(unsigned.code, Some(CRITERIA));
        let broken = EndNumbers { panics: 1, ..numbers };
        assert_eq!(from_checks(&checks(&broken, &Trust::default(), Some(&end))).code, Some(INTERNAL));
        let starved = EndNumbers { local_files: 4, ..numbers };
        let mut starved = checks(&starved, &Trust::default(), Some(&RunEnd::default()));
        assert_eq!(from_checks(&starved).code, Some(UNTRUSTED));
        allow_untrusted(&mut starved);
        let allowed = from_checks(&starved);
        assert_eq!((allowed.code, allowed.reasons.len()), (Some(CRITERIA), 3));
        let late = EndNumbers { clients_target: 2, ..EndNumbers::default() };
        let late = from_checks(&checks(&late, &Trust::default(), Some(&RunEnd::default())));
        assert_eq!((late.code, late.reasons.len()), (Some(0), 1));
    }

    /// Returns the report of a run with a client that played, whose requests ended so.
    fn report(ended: &[(Outcome, u64)]) -> Report {
        let sources = Sources::new(1);
        let client = sources.registry.add();
        let meter = client.meter(0, sources.clock);
        meter.count(Metric::PlaybackStarts, 1);
        for (outcome, count) in ended {
            (0..*count).for_each(|_| meter.start(Kind::Segment).finish(*outcome, None));
        }
        let sample = Sampler::new(sources).next_whole_sample();
        let facts = Facts {
            identity: RunIdentity::default(),
            options: RunOptions::default(),
            lost_workers: 0,
            end: Some(RunEnd::default()),
            allow_untrusted: false,
            calibration: Err("nothing was measured yet".into()),
            search: None,
            origin: None,
        };
        build(facts, &sample)
    }

    #[test]
    fn the_exit_code_agrees_with_the_shares_of_failures_that_the_report_gives() {
        let [cut, busy] = [(Fault::Cut.into(), 3), (Outcome::from_status(503, false), 4)];
        let [ok, files] = [(Outcome::Ok, 4), (Fault::LocalFiles.into(), 4)];
        for (ended, failed_share, error_share, code) in [
            (&[cut][..], None, None, 0),
            (&[ok], Some(0.0), Some(0.0), 0),
            (&[busy], Some(1.0), Some(1.0), CRITERIA),
            (&[cut, busy], Some(1.0), Some(1.0), CRITERIA),
            // A request that this machine could not make failed, but the origin could not answer it.
            (&[ok, files], Some(0.5), Some(0.0), UNTRUSTED),
            (&[ok, busy, files], Some(2.0 / 3.0), Some(0.5), UNTRUSTED),
        ] {
            let report = report(ended);
            assert_eq!(
                (report.requests.failed_share, report.health.error_share),
                (failed_share, error_share)
            );
            let success = report.checks.iter().find(|check| check.name == "success_share").expect("a check");
            assert_eq!(success.value, error_share.map(|failed| 1.0 - failed));
            assert_eq!(from_checks(&report.checks).code, Some(code), "{ended:?}");
        }
    }
}
