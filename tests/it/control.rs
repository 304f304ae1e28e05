//! The control socket of the real program: steered by `hlswarm ctl` and by curl, and by clients that misbehave.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::Value;
use tempfile::TempDir;

use crate::program::{Ended, Program};

const LIMIT: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(50);

/// A run that can be controlled through a socket in a folder of its own.
struct Controlled {
    program: Program,
    folder: TempDir,
}

impl Controlled {
    /// Starts `hlswarm demo` with these options and waits until all of its clients are there.
    fn start(options: &[&str]) -> Self {
        let controlled = Self::start_command(&["demo"], &[&["--healthy"], options].concat());
        controlled.program.wait_until_it_said("RUNNING");
        controlled
    }

    fn start_command(command: &[&str], options: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("c.sock");
        let options = [&["--control", socket.to_str().unwrap()], options].concat();
        Self { program: Program::start_command(command, &options), folder }
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("c.sock")
    }

    /// Runs `hlswarm ctl`, which finds the socket in its environment, and returns what it prints. It must succeed.
    fn ctl(&self, arguments: &[&str]) -> String {
        let (code, stdout, stderr) = ctl(&self.socket(), arguments);
        assert_eq!((code, stderr.as_str()), (Some(0), ""), "{arguments:?}");
        stdout
    }

    fn status(&self) -> Value {
        serde_json::from_str(&self.ctl(&["status", "--json"])).unwrap()
    }

    /// Waits until a value of the status is `expected`.
    fn wait_until(&self, pointer: &str, expected: &Value) {
        let deadline = Instant::now() + LIMIT;
        while self.status().pointer(pointer) != Some(expected) {
            assert!(Instant::now() < deadline, "{pointer} is not {expected}: {}", self.status());
            thread::sleep(POLL);
        }
    }

    /// Sends bytes and returns everything that comes until the connection closes.
    fn send(&self, bytes: &str) -> String {
        let mut stream = UnixStream::connect(self.socket()).unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        stream.write_all(bytes.as_bytes()).unwrap();
        let mut reply = String::new();
        stream.read_to_string(&mut reply).unwrap();
        reply
    }

    /// Waits for the end, after which the socket must be gone.
    fn end(self) -> Ended {
        let ended = self.program.end_within(LIMIT);
        assert!(!self.folder.path().join("c.sock").exists(), "the socket is left");
        assert_eq!(fs::read_dir(self.folder.path()).unwrap().count(), 0);
        ended
    }
}

fn ctl(socket: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_hlswarm"))
        .arg("ctl")
        .args(arguments)
        .env("HLSWARM_CONTROL", socket)
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// Returns the changes of the load that have a source: kind, target before and after.
fn changes(report: &Value, by: &str) -> Vec<(String, u64, u64)> {
    let changes = report["load_changes"].as_array().unwrap().iter().filter(|change| change["by"] == by);
    let number = |value: &Value| value.as_u64().unwrap();
    changes
        .map(|change| {
            (change["change"].as_str().unwrap().to_owned(), number(&change["from"]), number(&change["to"]))
        })
        .collect()
}

#[test]
fn a_run_is_steered_and_its_report_says_by_whom() {
    let run = Controlled::start(&["-c", "3", "--ramp-time", "0"]);
    let socket = run.socket();
    assert!(run.program.said().contains(&format!("hlswarm: control: {}\n", socket.display())));
    assert_eq!(fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o600);
    run.wait_until("/health", &"OK".into());
    let status = run.ctl(&["status"]);
    assert!(
        status.starts_with("RUNNING  3 of 3 clients  00:00:") && status.contains("  health OK  trust "),
        "{status}"
    );
    assert_eq!(status.lines().count(), 1);
    assert_eq!(run.ctl(&["target", "5"]), "target 5\n");
    run.wait_until("/clients/active", &5.into());
    assert_eq!(run.ctl(&["target", "+3"]), "target 8\n");
    assert_eq!(run.ctl(&["target", "-4"]), "target 4\n");
    assert_eq!(run.ctl(&["hold"]), "ramp held: no clients are added; 'hlswarm ctl resume' resumes\n");
    run.wait_until("/held_by", &"ctl".into());
    assert_eq!(run.ctl(&["target", "6"]), "target 6, but the ramp is held ('hlswarm ctl resume' resumes)\n");
    assert_eq!(run.ctl(&["resume"]), "ramp resumed\n");
    run.wait_until("/state", &"RUNNING".into());
    let marked = run.ctl(&["mark", "new \u{1b}[2J packager"]);
    assert!(marked.starts_with("marked 00:00:"), "{marked}");
    let sample: Value = serde_json::from_str(&run.ctl(&["sample"])).unwrap();
    assert_eq!((&sample["schema"], &sample["exit"]["code"]), (&"hlswarm.report/1".into(), &Value::Null));
    assert_eq!(sample["exit"]["reasons"][0], "interim report: the run goes on");
    assert_eq!(changes(&sample, "ctl").len(), 6);
    assert!(run.ctl(&["stop"]).starts_with("the run ends: no client is added"));
    let ended = run.end();
    ended.assert_exit_code(0);
    let expected = [
        ("target", 3, 5),
        ("target", 5, 8),
        ("target", 8, 4),
        ("hold", 4, 4),
        ("target", 4, 6),
        ("resume", 6, 6),
        ("stop", 6, 6),
    ];
    let report = ended.report.value();
    assert_eq!(changes(report, "ctl"), expected.map(|(change, from, to)| (change.to_owned(), from, to)));
    assert_eq!(report["marks"][0]["note"], "new ^[[2J packager");
    assert_eq!(changes(report, "operator"), []);
    assert!(ended.stderr().contains("\nhlswarm: ctl: target 3 -> 5 at 00:00:"), "{}", ended.stderr());
    assert!(ended.stdout().contains("changes by ctl: 3 -> 5 at "), "{}", ended.stdout());
}

#[test]
fn a_hold_is_answered_once_the_clients_that_were_admitted_last_are_counted() {
    let options = ["--healthy", "-c", "100", "--ramp-rate", "10/s", "--ramp-jitter", "0"];
    let run = Controlled::start_command(&["demo"], &options);
    run.program.wait_until_it_said("RAMPING");
    let sample = || run.status()["clients"]["active"].as_u64().unwrap();
    for _ in 0..3 {
        run.ctl(&["hold"]);
        let at_answer = sample();
        thread::sleep(Duration::from_millis(600));
        assert_eq!(sample(), at_answer, "no client came after the answer");
        run.ctl(&["resume"]);
    }
    run.ctl(&["stop"]);
    run.end();
}

#[test]
fn curl_steers_a_run_as_ctl_does() {
    if Command::new("curl").arg("--version").output().is_err() {
        assert_ne!(std::env::var("HLSWARM_REQUIRE_INTEROP").as_deref(), Ok("1"), "curl is missing");
        // The test harness drops what a test that passes prints.
        _ = std::io::stderr().write_all(b"skipped: curl not installed\n");
        return;
    }
    let run = Controlled::start(&["-c", "2", "--ramp-time", "0"]);
    let curl = |path: &str, options: &[&str]| {
        let url = format!("http://localhost{path}");
        let output = Command::new("curl")
            .args(["--silent", "--show-error", "--unix-socket", run.socket().to_str().unwrap(), &url])
            .args(options)
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        serde_json::from_slice::<Value>(&output.stdout).unwrap()
    };
    assert_eq!(curl("/v1/target", &["-d", "{\"clients\": 4}"])["message"], "target 4");
    assert_eq!(curl("/v1/status", &[])["clients"]["target"], 4);
    assert_eq!(curl("/v1/hold", &["-d", "{\"hold\": true}"])["held"], true);
    assert_eq!(curl("/v1/mark", &["--json", "{\"note\": \"by curl\"}"])["note"], "by curl");
    assert_eq!(
        curl("/v1/target", &["-d", "{\"client\": 4}"])["error"],
        "unknown key 'client'; expected clients or by"
    );
    assert_eq!(curl("/v1/sample", &[])["schema"], "hlswarm.report/1");
    curl("/v1/stop", &["-X", "POST"]);
    let ended = run.end();
    ended.assert_exit_code(0);
    assert_eq!(ended.report.value()["marks"][0]["note"], "by curl");
    let changes: Vec<_> =
        changes(ended.report.value(), "ctl").into_iter().map(|(change, ..)| change).collect();
    assert_eq!(changes, ["target", "hold", "stop"]);
}

#[test]
fn a_second_run_is_refused_and_a_socket_of_a_killed_one_is_replaced() {
    let run = Controlled::start(&["-c", "1"]);
    let refused =
        Program::start_command(&["demo"], &["--control", run.socket().to_str().unwrap(), "-d", "1s"]);
    let refused = refused.end_within(LIMIT);
    refused.assert_exit_code(2);
    let said = refused.stderr();
    assert!(
        said.starts_with("hlswarm: --control ") && said.contains("another process listens there"),
        "{said}"
    );
    assert_eq!(said.lines().count(), 1, "{said}");
    assert_eq!(run.status()["state"], "RUNNING", "the first goes on");
    run.program.signal(Signal::TERM);
    run.end().assert_exit_code(143);

    let run = Controlled::start(&["-c", "1"]);
    let socket = run.socket();
    run.program.signal(Signal::KILL);
    let deadline = Instant::now() + LIMIT;
    while UnixStream::connect(&socket).is_ok() {
        assert!(Instant::now() < deadline, "still served");
        thread::sleep(POLL);
    }
    assert!(socket.exists());
    let (code, _, said) = ctl(&socket, &["status"]);
    assert_eq!((code, said.lines().count()), (Some(2), 1), "{said}");
    assert!(said.contains("no run listens there"), "{said}");
    let next = Program::start_command(&["demo"], &["--control", socket.to_str().unwrap(), "-d", "1s"]);
    next.end_within(LIMIT).assert_exit_code(0);
    assert!(!socket.exists());
}

#[test]
fn mistakes_of_ctl_are_one_line_and_a_code() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("none.sock");
    for (arguments, code, words) in [
        (&["status"][..], 2, "there is no such socket"),
        (&["target", "ten"], 2, "expected a number of clients"),
        (&["pause"], 2, "expected one of: status"),
    ] {
        let (found, stdout, said) = ctl(&missing, arguments);
        assert_eq!((found, stdout.as_str(), said.lines().count()), (Some(code), "", 1), "{said}");
        assert!(said.starts_with("hlswarm: ") && said.contains(words), "{said}");
    }
    // Nothing has the port of a listener that is gone.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let (code, _, said) = ctl(Path::new(&port), &["status"]);
    assert_eq!((code, said.lines().count()), (Some(2), 1), "{said}");
    assert!(said.contains(&format!("--control {port}: no run listens there; expected")), "{said}");
    // Another program listens there.
    let socket = folder.path().join("other.sock");
    let listener = UnixListener::bind(&socket).unwrap();
    let other = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.write_all(b"SSH-2.0-OpenSSH_9.2\r\n\r\n").unwrap();
    });
    let (code, _, said) = ctl(&socket, &["status"]);
    other.join().unwrap();
    assert_eq!((code, said.lines().count()), (Some(1), 1), "{said}");
}

#[test]
fn a_search_refuses_changes_of_its_load_and_can_be_stopped() {
    let origin = crate::scripted::Scripted::start(|path| match path.contains(".m3u8") {
        true => crate::scripted::Answer::playlist("#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\na.ts\n"),
        false => crate::scripted::Answer::segment(),
    });
    let url = origin.url("/a.m3u8");
    let run = Controlled::start_command(&["find", &url], &["-c", "2", "--max-clients", "4"]);
    run.program.wait_until_it_said("hlswarm: control: ");
    run.wait_until("/clients/active", &2.into());
    for arguments in [&["target", "9"][..], &["hold"]] {
        let (code, _, said) = ctl(&run.socket(), arguments);
        assert_eq!((code, said.lines().count()), (Some(1), 1), "{said}");
        assert!(said.contains("the search sets the load"), "{said}");
    }
    assert_eq!(run.status()["is_search"], true);
    run.ctl(&["stop"]);
    let ended = run.end();
    assert_eq!(changes(ended.report.value(), "ctl").len(), 1, "only the stop");
}

#[test]
fn clients_that_misbehave_do_not_hold_up_a_run() {
    let run = Controlled::start(&["-c", "3", "--ramp-time", "0", "-d", "6s"]);
    let connect = || UnixStream::connect(run.socket()).unwrap();
    let mut large = connect();
    // The other side may close before everything is sent.
    _ = large.write_all(&vec![b'x'; 1 << 20]);
    let reply = run.send("POST /v1/mark HTTP/1.1\r\nContent-Length: 1048576\r\n\r\n");
    assert!(reply.starts_with("HTTP/1.1 413 "), "{reply}");
    let unread: Vec<_> = (0..50)
        .map(|_| {
            let mut stream = connect();
            stream.write_all(b"GET /v1/sample HTTP/1.1\r\n\r\n").unwrap();
            stream
        })
        .collect();
    let silent: Vec<_> = (0..50).map(|_| connect()).collect();
    let ended = run.end();
    ended.assert_exit_code(0);
    assert_eq!(ended.report.count("/requests/finished"), ended.report.count("/outcomes/ok"));
    assert!(!ended.stderr().contains("panicked"), "{}", ended.stderr());
    drop((large, unread, silent));
}

/// Returns the port that a run serves, and the file of its token.
fn port_and_token(program: &Program) -> (u16, PathBuf) {
    program.wait_until_it_said("hlswarm: control: http://127.0.0.1:");
    let said = program.said();
    let (_, line) = said.split_once("hlswarm: control: http://127.0.0.1:").unwrap();
    let (port, rest) = line.split_once("/v1/ (token in ").unwrap();
    (port.parse().unwrap(), rest.split(')').next().unwrap().into())
}

#[test]
fn a_port_needs_the_token_and_refuses_what_a_web_page_would_send() {
    let load = ["--healthy", "-c", "1", "--control", "127.0.0.1:0"];
    let program = Program::start_command(&["demo"], &load);
    let (port, file) = port_and_token(&program);
    let token = fs::read_to_string(&file).unwrap().trim().to_owned();
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(token.len() == 64 && !program.said().contains(&token));
    program.wait_until_it_said("RUNNING");
    let good = format!(
        "POST /v1/mark HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{{}}"
    );
    for (from, to, status) in [
        ("", "", "200"),
        (token.as_str(), "0123", "401"),
        ("Authorization: ", "X-Other: ", "401"),
        ("Host: 127.0.0.1", "Host: localhost", "403"),
        ("\r\nAuth", "\r\nOrigin: https://evil.example\r\nAuth", "403"),
        ("\r\nAuth", "\r\nSec-Fetch-Site: cross-site\r\nAuth", "403"),
        ("application/json", "text/plain", "415"),
    ] {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        stream.write_all(good.replacen(from, to, 1).as_bytes()).unwrap();
        let mut reply = String::new();
        stream.read_to_string(&mut reply).unwrap();
        assert!(reply.starts_with(&format!("HTTP/1.1 {status} ")), "{to}: {reply}");
        assert!(!reply.to_lowercase().contains("access-control-"), "{reply}");
    }
    let address = PathBuf::from(format!("127.0.0.1:{port}"));
    let (code, said, wrong) = ctl(&address, &["stop"]);
    assert_eq!((code, wrong.as_str()), (Some(0), ""), "{said}");
    let ended = program.end_within(LIMIT);
    ended.assert_exit_code(0);
    assert!(!file.exists(), "the token is left");
    for (name, text) in ended.outputs() {
        assert!(!text.contains(&token), "the token is in {name}");
    }
}
