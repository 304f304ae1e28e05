//! Arguments of `hlswarm find`.

use std::time::Duration;

use clap::{Arg, Args};

use super::{LoadArgs, Target, values};

/// Largest distance between what held and what broke that is asked for by default.
const PRECISION: &str = "3%";

/// Gives the options of `run` the meaning that they have in a search.
pub(super) fn adapted(option: Arg) -> Arg {
    match option.get_id().as_str() {
        "clients" => option.help("Clients to begin with; the load doubles until a threshold breaks"),
        "ramp_rate" => option.default_value("50"),
        "duration" => option.visible_alias("max-duration").help(
            "End the search after this long, such as 10m, even if it is not finished [default: when it is]",
        ),
        "thresholds" => option.help(
            "What must hold, such as 'segment_p95<1s', without 'over' and 'after'; repeatable. 'hlswarm --help thresholds' \
             lists the quantities [default: error_rate<1% and stalled_share_max<1%]",
        ),
        // A search makes its own load.
        "abort_on_fail" | "arrival" | "arrival_process" | "clamp" | "no_brake" | "ramp_time" | "stages" => {
            option.hide(true)
        }
        _ => option,
    }
}

/// `hlswarm find`.
#[derive(Debug, Args)]
pub struct FindArgs {
    /// URL of a multivariant or media playlist, http:// or https://; or @FILE, a file that holds the URL
    #[arg(value_name = "URL")]
    pub url: Target,
    /// Options of the search.
    #[command(flatten)]
    pub search: SearchArgs,
    /// Load and output, as for `run`.
    #[command(flatten)]
    pub load: LoadArgs,
}

/// Options of a search.
#[derive(Clone, Copy, Debug, Args)]
pub struct SearchArgs {
    /// Largest number of clients to try; at most as many as this machine and the limits carry
    #[arg(long, value_name = "N", default_value = "10k", value_parser = values::most_clients, help_heading = "Search")]
    pub max_clients: u32,
    /// Measure each number of clients for this long; a broken threshold ends it after half of it
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, default_value = "10s", value_parser = values::hold, help_heading = "Search")]
    pub hold: Duration,
    /// Time from the last join to the measurement
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, default_value = "4s", value_parser = values::settle, help_heading = "Search")]
    pub settle: Duration,
    /// Largest distance between the number that held and the one that broke
    #[arg(long, value_name = "SHARE", default_value = PRECISION, value_parser = values::precision, help_heading = "Search")]
    pub precision: f64,
    /// Number of times that the result must hold, each time after a rest
    #[arg(long, value_name = "N", default_value = "2", value_parser = values::repeats, help_heading = "Search")]
    pub repeats: u32,
}
