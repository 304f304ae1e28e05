//! hlswarm: a load tester for HTTP Live Streaming.

pub mod base;
pub mod hls;
pub mod origin;
