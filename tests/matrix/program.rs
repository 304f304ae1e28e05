//! The program under test: starts it with a report in both formats and a record, watches it, and reads what it left.

use std::fs::{self, File};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

const POLL: Duration = Duration::from_millis(20);
/// Longest run. No row needs a quarter of it on a machine that is not busy; a run that takes longer hangs.
const LIMIT: Duration = Duration::from_secs(90);

/// The program.
pub const HLSWARM: &str = env!("CARGO_BIN_EXE_hlswarm");

/// Files that a run writes into its folder, its two streams first.
const OUTPUTS: [&str; 5] = ["stdout", "stderr", "report.json", "report.txt", "record.ndjson"];

/// A command line that is not started yet.
pub struct Start {
    command: Command,
    folder: TempDir,
    recorded: bool,
    limit: Duration,
}

/// A running program; it is killed when dropped, with all processes that it has started.
pub struct Program {
    child: Child,
    folder: TempDir,
    recorded: bool,
    deadline: Instant,
    used: Used,
}

/// Memory of a process, as it was seen while it ran.
#[derive(Clone, Copy, Debug, Default)]
pub struct Used {
    /// Highest memory in KiB.
    pub peak_kib: u64,
    /// Highest memory in KiB without that of files, such as the program's own code, of which an unoptimised program
    /// has much.
    pub peak_anonymous_kib: u64,
}

/// A run that has ended by itself.
pub struct Ended {
    status: ExitStatus,
    /// The JSON report, or null.
    pub report: Value,
    /// True if a record was asked for.
    pub recorded: bool,
    /// The lines of the record.
    pub record: Vec<Value>,
    /// Memory that it used.
    pub used: Used,
    folder: TempDir,
}

/// Returns a new folder for the files of one run.
pub fn folder() -> TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap()
}

impl Start {
    /// Prepares `hlswarm run url` without a screen, with both reports and a record.
    pub fn run(url: &str) -> Self {
        Self::of(&[HLSWARM, "run", url]).with(&["--no-tui"]).reports().record()
    }

    /// Prepares the same, started by a script of the shell, in which `"$0" "$@"` is its command line.
    pub fn run_by(script: &str, url: &str) -> Self {
        Self::shell(script, &[HLSWARM, "run", url]).with(&["--no-tui"]).reports().record()
    }

    /// Prepares `line`, a program and its arguments. Rows run beside each other, maybe on a busy machine, which must
    /// not decide the exit code of a load.
    pub fn of(line: &[&str]) -> Self {
        let is_load = line.iter().any(|word| ["run", "demo"].contains(word));
        let trusting: &[&str] = if is_load { &["--allow-untrusted"] } else { &[] };
        Self::strict(&[line, trusting].concat())
    }

    /// Prepares `line`, whose exit code says whether this machine limited the result.
    pub fn strict(line: &[&str]) -> Self {
        let mut command = Command::new(line[0]);
        let folder = folder();
        command.args(&line[1..]).current_dir(folder.path()).stdin(Stdio::null());
        // Files, not pipes: nothing need read them while the program runs.
        command.stdout(File::create(folder.path().join("stdout")).unwrap());
        command.stderr(File::create(folder.path().join("stderr")).unwrap());
        Self { command, folder, recorded: false, limit: LIMIT }
    }

    /// Prepares `script` for the shell; `"$0" "$@"` in it is `line`.
    pub fn shell(script: &str, line: &[&str]) -> Self {
        Self::of(&[&["sh", "-c", script], line].concat())
    }

    /// Adds arguments.
    pub fn with(mut self, arguments: &[&str]) -> Self {
        self.command.args(arguments);
        self
    }

    /// Adds both reports.
    pub fn reports(self) -> Self {
        self.with(&["--report", "report.json", "--report", "report.txt"])
    }

    /// Adds the record.
    pub fn record(self) -> Self {
        Self { recorded: true, ..self.with(&["--record", "record.ndjson"]) }
    }

    /// Lets the run take twice as long as others.
    pub fn long(self) -> Self {
        Self { limit: 2 * LIMIT, ..self }
    }

    /// Sets an environment variable.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// Changes the command in ways for which there is no shorter word.
    pub fn change(mut self, change: impl FnOnce(&mut Command)) -> Self {
        change(&mut self.command);
        self
    }

    /// Returns the folder in which the program starts.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn start(mut self) -> Program {
        let child = self.command.spawn().unwrap();
        // The command holds the files of both streams.
        let Self { folder, recorded, limit, .. } = self;
        Program { child, folder, recorded, deadline: Instant::now() + limit, used: Used::default() }
    }

    /// Starts the program and waits for its end.
    pub fn end(self) -> Ended {
        self.start().end()
    }
}

impl Program {
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal; a program that has ended is left alone.
    pub fn signal(&self, signal: Signal) {
        _ = kill_process(Pid::from_child(&self.child), signal);
    }

    /// Returns the path of a file in the program's folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Returns a file in the program's folder as text; a missing one is empty.
    pub fn read(&self, name: &str) -> String {
        text(self.folder.path(), name)
    }

    /// Returns the memory of the program in KiB that has this name in proc_pid_status(5).
    pub fn memory_kib(&self, name: &str) -> u64 {
        memory_kib(&status(self.pid()), name)
    }

    /// Returns the CPU time of the program so far (proc_pid_stat(5)).
    pub fn cpu_time(&self) -> Duration {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.pid())).unwrap_or_default();
        // Its name, the second field, may hold any text.
        let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields).split_ascii_whitespace();
        // utime and stime.
        let ticks: u64 = fields.skip(11).take(2).map(|field| field.parse().unwrap_or(0)).sum();
        Duration::from_secs(ticks) / u32::try_from(rustix::param::clock_ticks_per_second()).unwrap()
    }

    /// Waits until `holds` is true or the program has ended; returns whether it is true.
    pub fn wait_until(&mut self, what: &str, mut holds: impl FnMut(&Self) -> bool) -> bool {
        loop {
            if holds(self) {
                return true;
            }
            if self.poll().is_some() {
                return holds(self);
            }
            assert!(Instant::now() < self.deadline, "waited in vain for {what}: {}", self.said());
            thread::sleep(POLL);
        }
    }

    /// Waits until the program has printed `text`.
    pub fn wait_until_it_said(&mut self, text: &str) {
        let said = self.wait_until(text, |program| {
            program.read("stdout").contains(text) || program.read("stderr").contains(text)
        });
        assert!(said, "it ended without saying {text:?}: {}", self.said());
    }

    /// Waits for the end; a program that does not end fails the row.
    pub fn end(mut self) -> Ended {
        let status = loop {
            if let Some(status) = self.poll() {
                break status;
            }
            assert!(Instant::now() < self.deadline, "it hangs: {}", self.said());
            thread::sleep(POLL);
        };
        let folder = std::mem::replace(&mut self.folder, tempfile::tempdir().unwrap());
        let report = text(folder.path(), "report.json");
        let report = match report.is_empty() {
            true => Value::Null,
            false => {
                serde_json::from_str(&report).unwrap_or_else(|error| panic!("report: {error}: {report}"))
            }
        };
        let record = text(folder.path(), "record.ndjson");
        // A full disk cuts the last line.
        let record = record
            .split_inclusive('\n')
            .filter(|line| line.ends_with('\n'))
            .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("record: {error}: {line}")));
        let (record, recorded) = (record.collect(), self.recorded);
        Ended { status, report, recorded, record, used: self.used, folder }
    }

    fn poll(&mut self) -> Option<ExitStatus> {
        let status = status(self.child.id());
        let Used { peak_kib, peak_anonymous_kib } = &mut self.used;
        *peak_kib = (*peak_kib).max(memory_kib(&status, "VmHWM"));
        *peak_anonymous_kib = (*peak_anonymous_kib).max(memory_kib(&status, "RssAnon"));
        self.child.try_wait().unwrap()
    }

    /// Returns the last lines that the program printed.
    fn said(&self) -> String {
        let said = self.read("stdout") + &self.read("stderr");
        let lines: Vec<_> = said.lines().collect();
        lines[lines.len().saturating_sub(5)..].join("\n")
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // A process that was waited for has no number any more, so that no other one can be hit.
        if matches!(self.child.try_wait(), Ok(None)) {
            // In a pipe of the shell the program is a child of this child, and would run on.
            let below = descendants(self.pid());
            _ = self.child.kill();
            _ = self.child.wait();
            below.into_iter().for_each(|pid| _ = kill_process(pid, Signal::KILL));
        }
    }
}

/// Returns the text of proc_pid_status(5); empty for a process that is not there any more.
fn status(pid: u32) -> String {
    fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default()
}

/// Returns the memory in KiB that has this name in a status; 0 if there is none.
fn memory_kib(status: &str, name: &str) -> u64 {
    let value = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    value.and_then(|value| value.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}

/// Returns the processes that any thread of a process has started.
pub fn children(pid: u32) -> Vec<Pid> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let lists = tasks.map(|task| fs::read_to_string(task.path().join("children")).unwrap_or_default());
    let pids = lists.flat_map(|list| list.split_whitespace().map(str::to_owned).collect::<Vec<_>>());
    pids.filter_map(|pid| Pid::from_raw(pid.parse().ok()?)).collect()
}

/// Returns the processes that a process or one of those has started.
fn descendants(pid: u32) -> Vec<Pid> {
    let own = children(pid);
    let below = own.iter().flat_map(|pid| descendants(pid.as_raw_nonzero().get().unsigned_abs()));
    below.chain(own.iter().copied()).collect()
}

impl Ended {
    /// Returns the exit code; one that a signal caused is `None`.
    pub fn exit_code(&self) -> Option<i32> {
        self.status.code()
    }

    /// Returns the signal that killed the program.
    pub fn killed_by(&self) -> Option<i32> {
        self.status.signal()
    }

    /// Fails with what the program said unless the exit code is `expected`.
    pub fn assert_exit_code(&self, expected: i32) {
        self.assert_exit_codes(&[expected]);
    }

    /// Fails with what the program said unless the exit code is one of these.
    pub fn assert_exit_codes(&self, expected: &[i32]) {
        let is_expected = self.exit_code().is_some_and(|code| expected.contains(&code));
        let (code, why, said) = (self.exit_code(), &self.report["exit"]["reasons"], self.output("stderr"));
        assert!(is_expected, "exit code {code:?}, {expected:?} was expected: {why}\n{said}");
    }

    /// Returns one output as text; a missing one is empty.
    pub fn output(&self, name: &str) -> String {
        text(self.folder.path(), name)
    }

    /// Returns the number of files in the run's folder whose name contains `part`.
    pub fn files_with(&self, part: &str) -> usize {
        let files = fs::read_dir(self.folder.path()).unwrap().map(|file| file.unwrap().file_name());
        files.filter(|name| name.to_string_lossy().contains(part)).count()
    }

    /// Returns the name and the bytes of each output.
    pub fn outputs(&self) -> impl Iterator<Item = (&'static str, Vec<u8>)> {
        OUTPUTS.into_iter().map(|name| (name, fs::read(self.folder.path().join(name)).unwrap_or_default()))
    }

    /// Returns a whole number of the report. The report omits zeros, so a missing field is zero.
    pub fn count(&self, pointer: &str) -> u64 {
        let Some(value) = self.report.pointer(pointer) else { return 0 };
        value.as_u64().unwrap_or_else(|| panic!("{pointer} is {value}"))
    }

    /// Returns a measured number of the report, which must be present.
    pub fn number(&self, pointer: &str) -> f64 {
        let value = self.report.pointer(pointer).and_then(Value::as_f64);
        value.unwrap_or_else(|| panic!("{pointer} is no number in {}", self.report))
    }

    /// Returns the names of all outcomes except `cut`, which the end of a run causes.
    pub fn outcomes(&self) -> Vec<&str> {
        self.outcomes_at("/outcomes")
    }

    /// Returns the names of the outcomes of segments, except `cut`.
    pub fn segment_outcomes(&self) -> Vec<&str> {
        self.outcomes_at("/kinds/segment/outcomes")
    }

    fn outcomes_at(&self, pointer: &str) -> Vec<&str> {
        let Some(outcomes) = self.report.pointer(pointer).and_then(Value::as_object) else {
            return Vec::new();
        };
        outcomes.keys().map(String::as_str).filter(|name| *name != "cut").collect()
    }

    /// Returns the names of the findings.
    pub fn findings(&self) -> Vec<&str> {
        let findings = self.report["findings"].as_array().map_or(&[][..], Vec::as_slice);
        findings.iter().filter_map(|finding| finding["kind"].as_str()).collect()
    }
}

fn text(folder: &Path, name: &str) -> String {
    String::from_utf8_lossy(&fs::read(folder.join(name)).unwrap_or_default()).into_owned()
}
