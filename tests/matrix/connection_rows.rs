//! C1 to C9 and C13 to C17: connections, TLS and names. Rows of HTTP/2 are in `http2_rows.rs`.

use std::collections::BTreeSet;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use rcgen::date_time_ymd;
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketType, bind, listen, socket};
use rustix::process::Signal;

use crate::certificates::{Authority, self_signed};
use crate::expectations::assert_common;
use crate::http2_rows;
use crate::names::{NOT_ROOT, Names};
use crate::origin::{Answer, Asked, Log, Origin, Step, serve};
use crate::preload;
use crate::process_rows::wait_for_segments;
use crate::program::{Ended, HLSWARM, Program, Start, folder};
use crate::rows::{Case, Row, row};
use crate::streams::{PATIENT, live, vod};

/// Returns the rows.
pub fn rows() -> Vec<Row> {
    [broken(), kept(), certificates(), vec![names()], machine(), slow()].into_iter().flatten().collect()
}

/// Returns the head of a segment of 100,000 bytes and the first 30,000 of its body.
fn begun() -> Answer {
    Answer::head("200 OK", "Content-Type: video/mp2t\r\nContent-Length: 100000\r\n").send(vec![0x47; 30_000])
}

/// Returns an origin at a port on which nothing listens.
fn down() -> Origin {
    let origin = Origin::start(|_| Answer::default());
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    Origin { address: port, ..origin }
}

/// Returns an origin whose queue of connections is full, so that the kernel ignores every further one.
pub fn black_hole() -> Origin {
    let listener = socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
    bind(&listener, &SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    listen(&listener, 0).unwrap();
    let listener = TcpListener::from(listener);
    let address = listener.local_addr().unwrap();
    // The queue takes one more than its length. Others would wait for good: they are tried in the background.
    let fill = TcpStream::connect(address).unwrap();
    thread::spawn(move || {
        _ = TcpStream::connect_timeout(&address, Duration::from_secs(60));
        drop((fill, listener));
    });
    Origin { address, ..Origin::start(|_| Answer::default()) }
}

fn broken() -> Vec<Row> {
    let cut =
        |label, answer: Answer, end: Step, outcome| Case::segments(label, answer.then(end)).fails(outcome);
    let half_head = || Answer::raw("HTTP/1.1 200 OK\r\nContent-Le");
    let waits = || Answer::default().then(Step::Pause(Duration::from_millis(100)));
    let half_chunk = Answer::head("200 OK", "Transfer-Encoding: chunked\r\n").send("5\r\nabc");
    let partial = |case: Case, outcome: &'static str| {
        case.holds(move |run, log| {
            let failed = run.count(&format!("/kinds/segment/outcomes/{outcome}"));
            let bytes = run.count(&format!("/kinds/segment/outcome_bytes/{outcome}"));
            assert_eq!(bytes, failed * 30_000, "partial bytes count");
            assert_eq!(run.count("/connections/stale_retries"), 0, "bytes had come: no retry");
            assert_eq!(log.requests().len() as u64, run.count("/requests/started"));
        })
    };
    let at_once = cut("at once", Answer::default(), Step::Reset, "conn.reset").holds(|run, log| {
        let retried = run.count("/connections/stale_retries");
        assert_eq!(log.requests().len() as u64, run.count("/requests/started") + retried);
    });
    vec![
        row("C1", "an origin that refuses connections")
            .case(Case::with_origin("refused", down).fails("conn.refused").clients(20).by_itself().holds(
                |run, _| {
                    assert!(run.count("/requests/started") <= 3, "one client shows it, and none follows");
                    assert!(run.output("stderr").contains("preflight"), "{}", run.output("stderr"));
                },
            ))
            .case(
                Case::with_origin("refused by all", down)
                    .fails("conn.refused")
                    .clients(10)
                    .options(&["--skip-preflight", "-d", "4s", "--player", "persistent"])
                    .by_itself()
                    .holds(|run, _| {
                        // Not more than a connection a second and client.
                        let most = 10.0 * (run.number("/run/duration_s") + 2.0);
                        assert!((run.count("/requests/started") as f64) < most, "{}", run.report["requests"]);
                    }),
            ),
        row("C2", "a reset")
            .case(at_once)
            .case(cut("in the head", half_head().and(waits()), Step::Reset, "conn.reset"))
            .case(partial(cut("in the body", begun().and(waits()), Step::Reset, "conn.reset"), "conn.reset")),
        row("C3", "a connection that is closed early")
            .case(partial(cut("in the body", begun(), Step::Close, "body.short"), "body.short"))
            .case(cut("in the head", half_head(), Step::Close, "conn.eof"))
            .case(cut("in a chunk", half_chunk, Step::Close, "body.short")),
        row("C4", "connections that are never accepted")
            .case(Case::with_origin("full queue", black_hole).fails("timeout.connect")),
        row("C5", "an origin that never answers").case(
            Case::new("silence", |_| Answer::default().then(Step::Silence))
                .options(&["--timeout", "1s"])
                .fails("timeout.first_byte"),
        ),
    ]
}

fn kept() -> Vec<Row> {
    let sound = |asked: &Asked, segments| match asked.is_playlist() {
        true => Answer::playlist(vod(segments)),
        false => Answer::segment(),
    };
    let dead = Case::new("dead after three responses", move |asked| match (asked.connection, asked.place) {
        (0 | 1, 3..) => Answer::default().then(Step::Silence),
        _ => sound(asked, 6),
    });
    let polite = Case::new("after each second response", move |asked| match asked.place {
        0 => sound(asked, 6),
        _ => sound(asked, 6).then(Step::Close),
    });
    let race = Case::new("instead of each third response", move |asked| match asked.place {
        0 | 1 => sound(asked, 6),
        _ => Answer::default().then(Step::Close),
    });
    // An origin that has closed a connection does not read what was sent on it meanwhile.
    let counted = |run: &Ended, log: &Log| {
        let started = run.count("/requests/started");
        let sent = started + run.count("/connections/stale_retries");
        assert!((started..=sent).contains(&(log.requests().len() as u64)), "each request is known");
        assert_eq!(run.count("/connections/opened"), log.connections() as u64);
    };
    vec![
        row("C6", "connections whose other end has died")
            .case(
                dead.options(&["--timeout", PATIENT])
                    .fails("timeout.first_byte")
                    .and_ok()
                    .exit(0)
                    .alone()
                    .by_itself()
                    .holds(|run, _| {
                        assert_eq!(
                            run.count("/outcomes/timeout.first_byte"),
                            2,
                            "a dead connection is not used again"
                        );
                        assert_eq!(run.count("/playback/finished_clients"), 2);
                    }),
            )
            .case(http2_rows::half_open()),
        row("C7", "a connection that is closed as a request is sent")
            .case(polite.holds(counted))
            .case(race.holds(counted).holds(|run, _| assert!(run.count("/connections/stale_retries") > 0))),
    ]
}

fn certificates() -> Vec<Row> {
    let authority = Arc::new(Authority::new());
    let files = Arc::new(folder());
    let trusted = files.path().join("ca.pem");
    std::fs::write(&trusted, authority.pem()).unwrap();
    let trusted = trusted.to_str().unwrap().to_owned();
    let tls = move |label, config: Arc<rustls::ServerConfig>| {
        Case::with_origin(label, move || {
            Origin::tls(
                Arc::clone(&config),
                Arc::new(
                    |asked| if asked.is_playlist() { Answer::playlist(vod(2)) } else { Answer::segment() },
                ),
            )
        })
        .keeps(Arc::clone(&files))
    };
    let with = |label, config| tls(label, config).options(&["--cacert", &trusted]);
    let changed = |change: fn(&mut rcgen::CertificateParams)| authority.server_with("127.0.0.1", &[], change);
    let blunt = |label, answer: Answer, outcome| {
        Case::with_origin(label, move || Origin::blunt("https", answer.clone())).fails(outcome)
    };
    // A ServerHello of TLS 1.0 (RFC 2246 section 7.4.1.3): its version is not among those that were offered.
    let old = [&[0x16, 3, 1, 0, 42, 2, 0, 0, 38, 3, 1][..], &[7; 32], &[0, 0, 0x2f, 0]].concat();
    let endless = [&[0x16, 3, 3, 0x40, 0, 2, 0xff, 0xff, 0xff][..], &[b'x'; 16_380]].concat();
    let record = [&[0x16, 3, 3, 0x40, 0][..], &[b'x'; 16_384]].concat();
    vec![
        row("C8", "TLS that is not to be trusted, or is none")
            .case(with("right", authority.server("127.0.0.1", &[])))
            .case(
                with("another name", authority.server("other.test", &[]))
                    .fails("tls.cert")
                    .explains("tls.cert", "name"),
            )
            .case(
                with("expired", changed(|params| params.not_after = date_time_ymd(2020, 1, 1)))
                    .fails("tls.cert")
                    .explains("tls.cert", "expired"),
            )
            .case(
                with("not valid yet", changed(|params| params.not_before = date_time_ymd(4000, 1, 1)))
                    .fails("tls.cert"),
            )
            .case(tls("unknown authority", authority.server("127.0.0.1", &[])).fails("tls.cert"))
            .case(tls("self-signed", self_signed("127.0.0.1")).fails("tls.cert"))
            .case(tls("not verified", self_signed("127.0.0.1")).options(&["--insecure"]).holds(|run, _| {
                assert_eq!(run.report["run"]["tls_verified"], false);
                assert!(run.output("report.txt").to_lowercase().contains("not verified"));
            }))
            .case(
                with("a chain of 300", authority.server_with_chain("127.0.0.1", 300)).fails("tls.handshake"),
            )
            .case(blunt("TLS 1.0", Answer::raw(old), "tls.handshake"))
            .case(blunt("an alert", Answer::raw(&b"\x15\x03\x01\0\x02\x02\x46"[..]), "tls.handshake"))
            .case(blunt("garbage", Answer::raw(vec![0xa5; 500]), "tls.handshake"))
            .case(blunt("plain HTTP", Answer::raw("HTTP/1.1 400 Bad Request\r\n\r\n"), "tls.handshake"))
            .case(blunt("closed", Answer::default(), "tls.handshake"))
            .case(blunt("silent", Answer::default().then(Step::Silence), "timeout.tls"))
            .case(blunt("endless", Answer::raw(endless).then(Step::Flood(record.into())), "tls.handshake")),
    ]
}

fn names() -> Row {
    let row = row("C9", "names that cannot be resolved, and their addresses");
    let Some(names) = Names::shared() else { return row.lacks(NOT_ROOT) };
    let case = |name: &'static str| {
        let plays =
            |asked: &Asked| if asked.is_playlist() { Answer::playlist(vod(2)) } else { Answer::segment() };
        Case::new(name, plays)
            .resolved_host(name)
            .shell(names.script("\"$0\" \"$@\""))
            .keeps(names.folder())
            .alone()
    };
    row.case(case("well.matrix.test"))
        .case(case("nx.matrix.test").fails("dns.nx").exit(5).by_itself())
        .case(case("fail.matrix.test").fails("dns.servfail"))
        .case(case("silent.matrix.test").fails("timeout.dns"))
        .case(case("many.matrix.test"))
        .case(case("crowd.matrix.test").holds(|run, _| {
            let edges: Vec<_> = run.report["audience"]["edges"].as_object().unwrap().keys().collect();
            assert!(edges.len() == 1 && edges[0].starts_with("127.0.0.1:"), "{edges:?}");
        }))
        .case(case("dead6.matrix.test"))
}

/// Files that the program may open in row C13: enough for one connection of each client, but not for two. Preflight
/// sees that from the first client, so the row skips it.
const FILES: u32 = 200;
const CLIENTS: usize = 130;

/// A machine without files: each client needs a second connection, to another host.
fn without_files() {
    let origin = Origin::start(|asked| {
        let port = asked.header("host").unwrap().rsplit(':').next().unwrap().to_owned();
        match asked.is_playlist() {
            true => Answer::playlist(live(10).replace("\ns", &format!("\nhttp://other.example:{port}/s"))),
            false => Answer::segment(),
        }
    });
    let limited = format!("ulimit -n {FILES} && exec \"$0\" \"$@\"");
    let url = origin.url("/m.m3u8");
    let mut program = Start::strict(&["sh", "-c", &limited, HLSWARM, "run", &url, "--no-tui"])
        .with(&["-c", &CLIENTS.to_string(), "--ramp-time", "1s", "--skip-preflight"])
        .with(&["--resolve", &format!("other.example:{}:127.0.0.1", origin.port())])
        .reports()
        .record()
        .start();
    assert!(
        program.wait_until("a local fault", |program| program.read("record.ndjson").contains("local.fd"))
    );
    program.signal(Signal::INT);
    let run = program.end();
    assert_common(&run, CLIENTS as u64);
    assert!(
        run.outcomes().iter().all(|outcome| ["ok", "local.fd"].contains(outcome)),
        "{:?}",
        run.outcomes()
    );
    let reasons = run.report["exit"]["reasons"].to_string();
    assert!(reasons.contains("this machine ran out of file descriptors"), "{reasons}");
    assert!(!reasons.contains("fewer than half"), "the origin is not blamed: {reasons}");
    run.assert_exit_code(4);
}

/// Script that runs a program in a network of its own, with twenty local ports.
const FEW_PORTS: &str = "exec unshare -n sh -c 'ip link set lo up \\
    && echo 40000 40019 >/proc/sys/net/ipv4/ip_local_port_range && exec \"$0\" \"$@\"' \"$0\" \"$@\"";

/// A machine without ports: more clients than that, of the built-in origin, which is in the same network.
fn without_ports() {
    let load = ["--no-tui", "--healthy", "-c", "60", "--ramp-time", "0", "--player", "persistent"];
    let mut program =
        Start::strict(&["sh", "-c", FEW_PORTS, HLSWARM, "demo"]).with(&load).reports().record().start();
    assert!(
        program.wait_until("a local fault", |program| program.read("record.ndjson").contains("local.port"))
    );
    program.signal(Signal::INT);
    let run = program.end();
    assert_common(&run, 60);
    assert!(
        run.outcomes().iter().all(|outcome| ["ok", "local.port"].contains(outcome)),
        "{:?}",
        run.outcomes()
    );
    assert!(run.report["exit"]["reasons"].to_string().contains("this machine ran out of local ports"));
    run.assert_exit_code(4);
}

/// A kernel that is out of something: `call` fails with `error`, which is `outcome` and named `what`. Each client opens
/// a connection for each request.
fn without(call: &'static str, error: Errno, outcome: &'static str, what: &'static str) {
    let origin = Origin::start(|asked| match asked.is_playlist() {
        true => Answer::playlist(live(10 + asked.earlier as u64)).then(Step::Close),
        false => Answer::segment().then(Step::Close),
    });
    let url = origin.url("/m.m3u8");
    let load = ["-c", "5", "--ramp-time", "0", "--player", "persistent"];
    let start = Start::strict(&[HLSWARM, "run", &url, "--no-tui"]).with(&load).reports().record();
    let start = preload::loaded(start, preload::SOCKETS)
        .env("MATRIX_CALL", call)
        .env("MATRIX_ERRNO", &error.raw_os_error().to_string());
    let mut program = start.start();
    wait_for_segments(&mut program, &origin);
    std::fs::write(program.path("out"), "").unwrap();
    let named = |program: &Program| program.read("record.ndjson").contains(outcome);
    assert!(program.wait_until("a local fault", named));
    std::fs::remove_file(program.path("out")).unwrap();
    let loaded = origin.log.count(".ts");
    assert!(program.wait_until("segments again", |_| origin.log.count(".ts") >= loaded + 5));
    program.signal(Signal::INT);
    let run = program.end();
    assert_common(&run, 5);
    assert!(run.outcomes().iter().all(|found| ["ok", outcome].contains(found)), "{:?}", run.outcomes());
    let reasons = run.report["exit"]["reasons"].to_string();
    assert!(reasons.contains(&format!("this machine ran out of {what}")), "{reasons}");
    run.assert_exit_code(4);
}

fn no_resources() -> Row {
    let row = row("C13", "a machine without files, ports or memory").job("no file is left", without_files);
    let row = match Start::shell(FEW_PORTS, &["true"]).end().exit_code() {
        Some(0) => row.job("no port is left", without_ports),
        _ => row.lacks("ports run out only in a network of its own, which needs root and ip(8)"),
    };
    if !preload::can_compile() {
        return row.lacks(preload::NO_COMPILER);
    }
    let kernel = [
        ("ENFILE", "socket", Errno::NFILE, "local.fd", "file descriptors"),
        ("ENOBUFS", "socket", Errno::NOBUFS, "local.mem", "memory"),
        ("ENOBUFS of connect", "connect", Errno::NOBUFS, "local.mem", "memory"),
        ("ENOMEM", "socket", Errno::NOMEM, "local.mem", "memory"),
        ("EADDRNOTAVAIL", "connect", Errno::ADDRNOTAVAIL, "local.port", "local ports"),
    ];
    kernel.into_iter().fold(row, |row, (label, call, error, outcome, what)| {
        row.job(label, move || without(call, error, outcome, what))
    })
}

fn machine() -> Vec<Row> {
    let ignored = Case::new("all variables", |asked| match asked.is_playlist() {
        true => Answer::playlist(vod(2)),
        false => Answer::segment(),
    });
    // Nothing listens there.
    const PROXY: &str = "http://127.0.0.1:1";
    let names = ["http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"];
    vec![
        no_resources(),
        row("C14", "proxies in the environment")
            .case(names.into_iter().fold(ignored, |case, name| case.env(name, PROXY))),
    ]
}

/// An origin that can go away and come back to the same port.
struct Restarted {
    address: SocketAddr,
    log: Log,
    open: Arc<Mutex<Vec<TcpStream>>>,
    is_up: Arc<AtomicBool>,
    /// Times at which connections were accepted.
    accepted: Arc<Mutex<Vec<Instant>>>,
}

impl Restarted {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let restarted = Self {
            address,
            log: Log::default(),
            open: Arc::default(),
            is_up: Arc::default(),
            accepted: Arc::default(),
        };
        restarted.listen(listener);
        restarted
    }

    fn listen(&self, listener: TcpListener) {
        self.is_up.store(true, Ordering::SeqCst);
        let (log, open, is_up) = (self.log.clone(), Arc::clone(&self.open), Arc::clone(&self.is_up));
        let (accepted, begun) = (Arc::clone(&self.accepted), Instant::now());
        thread::spawn(move || {
            for stream in
                listener.incoming().map_while(Result::ok).take_while(|_| is_up.load(Ordering::SeqCst))
            {
                accepted.lock().unwrap().push(Instant::now());
                open.lock().unwrap().push(stream.try_clone().unwrap());
                let (number, log) = (log.accept(), log.clone());
                thread::spawn(move || {
                    serve(&mut { stream }, number, &log, &|asked| match asked.is_playlist() {
                        true => Answer::playlist(live(10 + begun.elapsed().as_secs())),
                        false => Answer::segment(),
                    })
                });
            }
        });
    }

    /// Resets all connections and refuses further ones.
    fn stop(&self) {
        self.is_up.store(false, Ordering::SeqCst);
        // Wakes the listener, which then ends.
        drop(TcpStream::connect(self.address));
        for stream in self.open.lock().unwrap().drain(..) {
            _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// Listens again. The port is taken until the old listener has ended.
    fn start_again(&self) {
        let listener = loop {
            match TcpListener::bind(self.address) {
                Ok(listener) => break listener,
                Err(_) => thread::sleep(Duration::from_millis(10)),
            }
        };
        self.listen(listener);
    }
}

/// Returns the clients that play, by their last line in the record.
fn playing(program: &Program) -> usize {
    let record = program.read("record.ndjson");
    let lines = record.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let states = lines.filter(|line| line["kind"] == "state");
    let mut playing = BTreeSet::new();
    for line in states {
        let client = line["client"].as_u64();
        if line["to"] == "playing" {
            playing.insert(client)
        } else {
            playing.remove(&client)
        };
    }
    playing.len()
}

/// An origin restarts: every client finds it again, and they do not come all at once.
fn restart() {
    const CLIENTS: usize = 20;
    const RAMP: usize = 4;
    const SECOND: Duration = Duration::from_secs(1);
    let origin = Restarted::start();
    let url = format!("http://{}/m.m3u8", origin.address);
    let options = ["-c", &CLIENTS.to_string(), "--ramp-rate", &RAMP.to_string(), "--player", "persistent"];
    let mut program = Start::run(&url).with(&options).start();
    assert!(program.wait_until("players", |program| playing(program) == CLIENTS));
    origin.stop();
    assert!(program.wait_until("an outage", |program| playing(program) == 0));
    origin.accepted.lock().unwrap().clear();
    origin.start_again();
    assert!(program.wait_until("players again", |program| playing(program) == CLIENTS));
    program.signal(Signal::INT);
    let run = program.end();
    assert_common(&run, CLIENTS as u64);
    run.assert_exit_code(0);
    assert!(run.outcomes().contains(&"conn.refused"), "{:?}", run.outcomes());
    assert_eq!(run.count("/run/clients_started"), CLIENTS as u64, "all are the same clients as before");
    let back = origin.accepted.lock().unwrap();
    // That their places are an interval apart is tested in virtual time. A pause of this process can bring the
    // connections of several seconds at once, so that only their whole spread says something here.
    let least = SECOND * (CLIENTS - 1) as u32 / RAMP as u32 * 3 / 4;
    let spread = back[CLIENTS - 1] - back[0];
    assert!(spread >= least, "they came back within {spread:?}, {least:?} were expected at least");
}

fn slow() -> Vec<Row> {
    let body = vec![0x47; 3_000];
    let bytes =
        [b"HTTP/1.1 200 OK\r\nContent-Type: video/mp2t\r\nContent-Length: 3000\r\n\r\n", &body[..]].concat();
    let single = Case::segments("3 kB", Answer::default().then(Step::Slowly(bytes.into(), Duration::ZERO)));
    vec![
        row("C16", "a byte in each packet").case(single.holds(|run, _| {
            assert_eq!(run.count("/bytes/segment"), 3_000 * run.count("/requests/segment"));
        })),
        row("C17", "an origin that restarts").job("an outage", restart),
    ]
}
