//! The check as text, 80 columns wide.

use std::time::Duration;

use super::hosts::hosts;
use super::{CheckReport, FindingSeen, Loaded, RenditionSeen, Understood, VariantSeen};
use crate::report::Report;
use crate::report::page::Page;
use crate::report::text::{FindingLine, between, finding_lines, unused};
use crate::vocabulary::Severity;
use crate::vocabulary::units::{self, UNKNOWN};

/// Maximum number of variants, and of renditions, that are listed.
const LISTED: usize = 20;

/// Returns the check as text, 80 columns wide, with a newline at its end.
pub fn text(check: &CheckReport) -> String {
    let mut page = Page::default();
    page.line(format!("hlswarm {} check  {}", env!("CARGO_PKG_VERSION"), check.source));
    page.rule();
    match &check.error {
        Some(error) => {
            let came = if check.run.is_some() { "no playlist was loaded: " } else { "" };
            page.line(format!("XX      {came}{}", error.meaning));
            let detail = if error.detail.is_empty() { String::new() } else { format!(": {}", error.detail) };
            page.line(format!("        {}{detail}", error.outcome));
        }
        // A given media playlist is also the first of the loaded ones: show it once.
        None if check.understood.segments.is_some() && !check.playlists.is_empty() => {
            lists(&check.playlists, &mut page);
        }
        None => {
            understood(&check.understood, &mut page);
            if !check.playlists.is_empty() {
                page.rule();
            }
            lists(&check.playlists, &mut page);
        }
    }
    if let Some(run) = &check.run {
        page.rule();
        hosts(&check.hosts, &mut page);
        fetched(run, &mut page);
        unused(&run.run, &mut page);
    }
    if check.understood.kind.is_some() {
        page.rule();
        finding_lines(check.findings.iter().map(line).collect(), &mut page);
    }
    page.rule();
    page.line(format!("exit code {}{}", check.exit_code, reason(check)));
    page.0
}

fn line(seen: &FindingSeen) -> FindingLine {
    let place = match (seen.line, seen.first_s, seen.last_s) {
        (Some(line), ..) if seen.count > 1 => format!("first in line {line}"),
        (Some(line), ..) => format!("line {line}"),
        (None, Some(first), Some(last)) => between(first, last),
        _ => String::new(),
    };
    FindingLine {
        name: seen.kind.name().to_owned(),
        severity: seen.severity,
        meaning: seen.meaning,
        count: seen.count,
        place,
        detail: seen.detail.clone().unwrap_or_default(),
    }
}

/// Returns the reason for an exit code other than 0, as far as the check shows it.
fn reason(check: &CheckReport) -> String {
    let errors = check.findings.iter().filter(|seen| seen.severity == Severity::Error);
    let errors: Vec<_> = errors.map(|seen| seen.kind.name()).collect();
    let reasons = check.run.as_ref().map(|run| run.exit.reasons.join("; ")).filter(|text| !text.is_empty());
    match (&check.error, reasons) {
        (Some(_), _) => ": this cannot be played".to_owned(),
        (None, Some(reasons)) => format!(": {reasons}"),
        (None, None) if errors.is_empty() => String::new(),
        (None, None) => format!(": {}: {}", units::plural(errors.len() as u64, "error"), errors.join(", ")),
    }
}

fn lists(playlists: &[Loaded], page: &mut Page) {
    for (place, playlist) in playlists.iter().enumerate() {
        if place > 0 {
            page.rule();
        }
        loaded(playlist, page);
    }
}

fn loaded(playlist: &Loaded, page: &mut Page) {
    page.line(format!("url     {}", playlist.source));
    page.line(format!("        {} seen", units::plural(playlist.versions, "version")));
    understood(&playlist.understood, page);
}

fn understood(seen: &Understood, page: &mut Page) {
    let Some(kind) = seen.kind else {
        page.line("XX      no playlist was loaded");
        return;
    };
    let version = seen.version.unwrap_or(1);
    match seen.presentation {
        Some(presentation) => {
            page.line(format!("kind    {kind} playlist, {presentation}, version {version}"))
        }
        None => page.line(format!("kind    {kind} playlist, version {version}")),
    }
    if seen.variants.is_some() {
        multivariant(seen, page);
    } else {
        media(seen, page);
    }
}

fn multivariant(seen: &Understood, page: &mut Page) {
    let number = |count: Option<u64>, what| units::plural(count.unwrap_or_default(), what);
    page.line(format!(
        "names   {}, {}, {}",
        number(seen.variants, "variant"),
        number(seen.renditions, "rendition"),
        number(seen.i_frame_variants, "I-frame variant")
    ));
    let variants = seen.variant_list.iter().flatten();
    variants.take(LISTED).for_each(|seen| page.line(variant(seen)));
    let renditions = seen.rendition_list.iter().flatten();
    renditions.take(LISTED).for_each(|seen| page.line(rendition(seen)));
    let all = seen.variants.unwrap_or_default() + seen.renditions.unwrap_or_default();
    let unlisted = |count: Option<u64>| count.unwrap_or_default().saturating_sub(LISTED as u64);
    let more = unlisted(seen.variants) + unlisted(seen.renditions);
    if more > 0 {
        page.line(format!("  and {} more of {}", units::count(more), units::count(all)));
    }
    if seen.content_steering == Some(true) {
        page.line("        content steering is offered");
    }
}

fn variant(seen: &VariantSeen) -> String {
    let frame_rate = seen.frame_rate.map(|rate| format!("{rate} fps"));
    let groups = [("audio", &seen.audio), ("subtitles", &seen.subtitles)];
    let groups = groups.into_iter().filter_map(|(kind, group)| Some(format!("{kind} {}", group.as_ref()?)));
    let more = [seen.resolution.clone(), frame_rate, seen.codecs.clone()].into_iter().flatten().chain(groups);
    let rate = units::bit_rate(seen.bandwidth as f64);
    format!("  {rate:>11}  {}  {}", seen.uri, more.collect::<Vec<_>>().join("  "))
}

fn rendition(seen: &RenditionSeen) -> String {
    let default = if seen.default { ", default" } else { "" };
    let language = seen.language.as_ref().map_or(String::new(), |language| format!(", {language}"));
    let place = seen.uri.as_deref().unwrap_or("in its variant");
    format!("  {:>11}  {place}  group {}, {}{language}{default}", seen.kind, seen.group, seen.name)
}

fn media(seen: &Understood, page: &mut Page) {
    let segments = seen.segments.unwrap_or_default();
    let span = match (seen.last_sequence, seen.media_sequence) {
        (Some(last), Some(_)) => format!(" {} to {last}", last + 1 - segments.min(last + 1)),
        (_, first) => format!(" from {}", first.unwrap_or_default()),
    };
    page.line(format!(
        "media   {}{span}, {} s in all, target duration {} s",
        units::plural(segments, "segment"),
        seconds(seen.duration_s),
        seconds(seen.target_duration)
    ));
    let facts = facts(seen);
    if !facts.is_empty() {
        page.line(format!("        {}", facts.join(", ")));
    }
    if seen.part_target.is_some() || seen.parts > Some(0) {
        page.line(format!(
            "parts   {} of at most {} s, {} of the next segment, {}",
            units::count(seen.parts.unwrap_or_default()),
            seconds(seen.part_target),
            units::count(seen.unfinished_parts.unwrap_or_default()),
            units::plural(seen.preload_hints.unwrap_or_default(), "preload hint")
        ));
    }
    if let Some(control) = seen.server_control {
        page.line(format!(
            "server  blocking reload {}, hold back {} s, of parts {} s, delta updates beyond {} s",
            if control.blocking_reload { "yes" } else { "no" },
            seconds(control.hold_back_s),
            seconds(control.part_hold_back_s),
            seconds(control.skip_until_s)
        ));
    }
}

/// Returns the properties that only some playlists have.
fn facts(seen: &Understood) -> Vec<String> {
    let some =
        |count: Option<u64>, what| count.filter(|count| *count > 0).map(|count| units::plural(count, what));
    let mut facts: Vec<_> = [
        some(seen.discontinuities, "discontinuity").map(|text| text.replace("ys", "ies")),
        some(seen.initialization_sections, "initialization section"),
        some(seen.byte_ranges, "byte range"),
        some(seen.gaps, "gap"),
        some(seen.date_ranges, "date range"),
        some(seen.skipped_segments, "skipped segment"),
    ]
    .into_iter()
    .flatten()
    .collect();
    if seen.i_frames_only == Some(true) {
        facts.push("I-frames only".to_owned());
    }
    if let Some(methods) = seen.encryption.as_ref().filter(|methods| !methods.is_empty()) {
        facts.push(format!("encrypted with {}", methods.join(" and ")));
    }
    facts.extend(seen.first_date_time.as_ref().map(|date| format!("dated from {date}")));
    facts
}

/// Formats seconds without trailing zeros; `--` if unknown.
fn seconds(seconds: Option<f64>) -> String {
    seconds.map_or(UNKNOWN.to_owned(), |seconds| {
        let text = format!("{seconds:.3}");
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    })
}

/// Writes the requests of the client and the playback of its viewer.
fn fetched(run: &Report, page: &mut Page) {
    let length = units::span(Duration::try_from_secs_f64(run.run.duration_s).unwrap_or_default());
    page.line(format!("client  one, {length}, variant {}", run.run.options.variant));
    for (kind, of) in &run.kinds {
        let outcomes: Vec<_> =
            of.outcomes.iter().map(|(outcome, count)| format!("{} {outcome}", units::count(count))).collect();
        let first_byte = run.latency_us.get(&format!("{kind}_ttfb"));
        let first_byte = first_byte.map_or(String::new(), |latency| {
            format!(
                ", first byte {} ms (p50) {} ms (max)",
                units::milliseconds(latency.p50),
                units::milliseconds(latency.max)
            )
        });
        let label = format!("{kind} {}", units::count(of.requests));
        page.line(format!("  {label:<14}{}: {}{first_byte}", units::bytes(of.bytes), outcomes.join(", ")));
    }
    for (outcome, _) in run.outcomes.iter().filter(|(outcome, _)| !outcome.is_ok()) {
        page.line(format!("  {:<14}{}", outcome.to_string(), outcome.meaning()));
    }
    let playback = &run.playback;
    let startup = playback.startup_ms.as_ref().map(|startup| units::number(startup.max));
    page.line(match startup {
        None => "viewer  nothing was played".to_owned(),
        Some(startup) => format!(
            "viewer  playing after {startup} ms, {} s played, {}",
            units::number(playback.play_s),
            units::plural(playback.stalls, "stall")
        ),
    });
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
