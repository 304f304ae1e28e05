//! Expectations that hold for every run of the matrix, whatever its fault is.
//!
//! - It ended by itself, with the exit code that its report names, and without a panic.
//! - Every request has one outcome: started = finished = the sum of all outcomes, and the same for kinds and bytes.
//! - Totals never fall, and the record is whole.
//! - No artefact contains text that could act on a terminal.
//! - The memory of the process stays within that of a healthy run and a fixed share for each client.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::Value;

use crate::origin::{Answer, Origin};
use crate::program::{Ended, Start};
use crate::streams::vod;

/// Memory beyond a healthy run that a whole process may need in KiB: buffers for playlists of the largest accepted
/// size, and what the allocator keeps.
const SLACK_KIB: u64 = 40 * 1024;
/// Memory that a client may need for a fault in KiB.
const CLIENT_KIB: u64 = 64;

/// Peak memory of a healthy run in KiB.
static HEALTHY_KIB: LazyLock<u64> = LazyLock::new(|| {
    let origin = Origin::start(|asked| match asked.is_playlist() {
        true => Answer::playlist(vod(2)),
        false => Answer::segment(),
    });
    let run = Start::run(&origin.url("/m.m3u8")).with(&["-c", "2", "--ramp-time", "0"]).end();
    run.assert_exit_code(0);
    run.used.peak_kib
});

/// Fails unless the run keeps all expectations.
pub fn assert_common(run: &Ended, clients: u64) {
    assert_eq!(run.killed_by(), None, "it was killed by a signal");
    assert!(!run.report.is_null(), "no report: {}", run.output("stderr"));
    assert_eq!(run.count("/internal/panics"), 0, "panics");
    assert_sound(run);
    let allowed = *HEALTHY_KIB + SLACK_KIB + clients * CLIENT_KIB;
    assert!(
        run.used.peak_kib <= allowed,
        "{} KiB of memory, {allowed} were expected at most",
        run.used.peak_kib
    );
}

/// Fails unless the run keeps all expectations that hold in spite of a panic, too.
pub fn assert_sound(run: &Ended) {
    assert_conserved(&run.report);
    if run.recorded {
        assert_recorded(&run.record);
    }
    assert_harmless(run);
    assert_eq!(run.report["exit"]["code"].as_i64(), run.exit_code().map(i64::from), "the report's exit code");
}

fn sum(of: &Value) -> u64 {
    of.as_object().map_or(0, |counts| counts.values().filter_map(Value::as_u64).sum())
}

/// Fails unless every request and byte of the report is counted once.
fn assert_conserved(report: &Value) {
    assert_eq!(report["internal"]["invariant_violations"], 0);
    let requests = &report["requests"];
    let kinds = ["playlist", "segment", "part", "init", "key", "unknown"];
    let by_kind = |of: &Value| -> u64 { kinds.iter().filter_map(|kind| of[kind].as_u64()).sum() };
    assert_eq!(requests["started"], requests["finished"], "requests");
    assert_eq!(Some(sum(&report["outcomes"])), requests["finished"].as_u64(), "{}", report["outcomes"]);
    assert_eq!(Some(by_kind(requests)), requests["started"].as_u64(), "{requests}");
    assert_eq!(Some(by_kind(&report["bytes"])), report["bytes"]["total"].as_u64(), "{}", report["bytes"]);
    for (kind, counts) in report["kinds"].as_object().unwrap() {
        assert_eq!(Some(sum(&counts["outcomes"])), counts["finished"].as_u64(), "{kind}: {counts}");
        assert_eq!(Some(sum(&counts["outcome_bytes"])), counts["bytes"].as_u64(), "{kind}: {counts}");
        assert_eq!(counts["finished"], requests[kind], "{kind}");
    }
    let codes = report["outcomes"].as_object().unwrap().iter();
    let codes: BTreeMap<_, _> =
        codes.filter_map(|(name, count)| Some((name.strip_prefix("http.")?, count))).collect();
    let errors = report["http_errors"].as_object().unwrap().iter();
    let errors: BTreeMap<_, _> = errors.map(|(code, count)| (code.as_str(), count)).collect();
    assert_eq!(codes, errors, "each failed status, under both names");
    for (name, times) in report["latency_us"].as_object().unwrap() {
        let marks = ["min", "p50", "p95", "p99", "p999", "max"]
            .map(|mark| times[mark].as_u64().unwrap_or_else(|| panic!("{name} has no {mark}: {times}")));
        assert!(marks.is_sorted(), "{name}: {times}");
    }
    for stream in ["progress", "events"] {
        let [offered, delivered, dropped] = ["offered", "delivered", "dropped"]
            .map(|count| report["pipeline"][stream][count].as_u64().unwrap());
        assert_eq!(offered, delivered + dropped, "{stream}");
    }
}

/// Fails unless the record is whole and its totals never fall.
fn assert_recorded(record: &[Value]) {
    let Some((first, last)) = record.first().zip(record.last()) else { panic!("an empty record") };
    assert_eq!((first["kind"].as_str(), last["kind"].as_str()), (Some("record"), Some("end")));
    let frames: Vec<_> = record.iter().filter(|line| line["kind"] == "frame").collect();
    for total in ["requests_started", "requests_finished", "errors", "bytes"] {
        assert!(frames.is_sorted_by_key(|frame| frame[total].as_u64()), "{total} fell");
    }
}

/// Fails if an artefact is not UTF-8, tells of a panic, or contains a character that acts on a terminal.
fn assert_harmless(run: &Ended) {
    for (name, bytes) in run.outputs() {
        let text = String::from_utf8(bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_harmless_text(name, &text);
    }
    for value in run.record.iter().chain([&run.report]) {
        strings(value, &|text| assert_harmless_text("a string in JSON", text));
    }
}

/// Fails if a text contains a character that acts on a terminal or hides another.
pub fn assert_harmless_text(name: &str, text: &str) {
    let found = text.chars().find(|character| *character != '\n' && is_harmful(*character));
    assert_eq!(found, None, "{name}: {text:?}");
}

/// Controls, separators of lines, and what changes the direction of text or has no width.
fn is_harmful(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
        || matches!(character, '\u{61c}' | '\u{feff}' | '\u{e000}'..='\u{f8ff}' | '\u{e0000}'..='\u{e007f}')
}

fn strings(value: &Value, look: &dyn Fn(&str)) {
    match value {
        Value::String(text) => look(text),
        Value::Array(values) => values.iter().for_each(|value| strings(value, look)),
        Value::Object(fields) => fields.iter().for_each(|(name, value)| {
            look(name);
            strings(value, look);
        }),
        _ => {}
    }
}
