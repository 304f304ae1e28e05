//! Tests of the API over real sockets: its replies, and clients that misbehave.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::watch;

use super::{Api, ApiParts, Asked, Guard, ask};
use crate::local_http::{Address, Listener, serve};
use crate::report::Doc;
use crate::run_state::Status;
use crate::sample::RunSample;
use crate::vocabulary::{Clock, Command, RunState, Steer, SteerRequest, Steered, StopCause};

/// An API without a run: the test takes its commands and requests.
struct Served {
    address: Address,
    status: Arc<Status>,
    commands: flume::Receiver<Command>,
    documents: flume::Receiver<flume::Sender<Arc<Doc>>>,
    _samples: watch::Sender<Arc<RunSample>>,
    // Its thread serves until it is dropped.
    _runtime: tokio::runtime::Runtime,
}

impl Served {
    fn start(is_search: bool) -> Self {
        let status = Arc::new(Status::default());
        status.set_state(RunState::Running);
        let (commands, taken) = flume::bounded(8);
        let (documents, asked) = flume::bounded(2);
        // Newer than any moment of the test: the answer to a hold waits for such a one.
        let at = Duration::from_secs(86_400);
        let (samples, newest) = watch::channel(Arc::new(RunSample { at, ..RunSample::default() }));
        let api = Api::new(ApiParts {
            guard: Guard::Owner,
            run_id: "0123".to_owned(),
            target: "http://h/a.m3u8".to_owned(),
            is_search,
            clock: Clock::start(),
            status: Arc::clone(&status),
            samples: newest,
            commands,
            documents,
        });
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.expect("a runtime");
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).expect("a port");
        let address = Address::Tcp(listener.local_addr().expect("bound"));
        runtime.spawn(serve(Listener::Tcp(listener), Arc::new(api)));
        Self { address, status, commands: taken, documents: asked, _samples: samples, _runtime: runtime }
    }

    fn ask(&self, path: &'static str, body: Option<Value>) -> (u16, Value) {
        let answer = ask(&self.address, &Asked { path, body, token: None }).expect("an answer");
        (answer.status, serde_json::from_slice(&answer.body).expect("JSON"))
    }

    /// Asks for a change that a run makes as `steered` says.
    fn steer(&self, path: &'static str, body: Value, steered: Steered) -> (Steer, u16, Value) {
        std::thread::scope(|scope| {
            let asked = scope.spawn(|| self.ask(path, Some(body)));
            let command = self.commands.recv().expect("a command");
            let Command::Steer(SteerRequest { steer, answer }) = command else { panic!("{command:?}") };
            answer.send(steered).expect("awaited");
            let (status, body) = asked.join().expect("no panic");
            (steer, status, body)
        })
    }

    /// Sends these bytes and returns what comes until the connection closes.
    fn send(&self, bytes: &[u8]) -> String {
        let mut stream = self.connect();
        // The reply may come before everything is sent.
        _ = stream.write_all(bytes);
        let mut reply = String::new();
        _ = stream.read_to_string(&mut reply);
        reply
    }

    fn connect(&self) -> TcpStream {
        let Address::Tcp(address) = self.address else { panic!("a port") };
        let stream = TcpStream::connect(address).expect("connected");
        stream.set_read_timeout(Some(Duration::from_secs(30))).expect("set");
        stream
    }
}

#[test]
fn changes_reach_the_run_and_their_answers_say_what_was_done() {
    let served = Served::start(false);
    let limited = Some("limited to 60 clients: why".to_owned());
    let steered = Steered { from: 10, to: 60, limited, is_held: true, was_planned: true };
    let (steer, status, body) = served.steer("/v1/target", json!({ "clients": 5_000 }), steered);
    assert_eq!((steer, status), (Steer::Target(5_000), 200));
    let message = "target 60, limited to 60 clients: why, but the ramp is held ('hlswarm ctl resume' resumes); you steer \
                   now: the plan is off";
    let expected = json!({ "from": 10, "target": 60, "limited": "limited to 60 clients: why", "held": true, "message": message });
    assert_eq!(body, expected);
    for (path, body, expected) in [
        ("/v1/target", json!({ "by": -5 }), Steer::Adjust(-5)),
        ("/v1/hold", json!({ "hold": true }), Steer::Hold),
        ("/v1/hold", json!({ "hold": false }), Steer::Resume),
    ] {
        let (steer, status, body) = served.steer(path, body, Steered::default());
        assert_eq!((steer, status), (expected, 200), "{body}");
    }
    let (status, body) = served.ask("/v1/mark", Some(json!({ "note": " deploy\u{1b}[2J " })));
    assert_eq!((status, &body["note"]), (200, &json!("deploy^[[2J")));
    let mark = served.commands.recv().expect("a mark");
    assert!(matches!(&mark, Command::Mark(mark) if mark.note == "deploy^[[2J"), "{mark:?}");
    for words in ["have 5 s to finish", "are cut"] {
        let (status, body) = served.ask("/v1/stop", Some(json!({})));
        assert!(status == 200 && body["message"].as_str().is_some_and(|text| text.contains(words)), "{body}");
        assert_eq!(served.commands.recv(), Ok(Command::Stop(StopCause::Control)));
    }
}

#[test]
fn a_run_that_ends_or_searches_refuses_changes_in_one_line() {
    let served = Served::start(true);
    for (path, body) in [("/v1/target", json!({ "clients": 5 })), ("/v1/hold", json!({ "hold": true }))] {
        let (status, body) = served.ask(path, Some(body));
        assert!(status == 409 && body["error"].as_str().is_some_and(|why| why.contains("search")), "{body}");
    }
    assert_eq!(served.ask("/v1/mark", Some(json!({}))).0, 200);
    let served = Served::start(false);
    served.status.set_state(RunState::Draining);
    for (path, body) in [("/v1/target", json!({ "clients": 5 })), ("/v1/mark", json!({}))] {
        let (status, body) = served.ask(path, Some(body));
        assert!(status == 409 && body["error"].as_str().is_some_and(|why| why.contains("ending")), "{body}");
    }
    assert!(served.commands.is_empty());
    assert_eq!(
        served.ask("/v1/stop", Some(json!({}))).1["message"],
        "the run ends now: requests in flight are cut"
    );
}

#[test]
fn a_status_is_small_and_a_sample_that_the_run_does_not_make_is_refused() {
    let served = Served::start(false);
    served.status.set_target(25);
    let (status, body) = served.ask("/v1/status", None);
    assert_eq!((status, &body["state"], &body["clients"]["target"]), (200, &json!("RUNNING"), &json!(25)));
    assert_eq!((&body["run_id"], &body["trust"]), (&json!("0123"), &json!("UNASSESSED")));
    assert!(body.to_string().len() < 500, "{body}");
    let asked = std::thread::scope(|scope| {
        let asked = scope.spawn(|| served.ask("/v1/sample", None));
        drop(served.documents.recv().expect("a request"));
        asked.join().expect("no panic")
    });
    assert!(
        asked.0 == 409 && asked.1["error"].as_str().is_some_and(|why| why.contains("ended")),
        "{asked:?}"
    );
}

#[test]
fn requests_that_are_wrong_get_their_status_and_a_line_of_json() {
    let served = Served::start(false);
    let large =
        format!("POST /v1/mark HTTP/1.1\r\nContent-Length: {}\r\n\r\n{}", 1 << 20, "x".repeat(1 << 20));
    let head = format!("GET /v1/status HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(1 << 20));
    for (request, status) in [
        ("GET / HTTP/1.1\r\n\r\n", "404"),
        ("POST /v1/status HTTP/1.1\r\n\r\n", "405"),
        ("GET /v1/stop HTTP/1.1\r\n\r\n", "405"),
        ("PUT /v1/target HTTP/1.1\r\n\r\n", "405"),
        ("POST /v1/target HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}", "400"),
        ("POST /v1/target HTTP/1.1\r\nContent-Length: 5, 5\r\n\r\n{}", "400"),
        ("POST /v1/target HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}", "411"),
        ("hello\r\n\r\n", "400"),
        (&large, "413"),
        (&head, "431"),
    ] {
        let reply = served.send(request.as_bytes());
        let begin = request.get(..40).unwrap_or(request);
        assert!(reply.starts_with(&format!("HTTP/1.1 {status} ")), "{begin}: {reply}");
        let (head, body) = reply.split_once("\r\n\r\n").expect("a body");
        assert!(head.contains("\r\nX-Content-Type-Options: nosniff\r\n"), "{head}");
        assert_eq!(head.contains("\r\nAllow: "), status == "405", "{head}");
        let body: Value = serde_json::from_str(body).expect("JSON");
        assert!(body["error"].as_str().is_some_and(|why| !why.contains('\n')), "{body}");
    }
    assert!(served.commands.is_empty());
}

#[test]
fn clients_that_send_or_read_nothing_leave_room_for_others() {
    let served = Served::start(false);
    let silent: Vec<_> = (0..7).map(|_| served.connect()).collect();
    let half: Vec<_> = (0..7)
        .map(|_| {
            let mut stream = served.connect();
            stream.write_all(b"POST /v1/mark HTTP/1.1\r\nContent-Length: 9\r\n\r\n{").expect("sent");
            stream
        })
        .collect();
    assert_eq!(served.ask("/v1/status", None).0, 200);
    // More than there is room for: the last one waits until the time of the others is over.
    let more: Vec<_> = (0..16).map(|_| served.connect()).collect();
    assert!(served.send(b"GET /v1/status HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 200"));
    assert!(served.commands.is_empty());
    drop((silent, half, more));
}
