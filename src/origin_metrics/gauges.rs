//! Values of one exporter as cells: the task that scrapes it writes them, the sampler reads them without a lock.

use std::sync::Arc;
use std::time::Duration;

use super::problem::ScrapeProblem;
use super::quantity::{OriginQuantity, OriginValues};
use super::{SCRAPE_LIMIT, SCRAPE_PERIOD};
use crate::sync::image::Walk;
use crate::sync::known_number::{bounded, decoded, encoded};
use crate::sync::single_writer_cell::SingleWriterCell;
use crate::vocabulary::SecretUrl;
use crate::vocabulary::clock::micros;

/// Number of scrapes that bring nothing after which the last values are too old.
const MISSED: u64 = 3;
/// Age from which on values are too old in any case: a scrape may hang.
const STALE: Duration = SCRAPE_PERIOD.saturating_mul(MISSED as u32).saturating_add(SCRAPE_LIMIT);

/// Gauges of one exporter. Each cell has one writer.
#[derive(Debug)]
pub struct ExporterGauges {
    /// URL, safe to print.
    pub url: Arc<str>,
    /// Host and port, safe to print.
    pub name: Arc<str>,
    /// Values, as [`encoded`].
    values: [SingleWriterCell; OriginQuantity::COUNT],
    /// Time of the last values in microseconds, plus one; 0 before the first.
    read_at: SingleWriterCell,
    scrapes: SingleWriterCell,
    failures: SingleWriterCell,
    /// Scrapes that have brought nothing since the last one that did.
    missed: SingleWriterCell,
    /// Begin of the first of these in microseconds, plus one; 0 without one.
    failing_since: SingleWriterCell,
    /// Problem of the last one, by its code; 0 without one.
    problem: SingleWriterCell,
}

/// State of an exporter at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ExporterState {
    /// Values that are not too old.
    pub values: OriginValues,
    /// Scrapes that have ended.
    pub scrapes: u64,
    /// Those that brought nothing.
    pub failures: u64,
    /// Time since which all scrapes have brought nothing, and the last problem; `None` while they bring values.
    pub failing: Option<(Duration, ScrapeProblem)>,
}

impl ExporterGauges {
    /// Creates the gauges of the exporter at `url`, before its first scrape.
    pub fn new(url: &SecretUrl) -> Self {
        Self {
            url: url.to_string().into(),
            name: crate::vocabulary::Untrusted::new(&url.endpoint().authority()).shown().into(),
            values: Default::default(),
            read_at: SingleWriterCell::default(),
            scrapes: SingleWriterCell::default(),
            failures: SingleWriterCell::default(),
            missed: SingleWriterCell::default(),
            failing_since: SingleWriterCell::default(),
            problem: SingleWriterCell::default(),
        }
    }

    /// Records a scrape that ended at `at` with values. Only the one writer may call it.
    pub fn succeeded(&self, at: Duration, values: &OriginValues) {
        for (cell, quantity) in self.values.iter().zip(OriginQuantity::ALL) {
            cell.set(encoded(values.get(quantity)));
        }
        self.read_at.set(micros(at).saturating_add(1));
        [&self.missed, &self.failing_since, &self.problem].into_iter().for_each(|cell| cell.set(0));
        self.scrapes.add(1);
    }

    /// Records a scrape that began at `at` and brought nothing. Only the one writer may call it.
    pub fn failed(&self, at: Duration, problem: ScrapeProblem) {
        if self.missed.own() == 0 {
            self.failing_since.set(micros(at).saturating_add(1));
        }
        self.problem.set(problem.code());
        self.missed.add(1);
        self.failures.add(1);
        self.scrapes.add(1);
    }

    /// Returns the state at `now`.
    pub fn read(&self, now: Duration) -> ExporterState {
        let moment = |cell: &SingleWriterCell| cell.get().checked_sub(1).map(Duration::from_micros);
        let is_fresh = moment(&self.read_at).is_some_and(|at| now.saturating_sub(at) <= STALE);
        let is_shown = is_fresh && self.missed.get() < MISSED;
        let value = |quantity: OriginQuantity| {
            let cell = self.values.get(quantity.index()).filter(|_| is_shown)?;
            decoded(cell.get())
        };
        ExporterState {
            values: OriginValues::from_fn(value),
            scrapes: self.scrapes.get(),
            failures: self.failures.get(),
            failing: moment(&self.failing_since).zip(ScrapeProblem::from_code(self.problem.get())),
        }
    }

    /// Visits all cells.
    pub fn walk(&self, walk: &mut Walk<'_>) {
        for cell in &self.values {
            if let Some(bits) = walk.visit(cell.get()) {
                cell.set(bounded(bits));
            }
        }
        let counts = [&self.read_at, &self.scrapes, &self.failures, &self.missed, &self.failing_since];
        counts.into_iter().chain([&self.problem]).for_each(|cell| walk.cell(cell));
    }
}
