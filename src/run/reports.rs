//! Report files: whole, or as they were before.

use std::path::Path;

use crate::config::{ReportFile, ReportFormat, shown_file};
use crate::report::{self, Report};

/// Writes each report file and returns what went wrong, a line each.
pub(super) fn write(files: &[ReportFile], report: &Report) -> Vec<String> {
    let failed = files.iter().filter_map(|file| {
        let written = match file.format {
            ReportFormat::Json => report.json().map_err(std::io::Error::other),
            ReportFormat::Text => Ok(report::text(report)),
        };
        let error = written.and_then(|text| write_whole(&file.path, &text)).err()?;
        Some(format!("--report {}: {error}", shown_file(&file.path)))
    });
    failed.collect()
}

/// Writes a file so that it is there whole or as it was before.
fn write_whole(path: &Path, text: &str) -> std::io::Result<()> {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}.part", std::process::id()));
    let part = Path::new(&name);
    let written = std::fs::write(part, text).and_then(|()| std::fs::rename(part, path));
    if written.is_err() {
        // What is left of the attempt, if anything.
        _ = std::fs::remove_file(part);
    }
    written
}
