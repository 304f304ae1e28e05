//! Arguments of `hlswarm plan`.

use clap::{Arg, Args};

use super::{LoadArgs, StreamArgs};

/// Options of `run` that `plan` accepts, so that its command line can be used again, and that have no effect on it.
const IGNORED: [&str; 18] = [
    "no_tui",
    "ascii",
    "theme",
    "on_hangup",
    "read_only",
    "reports",
    "record",
    "log_file",
    "allow_untrusted",
    "thresholds",
    "abort_on_fail",
    "expected",
    "metrics",
    "metrics_per_client",
    "otlp",
    "otlp_interval",
    "control",
    "origin_metrics",
];

/// Leaves the ignored options out of the help.
pub(super) fn shown(option: Arg) -> Arg {
    let is_ignored = IGNORED.iter().any(|name| option.get_id() == name);
    option.hide(is_ignored)
}

/// `hlswarm plan`.
#[derive(Debug, Args)]
pub struct PlanArgs {
    /// Streams, as for `run`.
    #[command(flatten)]
    pub stream: StreamArgs,
    /// Print the plan as JSON
    #[arg(long, help_heading = "Output")]
    pub json: bool,
    /// Load and output, as for `run`.
    #[command(flatten)]
    pub load: LoadArgs,
}
