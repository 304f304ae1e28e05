//! Arguments of `hlswarm report`, `compare` and `merge`: the commands that read JSON reports.

use std::path::PathBuf;

use clap::Args;

/// `hlswarm report`.
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// JSON report of a run, as --report FILE.json wrote it
    #[arg(value_name = "RUN.json")]
    pub file: PathBuf,
    /// File to write; the extension selects the format: .html, .svg (card), .md, .xml (JUnit), .txt, .json; repeatable
    /// [default: text on standard output]
    #[arg(short, long = "output", value_name = "FILE")]
    pub outputs: Vec<PathBuf>,
}

/// `hlswarm compare`.
#[derive(Debug, Args)]
pub struct CompareArgs {
    /// JSON report of the first run: the one to compare with
    #[arg(value_name = "A.json")]
    pub a: PathBuf,
    /// JSON report of the second run
    #[arg(value_name = "B.json")]
    pub b: PathBuf,
    /// Exit with code 3 if a number of the second run is worse beyond noise, and with code 4 if the measurement of one
    /// of them cannot be trusted
    #[arg(long)]
    pub fail_on_regression: bool,
    /// Print the comparison as JSON
    #[arg(long)]
    pub json: bool,
}

/// `hlswarm merge`.
#[derive(Debug, Args)]
pub struct MergeArgs {
    /// JSON reports of machines that loaded one stream together
    #[arg(value_name = "RUN.json", required = true)]
    pub files: Vec<PathBuf>,
    /// File to write; the extension selects the format, as for `report`; repeatable [default: JSON on standard output]
    #[arg(short, long = "output", value_name = "FILE")]
    pub outputs: Vec<PathBuf>,
}
