//! Entry point for fuzzing the reader of records; see [`crate::fuzzing`].

use super::{Replay, RunSample, Sources, recorded_facts};

/// Replays any bytes as the lines of a record after its first one: whatever numbers a record has, samples can be taken,
/// and their texts are safe to print.
pub fn record(data: &[u8]) {
    let facts = recorded_facts(&Sources::new(2));
    let first = serde_json::json!({
        "kind": "record", "schema": "hlswarm.record/1", "started_unix_ms": 1_795_437_067_000_i64, "replay": facts,
    });
    let record = [format!("{first}\n").as_bytes(), data].concat();
    let replay = Replay::open(&record[..], "record".into());
    assert!(replay.is_ok(), "{replay:?}");
    let Ok(mut replay) = replay else { return };
    replay.selected().store(1, std::sync::atomic::Ordering::Relaxed);
    while let Ok(Some(sample)) = replay.next() {
        assert_safe(&sample);
    }
    assert_safe(&replay.so_far());
}

fn assert_safe(sample: &RunSample) {
    let findings = sample.findings.iter().map(|finding| finding.detail.to_string());
    let marks = sample.journal.marks().map(|mark| mark.note.clone());
    let log = sample.log.iter().map(|entry| entry.event.what.text());
    let rungs = sample.stream.rungs.iter().filter_map(|rung| Some(rung.name.as_ref()?.label.to_string()));
    for text in findings.chain(marks).chain(log).chain(rungs) {
        assert!(!text.chars().any(char::is_control), "{text:?}");
    }
}
