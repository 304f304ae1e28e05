//! `hlswarm replay`: the console again, or the progress lines, and the report, from the record of a run.

use std::fs::File;
use std::io::{self, BufReader, Read as _, Seek as _, SeekFrom};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::sync::watch;

use super::display::{ProgressLines, theme};
use super::recorded_run::{RecordedRun, read_ending};
use super::replay_pace::Pace;
use super::report_files::ReportFiles;
use super::signals::Signals;
use super::{ExitStatus, Failure, documents, exit, stdio};
use crate::cli::ReplayArgs;
use crate::config::{ConfigError, shown_file};
use crate::pipeline::Unreadable;
use crate::report::{self, Doc, Exit, Facts, SearchReport};
use crate::sample::{Replay, RunSample};
use crate::tui::{Access, Console, ReplayControl, Setup};
use crate::verdict::RunEnd;
use crate::vocabulary::{Command, OnHangup, ReplaySpeed, exit_code, units};

/// Bytes at the end of a record in which its last line is.
const TAIL: u64 = 4_096;
/// Longest time for which a replay waits for the reader of its lines. A run would drop them.
const LINE_LIMIT: Duration = Duration::from_secs(10);
/// Longest time between two looks at the keys and signals.
const LOOK: Duration = Duration::from_millis(20);

/// Replays a record. The exit code says whether the record could be read, not how its run ended.
pub(super) fn replay(args: &ReplayArgs, signals: Signals) -> Result<ExitStatus, Failure> {
    let ReplayArgs { file: path, speed, at, reports, .. } = args;
    let files = documents::outputs("--report", reports.clone(), std::slice::from_ref(path))?;
    let name = shown_file(path);
    let unreadable = |reason: String| ConfigError::Document { path: name.clone(), reason };
    let file = open(path).map_err(|error| unreadable(error.to_string()))?;
    let replay = Replay::open(BufReader::new(file), Arc::from(name.as_str()));
    let replay = replay
        .map_err(|why| unreadable(documents::report_for_record(path).unwrap_or_else(|| why.to_string())))?;
    let run = RecordedRun::new(replay.run());
    lack(path).into_iter().for_each(|lack| stdio::say(&format!("hlswarm: {name} {lack}")));
    stdio::flush(LINE_LIMIT);
    let shows_screen = !args.no_tui && Console::available();
    let speed = speed.unwrap_or(if shows_screen { ReplaySpeed::AS_RECORDED } else { ReplaySpeed::MAX });
    let control = Arc::new(ReplayControl::new(speed));
    let view = if shows_screen {
        View::screen(&run, &replay, args, &signals, Arc::clone(&control))?
    } else {
        View::lines(&run, &name)
    };
    Player { replay, run, view, control, pace: Pace::new(speed), from: *at, signals, name }.play(&files)
}

fn open(path: &Path) -> io::Result<File> {
    let file = File::open(path)?;
    if file.metadata()?.is_dir() {
        return Err(io::Error::new(io::ErrorKind::IsADirectory, "this is a directory; expected a record"));
    }
    Ok(file)
}

/// Returns what a record lacks, by its last line; `None` if it lacks nothing, or if it is no regular file, of which the
/// end is not known before it is read.
fn lack(path: &Path) -> Option<String> {
    let mut file = File::open(path).ok()?;
    let metadata = file.metadata().ok().filter(std::fs::Metadata::is_file)?;
    file.seek(SeekFrom::Start(metadata.len().saturating_sub(TAIL))).ok()?;
    let mut tail = Vec::new();
    file.take(TAIL).read_to_end(&mut tail).ok()?;
    let last = tail.strip_suffix(b"\n").and_then(|tail| tail.rsplit(|byte| *byte == b'\n').next());
    let last = last.and_then(|line| serde_json::from_slice::<Value>(line).ok());
    let end = last.filter(|line| line.get("kind").and_then(Value::as_str) == Some("end"));
    let Some(end) = end else { return Some("was cut off before the end of the run".to_owned()) };
    let dropped = end.get("events_dropped").and_then(Value::as_u64).filter(|dropped| *dropped > 0)?;
    Some(format!("lacks {} that the run dropped; no count lacks them", units::plural(dropped, "event")))
}

/// Display of a replay.
enum View {
    Screen {
        console: Console,
        samples: watch::Sender<Arc<RunSample>>,
        report: watch::Sender<Option<Arc<Doc>>>,
    },
    Lines(ProgressLines),
}

impl View {
    fn screen(
        run: &RecordedRun,
        replay: &Replay<'_>,
        args: &ReplayArgs,
        signals: &Signals,
        control: Arc<ReplayControl>,
    ) -> Result<Self, Failure> {
        let (samples, newest) = watch::channel(Arc::new(RunSample::default()));
        let (report, document) = watch::channel(None);
        let setup = Setup {
            samples: newest,
            report: document,
            commands: signals.commands.clone(),
            // Only the report at the end can be written as a page.
            documents: flume::bounded(1).0,
            selected: replay.selected(),
            replay: control,
            title: run.title(),
            theme: theme(args.theme, args.ascii),
            on_hangup: OnHangup::Stop,
            access: Access::Replay,
        };
        let console = Console::start(setup);
        let console = console.map_err(|error| Failure::no_thread("the screen (try --no-tui)", &error))?;
        Ok(Self::Screen { console, samples, report })
    }

    fn lines(run: &RecordedRun, name: &str) -> Self {
        let (identity, clients) = (&run.identity, units::plural(run.plan.profile.clients.into(), "client"));
        stdio::say(&format!(
            "hlswarm: replaying {name}: {} with {clients}, seed {}, run id {}, {}",
            identity.target, identity.seed, identity.run_id, identity.started_at
        ));
        Self::Lines(ProgressLines::default())
    }

    fn take(&mut self, sample: &Arc<RunSample>) {
        match self {
            Self::Screen { samples, .. } => _ = samples.send_replace(Arc::clone(sample)),
            Self::Lines(lines) => {
                lines.tell(sample);
                stdio::flush(LINE_LIMIT);
            }
        }
    }

    /// Reports whether the operator has left the screen.
    fn has_left(&mut self) -> bool {
        match self {
            Self::Screen { console, .. } => console.has_left(),
            Self::Lines(_) => false,
        }
    }

    /// Ends the display, and returns the number of panics.
    fn end(self) -> usize {
        let Self::Screen { console, .. } = self else { return 0 };
        let panics = console.stop();
        panics.iter().for_each(|message| stdio::say(message));
        panics.len()
    }
}

/// Reason why a replay stopped before the end of its record.
enum Stopped {
    /// The operator left the screen.
    Left,
    /// A signal with this exit code.
    Signal(u8),
}

struct Player<'a> {
    replay: Replay<'a>,
    run: RecordedRun,
    view: View,
    /// Orders of the console.
    control: Arc<ReplayControl>,
    pace: Pace,
    /// Time of the run up to which nothing is shown.
    from: Duration,
    signals: Signals,
    name: String,
}

impl Player<'_> {
    /// Shows all samples, and then the report. A record that is damaged or cut is played as far as it is whole.
    fn play(mut self, files: &ReportFiles) -> Result<ExitStatus, Failure> {
        let mut newest = None;
        let broken = loop {
            match self.replay.next() {
                Ok(Some(sample)) => {
                    if let Err(stopped) = self.show(&sample) {
                        return Ok(self.leave(&stopped));
                    }
                    newest = Some(sample);
                }
                Ok(None) => break None,
                Err(why) => break Some(why),
            }
        };
        let end = newest.as_ref().map_or(Duration::ZERO, |sample| sample.at);
        if end < self.from {
            self.view.end();
            let [at, end] = [self.from, end].map(units::clock);
            let reason = format!("{} ends at {end}; expected an earlier time", self.name);
            return Err(ConfigError::Document { path: format!("--at {at}"), reason }.into());
        }
        let has_samples = newest.is_some();
        let last = newest.filter(|sample| sample.distributions.is_some());
        let last = last.unwrap_or_else(|| self.replay.so_far());
        let doc = self.document(&last, has_samples, broken.is_none());
        let has_answer = doc.as_ref().is_ok_and(report::has_search);
        let unwritten = files.write_last(&doc);
        let text = doc.as_ref().map_or(String::new(), report::text);
        let stopped = self.show_report(doc.ok().map(Arc::new));
        let panics = self.view.end();
        unwritten.iter().for_each(|line| stdio::say(&format!("hlswarm: {line}")));
        if let Some(why) = &broken {
            let at = units::clock(last.at);
            stdio::say(&format!("hlswarm: {}: {why}; replayed up to {at} of the run", self.name));
        }
        if self.run.is_search && !has_answer {
            stdio::say(&format!(
                "hlswarm: {} is of a search, but has only its levels, not its answer",
                self.name
            ));
        }
        documents::print(&text)?;
        Ok(ExitStatus::from(match (stopped, broken) {
            _ if panics > 0 => exit_code::INTERNAL,
            (_, Some(Unreadable::Io(_) | Unreadable::Damaged(..))) => exit_code::USAGE,
            _ if !unwritten.is_empty() => exit_code::UNWRITTEN,
            (Some(Stopped::Signal(code)), _) => code,
            _ => 0,
        }))
    }

    /// Shows a sample when it is due.
    fn show(&mut self, sample: &Arc<RunSample>) -> Result<(), Stopped> {
        if sample.at < self.from {
            return self.look();
        }
        loop {
            self.look()?;
            let wait = self.pace.wait(sample.at, self.control.speed(), Instant::now());
            if self.control.is_paused() {
                std::thread::sleep(LOOK);
                self.pace.pause(LOOK);
            } else if wait.is_zero() {
                break;
            } else {
                std::thread::sleep(wait.min(LOOK));
            }
        }
        self.view.take(sample);
        Ok(())
    }

    /// Reports whether the operator or a signal ends the replay.
    fn look(&mut self) -> Result<(), Stopped> {
        if let Ok(Command::Stop(cause) | Command::StopNow(cause)) = self.signals.orders.try_recv() {
            return Err(exit::of_signal(cause).map_or(Stopped::Left, |(code, _)| Stopped::Signal(code)));
        }
        if self.view.has_left() { Err(Stopped::Left) } else { Ok(()) }
    }

    /// Shows the report until the operator leaves it. Lines need not wait.
    fn show_report(&mut self, doc: Option<Arc<Doc>>) -> Option<Stopped> {
        let View::Screen { report, .. } = &self.view else { return None };
        report.send_replace(Some(doc?));
        loop {
            if let Err(stopped) = self.look() {
                return Some(stopped);
            }
            std::thread::sleep(LOOK);
        }
    }

    fn leave(self, stopped: &Stopped) -> ExitStatus {
        let panics = self.view.end();
        ExitStatus::from(match stopped {
            _ if panics > 0 => exit_code::INTERNAL,
            Stopped::Left => 0,
            Stopped::Signal(code) => *code,
        })
    }

    /// Returns the report of the run, or of its part up to the end of a record that was cut.
    fn document(&self, last: &RunSample, has_samples: bool, is_whole: bool) -> serde_json::Result<Doc> {
        let recorded = self.replay.ending().filter(|_| is_whole);
        let search = recorded.and_then(|ending| SearchReport::read(ending.get("search")?));
        let ending = recorded.map(read_ending);
        let unknown = match ending {
            Some(_) => None,
            None if !has_samples => {
                Some("the record has no samples; nothing is known about the run".to_owned())
            }
            None => {
                Some(format!("the record ends at {}; how the run ended is not known", units::clock(last.at)))
            }
        };
        let facts = Facts {
            identity: self.run.identity.clone(),
            options: self.run.options.clone(),
            lost_workers: 0,
            end: ending.map(|ending| RunEnd {
                search: search.as_ref().map(SearchReport::verdict),
                ..exit::run_end(ending, &self.run.plan, last)
            }),
            allow_untrusted: self.run.allow_untrusted,
            calibration: Err("the run may have been on another machine".into()),
            search,
            origin: None,
        };
        let mut report = report::build(facts, last);
        let Exit { code, reasons } = exit::from_checks(&report.checks);
        report.exit = Exit {
            code: code.filter(|_| unknown.is_none()),
            reasons: unknown.into_iter().chain(reasons).collect(),
        };
        Doc::new(&report)
    }
}
