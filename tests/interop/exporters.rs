//! The real exporters of a machine and of nginx beside a load on that nginx: the report shows what they tell, and
//! exporters that are killed are reported and harm nothing.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::origin::Origin;
use crate::program::Program;
use crate::requirements;

const NODE: &str = "prometheus-node-exporter";
const NGINX: &str = "prometheus-nginx-exporter";
const CLIENTS: u64 = 30;
const DURATION_S: u64 = 30;
const LIMIT: Duration = Duration::from_secs(DURATION_S + 30);
const START_LIMIT: Duration = Duration::from_secs(20);
/// Time after which the values of an exporter that was killed are unknown, with room for a busy machine.
const UNKNOWN_AFTER: Duration = Duration::from_secs(12);
const POLL: Duration = Duration::from_millis(50);

/// A running exporter; it is killed when dropped.
struct Exporter {
    child: Child,
    port: u16,
}

impl Exporter {
    fn start(program: &str, options: &[&str]) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let child = Command::new(requirements::path_of(program))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .args(options)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let exporter = Self { child, port };
        let deadline = Instant::now() + START_LIMIT;
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < deadline, "{program} does not listen");
            thread::sleep(POLL);
        }
        exporter
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

impl Drop for Exporter {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn the_exporters_of_the_origin_are_shown_and_their_end_is_harmless() {
    if !requirements::are_met(&[NODE, NGINX]) {
        return;
    }
    let Some(mut origin) = Origin::start() else { return };
    // Debian leaves out the loopback device, on which this load is.
    let node = Exporter::start(NODE, &["--collector.netdev.device-exclude=^$"]);
    let nginx = Exporter::start(NGINX, &[&format!("--nginx.scrape-uri={}", origin.url("/status"))]);
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let html = folder.path().join("run.html");
    let [clients, duration] = [CLIENTS.to_string(), format!("{DURATION_S}s")];
    let [node_url, nginx_url, html] = [node.url(), nginx.url(), html.to_str().unwrap().to_owned()];
    let options = [
        "-c",
        &clients,
        "--ramp-rate",
        &clients,
        "-d",
        &duration,
        "--report",
        &html,
        "--origin-metrics",
        &node_url,
        "--origin-metrics",
        &nginx_url,
    ];
    let program = Program::start(&origin.url("/ts/master.m3u8"), &options);
    // The line of a second has the values of both exporters.
    let shown =
        |line: &str| line.contains(" origin CPU ") && line.contains(", out ") && line.contains(", conns ");
    let deadline = Instant::now() + LIMIT;
    while !program.said().lines().any(|line| shown(line) && line.contains("req/s")) {
        assert!(Instant::now() < deadline, "{}", program.said());
        thread::sleep(POLL);
    }
    // Long enough for a rate of each counter while all clients play.
    thread::sleep(Duration::from_secs(8));
    drop((node, nginx));
    let killed = Instant::now();
    program.wait_until_it_said("fail: connection refused");
    let run = program.end_within(LIMIT);
    let is_unknown = killed.elapsed() > UNKNOWN_AFTER;
    let log = origin.stop_and_read_log();
    run.assert_exit_code(0);
    assert_eq!(run.report.count("/requests/started"), log.requests(), "scrapes are no requests of the load");
    let of = |place: usize, path: &str| run.report.number(&format!("/origin_metrics/{place}/{path}"));
    assert!(of(0, "cpu_share/max") > 0.0 && of(0, "cpu_share/max") <= 1.0);
    assert!(of(0, "network_out_bits_per_second/max") > 1e5, "the loopback device carries the stream");
    assert!(of(0, "memory_available_bytes/min") > 0.0 && of(0, "load_1m/max") > 0.0);
    assert!(of(1, "connections/max") >= CLIENTS as f64, "{}", of(1, "connections/max"));
    assert!(of(1, "requests_per_second/max") > 1.0);
    for place in 0..2 {
        let exporter = &run.report.value()["origin_metrics"][place];
        assert_eq!(
            (&exporter["state"], &exporter["problem"]),
            (&"failing".into(), &"connection refused".into())
        );
        assert!(exporter["failures"].as_u64().unwrap() > 0);
        assert!(!is_unknown || exporter["cpu_share"]["last"].is_null(), "{exporter}");
    }
    let page = fs::read_to_string(html).unwrap();
    assert!(page.contains("as its exporters tell") && page.contains(&nginx_url), "no section");
}
