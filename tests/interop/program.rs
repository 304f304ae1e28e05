//! The program under test: runs the real binary with a time limit, and returns all of its output.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

const POLL: Duration = Duration::from_millis(20);

/// Files that the program writes into its folder, its two streams first.
const OUTPUTS: [&str; 4] = ["stdout", "stderr", "report.json", "report.txt"];

/// A running `hlswarm`; it is killed when dropped.
pub struct Program {
    child: Child,
    folder: TempDir,
}

/// A run that has ended by itself.
pub struct Ended {
    pub exit_code: Option<i32>,
    pub report: Report,
    folder: TempDir,
}

/// The JSON report; JSON pointers such as `/playback/stalls` address its fields.
pub struct Report(Value);

impl Program {
    /// Starts `hlswarm run url --no-tui` with `options`, and a JSON and a text report.
    pub fn start(url: &str, options: &[&str]) -> Self {
        Self::start_command(&["run", url], options)
    }

    /// Starts `hlswarm` with a command such as `demo`, `--no-tui`, `options`, and a JSON and a text report. Tests run
    /// beside each other on a machine that may be busy, so the exit code must not say how prompt the program was.
    pub fn start_command(command: &[&str], options: &[&str]) -> Self {
        Self::start_with(command, options, &[])
    }

    /// Does the same with these variables.
    pub fn start_with(command: &[&str], options: &[&str], variables: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let [stdout, stderr, json, text] = OUTPUTS.map(|name| folder.path().join(name));
        let child = Command::new(env!("CARGO_BIN_EXE_hlswarm"))
            .args(command)
            .envs(variables.iter().copied())
            .args(["--no-tui", "--allow-untrusted"])
            .args(options)
            .arg("--report")
            .arg(json)
            .arg("--report")
            .arg(text)
            .stdin(Stdio::null())
            // Files, not pipes: the test need not read them while it does something else.
            .stdout(File::create(stdout).unwrap())
            .stderr(File::create(stderr).unwrap())
            .spawn()
            .unwrap();
        Self { child, folder }
    }

    /// Waits until the program has printed `text`; fails after half a minute.
    pub fn wait_until_it_said(&self, text: &str) {
        let deadline = Instant::now() + Duration::from_secs(30);
        while !self.said().contains(text) {
            assert!(Instant::now() < deadline, "{text} was not said: {}", self.said());
            thread::sleep(POLL);
        }
    }

    /// Sends a signal to the program.
    pub fn signal(&self, signal: Signal) {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, signal).unwrap();
    }

    /// Waits for the end. If the run takes longer than `limit`, kills it and fails the test.
    pub fn end_within(mut self, limit: Duration) -> Ended {
        let status = self.wait(limit);
        let folder = std::mem::replace(&mut self.folder, tempfile::tempdir().unwrap());
        let report = Report::read(&folder.path().join("report.json"));
        Ended { exit_code: status.code(), report, folder }
    }

    fn wait(&mut self, limit: Duration) -> ExitStatus {
        let deadline = Instant::now() + limit;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < deadline, "still running after {limit:?}: {}", self.said());
            thread::sleep(POLL);
        }
    }

    /// Returns what the program has printed so far.
    pub fn said(&self) -> String {
        output(self.folder.path(), "stdout") + &output(self.folder.path(), "stderr")
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Ended {
    /// Returns everything that was printed or written: the name of each output and its text.
    pub fn outputs(&self) -> impl Iterator<Item = (&'static str, String)> {
        OUTPUTS.into_iter().map(|name| (name, output(self.folder.path(), name)))
    }

    /// Returns the standard output.
    pub fn stdout(&self) -> String {
        output(self.folder.path(), "stdout")
    }

    /// Returns the standard error.
    pub fn stderr(&self) -> String {
        output(self.folder.path(), "stderr")
    }

    /// Fails with the program's outputs unless the exit code is `expected`.
    pub fn assert_exit_code(&self, expected: i32) {
        let said: String = self.outputs().map(|(name, text)| format!("--- {name}\n{text}\n")).collect();
        assert_eq!(self.exit_code, Some(expected), "{said}");
    }
}

impl Report {
    fn read(path: &Path) -> Self {
        // A refused run writes no report.
        let Ok(text) = fs::read_to_string(path) else { return Self(Value::Null) };
        Self(serde_json::from_str(&text).unwrap_or_else(|error| panic!("report: {error}: {text}")))
    }

    /// Returns the whole report.
    pub fn value(&self) -> &Value {
        &self.0
    }

    /// Returns a whole number. The report omits zeros, so a missing field is zero.
    pub fn count(&self, pointer: &str) -> u64 {
        let Some(value) = self.0.pointer(pointer) else { return 0 };
        value.as_u64().unwrap_or_else(|| panic!("{pointer} is {value}"))
    }

    /// Returns a measured number, which must be present.
    pub fn number(&self, pointer: &str) -> f64 {
        let value = self.0.pointer(pointer).and_then(Value::as_f64);
        value.unwrap_or_else(|| panic!("{pointer} is no number in {}", self.0))
    }

    /// Returns a value as text; a string without its quotes.
    pub fn text(&self, pointer: &str) -> String {
        match self.0.pointer(pointer) {
            Some(Value::String(text)) => text.clone(),
            Some(value) => value.to_string(),
            None => String::new(),
        }
    }

    /// Returns the number of requests for each outcome, by name.
    pub fn outcomes(&self) -> Vec<(&str, u64)> {
        let outcomes = self.0.pointer("/outcomes").and_then(Value::as_object);
        let outcomes = outcomes.unwrap_or_else(|| panic!("no outcomes in {}", self.0));
        outcomes.iter().map(|(name, count)| (name.as_str(), count.as_u64().unwrap())).collect()
    }
}

fn output(folder: &Path, name: &str) -> String {
    fs::read_to_string(folder.join(name)).unwrap_or_default()
}
