//! The real program, end to end: against its built-in origin, whose own counts are the truth, and against origins
//! that misbehave in ways a script can say.
//!
//! - Everything stays on the loopback interface, on ports that were free; every run has an end.
//! - No test asserts a time that a busy machine could break; where time matters there are only lower bounds.

// Says once for all modules what is true anyway: this crate is tests, and may unwrap and panic.
#![cfg(test)]

mod arguments;
mod check;
mod connections;
mod cookies;
mod demo;
mod exact;
mod findings;
mod hostile;
#[path = "../interop/lag.rs"]
mod lag;
mod leaving;
#[path = "../interop/program.rs"]
mod program;
mod record;
mod refused;
mod scripted;
mod shortage;
mod stopping;
mod throttled;
