//! Tests of the endpoint over real sockets: its replies, and scrapers that misbehave.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::scrape::RunFacts;
use super::server::Endpoint;
use crate::local_http::{Listener, serve};
use crate::sample::{RunSample, Sampler, SamplerHandle, Sources};
use crate::vocabulary::{Clock, RunIdentity, RunState};

/// True once ten seconds have passed on the clock of the test that needs it.
static LATER: AtomicBool = AtomicBool::new(false);

fn clock_of_the_test() -> Instant {
    Instant::now() + if LATER.load(Ordering::Relaxed) { Duration::from_secs(10) } else { Duration::ZERO }
}

struct Served {
    address: SocketAddr,
    state: watch::Sender<Arc<RunSample>>,
    endpoint: Arc<Endpoint>,
    sampler: SamplerHandle,
    // Its threads serve until it is dropped.
    _runtime: tokio::runtime::Runtime,
}

impl Served {
    fn start(clock: Clock) -> Self {
        let sampler = Sampler::new(Sources::new(1)).spawn().expect("a thread");
        let facts = RunFacts {
            identity: RunIdentity::default(),
            variant: "first".to_owned(),
            duration: None,
            per_client: false,
            clock,
        };
        let (state, samples) = watch::channel(Arc::default());
        let endpoint = Arc::new(Endpoint::new(facts, samples, sampler.whole_samples()));
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.expect("a runtime");
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).expect("a port");
        let address = listener.local_addr().expect("bound");
        runtime.spawn(serve(Listener::Tcp(listener), Arc::clone(&endpoint) as _));
        Self { address, state, endpoint, sampler, _runtime: runtime }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).expect("connected");
        stream.set_read_timeout(Some(Duration::from_secs(20))).expect("set");
        stream
    }

    /// Sends these bytes and returns the whole reply.
    fn ask(&self, request: &str) -> String {
        let mut stream = self.connect();
        stream.write_all(request.as_bytes()).expect("sent");
        read_all(&mut stream)
    }

    fn get(&self, path: &str) -> String {
        self.ask(&format!("GET {path} HTTP/1.1\r\nHost: h\r\n\r\n"))
    }

    fn enter(&self, state: RunState) {
        self.state.send_replace(Arc::new(RunSample { state, ..RunSample::default() }));
    }
}

fn read_all(stream: &mut TcpStream) -> String {
    let mut reply = String::new();
    stream.read_to_string(&mut reply).expect("a reply");
    reply
}

#[test]
fn paths_methods_and_formats_are_those_that_are_promised() {
    let served = Served::start(Clock::start());
    let plain = served.get("/metrics?debug=1");
    assert!(plain.starts_with("HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4"), "{plain}");
    let open = served.ask("GET /metrics HTTP/1.1\r\nAccept: application/openmetrics-text\r\n\r\n");
    assert!(
        open.contains("application/openmetrics-text; version=1.0.0") && open.ends_with("# EOF\n"),
        "{open}"
    );
    let head = served.ask("HEAD /metrics HTTP/1.1\r\n\r\n");
    let (_, length) = head.split_once("Content-Length: ").expect("a length");
    let length: usize = length.split("\r\n").next().expect("a line").parse().expect("a number");
    assert!(head.ends_with("\r\n\r\n") && length > 10_000, "{head}");
    for (request, reply) in [
        ("GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 404"),
        ("POST / HTTP/1.1\r\n\r\n", "HTTP/1.1 404"),
        ("POST /metrics HTTP/1.1\r\n\r\n", "HTTP/1.1 405"),
        ("DELETE /readyz HTTP/1.1\r\n\r\n", "HTTP/1.1 405"),
        ("hello\r\n\r\n", "HTTP/1.1 400"),
    ] {
        let said = served.ask(request);
        assert!(said.starts_with(reply), "{request}: {said}");
    }
    // A request without a body on the wire, a path that is not scraped: neither is a scrape.
    let scrapes = *served.endpoint.scrapes().borrow();
    assert!(scrapes.last.is_some() && scrapes.interval.is_some() && !scrapes.is_final, "{scrapes:?}");
}

#[test]
fn it_is_ready_while_the_load_lasts_and_healthy_while_numbers_come() {
    let served = Served::start(Clock::start_with(clock_of_the_test));
    for state in RunState::ALL {
        served.enter(state);
        let is_ready = matches!(state, RunState::Ramping | RunState::Running | RunState::Hold);
        let said = served.get("/readyz");
        assert_eq!(said.starts_with("HTTP/1.1 200"), is_ready, "{state:?}: {said}");
        assert!(served.get("/healthz").starts_with("HTTP/1.1 200"), "{state:?}");
    }
    LATER.store(true, Ordering::Relaxed);
    assert!(served.get("/healthz").starts_with("HTTP/1.1 200"), "the run has ended");
    served.enter(RunState::Running);
    assert!(served.get("/healthz").starts_with("HTTP/1.1 503"));
}

#[test]
fn after_the_sampler_has_ended_a_scrape_waits_for_the_last_sample() {
    let served = Served::start(Clock::start());
    let (sampler, _) = served.sampler.stop();
    let mut last = RunSample::clone(&sampler.expect("no panic").next_whole_sample());
    last.state = RunState::Finished;
    let mut stream = TcpStream::connect(served.address).expect("connected");
    stream.write_all(b"GET /metrics HTTP/1.1\r\n\r\n").expect("sent");
    served.state.send_replace(Arc::new(last));
    let said = read_all(&mut stream);
    assert!(said.contains("\nhls_swarm_run_state{state=\"FINISHED\"} 1\n"), "{said}");
    assert!(served.endpoint.scrapes().borrow().is_final);
}

#[test]
fn a_head_that_is_too_large_is_refused_and_one_that_comes_byte_by_byte_is_read() {
    let served = Served::start(Clock::start());
    let mut stream = served.connect();
    // The reply may come before everything is sent.
    _ = stream.write_all(format!("GET /metrics HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(1 << 20)).as_bytes());
    let mut begin = [0; 12];
    stream.read_exact(&mut begin).expect("a reply");
    assert_eq!(&begin, b"HTTP/1.1 431");
    let mut stream = served.connect();
    stream.set_nodelay(true).expect("set");
    for byte in b"GET /healthz HTTP/1.1\r\nA: b\r\n\r\n" {
        stream.write_all(&[*byte]).expect("sent");
    }
    assert!(read_all(&mut stream).starts_with("HTTP/1.1 200"));
}

#[test]
fn scrapers_that_send_nothing_or_read_nothing_leave_room_for_others() {
    let served = Served::start(Clock::start());
    let silent: Vec<_> = (0..7).map(|_| served.connect()).collect();
    let unread: Vec<_> = (0..7)
        .map(|_| {
            let mut stream = served.connect();
            stream.write_all(b"GET /metrics HTTP/1.1\r\n\r\n").expect("sent");
            stream
        })
        .collect();
    assert!(served.get("/metrics").starts_with("HTTP/1.1 200"));
    // More than there is room for: the last one waits until the time of the others is over.
    let more: Vec<_> = (0..16).map(|_| served.connect()).collect();
    assert!(served.get("/metrics").starts_with("HTTP/1.1 200"));
    drop((silent, unread, more));
}
