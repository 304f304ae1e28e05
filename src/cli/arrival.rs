//! Options of an open load: clients that arrive by themselves.

use clap::Args;

use crate::load::ArrivalProcess;

/// Arrivals of clients.
#[derive(Clone, Copy, Debug, Args)]
pub struct ArrivalArgs {
    /// Let clients arrive at this rate instead, such as 20/s or 600/m, whether or not the origin keeps up. Each leaves
    /// after --session-length, and none is replaced. --clients is then the most that may be there at once: more arrivals
    /// are turned away [default: rate times session length, and four standard deviations]
    #[arg(long, value_name = "RATE", value_parser = crate::vocabulary::units::parse_rate, conflicts_with_all = ["stages", "ramp_rate", "ramp_time", "ramp_jitter"], help_heading = "Load")]
    pub arrival: Option<f64>,
    /// Times between arrivals: poisson (random, independent of each other) or even
    #[arg(
        long,
        value_name = "PROCESS",
        default_value = "poisson",
        requires = "arrival",
        help_heading = "Load"
    )]
    pub arrival_process: ArrivalProcess,
}
