//! Interop: the program against a real nginx that serves a live stream made by ffmpeg.
//!
//! Every test starts an origin of its own (a few milliseconds; the media is encoded once and kept), so that its
//! access log holds the requests of this test alone and can be compared with the program's counters line by line.
//!
//! - Nothing leaves the loopback interface; every port is one that was free; every wait has an end.
//! - Where nginx or ffmpeg is missing a test says `skipped: ...` and passes; with `HLSWARM_REQUIRE_INTEROP=1` it fails.
//! - One test plays the stream with hls.js in a browser as well; it says `skipped: ...` where that is missing, always.
//! - The tests may share a process (`cargo test`) or not (`cargo nextest run`).

// Says once for all modules what is true anyway: this crate is tests, and may unwrap and panic.
#![cfg(test)]

mod access_log;
mod browser;
mod fixture;
mod http_get;
mod lag;
mod live;
mod live_counts;
mod media;
mod origin;
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
mod vod;
