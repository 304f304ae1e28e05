//! Advice with numbers: the limit or the number of machines that the load needs.

use super::{Gauge, Rule};
use crate::vocabulary::units;

/// Share of the CPU that a machine should use at most, so that it keeps up with bursts.
const COMFORTABLE_CPU: f64 = 0.6;
/// Open files that do not belong to clients; see `run::preflight`.
const FILES_OF_OTHERS: u64 = 64;

/// Resources that a load needs, as far as they are known.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Demand {
    /// Target number of clients.
    pub target: u64,
    /// Clients that have been admitted.
    pub admitted: u64,
    /// Open files.
    pub open_files: Option<u64>,
    /// Limit of open files.
    pub files_limit: Option<u64>,
    /// Open files of the whole machine, as a share of its limit.
    pub machine_files: Option<f64>,
}

/// Share of the open files of the whole machine from which on refusals are due to its limit, not to that of this
/// process: both are the same fault to a client.
const MACHINE_SCARCE: f64 = 0.9;

impl Demand {
    /// Returns the advice for a gauge with this value.
    pub(super) fn advice(&self, rule: &Rule, value: f64) -> String {
        let with_numbers = match rule.gauge {
            Gauge::FilesRefused if self.machine_files.is_some_and(|share| share >= MACHINE_SCARCE) => {
                Some("the whole machine is short of files: raise fs.file-max".to_owned())
            }
            Gauge::Files | Gauge::FilesRefused => self.files(),
            Gauge::Cpu => {
                Some(format!("use fewer clients, or spread them over {}", machines(self.cpu(value))))
            }
            _ => None,
        };
        with_numbers.unwrap_or_else(|| rule.advice.to_owned())
    }

    /// Returns the number of machines whose CPUs the whole load needs, if the clients so far need this share of one.
    fn cpu(&self, share: f64) -> f64 {
        let to_come = self.target as f64 / self.admitted.max(1) as f64;
        share * if self.admitted > 0 { to_come.max(1.0) } else { 1.0 } / COMFORTABLE_CPU
    }

    /// Returns the advice about open files: each client needs as many as those so far use on average, rounded up. The
    /// limit is one at which the gauge is no longer suspect.
    fn files(&self) -> Option<String> {
        let (open, limit) = (self.open_files?, self.files_limit.filter(|limit| *limit > 0)?);
        let comfortable = Gauge::Files.rule().suspect.map_or(1.0, |limit| limit.floor);
        let of_clients = open.saturating_sub(FILES_OF_OTHERS);
        let each = of_clients.div_ceil(self.admitted.max(1)).max(1);
        let of_load = self.target.saturating_mul(each);
        let needed = (FILES_OF_OTHERS.saturating_add(of_load) as f64 / comfortable).ceil() as u64;
        let of_machine = limit as f64 * comfortable - FILES_OF_OTHERS as f64;
        // A limit that leaves no room for clients is none to work with.
        let or = (of_machine >= each as f64)
            .then(|| format!(", or spread the clients over {}", machines(of_load as f64 / of_machine)));
        Some(format!(
            "raise the limit of open files (ulimit -n) from {} to {}{}",
            units::count(limit),
            units::count(needed.max(limit + 1)),
            or.unwrap_or_default()
        ))
    }
}

/// Returns a number of machines in words: more than the one that was not enough.
fn machines(number: f64) -> String {
    units::plural(number.ceil().max(2.0) as u64, "machine")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn demand(target: u64, admitted: u64, open: u64, limit: u64) -> Demand {
        Demand { target, admitted, open_files: Some(open), files_limit: Some(limit), machine_files: None }
    }

    #[test]
    fn the_advice_about_files_names_a_limit_that_is_enough_and_the_machines() {
        assert_eq!(
            demand(40_000, 19_936, 20_000, 20_000).advice(Gauge::FilesRefused.rule(), 213.0),
            "raise the limit of open files (ulimit -n) from 20,000 to 50,080, or spread the clients over 3 machines"
        );
        let files = |demand: Demand| demand.advice(Gauge::Files.rule(), 1.0);
        assert!(
            files(demand(130, 130, 200, 200))
                .ends_with("from 200 to 405, or spread the clients over 3 machines")
        );
        // All clients fit already, but the gauge is suspect.
        assert!(
            files(demand(936, 936, 1_000, 1_000))
                .ends_with("from 1,000 to 1,250, or spread the clients over 2 machines")
        );
        // A limit that is used up by the process itself is no limit for any number of machines.
        assert!(files(demand(100, 10, 64, 70)).ends_with("from 70 to 205"));
    }

    #[test]
    fn the_limit_of_the_whole_machine_is_named_when_it_is_the_one_that_is_reached() {
        let advice = |machine_files| {
            let demand = Demand { machine_files, ..demand(100, 100, 120, 20_000) };
            demand.advice(Gauge::FilesRefused.rule(), 3.0)
        };
        assert!(advice(Some(0.95)).contains("fs.file-max"));
        assert!([None, Some(0.5)].iter().all(|share| advice(*share).contains("ulimit -n")));
    }

    #[test]
    fn the_machines_for_the_cpu_carry_the_clients_that_are_still_to_come() {
        let cpu = |target, admitted| demand(target, admitted, 0, 0).advice(Gauge::Cpu.rule(), 0.93);
        assert!(cpu(100, 100).ends_with("over 2 machines") && cpu(400, 100).ends_with("over 7 machines"));
        assert!(cpu(10, 100).ends_with("over 2 machines") && cpu(400, 0).ends_with("over 2 machines"));
    }

    #[test]
    fn without_numbers_the_advice_is_that_of_the_table() {
        let rule = Gauge::FilesRefused.rule();
        assert_eq!(Demand::default().advice(rule, 1.0), rule.advice);
        assert_eq!(
            Demand::default().advice(Gauge::Cpu.rule(), 0.93),
            "use fewer clients, or spread them over 2 machines"
        );
    }
}
