//! Requirements on every run, whatever its stream is: one table of checks over numbers.
//!
//! The report lists the checks and the exit code follows from them. Both agree, because nothing else judges.

use std::time::Duration;

use super::check::{Check, Consequence, Limit};
use super::{DEGRADED_SHARE, RunHealth, Trust, Verdict};
use crate::vocabulary::outcome::Fault;
use crate::vocabulary::{share, units};

/// Minimum share of successful requests among those that the origin could answer.
const LEAST_SUCCESS: f64 = 0.5;
/// Share of requests that this machine could not make from which on it limited the result. It equals the share of
/// failures from which on a stream is degraded.
const MOST_LOCAL: f64 = DEGRADED_SHARE;

/// Numbers of a run at its end.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct EndNumbers {
    /// Panics that were caught, and threads that were lost to one.
    pub panics: u64,
    /// Counters that contradicted each other.
    pub invariant_violations: u64,
    /// Clients that were started.
    pub clients_started: u64,
    /// Clients that have ever played.
    pub clients_played: u64,
    /// Requests that have ended.
    pub finished: u64,
    /// Requests that ended ok.
    pub ok: u64,
    /// Requests that hlswarm ended itself.
    pub cut: u64,
    /// Requests whose status is expected.
    pub expected: u64,
    /// Requests for which no file descriptor was left.
    pub local_files: u64,
    /// Requests for which no port was left.
    pub local_ports: u64,
    /// Requests for which no memory was left.
    pub local_memory: u64,
    /// Requests that failed within hlswarm itself.
    pub local_internal: u64,
    /// Clients wanted.
    pub clients_target: u64,
    /// Largest number of clients active at once.
    pub clients_peak: u64,
    /// Length of the run.
    pub lasted: Duration,
    /// Health of the stream over the whole run.
    pub health: RunHealth,
}

/// End of a run that has ended, and the parts of its plan that it is compared with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunEnd {
    /// Failure of the first client, because of which there was no load.
    pub refused: Option<EarlyEnd>,
    /// Signal, or a cause like one, that ended the run early or cut it short.
    pub signal: Option<EarlyEnd>,
    /// Hard stop that ended the run.
    pub hard_stop: Option<EndAtLimit>,
    /// Time that the ramp to the target takes.
    pub ramp: Duration,
    /// True if the brake held the ramp.
    pub is_braked: bool,
    /// Length that was asked for; `None`: until stopped.
    pub duration: Option<Duration>,
    /// Judgement of the search for a capacity; `None` if the run was none.
    pub search: Option<SearchVerdict>,
    /// End of the run as the beginning of a sentence, such as `q ended the run`.
    pub how: &'static str,
}

/// Judgement of a search for a capacity.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SearchVerdict {
    /// Largest number of clients that held every threshold.
    pub clients: Option<u32>,
    /// True if the search ended with a result.
    pub is_result: bool,
    /// Its result as a sentence.
    pub sentence: String,
}

/// End of a run at one of its hard stops.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndAtLimit {
    /// True if the run should have gone on: the exit code says so.
    pub is_early: bool,
    /// The stop as a sentence.
    pub sentence: String,
}

/// Cause from outside that ended a run, or kept it from its load.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EarlyEnd {
    /// Exit code.
    pub code: u8,
    /// The cause as a sentence.
    pub sentence: String,
}

impl EndNumbers {
    /// Returns the number of requests that this machine could not make.
    fn local(&self) -> u64 {
        self.local_files + self.local_ports + self.local_memory
    }

    /// Returns the number of requests that the origin could answer, without expected responses: those of which `health.error_share` is a share.
    fn answerable(&self) -> u64 {
        self.finished.saturating_sub(self.cut + self.expected + self.local() + self.local_internal)
    }

    /// Returns the names of the resources that ran out, for the operator.
    fn lacking(&self) -> String {
        let lacks = [
            (self.local_files, Fault::LocalFiles),
            (self.local_ports, Fault::LocalPorts),
            (self.local_memory, Fault::LocalMemory),
        ];
        let names: Vec<_> =
            lacks.into_iter().filter(|(count, _)| *count > 0).map(|(_, fault)| resource(fault)).collect();
        names.join(" and ")
    }
}

/// Returns the name of the resource whose lack caused this local fault.
fn resource(fault: Fault) -> &'static str {
    match fault {
        Fault::LocalFiles => "file descriptors (ulimit -n)",
        Fault::LocalPorts => "local ports (net.ipv4.ip_local_port_range)",
        _ => "memory for sockets",
    }
}

/// Judges a run. Returns its checks in the order in which their failures decide the exit code. While the run goes on,
/// `end` is `None`: what can be judged only at the end is unknown.
pub fn checks(numbers: &EndNumbers, trust: &Trust, end: Option<&RunEnd>) -> Vec<Check> {
    let mut checks = Vec::from(internal(numbers));
    checks.push(refused(end));
    checks.push(signalled(end));
    checks.push(local(numbers));
    checks.push(trust.check());
    checks.push(hard_stop(end));
    let searches = end.is_some_and(|end| end.search.is_some());
    checks.extend(criteria(numbers).map(|check| match check.name.as_ref() {
        // A search breaks the origin on purpose.
        "success_share" if searches => Check { consequence: Consequence::Listed, ..check },
        _ => check,
    }));
    // Without a load there is nothing to compare with the plan.
    checks.extend(reached(numbers, end.filter(|end| end.refused.is_none())));
    checks.extend(health(&numbers.health));
    checks.extend(end.and_then(|end| end.search.as_ref()).map(capacity));
    checks
}

/// Returns the check that a search has found a capacity.
fn capacity(search: &SearchVerdict) -> Check {
    // A number that held says nothing while the search is not finished.
    let found = if search.is_result { search.clients.unwrap_or_default() } else { 0 };
    Check::new("capacity", Some(found.into()), Limit::AtLeast(1.0), Consequence::Criteria)
        .says(search.sentence.clone())
}

/// Takes the exit code from every check that this machine failed: the operator accepts its limits.
pub fn allow_untrusted(checks: &mut [Check]) {
    for check in checks.iter_mut().filter(|check| check.consequence == Consequence::Untrusted) {
        check.consequence = Consequence::Reason;
    }
}

fn internal(numbers: &EndNumbers) -> [Check; 2] {
    let EndNumbers { panics, invariant_violations, .. } = *numbers;
    let none =
        |name, count: u64| Check::new(name, Some(count as f64), Limit::AtMost(0.0), Consequence::Internal);
    [
        none("panics", panics).says(format!("a part of hlswarm panicked ({panics})")),
        none("invariant_violations", invariant_violations)
            .says(format!("counters of hlswarm contradict each other ({invariant_violations})")),
    ]
}

fn refused(end: Option<&RunEnd>) -> Check {
    early("refusals", end.map(|end| end.refused.as_ref()))
}

fn signalled(end: Option<&RunEnd>) -> Check {
    early("signals", end.map(|end| end.signal.as_ref()))
}

/// Returns the check that no hard stop ended the run. In a run without a duration it is the declared end.
fn hard_stop(end: Option<&RunEnd>) -> Check {
    let reached = end.and_then(|end| end.hard_stop.as_ref());
    let count = end.map(|_| if reached.is_some() { 1.0 } else { 0.0 });
    let is_early = reached.is_some_and(|stop| stop.is_early);
    let consequence = if is_early { Consequence::Criteria } else { Consequence::Reason };
    Check::new("hard_stops", count, Limit::AtMost(0.0), consequence)
        .says(reached.map_or_else(String::new, |stop| stop.sentence.clone()))
}

/// Returns the check that a cause did not end the run; `None`: the run goes on.
fn early(name: &'static str, cause: Option<Option<&EarlyEnd>>) -> Check {
    let count = cause.map(|cause| if cause.is_some() { 1.0 } else { 0.0 });
    let EarlyEnd { code, sentence } = cause.flatten().cloned().unwrap_or_default();
    Check::new(name, count, Limit::AtMost(0.0), Consequence::Ended(code)).says(sentence)
}

fn local(numbers: &EndNumbers) -> Check {
    // A client that never played may have been stopped by its first local fault: then even one such fault counts.
    let all_played = numbers.clients_played >= numbers.clients_started;
    let limit = if all_played { Limit::Below(MOST_LOCAL) } else { Limit::AtMost(0.0) };
    Check::new("local_share", share(numbers.local(), numbers.finished), limit, Consequence::Untrusted).says(
        format!(
            "this machine ran out of {}: {} failed because of that, not because of the origin",
            numbers.lacking(),
            units::plural(numbers.local(), "request")
        ),
    )
}

fn criteria(numbers: &EndNumbers) -> [Check; 2] {
    let (ok, answerable) = (numbers.ok, numbers.answerable());
    let has_clients = numbers.clients_started > 0;
    let least = |name, value: Option<f64>, limit| {
        Check::new(name, value.filter(|_| has_clients), Limit::AtLeast(limit), Consequence::Criteria)
    };
    [
        least("clients_played", Some(numbers.clients_played as f64), 1.0)
            .says("nothing was ever played".to_owned()),
        least("success_share", share(ok, answerable), LEAST_SUCCESS)
            .says(format!("fewer than half of the requests succeeded ({ok} of {answerable})")),
    ]
}

/// Returns the checks that the load and the length that were asked for were reached.
fn reached(numbers: &EndNumbers, end: Option<&RunEnd>) -> [Check; 3] {
    let EndNumbers { clients_started, clients_peak, clients_target, lasted, .. } = *numbers;
    let clients = |name, value: u64, consequence| {
        let value = end.map(|_| value as f64);
        Check::new(name, value, Limit::AtLeast(clients_target as f64), consequence)
    };
    // Clients that never started cannot be active: one reason is enough.
    let held = if clients_started < clients_target { Consequence::Listed } else { Consequence::Reason };
    let asked = end.and_then(|end| end.duration);
    // A signal or a hard stop is a reason of its own.
    let is_early = end.is_some_and(|end| end.signal.is_none() && end.hard_stop.is_none());
    let length = if is_early { Consequence::Reason } else { Consequence::Listed };
    let target = units::plural(clients_target, "client");
    [
        clients("clients_started", clients_started, Consequence::Reason).says(format!(
            "the target was not reached: {} of {target} were started{}",
            units::count(clients_started),
            end.map_or_else(String::new, |end| too_slow(end, lasted)),
        )),
        clients("clients_peak", clients_peak, held).says(format!(
            "the target was not held: at most {} of {target} were active at once",
            units::count(clients_peak)
        )),
        Check::new(
            "duration_s",
            asked.map(|_| lasted.as_secs_f64()),
            Limit::AtLeast(asked.unwrap_or_default().as_secs_f64()),
            length,
        )
        .says(format!(
            "the duration was not reached: {} after {} of {}",
            end.map_or("", |end| end.how),
            units::span(lasted),
            units::span(asked.unwrap_or_default())
        )),
    ]
}

/// Returns the known reasons for clients that were not started; empty if there is none.
fn too_slow(end: &RunEnd, lasted: Duration) -> String {
    let too_long = (end.ramp > lasted)
        .then(|| format!("the ramp takes {}, the run lasted {}", units::span(end.ramp), units::span(lasted)));
    let braked = end.is_braked.then(|| "the brake held the ramp".to_owned());
    let reasons: Vec<_> = too_long.into_iter().chain(braked).collect();
    if reasons.is_empty() { String::new() } else { format!(": {}", reasons.join("; ")) }
}

/// Returns the checks that the stream was served well: the run is not OK exactly if one of them fails.
fn health(health: &RunHealth) -> [Check; 2] {
    let degraded = (health.worst != Verdict::Unknown).then_some(health.degraded.as_secs_f64());
    [
        Check::new("degraded_s", degraded, Limit::AtMost(0.0), Consequence::Listed),
        Check::new("error_share", health.error_share, Limit::Below(DEGRADED_SHARE), Consequence::Listed),
    ]
}

#[cfg(test)]
mod tests;
