//! Metrics of the real program: they are the numbers of the report, and no scraper harms the run.

use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use crate::exposition::{ask, assert_equal, get, parse, port, sum};
use crate::program::Program;
use crate::scripted::{Answer, Scripted};

const LIMIT: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(200);

#[test]
fn the_last_scrape_has_the_numbers_of_the_report() {
    let load = ["-c", "5", "--ramp-time", "0", "-d", "5s", "--fault", "segment:503:20%"];
    let others = ["--metrics", "127.0.0.1:0", "--threshold", "error_rate<90%"];
    let program = Program::start_command(&["demo"], &[&load[..], &others].concat());
    let port = port(&program);
    let mut bodies = Vec::new();
    let deadline = Instant::now() + LIMIT;
    // The endpoint is gone when the program has ended.
    while let Ok(body) = get(port, "/metrics") {
        assert!(Instant::now() < deadline, "still served");
        bodies.push(body);
        thread::sleep(PAUSE);
    }
    let run = program.end_within(LIMIT);
    run.assert_exit_code(0);
    assert!(bodies.len() > 10, "{}", bodies.len());
    let last = parse(bodies.last().unwrap());
    assert!(sum(&last, "http_errors_total").is_some_and(|errors| errors > 0.0), "{last:?}");
    assert_equal(&last, &run.report);
    assert_eq!(sum(&last, "threshold_ok"), Some(1.0));
    for two in bodies.windows(2) {
        let [before, after] =
            [&two[0], &two[1]].map(|body| sum(&parse(body), "bytes_downloaded_total").unwrap());
        assert!(after >= before, "{after} after {before}");
    }
}

#[test]
fn probes_and_formats_are_served_while_the_load_lasts() {
    let load = [
        "--healthy",
        "-c",
        "2",
        "--ramp-time",
        "0",
        "-d",
        "4s",
        "--metrics",
        "127.0.0.1:0",
        "--metrics-per-client",
    ];
    let program = Program::start_command(&["demo"], &load);
    program.wait_until_it_said("RUNNING");
    let port = port(&program);
    assert_eq!(get(port, "/healthz").unwrap(), "ok\n");
    assert_eq!(get(port, "/readyz").unwrap(), "ready\n");
    let series = parse(&get(port, "/metrics").unwrap());
    let clients = series.iter().filter(|series| series.name == "client_bytes_total");
    assert_eq!(clients.map(|series| series.labels["client_id"].as_str()).collect::<Vec<_>>(), ["1", "2"]);
    let open = ask(port, b"GET /metrics HTTP/1.1\r\nAccept: application/openmetrics-text\r\n\r\n").unwrap();
    assert!(
        open.contains("\r\nContent-Type: application/openmetrics-text; ") && open.ends_with("\n# EOF\n"),
        "{open}"
    );
    let head = ask(port, b"HEAD /metrics HTTP/1.1\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n") && head.ends_with("\r\n\r\n"), "{head}");
    for (request, status) in [("GET /other", "404"), ("PUT /metrics", "405")] {
        let reply = ask(port, format!("{request} HTTP/1.1\r\n\r\n").as_bytes()).unwrap();
        assert!(reply.starts_with(&format!("HTTP/1.1 {status} ")), "{reply}");
    }
    program.end_within(LIMIT).assert_exit_code(0);
}

#[test]
fn scrapers_that_misbehave_do_not_hold_up_a_run() {
    let load = ["--healthy", "-c", "3", "--ramp-time", "0", "-d", "4s", "--metrics", "127.0.0.1:0"];
    let program = Program::start_command(&["demo"], &load);
    let port = port(&program);
    let connect = || TcpStream::connect(("127.0.0.1", port)).unwrap();
    let mut large = connect();
    // The other side may close before everything is sent.
    _ = large.write_all(&vec![b'x'; 1 << 20]);
    let silent: Vec<_> = (0..30).map(|_| connect()).collect();
    let unread: Vec<_> = (0..30)
        .map(|_| {
            let mut stream = connect();
            stream.write_all(b"GET /metrics HTTP/1.1\r\n\r\n").unwrap();
            stream
        })
        .collect();
    let run = program.end_within(LIMIT);
    run.assert_exit_code(0);
    assert_eq!(run.report.count("/requests/finished"), run.report.count("/outcomes/ok"));
    assert!(!run.stderr().contains("panicked"), "{}", run.stderr());
    drop((large, silent, unread));
}

#[test]
fn a_port_that_is_taken_is_one_line_and_code_2_and_nothing_is_sent() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let origin = TcpListener::bind("127.0.0.1:0").unwrap();
    origin.set_nonblocking(true).unwrap();
    let url = format!("http://{}/a.m3u8", origin.local_addr().unwrap());
    let run = Program::start(&url, &["-d", "1s", "--metrics", &address]).end_within(LIMIT);
    run.assert_exit_code(2);
    let said = run.stderr();
    assert!(said.starts_with(&format!("hlswarm: --metrics {address}: Address already in use")), "{said}");
    assert_eq!((said.lines().count(), run.stdout()), (1, String::new()), "{said}");
    assert!(origin.accept().is_err(), "something was sent");
}

#[test]
fn a_token_of_the_url_is_in_no_scrape() {
    let playlist = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\na.ts?token=hunter2\n";
    let origin = Scripted::start(move |path| match path.contains(".m3u8") {
        true => Answer::playlist(playlist),
        false => Answer::segment(),
    });
    let url = origin.url("/a.m3u8?token=hunter2").replace("http://", "http://user:hunter2@");
    let load = [
        "-c",
        "2",
        "-d",
        "4s",
        "--header",
        "X-Key: hunter2",
        "--metrics",
        "127.0.0.1:0",
        "--metrics-per-client",
    ];
    let program = Program::start(&url, &load);
    let port = port(&program);
    program.wait_until_it_said("RUNNING");
    let body = get(port, "/metrics").unwrap();
    assert!(body.contains("stream_url=\"http://127.0.0.1") && !body.contains("hunter2"), "{body}");
    program.end_within(LIMIT);
}
