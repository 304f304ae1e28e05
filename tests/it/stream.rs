//! Measures a live stream whose playlists stop in the middle of the run: samples must show the ladder, the age of its
//! playlists, the viewers and the edge, as real clients meet them.

use std::net::SocketAddr;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use hlswarm::testing::cli;
use hlswarm::testing::config::{RunConfig, run_config};
use hlswarm::testing::control::{Controller, Engine as _};
use hlswarm::testing::origin::{Origin, Settings};
use hlswarm::testing::pipeline::Pipeline;
use hlswarm::testing::sample::{RunSample, Sampler, Sources};
use hlswarm::testing::swarm::Swarm;
use hlswarm::testing::vocabulary::{RunIdentity, SecretUrl};

const CLIENTS: u32 = 12;
const WORKERS: usize = 2;
/// Length of the run in seconds: twice the time until the playlists stop.
const SECONDS: u64 = 18;
const STOPS: &str = "playlist:stale@9s+60s";
/// Place of the lowest variant of the origin's three.
const LOWEST: usize = 2;

fn config(url: &str) -> RunConfig {
    let line = format!("hlswarm run {url} -c {CLIENTS} --ramp-time 1s -d {SECONDS}s --variant lowest");
    let parsed = cli::parse(line.split(' ').map(std::ffi::OsString::from)).expect("good arguments");
    let cli::Command::Run(args) = parsed.command else { panic!("not a run") };
    run_config(vec![SecretUrl::parse(url).unwrap().into()], args.load, line).unwrap()
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// Returns all samples of a run of clients that load the stream at `address`.
fn samples(address: SocketAddr) -> Vec<Arc<RunSample>> {
    let config = config(&format!("http://{address}/live/fmp4/master.m3u8"));
    let sources = Sources::new(WORKERS);
    let (pipeline, taps) = Pipeline::start(WORKERS, sources.clock, None, RunIdentity::default()).unwrap();
    let swarm = Swarm::start(&sources, &config.clients, taps.workers).unwrap();
    let sampler = Sampler::new(sources.clone()).spawn().unwrap();
    let mut newest = sampler.samples();
    let collector = thread::spawn(move || {
        let mut samples = Vec::new();
        while runtime().block_on(newest.changed()).is_ok() {
            samples.push(Arc::clone(&newest.borrow_and_update()));
        }
        samples
    });
    let controller = Controller::new(swarm, config.plan, &sources, sampler.samples(), taps.controller);
    let (_commands, orders) = flume::bounded(1);
    let (_, swarm) = runtime().block_on(controller.run(orders));
    let (_clients, lost) = swarm.join();
    assert_eq!(lost, 0);
    // Without a sender, the collector ends.
    drop(sampler.stop());
    assert!(pipeline.finish());
    collector.join().unwrap()
}

#[test]
fn samples_show_the_ladder_and_that_its_playlists_have_stopped() {
    let settings = Settings {
        listen: ([127, 0, 0, 1], 0).into(),
        bitrate: 300_000,
        faults: vec![STOPS.parse().unwrap()],
        ..Settings::default()
    };
    let origin = runtime();
    let bound = origin.block_on(Origin::bind(settings)).unwrap();
    let address = bound.addresses().plain;
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let serving = thread::spawn(move || origin.block_on(bound.run(async { _ = stopped.await })));
    let samples = samples(address);
    drop(stop);
    serving.join().unwrap();

    let played =
        |sample: &Arc<RunSample>| sample.stream.rungs.get(LOWEST).filter(|rung| rung.clients > 0).cloned();
    let rungs: Vec<_> = samples.iter().filter_map(played).collect();
    assert_eq!(rungs.iter().map(|rung| rung.clients).max(), Some(CLIENTS));
    let numbers: std::collections::BTreeSet<_> = rungs.iter().filter_map(|rung| rung.newest).collect();
    assert!(numbers.len() > 1, "the playlists moved at first: {numbers:?}");
    let name = rungs[0].name.as_deref().expect("a name");
    assert!(name.label.ends_with('p') && name.size.is_some() && name.bandwidth.is_some(), "{name:?}");
    let target = samples.iter().find_map(|sample| sample.stream.target_duration).expect("a target duration");
    let oldest = rungs.iter().filter_map(|rung| rung.age).max();
    assert!(oldest.is_some_and(|age| age > target * 3 / 2), "{oldest:?} of {target:?}");
    let kept = |sample: &Arc<RunSample>| sample.history.last().and_then(|second| second.playlist_age(LOWEST));
    let kept = samples.iter().filter_map(kept).max();
    assert_eq!(kept.map(|age| age.as_millis()), oldest.map(|age| age.as_millis()));

    for sample in &samples {
        let stream = &sample.stream;
        assert_eq!(stream.playheads().iter().sum::<u32>(), stream.behind.clients);
        assert!(stream.is_live != Some(false) && stream.behind.max >= stream.behind.p50);
        assert!(stream.rungs.iter().all(|rung| rung.place == LOWEST || rung.age.is_none()));
    }
    assert!(samples.iter().any(|sample| sample.stream.behind.p50 > Some(Duration::ZERO)));
    let edges: Vec<_> = samples.iter().flat_map(|sample| &sample.stream.edges).collect();
    assert!(edges.iter().all(|edge| edge.address == address && edge.share == Some(1.0)));
    assert_eq!(edges.iter().map(|edge| edge.clients).max(), Some(CLIENTS));
}
