//! The real program on a real pseudo-terminal, for behaviour that frame tests cannot show. Keys arrive as bytes, a
//! terminal emulator reads the screens, and every end must restore the terminal.
//!
//! - Everything stays on the loopback interface; every run has a time limit.
//! - No test asserts a time that a busy machine could break.

// Marks every module as test code, in which Clippy allows unwrap and panic.
#![cfg(test)]

mod blocked;
mod colours;
mod endings;
mod keys;
mod least_squares;
mod panics;
mod prompts;
mod replay;
mod replies;
#[expect(dead_code, reason = "written for other tests")]
#[path = "../it/scripted.rs"]
mod scripted;
mod secrets;
mod soak;
mod survival;
mod terminal;
mod trouble;
