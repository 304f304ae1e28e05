//! Options that widen the scope of a run: the hosts that it may load.

use clap::Args;

use crate::net::scope::{AllowedHost, ScopeOptions};

/// Options for the scope of a run.
#[derive(Debug, Args)]
pub struct ScopeArgs {
    /// Also load this host if a playlist or redirect leads to it; *.example.net for all names below; repeatable
    /// [default: hosts of the URL's own domain]
    #[arg(long = "allow-host", value_name = "HOST", help_heading = "Scope")]
    pub hosts: Vec<AllowedHost>,
    /// Load every public host that a playlist or redirect leads to
    #[arg(long, help_heading = "Scope")]
    pub follow_cdn: bool,
    /// Load http:// URLs that an https:// playlist or response leads to
    #[arg(long, help_heading = "Scope")]
    pub allow_downgrade: bool,
}

impl From<ScopeArgs> for ScopeOptions {
    fn from(args: ScopeArgs) -> Self {
        let ScopeArgs { hosts, follow_cdn, allow_downgrade } = args;
        Self { hosts, follow_cdn, allow_downgrade }
    }
}
