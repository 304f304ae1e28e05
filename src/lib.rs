//! hlswarm: a load tester for HTTP Live Streaming. The house and the one path through it.
//!
//! # Layers
//!
//! Imports go only downward; modules on one line do not know each other. `tests/layers.rs` fails when one does not.
//!
//! ```text
//! 6  main  cli  config  run            words for the user, wiring
//! 5  swarm  origin  tui  report        make load, serve load, show it, write it down
//! 4  frame                             the one value that every reader reads
//! 3  net  stats  pipeline  trust       sockets, numbers, story, self-health
//! 2  hls  player  load                 pure: no tokio, no sockets, no reading of a clock
//! 1  base                              vocabulary
//! ```
//!
//! # The path of a sample
//!
//! ```text
//! socket -> net::Wire::get(.., observer) -> stats::Exchange (drop guard) -> atomics, one writer each
//!                     |                                                        |
//!                     +-> player.on(Input) -> Action            registry.snapshot() at 4 Hz
//!                                                                              |
//!                                                    frame::Sampler -> Frame -> screen, progress, report
//! ```
//!
//! What happened, as a story, goes another way, which may lose some of it and never a number:
//!
//! ```text
//! swarm::Story -> pipeline::Tap (gate, bounded channel) -> recorder thread -> log, NDJSON file
//! ```
//!
//! Only `swarm/client.rs` and what it uses beside it translate what happened into what is counted. Readers pull;
//! nothing is pushed to them.
//!
//! # Stop
//!
//! There is one way: no new client, drain with a named grace, cut what is left, workers joined and their taps closed,
//! counters compared, the recorder flushed, the final exact frame, reports written and shown, the screen restored, the
//! summary on standard output, the exit code.

pub mod base;
pub mod cli;
pub mod config;
pub mod frame;
pub mod hls;
pub mod load;
pub mod net;
pub mod origin;
pub mod pipeline;
pub mod player;
pub mod report;
pub mod run;
pub mod stats;
pub mod swarm;
pub mod trust;
pub mod tui;
