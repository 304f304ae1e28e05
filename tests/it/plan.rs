//! The price of a plan: what the run then used, what is refused, and the command that only asks.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::Value;
use tempfile::NamedTempFile;

use crate::program::{Ended, Program};
use crate::scripted::{Answer, Scripted};

const LIMIT: Duration = Duration::from_secs(60);

/// The built-in origin in a process of its own.
struct Origin {
    child: Child,
    plain: String,
    tls: String,
    certificate: NamedTempFile,
}

impl Origin {
    fn start() -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_hlswarm"))
            .args(["origin", "--child", "--listen", "127.0.0.1:0", "--tls", "--bitrate", "1M"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let hello: Value = serde_json::from_str(&line).unwrap();
        let text = |name: &str| hello[name].as_str().unwrap().to_owned();
        let mut certificate = NamedTempFile::new().unwrap();
        certificate.write_all(text("certificate_pem").as_bytes()).unwrap();
        Self { child, plain: text("plain"), tls: text("tls"), certificate }
    }
}

impl Drop for Origin {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Asserts that the run used what was planned, to a tenth.
fn assert_used_as_planned(run: &Ended, case: &str) {
    let plan = &run.report.value()["plan"];
    assert_eq!(plan["not_comparable"], Value::Array(Vec::new()), "{case}: {plan}");
    for name in ["bytes", "requests", "open_files"] {
        let share = plan["used_share"][name].as_f64().unwrap_or_else(|| panic!("{case}: {name}: {plan}"));
        assert!((0.9..=1.1).contains(&share), "{case}: {name}: {share} of {plan}");
    }
    assert!(run.stdout().contains("planned / used: 12 clients"), "{}", run.stdout());
    assert!(run.stderr().contains("hlswarm: plan: 12 clients for 10.0 s: "), "{}", run.stderr());
}

#[test]
fn a_run_uses_what_was_planned_whatever_the_stream_the_transport_and_the_player() {
    let origin = Origin::start();
    let certificate = origin.certificate.path().to_str().unwrap();
    for (base, path, player, ramp) in [
        (&origin.plain, "live/ts", "web", "0"),
        (&origin.plain, "live/fmp4", "web", "4s"),
        (&origin.plain, "vod/ts", "web", "4s"),
        (&origin.plain, "live/ts", "native", "0"),
        (&origin.tls, "live/ts", "web", "4s"),
        (&origin.tls, "vod/ts", "web", "0"),
    ] {
        let url = format!("{base}/{path}/master.m3u8");
        let options =
            ["-c", "12", "-d", "10s", "--ramp-time", ramp, "--player", player, "--cacert", certificate];
        let run = Program::start(&url, &options).end_within(LIMIT);
        run.assert_exit_code(0);
        assert_used_as_planned(&run, &format!("{url} {player} {ramp}"));
    }
}

/// Starts a live stream that never moves, whose segments are on another host, and counts its requests.
fn two_hosts(requests: &Arc<AtomicUsize>) -> Scripted {
    let requests = Arc::clone(requests);
    Scripted::start_with(move |asked| {
        requests.fetch_add(1, Ordering::Relaxed);
        if asked.path != "/live.m3u8" {
            return Answer::segment();
        }
        let port = asked.header("host").unwrap().rsplit(':').next().unwrap().to_owned();
        let segment = |name| format!("#EXTINF:2,\nhttp://other.example:{port}/{name}.ts\n");
        let list = ["a", "b", "c"].map(segment).concat();
        Answer::playlist(&format!("#EXTM3U\n#EXT-X-TARGETDURATION:2\n{list}"))
    })
}

/// Runs `hlswarm` with `arguments` and at most 200 open files. Returns its exit code, output and errors.
fn with_few_files(arguments: &[&str]) -> (Option<i32>, String, String) {
    let ended = Command::new("sh")
        .args(["-c", "ulimit -n 200 && exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_hlswarm")])
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (ended.status.code(), text(&ended.stdout), text(&ended.stderr))
}

#[test]
fn a_load_that_needs_more_files_than_there_are_is_refused_or_clamped() {
    let requests = Arc::new(AtomicUsize::new(0));
    let origin = two_hosts(&requests);
    let (url, resolve) = (origin.url("/live.m3u8"), format!("other.example:{}:127.0.0.1", origin.port()));
    let options = ["-c", "130", "--ramp-time", "0", "-d", "4s", "--resolve", &resolve];
    let (code, _, said) = with_few_files(&[&["run", &url, "--no-tui"], &options[..]].concat());
    assert_eq!(code, Some(5), "{said}");
    // Each client needs a connection to either host.
    assert!(said.contains("preflight: 130 clients need 324 open files"), "{said}");
    assert!(said.contains("at most 68 clients fit (--clamp starts as many as fit"), "{said}");
    assert!(requests.load(Ordering::Relaxed) < 10, "only one client was there");

    let report = NamedTempFile::with_suffix(".json").unwrap();
    let path = report.path().to_str().unwrap();
    let clamp = ["--clamp", "--allow-untrusted", "--report", path];
    let (code, page, said) = with_few_files(&[&["run", &url, "--no-tui"], &options[..], &clamp].concat());
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("--clamp: 130 clients need 324 open files"), "{said}");
    assert!(page.contains("!!      --clamp: 130 clients need"), "{page}");
    let report: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    assert_eq!(report["run"]["clients_asked"], 130);
    assert_eq!(report["run"]["clients_peak"], 68, "{}", report["run"]);
    assert_eq!(report["plan"]["clients"], 68);
    assert_eq!(report["outcomes"]["local.fd"], Value::Null, "{}", report["outcomes"]);
    let by = report["load_changes"][1]["by"].as_str();
    assert_eq!(by, Some("preflight"), "{}", report["load_changes"]);
}

#[test]
fn a_load_that_is_too_large_before_anything_is_known_is_clamped_or_forced_as_well() {
    let options = ["demo", "--healthy", "-c", "9k", "--ramp-rate", "20", "-d", "2s", "--no-tui"];
    let (code, _, said) = with_few_files(&options);
    assert_eq!(code, Some(5), "{said}");
    assert!(said.contains("9,000 clients need 9,064 open files"), "{said}");
    let (code, page, said) = with_few_files(&[&options[..], &["--clamp", "--allow-untrusted"]].concat());
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("--clamp: 136 of 9,000 clients"), "{said}");
    assert!(page.contains("!!      --clamp: 136 of 9,000 clients"), "{page}");
    let (code, _, said) =
        with_few_files(&[&options[..], &["--skip-preflight", "--allow-untrusted"]].concat());
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("preflight (skipped): 9,000 clients need"), "{said}");
}

#[test]
fn a_plan_sends_one_client_and_says_what_the_run_then_says() {
    let requests = Arc::new(AtomicUsize::new(0));
    let origin = two_hosts(&requests);
    let (url, resolve) = (origin.url("/live.m3u8"), format!("other.example:{}:127.0.0.1", origin.port()));
    let options = ["-c", "30", "--ramp-time", "1s", "-d", "6s", "--resolve", &resolve, "--seed", "7"];
    let plan = |more: &[&str]| {
        let arguments = [&["plan", &url], &options[..], more].concat();
        let ended = Command::new(env!("CARGO_BIN_EXE_hlswarm")).args(arguments).output().unwrap();
        (ended.status.code(), String::from_utf8(ended.stdout).unwrap())
    };
    let (code, json) = plan(&["--json"]);
    assert_eq!(code, Some(0), "{json}");
    assert!(requests.load(Ordering::Relaxed) < 20, "{requests:?}");
    let planned: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(planned["schema"], "hlswarm.plan/1");
    assert_eq!(planned["run"]["clients_started"], 1);
    assert_eq!(planned["plan"]["used"], Value::Null);
    let to = planned["plan"]["destinations"].as_array().unwrap();
    assert_eq!(to.len(), 2, "{to:?}");
    assert!(to.iter().all(|to| to["addresses"][0] == "127.0.0.1"), "{to:?}");

    let run = Program::start(&url, &options).end_within(LIMIT);
    for name in ["requests", "bytes", "ports"] {
        let [planned, then] =
            [&planned, run.report.value()].map(|from| from["plan"]["planned"][name].as_f64());
        let share = planned.unwrap() / then.unwrap();
        assert!((0.99..=1.01).contains(&share), "{name}: {planned:?} and {then:?}");
    }
    let (code, page) = plan(&["--max-requests", "20"]);
    assert_eq!(code, Some(5), "{page}");
    assert!(page.contains("and --max-requests is 20; at most"), "{page}");
    assert!(page.lines().all(|line| line.chars().count() <= 80), "{page}");
}

#[test]
fn a_stream_with_slow_playlists_is_priced_for_every_player() {
    let origin = Scripted::start(|path| match path {
        "/a.m3u8" => Answer::playlist(
            "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=400000\nlow.m3u8\n#EXT-X-STREAM-INF:BANDWIDTH=800000\nhigh.m3u8\n",
        ),
        path if path.contains(".m3u8") => {
            std::thread::sleep(Duration::from_millis(1_200));
            Answer::playlist(
                "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:7\n#EXTINF:2,\na.ts\n#EXTINF:2,\nb.ts\n#EXTINF:2,\nc.ts\n#EXTINF:2,\nd.ts\n",
            )
        }
        _ => Answer::segment(),
    });
    let url = origin.url("/a.m3u8");
    let is_priced = |player: &str| {
        let plan = Command::new(env!("CARGO_BIN_EXE_hlswarm"))
            .args(["plan", &url, "-c", "5", "-d", "2s", "--json", "--player", player])
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&plan.stderr);
        let plan: Value = serde_json::from_slice(&plan.stdout).unwrap_or_else(|_| panic!("{player}: {said}"));
        for path in ["/plan/planned/bytes", "/plan/client_bits_per_second", "/plan/segments_measured"] {
            let known = plan.pointer(path).and_then(Value::as_f64).unwrap_or_default();
            assert!(known > 0.0, "{player}: {path}: {plan}");
        }
    };
    std::thread::scope(|scope| {
        for player in ["web", "ffmpeg", "native", "persistent", "patient"] {
            scope.spawn(move || is_priced(player));
        }
    });
}
