//! Requirements on every run, whatever its stream is: one table of checks over numbers.
//!
//! The report lists the checks and the exit code follows from them. Both agree, because nothing else judges.

use std::fmt;

use serde::{Serialize, Serializer};

use super::DEGRADED_SHARE;
use crate::vocabulary::outcome::Fault;
use crate::vocabulary::{share, units};

/// Minimum share of successful requests among those that the origin could answer.
const LEAST_SUCCESS: f64 = 0.5;
/// Share of requests that this machine could not make from which on it limited the result. It equals the share of
/// failures from which on a stream is degraded.
const MOST_LOCAL: f64 = DEGRADED_SHARE;

/// Numbers of a run at its end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
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
    /// Requests for which no file descriptor was left.
    pub local_files: u64,
    /// Requests for which no port was left.
    pub local_ports: u64,
    /// Requests for which no memory was left.
    pub local_memory: u64,
}

impl EndNumbers {
    /// Returns the number of requests that this machine could not make.
    fn local(&self) -> u64 {
        self.local_files + self.local_ports + self.local_memory
    }

    /// Returns the number of requests that the origin could answer.
    fn answerable(&self) -> u64 {
        self.finished.saturating_sub(self.cut + self.local())
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

/// Limit for the value of a check.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Limit {
    /// The value must not be larger.
    AtMost(f64),
    /// The value must not be smaller.
    AtLeast(f64),
    /// The value must be smaller.
    Below(f64),
}

impl Limit {
    fn holds(self, value: f64) -> bool {
        match self {
            Self::AtMost(limit) => value <= limit,
            Self::AtLeast(limit) => value >= limit,
            Self::Below(limit) => value < limit,
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sign, limit) = match self {
            Self::AtMost(limit) => ("<=", limit),
            Self::AtLeast(limit) => (">=", limit),
            Self::Below(limit) => ("<", limit),
        };
        write!(f, "{sign} {limit}")
    }
}

impl Serialize for Limit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Result of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum CheckResult {
    /// The value keeps the limit.
    Pass,
    /// The value does not keep the limit.
    Fail,
    /// No value was measured.
    Unknown,
}

/// Meaning of a failed check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consequence {
    /// hlswarm is broken.
    Internal,
    /// This machine limited the result.
    Untrusted,
    /// The run did not meet the criteria for every run.
    Criteria,
}

/// A check that a run is judged by.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Check {
    /// Name of the check.
    pub name: &'static str,
    /// Measured value; `null` if nothing was measured.
    pub value: Option<f64>,
    /// Limit that the value must keep, such as `>= 0.5`.
    #[cfg_attr(test, schemars(with = "String"))]
    pub limit: Limit,
    /// Result of the check.
    pub result: CheckResult,
    /// Meaning of its failure.
    #[serde(skip)]
    pub consequence: Consequence,
    /// Its failure as a sentence.
    #[serde(skip)]
    pub sentence: String,
}

impl Check {
    fn new(name: &'static str, value: Option<f64>, limit: Limit, consequence: Consequence) -> Self {
        let result = match value.map(|value| limit.holds(value)) {
            None => CheckResult::Unknown,
            Some(true) => CheckResult::Pass,
            Some(false) => CheckResult::Fail,
        };
        Self { name, value, limit, result, consequence, sentence: String::new() }
    }

    fn says(self, sentence: String) -> Self {
        Self { sentence, ..self }
    }

    /// Reports whether the check failed.
    pub fn fails(&self) -> bool {
        self.result == CheckResult::Fail
    }
}

/// Judges a run. Returns its checks, the worst consequence first.
pub fn checks(numbers: &EndNumbers) -> Vec<Check> {
    let EndNumbers { panics, invariant_violations, ok, .. } = *numbers;
    // A client that never played may have been stopped by its first local fault: then even one such fault counts.
    let all_played = numbers.clients_played >= numbers.clients_started;
    let most_local = if all_played { Limit::Below(MOST_LOCAL) } else { Limit::AtMost(0.0) };
    let answerable = numbers.answerable();
    let played = (numbers.clients_started > 0).then_some(numbers.clients_played as f64);
    vec![
        Check::new("panics", Some(panics as f64), Limit::AtMost(0.0), Consequence::Internal)
            .says(format!("a part of hlswarm panicked ({panics})")),
        Check::new(
            "invariant_violations",
            Some(invariant_violations as f64),
            Limit::AtMost(0.0),
            Consequence::Internal,
        )
        .says(format!("counters of hlswarm contradict each other ({invariant_violations})")),
        Check::new(
            "local_share",
            share(numbers.local(), numbers.finished),
            most_local,
            Consequence::Untrusted,
        )
        .says(format!(
            "this machine ran out of {}: {} failed because of that, not because of the origin",
            numbers.lacking(),
            units::plural(numbers.local(), "request")
        )),
        Check::new("clients_played", played, Limit::AtLeast(1.0), Consequence::Criteria)
            .says("nothing was ever played".to_owned()),
        Check::new(
            "success_share",
            share(ok, answerable).filter(|_| numbers.clients_started > 0),
            Limit::AtLeast(LEAST_SUCCESS),
            Consequence::Criteria,
        )
        .says(format!("less than half of the requests succeeded ({ok} of {answerable})")),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    const WELL: EndNumbers = EndNumbers {
        panics: 0,
        invariant_violations: 0,
        clients_started: 10,
        clients_played: 10,
        finished: 1_000,
        ok: 1_000,
        cut: 0,
        local_files: 0,
        local_ports: 0,
        local_memory: 0,
    };

    fn failed(numbers: &EndNumbers) -> Vec<&'static str> {
        checks(numbers).into_iter().filter(Check::fails).map(|check| check.name).collect()
    }

    #[test]
    fn each_check_fails_for_its_own_reason_and_for_no_other() {
        assert_eq!(failed(&WELL), [""; 0]);
        assert_eq!(failed(&EndNumbers { panics: 1, ..WELL }), ["panics"]);
        assert_eq!(failed(&EndNumbers { invariant_violations: 1, ..WELL }), ["invariant_violations"]);
        assert_eq!(failed(&EndNumbers { clients_played: 0, ..WELL }), ["clients_played"]);
        assert_eq!(failed(&EndNumbers { ok: 499, ..WELL }), ["success_share"]);
        assert_eq!(failed(&EndNumbers { ok: 500, ..WELL }), [""; 0]);
        assert_eq!(failed(&EndNumbers { local_files: 10, ok: 990, ..WELL }), ["local_share"]);
    }

    #[test]
    fn what_hlswarm_cut_or_this_machine_could_not_make_is_no_request_that_failed() {
        assert_eq!(failed(&EndNumbers { cut: 900, ok: 60, ..WELL }), [""; 0]);
        assert_eq!(failed(&EndNumbers { cut: 1_000, ok: 0, ..WELL }), [""; 0], "nothing could be answered");
        assert_eq!(failed(&EndNumbers { local_ports: 900, ok: 60, ..WELL }), ["local_share"]);
        // A few local faults do not fail the check, unless a client never played.
        assert_eq!(failed(&EndNumbers { local_files: 9, ok: 991, ..WELL }), [""; 0]);
        let starved = EndNumbers { local_files: 9, ok: 991, clients_played: 9, ..WELL };
        assert_eq!(failed(&starved), ["local_share"]);
        let said = checks(&starved).into_iter().find(Check::fails).map(|check| check.sentence);
        let expected = "this machine ran out of file descriptors (ulimit -n): 9 requests failed because of that, not because of the origin";
        assert_eq!(said.as_deref(), Some(expected));
    }

    #[test]
    fn without_a_client_or_a_request_nothing_is_judged() {
        let unknown = |numbers: &EndNumbers| -> Vec<_> {
            let unknown = checks(numbers).into_iter().filter(|check| check.result == CheckResult::Unknown);
            unknown.map(|check| check.name).collect()
        };
        assert_eq!(unknown(&EndNumbers::default()), ["local_share", "clients_played", "success_share"]);
        assert_eq!(unknown(&WELL), [""; 0]);
    }
}
