//! hlswarm: a load tester for HTTP Live Streaming.

pub mod base;
pub mod cli;
pub mod config;
pub mod frame;
pub mod hls;
pub mod load;
pub mod net;
pub mod origin;
pub mod player;
pub mod report;
pub mod run;
pub mod stats;
pub mod swarm;
pub mod tui;
