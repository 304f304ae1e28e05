//! The origin as its exporters tell it, in one line.

use std::time::Duration;

use crate::origin_metrics::OriginQuantity;
use crate::sample::{ExporterSample, GLANCE, RunSample};
use crate::tui::theme::Role;
use crate::vocabulary::units;

use super::{Text, Weight};

/// Returns what all exporters together tell, then those that fail; nothing without an exporter.
pub(super) fn texts(sample: &RunSample) -> Vec<Text> {
    let origin = &sample.origin;
    if origin.exporters.is_empty() {
        return Vec::new();
    }
    let values = origin.together();
    let shown =
        |quantity: OriginQuantity| format!("{} {}", quantity.words(), quantity.shown(values.get(quantity)));
    let text = |quantity| match quantity {
        OriginQuantity::Cpu => {
            Text::label("origin ").then(Role::Plain, &shown(quantity)).weighing(Weight::Subject)
        }
        _ => Text::plain(shown(quantity)),
    };
    GLANCE
        .map(text)
        .into_iter()
        .chain(origin.failing().filter_map(|exporter| failing(exporter, sample.at)))
        .collect()
}

fn failing(exporter: &ExporterSample, now: Duration) -> Option<Text> {
    let (since, problem) = exporter.state.failing?;
    let length = units::whole_span(now.saturating_sub(since));
    let text = format!("{} failing for {length}: {}", exporter.name, problem.words());
    let short = format!("{} failing", exporter.name);
    Some(Text::new(Role::Warning, text).or_short(short).weighing(Weight::OutOfBounds))
}

/// Returns the origin's CPU at a knee, as the end of a sentence; empty without an exporter.
pub(super) fn cpu_at(sample: &RunSample, knee: Duration) -> String {
    if sample.origin.exporters.is_empty() {
        return String::new();
    }
    format!(", origin CPU {}", units::percent(sample.origin.cpu_at(knee)))
}
