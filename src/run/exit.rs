//! Exit codes, and the reasons for them.

use std::process::ExitCode;
use std::time::Duration;

use crate::control::{Ending, Plan};
use crate::report::{self, Exit, Report};
use crate::verdict::{Check, Consequence};
use crate::vocabulary::outcome::{Fault, Outcome};
use crate::vocabulary::{StopCause, units};

/// An internal fault: a caught panic, a broken invariant.
pub const INTERNAL: u8 = 70;
/// Bad arguments or configuration.
pub const USAGE: u8 = 2;
/// Preflight refused the load: this machine cannot carry it, or the first client found nothing at the URL.
pub const PREFLIGHT: u8 = 5;
/// A report or a record could not be written.
pub const UNWRITTEN: u8 = 6;
/// The run finished, but this machine limited the result.
pub const UNTRUSTED: u8 = 4;
/// Code of a run that a signal ended, before the number of the signal is added.
const SIGNALLED: u8 = 128;
/// The run finished, but its criteria failed.
pub const CRITERIA: u8 = 3;

/// Exit status of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExitStatus(u8);

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

/// Judges a run that has ended, apart from the writing of its reports. Returns the code of the first reason that has
/// one, and all reasons. Reasons without a code come last: a load or a duration that was not reached.
pub(super) fn judge(report: &Report, ending: Ending, plan: Plan) -> Exit {
    let found: Vec<_> = failed(&report.checks, Consequence::Internal)
        .chain(refused(report, ending, plan))
        .chain(signal(ending, plan))
        .chain(failed(&report.checks, Consequence::Untrusted))
        .chain(failed(&report.checks, Consequence::Criteria))
        .collect();
    let code = found.iter().map(|(code, _)| *code).next().unwrap_or_default();
    let reasons = found.into_iter().map(|(_, reason)| reason);
    Exit { code, reasons: reasons.chain(not_reached(report, ending, plan)).collect() }
}

/// Returns the failed checks with this consequence, each with its code and sentence.
fn failed(checks: &[Check], consequence: Consequence) -> impl Iterator<Item = (u8, String)> {
    let code = match consequence {
        Consequence::Internal => INTERNAL,
        Consequence::Untrusted => UNTRUSTED,
        Consequence::Criteria => CRITERIA,
    };
    let failed = checks.iter().filter(move |check| check.fails() && check.consequence == consequence);
    failed.map(move |check| (code, check.sentence.clone()))
}

/// Returns the exit after some reports could not be written.
pub(super) fn with_unwritten(exit: Exit, failed: &[String]) -> Exit {
    let code = if exit.code == INTERNAL { INTERNAL } else { UNWRITTEN };
    Exit { code, reasons: exit.reasons.into_iter().chain(failed.iter().cloned()).collect() }
}

/// Returns the code and the reason if a signal ended the run early, or a second one cut it short.
fn signal(ending: Ending, plan: Plan) -> Option<(u8, String)> {
    let cause = ending.cause?;
    // Ctrl-C is the normal end of a run without a duration.
    if cause == StopCause::Interrupt && plan.duration.is_none() && !ending.cut {
        return None;
    }
    let (code, name) = of_signal(cause)?;
    let how = if ending.cut { "cut short" } else { "ended early" };
    Some((code, format!("{how} by {name}")))
}

/// Returns the code and the reason if the first client could not load the stream, so that there was no load: 5 if
/// nothing is at this URL, 3 if its content cannot be played.
fn refused(report: &Report, ending: Ending, plan: Plan) -> Option<(u8, String)> {
    let outcome = ending.refused?;
    let nothing_there = matches!(outcome, Outcome::Http(_) | Outcome::Failed(Fault::DnsNotFound));
    let code = if nothing_there { PREFLIGHT } else { CRITERIA };
    let others = if plan.profile.clients > 1 { "; no other client was started" } else { "" };
    Some((code, format!("{}{others}", why_refused(report, outcome))))
}

/// Returns the sentence for an operator whose URL is probably wrong.
fn why_refused(report: &Report, outcome: Outcome) -> String {
    let detail = report.failure_details.get(&outcome.to_string());
    let detail = detail.map_or(String::new(), |detail| format!(" ({detail})"));
    let playlist = "the first playlist";
    match outcome {
        Outcome::Http(failure) => {
            let name = report::meaning(&outcome.to_string());
            format!("{playlist} returned {failure} {name}: is the URL right?")
        }
        Outcome::Failed(Fault::PlaylistNotM3u8) => {
            format!("{playlist} is not a playlist{detail}: is the URL right?")
        }
        Outcome::Failed(fault) => {
            let meaning = fault.meaning().trim_end_matches('.');
            format!(
                "{playlist} cannot be loaded: {fault_name}: {meaning}{detail}: is the URL right?",
                fault_name = fault.name()
            )
        }
        Outcome::Ok => format!("{playlist} cannot be played"),
    }
}

/// Returns the reasons if the load or the duration that was asked for was not reached.
fn not_reached(report: &Report, ending: Ending, plan: Plan) -> Vec<String> {
    if ending.refused.is_some() {
        return Vec::new();
    }
    clients_not_reached(report, plan).into_iter().chain(duration_not_reached(report, ending)).collect()
}

fn clients_not_reached(report: &Report, plan: Plan) -> Option<String> {
    let run = &report.run;
    let target = u64::from(run.clients_target);
    if run.clients_started < target {
        let asked = units::plural(target, "client");
        let started = units::count(run.clients_started);
        let ramp = plan.profile.length(run.clients_target);
        let lasted = Duration::try_from_secs_f64(run.duration_s).unwrap_or_default();
        let why = if ramp > lasted {
            format!(": the ramp takes {}, the run lasted {}", units::span(ramp), units::span(lasted))
        } else {
            String::new()
        };
        return Some(format!("the target was not reached: {started} of {asked} were started{why}"));
    }
    (run.clients_peak < target).then(|| {
        format!(
            "the target was not held: at most {} of {} were active at once",
            units::count(run.clients_peak),
            units::plural(target, "client")
        )
    })
}

fn duration_not_reached(report: &Report, ending: Ending) -> Option<String> {
    let asked = report.run.duration_asked_s?;
    let [asked, lasted] =
        [asked, report.run.duration_s].map(|s| Duration::try_from_secs_f64(s).unwrap_or_default());
    let how = match ending.cause {
        Some(StopCause::Operator) => "q ended the run",
        Some(StopCause::Fault) => "an internal fault ended the run",
        None => "every client had finished",
        // A signal is a separate reason.
        Some(_) => return None,
    };
    (lasted < asked).then(|| {
        format!("the duration was not reached: {how} after {} of {}", units::span(lasted), units::span(asked))
    })
}

/// Returns the code and the name of the external cause that ended a run; `None` if there was none.
pub(super) fn of_signal(cause: StopCause) -> Option<(u8, &'static str)> {
    match cause {
        // A panic is a separate reason.
        StopCause::Operator | StopCause::Fault => None,
        StopCause::Interrupt => Some((130, "Ctrl-C")),
        StopCause::HangUp => Some((129, "SIGHUP")),
        StopCause::TerminalGone => Some((129, "the loss of its terminal")),
        StopCause::AddressSpace => Some((UNTRUSTED, "the limit of its address space (ulimit -v)")),
        StopCause::Signal(number, name) => Some((SIGNALLED.saturating_add(number), name)),
    }
}
