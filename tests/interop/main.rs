//! Interop: the program against a real nginx that serves a live stream made by ffmpeg.
//!
//! Every test starts its own origin, so that its access log holds the requests of this test alone and can be compared
//! with the program's counters line by line. A start takes a few milliseconds, because the media is encoded once and
//! kept.
//!
//! - Nothing leaves the loopback interface; every port was free; every wait has a limit.
//! - Without nginx, ffmpeg, prometheus or its exporters a test that needs it prints `skipped: ...` and passes; with `HLSWARM_REQUIRE_INTEROP=1` it fails.
//! - The tests with hls.js in a browser and with an analyser always print `skipped: ...` and pass where those are
//!   missing.
//! - The tests may share a process (`cargo test`) or not (`cargo nextest run`).

// Marks every module as test code, in which Clippy allows unwrap and panic.
#![cfg(test)]

mod access_log;
mod browser;
mod exporters;
#[expect(dead_code, reason = "shared with tests/it, which uses more of it")]
mod exposition;
mod fixture;
mod http_get;
mod lag;
mod live;
mod live_counts;
mod media;
mod metrics;
mod origin;
mod page;
mod page_numbers;
mod pages;
mod playable;
mod players;
#[expect(dead_code, reason = "shared with tests/it, which uses more of it")]
mod program;
mod recovery;
mod requests;
mod requirements;
mod secrets;
mod separate;
mod streams;
mod tls;
mod transport;
mod vod;
