//! End-to-end tests of the real program: against its built-in origin, whose own counts are the reference, and against
//! origins that misbehave as a script says.
//!
//! - Everything stays on the loopback interface, on ports that were free; every run has a time limit.
//! - No test asserts a time that a busy machine could break; where time matters there are only lower bounds.

// Marks every module as test code, in which Clippy allows unwrap and panic.
#![cfg(test)]

mod arguments;
mod arrivals;
mod brake;
mod check;
mod connections;
mod control;
mod cookies;
mod demo;
mod exact;
mod exit_codes;
#[path = "../interop/exposition.rs"]
mod exposition;
mod find;
mod findings;
mod hard_stops;
mod hostile;
#[path = "../interop/lag.rs"]
mod lag;
mod leaving;
mod log_file;
mod metrics;
mod mixes;
mod origin_metrics;
#[cfg(feature = "otlp")]
mod otlp;
mod plan;
#[path = "../interop/program.rs"]
mod program;
mod proxy;
mod record;
mod refused;
mod relay;
mod replay;
mod report;
mod scope;
mod scripted;
mod secrets;
mod secure;
mod selftest;
mod shortage;
mod stages;
mod stopping;
mod stream;
mod thresholds;
mod throttled;
mod transport;
mod trust;
