//! A soak of the real program: clients come and go on a stream with faults, by the operator's keys and because viewers
//! leave. Memory, files and threads of the process must stay where they were after the first rounds.
//!
//! `cargo test` runs it small, which finds files and threads that are left behind. `tests/soak.sh` runs it with 1,000
//! clients for half an hour, which resolves the slope of the memory.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use portable_pty::CommandBuilder;

use crate::least_squares::{Slope, slope};
use crate::terminal::Terminal;

/// Slope above which memory counts as growing after the warm-up, in MB per hour.
const LIMIT_MB_PER_HOUR: f64 = 1.0;
/// Time until the console's charts, which keep ten minutes second by second, and the log have filled.
const WARM_UP: Duration = Duration::from_secs(10 * 60);
/// Memory that they may still fill in a soak that is over before, in MB.
const FILLING_MB: f64 = 3.0;
/// Share of a short soak that counts as its warm-up: one in this many rounds.
const SHORT_WARM_UP: u32 = 3;
/// Rounds before the baseline of files and threads: lazily started threads have begun by then.
const FIRST_ROUNDS: usize = 2;
/// Minimum number of measured rounds: a line through two points has no error, so it proves nothing.
const ROUNDS: usize = 3;
/// Maximum wait for files and threads of removed clients to be gone.
const GONE_LIMIT: Duration = Duration::from_secs(30);
const SAMPLE_EVERY: Duration = Duration::from_millis(250);
const BYTES_PER_KB: f64 = 1024.0;

/// Faults of the origin: each makes clients end in another way.
const FAULTS: [&str; 7] = [
    "segment:503:3%",
    "segment:404:1%",
    "segment:cut:1%",
    "segment:stall:1%",
    "any:reset:1%",
    "playlist:503:1%",
    "any:delay=300ms:5%",
];

/// Size of the soak.
#[derive(Clone, Copy)]
struct Scale {
    clients: u32,
    length: Duration,
    /// Time that all clients play in each round, and that none does.
    hold: Duration,
}

impl Scale {
    fn from_environment() -> Self {
        let number = |name: &str| -> Option<u32> {
            std::env::var(name).ok().map(|text| text.parse().expect("a whole number"))
        };
        match number("HLSWARM_SOAK_MINUTES") {
            Some(minutes) => Self {
                clients: number("HLSWARM_SOAK_CLIENTS").unwrap_or(1_000),
                length: Duration::from_secs(u64::from(minutes) * 60),
                hold: Duration::from_secs(5),
            },
            None => Self { clients: 20, length: Duration::ZERO, hold: Duration::from_millis(500) },
        }
    }
}

/// Resources of a process at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Held {
    files: usize,
    threads: usize,
}

/// Memory of a process at one moment, in MB; the proportional one may be unknown.
#[derive(Clone, Copy, Debug)]
struct Memory {
    resident: f64,
    proportional: Option<f64>,
}

/// Returns the number in KB that `/proc/PID/FILE` gives for `name`.
fn kilobytes(pid: u32, file: &str, name: &str) -> Option<f64> {
    let text = fs::read_to_string(format!("/proc/{pid}/{file}")).ok()?;
    text.lines().find_map(|line| line.strip_prefix(name)?.split_ascii_whitespace().next()?.parse().ok())
}

fn memory(pid: u32) -> Memory {
    let megabytes = |file, name| Some(kilobytes(pid, file, name)? / BYTES_PER_KB);
    Memory {
        resident: megabytes("status", "VmRSS:").unwrap(),
        proportional: megabytes("smaps_rollup", "Pss:"),
    }
}

fn held(pid: u32) -> Held {
    let count = |what: &str| fs::read_dir(format!("/proc/{pid}/{what}")).unwrap().count();
    Held { files: count("fd"), threads: count("task") }
}

/// The mean memory of one hold, and the middle of its time in hours since the start.
#[derive(Clone, Copy, Debug)]
struct Hold {
    hours: f64,
    memory: Memory,
}

/// A program under soak.
struct Soak {
    terminal: Terminal,
    began: Instant,
    scale: Scale,
}

impl Soak {
    fn start(scale: Scale) -> Self {
        let program =
            std::env::var("HLSWARM_SOAK_PROGRAM").unwrap_or(env!("CARGO_BIN_EXE_hlswarm").to_owned());
        let mut arguments = vec!["demo", "-c", "0", "-d", "24h", "--ramp-rate", "100", "--bitrate", "200k"];
        arguments.extend(["--variant", "lowest", "--session-length", "exp:30s", "--timeout", "5s"]);
        FAULTS.iter().for_each(|rule| arguments.extend(["--fault", rule]));
        let terminal = Terminal::start(CommandBuilder::new(program), &arguments);
        terminal.wait_for("0 of 0 clients");
        Self { terminal, began: Instant::now(), scale }
    }

    /// Sets the target and waits until it is reached.
    fn reach(&mut self, clients: u32) {
        // A large change is confirmed with `y`, which otherwise means nothing.
        self.terminal.press(&format!("c{clients}\ry"));
        let shown = match clients / 1_000 {
            0 => format!("{clients} of {clients} clients"),
            thousands => {
                let number = format!("{thousands},{:03}", clients % 1_000);
                format!("{number} of {number} clients")
            }
        };
        self.terminal.wait_for(&shown);
    }

    /// Samples the memory for the time of a hold, after as long a wait.
    fn hold(&self) -> Hold {
        thread::sleep(self.scale.hold);
        let (mut samples, begun) = (Vec::new(), Instant::now());
        while samples.is_empty() || begun.elapsed() < self.scale.hold {
            samples.push(memory(self.terminal.pid()));
            thread::sleep(SAMPLE_EVERY);
        }
        let mean = |values: Vec<f64>| values.iter().sum::<f64>() / values.len() as f64;
        let resident = mean(samples.iter().map(|sample| sample.resident).collect());
        let proportional: Option<Vec<_>> = samples.iter().map(|sample| sample.proportional).collect();
        let memory = Memory { resident, proportional: proportional.map(mean) };
        Hold { hours: (self.began.elapsed() - begun.elapsed() / 2).as_secs_f64() / 3_600.0, memory }
    }

    /// Waits until no more is held than `before`. What the screen calls gone may still be closing.
    fn wait_until_gone(&self, before: Held) {
        let deadline = Instant::now() + GONE_LIMIT;
        loop {
            let now = held(self.terminal.pid());
            if now.files <= before.files && now.threads <= before.threads {
                return;
            }
            assert!(Instant::now() < deadline, "{now:?} without clients; {before:?} after the warm-up");
            thread::sleep(SAMPLE_EVERY);
        }
    }
}

/// Reads one value of a measurement, if it is known.
type Value = fn(Memory) -> Option<f64>;

fn resident(memory: Memory) -> Option<f64> {
    Some(memory.resident)
}

fn proportional(memory: Memory) -> Option<f64> {
    memory.proportional
}

/// Judges the memory of the holds after `warm_up`, prints what it finds, and fails if the memory certainly grows.
fn assert_flat(what: &str, holds: &[Hold], warm_up: Duration) {
    let from = holds.iter().take_while(|hold| hold.hours * 3_600.0 < warm_up.as_secs_f64()).count();
    let holds = &holds[from.clamp(FIRST_ROUNDS, holds.len() - ROUNDS)..];
    let hours = holds[holds.len() - 1].hours - holds[0].hours;
    let filling = if warm_up < WARM_UP { FILLING_MB / hours } else { 0.0 };
    let limit = LIMIT_MB_PER_HOUR + filling;
    for (kind, value) in [("VmRSS", resident as Value), ("Pss", proportional)] {
        let points = holds.iter().map(|hold| Some((hold.hours, value(hold.memory)?)));
        let Some(points) = points.collect::<Option<Vec<_>>>() else {
            println!("{kind} {what}: --, the system does not report it");
            continue;
        };
        let found = slope(&points).expect("several rounds");
        let (Slope { per_hour, error }, verdict) = (found, Verdict::of(found, limit));
        let [first, last] = [points.first(), points.last()].map(|point| point.map_or(0.0, |point| point.1));
        println!(
            "{kind} {what}: {first:.1} MB first, {last:.1} MB last, slope {per_hour:+.2} +-{error:.2} MB/h (95 %) \
             in {:.0} min, limit {limit:.0} MB/h: {verdict:?}",
            hours * 60.0
        );
        assert!(
            verdict.passes(warm_up),
            "{kind} {what} is not known to grow by less than {limit:.0} MB/h: {verdict:?}"
        );
    }
}

/// Growth of the memory, as far as its slope is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// Certainly faster than the limit.
    Growing,
    /// Certainly slower than the limit.
    Flat,
    /// The interval of the slope holds the limit.
    Unresolved,
}

impl Verdict {
    fn of(Slope { per_hour, error }: Slope, limit: f64) -> Self {
        match (per_hour - error > limit, per_hour + error < limit) {
            (true, _) => Self::Growing,
            (_, true) => Self::Flat,
            _ => Self::Unresolved,
        }
    }

    /// Reports whether a soak with this warm-up passes. A full soak must prove that the memory is flat: one that is too
    /// noisy to tell has shown nothing. A short one cannot prove it, and only finds large leaks.
    fn passes(self, warm_up: Duration) -> bool {
        self == Self::Flat || (self == Self::Unresolved && warm_up < WARM_UP)
    }
}

#[test]
fn a_full_soak_passes_only_if_its_memory_is_known_to_be_flat() {
    // One round each two minutes for an hour, whose memory grows by `per_hour` and differs by `noise` in turn.
    let holds = |per_hour: f64, noise: f64| -> Vec<Hold> {
        let at = |round: u32| {
            let hours = f64::from(round) / 30.0;
            let resident = 30.0 + per_hour * hours + noise * f64::from(round % 2);
            Hold { hours, memory: Memory { resident, proportional: None } }
        };
        (0..=30).map(at).collect()
    };
    let passes = |holds: &[Hold], warm_up| {
        std::panic::catch_unwind(|| assert_flat("in a test", holds, warm_up)).is_ok()
    };
    let short = WARM_UP / 2;
    for (per_hour, noise, in_full, in_short) in
        [(0.2, 0.1, true, true), (0.2, 20.0, false, true), (30.0, 0.1, false, false)]
    {
        let holds = holds(per_hour, noise);
        assert_eq!(passes(&holds, WARM_UP), in_full, "full, {per_hour} MB/h with noise of {noise} MB");
        assert_eq!(passes(&holds, short), in_short, "short, {per_hour} MB/h with noise of {noise} MB");
    }
}

#[test]
fn memory_files_and_threads_stay_where_they_were_while_clients_come_and_go() {
    let scale = Scale::from_environment();
    let mut soak = Soak::start(scale);
    println!("without clients, at the start: {:?}", held(soak.terminal.pid()));
    let (mut with_clients, mut without) = (Vec::new(), Vec::new());
    let mut baseline = None;
    while with_clients.len() < FIRST_ROUNDS + ROUNDS || soak.began.elapsed() < scale.length {
        soak.reach(scale.clients);
        with_clients.push(soak.hold());
        soak.reach(0);
        without.push(soak.hold());
        match baseline {
            Some(before) => soak.wait_until_gone(before),
            None if without.len() == FIRST_ROUNDS => baseline = Some(held(soak.terminal.pid())),
            None => {}
        }
        println!(
            "{:>6.0} s: {:.1} MB with {} clients, {:.1} MB without, then {:?}",
            soak.began.elapsed().as_secs_f64(),
            with_clients.last().map_or(0.0, |hold: &Hold| hold.memory.resident),
            scale.clients,
            without.last().map_or(0.0, |hold: &Hold| hold.memory.resident),
            held(soak.terminal.pid())
        );
    }
    let ended = soak.terminal.quit();
    assert!([0, 3].contains(&ended.exit_code), "{}", ended.printed());
    ended.assert_restored();
    let report = &ended.report;
    assert_eq!(report["requests"]["started"], report["requests"]["finished"]);
    assert_eq!(report["internal"]["invariant_violations"], 0);
    assert_eq!(report["run"]["clients_peak"], scale.clients);
    println!(
        "{} requests, {} clients in all",
        report["requests"]["finished"], report["run"]["clients_started"]
    );
    // The first seconds of a program say nothing about the slope of its memory.
    if !scale.length.is_zero() {
        let warm_up = WARM_UP.min(scale.length / SHORT_WARM_UP);
        assert_flat("with all clients", &with_clients, warm_up);
        assert_flat("without clients", &without, warm_up);
    }
}
