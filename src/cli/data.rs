//! Options of data that each client has for itself.

use std::path::PathBuf;

use clap::Args;

use crate::swarm::DataOrder;

/// Data of each client.
#[derive(Clone, Debug, Args)]
pub struct DataArgs {
    /// CSV file with a row for each client: its first line names the columns, and {name} in a URL (path or query) or in
    /// a --header stands for the client's value. Values are secrets: nothing shows them. A client that replaces another
    /// takes over its row; rows are used again if there are fewer than clients. With
    /// --arrival rows go round: a client that stays long may share its row with a later one
    #[arg(long, value_name = "FILE", help_heading = "Load")]
    pub data: Option<PathBuf>,
    /// Order in which rows are dealt: sequential or random
    #[arg(long, value_name = "ORDER", default_value = "sequential", requires = "data", value_parser = super::values::data_order, help_heading = "Load")]
    pub data_order: DataOrder,
}
