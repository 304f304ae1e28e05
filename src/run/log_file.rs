//! The program's own log (`--log-file`): what began when, with which plan, what happened, and how it ended. It replaces
//! no other output.
//!
//! * A line is the time in UTC, a level and a message: `2026-01-02T03:04:05.678Z WARN  threshold ...`.
//! * Nothing waits for the log, and its loss changes no exit code: a thread of its own writes it from a bounded queue, as
//!   it does for the standard streams. After a line that the disk refused the next ones are tried all the same.
//! * Beyond [`MOST_BYTES`] lines are counted and left out, except for those of the end.
//! * Every line goes through the sanitiser. Plan and command line are the redacted ones of the report.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;
use std::time::Duration;

use rustix::fs::OFlags;
use tokio::runtime::Builder;
use tokio::sync::watch;

use super::story::{Level, Story};
use super::{files, stdio, threads};
use crate::config::{ConfigError, shown_file};
use crate::sample::RunSample;
use crate::vocabulary::units;
use crate::vocabulary::untrusted::harmless_lines;

/// Bytes from which on only the end of a run is added: far more than a day of trouble writes.
const MOST_BYTES: u64 = 10_000_000;
/// Maximum time that the program waits for the last lines to be written.
const LAST_LINES: Duration = Duration::from_millis(500);
/// Begin of the program's messages on standard error.
const PROGRAM: &str = "hlswarm: ";

static LOG: OnceLock<Log> = OnceLock::new();

/// A log that is open.
struct Log {
    stream: stdio::Stdio,
    path: String,
    written: AtomicU64,
    left_out: AtomicU64,
}

impl Log {
    fn start(file: File, path: &Path) -> Self {
        let stream = stdio::Stdio::start("log", Arc::new(file));
        Self { stream, path: shown_file(path), written: AtomicU64::new(0), left_out: AtomicU64::new(0) }
    }

    fn add(&self, level: Level, text: &str) {
        for line in lines(level, text) {
            if self.written.fetch_add(line.len() as u64 + 1, Ordering::Relaxed) < MOST_BYTES {
                self.stream.say(&line);
            } else {
                self.left_out.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// Adds the last lines, and waits until they are written.
    fn end(&self, code: u8) -> io::Result<()> {
        let level = if code == 0 { Level::Info } else { Level::Error };
        let mut text = format!("exit code {code}");
        let left_out = self.left_out.load(Ordering::Relaxed);
        if left_out > 0 {
            let most = units::bytes(MOST_BYTES);
            text =
                format!("{} left out: the log is limited to {most}\n{text}", units::plural(left_out, "line"));
        }
        self.stream.print(&(lines(level, &text).join("\n") + "\n"), Some(LAST_LINES))
    }
}

/// Opens the log, empties it, and copies the program's messages into it from now on. `others` are files that the run
/// writes too.
///
/// # Errors
/// The file cannot be written, or is one of the others.
pub(super) fn open<'a>(path: &Path, mut others: impl Iterator<Item = &'a Path>) -> Result<(), ConfigError> {
    let wrong = |reason| ConfigError::Record { option: "--log-file", path: shown_file(path), reason };
    let resolved = files::resolve(path).map_err(|error| wrong(error.to_string()))?;
    let is_same = |other: &Path| files::resolve(other).is_ok_and(|other| files::are_same(&resolved, &other));
    if others.any(is_same) {
        return Err(wrong("another output goes to this file".to_owned()));
    }
    if !is_free(path) {
        let why = "something else than an earlier log is in the file";
        return Err(wrong(why.to_owned()));
    }
    let mut options = OpenOptions::new();
    // Never wait for the other end of a pipe.
    options.write(true).create(true).truncate(true).custom_flags(OFlags::NONBLOCK.bits().cast_signed());
    let file = options.open(path).map_err(|error| wrong(error.to_string()))?;
    let log = Log::start(file, path);
    if LOG.set(log).is_ok() {
        stdio::copy_messages_to(message);
    }
    Ok(())
}

/// Reports whether a log may take the place of a file: nothing else is in it. A file of another option, such as the plan,
/// is read after the log has begun.
fn is_free(path: &Path) -> bool {
    if !path.is_file() {
        return true;
    }
    let mut begin = [0; 11];
    let length = File::open(path).and_then(|mut file| file.read(&mut begin)).unwrap_or_default();
    // The date of the first line.
    let is_as_in =
        |(byte, form): (&u8, &u8)| if *form == b'0' { byte.is_ascii_digit() } else { byte == form };
    length == 0 || (length == begin.len() && begin.iter().zip(b"0000-00-00T").all(is_as_in))
}

/// Adds a line for each line of a text, if there is a log.
pub(super) fn add(level: Level, text: &str) {
    if let Some(log) = LOG.get() {
        log.add(level, text);
    }
}

/// Adds a message of the program.
fn message(text: &str) {
    let text = text.strip_prefix(PROGRAM).unwrap_or(text);
    match text.strip_prefix("warning: ") {
        Some(warning) => add(Level::Warn, warning),
        None => add(Level::Info, text),
    }
}

/// Returns the lines of a text as the log has them.
fn lines(level: Level, text: &str) -> Vec<String> {
    let now = jiff::Timestamp::now();
    let text = harmless_lines(text);
    text.lines().map(|line| format!("{now:.3} {:<5} {line}", level.name())).collect()
}

/// Starts to add the story of the run that these samples tell; `None` without a log.
pub(super) fn follow(mut samples: watch::Receiver<Arc<RunSample>>) -> io::Result<Option<JoinHandle<()>>> {
    if LOG.get().is_none() {
        return Ok(None);
    }
    let tell = async move {
        let mut story = Story::default();
        while samples.changed().await.is_ok() {
            let sample = Arc::clone(&samples.borrow_and_update());
            story.tell(&sample, add);
        }
    };
    threads::start("story", Builder::new_current_thread(), move || Ok(tell)).map(Some)
}

/// Adds the last line. A log that lacks lines is said on standard error.
pub(super) fn end(code: u8) {
    let Some(log) = LOG.get() else { return };
    if let Err(error) = log.end(code) {
        stdio::say(&format!(
            "hlswarm: warning: --log-file {}: not all lines were written: {error}",
            log.path
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_its_time_in_utc_its_level_and_no_control_character() {
        let lines = lines(Level::Warn, "one\u{1b}[2J\ntwo");
        assert_eq!(lines.len(), 2);
        for (line, expected) in lines.iter().zip(["one^[[2J", "two"]) {
            let (time, rest) = line.split_once(' ').expect("a time");
            assert!(time.parse::<jiff::Timestamp>().is_ok(), "{time}");
            assert_eq!((time.len(), rest), (24, &*format!("WARN  {expected}")));
        }
    }

    #[test]
    fn a_log_that_is_full_counts_lines_and_still_has_its_end() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("log");
        let log = Log::start(File::create(&path).expect("created"), &path);
        log.written.store(MOST_BYTES - 1, Ordering::Relaxed);
        (0..3).for_each(|number| log.add(Level::Info, &format!("line {number}")));
        log.end(3).expect("written");
        let text = std::fs::read_to_string(&path).expect("there");
        let lines: Vec<_> = text.lines().filter_map(|line| line.get(25..)).collect();
        let left_out = "ERROR 2 lines left out: the log is limited to 10 MB";
        assert_eq!(lines, ["INFO  line 0", left_out, "ERROR exit code 3"]);
    }

    #[test]
    fn a_log_takes_the_place_of_nothing_but_an_earlier_log() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("file");
        assert!(is_free(&path) && is_free(folder.path()), "not there, or no file");
        let line = lines(Level::Info, "begun").remove(0);
        for (text, expected) in
            [("", true), (&*line, true), ("name,token\nada,1\n", false), ("2026-01", false)]
        {
            std::fs::write(&path, text).expect("written");
            assert_eq!(is_free(&path), expected, "{text}");
        }
    }

    #[test]
    fn a_file_with_another_output_is_refused_and_stays_as_it_is() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("run.ndjson");
        std::fs::write(&path, "a record").expect("written");
        let other = folder.path().join("./run.ndjson");
        let refused = open(&path, [&*other].into_iter()).expect_err("refused").to_string();
        assert!(refused.contains("another output goes to this file"), "{refused}");
        assert_eq!(std::fs::read_to_string(&path).expect("there"), "a record");
        let refused = open(&folder.path().join("none/log"), std::iter::empty()).expect_err("no folder");
        assert!(refused.to_string().starts_with("--log-file "), "{refused}");
    }
}
