//! `find`: searches for the largest number of clients that hold every threshold.

use super::{ExitStatus, Failure, observed_load};
use crate::cli::FindArgs;
use crate::config::{ConfigError, find_config, target};
use crate::control::CapacitySearch;
use crate::report::SearchReport;
use crate::vocabulary::Command;

/// Searches until a capacity is found, or the run ends.
pub(super) async fn find(args: FindArgs, command: String) -> Result<ExitStatus, Failure> {
    // Catch signals before anything that takes time: from here on a signal is an orderly end.
    let signals = super::signals()?;
    let url = target(args.url).map_err(ConfigError::from)?;
    let (config, plan, thresholds) = find_config(url, args.search, args.load, command)?;
    let (commands, allow_untrusted) = (signals.commands.clone(), config.output.allow_untrusted);
    // The run is planned for its largest load. The search has the first word, before any client but the first starts.
    _ = commands.send(Command::Search(plan.first));
    let search = |samples, sources| {
        CapacitySearch::new(plan, thresholds, sources, allow_untrusted).run(samples, commands)
    };
    let (load, ended, searched) = observed_load(config, signals, search).await?;
    Ok(load.end(ended, Some(SearchReport::new(&searched))).conclude(None).await)
}
