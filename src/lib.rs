//! hlswarm: a load tester for HTTP Live Streaming.

pub mod base;
pub mod hls;
pub mod net;
pub mod origin;
pub mod stats;
