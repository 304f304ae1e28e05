//! Metrics of a run for Prometheus: lets the run be scraped.
//!
//! * A scrape asks the sampler for a whole sample and renders it, so the numbers are those of the report and the screen.
//!   Without a scrape nothing is read.
//! * The catalogue is one table: name, type, help and the number. Values that are unknown are absent, never 0.
//! * The server is bounded in every direction: see [`local_http`](crate::local_http). It runs on a thread of its own, so it
//!   answers while the report is written, and no scraper holds up anything.

mod bounds;
mod catalogue;
mod exposition;
mod families;
mod family;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
#[cfg(feature = "otlp")]
pub mod otlp;
mod scrape;
mod series;
mod server;
#[cfg(test)]
mod server_tests;
#[cfg(test)]
mod tests;

pub use scrape::RunFacts;
pub use server::{Endpoint, Scrapes};
