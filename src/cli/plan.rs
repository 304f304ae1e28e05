//! Arguments of `hlswarm plan`.

use clap::Args;

use super::{LoadArgs, Target};

/// `hlswarm plan`.
#[derive(Debug, Args)]
pub struct PlanArgs {
    /// URL of a multivariant or media playlist, http:// or https://; or @FILE, a file that holds the URL
    #[arg(value_name = "URL")]
    pub url: Target,
    /// Print the plan as JSON
    #[arg(long, help_heading = "Output")]
    pub json: bool,
    /// Load and output, as for `run`.
    #[command(flatten)]
    pub load: LoadArgs,
}
