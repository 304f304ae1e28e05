//! Players side by side on one live stream, through a time without segments and one without playlists: ffmpeg itself,
//! `--player ffmpeg` and `--player web`, told apart in nginx's log by their user agents.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use hlswarm::base::kind::Kind;

use crate::access_log::{AccessLog, Entry};
use crate::media::SEGMENT_SECONDS;
use crate::origin::Origin;
use crate::program::Program;
use crate::requirements;

const LIST: &str = "/ts/v2/index.m3u8";
/// While these files are there, nginx answers what their name says.
const SEGMENTS_MISSING: &str = "/segments.missing";
const PLAYLISTS_FAILING: &str = "/playlists.failing";
const TARGET_S: f64 = SEGMENT_SECONDS as f64;
/// Players begin right after the window has moved, and what follows begins and ends long before it moves again: so all
/// of them meet the same two segments that are missing, and the same playlists that fail.
const STEADY: Duration = Duration::from_millis(17_500);
const MISSING: Duration = Duration::from_secs(4);
const RECOVERY: Duration = Duration::from_secs(10);
const FAILING: Duration = Duration::from_secs(6);
/// Between the interval of two players, as a share of it.
const INTERVAL_TOLERANCE: f64 = 0.05;
/// Between a wait and the wait that the profile names, in seconds: the machine is busy.
const WAIT_TOLERANCE_S: f64 = 0.4;

/// ffmpeg, as long as it plays.
struct Ffmpeg(Child);

impl Ffmpeg {
    fn play(url: &str) -> Self {
        let mut command = Command::new(requirements::path_of("ffmpeg"));
        command.args(["-nostdin", "-v", "quiet", "-i", url, "-c", "copy", "-f", "null", "-"]);
        Self(command.stdin(Stdio::null()).spawn().unwrap())
    }
}

impl Drop for Ffmpeg {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The requests of one player, in the order in which they were made.
struct Requests(Vec<Entry>);

impl Requests {
    fn of(log: &AccessLog, user_agent: &str) -> Self {
        let mut entries = log.only(|entry| entry.user_agent.starts_with(user_agent)).entries().to_vec();
        entries.sort_by(|one, other| one.started_at().total_cmp(&other.started_at()));
        assert!(!entries.is_empty(), "{user_agent} asked for nothing");
        Self(entries)
    }

    fn of_kind(&self, kind: Kind) -> impl Iterator<Item = &Entry> {
        self.0.iter().filter(move |entry| entry.kind() == kind)
    }

    fn first_segment(&self) -> &str {
        &self.of_kind(Kind::Segment).next().unwrap().uri
    }

    /// Mean seconds between two loads of the playlist while all was well, the first two left out.
    fn interval_s(&self) -> f64 {
        let well = |entry: &&Entry| entry.status != 503 && entry.started_at() < self.trouble_at();
        let times: Vec<f64> =
            self.of_kind(Kind::Playlist).filter(well).map(Entry::started_at).skip(2).collect();
        assert!(times.len() >= 5, "{times:?}");
        (times[times.len() - 1] - times[0]) / (times.len() - 1) as f64
    }

    fn trouble_at(&self) -> f64 {
        let missing = self.of_kind(Kind::Segment).find(|entry| entry.status == 404);
        missing.map_or(f64::INFINITY, Entry::started_at)
    }

    /// For each segment that was missing, the seconds between its first try and each of them.
    fn tries_of_missing(&self) -> Vec<Vec<f64>> {
        let missing = self.of_kind(Kind::Segment).filter(|entry| entry.status == 404);
        let mut uris: Vec<&str> = missing.map(|entry| entry.uri.as_str()).collect();
        uris.dedup();
        let tries = |uri: &str| since_first(self.of_kind(Kind::Segment).filter(|entry| entry.uri == uri));
        uris.into_iter().map(tries).collect()
    }

    fn failing(&self) -> impl Iterator<Item = &Entry> {
        self.of_kind(Kind::Playlist).filter(|entry| entry.status == 503)
    }

    /// Seconds between the first playlist that failed and each that failed over the same connection: whoever takes
    /// the place of a viewer that has left has a new one.
    fn tries_of_failing(&self) -> Vec<f64> {
        let failing = || self.failing();
        let connection = failing().next().expect("a playlist that failed").connection;
        since_first(failing().filter(|entry| entry.connection == connection))
    }
}

fn since_first<'a>(entries: impl Iterator<Item = &'a Entry>) -> Vec<f64> {
    let times: Vec<f64> = entries.map(Entry::started_at).collect();
    times.iter().map(|at| at - times[0]).collect()
}

fn assert_waits(tries: &[f64], expected: &[f64]) {
    let agree = tries.iter().zip(expected).all(|(one, other)| (one - other).abs() <= WAIT_TOLERANCE_S);
    assert!(tries.len() == expected.len() && agree, "{tries:?}, expected {expected:?}");
}

/// Waits until the window has moved.
fn wait_for_a_slide(origin: &Origin) {
    let list = || fs::read_to_string(origin.file(LIST)).unwrap();
    let shown = list();
    let deadline = Instant::now() + Duration::from_secs(10);
    while list() == shown {
        assert!(Instant::now() < deadline, "the window stands still");
        thread::sleep(Duration::from_millis(5));
    }
}

/// Lets the players of one origin meet everything, and returns what nginx saw.
fn meet() -> Option<AccessLog> {
    let mut origin = Origin::start()?;
    let url = origin.url(LIST);
    let total = STEADY + MISSING + RECOVERY + FAILING;
    let duration = format!("{}ms", total.as_millis());
    let player = |name: &str| {
        Program::start(
            &url,
            &["-c", "1", "-d", &duration, "--player", name, "--user-agent", &format!("as-{name}")],
        )
    };
    wait_for_a_slide(&origin);
    let ours = [player("ffmpeg"), player("web")];
    let ffmpeg = Ffmpeg::play(&url);
    thread::sleep(STEADY);
    for (fault, length) in [(SEGMENTS_MISSING, MISSING), (PLAYLISTS_FAILING, FAILING)] {
        fs::write(origin.file(fault), "").unwrap();
        thread::sleep(length);
        fs::remove_file(origin.file(fault)).unwrap();
        if fault == SEGMENTS_MISSING {
            thread::sleep(RECOVERY);
        }
    }
    drop(ffmpeg);
    for program in ours {
        program.end_within(Duration::from_secs(20));
    }
    Some(origin.stop_and_read_log())
}

#[test]
fn players_do_what_their_profiles_say_and_ffmpeg_does_the_same_as_its_own() {
    let Some(log) = meet() else { return };
    let [real, ffmpeg, web] = ["Lavf/", "as-ffmpeg", "as-web"].map(|agent| Requests::of(&log, agent));

    assert_eq!(ffmpeg.first_segment(), real.first_segment());
    assert_eq!(web.first_segment(), real.first_segment());
    for player in [&ffmpeg, &web] {
        let (ours, theirs) = (player.interval_s(), real.interval_s());
        assert!((ours / theirs - 1.0).abs() <= INTERVAL_TOLERANCE, "{ours} s, ffmpeg {theirs} s");
    }
    assert!((web.interval_s() / TARGET_S - 1.0).abs() <= INTERVAL_TOLERANCE);

    // Whoever skips asks for the same segments as often.
    let counts = |requests: &Requests| requests.tries_of_missing().iter().map(Vec::len).collect::<Vec<_>>();
    assert_eq!(counts(&ffmpeg), counts(&real));
    // hls.js asks for the same one again and again until it is there.
    let tries = web.tries_of_missing();
    assert_eq!(tries.len(), 1, "{tries:?}");
    assert_waits(&tries[0], &[0.0, 1.0, 3.0, 7.0]);

    // ffmpeg opens a connection for each retry, and ends.
    assert_eq!(ffmpeg.tries_of_failing().len(), real.failing().count());
    assert_waits(&web.tries_of_failing(), &[0.0, 1.0, 3.0]);

    // What their requests look like.
    let whole = |requests: &Requests| requests.of_kind(Kind::Segment).all(|entry| entry.range == "bytes=0-");
    assert!(whole(&real) && whole(&ffmpeg) && !whole(&web));
    let connections = |requests: &Requests, kind| {
        let mut numbers: Vec<u64> = requests.of_kind(kind).map(|entry| entry.connection).collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    };
    let apart = |requests: &Requests| {
        let lists = connections(requests, Kind::Playlist);
        connections(requests, Kind::Segment).iter().all(|number| !lists.contains(number))
    };
    assert!(apart(&ffmpeg) && !apart(&web), "playlists and segments over connections of their own");
}
