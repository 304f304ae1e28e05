//! The only place that writes to standard output and standard error.
//!
//! A closed pipe is no reason to stop working: messages are dropped, and whoever prints the summary is told.

use std::io::{self, Write as _};

use crate::base::untrusted::harmless_lines;

/// Writes a message on standard error. Whatever it was made of, no control character of it reaches the terminal.
pub fn say(line: &str) {
    let line = harmless_lines(line);
    // One write, so that lines of several threads do not mix.
    _ = io::stderr().lock().write_all(format!("{line}\n").as_bytes());
}

/// Prints text on standard output.
///
/// # Errors
/// Standard output is closed or cannot be written.
pub fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}
