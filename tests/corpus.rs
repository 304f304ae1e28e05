//! Compares our reading of real playlists, from the folder that `HLSWARM_CORPUS` names, with that of three other
//! parsers where they agree.
//!
//! * Every file, whatever it holds, goes through the code behind `hlswarm check --json`; none may panic.
//! * A file that we read differently is listed in [`EXCEPTIONS`] with the reason, and must really differ.

#![expect(clippy::expect_used, reason = "a test says what is wrong by panicking")]

use std::{collections::BTreeMap, fs, path::Path};

use hlswarm::testing::report::CheckReport;
use serde_json::Value;

/// Files on which we differ from the other parsers, each with the reason.
#[rustfmt::skip]
const EXCEPTIONS: &[(&str, &str)] = &[
    ("hls-parser/4.3.1.1_EXTM3U.spec.js.L6..m3u8", NO_HEADER),
    ("hls-parser/m3u8__8.10-EXT-X-DATERANGE-carrying-SCTE-35-tags.m3u8", NO_HEADER),
    ("hls-parser/m3u8__8.6-Master-Playlist-with-Alternative-audio.m3u8", NO_HEADER),
    ("hls-parser/m3u8__8.7-Master-Playlist-with-Alternative-video.m3u8", NO_HEADER),
    ("hls-parser/m3u8__8.8-Session-Data-in-a-Master-Playlist.m3u8", NO_HEADER),
    ("hls-parser/m3u8__8.9-CHARACTERISTICS-attribute-containing-multiple-characteristics.m3u8", NO_HEADER),
    ("hls-parser/m3u8__SCTE-35_07.m3u8", NO_HEADER),
    ("videojs-m3u8-parser/integration__empty.m3u8", NO_HEADER),
    ("videojs-m3u8-parser/integration__manifestNoExtM3u.m3u8", NO_HEADER),
    ("videojs-m3u8-parser/integration__master.m3u8", NO_HEADER),
    ("videojs-m3u8-parser/integration__start.m3u8", NO_HEADER),
    ("hls.js/error-controller.ts.L1076..m3u8", UNDEFINED),
    ("hls.js/error-controller.ts.L1099..m3u8", UNDEFINED),
    ("hls.js/m3u8-parser.ts.L2757.finds_Variable_References_in_a_playlist_parsed_after_one_tha.m3u8", UNDEFINED),
    ("hls.js/m3u8-parser.ts.L3120.fails_to_parse_Media_Playlist_when_variable_reference_has_no.m3u8", UNDEFINED),
    ("hls.js/m3u8-parser.ts.L3147.fails_to_parse_Media_Playlist_when_variable_reference_preced.m3u8", UNDEFINED),
    ("hls.js/m3u8-parser.ts.L2721.returns_an_error_when_duplicate_Variables_are_found_in_Multi.m3u8", DEFINED_TWICE),
    ("globocom-m3u8/playlists.py.L1227.PLAYLIST_WITH_NEGATIVE_MEDIA_SEQUENCE.m3u8", NOT_DECIMAL),
    ("videojs-m3u8-parser/integration__negativeMediaSequence.m3u8", NOT_DECIMAL),
    ("videojs-m3u8-parser/integration__manifestExtTTargetdurationNegative.m3u8", NOT_DECIMAL),
    ("shaka-player/manifest_text_parser_unit.js.L22.rejects_invalid_playlists.m3u8", MIXED),
    ("videojs-m3u8-parser/parser.test.js.L1441.named_and_imported_substiutions_work.m3u8", MIXED),
];

const NO_HEADER: &str = "#EXTM3U must be the first line (sections 4.1 and 4.4.1.1)";
const UNDEFINED: &str = "an undefined variable must fail the playlist (section 4.3)";
const DEFINED_TWICE: &str = "a variable that is defined twice must fail the playlist (section 4.4.2.3)";
const NOT_DECIMAL: &str = "a decimal-integer has no sign (section 4.2)";
const MIXED: &str = "tags of both kinds in one playlist must fail it (sections 4.1 and 4.4.6)";

/// Maximum number of exceptions; more would no longer be exceptions.
const EXCEPTIONS_MAX: usize = 25;

/// Largest difference between durations, in seconds for each segment.
const TOLERANCE_S: f64 = 0.001;

/// A line of the index: column name to value.
type Row = BTreeMap<String, String>;

#[test]
fn the_corpus_is_understood_as_other_parsers_do() {
    let Ok(folder) = std::env::var("HLSWARM_CORPUS") else {
        eprintln!("skipped: HLSWARM_CORPUS does not name a folder of playlists");
        return;
    };
    let folder = Path::new(&folder);
    let index = fs::read_to_string(folder.join("index.csv")).expect("the index of the corpus");
    let mut differing = BTreeMap::new();
    let mut compared = 0;
    for row in rows(&index) {
        let bytes = fs::read(folder.join(&row["file"])).expect("a file of the index");
        let json = CheckReport::from_bytes(row["file"].clone(), &bytes).json().expect("serialisable");
        let understood: Value = serde_json::from_str(&json).expect("JSON");
        if row["oracle_agree"] != "yes" {
            continue;
        }
        compared += 1;
        if let Some(difference) = difference(&row, &understood) {
            differing.insert(row["file"].clone(), difference);
        }
    }
    eprintln!("{compared} playlists compared, {} differ", differing.len());
    for (file, reason) in EXCEPTIONS {
        assert!(differing.remove(*file).is_some(), "{file} does not differ any more: {reason}");
    }
    assert!(EXCEPTIONS.len() <= EXCEPTIONS_MAX, "too many exceptions");
    assert!(differing.is_empty(), "{differing:#?}");
}

/// Returns the first difference between our reading and the index.
fn difference(row: &Row, ours: &Value) -> Option<String> {
    let wrong = |what: &str, ours: &Value| Some(format!("{what}: ours {ours}, theirs {}", row[what]));
    match ours["kind"].as_str() {
        None => Some(ours["error"].to_string()),
        Some("multivariant") if row["variants"].is_empty() => wrong("segments", &ours["kind"]),
        Some("media") if !row["variants"].is_empty() => wrong("variants", &ours["kind"]),
        Some("multivariant") if is_count(&row["variants"], &ours["variants"]) => None,
        Some("multivariant") => wrong("variants", &ours["variants"]),
        _ => media_difference(row, ours).and_then(|what| wrong(what, &ours[what])),
    }
}

fn is_count(theirs: &str, ours: &Value) -> bool {
    theirs.parse().ok() == ours.as_u64()
}

/// Returns the name of the first value of a media playlist that differs from theirs.
fn media_difference(row: &Row, ours: &Value) -> Option<&'static str> {
    let number = |name: &str| ours[name].as_f64().expect("a number");
    if !is_count(&row["media_sequence"], &ours["media_sequence"]) {
        return Some("media_sequence");
    }
    if row["target_duration"].parse::<f64>().is_ok_and(|theirs| theirs != number("target_duration")) {
        return Some("target_duration");
    }
    if (row["endlist"] == "True") != (ours["endlist"] == Value::Bool(true)) {
        return Some("endlist");
    }
    let theirs: f64 = row["segments"].parse().expect("a count");
    let count = number("segments");
    // The other parsers count an unfinished segment and its parts, even if its first part is only hinted at.
    let begun = number("unfinished_parts") > 0.0 || number("preload_hints") > 0.0;
    let unfinished = begun && theirs == count + 1.0;
    if theirs != count && !unfinished {
        return Some("segments");
    }
    let duration: f64 = row["duration_s"].parse().expect("a number");
    let tail = if unfinished { number("unfinished_duration_s") } else { 0.0 };
    let tolerance = TOLERANCE_S * count.max(1.0);
    let is_theirs = |total: f64| (total - duration).abs() <= tolerance;
    (!is_theirs(number("duration_s")) && !is_theirs(number("duration_s") + tail)).then_some("duration_s")
}

/// Returns the rows of a CSV file whose first line names the columns.
fn rows(text: &str) -> Vec<Row> {
    let mut lines = text.lines().map(cells);
    let names = lines.next().expect("a line of names");
    lines.map(|cells| names.iter().cloned().zip(cells).collect()).collect()
}

/// Returns the cells of one line. A quoted cell may hold commas, and doubled quotes.
fn cells(line: &str) -> Vec<String> {
    let mut cells = vec![String::new()];
    let mut quoted = false;
    let mut characters = line.chars().peekable();
    while let Some(character) = characters.next() {
        let cell = cells.last_mut().expect("never empty");
        match character {
            '"' if quoted && characters.peek() == Some(&'"') => cell.extend(characters.next()),
            '"' => quoted = !quoted,
            ',' if !quoted => cells.push(String::new()),
            _ => cell.push(character),
        }
    }
    cells
}
