//! The real program on a real pseudo-terminal: what frame tests cannot show. Keys arrive as bytes, pictures are read
//! back by a terminal emulator, and after every end the terminal must be as it was.
//!
//! - Everything stays on the loopback interface; every run has an end.
//! - No test asserts a time that a busy machine could break.

// Says once for all modules what is true anyway: this crate is tests, and may unwrap and panic.
#![cfg(test)]

mod blocked;
mod colours;
mod endings;
mod keys;
mod panics;
mod prompts;
mod replies;
mod survival;
mod terminal;
mod trouble;
