//! Reads a plan file. No message shows what the file holds.

use std::ffi::OsString;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use super::shown_file;
use crate::cli::{self, Combined, Usage};

/// Maximum size of a plan file: far more than all options need.
const FILE_BYTES: u64 = 64 * 1024;

/// Returns the command line with the options of its plan file, if it names one, and of the environment.
///
/// # Errors
/// One line that names the file or the variable.
pub fn with_sources(args: Vec<OsString>) -> Result<Combined, Usage> {
    let Some(place) = cli::plan_file(&args) else { return cli::combine(args, None, std::env::vars_os()) };
    let path = args.get(place).map(OsString::as_os_str).unwrap_or_default();
    let name = shown_file(Path::new(path));
    let text = read(Path::new(path))
        .map_err(|why| Usage::Wrong(format!("{name}: {why}; expected a plan file, up to 64 KiB of TOML")))?;
    cli::combine(args, Some((place, &name, &text)), std::env::vars_os())
}

fn read(path: &Path) -> Result<String, String> {
    let mut text = String::new();
    let file = File::open(path).map_err(|error| error.to_string())?;
    file.take(FILE_BYTES + 1).read_to_string(&mut text).map_err(|error| error.to_string())?;
    if text.len() as u64 > FILE_BYTES { Err("the file is too large".to_owned()) } else { Ok(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(file: &str) -> Result<Combined, Usage> {
        with_sources(["hlswarm", "run", file].map(OsString::from).into())
    }

    #[test]
    fn a_plan_file_that_cannot_be_read_is_one_line_without_its_content() {
        let folder = tempfile::tempdir().expect("a folder");
        let large = folder.path().join("large.toml");
        std::fs::write(&large, "# hunter2\n".repeat(7_000)).expect("writable");
        let large = large.display().to_string();
        for (file, expected) in [
            ("none\u{1b}[2J.toml", "none^[[2J.toml: No such file"),
            (large.as_str(), "the file is too large; expected a plan file"),
        ] {
            let Err(Usage::Wrong(line)) = with(file) else { panic!("{file} is accepted") };
            assert!(line.contains(expected) && !line.contains("hunter2"), "{line}");
            assert!(!line.chars().any(char::is_control), "{line:?}");
        }
    }
}
