//! The record: it holds every event, and a disk that does not take it does not change the load.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rustix::fs::{CWD, Mode, mkfifoat};
use serde_json::Value;

use crate::program::{Ended, Program, Report};
use crate::scripted::{Answer, Scripted, Then};

const LIMIT: Duration = Duration::from_secs(60);

fn start(record: &Path, options: &[&str]) -> Program {
    let load = ["--ramp-time", "0", "--seed", "7", "--record", record.to_str().unwrap()];
    Program::start_command(&["demo"], &[&load, options].concat())
}

fn lines(path: &Path) -> Vec<Value> {
    fs::read_to_string(path).unwrap().lines().map(|line| serde_json::from_str(line).expect(line)).collect()
}

fn assert_nothing_is_missing_in_the_count(report: &Report) {
    for stream in ["progress", "events"] {
        let count = |what: &str| report.count(&format!("/pipeline/{stream}/{what}"));
        assert_eq!(count("offered"), count("delivered") + count("dropped"), "{stream}");
    }
}

#[test]
fn everything_that_happened_is_in_the_record() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let path = folder.path().join("record.ndjson");
    let run = start(&path, &["-c", "20", "-d", "6s", "--fault", "segment:503:20%"]).end_within(LIMIT);
    run.assert_exit_code(0);
    assert_nothing_is_missing_in_the_count(&run.report);
    let lines = lines(&path);
    let of = |kind: &str| lines.iter().filter(|line| line["kind"] == kind).count() as u64;
    assert_eq!((of("joined"), of("left")), (20, 20));
    assert_eq!(of("fault"), run.report.count("/outcomes/http.503"));
    // One frame a second, though a busy machine may miss some.
    assert!(of("fault") > 0 && of("frame") > 0);
    assert_eq!(of("progress"), run.report.count("/pipeline/progress/delivered"));
    // At most one sample for each client and second; a busy machine may miss some of these too.
    assert!((20..=20 * 7).contains(&of("progress")), "{}", of("progress"));
    let rims = [&lines[0]["kind"], &lines[lines.len() - 1]["kind"]];
    assert_eq!(rims, ["record", "end"]);
    assert_eq!(lines.len() as u64, run.report.count("/pipeline/record/lines"));
    let rest = ["record", "end", "frame", "sample", "progress"].map(of).iter().sum::<u64>();
    assert_eq!(lines.len() as u64 - rest, run.report.count("/pipeline/events/delivered"));
}

#[test]
fn requests_of_watched_clients_are_recorded_one_by_one() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let path = folder.path().join("record.ndjson");
    let run = start(&path, &["-c", "20", "-d", "8s", "--fault", "segment:503:30%"]).end_within(LIMIT);
    run.assert_exit_code(0);
    assert_nothing_is_missing_in_the_count(&run.report);
    let lines = lines(&path);
    let of = |kind: &'static str| lines.iter().filter(move |line| line["kind"] == kind);
    let number = |line: &Value, name: &str| line[name].as_u64();
    // A request is named by its client, its time, its kind and its sequence number.
    let name = |line: &Value, at: &str| {
        (number(line, "client"), number(line, at), line["request"].to_string(), number(line, "sequence"))
    };
    let asked: Vec<_> = of("asked").map(|line| name(line, "at_us")).collect();
    let mut failed = 0;
    for end in of("request") {
        assert_eq!(asked.iter().filter(|asked| **asked == name(end, "asked_us")).count(), 1, "{end}");
        assert_eq!(end["request"] == "segment", end["sequence"].is_u64(), "{end}");
        let [took_us, first_byte_us] = ["took_us", "first_byte_us"].map(|name| number(end, name).unwrap());
        assert!(first_byte_us <= took_us, "{end}");
        assert_eq!(number(end, "asked_us").unwrap() + took_us, number(end, "at_us").unwrap(), "{end}");
        failed += u64::from(end["outcome"] == "http.503");
    }
    assert!(failed > 0 && failed <= run.report.count("/outcomes/http.503"), "{failed}");
}

#[test]
fn a_failed_request_has_a_first_byte_only_if_a_part_of_its_body_came() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let path = folder.path().join("record.ndjson");
    let segments: String = (0..100).map(|number| format!("#EXTINF:1,\n{number}.ts\n")).collect();
    let vod = format!("#EXTM3U\n#EXT-X-TARGETDURATION:1\n{segments}#EXT-X-ENDLIST\n");
    let asked = AtomicUsize::new(0);
    let origin = Scripted::start(move |path| match path {
        "/vod.m3u8" => Answer::playlist(&vod),
        _ => match asked.fetch_add(1, Ordering::Relaxed) % 3 {
            0 => Answer::segment(),
            1 => Answer::part_of_segment(10_000, 500, Then::Close),
            _ => Answer { bytes: Vec::new(), then: Then::Close },
        },
    });
    let options = ["-c", "1", "-d", "8s", "--record", path.to_str().unwrap()];
    Program::start(&origin.url("/vod.m3u8"), &options).end_within(LIMIT);
    let lines = lines(&path);
    let ended = |outcome: &str| {
        let ended = lines.iter().filter(|line| line["kind"] == "request" && line["outcome"] == outcome);
        let parts = ended.map(|line| (line["first_byte_us"].is_u64(), line["bytes"].as_u64().unwrap()));
        parts.collect::<std::collections::BTreeSet<_>>().into_iter().collect::<Vec<_>>()
    };
    assert_eq!(ended("body.short"), [(true, 500)]);
    assert_eq!(ended("conn.eof"), [(false, 0)]);
    // The first byte is also reported when it comes: a request with a slow body must not seem to wait.
    let of = |kind: &'static str| lines.iter().filter(move |line| line["kind"] == kind);
    for end in of("request").filter(|end| end["outcome"] == "body.short") {
        let same = |first: &&Value| ["asked_us", "first_byte_us"].iter().all(|name| first[name] == end[name]);
        assert_eq!(of("first_byte").filter(same).count(), 1, "{end}");
    }
}

#[test]
fn of_many_failures_a_few_are_recorded_with_their_address_and_the_one_who_answered() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let path = folder.path().join("record.ndjson");
    let run = start(&path, &["-c", "20", "-d", "6s", "--fault", "segment:503:50%"]).end_within(LIMIT);
    run.assert_exit_code(0);
    let lines = lines(&path);
    let faults = || lines.iter().filter(|line| line["kind"] == "fault");
    let examples: Vec<_> = faults().filter(|line| line["url"].is_string()).collect();
    let times: Vec<_> = examples.iter().map(|line| line["at_us"].as_u64().unwrap()).collect();
    assert!(!examples.is_empty() && examples.len() < faults().count(), "{}", examples.len());
    // Each worker has its own second, and the canary has a worker.
    let workers = std::thread::available_parallelism().unwrap().get() as u64 + 1;
    let seconds = times.last().unwrap() / 1_000_000 + 1;
    assert!(examples.len() as u64 <= workers * seconds, "{times:?}");
    for example in examples {
        let [url, edge] = ["url", "edge"].map(|name| example[name].as_str().unwrap());
        assert!(url.starts_with(&format!("http://{edge}/live/")) && url.ends_with(".ts"), "{example}");
    }
}

#[test]
fn a_full_disk_and_a_reader_that_stands_still_change_no_request_and_end_in_exit_code_6() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let pipe = folder.path().join("pipe");
    mkfifoat(CWD, &pipe, Mode::RWXU).unwrap();
    let _reader = fs::File::options().read(true).write(true).open(&pipe).unwrap();
    let whole = folder.path().join("record.ndjson");
    let load = ["--healthy", "-c", "40", "-d", "8s"];
    let records = [whole.as_path(), Path::new("/dev/full"), &pipe];
    let runs = records.map(|record| start(record, &load));
    let [whole, full, stuck] = runs.map(|run| run.end_within(LIMIT));
    whole.assert_exit_code(0);
    for run in [&full, &stuck] {
        run.assert_exit_code(6);
        assert_nothing_is_missing_in_the_count(&run.report);
        assert!(dropped(run) > 0);
        assert_eq!(run.report.value()["pipeline"]["record"]["complete"], false);
        let [here, there] = [run, &whole].map(|run| run.report.count("/requests/started") as f64);
        // Three runs share a machine that may be busy, and each begins when it can. A run that waited for its record
        // would have sent a few requests before the pipe was full, and none after.
        assert!(here > there / 2.0, "{here} requests, {there} with a record that is whole");
    }
    assert_eq!(full.report.count("/pipeline/degraded_clients"), 40);
    assert_eq!(full.report.count("/pipeline/record/lines"), 0);
}

fn dropped(run: &Ended) -> u64 {
    ["progress", "events"].iter().map(|stream| run.report.count(&format!("/pipeline/{stream}/dropped"))).sum()
}

#[test]
fn no_secret_is_in_a_record() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let path = folder.path().join("record.ndjson");
    let origin = Scripted::start(|_| Answer { bytes: Vec::new(), then: Then::Hang });
    let url = origin.url("/master.m3u8?token=hunter2").replace("http://", "http://user:hunter2@");
    let options = ["-c", "2", "--ramp-time", "0", "-d", "1s", "--header", "Cookie: hunter2"];
    let record = ["--record", path.to_str().unwrap()];
    Program::start(&url, &[&options[..], &record].concat()).end_within(LIMIT);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains("master.m3u8?***") && !text.contains("hunter2"), "{text}");
}
