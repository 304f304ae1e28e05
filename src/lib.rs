//! hlswarm: a load tester for HTTP Live Streaming.

pub mod base;
