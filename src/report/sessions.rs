//! Distributions over the sessions of a document: how many clients had which start-up, rebuffer ratio or delay.

use std::time::Duration;

use super::doc::{Doc, Part};
use super::drawing;
use crate::vocabulary::palette::Tone;
use crate::vocabulary::units;

/// A distribution over sessions, in steps of equal width.
#[derive(Clone, Debug, PartialEq)]
pub struct SessionSpread {
    /// Name of the value.
    pub label: &'static str,
    /// Smallest value.
    pub from: String,
    /// Largest value.
    pub to: String,
    /// Number of sessions in each step.
    pub counts: Vec<f64>,
    /// Colour of the chart.
    pub tone: Tone,
}

/// Returns the distributions of a document in `steps` steps each; those that it does not have are left out.
pub(super) fn spreads(doc: &Doc, steps: usize) -> Vec<SessionSpread> {
    let playback = doc.at("/playback");
    let as_time: fn(f64) -> String =
        |ms| units::span(Duration::try_from_secs_f64(ms / 1e3).unwrap_or_default());
    let as_share: fn(f64) -> String = |share| units::percent(Some(share));
    let known = [
        ("start-up", "/startup_ms", Tone::Data, as_time),
        ("rebuffer ratio", "/sessions/rebuffer_ratio", Tone::Warn, as_share),
        ("stalls an hour", "/sessions/stalls_per_hour", Tone::Warn, units::number),
        ("behind live", "/live_latency_ms", Tone::Data, as_time),
    ];
    let spread = |(label, path, tone, shown): (_, &str, _, fn(f64) -> String)| {
        let (from, to, counts) = drawing::bars(&buckets(playback.at(path)), steps)?;
        Some(SessionSpread { label, from: shown(from), to: shown(to), counts, tone })
    };
    known.into_iter().filter_map(spread).collect()
}

/// Returns the upper end and the count of each bucket.
fn buckets(spread: Part<'_>) -> Vec<(f64, f64)> {
    let unit = spread.at("/unit").number().unwrap_or(1.0);
    let pair = |pair: Part<'_>| Some((pair.at("/0").number()? * unit, pair.at("/1").number()?));
    spread.at("/buckets").list().filter_map(pair).collect()
}
