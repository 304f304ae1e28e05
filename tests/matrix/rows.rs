//! Rows of the matrix, and the table of cases that each of them runs.
//!
//! A [`Case`] is one run against an origin with a fault: the script, the options, and what is expected. A case with a
//! failure also runs beside two healthy clients, which must not notice.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use rustix::process::Signal;
use tempfile::TempDir;

use crate::expectations::assert_common;
use crate::origin::{Answer, Asked, Log, Origin, Script};
use crate::program::{Ended, Program, Start};
use crate::streams::vod;

/// Path of the playlist with which every run begins.
pub const ENTRY: &str = "/m.m3u8";
/// Cookie that marks a healthy client.
const WELL: &str = "group=well";
/// End of the label of a run beside healthy clients.
const BESIDE: &str = "beside others";
/// Healthy clients beside those that meet the fault.
const WELL_CLIENTS: usize = 2;

/// One row: a fault, and the runs that show how it is met.
pub struct Row {
    /// Number of the row, such as `P13`.
    pub id: &'static str,
    /// The fault.
    pub fault: &'static str,
    /// Reason for which the row, or a part of it, cannot be built here.
    pub not_possible: Option<&'static str>,
    /// True if another machine has what it needs.
    pub is_lacking: bool,
    /// The runs; none is fine where nothing can be built.
    pub jobs: Vec<Job>,
}

/// A run of a row and its check, which panics with the reason of a failure.
pub struct Job {
    pub label: String,
    pub run: Box<dyn FnOnce() + Send>,
}

/// Returns a row without runs.
pub fn row(id: &'static str, fault: &'static str) -> Row {
    Row { id, fault, not_possible: None, is_lacking: false, jobs: Vec::new() }
}

impl Row {
    /// Adds a case, and the same case beside healthy clients if it has failures. A case that takes its time is run
    /// beside others only if it is the first of its row.
    pub fn case(mut self, case: Case) -> Self {
        let case = Arc::new(case);
        let is_first = !self.jobs.iter().any(|job| job.label.ends_with(BESIDE));
        let is_wanted = is_first || matches!(case.stop, Stop::Recorded);
        if let (World::Script(script), true, false) =
            (&case.world, is_wanted, case.failures.is_empty() || case.alone)
        {
            let (case, script) = (Arc::clone(&case), Arc::clone(script));
            self = self.job(format!("{} {BESIDE}", case.label), move || beside(&case, script));
        }
        self.job(case.label.clone(), move || case.check())
    }

    /// Adds a run that is checked by `run` itself.
    pub fn job(mut self, label: impl Into<String>, run: impl FnOnce() + Send + 'static) -> Self {
        self.jobs.push(Job { label: label.into(), run: Box::new(run) });
        self
    }

    /// Says why the row, or a part of it, cannot be built on any machine.
    pub fn not_possible(self, why: &'static str) -> Self {
        Self { not_possible: self.not_possible.or(Some(why)), ..self }
    }

    /// Says what this machine lacks for the row, or a part of it. Where all rows are required, that is a failure.
    pub fn lacks(self, what: &'static str) -> Self {
        Self { not_possible: Some(what), is_lacking: true, ..self }
    }
}

/// The origin of a case.
enum World {
    /// An HTTP/1 origin with this script.
    Script(Script),
    /// Any other origin.
    Other(Box<dyn Fn() -> Origin + Send + Sync>),
}

/// Moment at which a run is asked to end.
enum Stop {
    /// Every expected failure is in the record. A run that expects none ends by itself.
    Recorded,
    /// The origin has seen enough.
    When(Box<dyn Fn(&Log) -> bool + Send + Sync>),
}

type Special = Box<dyn Fn(&Ended, &Log) + Send + Sync>;

/// One run, and what is expected of it.
pub struct Case {
    label: String,
    world: World,
    options: Vec<String>,
    env: Vec<(&'static str, &'static str)>,
    clients: usize,
    stop: Stop,
    recorded: Vec<&'static str>,
    host: &'static str,
    shell: String,
    failures: Vec<&'static str>,
    ok: bool,
    exits: Vec<i32>,
    findings: Vec<&'static str>,
    special: Vec<Special>,
    alone: bool,
    kept: Vec<Arc<TempDir>>,
}

impl Case {
    /// Creates a case with an HTTP/1 origin. Without further words it expects that all requests end ok, that the
    /// viewers play to the end, and exit code 0.
    pub fn new(label: impl Into<String>, script: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> Self {
        Self::of(label.into(), World::Script(Arc::new(script)))
    }

    /// Creates a case with another origin.
    pub fn with_origin(
        label: impl Into<String>,
        origin: impl Fn() -> Origin + Send + Sync + 'static,
    ) -> Self {
        Self::of(label.into(), World::Other(Box::new(origin)))
    }

    /// Creates a case in which every playlist is `answer`, and every segment is sound.
    pub fn playlists(label: impl Into<String>, answer: Answer) -> Self {
        Self::new(label, move |asked| if asked.is_playlist() { answer.clone() } else { Answer::segment() })
    }

    /// Creates a case in which every playlist is this text.
    pub fn text(label: impl Into<String>, text: impl Into<bytes::Bytes>) -> Self {
        Self::playlists(label, Answer::playlist(text))
    }

    /// Creates a case in which every segment is `answer`, and the playlist is sound.
    pub fn segments(label: impl Into<String>, answer: Answer) -> Self {
        let list = vod(3);
        let case = Self::new(label, move |asked| match asked.is_playlist() {
            true => Answer::playlist(list.clone()),
            false => answer.clone(),
        });
        Self { ok: true, ..case }
    }

    fn of(label: String, world: World) -> Self {
        Self {
            label,
            world,
            options: Vec::new(),
            env: Vec::new(),
            clients: 2,
            stop: Stop::Recorded,
            recorded: Vec::new(),
            host: "127.0.0.1",
            shell: "exec \"$0\" \"$@\"".to_owned(),
            failures: Vec::new(),
            ok: false,
            exits: vec![0],
            findings: Vec::new(),
            special: Vec::new(),
            alone: false,
            kept: Vec::new(),
        }
    }

    /// Expects this failure, and exit code 3: nothing was played.
    pub fn fails(mut self, outcome: &'static str) -> Self {
        self.failures.push(outcome);
        self.exit(3)
    }

    /// Expects that other requests end ok.
    pub fn and_ok(self) -> Self {
        Self { ok: true, ..self }
    }

    /// Expects this exit code.
    pub fn exit(self, code: i32) -> Self {
        self.exits(&[code])
    }

    /// Expects one of these exit codes, because the one depends on what comes first.
    pub fn exits(self, codes: &[i32]) -> Self {
        Self { exits: codes.to_vec(), ..self }
    }

    /// Expects this finding.
    pub fn finding(mut self, name: &'static str) -> Self {
        self.findings.push(name);
        self
    }

    /// Adds options.
    pub fn options(mut self, options: &[&str]) -> Self {
        self.options.extend(options.iter().map(|option| (*option).to_owned()));
        self
    }

    /// Sets an environment variable of the program.
    pub fn env(mut self, name: &'static str, value: &'static str) -> Self {
        self.env.push((name, value));
        self
    }

    /// Sets the number of clients.
    pub fn clients(self, clients: usize) -> Self {
        Self { clients, ..self }
    }

    /// Asks the run to end once the origin has seen enough.
    pub fn until(self, enough: impl Fn(&Log) -> bool + Send + Sync + 'static) -> Self {
        Self { stop: Stop::When(Box::new(enough)), ..self }
    }

    /// Asks the run to end once the origin has seen `count` requests whose path contains `part`.
    pub fn until_asked(self, count: usize, part: &'static str) -> Self {
        self.until(move |log| log.count(part) >= count)
    }

    /// Asks the run to end this many seconds after the first request whose path contains `part`.
    pub fn until_after(self, seconds: u64, part: &'static str) -> Self {
        let first = OnceLock::new();
        self.until(move |log| {
            log.count(part) > 0 && first.get_or_init(Instant::now).elapsed() >= Duration::from_secs(seconds)
        })
    }

    /// Asks the run to end once its record contains `text`, as well as every expected failure.
    pub fn until_recorded(mut self, text: &'static str) -> Self {
        self.recorded.push(text);
        self
    }

    /// Waits until the run ends by itself, though it fails.
    pub fn by_itself(self) -> Self {
        self.until(|_| false)
    }

    /// Lets the URL name the origin by this name.
    pub fn host(self, name: &'static str) -> Self {
        self.resolved_host(name).options(&["--resolve", "*:{port}:127.0.0.1"])
    }

    /// Lets the URL name the origin by this name, which the program must resolve.
    pub fn resolved_host(self, name: &'static str) -> Self {
        Self { host: name, ..self }
    }

    /// Starts the program by this script of the shell, in which `"$0" "$@"` is its command line.
    pub fn shell(self, script: String) -> Self {
        Self { shell: script, ..self }
    }

    /// Leaves out the run beside healthy clients: the fault is not one of single clients.
    pub fn alone(self) -> Self {
        Self { alone: true, ..self }
    }

    /// Keeps a folder until the case has ended.
    pub fn keeps(mut self, folder: Arc<TempDir>) -> Self {
        self.kept.push(folder);
        self
    }

    /// Checks what is special about the case.
    pub fn holds(mut self, special: impl Fn(&Ended, &Log) + Send + Sync + 'static) -> Self {
        self.special.push(Box::new(special));
        self
    }

    /// Expects that the first failure of `outcome` is explained with `text`.
    pub fn explains(self, outcome: &'static str, text: &'static str) -> Self {
        self.holds(move |run, _| {
            let details = run.report["failure_details"][outcome].as_str().unwrap_or_default();
            assert!(details.contains(text), "{outcome} is explained as {details:?}");
        })
    }

    /// Runs the case alone and checks everything.
    fn check(&self) {
        let origin = match &self.world {
            World::Script(script) => Origin::of(Arc::clone(script)),
            World::Other(start) => start(),
        };
        let run = self.run(&origin, &[], self.clients, |program, log| match &self.stop {
            Stop::When(enough) => enough(log),
            Stop::Recorded => {
                let ends_itself = self.failures.is_empty() && self.recorded.is_empty();
                !ends_itself && self.are_recorded(program)
            }
        });
        assert_common(&run, self.clients as u64);
        self.assert_outcomes(&run);
        run.assert_exit_codes(&self.exits);
        let findings = run.findings();
        for finding in &self.findings {
            assert!(findings.contains(finding), "no finding {finding}: {findings:?}");
        }
        self.special.iter().for_each(|special| special(&run, &origin.log));
    }

    /// Runs the program against `origin`; asks it to end when `enough` says so.
    fn run(
        &self,
        origin: &Origin,
        options: &[&str],
        clients: usize,
        enough: impl Fn(&Program, &Log) -> bool,
    ) -> Ended {
        let own: Vec<_> =
            self.options.iter().map(|option| option.replace("{port}", &origin.port().to_string())).collect();
        let own: Vec<_> = own.iter().map(String::as_str).collect();
        let start = Start::run_by(&self.shell, &origin.url(ENTRY).replace("127.0.0.1", self.host))
            .with(&["-c", &clients.to_string(), "--ramp-time", "0"])
            .with(&own)
            .with(options);
        let mut program = self.env.iter().fold(start, |start, (name, value)| start.env(name, value)).start();
        // The normal end of a run without a duration.
        if program.wait_until("the end of the case", |program| enough(program, &origin.log)) {
            program.signal(Signal::INT);
        }
        program.end()
    }

    fn are_recorded(&self, program: &Program) -> bool {
        let record = program.read("record.ndjson");
        self.failures.iter().all(|failure| record.contains(&format!("\"outcome\":\"{failure}\"")))
            && self.recorded.iter().all(|text| record.contains(text))
    }

    /// Fails unless exactly the expected outcomes happened, and each failure is visible everywhere.
    fn assert_outcomes(&self, run: &Ended) {
        let mut expected = self.failures.clone();
        expected.extend((self.ok || self.failures.is_empty()).then_some("ok"));
        expected.sort_unstable();
        let mut outcomes = run.outcomes();
        outcomes.sort_unstable();
        assert_eq!(outcomes, expected, "outcomes; {}", run.report["failure_details"]);
        for failure in &self.failures {
            assert!(run.output("report.txt").contains(failure), "{failure} is not in the text report");
            let recorded =
                run.record.iter().any(|line| line["kind"] == "fault" && line["outcome"] == *failure);
            assert!(recorded, "{failure} is not in the record");
        }
    }
}

/// Runs a case beside two healthy clients, which must play to the end without a failure or a stall.
fn beside(case: &Case, script: Script) {
    let list = vod(2);
    let origin = Origin::start(move |asked| {
        let is_marked = asked.header("cookie").is_some_and(|cookie| cookie.contains(WELL));
        // The first connections belong to as many clients: one that is served well keeps its connection.
        if !is_marked && asked.connection >= WELL_CLIENTS {
            script(asked)
        } else if asked.is_playlist() {
            Answer::playlist_with(&[&format!("Set-Cookie: {WELL}")], list.clone())
        } else {
            Answer::segment()
        }
    });
    // The limit of the memory is that of the case: no more clients meet the fault than in its run alone.
    let clients = WELL_CLIENTS + case.clients;
    let run = case.run(&origin, &["--skip-preflight"], clients, |program, _| {
        let finished = program.read("record.ndjson").matches("\"why\":\"finished\"").count();
        finished >= WELL_CLIENTS && case.are_recorded(program)
    });
    assert_common(&run, clients as u64);
    let of_kind = |kind: &'static str| run.record.iter().filter(move |line| line["kind"] == kind);
    let finished: Vec<_> =
        of_kind("left").filter(|line| line["why"] == "finished").map(|line| &line["client"]).collect();
    assert!(finished.len() >= WELL_CLIENTS, "{} healthy clients played to the end", finished.len());
    for harm in ["fault", "stall_began"] {
        let harmed = of_kind(harm).filter(|line| finished.contains(&&line["client"])).count();
        assert_eq!(harmed, 0, "{harm} of a healthy client");
    }
}
