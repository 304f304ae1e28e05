//! Secrets of a run: each is planted where real ones are, reaches the origin that it is for, and is in no output and
//! on no command line.
//!
//! Each planted secret holds [`MARK`], or is [`TOKEN`] where only the shape tells a secret from a name.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write as _;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rustls::pki_types::PrivateKeyDer;
use tempfile::TempDir;

use crate::relay::{Manner, Relay};
use crate::scripted::{Answer, Asked, Scripted};
use crate::secure::Secure;

const MARK: &str = "hunter2";
const TOKEN: &str = "4f9c1e7ab3d05862f1c94e7da0b83561";
/// Password and its user, as the `Authorization` header carries them.
const USER: &str = "hunter2-user:hunter2-password";
const LIMIT: Duration = Duration::from_secs(40);
const POLL: Duration = Duration::from_millis(20);
/// Environment variable whose value is a header.
const VARIABLE: &str = "HLSWARM_TEST_COOKIE";

/// A program with all outputs that it can write, in a folder of its own.
struct Run {
    folder: TempDir,
    child: Child,
}

/// Everything that a run has shown: names of outputs and their texts.
struct Shown {
    exit_code: Option<i32>,
    outputs: BTreeMap<String, String>,
    /// Times that the command line of the process was read; a command that ends at once may be too quick for it.
    command_lines: usize,
}

impl Run {
    /// Starts `hlswarm` with `arguments` in a folder with these files.
    fn start(arguments: &[&str], files: &[(&str, &str)]) -> Self {
        Self::start_with(arguments, files, &[])
    }

    /// Starts the same with more variables in its environment.
    fn start_with(arguments: &[&str], files: &[(&str, &str)], environment: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        for (name, text) in files {
            fs::write(folder.path().join(name), text).unwrap();
        }
        let output = |name: &str| File::create(folder.path().join(name)).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_hlswarm"))
            .args(arguments)
            .current_dir(folder.path())
            .env(VARIABLE, "given=hunter2-cookie")
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(output("stdout"))
            .stderr(output("stderr"))
            .spawn()
            .unwrap();
        Self { folder, child }
    }

    /// Starts `hlswarm run @url` for one client and four seconds, with every kind of output.
    fn load(url: &str, options: &[&str]) -> Self {
        let outputs = [
            "--report",
            "report.json",
            "--report",
            "report.txt",
            "--record",
            "record.ndjson",
            "--log-file",
            "log.txt",
        ];
        let base =
            ["run", "@url", "--no-tui", "--allow-untrusted", "-c", "1", "-d", "4s", "--header", "@headers"];
        let files = [("url", url), ("headers", "X-Key: hunter2-header\n")];
        Self::start(&[&base[..], &outputs, options].concat(), &files)
    }

    /// Waits for the end, and fails if a secret is on the command line of the process or in the name of a thread.
    fn end(mut self) -> Shown {
        let deadline = Instant::now() + LIMIT;
        let process = PathBuf::from(format!("/proc/{}", self.child.id()));
        let mut command_lines = 0;
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            let line = fs::read_to_string(process.join("cmdline")).unwrap_or_default();
            command_lines += usize::from(line.contains("hlswarm"));
            assert_hidden("command line", &line);
            threads(&process).iter().for_each(|name| assert_hidden("name of a thread", name));
            assert!(Instant::now() < deadline, "still running after {LIMIT:?}");
            thread::sleep(POLL);
        };
        let given =
            ["url", "headers", "list.m3u8", "ca.pem", "plan.toml", "exporter", "clients.csv", "cookies"];
        let files = fs::read_dir(self.folder.path()).unwrap().map(|entry| entry.unwrap());
        let named = files.map(|file| (file.file_name().into_string().unwrap(), file.path()));
        let outputs = named.filter(|(name, _)| !given.contains(&name.as_str()));
        let outputs = outputs.map(|(name, path)| (name, fs::read_to_string(path).unwrap())).collect();
        Shown { exit_code: status.code(), outputs, command_lines }
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// Returns the names of the threads of a process.
fn threads(process: &Path) -> Vec<String> {
    let Ok(tasks) = fs::read_dir(process.join("task")) else { return Vec::new() };
    tasks.flatten().filter_map(|task| fs::read_to_string(task.path().join("comm")).ok()).collect()
}

fn assert_hidden(what: &str, text: &str) {
    let base64 = BASE64_STANDARD.encode(USER);
    for secret in [MARK, TOKEN, &base64] {
        assert!(!text.contains(secret), "{secret} in {what}: {text}");
    }
}

impl Shown {
    /// Fails if an output shows a secret, or the exit code is another one. Each of `names` must be an output and not
    /// empty: a search in nothing finds nothing.
    fn assert_silent(&self, exit_code: i32, names: &[&str]) {
        let stderr = &self.outputs["stderr"];
        assert_eq!(self.exit_code, Some(exit_code), "{stderr}");
        for name in names {
            assert!(
                self.outputs.get(*name).is_some_and(|text| !text.is_empty()),
                "{name} is empty: {stderr}"
            );
        }
        self.outputs.iter().for_each(|(name, text)| assert_hidden(name, text));
    }

    /// Returns the lines of the record with details of a failed request.
    fn examples(&self) -> impl Iterator<Item = serde_json::Value> {
        let lines = self.outputs["record.ndjson"].lines().map(|line| serde_json::from_str(line).unwrap());
        lines.filter(|line: &serde_json::Value| line["kind"] == "fault" && line["url"].is_string())
    }

    fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.outputs["report.json"]).unwrap()
    }
}

const ALL: [&str; 6] = ["stdout", "stderr", "report.json", "report.txt", "record.ndjson", "log.txt"];

/// Media playlist whose every reference carries a secret.
const LIST: &str = "#EXTM3U\n#EXT-X-VERSION:11\n#EXT-X-TARGETDURATION:1\n\
    #EXT-X-DEFINE:NAME=\"signature\",VALUE=\"hunter2-variable\"\n\
    #EXT-X-KEY:METHOD=AES-128,URI=\"key?hunter2-key\"\n#EXT-X-MAP:URI=\"init.mp4?hunter2-init\"\n\
    #EXT-X-DATERANGE:ID=\"hunter2-id\",START-DATE=\"2026-01-02T03:04:05Z\",X-AD=\"hunter2-ad\"\n\
    #EXTINF:1,hunter2-title\na.ts?{$signature}\n#EXTINF:1,\nb.ts;hunter2-parameter\n\
    #EXTINF:1,\n4f9c1e7ab3d05862f1c94e7da0b83561/c.ts\n#EXTINF:1,\ntoken/hunter2-folder/d.ts\n#EXT-X-ENDLIST\n";

/// A request, as the origin saw it.
struct Seen {
    path: String,
    headers: String,
}

/// Starts an origin that redirects to its playlist, sets a cookie, and records what it is sent.
fn origin(seen: &Arc<Mutex<Vec<Seen>>>, segment: fn() -> Answer) -> Scripted {
    let seen = Arc::clone(seen);
    Scripted::start_with(move |asked: &Asked| {
        let headers = ["authorization", "cookie", "x-key"].map(|name| asked.header(name).unwrap_or_default());
        seen.lock().unwrap().push(Seen { path: asked.path.clone(), headers: headers.join("\n") });
        let place = asked.path.split(['?', ';']).next().unwrap_or_default();
        match place {
            "/live.m3u8" => Answer::whole("302 Found", "text/plain", b"hunter2-body")
                .with("Location: /moved.m3u8?hunter2-redirect#hunter2-fragment")
                .with("Set-Cookie: sid=hunter2-session; Path=/"),
            "/moved.m3u8" => Answer::playlist(LIST).with("ETag: \"hunter2-tag\""),
            "/key" => Answer::whole("200 OK", "application/octet-stream", &[7; 16]),
            _ => segment(),
        }
    })
}

/// Returns the URL of the stream with its secrets.
fn url(origin: &Scripted) -> String {
    origin
        .url("/live.m3u8?token=hunter2-query#hunter2-fragment")
        .replace("http://", &format!("http://{USER}@"))
}

fn assert_sent(seen: &[Seen], place: &str, expected: &[&str]) {
    let sent = seen.iter().find(|seen| seen.path.starts_with(place));
    let Seen { path, headers } = sent.unwrap_or_else(|| panic!("{place} was not requested"));
    for text in expected {
        assert!(path.contains(text) || headers.contains(text), "{text} is not in {path}\n{headers}");
    }
}

#[test]
fn each_secret_reaches_its_origin_and_no_output() {
    let seen = Arc::default();
    let origin = origin(&seen, Answer::segment);
    let run = Run::load(&url(&origin), &["--header-env", &format!("Cookie={VARIABLE}")]).end();
    assert!(run.command_lines > 0 || !Path::new("/proc").exists(), "no command line was seen");
    run.assert_silent(0, &ALL);
    assert_eq!(run.json()["playback"]["started"], 1);
    let seen = seen.lock().unwrap();
    let basic = format!("Basic {}", BASE64_STANDARD.encode(USER));
    let given = [basic.as_str(), "hunter2-header", "given=hunter2-cookie"];
    assert_sent(&seen, "/live.m3u8", &[&given[..], &["token=hunter2-query"]].concat());
    assert_sent(&seen, "/moved.m3u8", &[&given[..], &["hunter2-redirect", "sid=hunter2-session"]].concat());
    for (place, secret) in [
        ("/key", "hunter2-key"),
        ("/init.mp4", "hunter2-init"),
        ("/a.ts", "hunter2-variable"),
        ("/b.ts", "hunter2-parameter"),
        ("/4f9c1e7a", TOKEN),
        ("/token/", "hunter2-folder"),
    ] {
        assert_sent(&seen, place, &[secret]);
    }
}

#[test]
fn the_secrets_of_a_plan_file_reach_their_origin_and_no_output() {
    let seen = Arc::default();
    let origin = origin(&seen, Answer::segment);
    let url = url(&origin);
    let plan = format!(
        "url = \"{url}\"\nclients = 1\nduration = \"4s\"\nno-tui = true\nallow-untrusted = true\n\
         report = [\"report.json\", \"report.txt\"]\nrecord = \"record.ndjson\"\nlog-file = \"log.txt\"\n\
         [headers]\nX-Key = \"hunter2-header\"\nCookie = {{ env = \"{VARIABLE}\" }}\n"
    );
    let run = Run::start(&["run", "plan.toml"], &[("plan.toml", &plan)]).end();
    run.assert_silent(0, &ALL);
    // Its password is not on the command line, where a warning would be due.
    assert!(!run.outputs["stderr"].contains("warning"), "{}", run.outputs["stderr"]);
    let basic = format!("Basic {}", BASE64_STANDARD.encode(USER));
    let given = [basic.as_str(), "hunter2-header", "given=hunter2-cookie", "token=hunter2-query"];
    assert_sent(&seen.lock().unwrap(), "/live.m3u8", &given);
    // The same options, printed and refused.
    let printed = Run::start(&["run", "plan.toml", "--print-plan"], &[("plan.toml", &plan)]).end();
    printed.assert_silent(0, &["stdout"]);
    let refused = [
        format!("{plan}Bad = [\"hunter2\"]\n"),
        plan.replace("clients = 1", "clients = \"token=hunter2\""),
        plan.replace("clients = 1", "hunter2 = 1"),
        plan.replace("no-tui = true", "no-tui = hunter2"),
        url.clone(),
    ];
    for plan in refused {
        Run::start(&["run", "plan.toml"], &[("plan.toml", &plan)]).end().assert_silent(2, &["stderr"]);
    }
}

#[test]
fn the_password_of_a_proxy_reaches_it_and_no_output() {
    let manner = || Manner::RelayFor("hunter2-user", "hunter2-password");
    for (scheme, is_secure) in [("http", false), ("http", true), ("socks5h", false)] {
        let (relay, plain) = (Relay::start(manner()), origin(&Arc::default(), Answer::segment));
        let secure = Secure::start(|path| match path.ends_with(".m3u8") {
            true => Answer::playlist("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\na.ts\n#EXT-X-ENDLIST\n"),
            false => Answer::segment(),
        });
        let url = if is_secure { secure.url("/live.m3u8") } else { plain.url("/live.m3u8") };
        let proxy = relay.url(scheme, &format!("{USER}@"));
        let outputs = [
            "--report",
            "report.json",
            "--report",
            "report.txt",
            "--record",
            "record.ndjson",
            "--log-file",
            "log.txt",
        ];
        let base = ["run", "@url", "--no-tui", "--allow-untrusted", "-c", "1", "-d", "4s", "--insecure"];
        let log = ["--log-file", "log.txt"];
        let line = [&base[..], &outputs, &log, &["--proxy", "env"]].concat();
        let run = Run::start_with(&line, &[("url", &url)], &[("all_proxy", &proxy)]).end();
        run.assert_silent(0, &ALL);
        assert!(!relay.seen().is_empty(), "the proxy was not used");
        // The same from a plan file, and with a wrong password.
        let plan = format!("url = \"{url}\"\nproxy = \"{}\"\n", proxy.replace("word", "w0rd"));
        let line = [&["run", "plan.toml"], &base[2..], &outputs].concat();
        let refused = Run::start(&line, &[("plan.toml", &plan)]).end();
        // Without TLS the refusal is an HTTP response.
        let code = if scheme == "http" && !is_secure { 5 } else { 3 };
        refused.assert_silent(code, &["stderr", "report.json", "report.txt"]);
        let printed = Run::start(&["run", "plan.toml", "--print-plan"], &[("plan.toml", &plan)]).end();
        printed.assert_silent(0, &["stdout"]);
        // no_proxy names the host.
        let free = [("all_proxy", &*proxy), ("no_proxy", "127.0.0.0/8")];
        let before = relay.seen().len();
        Run::start_with(&[&base[..], &outputs, &log, &["--proxy", "env"]].concat(), &[("url", &url)], &free)
            .end()
            .assert_silent(0, &ALL);
        assert_eq!(relay.seen().len(), before, "{scheme}");
    }
    for bad in ["ftp://hunter2@h", "http://hunter2:hunter2@h/path", "hunter2 hunter2"] {
        let line = ["run", "http://127.0.0.1:9/a.m3u8", "--proxy", "env"];
        Run::start_with(&line, &[], &[("https_proxy", bad)]).end().assert_silent(2, &["stderr"]);
    }
}

#[test]
fn the_secrets_of_an_exporter_reach_it_alone_and_no_output() {
    let (seen, asked) = (Arc::default(), Arc::new(Mutex::new(Vec::new())));
    let (origin, kept) = (origin(&seen, Answer::segment), Arc::clone(&asked));
    let exporter = Scripted::start_with(move |asked: &Asked| {
        let headers = ["authorization", "cookie", "x-key"].map(|name| asked.header(name).unwrap_or_default());
        kept.lock().unwrap().push(Seen { path: asked.path.clone(), headers: headers.join("\n") });
        Answer::whole("200 OK", "text/plain", b"node_load1{secret=\"hunter2\"} 1\nhunter2 1\n")
    });
    let url = origin.url("/live.m3u8");
    let secret = exporter.url("/metrics?token=hunter2-query").replace("http://", &format!("http://{USER}@"));
    let files = [("url", &*url), ("headers", "X-Key: hunter2-header\n"), ("exporter", &*secret)];
    let arguments = [
        "run",
        "@url",
        "--no-tui",
        "--allow-untrusted",
        "-c",
        "1",
        "-d",
        "4s",
        "--header",
        "@headers",
        "--report",
        "report.json",
        "--report",
        "report.txt",
        "--record",
        "record.ndjson",
        "--log-file",
        "log.txt",
        "--origin-metrics",
        "@exporter",
    ];
    let run = Run::start(&arguments, &files).end();
    run.assert_silent(0, &ALL);
    assert_eq!(run.json()["origin_metrics"][0]["load_1m"]["max"], 1.0);
    let asked = asked.lock().unwrap();
    let basic = format!("Basic {}", BASE64_STANDARD.encode(USER));
    assert_sent(&asked, "/metrics", &[&basic, "token=hunter2-query"]);
    assert!(asked.iter().all(|seen| !seen.headers.contains("hunter2-header")), "a header of the target");
    assert!(
        seen.lock().unwrap().iter().all(|seen| !seen.headers.contains(&basic)),
        "credentials of the exporter"
    );
    for wrong in ["ftp://hunter2", "https://hunter2@h/a b\nhunter2", "@hunter2"] {
        let files = [("url", &*url), ("exporter", wrong)];
        let arguments = ["run", "@url", "--no-tui", "-d", "1s", "--origin-metrics", "@exporter"];
        let run = Run::start(&arguments, &files).end();
        run.assert_silent(2, &["stderr"]);
        assert!(
            run.outputs["stderr"].starts_with("hlswarm: --origin-metrics @exporter: "),
            "{}",
            run.outputs["stderr"]
        );
    }
}

#[test]
fn the_data_of_a_client_reach_its_origin_and_no_output() {
    let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
    let origin = Scripted::start_with({
        let seen = Arc::clone(&seen);
        move |asked: &Asked| {
            let headers = asked.header("x-key").unwrap_or_default();
            seen.lock().unwrap().push(Seen { path: asked.path.clone(), headers });
            match asked.path.split('?').next().unwrap_or_default().rsplit('/').next().unwrap_or_default() {
                name if name.ends_with(".m3u8") => Answer::playlist(LIST),
                "key" => Answer::whole("200 OK", "application/octet-stream", &[7; 16]),
                "init.mp4" => Answer::segment(),
                // The report explains a failure with its URL, whose path holds the client's value.
                _ => Answer::whole("404 Not Found", "text/plain", b"no hunter2-body"),
            }
        }
    });
    let plan = format!(
        "url = \"{}\"\nclients = 2\nduration = \"4s\"\nno-tui = true\nallow-untrusted = true\ndata = \"clients.csv\"\n\
         report = [\"report.json\", \"report.txt\"]\nrecord = \"record.ndjson\"\nlog-file = \"log.txt\"\n[headers]\nX-Key = \"key {{token}}\"\n",
        origin.url("/of/{name}/live-{name}.m3u8?t={token}")
    );
    let data =
        "name,token,unused\nhunter2-a,hunter2-token,hunter2-unused\n\"hunter2 b\",\"hunter2,token\",\n";
    let files = [("plan.toml", &*plan), ("clients.csv", data)];
    let run = Run::start(&["run", "plan.toml"], &files).end();
    let code = run.exit_code.unwrap();
    run.assert_silent(code, &ALL);
    {
        let seen = seen.lock().unwrap();
        assert_sent(&seen, "/of/hunter2-a/live-hunter2-a.m3u8", &["?t=hunter2-token", "key hunter2-token"]);
        assert_sent(
            &seen,
            "/of/hunter2%20b/live-hunter2%20b.m3u8",
            &["?t=hunter2,token", "key hunter2,token"],
        );
        assert_sent(&seen, "/of/hunter2-a/a.ts", &["key hunter2-token"]);
    }
    // Only the response itself is left out of the record: it may echo the data of any client.
    let example = run.examples().next().expect("an example");
    assert!(example["url"].is_string() && example["edge"].is_string(), "{example}");
    assert!(run.examples().all(|it| it["words"].is_null() && it["ids"].is_null()));
    for (data, code) in
        [(data, 0), ("hunter2,token\n1,2\n", 2), ("name,token\nhunter2\n", 2), ("name,token\n\"hunter2\n", 2)]
    {
        let files = [("plan.toml", &*plan), ("clients.csv", data)];
        let output = if code == 0 { "stdout" } else { "stderr" };
        Run::start(&["run", "plan.toml", "--print-plan"], &files).end().assert_silent(code, &[output]);
    }
}

#[test]
fn a_failed_segment_is_reported_without_its_secrets() {
    let failures: [fn() -> Answer; 3] = [
        || {
            Answer::whole(
                "403 hunter2-reason",
                "text/html; token=hunter2-type",
                b"denied: token=hunter2-body",
            )
        },
        || Answer::whole("200 OK", "text/html; token=hunter2-type", b"<a href='?hunter2-body'>"),
        || Answer::whole("302 Found", "text/plain", b"").with("Location: ftp://hunter2@h/hunter2-location"),
    ];
    for failure in failures {
        let origin = origin(&Arc::default(), failure);
        let run = Run::load(&url(&origin), &["--decrypt"]).end();
        let code = run.exit_code.unwrap();
        assert!([0, 3].contains(&code), "{}", run.outputs["stderr"]);
        run.assert_silent(code, &ALL);
    }
}

#[test]
fn an_origin_that_echoes_a_request_makes_no_output_show_its_secrets() {
    // Each line of the answer is all that the origin knows of the request.
    let origin = Scripted::start_with(|asked: &Asked| {
        let headers = ["authorization", "cookie", "x-key"].map(|name| asked.header(name).unwrap_or_default());
        let echo = format!("{} {}", asked.path, headers.join(" "));
        match asked.path.split(['?', ';']).next().unwrap_or_default() {
            "/live.m3u8" => Answer::playlist(LIST).with("Set-Cookie: sid=hunter2-session; Path=/"),
            "/key" => Answer::whole("200 OK", "application/octet-stream", &[7; 16]),
            _ => Answer::whole("404 Not Found", "text/html", format!("<b>no {echo}</b>").as_bytes())
                .with(&format!("X-Request-ID: req-4711 {} {}", headers[2], headers[1]))
                .with("CF-Ray: 8f2a1b3c4d5e6f70-FRA"),
        }
    });
    let run = Run::load(&url(&origin), &["--header-env", &format!("Cookie={VARIABLE}")]).end();
    run.assert_silent(run.exit_code.unwrap(), &ALL);
    let examples: Vec<_> = run.examples().filter(|line| line["words"].is_string()).collect();
    assert!(!examples.is_empty(), "{}", run.outputs["record.ndjson"]);
    for example in examples {
        let [ids, words] = ["ids", "words"].map(|name| example[name].as_str().unwrap());
        // The last header line comes first.
        let plain = "cf-ray 8f2a1b3c4d5e6f70-FRA, x-request-id req-4711 ***";
        assert!(ids.starts_with(plain), "{ids}");
        assert!(words.starts_with("no /") && words.contains("***"), "{words}");
    }
}

#[test]
fn an_echo_of_cookies_and_of_the_login_of_a_proxy_is_shown_in_no_output() {
    let origin = Scripted::start_with(|asked: &Asked| {
        // Words alone: without `=`, only what the run knows tells a secret from a name.
        let cookies = asked.header("cookie").unwrap_or_default().replace(['=', ';'], " ");
        match asked.path.split(['?', ';']).next().unwrap_or_default() {
            "/live.m3u8" => Answer::playlist(LIST).with("Set-Cookie: sid=hunter2-session; Path=/"),
            _ => Answer::whole("404 Not Found", "text/plain", format!("no {cookies} {USER}").as_bytes())
                .with(&format!("X-Request-ID: {}", BASE64_STANDARD.encode(USER)))
                // The cookie that the request has carried is in the jar no longer.
                .with("Set-Cookie: sid=gone; Path=/; Max-Age=0"),
        }
    });
    let proxy = Relay::start(Manner::RelayFor("hunter2-user", "hunter2-password"));
    let proxy = proxy.url("http", &format!("{USER}@"));
    let (url, jar) = (origin.url("/live.m3u8"), "127.0.0.1\tFALSE\t/\tFALSE\t0\tgiven\thunter2-jar\n");
    let base = ["run", "@url", "--no-tui", "--allow-untrusted", "-c", "1", "-d", "4s"];
    let outputs = ["--report", "report.json", "--report", "report.txt", "--record", "record.ndjson"];
    let given = ["--cookie-jar", "cookies", "--proxy", "env", "--log-file", "log.txt"];
    let files = [("url", &*url), ("cookies", jar)];
    let run =
        Run::start_with(&[&base[..], &outputs, &given].concat(), &files, &[("all_proxy", &proxy)]).end();
    run.assert_silent(run.exit_code.unwrap(), &ALL);
    let mut shown = run.examples().map(|example| format!("{} {}", example["words"], example["ids"]));
    let expected = "\"no given ***  sid *** ***:***\" \"x-request-id ***=\"";
    assert!(shown.any(|shown| shown == expected), "{}", run.outputs["record.ndjson"]);
}

#[test]
fn a_page_that_comes_instead_of_a_playlist_is_quoted_without_its_secrets() {
    for page in [
        "{\"a\":\"http://a/\",\"b\":\"https://h/?hunter2\"}",
        "<a href='http://a/'><a href='https://hunter2:hunter2@h/?hunter2'>",
        "Bearer hunter2 is not token=hunter2",
        "4f9c1e7ab3d05862f1c94e7da0b83561",
    ] {
        let origin = Scripted::start(move |_| Answer::whole("200 OK", "text/html", page.as_bytes()));
        let url = url(&origin);
        let run = Run::load(&url, &[]).end();
        run.assert_silent(3, &["stderr", "report.json", "report.txt"]);
        assert!(run.json()["failure_details"]["playlist.not_m3u8"].is_string(), "{page}");
        // `check` quotes the page too, whether it loads it or reads it from a file.
        for arguments in [&["check", "@url", "-d", "1s"][..], &["check", "list.m3u8", "--json"]] {
            Run::start(arguments, &[("url", &url), ("list.m3u8", page)]).end().assert_silent(3, &["stdout"]);
        }
    }
}

#[test]
fn a_panic_shows_no_secret() {
    let origin = origin(&Arc::default(), Answer::segment);
    let files = [("url", &*url(&origin)), ("headers", "X-Key: hunter2-header\n")];
    let arguments = [
        "run",
        "@url",
        "--no-tui",
        "--allow-untrusted",
        "-c",
        "1",
        "-d",
        "2s",
        "--header",
        "@headers",
        "--log-file",
        "log.txt",
    ];
    let environment = [("HLSWARM_PANIC", "client:1"), ("RUST_BACKTRACE", "full")];
    let run = Run::start_with(&arguments, &files, &environment).end();
    // Release builds have no place to panic at.
    let code = if cfg!(debug_assertions) { 70 } else { 0 };
    run.assert_silent(code, &["stdout", "stderr", "log.txt"]);
    assert!(!cfg!(debug_assertions) || run.outputs["stderr"].contains("panicked"));
}

/// Starts a TLS server whose certificate names only `name`, and whose subject and issuer are secrets. Returns its port
/// and its certificate.
fn tls_server(name: &str) -> (u16, String) {
    let key = rcgen::KeyPair::generate().unwrap();
    let mut parameters = rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap();
    // A certificate that signs itself has its subject as issuer.
    for kind in [rcgen::DnType::CommonName, rcgen::DnType::OrganizationName] {
        parameters.distinguished_name.push(kind, "hunter2-subject");
    }
    let certificate = parameters.self_signed(&key).unwrap();
    let private_key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], private_key)
        .unwrap();
    let (config, listener) = (Arc::new(config), TcpListener::bind("127.0.0.1:0").unwrap());
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut connection = rustls::ServerConnection::new(Arc::clone(&config)).unwrap();
            // The client refuses the certificate: the handshake fails.
            _ = connection.complete_io(&mut stream);
            _ = stream.flush();
        }
    });
    (port, certificate.pem())
}

#[test]
fn no_name_in_a_certificate_is_shown_as_it_is() {
    let (port, pem) = tls_server(&format!("{TOKEN}.cdn.example"));
    let url = format!("https://{USER}@localhost:{port}/live.m3u8?hunter2");
    let arguments = ["run", "@url", "--no-tui", "--allow-untrusted", "-c", "1", "-d", "2s"];
    let outputs = ["--report", "report.json", "--report", "report.txt", "--record", "record.ndjson"];
    let failure = |trust: &[&str], outcome: &str| {
        let files = [("url", &*url), ("ca.pem", &*pem)];
        let run = Run::start(&[&arguments[..], &outputs, trust].concat(), &files).end();
        run.assert_silent(3, &["stderr", "report.json", "report.txt", "record.ndjson"]);
        let report = run.json();
        assert!(report["outcomes"][outcome].is_u64(), "no {outcome}: {}", report["outcomes"]);
        report["failure_details"][outcome].to_string()
    };
    let why = failure(&["--cacert", "ca.pem"], "tls.cert");
    assert!(why.contains("not valid for name") && why.contains("***"), "{why}");
    let why = failure(&[], "tls.cert");
    assert!(why.contains("UnknownIssuer"), "{why}");
    // Nothing is said about a certificate that is not checked. The server closes the connection after the handshake.
    failure(&["--insecure"], "conn.eof");
}

#[test]
fn the_token_of_a_control_port_is_in_no_output() {
    let origin = origin(&Arc::default(), Answer::segment);
    let run = Run::load(&url(&origin), &["--control", "127.0.0.1:0"]);
    let deadline = Instant::now() + LIMIT;
    let file = loop {
        let said = fs::read_to_string(run.folder.path().join("stderr")).unwrap();
        if let Some((_, file)) = said.split_once("(token in ") {
            break PathBuf::from(file.split(')').next().unwrap());
        }
        assert!(Instant::now() < deadline, "no token: {said}");
        thread::sleep(POLL);
    };
    let token = fs::read_to_string(file).unwrap();
    assert_eq!(token.trim().len(), 64);
    let shown = run.end();
    shown.assert_silent(0, &ALL);
    for (name, text) in &shown.outputs {
        assert!(!text.contains(token.trim()), "the token is in {name}");
    }
}

/// Returns the limit of core dumps that is in effect for a run in progress (proc_pid_limits(5)).
#[cfg(target_os = "linux")]
fn core_limit(url: fn(&Scripted) -> String, options: &[&str]) -> String {
    let (seen, asked) = std::sync::mpsc::channel();
    let origin = Scripted::start(move |_| {
        _ = seen.send(());
        Answer::playlist("#EXTM3U\n#EXT-X-TARGETDURATION:1\n")
    });
    let base = ["run", "@url", "--no-tui", "--allow-untrusted", "-c", "1", "-d", "30s"];
    let files = [("url", &*url(&origin)), ("headers", "X-Key: hunter2\n")];
    let run = Run::start(&[&base[..], options].concat(), &files);
    asked.recv_timeout(LIMIT).unwrap();
    let limits = fs::read_to_string(format!("/proc/{}/limits", run.child.id())).unwrap();
    let line = limits.lines().find_map(|line| line.strip_prefix("Max core file size")).unwrap();
    line.split_whitespace().next().unwrap().to_owned()
}

#[cfg(target_os = "linux")]
#[test]
fn a_run_with_a_secret_leaves_no_core_dump() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    // The program inherits the limit. Where it is 0 and may not be raised, there is nothing to lower.
    let maximum = getrlimit(Resource::Core).maximum;
    setrlimit(Resource::Core, Rlimit { current: maximum, maximum }).unwrap();
    let inherited = maximum.map_or("unlimited".to_owned(), |bytes| bytes.to_string());
    let plain = |origin: &Scripted| origin.url("/live.m3u8");
    assert_eq!(core_limit(plain, &[]), inherited, "without a secret");
    assert_eq!(core_limit(url, &[]), "0", "with a secret in the URL");
    assert_eq!(core_limit(plain, &["--header", "@headers"]), "0", "with one in a header");
    let proxy = Relay::start(Manner::Relay).url("http", "user:password@");
    assert_eq!(core_limit(plain, &["--proxy", &proxy]), "0", "with one for a proxy");
}
