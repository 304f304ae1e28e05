//! A line of the catalogue.

use super::scrape::Scrape;
use super::series::{Series, Sort};

/// A family of metrics: one name, one meaning, one type.
pub(super) struct Family {
    /// Name without [`PREFIX`](super::series::PREFIX).
    pub(super) name: &'static str,
    /// Type.
    pub(super) sort: Sort,
    /// Meaning as a sentence.
    pub(super) help: &'static str,
    /// Gives the series. It takes its numbers from functions of the sample, and derives none.
    pub(super) write: fn(&Scrape<'_>, &mut dyn Series),
}

impl Family {
    pub(super) const fn info(
        name: &'static str,
        help: &'static str,
        write: fn(&Scrape<'_>, &mut dyn Series),
    ) -> Self {
        Self { name, sort: Sort::Info, help, write }
    }

    pub(super) const fn counter(
        name: &'static str,
        help: &'static str,
        write: fn(&Scrape<'_>, &mut dyn Series),
    ) -> Self {
        Self { name, sort: Sort::Counter, help, write }
    }

    pub(super) const fn gauge(
        name: &'static str,
        help: &'static str,
        write: fn(&Scrape<'_>, &mut dyn Series),
    ) -> Self {
        Self { name, sort: Sort::Gauge, help, write }
    }

    pub(super) const fn histogram(
        name: &'static str,
        help: &'static str,
        write: fn(&Scrape<'_>, &mut dyn Series),
    ) -> Self {
        Self { name, sort: Sort::Histogram, help, write }
    }
}
