//! The one table of gauges and their limits: from which value on a gauge makes a result doubtful, and why.
//!
//! * A limit must be crossed in a number of seconds in a row. Limits of delays grow with the latency that is measured:
//!   10 ms of own delay spoil a latency of 20 ms, and not one of a second.
//! * Only gauges that convict change the verdict. The others can have causes that are not this machine's, such as
//!   clients that read slowly on purpose, so they are only shown.

use super::gauge::{Gauge, GaugeLimit, Rule, Unit, Weight, Worse};

impl Gauge {
    /// Number of gauges.
    pub const COUNT: usize = RULES.len();

    /// Returns the line of the table for this gauge.
    pub fn rule(self) -> &'static Rule {
        // The table has a line for each gauge, in their order; a test checks this.
        RULES.get(self.index()).unwrap_or(&RULES[0])
    }
}

/// A line that is only filled in where it differs from most.
const LINE: Rule = Rule {
    gauge: Gauge::LoopLag,
    name: "",
    label: "",
    unit: Unit::Share,
    worse: Worse::Larger,
    suspect: None,
    invalid: None,
    seconds: 1,
    weight: Weight::Shown,
    advice: "",
};

/// Advice if the CPU is the limit.
const MORE_CPU: &str = "use fewer clients, more cores or more machines";
/// Advice if other programs compete.
const LESS_COMPANY: &str = "stop the other programs on this machine, or use another machine";

/// The table, in the order of [`Gauge`].
pub const RULES: [Rule; 33] = [
    // A late timer is a late request and a late read. The limits are tokio's granularity of a millisecond times ten
    // and fifty; three seconds in a row, because one late second happens on any machine.
    Rule {
        gauge: Gauge::LoopLag,
        name: "loop_lag_us",
        label: "loop lag",
        unit: Unit::Micros,
        suspect: GaugeLimit::or_share(10_000.0, 0.1),
        invalid: GaugeLimit::or_share(50_000.0, 0.5),
        seconds: 3,
        weight: Weight::Convicts,
        advice: MORE_CPU,
        ..LINE
    },
    // One start in a hundred more than 10 ms late, and one in a hundred more than 50 ms late: the schedule was not
    // held. Three seconds in a row, because at five starts a second one late start is already a fifth of them.
    Rule {
        gauge: Gauge::LateStarts,
        name: "late_starts_share",
        label: "late starts",
        suspect: GaugeLimit::at(0.01),
        seconds: 3,
        weight: Weight::Convicts,
        advice: "use a slower ramp (--ramp-rate) or more cores",
        ..LINE
    },
    Rule {
        gauge: Gauge::VeryLateStarts,
        name: "very_late_starts_share",
        label: "very late starts",
        invalid: GaugeLimit::at(0.01),
        seconds: 3,
        weight: Weight::Convicts,
        advice: "use a slower ramp (--ramp-rate) or more cores",
        ..LINE
    },
    // The figures of k6 (keep a fifth idle) and Locust (warn above 90 % over ten seconds).
    Rule {
        gauge: Gauge::Cpu,
        name: "cpu_share",
        label: "cpu",
        suspect: GaugeLimit::at(0.8),
        invalid: GaugeLimit::at(0.9),
        seconds: 10,
        weight: Weight::Convicts,
        advice: MORE_CPU,
        ..LINE
    },
    Rule {
        gauge: Gauge::CpuThrottled,
        name: "cpu_throttled_share",
        label: "cpu throttled",
        suspect: GaugeLimit::at(0.0),
        invalid: GaugeLimit::at(0.01),
        weight: Weight::Convicts,
        advice: "raise the CPU quota of this container or service",
        ..LINE
    },
    // Three seconds in a row: in one second, 2 % of two cores are only four ticks of the kernel's clock.
    Rule {
        gauge: Gauge::CpuSteal,
        name: "cpu_steal_share",
        label: "cpu stolen",
        suspect: GaugeLimit::at(0.02),
        invalid: GaugeLimit::at(0.1),
        seconds: 3,
        weight: Weight::Convicts,
        advice: "use a machine with CPUs of its own",
        ..LINE
    },
    // The kernel's own average of ten seconds. It also counts tasks of this process that wait for each other, so it
    // never makes a result invalid; the lag shows if it did harm.
    Rule {
        gauge: Gauge::CpuPressure,
        name: "cpu_pressure_share",
        label: "cpu pressure",
        suspect: GaugeLimit::at(0.5),
        seconds: 10,
        weight: Weight::Convicts,
        advice: LESS_COMPANY,
        ..LINE
    },
    // Other programs may wait for each other on CPUs that this process does not need: it says nothing about the result.
    Rule {
        gauge: Gauge::HostCpuPressure,
        name: "host_cpu_pressure_share",
        label: "host cpu pressure",
        suspect: GaugeLimit::at(0.5),
        seconds: 10,
        advice: LESS_COMPANY,
        ..LINE
    },
    Rule {
        gauge: Gauge::ProcessGap,
        name: "process_gap_us",
        label: "process gap",
        unit: Unit::Micros,
        suspect: GaugeLimit::at(250_000.0),
        invalid: GaugeLimit::at(1_000_000.0),
        weight: Weight::ConvictsAtOnce,
        advice: "find out what stopped this process: a signal, swapping, a paused virtual machine",
        ..LINE
    },
    Rule {
        gauge: Gauge::LoadHeld,
        name: "load_held_share",
        label: "load reached",
        worse: Worse::Smaller,
        suspect: GaugeLimit::at(0.99),
        invalid: GaugeLimit::at(0.95),
        seconds: 10,
        weight: Weight::Convicts,
        advice: "use a slower ramp, fewer clients or more machines",
        ..LINE
    },
    Rule {
        gauge: Gauge::Files,
        name: "files_share",
        label: "open files",
        suspect: GaugeLimit::at(0.8),
        weight: Weight::Convicts,
        advice: "raise the limit of open files (ulimit -n)",
        ..LINE
    },
    Rule {
        gauge: Gauge::FilesRefused,
        name: "files_refused",
        label: "files refused (EMFILE)",
        unit: Unit::Count,
        invalid: GaugeLimit::at(0.0),
        weight: Weight::ConvictsAtOnce,
        advice: "raise the limit of open files (ulimit -n)",
        ..LINE
    },
    Rule {
        gauge: Gauge::Ports,
        name: "ports_share",
        label: "local ports",
        suspect: GaugeLimit::at(0.75),
        weight: Weight::Convicts,
        advice: "widen net.ipv4.ip_local_port_range, or use more addresses or machines",
        ..LINE
    },
    Rule {
        gauge: Gauge::PortsRefused,
        name: "ports_refused",
        label: "ports refused",
        unit: Unit::Count,
        invalid: GaugeLimit::at(0.0),
        weight: Weight::ConvictsAtOnce,
        advice: "widen net.ipv4.ip_local_port_range, or use more addresses or machines",
        ..LINE
    },
    Rule {
        gauge: Gauge::MemoryRefused,
        name: "memory_refused",
        label: "memory refused",
        unit: Unit::Count,
        invalid: GaugeLimit::at(0.0),
        weight: Weight::ConvictsAtOnce,
        advice: "use fewer clients or a machine with more memory",
        ..LINE
    },
    // The run ends because of it, so there is no second time.
    Rule {
        gauge: Gauge::AddressSpaceStops,
        name: "address_space_stops",
        label: "address space used up",
        unit: Unit::Count,
        invalid: GaugeLimit::at(0.0),
        weight: Weight::ConvictsAtOnce,
        advice: "raise the limit of the address space (ulimit -v), or use fewer clients",
        ..LINE
    },
    Rule {
        gauge: Gauge::InvariantViolations,
        name: "invariant_violations",
        label: "broken invariants",
        unit: Unit::Count,
        invalid: GaugeLimit::at(0.0),
        weight: Weight::ConvictsAtOnce,
        advice: "report this as a bug of hlswarm",
        ..LINE
    },
    Rule {
        gauge: Gauge::WorkerBusy,
        name: "worker_busy_share",
        label: "busiest worker",
        suspect: GaugeLimit::at(0.9),
        invalid: GaugeLimit::at(0.98),
        seconds: 10,
        advice: MORE_CPU,
        ..LINE
    },
    Rule {
        gauge: Gauge::ClockStep,
        name: "clock_step_us",
        label: "clock step",
        unit: Unit::Micros,
        suspect: GaugeLimit::at(100_000.0),
        advice: "configure time synchronisation to slew this machine's clock, not to step it",
        ..LINE
    },
    Rule {
        gauge: Gauge::Suspended,
        name: "suspended_us",
        label: "suspended",
        unit: Unit::Micros,
        invalid: GaugeLimit::at(0.0),
        advice: "keep this machine from sleeping",
        ..LINE
    },
    Rule {
        gauge: Gauge::Memory,
        name: "memory_share",
        label: "memory",
        suspect: GaugeLimit::at(0.85),
        invalid: GaugeLimit::at(0.95),
        advice: "use fewer clients or a machine with more memory",
        ..LINE
    },
    Rule {
        gauge: Gauge::MemoryPressure,
        name: "memory_pressure_share",
        label: "memory pressure",
        suspect: GaugeLimit::at(0.1),
        seconds: 10,
        advice: "use fewer clients or a machine with more memory",
        ..LINE
    },
    // Each part of the program is read from the disk when it first runs, which takes one second and not three in a row.
    Rule {
        gauge: Gauge::MajorFaults,
        name: "major_faults_per_second",
        label: "major page faults",
        unit: Unit::Count,
        suspect: GaugeLimit::at(0.0),
        seconds: 3,
        advice: "use fewer clients or a machine with more memory: this one swaps, or drops pages of the program",
        ..LINE
    },
    Rule {
        gauge: Gauge::ReceiveStalls,
        name: "receive_stalls_per_second",
        label: "receive stalls",
        unit: Unit::Count,
        suspect: GaugeLimit::at(0.0),
        invalid: GaugeLimit::at(10.0),
        advice: "deliberately slow clients also cause these; otherwise use more cores",
        ..LINE
    },
    Rule {
        gauge: Gauge::PacketsDropped,
        name: "packets_dropped_per_second",
        label: "packets dropped",
        unit: Unit::Count,
        suspect: GaugeLimit::at(0.0),
        advice: "raise net.core.netdev_max_backlog, or use more cores",
        ..LINE
    },
    Rule {
        gauge: Gauge::LinkLoad,
        name: "link_load_share",
        label: "link load",
        suspect: GaugeLimit::at(0.85),
        seconds: 10,
        advice: "use a faster network interface or more machines",
        ..LINE
    },
    // With a full table the kernel drops the first packet of every new connection, in silence: it looks like an origin
    // that does not answer. Other programs may fill it, too.
    Rule {
        gauge: Gauge::Tracked,
        name: "tracked_connections_share",
        label: "tracked connections",
        suspect: GaugeLimit::at(0.8),
        invalid: GaugeLimit::at(0.95),
        advice: "raise net.netfilter.nf_conntrack_max, or do not track the connections of this load",
        ..LINE
    },
    Rule {
        gauge: Gauge::EventsDropped,
        name: "events_dropped_share",
        label: "events dropped",
        suspect: GaugeLimit::at(0.0),
        advice: "counts never depend on events; record to a faster disk",
        ..LINE
    },
    Rule {
        gauge: Gauge::SnapshotTime,
        name: "snapshot_us",
        label: "reading counters",
        unit: Unit::Micros,
        suspect: GaugeLimit::at(2_000.0),
        invalid: GaugeLimit::at(20_000.0),
        advice: MORE_CPU,
        ..LINE
    },
    // A sample that takes longer than the time to the next one makes the screen late.
    Rule {
        gauge: Gauge::SampleTime,
        name: "sample_us",
        label: "making a sample",
        unit: Unit::Micros,
        suspect: GaugeLimit::at(250_000.0),
        advice: MORE_CPU,
        ..LINE
    },
    // The end of a run or of a client cuts some. Many of them mean that latencies leave out slow responses.
    Rule {
        gauge: Gauge::RequestsCut,
        name: "requests_cut_share",
        label: "requests cut",
        suspect: GaugeLimit::at(0.01),
        advice: "end the run later: a response that was cut is in no latency",
        ..LINE
    },
    Rule {
        gauge: Gauge::NameLookup,
        name: "dns_p99_us",
        label: "name lookup",
        unit: Unit::Micros,
        suspect: GaugeLimit::at(1_000_000.0),
        advice: "use a closer name server, or --resolve",
        ..LINE
    },
    // A median of the crowd of more than 1.5 times the canary's is an extra of more than a third of it, and one of three
    // times the canary's more than two thirds. Below 5 ms the scheduler of the kernel decides.
    Rule {
        gauge: Gauge::CanaryDivergence,
        name: "canary_divergence_us",
        label: "canary divergence",
        unit: Unit::Micros,
        suspect: GaugeLimit::or_share(5_000.0, 1.0 / 3.0),
        invalid: GaugeLimit::or_share(20_000.0, 2.0 / 3.0),
        seconds: 10,
        advice: MORE_CPU,
        ..LINE
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_gauge_has_its_line_and_every_line_a_name_and_an_advice() {
        for (place, rule) in RULES.iter().enumerate() {
            assert_eq!(rule.gauge.index(), place, "{rule:?}");
            assert_eq!(rule.gauge.rule(), rule);
            assert!(!rule.name.is_empty() && !rule.label.is_empty() && !rule.advice.is_empty(), "{rule:?}");
            assert!(rule.suspect.is_some() || rule.invalid.is_some(), "{rule:?}");
        }
    }

    #[test]
    fn an_invalid_limit_is_never_milder_than_the_suspect_one() {
        for rule in RULES {
            let (Some(suspect), Some(invalid)) = (rule.suspect, rule.invalid) else { continue };
            for first_byte_us in [None, Some(1_000), Some(10_000_000)] {
                let [suspect, invalid] = [suspect, invalid].map(|limit| limit.in_force(first_byte_us));
                assert!(rule.is_worse(invalid, suspect), "{}", rule.name);
            }
        }
    }

    #[test]
    fn the_limit_of_a_delay_grows_with_the_latency_that_is_measured() {
        let limit = Gauge::LoopLag.rule().invalid.expect("a limit");
        let limits = [None, Some(1_000), Some(100_000), Some(400_000)].map(|us| limit.in_force(us));
        assert_eq!(limits, [50_000.0, 50_000.0, 50_000.0, 200_000.0]);
    }
}
