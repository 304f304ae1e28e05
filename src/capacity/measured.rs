//! Loads of the calibration, and the numbers that each one gives.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::FloorLatency;

/// Declares the loads: variant, name, words for people.
macro_rules! loads {
    ($($variant:ident $name:literal $words:literal,)+) => {
        /// A load of the calibration, in the order of their measurement.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum TestLoad { $(#[doc = $words] $variant,)+ }

        impl TestLoad {
            /// All loads.
            pub const ALL: [Self; [$($name,)+].len()] = [$(Self::$variant,)+];

            /// Returns the name in reports.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// Returns the words for people.
            pub const fn words(self) -> &'static str {
                match self { $(Self::$variant => $words,)+ }
            }
        }
    };
}

loads! {
    Idle "idle" "no clients",
    Quiet "quiet" "few clients, small segments",
    Middle "middle" "more clients, small segments",
    Medium "medium" "as many clients, medium segments",
    Wide "wide" "as many clients, large segments",
    Many "many" "many clients, small segments",
    Churn "churn" "clients that leave after a second",
    SmallRequests "small_requests" "small requests without a pause",
    LargeBodies "large_bodies" "large bodies without a pause",
    Proof "proof" "a load that is not used for the prices",
}

impl TestLoad {
    /// Reports whether clients request as the clock says. Otherwise they request as fast as they can.
    pub const fn is_paced(self) -> bool {
        !matches!(self, Self::SmallRequests | Self::LargeBodies)
    }

    /// Reports whether the load is measured with this transport: the process costs the same without clients.
    pub const fn is_measured(self, secure: bool) -> bool {
        !(secure && matches!(self, Self::Idle))
    }
}

/// Numbers of one load over a stretch in which it was steady.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// Length of the stretch in seconds.
    pub seconds: f64,
    /// CPU time that the process used, in seconds, without that of the speed measurement.
    pub cpu_s: f64,
    /// Nanoseconds of CPU of one step of the speed measurement before the load, as before any run; `null`: unknown.
    pub speed_before_ns: Option<f64>,
    /// The same beside the load, while it was steady.
    pub speed_beside_ns: Option<f64>,
    /// Requests that were started.
    pub requests: u64,
    /// Body bytes that arrived.
    pub bytes: u64,
    /// Connections that were opened.
    pub connections: u64,
    /// Clients at its end.
    pub clients: u64,
    /// Resident memory at its end; `null`: unknown.
    pub resident_bytes: Option<u64>,
    /// Time to the first byte of a playlist, over the whole run; `null`: none was loaded.
    pub playlist_ttfb_us: Option<FloorLatency>,
    /// Time to the first byte of a segment.
    pub segment_ttfb_us: Option<FloorLatency>,
    /// Whole time of a segment.
    pub segment_us: Option<FloorLatency>,
    /// Requests that failed, over the whole run.
    pub failed: u64,
    /// Reasons for which the trust verdict of the run is not VALID; empty if it is.
    pub trust_reasons: Vec<String>,
}

impl Measured {
    /// Reports whether the trust verdict found that this machine limited the load.
    pub fn is_disturbed(&self) -> bool {
        !self.trust_reasons.is_empty()
    }
}

/// Numbers of the loads of one round, by load and transport: `true` with TLS.
pub type Round = BTreeMap<(TestLoad, bool), Measured>;
