//! Arguments of `hlswarm replay`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::values;
use crate::tui::ThemeName;
use crate::vocabulary::ReplaySpeed;

/// `hlswarm replay`.
#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// Record of a run, as --record FILE wrote it
    #[arg(value_name = "RUN.ndjson")]
    pub file: PathBuf,
    /// Speed: 1 as recorded, 10 ten times as fast, max as fast as possible [default: 1; max without a live screen]
    #[arg(long, value_name = "SPEED", value_parser = values::speed)]
    pub speed: Option<ReplaySpeed>,
    /// Begin at this time of the run, such as 2m
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = values::moment)]
    pub at: Duration,
    /// Print progress lines to stderr instead of drawing the live screen
    #[arg(long)]
    pub no_tui: bool,
    /// Draw the live screen in ASCII
    #[arg(long)]
    pub ascii: bool,
    /// Colours of the live screen: auto, ansi (16 colours), dark, light, cb (colour-blind safe), mono
    #[arg(long, value_name = "THEME", default_value = "auto", value_parser = values::theme)]
    pub theme: ThemeName,
    /// Write the report of the run; the extension selects the format: .json, .txt, .html, .svg (card), .md, .xml
    /// (JUnit); repeatable
    #[arg(long = "report", value_name = "FILE")]
    pub reports: Vec<PathBuf>,
}
