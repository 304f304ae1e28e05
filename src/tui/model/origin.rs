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
    // A node_exporter knows nothing of connections, one of a web server nothing of the CPU.
    let is_offered = |quantity: &OriginQuantity| {
        origin.exporters.iter().any(|exporter| exporter.most.get(*quantity).is_some())
    };
    let mut offered = GLANCE.into_iter().filter(is_offered).map(shown);
    let first = offered.next().unwrap_or_else(|| units::UNKNOWN.to_owned());
    let first = Text::label("origin ").then(Role::Plain, &first).weighing(Weight::Subject);
    std::iter::once(first)
        .chain(offered.map(Text::plain))
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
