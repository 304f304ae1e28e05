//! Compares the clients' counts with the built-in origin's own, in a run with many kinds of fault and with clients
//! that come and go. Checks the invariants of the counters during the run.
//!
//! - A response that the origin completed and no client cut is the same on both sides, in number and in bytes, for
//!   each kind and status. A removed client cuts at most one response, so the removed clients bound the difference.
//! - Of all other responses the clients count at most as many as the origin. The test prints outcomes here beside
//!   statuses there.
//!
//! `cargo test` runs it small. `tests/exact.sh` runs it with 1,000 clients for a minute.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use hlswarm::testing::cli;
use hlswarm::testing::config::{RunConfig, run_config};
use hlswarm::testing::control::{Controller, Engine as _};
use hlswarm::testing::origin::{Counts, Served};
use hlswarm::testing::origin::{Origin, Settings};
use hlswarm::testing::pipeline::{Pipeline, Reading};
use hlswarm::testing::sample::Sources;
use hlswarm::testing::stats::{ClientHandle, Metric, Registry, Snapshot, Tally, Totals};
use hlswarm::testing::swarm::Swarm;
use hlswarm::testing::vocabulary::{Clock, Command, Kind, Outcome, RunIdentity, SecretUrl, micros};
use hlswarm::testing::vocabulary::{Fault, HttpFailure};

/// Faults of the origin. 404 and 503 are frequent, 599 is the last status with its own slot.
const FAULTS: [&str; 7] = [
    "segment:404:4%",
    "any:503:4%",
    "segment:599:4%",
    "segment:cut:4%",
    "any:reset:3%",
    "playlist:599:3%",
    "any:delay=400ms:20%",
];
const KINDS: [Kind; 3] = [Kind::Playlist, Kind::Segment, Kind::Init];
const WORKERS: usize = 2;
const TICK: Duration = Duration::from_millis(250);
/// Number of waves: each adds clients, and removes them half a wave later.
const WAVES: u32 = 4;

/// Size of the run.
#[derive(Clone, Copy)]
struct Scale {
    clients: u32,
    /// Clients that are added and removed during the run.
    churn: u32,
    seconds: u32,
}

impl Scale {
    fn from_environment() -> Self {
        let number = |name: &str, default: u32| {
            std::env::var(name).map_or(default, |text| text.parse().expect("a whole number"))
        };
        Self {
            clients: number("HLSWARM_EXACT_CLIENTS", 60),
            churn: number("HLSWARM_EXACT_CHURN", 20),
            seconds: number("HLSWARM_EXACT_SECONDS", 12),
        }
    }

    fn duration(self) -> Duration {
        Duration::from_secs(self.seconds.into())
    }
}

/// The clients' side of the run.
struct Loaded {
    registry: Arc<Registry>,
    clients: Vec<ClientHandle>,
    snapshots: u32,
}

fn config(scale: Scale, url: &str) -> RunConfig {
    let line = format!(
        "hlswarm run {url} -c {} --ramp-time 2s -d {}s --seed 11 --variant lowest",
        scale.clients, scale.seconds
    );
    let parsed = cli::parse(line.split(' ').map(std::ffi::OsString::from)).expect("good arguments");
    let cli::Command::Run(args) = parsed.command else { panic!("not a run") };
    run_config(vec![SecretUrl::parse(url).unwrap().into()], args.load, line).unwrap()
}

/// Runs an origin on its own thread until the sender of `stop` is dropped. Returns its URL, and the thread that will
/// return its counts.
fn origin(stop: tokio::sync::oneshot::Receiver<()>) -> (String, thread::JoinHandle<Counts>) {
    let settings = Settings {
        listen: ([127, 0, 0, 1], 0).into(),
        bitrate: 300_000,
        seed: 5,
        faults: FAULTS.iter().map(|rule| rule.parse().unwrap()).collect(),
        ..Settings::default()
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let origin = runtime.block_on(Origin::bind(settings)).unwrap();
    let url = format!("http://{}/live/fmp4/master.m3u8", origin.addresses().plain);
    let stopped = async { _ = stop.await };
    (url, thread::spawn(move || runtime.block_on(origin.run(stopped))))
}

/// Adds and removes clients in waves.
async fn churn(scale: Scale, commands: flume::Sender<Command>) {
    let wave = scale.duration() / (WAVES + 1);
    let clients = i64::from(scale.churn / WAVES);
    for _ in 0..WAVES {
        tokio::time::sleep(wave / 2).await;
        commands.send(Command::AdjustTarget(clients)).unwrap();
        tokio::time::sleep(wave / 2).await;
        commands.send(Command::AdjustTarget(-clients)).unwrap();
    }
}

fn load(scale: Scale, url: &str) -> Loaded {
    let config = config(scale, url);
    let sources = Sources::new(WORKERS);
    let Sources { registry, clock, .. } = sources.clone();
    let (pipeline, taps) = Pipeline::start(WORKERS, clock, None, RunIdentity::default()).unwrap();
    let swarm = Swarm::start(&sources, &config.clients, taps.workers).unwrap();
    // Without a sampler the brake does nothing.
    let samples = tokio::sync::watch::channel(Arc::default()).1;
    let controller = Controller::new(swarm, config.plan, &sources, samples, taps.controller);
    let (commands, orders) = flume::bounded(16);
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let watcher = scope.spawn(|| watch(&registry, clock, &done));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let ((ending, swarm), ()) =
            runtime.block_on(async { tokio::join!(controller.run(orders), churn(scale, commands)) });
        let (clients, lost) = swarm.join();
        done.store(true, Ordering::Release);
        assert_eq!((ending.cut, lost), (false, 0));
        assert_delivered(pipeline);
        Loaded { snapshots: watcher.join().unwrap(), registry: Arc::clone(&registry), clients }
    })
}

/// Checks that the pipeline delivered every item offered to it, or a gate dropped it: nothing was lost on the way.
fn assert_delivered(pipeline: Pipeline) {
    let (gauges, mut reading) = (pipeline.gauges(), Reading::default());
    assert!(pipeline.finish());
    gauges.read(&mut reading);
    assert!(reading.lanes.iter().all(|lane| lane.fill == 0), "{:?}", reading.lanes);
    let turned_away: u64 = reading.lanes.iter().map(|lane| lane.dropped).sum();
    assert_eq!(reading.events.dropped + reading.progress.dropped, turned_away);
    assert!(reading.events.offered > 0 && reading.progress.delivered > 0);
    println!("events {:?}, samples {:?}", reading.events, reading.progress);
}

/// Takes four snapshots a second, each of which must keep the invariants; returns their number.
fn watch(registry: &Registry, clock: Clock, done: &AtomicBool) -> u32 {
    let (mut last, mut seen, mut count) = (Totals::default(), Snapshot::default(), 0);
    while !done.load(Ordering::Acquire) {
        thread::sleep((TICK * (count + 1)).saturating_sub(clock.now()));
        registry.snapshot(micros(clock.now()), &mut seen);
        assert!(seen.totals.never_fell_since(&last), "a total fell in snapshot {count}");
        assert!(seen.totals.started() >= seen.totals.finished());
        assert_eq!(seen.invariant_violations, 0);
        last.copy_from(&seen.totals);
        count += 1;
    }
    count
}

/// Returns the status with which the origin counts this outcome. 200 is its only successful status.
fn status_of(outcome: Outcome) -> Option<u16> {
    match outcome {
        Outcome::Ok => Some(200),
        Outcome::Http(failure) => failure.status(),
        Outcome::Failed(_) => None,
    }
}

/// Bytes of two seconds at 60 kb/s and at the two other bit rates: clients whose variant fails switch to another one.
const SEGMENT_BYTES: [u32; 3] = [15_000, 37_500, 75_000];
/// Maximum size of a body of this origin, in bytes.
const LARGEST_BODY: u64 = 80 << 10;

/// Compares one kind. Returns the lines to print, and the number of responses that the origin counts as complete
/// although their client was removed before it had read them. Those are successful responses only: failed ones are
/// shorter than a packet.
fn compare(kind: Kind, totals: &Totals, counts: &Counts) -> (String, u64) {
    let (mut told, mut unread) = (String::new(), 0);
    let ours = totals.kind(kind);
    let statuses = [200].into_iter().chain(400..=599);
    for status in statuses {
        let there = counts.completed(kind, status);
        let here = match Outcome::from_status(status, false) {
            Outcome::Ok => ours.ok,
            outcome => ours.failed(outcome),
        };
        if here == Tally::default() && there == Served::default() {
            continue;
        }
        let case = format!("{} {status}: {here:?} here, {there:?} there", kind.name());
        assert!(here.requests <= there.responses && here.bytes <= there.bytes, "{case}");
        let missing = Served { responses: there.responses - here.requests, bytes: there.bytes - here.bytes };
        assert!(missing == Served::default() || status == 200, "{case}");
        assert!(missing.bytes <= missing.responses * LARGEST_BODY, "{case}");
        unread += missing.responses;
        _ = writeln!(told, "{case}, {missing:?} missing here");
    }
    assert_eq!(ours.failed(Outcome::Http(HttpFailure::OTHER)), Tally::default(), "{}", kind.name());
    let cut = ours.failed(Fault::Cut.into());
    assert!(unread <= cut.requests, "{}: {unread} unread, {cut:?} cut\n{told}", kind.name());
    (told, unread)
}

/// Describes the incomplete responses of one kind, outcomes here and statuses there, and checks that no more bodies
/// are short here than the origin cut.
fn incomplete(kind: Kind, totals: &Totals, counts: &Counts) -> String {
    let ours = totals.kind(kind).outcomes().filter(|(outcome, _)| status_of(*outcome).is_none());
    let mut told = String::new();
    for (outcome, tally) in ours {
        _ = writeln!(told, "{} {outcome}: {tally:?} here", kind.name());
    }
    for status in [0, 200] {
        _ = writeln!(
            told,
            "{} {status}: {:?} there, incomplete",
            kind.name(),
            counts.incomplete(kind, status)
        );
    }
    let short = totals.kind(kind).failed(Fault::BodyShort.into());
    let cut_there = counts.incomplete(kind, 200);
    assert!(short.requests <= cut_there.responses && short.bytes <= cut_there.bytes, "{told}");
    told
}

/// Checks that the origin received only requests that we started, or second tries of requests whose connection had
/// been closed. A request that it did not receive was cut, or lost with its connection.
fn compare_requests(totals: &Totals, counts: &Counts) -> String {
    let received: u64 = counts.requests.values().sum();
    let sent = totals.started() + totals.get(Metric::StaleRetries);
    let faults = totals.get(Metric::Faults) + totals.get(Metric::StaleRetries);
    let incomplete: u64 =
        counts.incomplete.values().flat_map(|by| by.values()).map(|served| served.responses).sum();
    let told = format!(
        "{sent} requests sent here ({} of them again), {received} received there; {faults} not completed here, \
         {incomplete} there",
        totals.get(Metric::StaleRetries)
    );
    assert!(received <= sent && incomplete <= faults, "{told}");
    assert!(sent - received <= faults, "{told}");
    told
}

/// Checks that clients remember the sizes of complete segments only: each is the size of a variant's segments.
fn assert_sizes(registry: &Registry) {
    let mut remembered = 0;
    registry.for_each(|row| {
        let sizes: Vec<u32> =
            registry.inspect(&row, |stats| stats.recent_segment_bytes().collect()).expect("listed");
        assert!(sizes.iter().all(|size| SEGMENT_BYTES.contains(size)), "{sizes:?}");
        remembered += u64::from(!sizes.is_empty());
    });
    // A viewer that has just replaced another one has no segment yet.
    assert!(remembered > registry.count() / 2, "{remembered} of {}", registry.count());
}

#[test]
fn a_run_with_faults_and_churn_equals_what_its_origin_counted() {
    let scale = Scale::from_environment();
    let (stop, stopped) = tokio::sync::oneshot::channel();
    let (url, origin) = origin(stopped);
    let Loaded { registry, clients, snapshots } = load(scale, &url);
    // The remaining clients are still listed and the removed ones are not; together they must equal the totals
    // exactly.
    // A viewer that has given up is not listed, and the next one in its place is not listed yet.
    assert_eq!(clients.len() as u64, registry.count());
    assert!(clients.len() <= scale.clients as usize && clients.len() * 2 > scale.clients as usize);
    // Some came and went. The machine's speed decides how many of the clients in the waves were admitted in time.
    assert!(registry.created() > u64::from(scale.clients));
    assert_eq!(registry.audit(), 0, "clients and retired against totals, with clients listed");
    assert_sizes(&registry);
    drop(clients);
    assert_eq!(registry.audit(), 0, "clients and retired against totals, with all retired");
    // Stop the origin, which returns its final counts.
    drop(stop);
    let counts = origin.join().unwrap();
    assert_eq!(counts.open, 0);

    let mut seen = Snapshot::default();
    registry.snapshot(0, &mut seen);
    let totals = &seen.totals;
    assert_eq!((totals.in_flight, totals.started()), (0, totals.finished()));
    println!("{snapshots} snapshots, {} clients in all, {} requests", seen.created, totals.finished());
    let mut unread = 0;
    for kind in KINDS {
        let (told, unread_of_kind) = compare(kind, totals, &counts);
        print!("{told}{}", incomplete(kind, totals, &counts));
        unread += unread_of_kind;
        assert!(totals.bytes_of(kind) <= counts.bytes.get(kind.name()).copied().unwrap_or(0));
    }
    for kind in Kind::ALL.into_iter().filter(|kind| !KINDS.contains(kind)) {
        assert_eq!(totals.started_of(kind), 0, "{} is not in this stream", kind.name());
    }
    println!("{}; {unread} completed there and cut here", compare_requests(totals, &counts));
    assert!(unread <= scale.churn.into(), "more than clients that were removed");
    for status in [404, 503, 599] {
        assert!(totals.ended(Outcome::Http(HttpFailure::new(status))) > 0, "{status} did not occur");
    }
    let short = totals.ended(Fault::BodyShort.into());
    // A client answers the reset of a kept connection with a second try on a new one.
    let reset = totals.ended(Fault::ConnReset.into()) + totals.get(Metric::StaleRetries);
    assert!(short > 0 && reset > 0, "{short} bodies cut, {reset} connections reset");
    assert!(snapshots >= scale.seconds * 4, "{snapshots} snapshots in {} s", scale.seconds);
}
