//! Counters of a run: written without locks, read as plain values.
//!
//! * Totals and per-client numbers are counted at the same place ([`Exchange`] and [`Meter`]) and are never derived
//!   from one another, so removing a client cannot lower a total.
//! * Every number of a request has one writer: totals lie in one block per worker thread, a client's numbers in its
//!   own slot. Writers load and store, readers load, and no thread waits for another. Only the clients that join and
//!   leave, off that path, are counted by several threads (`fetch_add`).
//! * A snapshot reads `finished` before everything else and `started` last, so it never shows more requests finished
//!   than started. A snapshot that is taken after every client has left is exact.

mod audience;
mod badness;
mod catalogue;
mod client;
mod detail;
mod exits;
mod explanations;
mod failure_table;
mod findings;
mod had;
mod heat;
mod heat_meter;
mod hosts;
mod inline_failures;
mod ladder;
mod last_states;
pub mod latency;
mod latency_cells;
#[cfg(all(test, hlswarm_loom))]
mod loom_tests;
mod meter;
mod metric;
mod open_requests;
mod placement;
mod quality;
mod recent_latency;
mod registry;
mod seconds;
mod slot;
mod snapshot;
pub mod speed;
mod spending;
#[cfg(test)]
mod tests;
mod watched;
pub mod window;
mod worker;

pub use audience::{Audience, EdgeTotals};
pub use badness::{Badness, severity};
pub use catalogue::catalogue;
pub use detail::Detail;
pub use findings::FindingRow;
pub use heat::{HEAT_BUCKETS, Heat};
pub use heat_meter::HeatMeter;
pub use hosts::HostTotals;
pub use ladder::{Listing, Progress, RungKind, RungName, RungRow};
pub use last_states::{LastStates, SecondState};
pub(crate) use latency::{GROUPING_POWER, MAX_VALUE_POWER};
pub use latency::{LatencySnapshot, LatencySummary};
pub use meter::{Exchange, Meter, Timings};
pub use metric::Metric;
pub use placement::{Placement, PlacementIndex};
pub use quality::{DEFINITIONS, Quality};
pub use recent_latency::{LatencyDigest, RecentLatency};
pub use registry::{ClientHandle, Registry};
pub use snapshot::{ClientRow, Snapshot, Tally, Totals};
pub use speed::Speeds;
pub use spending::{Spending, Spent};
pub use window::{Rates, Window};
