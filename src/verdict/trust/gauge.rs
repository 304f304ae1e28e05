//! Gauges, and the shape of a line in the table of their limits.

/// Health of the load tester in one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Gauge {
    /// Lateness of a worker, 99th percentile of a second.
    LoopLag,
    /// Share of the starts of clients that came late.
    LateStarts,
    /// Share of the starts of clients that came very late.
    VeryLateStarts,
    /// CPU used, as a share of what the process may use.
    Cpu,
    /// Time in which a quota kept the process from its CPUs, as a share of the time of all CPUs that it may run on.
    CpuThrottled,
    /// CPU time that the hypervisor gave to other machines.
    CpuSteal,
    /// Time in which some task of this process's control group waited for a CPU.
    CpuPressure,
    /// Time in which some task of this machine waited for a CPU.
    HostCpuPressure,
    /// Time in which the process did not run at all.
    ProcessGap,
    /// Load that was reached, as a share of the load that was asked for.
    LoadHeld,
    /// Open files, as a share of the limit.
    Files,
    /// Requests for which no file was left.
    FilesRefused,
    /// Local ports in use towards one address, as a share of all.
    Ports,
    /// Requests for which no local port was left.
    PortsRefused,
    /// Requests for which no memory was left.
    MemoryRefused,
    /// Stops of the run because the address space of the process was used up.
    AddressSpaceStops,
    /// Counters that contradict each other.
    InvariantViolations,
    /// Share of the time in which the busiest worker was not waiting.
    WorkerBusy,
    /// Step of the wall clock.
    ClockStep,
    /// Time in which the machine was suspended.
    Suspended,
    /// Resident memory, as a share of what the process may use.
    Memory,
    /// Time in which some task of this process's control group waited for memory.
    MemoryPressure,
    /// Pages per second that the process had to wait for because they were not in memory.
    MajorFaults,
    /// Times per second that the kernel found a receive buffer full.
    ReceiveStalls,
    /// Packets per second that the kernel dropped before a socket saw them.
    PacketsDropped,
    /// Speed of the busiest network link in its busier direction, as a share of what the link can carry.
    LinkLoad,
    /// Connections that the kernel's connection tracking knows, as a share of those that it can know.
    Tracked,
    /// Share of the events that found no room in their channel.
    EventsDropped,
    /// Time that it took to read all counters.
    SnapshotTime,
    /// Time that it took to make a sample of the run, including the reading.
    SampleTime,
    /// Requests that hlswarm ended itself, as a share of all that ended.
    RequestsCut,
    /// Time to resolve a name, 99th percentile of ten seconds.
    NameLookup,
    /// Time by which the median time to the first byte is longer than that of a client on a thread of its own.
    CanaryDivergence,
}

/// Unit of a gauge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// A fraction, where 1 is all of it.
    Share,
    /// Microseconds.
    Micros,
    /// A number.
    Count,
}

/// Direction in which a gauge gets worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Worse {
    /// A larger value is worse.
    Larger,
    /// A smaller value is worse.
    Smaller,
}

/// Weight of a gauge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// It is only shown.
    Shown,
    /// It makes seconds doubtful or invalid; the verdict depends on their share of the run.
    Convicts,
    /// The same, and one invalid second makes the whole run INVALID.
    ConvictsAtOnce,
}

/// A limit that may grow with the latency that is measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GaugeLimit {
    /// Limit, unless the latency asks for a larger one.
    pub floor: f64,
    /// Share of the median time to the first byte.
    pub share_of_first_byte: f64,
}

impl GaugeLimit {
    pub(super) const fn at(floor: f64) -> Option<Self> {
        Some(Self { floor, share_of_first_byte: 0.0 })
    }

    pub(super) const fn or_share(floor: f64, share_of_first_byte: f64) -> Option<Self> {
        Some(Self { floor, share_of_first_byte })
    }

    /// Returns the limit that holds while half of the responses begin within `first_byte_us`.
    pub fn in_force(self, first_byte_us: Option<u64>) -> f64 {
        self.floor.max(first_byte_us.map_or(0.0, |us| us as f64 * self.share_of_first_byte))
    }
}

/// One line of the table.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rule {
    /// The gauge.
    pub gauge: Gauge,
    /// Name in reports, with its unit.
    pub name: &'static str,
    /// Name for people.
    pub label: &'static str,
    /// Unit of the gauge and its limits.
    pub unit: Unit,
    /// Direction in which the gauge gets worse.
    pub worse: Worse,
    /// Limit beyond which the result is doubtful.
    pub suspect: Option<GaugeLimit>,
    /// Limit beyond which the result is invalid.
    pub invalid: Option<GaugeLimit>,
    /// Seconds in a row that a limit must be crossed.
    pub seconds: u32,
    /// Weight of the gauge.
    pub weight: Weight,
    /// Advice to the operator.
    pub advice: &'static str,
}

impl Gauge {
    /// Returns the index in a table of [`Gauge::COUNT`].
    pub const fn index(self) -> usize {
        self as usize
    }
}

/// Place of a limit on a bar without a natural end.
const MARK: f64 = 0.625;

impl Rule {
    /// Reports whether the gauge can make a result doubtful; others are only shown.
    pub fn convicts(&self) -> bool {
        self.weight != Weight::Shown
    }

    /// Returns the limit that is crossed first, as it is in force; `None` for a gauge without limits.
    pub fn first_limit(&self, first_byte_us: Option<u64>) -> Option<f64> {
        self.suspect.or(self.invalid).map(|limit| limit.in_force(first_byte_us))
    }

    /// Returns the used share of the limit that is crossed first; above 1 it is crossed. `None` where any value beyond
    /// nothing crosses it, because such a gauge is never near.
    pub fn nearness(&self, value: f64, first_byte_us: Option<u64>) -> Option<f64> {
        let limit = self.first_limit(first_byte_us)?;
        let (used, limit) = match self.worse {
            Worse::Larger => (value, limit),
            Worse::Smaller => (1.0 - value, 1.0 - limit),
        };
        (limit > 0.0).then(|| used / limit)
    }

    /// Returns how full a bar of the gauge is, and the place of its first limit on the bar, both from 0 to 1. A share is
    /// drawn as it is; another value so that its limit stands at [`MARK`].
    pub fn fill(&self, value: f64, first_byte_us: Option<u64>) -> Option<(f64, f64)> {
        let limit = self.first_limit(first_byte_us)?;
        match (self.unit, self.nearness(value, first_byte_us)) {
            (Unit::Share, Some(_)) => Some((value.min(1.0), limit)),
            (_, Some(nearness)) => Some(((nearness * MARK).min(1.0), MARK)),
            // Anything beyond nothing crosses the limit.
            (_, None) => Some((if value > limit { 1.0 } else { 0.0 }, MARK)),
        }
    }

    /// Reports whether `value` is worse than `other`.
    pub fn is_worse(&self, value: f64, other: f64) -> bool {
        match self.worse {
            Worse::Larger => value > other,
            Worse::Smaller => value < other,
        }
    }
}
