//! Arguments of `hlswarm selftest`.

use clap::Args;

use crate::capacity::TestLoad;

/// `hlswarm selftest`.
#[derive(Debug, Args)]
pub struct SelftestArgs {
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
    /// Do not keep the result for later runs
    #[arg(long)]
    pub no_save: bool,
    /// Measure a second of a few clients each: for the program's own tests
    #[arg(long, hide = true)]
    pub quick: bool,
    /// Measure only this load, and print its numbers for a parent process
    #[arg(long, hide = true, value_name = "NAME", value_parser = load)]
    pub load: Option<TestLoad>,
    /// Measure that load with TLS
    #[arg(long, hide = true, requires = "load")]
    pub tls: bool,
}

fn load(name: &str) -> Result<TestLoad, String> {
    let load = TestLoad::ALL.into_iter().find(|load| load.name() == name);
    load.ok_or_else(|| format!("expected one of: {}", TestLoad::ALL.map(TestLoad::name).join(", ")))
}
