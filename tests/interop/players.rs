//! Players side by side on one live stream, through a time without segments and a time without playlists: ffmpeg
//! itself, `--player ffmpeg` and `--player web`. Their user agents identify them in nginx's log.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use hlswarm::testing::vocabulary::Kind;

use crate::access_log::AccessLog;
use crate::lag::Lag;
use crate::live::media_sequence;
use crate::media::SEGMENT_SECONDS;
use crate::origin::Origin;
use crate::program::Program;
use crate::requests::Requests;
use crate::requirements;

pub const LIST: &str = "/ts/v2/index.m3u8";
/// Files that make nginx fail while they exist: segments with status 404, playlists with status 503.
const SEGMENTS_MISSING: &str = "/segments.missing";
const PLAYLISTS_FAILING: &str = "/playlists.failing";
const TARGET_S: f64 = SEGMENT_SECONDS as f64;
/// Length of undisturbed play after the window moved. The trouble then begins half a second before the window moves
/// again, so all players meet the same two missing segments and the same failing playlists.
const STEADY: Duration = Duration::from_millis(17_500);
/// Time after the window moved in which all players must request their first playlist. They then see the same
/// playlist and finish their initial loads before the window moves again. The third try of a missing segment comes at
/// most this much later than three seconds after the segment was listed: before the segments are back.
const TOGETHER: Duration = Duration::from_millis(800);
/// Attempts to start players until they begin together: a busy machine needs more than one.
const STARTS: usize = 8;
/// Attempts until the trouble begins and ends between the same windows as on an idle machine.
pub const TROUBLES: usize = 4;
/// Length of the time without segments; it ends just before the window moves.
const MISSING: Duration = Duration::from_millis(4_400);
/// Number of times that the window has moved when the time without segments begins, and when it ends.
const MOVES: [u64; 2] = [8, 10];
/// Largest lag of the machine in the trouble, in seconds. With more, a third try may come when the segment is back.
const LAG_LIMIT_S: f64 = 0.9;
const RECOVERY: Duration = Duration::from_secs(10);
const FAILING: Duration = Duration::from_secs(6);
/// Largest difference between the intervals of two players, as a share of the interval.
pub const INTERVAL_TOLERANCE: f64 = 0.05;
/// Largest difference between a wait and the profile's own on an idle machine, in seconds.
const WAIT_TOLERANCE_S: f64 = 0.4;

/// ffmpeg as a player; it is killed when dropped.
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

/// Fails unless the waits agree within the tolerance and the machine's lag `lag_s`.
pub fn assert_waits(tries: &[f64], expected: &[f64], lag_s: f64) {
    let tolerance = WAIT_TOLERANCE_S + lag_s;
    let agree = tries.iter().zip(expected).all(|(one, other)| (one - other).abs() <= tolerance);
    assert!(tries.len() == expected.len() && agree, "{tries:?}, expected {expected:?}");
}

/// Starts a run with this player profile that lasts as long as the [`trouble`].
pub fn imitate(name: &str, url: &str) -> Program {
    imitate_for(name, url, STEADY + MISSING + RECOVERY + FAILING)
}

/// Starts a run with this player profile that lasts for `length`.
pub fn imitate_for(name: &str, url: &str, length: Duration) -> Program {
    let duration = format!("{}ms", length.as_millis());
    Program::start(
        url,
        &["-c", "1", "-d", &duration, "--player", name, "--user-agent", &format!("as-{name}")],
    )
}

/// Prepares players with `start`, and calls `begin` right after the window has moved. Retries with a new origin until
/// all of them begin together. Returns the origin, the players and the time of the move, or `None` after reporting
/// what this machine lacks.
pub fn begin_together<T>(
    agents: &[&str],
    start: impl Fn(&Origin) -> Option<T>,
    begin: impl Fn(&Origin, &mut T),
) -> Option<(Origin, T, Instant)> {
    for _ in 0..STARTS {
        let origin = Origin::start()?;
        let mut players = start(&origin)?;
        wait_for_a_slide(&origin);
        let slid = Instant::now();
        begin(&origin, &mut players);
        while slid.elapsed() < TOGETHER {
            let log = origin.log();
            let lists = log.of_kind(Kind::Playlist);
            let has_begun =
                |agent: &&str| lists.entries().iter().any(|entry| entry.user_agent.starts_with(agent));
            if agents.iter().all(has_begun) {
                return Some((origin, players, slid));
            }
            thread::sleep(Duration::from_millis(10));
        }
    }
    panic!("too busy for players to begin within {TOGETHER:?}");
}

/// Lets players that began at `slid` play for a while, then without the newest segments, then without playlists.
/// Returns the machine's lag in seconds, or `None` if this machine was too slow for all players to meet the same.
pub fn trouble(origin: &Origin, slid: Instant) -> Option<f64> {
    let lag = Lag::watch();
    let window = || media_sequence(&fs::read_to_string(origin.file(LIST)).unwrap());
    let first = window();
    thread::sleep((slid + STEADY).saturating_duration_since(Instant::now()));
    // The window before the first missing segment, and the one before the first that is back.
    let windows = fail(origin, SEGMENTS_MISSING, MISSING, window);
    thread::sleep(RECOVERY);
    fail(origin, PLAYLISTS_FAILING, FAILING, || ());
    let lag_s = lag.allowance_s();
    (windows == MOVES.map(|moves| first + moves) && lag_s <= LAG_LIMIT_S).then_some(lag_s)
}

/// Lets the origin fail for this long. Returns what `look` sees once it fails, and when it does no longer.
fn fail<T>(origin: &Origin, fault: &str, length: Duration, look: impl Fn() -> T) -> [T; 2] {
    let file = origin.file(fault);
    fs::write(&file, "").unwrap();
    let begun = look();
    thread::sleep(length);
    fs::remove_file(&file).unwrap();
    [begun, look()]
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

/// Takes the players of one origin through all of it. Returns nginx's log, and the machine's lag in seconds.
fn meet() -> Option<(AccessLog, f64)> {
    for _ in 0..TROUBLES {
        let (mut origin, players, slid) = begin_together(
            &["Lavf/", "as-ffmpeg", "as-web"],
            |_| Some(Vec::new()),
            |origin, players| {
                let url = origin.url(LIST);
                players.push((["ffmpeg", "web"].map(|name| imitate(name, &url)), Ffmpeg::play(&url)));
            },
        )?;
        let lag_s = trouble(&origin, slid);
        let (ours, ffmpeg): (Vec<_>, Vec<_>) = players.into_iter().unzip();
        drop(ffmpeg);
        for program in ours.into_iter().flatten() {
            program.end_within(Duration::from_secs(20));
        }
        if let Some(lag_s) = lag_s {
            return Some((origin.stop_and_read_log(), lag_s));
        }
    }
    panic!("too busy for players to meet the same trouble");
}

#[test]
fn players_do_what_their_profiles_say_and_ffmpeg_does_the_same_as_its_own() {
    let Some((log, lag_s)) = meet() else { return };
    let [real, ffmpeg, web] = ["Lavf/", "as-ffmpeg", "as-web"].map(|agent| Requests::of(&log, agent));

    assert_eq!(ffmpeg.first_segment(), real.first_segment());
    assert_eq!(web.first_segment(), real.first_segment());
    for player in [&ffmpeg, &web] {
        let (ours, theirs) = (player.interval_s(), real.interval_s());
        assert!((ours / theirs - 1.0).abs() <= INTERVAL_TOLERANCE, "{ours} s, ffmpeg {theirs} s");
    }
    assert!((web.interval_s() / TARGET_S - 1.0).abs() <= INTERVAL_TOLERANCE);

    // A player that skips a missing segment tries it as often as ffmpeg does.
    let counts = |requests: &Requests| requests.tries_of_missing().iter().map(Vec::len).collect::<Vec<_>>();
    assert_eq!(counts(&ffmpeg), counts(&real));
    // hls.js retries the last segment of a playlist until a newer one is listed after it.
    let tries = web.tries_of_missing();
    assert_eq!(tries.len(), 2, "{tries:?}");
    assert_waits(&tries[0], &[0.0, 1.0, 3.0], lag_s);
    assert_waits(&tries[1], &[0.0], lag_s);

    // ffmpeg opens a connection for each retry, and then ends.
    assert_eq!(ffmpeg.tries_of_failing().len(), real.failing().count());
    assert_waits(&web.tries_of_failing(), &[0.0, 1.0, 3.0], lag_s);

    // The ffmpeg profile requests whole segments by range, as ffmpeg does, and uses separate connections for
    // playlists and segments.
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
