//! Command lines of the loads: each one is a run that an operator could type, against an origin that they could start.

use std::ffi::OsString;
use std::time::Duration;

use crate::capacity::TestLoad;

/// Clients that start in a second: a machine that starts more measures the join, not the load.
const STARTS_PER_SECOND: u32 = 400;
/// Length of a segment of the paced loads: short, so that a window holds several of them.
const SEGMENT: Duration = Duration::from_secs(1);
/// Smallest time of a ramp. Clients that start at once also reload at once, a segment later; spread over a segment they
/// request as the viewers of a real stream do.
const RAMP_LEAST: Duration = SEGMENT;
/// Length of a measurement: whole segments, so that each client makes the same number of requests in it.
const WINDOW: Duration = Duration::from_secs(3);
/// The same for a load without a pause.
const FULL_WINDOW: Duration = Duration::from_secs(2);
/// Time from the last start to the measurement, in which the last clients fill their buffers.
const SETTLE: Duration = Duration::from_millis(500);
/// Time that a run goes on after the measurement: the last reading must not be of a run that ends.
const AFTERWARDS: Duration = Duration::from_millis(400);
/// Time that a load takes beside its run: the start of two processes, the speed measurement and their end.
const START_AND_END: Duration = Duration::from_millis(500);
/// Rounds that are always measured.
pub(super) const ROUNDS: usize = 5;
/// Rounds after which the result is final.
pub(super) const ROUNDS_MAX: usize = 9;
/// Clients of `TestLoad::Many`, if this process may open as many files.
const MANY: u32 = 1_600;

/// Length and size of the measurements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scale {
    /// Long enough for prices.
    Whole,
    /// A second each, and a few clients: shows only that all of it works.
    Quick,
}

/// A load with its transport and length.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spec {
    pub(super) load: TestLoad,
    pub(super) secure: bool,
    pub(super) scale: Scale,
}

impl Spec {
    /// Returns the measurements of a round, in their order. It begins with another load in each round: none is always
    /// the first on a machine that has rested, or always the last.
    ///
    /// The base load, the memory and the connections, and the loads without a pause are measured in the first, third
    /// and fifth round only: three windows are enough for a median, and what a plan costs depends less on them.
    pub(super) fn round(scale: Scale, number: usize) -> Vec<Self> {
        let of = |secure| TestLoad::ALL.into_iter().map(move |load| Self { load, secure, scale });
        let often = |load| {
            matches!(
                load,
                TestLoad::Quiet | TestLoad::Middle | TestLoad::Medium | TestLoad::Wide | TestLoad::Proof
            )
        };
        let all = of(false).chain(of(true)).filter(|spec| spec.load.is_measured(spec.secure));
        let mut all: Vec<_> = all.filter(|spec| number.is_multiple_of(2) || often(spec.load)).collect();
        let first = all.len() * (number % ROUNDS) / ROUNDS;
        all.rotate_left(first);
        all
    }

    /// Returns the number of rounds before the result is judged.
    pub(super) const fn rounds(scale: Scale) -> usize {
        match scale {
            Scale::Whole => ROUNDS,
            Scale::Quick => 1,
        }
    }

    /// Estimates the time of the rounds in `numbers`.
    pub(super) fn time(scale: Scale, numbers: std::ops::Range<usize>, fit: u32) -> Duration {
        let all = numbers.flat_map(|number| Self::round(scale, number));
        all.map(|spec| spec.window(fit).1 + AFTERWARDS + START_AND_END).sum()
    }

    /// Returns the clients, of at most `fit`.
    pub(super) fn clients(self, fit: u32) -> u32 {
        let (whole, quick) = match self.load {
            TestLoad::Idle => (0, 0),
            TestLoad::Quiet => (50, 6),
            TestLoad::Middle | TestLoad::Medium | TestLoad::Wide => (400, 12),
            TestLoad::Many => (MANY, 24),
            TestLoad::Churn => (100, 6),
            TestLoad::SmallRequests | TestLoad::LargeBodies => (64, 3),
            TestLoad::Proof => (300, 10),
        };
        (if self.scale == Scale::Whole { whole } else { quick }).min(fit)
    }

    /// Returns the length of the ramp.
    fn ramp(self, clients: u32) -> Duration {
        match self.scale {
            Scale::Whole => RAMP_LEAST.max(Duration::from_secs(1) * clients / STARTS_PER_SECOND),
            Scale::Quick => Duration::from_millis(300),
        }
    }

    /// Returns the begin of the measurement and its end, from the start of the run.
    pub(super) fn window(self, fit: u32) -> (Duration, Duration) {
        let (settle, length) = match (self.scale, self.load.is_paced()) {
            (Scale::Whole, true) => (SETTLE, WINDOW),
            (Scale::Whole, false) => (SETTLE, FULL_WINDOW),
            (Scale::Quick, _) => (Duration::from_millis(300), Duration::from_secs(1)),
        };
        let from = self.ramp(self.clients(fit)) + settle;
        (from, from + length)
    }

    /// Returns the arguments of the origin, without the program's name.
    pub(super) fn origin(self) -> Vec<OsString> {
        let bitrate = match self.load {
            TestLoad::Medium => "800k",
            TestLoad::Wide => "3M",
            TestLoad::Proof => "1500k",
            TestLoad::LargeBodies => "20M",
            _ => "200k",
        };
        let mut line = vec!["origin", "--child", "--listen", "127.0.0.1:0", "--bitrate", bitrate];
        match (self.load, self.scale) {
            (TestLoad::SmallRequests, Scale::Whole) => {
                line.extend(["--vod-segments", "10000", "--segment-duration", "1s"]);
            }
            (TestLoad::LargeBodies, Scale::Whole) => line.extend(["--vod-segments", "10000"]),
            (TestLoad::SmallRequests | TestLoad::LargeBodies, Scale::Quick) => {
                line.extend(["--vod-segments", "5000", "--segment-duration", "500ms"]);
            }
            // A busy machine may take seconds for a segment, which must then still be there.
            (_, Scale::Quick) => line.extend(["--segment-duration", "500ms", "--window", "60"]),
            (_, Scale::Whole) => line.extend(["--segment-duration", "1s"]),
        }
        line.extend(self.secure.then_some("--tls"));
        line.into_iter().map(OsString::from).collect()
    }

    /// Returns the path of the stream on the origin.
    pub(super) const fn stream(self) -> &'static str {
        if self.load.is_paced() { "/live/ts/master.m3u8" } else { "/vod/ts/master.m3u8" }
    }

    /// Returns the command line of the run on `url`, of at most `fit` clients.
    pub(super) fn command(self, url: &str, fit: u32) -> Vec<OsString> {
        let clients = self.clients(fit);
        let length = self.window(fit).1 + AFTERWARDS;
        let [ramp, length] = [self.ramp(clients), length].map(|time| format!("{}ms", time.as_millis()));
        let variant = match self.load {
            TestLoad::Medium | TestLoad::Wide | TestLoad::Proof | TestLoad::LargeBodies => "highest",
            _ => "lowest",
        };
        let mut line = vec!["hlswarm".to_owned(), "run".to_owned(), url.to_owned()];
        let options = [
            ["--clients", &clients.to_string()],
            ["--ramp-time", &ramp],
            ["--duration", &length],
            ["--variant", variant],
            ["--player", if self.load.is_paced() { "web" } else { "ffmpeg" }],
            ["--session-length", if self.load == TestLoad::Churn { "exp:1s" } else { "endless" }],
            // Loads of different machines are to be equal.
            ["--seed", "1"],
        ];
        line.extend(options.into_iter().flatten().map(str::to_owned));
        line.extend(["--skip-preflight", "--no-brake", "--no-tui", "--allow-untrusted"].map(str::to_owned));
        line.into_iter().map(OsString::from).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli;

    #[test]
    fn every_load_is_a_run_and_an_origin_that_can_be_typed() {
        for scale in [Scale::Whole, Scale::Quick] {
            let all = Spec::round(scale, 0);
            assert_eq!(all.len(), 2 * TestLoad::ALL.len() - 1);
            for spec in all {
                let line = spec.command("http://127.0.0.1:1/live/ts/master.m3u8", 1_000);
                let Ok(cli::Command::Run(run)) = cli::parse(line).map(|cli| cli.command) else {
                    panic!("{spec:?}")
                };
                assert_eq!(run.load.clients, spec.clients(1_000), "{spec:?}");
                let (from, to) = spec.window(1_000);
                assert!(
                    from > run.load.ramp_time.expect("a ramp") && to < run.load.duration.expect("an end")
                );
                let origin = [vec![OsString::from("hlswarm")], spec.origin()].concat();
                let Ok(cli::Command::Origin(origin)) = cli::parse(origin).map(|cli| cli.command) else {
                    panic!("{spec:?}")
                };
                assert_eq!((origin.tls, origin.child), (spec.secure, true));
            }
        }
    }

    #[test]
    fn every_load_is_measured_often_enough_and_no_load_is_always_first() {
        let mut times = std::collections::BTreeMap::new();
        let rounds: Vec<_> = (0..ROUNDS).map(|number| Spec::round(Scale::Whole, number)).collect();
        for spec in rounds.iter().flatten() {
            *times.entry((spec.load, spec.secure)).or_insert(0) += 1;
        }
        assert!(times.values().all(|times| *times >= crate::capacity::ROUNDS_LEAST), "{times:?}");
        assert_eq!(times.get(&(TestLoad::Proof, true)), Some(&ROUNDS));
        let first: std::collections::BTreeSet<_> =
            rounds.iter().filter_map(|round| round.first()).map(|spec| (spec.load, spec.secure)).collect();
        assert!(first.len() >= ROUNDS - 1, "{first:?}");
        let time = Spec::time(Scale::Whole, 0..ROUNDS, 10_000);
        assert!(time > Duration::from_secs(240) && time < Duration::from_secs(480), "{time:?}");
    }

    #[test]
    fn few_files_make_the_largest_load_smaller() {
        let spec = Spec { load: TestLoad::Many, secure: false, scale: Scale::Whole };
        assert_eq!([spec.clients(10_000), spec.clients(900)], [MANY, 900]);
    }
}
