//! Catalogue of the quantities that a threshold can judge: names, units, and the place of each in the JSON report.
//!
//! A number has the name that reports or Prometheus give it. What a threshold judges at the end of a run equals the
//! number of the report; `sample` derives it while the run goes on.

use super::measure::Measure;
use crate::vocabulary::outcome::HttpFailure;
use crate::vocabulary::{Finding, Kind, Outcome, SessionNumber, Timed};

/// Part of a run over which a number can be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// Any interval.
    Any,
    /// Only the whole run: it has no value for a part of one.
    Whole,
}

/// Declares the numbers: variant, name, measure, extent, place in the report, meaning.
macro_rules! numbers {
    ($($variant:ident $name:literal $measure:ident $extent:ident $path:literal $meaning:literal,)+) => {
        /// A quantity that is one number.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum RunNumber { $(#[doc = $meaning] $variant,)+ }

        impl RunNumber {
            /// All numbers, in the order of the help.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// Returns the name in an expression.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            const fn measure(self) -> Measure {
                match self { $(Self::$variant => Measure::$measure,)+ }
            }

            const fn extent(self) -> Extent {
                match self { $(Self::$variant => Extent::$extent,)+ }
            }

            /// Returns the place of the value for the whole run in the JSON report, as a JSON pointer.
            pub const fn path(self) -> &'static str {
                match self { $(Self::$variant => $path,)+ }
            }

            /// Describes the number in one line.
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning,)+ }
            }
        }
    };
}

numbers! {
    ErrorRate "error_rate" Share Any "/health/error_share" "failures among the requests that the origin could answer",
    SuccessShare "success_share" Share Any "/health/error_share" "requests that ended ok among the same",
    FailedShare "failed_share" Share Any "/requests/failed_share" "failures, also those of this machine, among all requests",
    Requests "requests" Count Any "/requests/started" "requests started",
    FailedRequests "failed_requests" Count Any "/requests/failed" "requests that failed, except those that hlswarm cut",
    RequestsPerSecond "requests_per_second" Rate Any "/requests/started" "requests started per second",
    Throughput "throughput" BitRate Any "/throughput_bits_per_second/run" "body bits per second that arrived",
    PeakThroughput "peak_throughput" BitRate Whole "/throughput_bits_per_second/peak" "the same in the best second",
    Bytes "bytes" Bytes Any "/bytes/total" "body bytes that arrived",
    StalledShareMax "stalled_share_max" Share Any "/health/stalled_share_max" "largest share of clients that were stalled at once",
    StalledClientsMax "stalled_clients_max" Count Any "/health/stalled_clients_max" "largest number of clients that were stalled at once",
    ClientsPlaying "clients_playing" Count Any "/health/clients_playing_at_end" "clients that play now; over a time: the fewest at once",
    PlayingShare "playing_share" Share Any "/health/clients_playing_at_end" "the same as a share of the active clients",
    ClientsStalled "clients_stalled" Count Any "/health/clients_stalled_at_end" "clients that are stalled now; over a time: the most at once",
    StalledShare "stalled_share" Share Any "/health/clients_stalled_at_end" "the same as a share of the active clients",
    Stalls "stalls" Count Any "/playback/stalls" "stalls that began",
    StallsPerHour "stalls_per_hour" Number Any "/playback/stalls_per_hour" "stalls per hour of stall and play",
    StallTime "stall_s" Seconds Any "/playback/stall_s" "time that clients were stalled, summed over all",
    RebufferRatio "rebuffer_ratio" Share Any "/playback/rebuffer_ratio" "stall time / (stall time + play time)",
    AverageSpeed "average_speed" Number Any "/playback/average_speed" "play / (start-up + play + stall); 1 is real time",
    PlayedBitRate "played_bits_per_second" BitRate Any "/playback/bits_per_second" "mean bit rate of the media played",
    DriftMax "drift_max_s" Seconds Whole "/playback/drift_max_s" "largest delay of a client's position against its age",
    ClientsStarted "clients_started" Count Any "/run/clients_started" "clients started",
    ClientsPeak "clients_peak" Count Whole "/run/clients_peak" "largest number of clients that were active at once",
    ClientsPlayed "clients_played" Count Any "/playback/started" "clients that began to play",
    StartFailures "start_failures" Count Any "/playback/start_failures" "clients that left after their retries, before they played",
    ExitsBeforeStart "exits_before_start" Count Any "/playback/exits_before_start" "clients whose session ended before they played",
    GaveUp "gave_up" Count Any "/playback/gave_up" "clients that left after their retries",
    SegmentsSkipped "segments_skipped" Count Any "/playback/segments_skipped" "segments that were not played",
    EdgeJumps "edge_jumps" Count Any "/playback/edge_jumps" "skips of a client to a new live position",
    VariantSwitches "variant_switches" Count Any "/playback/variant_switches" "switches of a client to another variant",
    Connections "connections" Count Any "/connections/opened" "connections that became usable",
    Reconnections "reconnections" Count Any "/connections/reconnections" "connections that replaced a lost one",
    Redirects "redirects" Count Any "/connections/redirects" "redirects that were followed",
    LateStarts "late_starts" Count Whole "/run/late_starts" "clients that started too late for the plan",
    PeakDropRate "peak_drop_rate" Share Whole "/pipeline/peak_drop_rate" "largest share of events dropped in a second",
    DelayP99 "generator_delay_p99" Time Whole "/trust/generator_delay_us/p99" "99th percentile of the delay of hlswarm itself",
    DelayMax "generator_delay_max" Time Whole "/trust/generator_delay_us/max" "largest such delay",
}

/// Statistic of a distribution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Statistic {
    /// The median.
    P50,
    /// The 90th percentile.
    P90,
    /// The 95th percentile.
    P95,
    /// The 99th percentile.
    P99,
    /// The 99.9th percentile.
    P999,
    /// The arithmetic mean.
    Mean,
    /// The smallest value.
    Min,
    /// The largest value.
    Max,
}

impl Statistic {
    /// Statistics of distributions over sessions.
    pub const OF_SESSIONS: [Self; 4] = [Self::P50, Self::P95, Self::P99, Self::Max];

    /// All statistics.
    pub const ALL: [Self; 8] =
        [Self::P50, Self::P90, Self::P95, Self::P99, Self::P999, Self::Mean, Self::Min, Self::Max];

    /// Returns the name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::P50 => "p50",
            Self::P90 => "p90",
            Self::P95 => "p95",
            Self::P99 => "p99",
            Self::P999 => "p999",
            Self::Mean => "mean",
            Self::Min => "min",
            Self::Max => "max",
        }
    }
}

/// Distribution of a duration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Distribution {
    /// A duration that is measured.
    Of(Timed),
    /// Requests of a kind from start to end, ok or failed.
    OfAll(Kind),
}

impl Distribution {
    /// Returns all distributions, in the order of the report.
    pub fn all() -> impl Iterator<Item = Self> {
        Timed::all().map(Self::Of).chain(Kind::ALL.into_iter().map(Self::OfAll))
    }

    /// Returns the name in reports.
    pub fn name(self) -> String {
        match self {
            Self::Of(timed) => timed.name(),
            Self::OfAll(kind) => format!("{}_all", kind.name()),
        }
    }
}

/// Quantity that a threshold judges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantity {
    /// One number.
    Number(RunNumber),
    /// Statistic of a duration.
    Duration(Distribution, Statistic),
    /// Statistic of a number over the sessions that have ended.
    Sessions(SessionNumber, Statistic),
    /// Requests that ended with a failed HTTP status; `None`: with any.
    HttpErrors(Option<HttpFailure>),
    /// Requests that ended this way.
    Outcomes(Outcome),
    /// Occurrences of a problem in the stream; `None`: of any.
    Findings(Option<Finding>),
}

impl Quantity {
    /// Names that take a label in braces.
    pub(super) const LABELLED: [&'static str; 3] = ["http_errors", "outcomes", "findings"];

    /// Formats a value.
    pub fn shown(self, value: f64) -> String {
        self.measure().shown(value)
    }

    /// Returns the name without the label.
    pub fn name(self) -> String {
        match self {
            Self::Number(number) => number.name().to_owned(),
            Self::Duration(of, statistic) => format!("{}_{}", of.name(), statistic.name()),
            Self::Sessions(of, statistic) => format!("{SESSION}{}_{}", of.name(), statistic.name()),
            Self::HttpErrors(_) => "http_errors".to_owned(),
            Self::Outcomes(_) => "outcomes".to_owned(),
            Self::Findings(_) => "findings".to_owned(),
        }
    }

    /// Returns the label; `None` without one.
    pub fn label(self) -> Option<String> {
        match self {
            Self::HttpErrors(code) => code.map(|code| code.to_string()),
            Self::Outcomes(outcome) => Some(outcome.to_string()),
            Self::Findings(finding) => finding.map(|finding| finding.name().to_owned()),
            Self::Number(_) | Self::Duration(..) | Self::Sessions(..) => None,
        }
    }

    /// Returns the measure of its values.
    pub const fn measure(self) -> Measure {
        match self {
            Self::Number(number) => number.measure(),
            Self::Duration(..) => Measure::Time,
            Self::Sessions(SessionNumber::RebufferRatio, _) => Measure::Share,
            Self::Sessions(SessionNumber::StallsPerHour, _) => Measure::Number,
            Self::Sessions(SessionNumber::BitsPerSecond, _) => Measure::BitRate,
            Self::HttpErrors(_) | Self::Outcomes(_) | Self::Findings(_) => Measure::Count,
        }
    }

    /// Returns the parts of a run over which it can be taken.
    pub const fn extent(self) -> Extent {
        match self {
            Self::Number(number) => number.extent(),
            Self::Sessions(..) => Extent::Whole,
            _ => Extent::Any,
        }
    }

    /// Reports whether its value only grows while a run goes on: a limit from below is then awaited, not crossed.
    pub const fn only_grows(self) -> bool {
        let is_level = matches!(self, Self::Number(RunNumber::ClientsPlaying | RunNumber::ClientsStalled));
        !is_level && matches!(self.measure(), Measure::Count | Measure::Bytes)
    }

    /// Reports whether it is about clients that join: it has no value while their number stands still.
    pub const fn is_of_joins(self) -> bool {
        matches!(
            self,
            Self::Duration(Distribution::Of(Timed::Startup), _)
                | Self::Number(
                    RunNumber::ClientsStarted | RunNumber::ClientsPlayed | RunNumber::StartFailures
                )
        )
    }

    /// Returns all quantities without a label, and those with the labels that `--help thresholds` shows.
    #[cfg(test)]
    pub fn all() -> Vec<Self> {
        let numbers = RunNumber::ALL.iter().copied().map(Self::Number);
        let durations =
            Distribution::all().flat_map(|of| Statistic::ALL.map(|statistic| Self::Duration(of, statistic)));
        let codes = [None, Some(HttpFailure::new(503)), Some(HttpFailure::OTHER)].map(Self::HttpErrors);
        let findings = [None, Finding::ALL.first().copied()].map(Self::Findings);
        let outcomes = [Outcome::Ok, Outcome::Http(HttpFailure::new(503))].map(Self::Outcomes);
        numbers.chain(durations).chain(of_sessions()).chain(codes).chain(outcomes).chain(findings).collect()
    }
}

/// First part of the name of a number over sessions.
pub(super) const SESSION: &str = "session_";

/// Returns the quantities over sessions.
pub(super) fn of_sessions() -> impl Iterator<Item = Quantity> {
    let of = |number| Statistic::OF_SESSIONS.map(|statistic| Quantity::Sessions(number, statistic));
    SessionNumber::ALL.into_iter().flat_map(of)
}

/// Returns every name that an expression can begin with.
pub(super) fn names() -> impl Iterator<Item = String> {
    let numbers = RunNumber::ALL.iter().map(|number| number.name().to_owned());
    let durations = Distribution::all()
        .flat_map(|of| Statistic::ALL.map(|statistic| Quantity::Duration(of, statistic).name()));
    let sessions = of_sessions().map(Quantity::name);
    numbers.chain(durations).chain(sessions).chain(Quantity::LABELLED.map(str::to_owned))
}
