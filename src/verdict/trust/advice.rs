//! Advice with numbers: the limit or the number of machines that the load needs.

use super::{Gauge, Rule};
use crate::vocabulary::units;

/// Share of the CPU that a machine should use at most, so that it keeps up with bursts.
const COMFORTABLE_CPU: f64 = 0.6;
/// Open files that do not belong to clients; see `run::preflight`.
const FILES_OF_OTHERS: u64 = 64;

/// Resources that a load needs, as far as they are known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Demand {
    /// Target number of clients.
    pub target: u64,
    /// Clients that have been admitted.
    pub admitted: u64,
    /// Open files.
    pub open_files: Option<u64>,
    /// Limit of open files.
    pub files_limit: Option<u64>,
}

impl Demand {
    /// Returns the advice for a gauge with this value.
    pub(super) fn advice(&self, rule: &Rule, value: f64) -> String {
        let with_numbers = match rule.gauge {
            Gauge::Files | Gauge::FilesRefused => self.files(),
            Gauge::Cpu => Some(format!(
                "use fewer clients, or {}",
                units::plural((value / COMFORTABLE_CPU).ceil().max(2.0) as u64, "machine")
            )),
            _ => None,
        };
        with_numbers.unwrap_or_else(|| rule.advice.to_owned())
    }

    /// Returns the advice about open files: each client needs as many as those so far use on average, rounded up.
    fn files(&self) -> Option<String> {
        let (open, limit) = (self.open_files?, self.files_limit.filter(|limit| *limit > 0)?);
        let of_clients = open.saturating_sub(FILES_OF_OTHERS);
        let each = of_clients.div_ceil(self.admitted.max(1)).max(1);
        let needed = FILES_OF_OTHERS.saturating_add(self.target.saturating_mul(each)).max(limit + 1);
        let machines = units::plural(needed.div_ceil(limit), "machine");
        Some(format!(
            "raise the limit of open files (ulimit -n) from {} to {}, or use {machines}",
            units::count(limit),
            units::count(needed)
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_advice_about_files_names_the_limit_and_the_machines() {
        let demand =
            Demand { target: 40_000, admitted: 19_936, open_files: Some(20_000), files_limit: Some(20_000) };
        assert_eq!(
            demand.advice(Gauge::FilesRefused.rule(), 213.0),
            "raise the limit of open files (ulimit -n) from 20,000 to 40,064, or use 3 machines"
        );
        let two_each = Demand { target: 130, admitted: 130, open_files: Some(200), files_limit: Some(200) };
        assert!(two_each.advice(Gauge::Files.rule(), 1.0).contains("from 200 to 324"));
    }

    #[test]
    fn without_numbers_the_advice_is_that_of_the_table() {
        let rule = Gauge::FilesRefused.rule();
        assert_eq!(Demand::default().advice(rule, 1.0), rule.advice);
        assert_eq!(Demand::default().advice(Gauge::Cpu.rule(), 0.93), "use fewer clients, or 2 machines");
    }
}
