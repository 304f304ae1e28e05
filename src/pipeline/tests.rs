//! The whole pipeline: an event that was offered arrives, is dropped and counted, or is reported as lost.

use std::io::{BufRead as _, BufReader};
use std::path::Path;

use super::last_events::LOG_ENTRIES;
use super::line::SCHEMA;
use super::watched::ClientRequests;
use super::*;
use crate::vocabulary::{ClientState, Kind, Outcome, RunIdentity};

fn start(file: Option<RecordFile>) -> (Pipeline, Taps) {
    let run = RunIdentity { target: "http://h/a.m3u8".to_owned(), ..RunIdentity::default() };
    Pipeline::start(1, Clock::start(), file, run).expect("a thread")
}

fn offer(tap: &Tap, client: u64, what: Happening) -> Offer {
    let event = Event { at_us: client, client: Some(client), what };
    tap.offer(event.stream(), || event)
}

fn sample() -> Happening {
    Happening::Sample(Sample {
        state: ClientState::Playing,
        position_us: 1,
        buffer_us: 2,
        drift_us: 3,
        requests: 4,
        failures: 5,
        bytes: 6,
        stalls: 7,
    })
}

fn read(gauges: &Gauges) -> Reading {
    let mut reading = Reading::default();
    gauges.read(&mut reading);
    reading
}

fn lines(path: &Path) -> Vec<serde_json::Value> {
    let text = std::fs::read_to_string(path).expect("a record");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

#[test]
fn everything_that_was_offered_is_in_the_record_between_its_rims() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("r.ndjson");
    let (pipeline, taps) = start(Some(RecordFile::create(&path).expect("opened")));
    let (gauges, frames) = (pipeline.gauges(), pipeline.frames());
    for client in 1..=1_000 {
        assert_eq!(offer(&taps.workers[0], client, Happening::Joined), Offer::Taken);
        assert_eq!(offer(&taps.workers[0], client, sample()), Offer::Taken);
    }
    frames.put(|| FrameLine { clients: 1_000, ..FrameLine::default() });
    _ = offer(&taps.controller, 1, Happening::Load { change: "target", from: 1, to: 2, by: "operator" });
    drop(taps);
    assert!(pipeline.finish());
    let lines = lines(&path);
    let count = |kind: &str| lines.iter().filter(|line| line["kind"] == kind).count();
    assert_eq!(
        ["record", "joined", "progress", "load", "frame", "end"].map(count),
        [1, 1_000, 1_000, 1, 1, 1]
    );
    assert_eq!((&lines[0]["kind"], &lines[0]["schema"]), (&"record".into(), &SCHEMA.into()));
    let last = lines.last().expect("a last line");
    assert_eq!((&last["kind"], &last["events_offered"]), (&"end".into(), &1_001.into()));
    let reading = read(&gauges);
    assert_eq!(reading.events, Counts { offered: 1_001, delivered: 1_001, dropped: 0 });
    assert_eq!(reading.progress, Counts { offered: 1_000, delivered: 1_000, dropped: 0 });
    assert_eq!(reading.recorder.lines, 2_004);
    assert_eq!(reading.recorder.bytes, std::fs::metadata(&path).expect("there").len());
}

#[test]
fn the_log_keeps_the_last_events_and_no_samples() {
    let (pipeline, taps) = start(None);
    let gauges = pipeline.gauges();
    for client in 1..=LOG_ENTRIES as u64 + 5 {
        _ = offer(&taps.workers[0], client, sample());
        _ = offer(&taps.workers[0], client, Happening::Joined);
    }
    drop(taps);
    assert!(pipeline.finish());
    let log = read(&gauges).log;
    assert_eq!(log.len(), LOG_ENTRIES);
    assert_eq!(log.first().map(|entry| (entry.number, entry.event.client)), Some((6, Some(6))));
    assert!(log.iter().all(|entry| entry.event.stream() == Stream::Events));
}

#[test]
fn requests_of_watched_clients_are_kept_and_are_not_in_the_log() {
    let (pipeline, taps) = start(None);
    let gauges = pipeline.gauges();
    let asked = WatchedRequest {
        asked_us: 5,
        kind: Kind::Segment,
        sequence: Some(9),
        first_byte_us: None,
        end: None,
    };
    let end = RequestEnd { took_us: 3, bytes: 10, outcome: Outcome::Ok };
    let ended = WatchedRequest { first_byte_us: Some(1), end: Some(end), ..asked };
    for what in [Happening::Request(asked), Happening::Joined, Happening::Request(ended)] {
        assert_eq!(offer(&taps.workers[0], 7, what), Offer::Taken);
    }
    drop(taps);
    assert!(pipeline.finish());
    let reading = read(&gauges);
    assert_eq!(reading.log.iter().map(|entry| &entry.event.what).collect::<Vec<_>>(), [&Happening::Joined]);
    assert_eq!(*reading.requests, [ClientRequests { client: 7, requests: [ended].into() }]);
    assert_eq!(reading.events, Counts { offered: 3, delivered: 3, dropped: 0 });
}

#[test]
fn a_full_disk_is_told_and_counted_and_the_log_goes_on() {
    let (pipeline, taps) = start(Some(RecordFile::create(Path::new("/dev/full")).expect("opened")));
    let gauges = pipeline.gauges();
    while read(&gauges).recorder.failed.is_none() {
        _ = offer(&taps.workers[0], 1, Happening::Joined);
        std::thread::yield_now();
    }
    let built = std::cell::Cell::new(false);
    let refused = taps.workers[0].offer(Stream::Progress, || {
        built.set(true);
        Event { at_us: 0, client: None, what: sample() }
    });
    assert_eq!((refused, built.get()), (Offer::Dropped, false));
    assert_eq!(offer(&taps.workers[0], 2, Happening::StallBegan), Offer::Dropped);
    drop(taps);
    assert!(pipeline.finish());
    let reading = read(&gauges);
    assert_eq!(reading.log.last().map(|entry| entry.event.client), Some(Some(2)));
    assert_eq!((reading.events.delivered, reading.events.dropped), (0, reading.events.offered));
    assert!(reading.recorder.failed.is_some_and(|(_, why)| why.contains("No space left")));
}

#[test]
fn a_reader_that_stands_still_costs_events_and_never_time() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("pipe");
    rustix::fs::mkfifoat(rustix::fs::CWD, &path, rustix::fs::Mode::RWXU).expect("a pipe");
    assert!(RecordFile::create(&path).is_err(), "a pipe without a reader");
    let keep_open = std::fs::File::options().read(true).write(true).open(&path).expect("opened");
    let (pipeline, taps) = start(Some(RecordFile::create(&path).expect("opened")));
    let gauges = pipeline.gauges();
    // The pipe, memory and the channel fill up, and then the tap takes no more events.
    let mut refused = 0;
    while refused < 1_000 || read(&gauges).recorder.blocked_since.is_none() {
        refused += u64::from(offer(&taps.workers[0], 1, sample()) == Offer::Dropped);
    }
    let reading = read(&gauges);
    assert_eq!(reading.lanes[0].dropped, refused);
    assert_eq!(reading.lanes[0].high_water, reading.lanes[0].capacity);
    assert_eq!(reading.progress.dropped, refused);
    // The reader resumes: all events that were taken arrive.
    let reader = std::thread::spawn(move || {
        let mut lines = Vec::new();
        for line in BufReader::new(keep_open).lines() {
            lines.push(line.expect("a line"));
            if lines.last().is_some_and(|line| line.contains(r#""kind":"end""#)) {
                break;
            }
        }
        lines
    });
    // At its end the recorder waits for seconds only: on a busy machine this reader may need more.
    let is_waiting =
        |reading: &Reading| reading.lanes[0].fill > 0 || reading.recorder.blocked_since.is_some();
    while is_waiting(&read(&gauges)) {
        std::thread::sleep(Duration::from_millis(10));
    }
    drop(taps);
    assert!(pipeline.finish());
    let after = read(&gauges).progress;
    assert_eq!(after.dropped, refused);
    let lines = reader.join().expect("no panic");
    let lines = lines.iter().map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON"));
    let lines: Vec<_> = lines.collect();
    assert_eq!(lines.iter().filter(|line| line["kind"] == "progress").count() as u64, after.delivered);
    assert_eq!(lines.last().and_then(|end| end["progress_dropped"].as_u64()), Some(refused));
}

#[test]
fn what_a_reader_never_took_is_dropped_in_the_end() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("pipe");
    rustix::fs::mkfifoat(rustix::fs::CWD, &path, rustix::fs::Mode::RWXU).expect("a pipe");
    let _reader = std::fs::File::options().read(true).write(true).open(&path).expect("opened");
    let (pipeline, taps) = start(Some(RecordFile::create(&path).expect("opened")));
    let gauges = pipeline.gauges();
    for client in 0..5_000 {
        _ = offer(&taps.workers[0], client, sample());
    }
    drop(taps);
    assert!(pipeline.finish());
    let reading = read(&gauges);
    assert_eq!(reading.progress.offered, 5_000);
    assert!(reading.progress.delivered > 0 && reading.progress.dropped > 0, "{:?}", reading.progress);
    assert_eq!(reading.progress.delivered + 1, reading.recorder.lines);
}
