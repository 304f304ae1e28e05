//! The origin beside the load: what exporters of the machine and of its web server tell about it.
//!
//! * Read are the families of node_exporter and of nginx-prometheus-exporter; an exporter that has families of these
//!   names is as good. Each line is read by itself and only sums are kept, so a page of any size takes the memory of one
//!   line ([`PageReader`]).
//! * Counters become rates from one scrape to the next ([`RateMeter`]). A counter that fell was reset: its rate is
//!   unknown for that interval.
//! * The values of an exporter are cells with one writer, the task that scrapes it; the sampler reads them without a
//!   lock ([`ExporterGauges`]). A value that is too old is unknown.
//! * An exporter that fails harms nothing: its problem is one of a closed list ([`ScrapeProblem`]), and only shown.
//!
//! This module opens no socket: `run` scrapes.

#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod gauges;
mod page_reader;
mod problem;
mod quantity;
mod rate_meter;
#[cfg(test)]
mod tests;

pub use gauges::{ExporterGauges, ExporterState};
pub use page_reader::{PageReader, PageSums};
pub use problem::ScrapeProblem;
pub use quantity::{OriginQuantity, OriginValues};
pub use rate_meter::RateMeter;

use std::time::Duration;

/// Time from one scrape of an exporter to the next.
pub const SCRAPE_PERIOD: Duration = Duration::from_secs(2);
/// Maximum time of a scrape. An exporter on a busy machine is slow, and a busy machine is the one to watch.
pub const SCRAPE_LIMIT: Duration = Duration::from_secs(4);
/// Maximum number of exporters of a run.
pub const EXPORTERS: usize = 16;
