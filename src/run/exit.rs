//! The exit code, and every reason for it.

use std::process::ExitCode;

use crate::base::outcome::Fault;
use crate::base::{StopCause, units};
use crate::report::{Exit, Report};
use crate::swarm::{Ending, Plan};

/// An internal fault: a caught panic, a broken invariant.
pub const INTERNAL: u8 = 70;
/// Bad arguments or configuration.
pub const USAGE: u8 = 2;
/// Preflight refused; nothing was sent.
pub const PREFLIGHT: u8 = 5;
/// A report or a record could not be written.
pub const UNWRITTEN: u8 = 6;
/// The run finished, and this machine limited the result.
pub const UNTRUSTED: u8 = 4;
/// The run finished, its criteria failed.
pub const CRITERIA: u8 = 3;

/// The share of requests that this machine could not make from which on it limited the result: the share of failures
/// from which on a stream is degraded.
const LOCAL_SHARE: f64 = crate::frame::DEGRADED_SHARE;

/// How the process ends.
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

/// The code of a run that has ended, reports not considered: the first that applies, with every reason.
pub(super) fn judge(report: &Report, ending: Ending, plan: Plan) -> Exit {
    let found: Vec<_> = internal(report)
        .into_iter()
        .chain(signal(ending, plan))
        .chain(limited(report))
        .chain(criteria(report))
        .collect();
    let code = found.iter().map(|(code, _)| *code).next().unwrap_or_default();
    Exit { code, reasons: found.into_iter().map(|(_, reason)| reason).collect() }
}

/// The same after some reports could not be written.
pub(super) fn with_unwritten(exit: Exit, failed: &[String]) -> Exit {
    let code = if exit.code == INTERNAL { INTERNAL } else { UNWRITTEN };
    Exit { code, reasons: exit.reasons.into_iter().chain(failed.iter().cloned()).collect() }
}

fn internal(report: &Report) -> Vec<(u8, String)> {
    let faults = [
        (report.internal.panics, "a part of hlswarm panicked"),
        (report.internal.invariant_violations, "counters of hlswarm contradict each other"),
    ];
    let faults = faults.into_iter().filter(|(count, _)| *count > 0);
    faults.map(|(count, what)| (INTERNAL, format!("{what} ({count})"))).collect()
}

/// Ended before its time by a signal, or cut by a second one.
fn signal(ending: Ending, plan: Plan) -> Option<(u8, String)> {
    let (code, name) = match ending.cause? {
        // What panicked is a reason of its own.
        StopCause::Operator | StopCause::Fault => return None,
        // In a run without an end Ctrl-C is the end.
        StopCause::Interrupt if plan.duration.is_none() && !ending.cut => return None,
        StopCause::Interrupt => (130, "Ctrl-C"),
        StopCause::Terminate => (143, "SIGTERM"),
        StopCause::HangUp => (129, "SIGHUP"),
    };
    let how = if ending.cut { "cut short" } else { "ended early" };
    Some((code, format!("{how} by {name}")))
}

/// What this machine lacked, if that limited the result: a noticeable share of requests, or a client that never played.
fn limited(report: &Report) -> Option<(u8, String)> {
    let lacked = lacked(report);
    let count: u64 = lacked.iter().map(|(_, count)| count).sum();
    let all_played = report.playback.started >= report.run.clients_started;
    if count == 0 || (all_played && (count as f64) < report.requests.finished as f64 * LOCAL_SHARE) {
        return None;
    }
    let what: Vec<_> = lacked
        .iter()
        .map(|(fault, _)| match fault {
            Fault::LocalFiles => "file descriptors (ulimit -n)",
            Fault::LocalPorts => "local ports (net.ipv4.ip_local_port_range)",
            _ => "memory for sockets",
        })
        .collect();
    let requests = units::plural(count, "request");
    let reason =
        format!("this machine ran out of {}: {requests} failed by it, not by the origin", what.join(" and "));
    Some((UNTRUSTED, reason))
}

/// Requests that this machine could not make, by what it lacked.
fn lacked(report: &Report) -> Vec<(Fault, u64)> {
    let shortages = [Fault::LocalFiles, Fault::LocalPorts, Fault::LocalMemory];
    let counted =
        shortages.map(|fault| (fault, report.outcomes.get(fault.name()).copied().unwrap_or_default()));
    counted.into_iter().filter(|(_, count)| *count > 0).collect()
}

/// What every run must reach that had at least one client.
fn criteria(report: &Report) -> Vec<(u8, String)> {
    if report.run.clients_started == 0 {
        return Vec::new();
    }
    let mut failed = Vec::new();
    if report.playback.started == 0 {
        failed.push((CRITERIA, "nothing was ever played".to_owned()));
    }
    let ok = report.outcomes.get("ok").copied().unwrap_or_default();
    let cut = report.outcomes.get("cut").copied().unwrap_or_default();
    let local: u64 = lacked(report).iter().map(|(_, count)| count).sum();
    let counted = report.requests.finished.saturating_sub(cut + local);
    if ok * 2 < counted {
        failed.push((CRITERIA, format!("less than half of the requests succeeded ({ok} of {counted})")));
    }
    failed
}
