//! hlswarm: a load tester for HTTP Live Streaming. The house and the one path through it.
//!
//! # Layers
//!
//! Imports go only downward; modules on one line do not know each other. `tests/layers.rs` fails when one does not.
//!
//! ```text
//! 7  main  cli  config  run                          what was typed, what it means, wiring
//! 6  swarm  origin  tui  report                      makes the load, serves it, shows it, writes it down
//! 5  control                                         target, plan and operator, driving an engine
//! 4  sample                                          the one value that every reader reads
//! 3  net  stats  pipeline  generator  run_state      sockets, counters, events, this process, state of the run
//! 2  hls  player  load  verdict                      pure: no tokio, no sockets, no reading of a clock
//! 1  vocabulary  sync                                words and units, cells with one writer
//! ```
//!
//! # The path of a sample
//!
//! ```text
//! socket -> net::RequestLane::get(.., observer) -> stats::Exchange (drop guard) -> atomics, one writer each
//!                     |                                                        |
//!                     +-> player.on(Input) -> Action            registry.snapshot() at 4 Hz
//!                                                                              |
//!                               sample::Sampler -> RunSample (judged by verdict) -> screen, progress, report
//! ```
//!
//! Events go another way, which may lose some of them and never a count:
//!
//! ```text
//! swarm::ClientEvents -> pipeline::Tap (gate, bounded channel) -> recorder thread -> log, NDJSON file
//! ```
//!
//! Only `swarm/client.rs`, `swarm/request.rs` and `swarm/answer.rs` translate what happened into what is counted.
//! Readers pull; nothing is pushed to them.
//!
//! # Stop
//!
//! There is one way: no new client, drain with a named grace, cut what is left, workers joined and their taps closed,
//! counters compared, the recorder flushed, the final exact sample, reports written and shown, the screen restored, the
//! summary on standard output, the exit code.

pub mod cli;
pub mod config;
pub mod control;
pub mod generator;
pub mod hls;
pub mod load;
pub mod net;
pub mod origin;
pub mod pipeline;
pub mod player;
pub mod report;
pub mod run;
pub mod run_state;
pub mod sample;
pub mod stats;
pub mod swarm;
pub mod sync;
pub mod tui;
pub mod verdict;
pub mod vocabulary;
