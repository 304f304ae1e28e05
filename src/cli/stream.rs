//! Arguments that name the streams of a run.

use clap::Args;

use super::{Target, WeightedTarget};

/// The stream or the streams of a run.
#[derive(Clone, Debug, Args)]
pub struct StreamArgs {
    /// URL of a multivariant or media playlist, http:// or https://; or @FILE, a file that holds the URL, which keeps
    /// its secrets off the command line; or FILE.toml, a plan file with the URL and options
    #[arg(value_name = "URL", required_unless_present = "targets")]
    pub url: Option<Target>,
    /// One of several streams instead of URL, with a weight before it, such as '3 URL'. Each client plays
    /// one of them; among any number of clients each stream has its share, to less than one client; repeatable
    #[arg(long = "target", value_name = "WEIGHT URL", conflicts_with = "url", help_heading = "Load")]
    pub targets: Vec<WeightedTarget>,
}

impl StreamArgs {
    /// Returns the streams with their weights.
    pub fn all(self) -> Vec<WeightedTarget> {
        let url = self.url.map(|target| WeightedTarget { weight: 1, target });
        url.into_iter().chain(self.targets).collect()
    }
}
