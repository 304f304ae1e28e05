//! O: keys, pastes, numbers and secrets of an operator.

use std::time::Instant;

use portable_pty::CommandBuilder;
use rustix::process::Signal;
use serde_json::Value;

use crate::connection_rows::black_hole;
use crate::expectations::{assert_common, assert_harmless_text};
use crate::limit_rows::clamped;
use crate::names::{NOT_ROOT, Names};
use crate::origin::{Answer, Origin, Step};
use crate::preload;
use crate::program::{HLSWARM, Start, folder};
use crate::rows::{Row, row};
use crate::streams::{live_origin, vod};
use crate::terminal::{Ended, Terminal, state};

/// Part of every secret that is planted.
const SECRET: &str = "PLANTED";

/// Returns the rows.
pub fn rows() -> Vec<Row> {
    [keys(), numbers(), moments()].into_iter().flatten().collect()
}

/// Starts a run with a screen and five clients.
fn console(origin: &Origin, options: &[&str]) -> Terminal {
    let load = ["run", &origin.url("/m.m3u8"), "-c", "5", "--ramp-rate", "50"];
    Terminal::start(CommandBuilder::new(HLSWARM), &[&load, options].concat())
}

/// Ends a run at once, and checks its report and its terminal.
fn end(mut terminal: Terminal) -> Ended {
    terminal.press("Q");
    let ended = terminal.end();
    ended.assert_good_end(0);
    ended
}

fn target(report: &Value) -> &Value {
    &report["run"]["clients_target"]
}

fn hammered() {
    let origin = live_origin();
    let begun = Instant::now();
    let mut terminal = console(&origin, &[]);
    terminal.wait_for("5 of 5 clients");
    // Steps of one client: three of five keys add and two remove.
    terminal.press("[");
    for _ in 0..100 {
        terminal.press("++-+-");
    }
    terminal.wait_for("105 of 105 clients");
    let elapsed = begun.elapsed();
    let ended = end(terminal);
    let run = &ended.report["run"];
    assert_eq!(*target(&ended.report), 105);
    assert_eq!(ended.report["internal"]["invariant_violations"], 0);
    let started = run["clients_started"].as_f64().unwrap();
    assert!(
        started <= 50.0 * elapsed.as_secs_f64() + 1.0,
        "{started} starts in {elapsed:?}: faster than the ramp"
    );
}

fn pasted() {
    let origin = live_origin();
    let mut terminal = console(&origin, &[]);
    terminal.wait_for("5 of 5 clients");
    let many = "+++c900\r[[+q".repeat(1_000_000 / 12);
    terminal.press(&format!("\u{1b}[200~{many}\u{1b}[201~"));
    terminal.press("2");
    terminal.wait_for("worst first");
    let ended = end(terminal);
    assert_eq!(*target(&ended.report), 5, "a paste changes nothing");
    assert_eq!(ended.report["load_changes"].as_array().unwrap().len(), 1, "{}", ended.report["load_changes"]);
}

fn held() {
    let origin = live_origin();
    let mut terminal = console(&origin, &[]);
    terminal.wait_for("5 of 5 clients");
    terminal.press("[");
    terminal.signal(Signal::STOP);
    terminal.wait_until("a stopped process", |_| state(terminal.pid()) == "T");
    terminal.press(&"+".repeat(60));
    terminal.signal(Signal::CONT);
    terminal.wait_for("65 of 65 clients");
    assert_eq!(*target(&end(terminal).report), 65);
}

fn by_mistake(keys: &str) {
    let origin = live_origin();
    let mut terminal = console(&origin, &[]);
    terminal.wait_for("5 of 5 clients");
    terminal.press(keys);
    terminal.wait_for("y: yes, ");
    terminal.press("x");
    terminal.wait_for("nothing changed");
    let ended = end(terminal);
    assert_eq!(*target(&ended.report), 5);
    assert_eq!(ended.report["run"]["clients_peak"], 5);
}

fn keys() -> Vec<Row> {
    let no_api = "there is no API; keys and signals are the only ways to change a run";
    vec![
        row("O1", "+ and - hammered").job("500 keys", hammered),
        removals(),
        row("O7", "a paste of 1 MB").job("keys in it", pasted),
        row("O8", "keys for a process that stood still").job("60 keys", held),
        row("O9", "an API against the keyboard").not_possible(no_api),
        row("O10", "an API that is flooded").not_possible(no_api),
        row("O14", "a thousand clients by mistake")
            .job("a typed target", || by_mistake("c2000\r"))
            .job("a large step", || by_mistake("]]]]]+")),
    ]
}

/// Says if the clients have a request open while they are removed: it is then cut.
#[derive(Clone, Copy, PartialEq)]
enum Open {
    Yes,
    No,
}

/// Removes all clients while their requests are in one phase, which they are in when `wait` says so.
fn removed(url: &str, open: Open, wait: impl Fn() -> bool) {
    removed_by(CommandBuilder::new(HLSWARM), url, open, wait);
}

/// Does the same with a program that is started by `command`.
fn removed_by(command: CommandBuilder, url: &str, open: Open, wait: impl Fn() -> bool) {
    let load = ["run", url, "-c", "3", "--ramp-time", "0", "--skip-preflight", "--player", "persistent"];
    // Longer than any test: no wait is over before the clients are removed.
    let load = [&load[..], &["--timeout", "60s"]].concat();
    let mut terminal = Terminal::start(command, &load);
    terminal.wait_until("three requests", |_| wait());
    terminal.wait_for("3 of 3 clients");
    terminal.press("c0\r");
    terminal.wait_for("0 of 0 clients");
    terminal.press("c2\r");
    terminal.wait_for("2 of 2 clients");
    terminal.press("Q");
    let ended = terminal.end();
    ended.assert_restored();
    let report = &ended.report;
    assert_eq!(report["requests"]["started"], report["requests"]["finished"]);
    assert_eq!(report["run"]["clients_started"], 5, "the places are used again");
    let outcomes: Vec<_> = report["outcomes"].as_object().unwrap().keys().map(String::as_str).collect();
    assert!(outcomes.iter().all(|name| ["ok", "cut", "http.503"].contains(name)), "{outcomes:?}");
    let cut = report["outcomes"]["cut"].as_u64().unwrap_or_default();
    assert!(cut >= 3 || open == Open::No, "{cut} requests were cut");
}

fn removals() -> Row {
    let silence = || Answer::default().then(Step::Silence);
    let http = |label, open: Open, requests: usize, script: fn(bool) -> Answer| {
        (label, move || {
            let origin = Origin::start(move |asked| script(asked.is_playlist()));
            removed(&origin.url("/m.m3u8"), open, || origin.log.count("/") >= requests);
        })
    };
    let body = |is_playlist| match is_playlist {
        true => Answer::playlist(vod(3)),
        false => Answer::head("200 OK", "Content-Length: 1000\r\n").send("x").then(Step::Silence),
    };
    let row = row("O2", "clients removed in each phase of a request")
        .job("TLS", move || {
            let origin = Origin::blunt("https", silence());
            removed(&origin.url("/m.m3u8"), Open::Yes, || origin.log.count("") >= 3);
        })
        .job("connect", || {
            let origin = black_hole();
            removed(&origin.url("/m.m3u8"), Open::Yes, || true);
        });
    let row = match Names::shared() {
        None => row.lacks(NOT_ROOT),
        Some(names) => row.job("DNS", move || {
            let mut command = CommandBuilder::new("sh");
            command.args(["-c", &names.script("\"$0\" \"$@\""), HLSWARM]);
            removed_by(command, "http://mute.matrix.test/m.m3u8", Open::Yes, || names.unanswered("mute") > 0);
        }),
    };
    [
        http("head", Open::Yes, 3, |_| Answer::default().then(Step::Silence)),
        http("body", Open::Yes, 6, body),
        http("back-off", Open::No, 3, |_| Answer::status("503 Service Unavailable")),
    ]
    .into_iter()
    .fold(row, |row, (label, job)| row.job(label, job))
}

fn numbers() -> Vec<Row> {
    let wrong = [
        ("-c", "-1", "--clients"),
        ("-c", "1e18", "--clients"),
        ("-c", "ten", "--clients"),
        ("-c", "999999999999999999999", "--clients"),
        ("--ramp-rate", "0", "--ramp-rate"),
        ("--ramp-rate", "NaN", "--ramp-rate"),
        ("-d", "0", "--duration"),
        ("--duration=-5s", "--no-tui", "--duration"),
        ("--timeout", "0", "--timeout"),
        ("--seed", "1e3", "--seed"),
    ];
    let row = row("O5", "numbers that are none");
    let numbers = wrong.into_iter().fold(row, |row, (option, value, name)| {
        row.job(format!("{option} {value}"), move || {
            let run = Start::of(&[HLSWARM, "run", "http://127.0.0.1:1/m.m3u8", option, value]).end();
            run.assert_exit_code(2);
            let said = run.output("stderr");
            assert!(said.lines().count() == 1 && said.contains(name) && said.contains("expected"), "{said}");
        })
    });
    vec![
        crate::rows::row("O3", "no clients").job("for a second", || {
            let origin = live_origin();
            let run = Start::run(&origin.url("/m.m3u8")).with(&["-c", "0", "-d", "1s"]).end();
            assert_common(&run, 0);
            run.assert_exit_code(0);
            assert!(origin.log.requests().is_empty(), "no traffic");
            let said = run.output("report.txt") + &run.output("stderr");
            assert!(!said.contains("NaN") && !said.contains("inf"), "{said}");
        }),
        crate::rows::row("O4", "100,000 clients")
            .job("with 128 files, clamped", || {
                clamped("ulimit -n 128 &&", "100000", 64, "--clamp: 64 of 100,000 clients");
            })
            .job("with 4,096 files", || {
                let origin = live_origin();
                let line = [HLSWARM, "run", &origin.url("/m.m3u8"), "-c", "100000", "-d", "1s", "--no-tui"];
                let run = Start::shell("ulimit -n 4096 && exec \"$0\" \"$@\"", &line).end();
                run.assert_exit_code(5);
                let said = run.output("stderr");
                assert!(said.contains("100,000 clients need 100,064 open files"), "{said}");
                assert!(said.contains("may open 4,096") && said.contains("at most 4,032 clients"), "{said}");
                assert!(origin.log.requests().is_empty(), "nothing is sent");
            }),
        numbers,
    ]
}

fn moments() -> Vec<Row> {
    vec![
        row("O6", "a stop in the ramp, and a start in the drain").job("q, then +", || {
            let origin = Origin::start(|asked| match asked.is_playlist() {
                true => Answer::playlist(vod(3)),
                false => Answer::head("200 OK", "Content-Length: 1000\r\n").send("x").then(Step::Silence),
            });
            let load = ["run", &origin.url("/m.m3u8"), "-c", "500", "--ramp-rate", "5"];
            let mut terminal = Terminal::start(CommandBuilder::new(HLSWARM), &load);
            terminal.wait_until("a segment", |_| origin.log.count(".ts") > 0);
            terminal.press("q");
            terminal.wait_for("DRAINING");
            terminal.press("+");
            terminal.wait_for("the run is ending");
            terminal.wait_for("the run has ended");
            terminal.press("q");
            let ended = terminal.end();
            ended.assert_restored();
            assert_eq!(ended.report["requests"]["started"], ended.report["requests"]["finished"]);
            assert!(ended.report["run"]["clients_started"].as_u64() < Some(500));
        }),
        row("O11", "counts from a moment on").job("a mark", || {
            let origin = live_origin();
            let mut terminal = console(&origin, &[]);
            terminal.wait_for("5 of 5 clients");
            terminal.wait_until("segments", |_| origin.log.count(".ts") >= 10);
            terminal.press("mhere\r");
            terminal.wait_for("marked 00:00:");
            terminal.press("M");
            let ended = end(terminal);
            assert_eq!(ended.report["marks"][0]["note"], "here");
            // Requests that are cut need not have reached the origin's script, so these are bounds.
            let counted = ended.report["requests"]["segment"].as_u64().unwrap();
            assert!(
                counted >= 10 && counted <= origin.log.count(".ts") as u64 + 5,
                "counts are those of the whole run"
            );
        }),
        row("O12", "a URL with credentials")
            .job("in every artefact", secrets)
            .job("on the screen", secrets_on_the_screen),
        slow_report(row("O13", "q while the report is written")).job("q q, q", || {
            let origin = live_origin();
            let mut terminal = console(&origin, &[]);
            terminal.wait_for("5 of 5 clients");
            terminal.wait_until("segments", |_| origin.log.count(".ts") >= 10);
            terminal.press("qq");
            terminal.wait_for("the run has ended");
            terminal.press("q");
            terminal.end().assert_good_end(0);
        }),
    ]
}

/// A disk that takes no data while a file is there: the report is being written all the time.
fn slow_report(row: Row) -> Row {
    if !preload::can_compile() {
        return row.lacks(preload::NO_COMPILER);
    }
    row.job("a slow disk", || {
        let origin = live_origin();
        let (folder, url) = (folder(), origin.url("/m.m3u8"));
        let library = preload::compile(folder.path(), preload::DISK);
        let mut command = CommandBuilder::new("env");
        let slow = folder.path().join("slow");
        command.args(
            ["MATRIX_SLOW", "LD_PRELOAD"]
                .iter()
                .zip([&slow, &library])
                .map(|(name, path)| format!("{name}={}", path.display())),
        );
        let load = [HLSWARM, "run", &url, "-c", "5", "--ramp-time", "0"];
        let mut terminal = Terminal::start(command, &load);
        terminal.wait_for("5 of 5 clients");
        std::fs::write(&slow, "").unwrap();
        terminal.press("q");
        let is_writing =
            |terminal: &Terminal| terminal.files().iter().any(|(name, _)| name.ends_with(".part"));
        terminal.wait_until("a report that is being written", |_| is_writing(&terminal));
        terminal.wait_for("FINISHED");
        terminal.press("q");
        terminal.wait_for("the reports are being written");
        assert!(terminal.report().is_null(), "there is no report yet");
        std::fs::remove_file(&slow).unwrap();
        terminal.end().assert_good_end(0);
    })
}

fn secret_url(origin: &Origin) -> String {
    origin.url(&format!("/m.m3u8?token={SECRET}1")).replace("http://", &format!("http://user:{SECRET}2@"))
}

fn secrets() {
    let origin = Origin::start(|asked| match asked.is_playlist() {
        true => Answer::playlist_with(
            &[&format!("Set-Cookie: session={SECRET}3")],
            vod(2).replace(".ts", &format!(".ts?signature={SECRET}4")),
        ),
        false => Answer::status("404 Not Found"),
    });
    let load = ["-c", "1", "-d", "3s", "--header", &format!("Authorization: Bearer {SECRET}5")];
    let run = Start::run(&secret_url(&origin)).with(&load).end();
    assert_common(&run, 1);
    assert!(origin.log.count(SECRET) > 1, "the secrets were used");
    for (name, bytes) in run.outputs() {
        assert!(!String::from_utf8_lossy(&bytes).contains(SECRET), "{name} shows a secret");
    }
}

fn secrets_on_the_screen() {
    let origin = live_origin();
    let load = ["run", &secret_url(&origin), "-c", "2", "--ramp-time", "0"];
    let mut terminal = Terminal::start(CommandBuilder::new(HLSWARM), &load);
    terminal.wait_for("RUNNING");
    for view in ["2", "3", "4", "5", "1"] {
        terminal.press(view);
        terminal.wait_until("a view", |screen| screen.contains("RUNNING"));
    }
    terminal.press("w");
    terminal.wait_for("written: hlswarm-");
    let saved = terminal.written("txt") + &terminal.written("svg");
    let ended = end(terminal);
    assert!(!ended.bytes.contains(SECRET) && !saved.contains(SECRET), "a secret is shown");
    assert!(!ended.report.to_string().contains(SECRET));
    assert_harmless_text("a saved screen", &saved);
}
