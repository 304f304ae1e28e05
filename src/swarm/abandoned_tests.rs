//! Test that a swarm without a controller ends by itself: nothing else would ever make its clients leave.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use super::{Cast, ClientSettings, Swarm};
use crate::control::Engine as _;
use crate::hls::VariantChoice;
use crate::load::Reconnects;
use crate::net::scope::Scope;
use crate::net::{self, Headers, TlsSettings, Transport};
use crate::pipeline::Pipeline;
use crate::player::{self, SessionLength, profiles};
use crate::sample::Sources;
use crate::vocabulary::{RunIdentity, SecretUrl};

/// Time limit, longer than any machine needs to drop one task; a worker that spins never ends.
const LIMIT: Duration = Duration::from_secs(60);

/// Returns the settings of clients that load `target`.
fn settings(target: &str) -> ClientSettings {
    let entry = SecretUrl::parse(target).expect("a URL");
    let profile = &profiles::WEB;
    let net = net::Settings {
        tls: TlsSettings::for_test(),
        transport: Transport::default(),
        resolve: Vec::new(),
        scope: Scope::for_test(&entry),
        timeout: LIMIT,
        headers: Headers::new(&entry, "test", "1", &[]).expect("headers"),
        cookies: Arc::default(),
        keeps_cookies: true,
        http_profile: profile.http_profile,
        budget: Arc::default(),
    };
    let player = player::Settings {
        entry,
        choice: VariantChoice::default(),
        profile,
        session: SessionLength::default(),
    };
    ClientSettings {
        cast: Cast::of_one(Arc::new(player), net),
        decrypt: false,
        replaces: true,
        seed: 1,
        reconnects: Arc::new(Reconnects::new(Duration::from_secs(1))),
        playlist_tap: None,
        probe: None,
    }
}

#[test]
fn a_worker_without_a_controller_cuts_its_clients_and_ends() {
    // The kernel accepts connections and nothing ever answers: the client hangs in its first request.
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let target = format!("http://{}/a.m3u8", silent.local_addr().expect("an address"));
    let sources = Sources::new(1);
    let (_pipeline, taps) =
        Pipeline::start(1, sources.clock, None, RunIdentity::default()).expect("a thread");
    let mut swarm = Swarm::start(&sources, &settings(&target), taps.workers).expect("threads");
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(swarm.admit());

    let (ended, end) = channel();
    thread::spawn(move || ended.send(swarm.join().1));
    assert_eq!(end.recv_timeout(LIMIT), Ok(0), "the worker ends, and without a panic");
}
