//! The main numbers of a run without its warm-up: the block `after_warmup`, and its lines.

use std::collections::BTreeMap;

use serde::Serialize;

use super::doc::Doc;
use super::page::Page;
use crate::sample::AfterWarmup;
use crate::verdict::Quantity;
use crate::vocabulary::units::{self, UNKNOWN};

/// Maximum number of numbers that are read from a document: more than a report has.
const NUMBERS: usize = 50;

/// Numbers of the run without its warm-up (`--warmup`).
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AfterWarmupReport {
    /// Seconds from the start to the end of the warm-up.
    pub from_s: f64,
    /// Quantities of `--threshold` by name, in the unit that the whole run has them in; `null`: nothing was measured.
    pub numbers: BTreeMap<String, Option<f64>>,
}

impl From<&AfterWarmup> for AfterWarmupReport {
    fn from(of: &AfterWarmup) -> Self {
        let numbers = of.numbers.iter().map(|(quantity, value)| (quantity.name(), *value)).collect();
        Self { from_s: of.from.as_secs_f64(), numbers }
    }
}

/// Writes the numbers as text: ` after   the warm-up of 30 s: requests 1,234, error_rate 0%, ...`.
pub(super) fn lines(doc: &Doc, page: &mut Page) {
    let block = doc.at("/after_warmup");
    if !block.is_known() {
        return;
    }
    let shown = block.at("/numbers").table().take(NUMBERS).filter_map(|(name, value)| {
        let quantity = Quantity::named(name)?;
        let value = value.number().map_or(UNKNOWN.to_owned(), |value| quantity.shown(value));
        Some(format!("{name} {value}"))
    });
    let length = units::span(block.at("/from_s").seconds());
    page.line(format!("after   the warm-up of {length}: {}", shown.collect::<Vec<_>>().join(", ")));
}
