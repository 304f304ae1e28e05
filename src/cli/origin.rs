//! The options of `hlswarm origin`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::values;
use crate::origin::FaultRule;

const FAULT_HELP: &str = "\
Fault to inject: KIND:FAULT[:SHARE][@FROM+FOR], such as segment:503:10% or any:delay=300ms@30s+10s; repeatable. \
KIND: playlist, segment, init, any. FAULT: a status code, delay=TIME, bandwidth=RATE, cut, reset, stall, \
stale (live playlists stop updating)";

/// `hlswarm origin`.
#[derive(Debug, Args)]
pub struct OriginArgs {
    /// Address to listen on; port 0 picks a free one; TLS takes the next port
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:17180", value_parser = values::listen)]
    pub listen: SocketAddr,
    /// Allow an address that other machines can reach
    #[arg(long)]
    pub allow_remote: bool,
    /// Also serve TLS and HTTP/2, with a generated certificate
    #[arg(long)]
    pub tls: bool,
    /// Write that certificate to this file, for --cacert
    #[arg(long, value_name = "FILE", requires = "tls")]
    pub certificate: Option<PathBuf>,
    /// Peak bandwidth of the highest variant [up to 20M]
    #[arg(long, value_name = "RATE", default_value = "3M", value_parser = values::origin_bit_rate)]
    pub bitrate: u64,
    /// Duration of each segment
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, default_value = "2s", value_parser = values::segment_duration)]
    pub segment_duration: Duration,
    /// Number of segments in a live playlist
    #[arg(long, value_name = "N", default_value = "6", value_parser = values::window)]
    pub window: u32,
    /// Number of segments in a VOD playlist
    #[arg(long, value_name = "N", default_value = "30", value_parser = values::vod_segments)]
    pub vod_segments: u32,
    /// Send all bodies together at this rate at most, as through a network card of this rate [up to 100G; default: as fast
    /// as this machine can]
    #[arg(long, value_name = "RATE", value_parser = values::origin_capacity)]
    pub capacity: Option<u64>,
    /// Answer 503 on connections beyond this number [default: any number]
    #[arg(long, value_name = "N", value_parser = values::origin_connections)]
    pub connections: Option<u32>,
    /// Faults to inject; [`FAULT_HELP`] describes their grammar.
    #[arg(long = "fault", value_name = "RULE", help = FAULT_HELP)]
    pub faults: Vec<FaultRule>,
    /// Inject faults that come and go, as `hlswarm demo` does
    #[arg(long)]
    pub scenario: bool,
    /// Never compress playlists
    #[arg(long)]
    pub no_gzip: bool,
    /// Seed of random faults
    #[arg(long, value_name = "N", default_value = "1", value_parser = values::seed)]
    pub seed: u64,
    /// Report URLs and counts to a parent process as JSON lines, until standard input ends
    #[arg(long, hide = true)]
    pub child: bool,
}
