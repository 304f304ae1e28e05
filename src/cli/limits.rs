//! Options that bound a run: hard stops, which end it when it reaches them, and the choice to start what fits.

use clap::Args;

use super::values;
use crate::vocabulary::HardStops;

/// Bounds of a run.
#[derive(Clone, Copy, Debug, Args)]
pub struct LimitArgs {
    /// Stop if more bits than this arrive within a second, such as 500M or 2G; refuse a plan that needs more
    #[arg(long, value_name = "RATE", value_parser = crate::vocabulary::units::parse_bit_rate, help_heading = "Limits")]
    pub max_bandwidth: Option<u64>,
    /// Stop when this much has arrived, such as 500G or 20GiB; counts response bodies: the wire carries about 5 % more
    #[arg(long, value_name = "SIZE", value_parser = crate::vocabulary::units::parse_bytes, help_heading = "Limits")]
    pub max_bytes: Option<u64>,
    /// Send no more requests than this, such as 2500 or 2M, then stop
    #[arg(long, value_name = "N", value_parser = values::most_requests, help_heading = "Limits")]
    pub max_requests: Option<u64>,
    /// Start as many clients as fit this machine and these limits, instead of refusing the load
    #[arg(long, conflicts_with = "skip_preflight", help_heading = "Limits")]
    pub clamp: bool,
}

impl From<LimitArgs> for HardStops {
    fn from(args: LimitArgs) -> Self {
        Self { bytes: args.max_bytes, requests: args.max_requests, bits_per_second: args.max_bandwidth }
    }
}
