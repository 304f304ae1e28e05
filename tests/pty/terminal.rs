//! A program on a pseudo-terminal, and the emulator that reads its screen.

use std::io::{Read, Write};
use std::num::NonZero;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use rustix::fs::{Mode, OFlags, open};
use rustix::process::{Pid, Signal, kill_process};
use rustix::termios::{ControlModes, InputModes, LocalModes, OutputModes, Termios, tcgetattr};
use serde_json::Value;
use tempfile::TempDir;

/// Size in which every program starts: rows and columns.
pub const SIZE: (u16, u16) = (24, 80);

const LIMIT: Duration = Duration::from_secs(40);
const POLL: Duration = Duration::from_millis(20);

/// Escape sequence that leaves the alternate screen. All output after it is on the shell's screen.
const LEAVE: &str = "\x1b[?1049l";

/// Output of the program, as bytes and as a screen.
struct Output {
    bytes: Vec<u8>,
    screen: vt100::Parser,
}

/// A process that is killed when dropped.
struct Killed(Box<dyn Child + Send + Sync>);

impl Drop for Killed {
    fn drop(&mut self) {
        // Not `kill`: it first sends SIGHUP, which a program that hangs may answer with a report. A process that was
        // waited for has no number any more, so that no other one can be hit.
        if matches!(self.0.try_wait(), Ok(None)) {
            self.0.process_id().into_iter().for_each(|pid| send(pid, Signal::KILL));
            _ = self.0.wait();
        }
    }
}

/// A program that runs on a terminal of its own; it is killed when dropped.
pub struct Terminal {
    child: Killed,
    master: Box<dyn MasterPty + Send>,
    keyboard: Box<dyn Write + Send>,
    output: Arc<Mutex<Output>>,
    reading: Arc<AtomicBool>,
    /// Set while the reader waits and takes no output.
    paused: Arc<AtomicBool>,
    closed: Arc<AtomicBool>,
    reader: Option<JoinHandle<()>>,
    before: Termios,
    folder: TempDir,
}

/// Results of a program that has ended by itself.
pub struct Ended {
    pub exit_code: u32,
    /// All bytes that were written to the terminal.
    pub bytes: String,
    /// The JSON report.
    pub report: Value,
    screen: vt100::Screen,
    termios: [Termios; 2],
}

impl Terminal {
    /// Starts `hlswarm demo` with five clients of a healthy stream at once, `options` and a JSON report.
    pub fn demo(options: &[&str]) -> Self {
        Self::demo_at("--ramp-time=0", options)
    }

    /// Starts the same demo with another ramp.
    pub fn demo_at(ramp: &str, options: &[&str]) -> Self {
        let load = ["demo", "--healthy", "-c", "5", ramp];
        Self::start(CommandBuilder::new(env!("CARGO_BIN_EXE_hlswarm")), &[&load, options].concat())
    }

    /// Starts `hlswarm demo` with five clients at once, `options` and a JSON report.
    pub fn demo_with(options: &[&str]) -> Self {
        let load = ["demo", "-c", "5", "--ramp-time", "0"];
        Self::start(CommandBuilder::new(env!("CARGO_BIN_EXE_hlswarm")), &[&load, options].concat())
    }

    /// Starts `command` with `arguments` and a JSON report.
    pub fn start(mut command: CommandBuilder, arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        command.args(arguments);
        // The machine may be busy: the exit code must not say how prompt the program was.
        command.args(["--allow-untrusted", "--report"]);
        command.arg(folder.path().join("report.json"));
        Self::spawn(command, folder)
    }

    /// Starts `command` without further arguments.
    pub fn start_plain(command: CommandBuilder) -> Self {
        Self::spawn(command, tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap())
    }

    fn spawn(mut command: CommandBuilder, folder: TempDir) -> Self {
        let pair = native_pty_system().openpty(size(SIZE)).unwrap();
        let before = termios(&*pair.master);
        command.env("TERM", "xterm-256color");
        command.env("LANG", "C.UTF-8");
        command.cwd(folder.path());
        let child = Killed(pair.slave.spawn_command(command).unwrap());
        // Only the program may keep the slave open: the reader gets an error once the last process has closed it.
        drop(pair.slave);
        let (rows, columns) = cells(SIZE);
        let output = Output { bytes: Vec::new(), screen: vt100::Parser::new(rows, columns, 0) };
        let output = Arc::new(Mutex::new(output));
        let (reading, closed) = (Arc::new(AtomicBool::new(true)), Arc::new(AtomicBool::new(false)));
        let paused = Arc::new(AtomicBool::new(false));
        let mut source = pair.master.try_clone_reader().unwrap();
        let reader = {
            let (output, reading, closed) = (Arc::clone(&output), Arc::clone(&reading), Arc::clone(&closed));
            let paused = Arc::clone(&paused);
            thread::spawn(move || {
                let mut buffer = [0; 65_536];
                while !closed.load(Ordering::Acquire) {
                    let is_paused = !reading.load(Ordering::Acquire);
                    paused.store(is_paused, Ordering::Release);
                    if is_paused {
                        thread::sleep(POLL);
                        continue;
                    }
                    // A read fails once the last process on the terminal has ended.
                    let Ok(read @ 1..) = source.read(&mut buffer) else { return };
                    let mut output = output.lock().unwrap();
                    output.bytes.extend_from_slice(&buffer[..read]);
                    output.screen.process(&buffer[..read]);
                }
            })
        };
        let keyboard = pair.master.take_writer().unwrap();
        let (master, reader) = (pair.master, Some(reader));
        Self { child, master, keyboard, output, reading, paused, closed, reader, before, folder }
    }

    /// Returns the current text of the screen.
    pub fn screen(&self) -> String {
        self.output.lock().unwrap().screen.screen().contents()
    }

    /// Returns all output so far.
    pub fn bytes(&self) -> String {
        String::from_utf8_lossy(&self.output.lock().unwrap().bytes).into_owned()
    }

    /// Waits until the screen shows `text`.
    pub fn wait_for(&self, text: &str) {
        self.wait_until(text, |screen| screen.contains(text));
    }

    /// Waits until `holds` accepts the screen.
    pub fn wait_until(&self, what: &str, holds: impl Fn(&str) -> bool) {
        let deadline = Instant::now() + LIMIT;
        while !holds(&self.screen()) {
            assert!(Instant::now() < deadline, "not seen: {what}\n{}", self.screen());
            thread::sleep(POLL);
        }
    }

    /// Waits until `holds` accepts the output so far.
    pub fn wait_until_bytes(&self, what: &str, holds: impl Fn(&str) -> bool) {
        self.wait_until(what, |_| holds(&self.bytes()));
    }

    /// Types `keys`.
    pub fn press(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
        self.keyboard.flush().unwrap();
    }

    pub fn pid(&self) -> u32 {
        self.child.0.process_id().unwrap()
    }

    /// Sends a signal to the program.
    pub fn signal(&self, signal: Signal) {
        send(self.pid(), signal);
    }

    /// Resizes the window to these rows and columns.
    pub fn resize(&self, to: (u16, u16)) {
        let (rows, columns) = cells(to);
        self.output.lock().unwrap().screen.screen_mut().set_size(rows, columns);
        self.master.resize(size(to)).unwrap();
    }

    /// Stops reading the program's output until [`Terminal::read_on`].
    pub fn stop_reading(&self) {
        self.reading.store(false, Ordering::Release);
    }

    /// Stops reading the program's output, and fills the terminal's buffer so that the program cannot write.
    pub fn block(&self) {
        self.stop_reading();
        let flags = OFlags::WRONLY | OFlags::NOCTTY | OFlags::NONBLOCK;
        let terminal = open(self.master.tty_name().unwrap(), flags, Mode::empty()).unwrap();
        // The reader may be in one more read, which would take what fills the buffer: something to read ends it.
        while !self.paused.load(Ordering::Acquire) {
            _ = rustix::io::write(&terminal, b".");
            thread::sleep(POLL);
        }
        for piece in [&[b'.'; 512][..], b"."] {
            while rustix::io::write(&terminal, piece).is_ok() {}
        }
    }

    /// Reads the program's output again.
    pub fn read_on(&self) {
        self.reading.store(true, Ordering::Release);
    }

    /// Waits until the process is stopped.
    pub fn wait_until_stopped(&self) {
        self.wait_until("a stopped process", |_| {
            let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid())).unwrap();
            stat.rsplit_once(')').unwrap().1.trim_start().starts_with('T')
        });
    }

    /// Fails unless the terminal has the modes that it had at the start.
    pub fn assert_cooked(&self) {
        assert_eq!(modes(&self.before), modes(&termios(&*self.master)), "the terminal's modes");
    }

    /// Returns the report that is on disk now, or null.
    pub fn report(&self) -> Value {
        report(&self.folder)
    }

    /// Waits until a report has been written.
    pub fn wait_for_report(&self) {
        self.wait_until("a report", |_| !self.report().is_null());
    }

    /// Closes the window under the program and waits for its end; returns its exit code and report.
    pub fn close(self) -> (u32, Value) {
        self.hang_up().end()
    }

    /// Closes the window under the program, which may keep running.
    pub fn hang_up(self) -> Lonely {
        let Self { child, master, keyboard, closed, reader, folder, .. } = self;
        closed.store(true, Ordering::Release);
        // The program draws at 4 Hz, so the reader's current read returns and the reader ends.
        reader.unwrap().join().unwrap();
        drop((keyboard, master));
        Lonely { child, folder }
    }

    /// Returns the names and texts of all files that the program has written into its working folder.
    pub fn files(&self) -> Vec<(String, String)> {
        let entries = std::fs::read_dir(self.folder.path()).unwrap().map(|entry| entry.unwrap());
        // A temporary file may be gone by now.
        let text = |entry: std::fs::DirEntry| {
            Some((entry.file_name().into_string().unwrap(), std::fs::read_to_string(entry.path()).ok()?))
        };
        entries.filter_map(text).collect()
    }

    /// Returns the content of the one file with this extension that the program has written into its working folder.
    pub fn written(&self, ending: &str) -> String {
        let files = std::fs::read_dir(self.folder.path()).unwrap().map(|entry| entry.unwrap().path());
        let mut found = files.filter(|path| path.extension().is_some_and(|found| found == ending));
        std::fs::read_to_string(found.next().unwrap()).unwrap()
    }

    /// Ends the run with `q`, and then closes the report that the screen shows.
    pub fn quit(mut self) -> Ended {
        self.press("q");
        self.wait_for("the run has ended");
        self.press("q");
        self.end()
    }

    /// Waits until the program has ended by itself, and leaves its terminal as it is.
    pub fn wait_for_exit(&mut self) -> u32 {
        wait(&mut *self.child.0, || "its terminal is blocked".to_owned())
    }

    /// Waits until the program ends by itself; returns its results.
    pub fn end(mut self) -> Ended {
        let output = Arc::clone(&self.output);
        let exit_code = wait(&mut *self.child.0, || output.lock().unwrap().screen.screen().contents());
        self.reader.take().unwrap().join().unwrap();
        let bytes = self.bytes();
        let screen = self.output.lock().unwrap().screen.screen().clone();
        let termios = [self.before, termios(&*self.master)];
        Ended { exit_code, bytes, report: report(&self.folder), screen, termios }
    }
}

/// A program without a terminal; it is killed when dropped.
pub struct Lonely {
    child: Killed,
    folder: TempDir,
}

impl Lonely {
    pub fn pid(&self) -> u32 {
        self.child.0.process_id().unwrap()
    }

    pub fn signal(&self, signal: Signal) {
        send(self.pid(), signal);
    }

    /// Waits until the program ends by itself; returns its exit code and its report.
    pub fn end(mut self) -> (u32, Value) {
        (wait(&mut *self.child.0, || "its terminal has gone".to_owned()), report(&self.folder))
    }
}

/// Returns the fields of a process in proc_pid_stat(5) from the third on: those after its name, which may hold any
/// text.
fn fields(pid: u32) -> Vec<String> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    stat.rsplit_once(')').unwrap().1.split_ascii_whitespace().map(str::to_owned).collect()
}

/// Returns the state of a process: `T` when it is stopped.
pub fn state(pid: u32) -> String {
    fields(pid).swap_remove(0)
}

/// Returns the CPU time of all threads of a process so far.
pub fn cpu_time(pid: u32) -> Duration {
    // utime and stime.
    let ticks: u64 = fields(pid)[11..13].iter().map(|field| field.parse::<u64>().unwrap()).sum();
    Duration::from_secs(ticks) / u32::try_from(rustix::param::clock_ticks_per_second()).unwrap()
}

fn send(pid: u32, signal: Signal) {
    kill_process(Pid::from_raw(pid.try_into().unwrap()).unwrap(), signal).unwrap();
}

impl Ended {
    /// Fails unless the program left the alternate screen and restored the cursor, pasting and the terminal's modes.
    pub fn assert_restored(&self) {
        assert!(!self.screen.alternate_screen(), "still on the alternate screen");
        assert!(!self.screen.hide_cursor(), "the cursor is hidden");
        assert!(!self.screen.bracketed_paste(), "a paste is still bracketed");
        let [before, after] = self.termios.each_ref().map(modes);
        assert_eq!(before, after, "the terminal's modes");
    }

    /// Returns the output after the console's screen.
    pub fn printed(&self) -> &str {
        self.bytes.rsplit_once(LEAVE).map_or("", |(_, printed)| printed)
    }

    /// Fails unless everything was restored, the report is complete in its file and on the shell, and the code is
    /// `exit_code`.
    pub fn assert_good_end(&self, exit_code: u32) {
        assert_eq!(self.exit_code, exit_code, "{}", self.printed());
        self.assert_restored();
        assert!(self.printed().contains("requests"), "no report was printed: {}", self.printed());
        let requests = &self.report["requests"];
        assert_eq!(requests["started"], requests["finished"]);
        assert!(requests["segment"].as_u64().unwrap() > 0);
        assert_eq!(self.report["exit"]["code"], exit_code);
    }
}

fn modes(of: &Termios) -> (InputModes, OutputModes, ControlModes, LocalModes) {
    (of.input_modes, of.output_modes, of.control_modes, of.local_modes)
}

fn wait(child: &mut (dyn Child + Send + Sync), said: impl Fn() -> String) -> u32 {
    let deadline = Instant::now() + LIMIT;
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status.exit_code();
        }
        if Instant::now() > deadline {
            child.kill().unwrap();
            panic!("still running: {}", said());
        }
        thread::sleep(POLL);
    }
}

fn report(folder: &TempDir) -> Value {
    let text = std::fs::read_to_string(folder.path().join("report.json")).unwrap_or_default();
    serde_json::from_str(&text).unwrap_or_default()
}

/// Converts a size for the emulator.
fn cells((rows, columns): (u16, u16)) -> (NonZero<u16>, NonZero<u16>) {
    (NonZero::new(rows).unwrap(), NonZero::new(columns).unwrap())
}

fn size((rows, cols): (u16, u16)) -> PtySize {
    PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }
}

fn termios(master: &(dyn MasterPty + Send)) -> Termios {
    let terminal = open(master.tty_name().unwrap(), OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).unwrap();
    tcgetattr(terminal).unwrap()
}
