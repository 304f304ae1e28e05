//! hlswarm: a load tester for HTTP Live Streaming. This page shows its layers and the path of a sample through them.
//!
//! # Layers
//!
//! Imports go only downward, and modules on one line do not import each other, except that the player knows playlists
//! (`hls`), the screen and the control API show a report, and `run` knows `config` and `cli`. `tests/layers.rs` checks this.
//!
//! The modules are private, so that rustc finds what nothing uses; `testing` lists what tests in files of their own use.
//!
//! ```text
//! 7  main  cli  config  run                              command line, configuration, wiring
//! 6  swarm  origin  tui  report  export  control_api     engine, built-in origin, screen, reports, metrics, ctl
//! 5  control                                             follows plan and operator, drives an engine
//! 4  sample                                              state of a run at one moment, for all readers
//! 3  net  stats  pipeline  generator  run_state          sockets, counters, events, this process, state of the run
//!    forecast  local_http                                what a plan will use; serves metrics and control API
//!    origin_metrics                                      what exporters tell about the origin
//! 2  hls  player  load  verdict  capacity                pure: no tokio, no sockets, no clock
//! 1  vocabulary  sync                                    terms and units, single-writer cells
//! ```
//!
//! # The path of a sample
//!
//! ```text
//! socket -> net::RequestLane::get(.., observer) -> stats::Exchange (drop guard) -> atomics, one writer each
//!                     |                                                        |
//!                     +-> player.step(Input) -> Action            registry.snapshot() at 4 Hz
//!                                                                              |
//!                               sample::Sampler -> RunSample (judged by verdict) -> screen, progress
//!                                                     | on request, with its Distributions
//!                                                     +-> report (a document; documents add up)
//!                                                     +-> export (metrics, for each scrape)
//! ```
//!
//! Events take another path, which may lose some of them but never a count:
//!
//! ```text
//! swarm::ClientEvents -> pipeline::Tap (gate, bounded channel) -> recorder thread -> log, NDJSON file
//! ```
//!
//! A record keeps what the sampler reads as changes; a replay sets the same counters again and takes the same samples:
//!
//! ```text
//! counters, status, gauges -> sample::Tape (sync::image) -> NDJSON file -> sample::Replay -> Sampler -> screen, report
//! ```
//!
//! Only `swarm/client.rs`, `swarm/request.rs` and `swarm/answer.rs` decide what the clients of a run count. Readers
//! pull; nothing is pushed to them.
//!
//! # Stop
//!
//! Every run ends in the same steps: admit no new client, drain within a grace period, cut the remaining requests,
//! join the workers and close their taps, compare the counters, flush the recorder, take the final exact sample,
//! write and show the reports, restore the screen, print the summary to standard output, let a scraper that comes
//! regularly fetch the last sample, exit with the code.

mod capacity;
mod cli;
mod config;
mod control;
mod control_api;
mod export;
mod forecast;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzzing;
mod generator;
mod hls;
mod load;
mod local_http;
mod net;
mod origin;
mod origin_metrics;
mod pipeline;
mod player;
mod report;
mod run;
mod run_state;
mod sample;
mod stats;
mod swarm;
mod sync;
#[doc(hidden)]
pub mod testing;
mod tui;
mod verdict;
mod vocabulary;

pub use run::main;
