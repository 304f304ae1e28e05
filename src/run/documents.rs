//! `report`, `compare` and `merge`: read JSON reports, write others. Nothing is sent.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use super::report_files::ReportFiles;
use super::{ExitStatus, Failure, stdio};
use crate::cli::{CompareArgs, MergeArgs, ReportArgs};
use crate::config::{ConfigError, report_file, shown_file};
use crate::report::{Doc, NotMergeable, ReportFormat, compare, merge};
use crate::vocabulary::exit_code;

/// Refusal of an output that would overwrite an input.
const READ: &str = "this file is read; the output needs a file of its own";

/// Begins of the schemas of both kinds of documents.
const REPORT: &str = "\"hlswarm.report/";
const RECORD: &str = "\"hlswarm.record/";
/// Bytes at the begin of a document within which its schema is.
const BEGIN_BYTES: usize = 256;

/// Writes the report in `args` in other formats.
///
/// # Errors
/// See [`Failure`].
pub fn render_report(args: ReportArgs) -> Result<ExitStatus, Failure> {
    let files = outputs("-o", args.outputs, std::slice::from_ref(&args.file))?;
    write(&read(&args.file)?, &files, ReportFormat::Text)
}

/// Prints the difference between two reports.
///
/// # Errors
/// See [`Failure`].
pub fn compare_reports(args: CompareArgs) -> Result<ExitStatus, Failure> {
    let comparison = compare(&read(&args.a)?, &read(&args.b)?);
    let text = if args.json { comparison.json().unwrap_or_default() } else { comparison.text() };
    print(&text)?;
    let code = match (args.fail_on_regression, comparison.untrusted) {
        (true, Some(_)) => exit_code::UNTRUSTED,
        (true, None) if comparison.is_regression() => exit_code::CRITERIA,
        _ => 0,
    };
    Ok(code.into())
}

/// Adds the reports in `args`.
///
/// # Errors
/// See [`Failure`].
pub fn merge_reports(args: MergeArgs) -> Result<ExitStatus, Failure> {
    let files = outputs("-o", args.outputs, &args.files)?;
    let merged = merge(args.files.iter().map(|path| read(path)))?;
    write(&merged, &files, ReportFormat::Json)
}

impl From<NotMergeable> for Failure {
    fn from(error: NotMergeable) -> Self {
        Self::Config(ConfigError::Merge(error.to_string()))
    }
}

/// Prepares the files to write, for which `option` asks. None of them may be one that is read.
pub(super) fn outputs(
    option: &'static str,
    paths: Vec<PathBuf>,
    inputs: &[PathBuf],
) -> Result<ReportFiles, Failure> {
    let files = paths.into_iter().map(|path| report_file(option, path)).collect::<Result<Vec<_>, _>>()?;
    ReportFiles::prepare(option, &files, &inputs.iter().map(|input| (&**input, READ)).collect::<Vec<_>>())
}

fn read(path: &Path) -> Result<Doc, Failure> {
    let unreadable =
        |reason: String| Failure::Config(ConfigError::Document { path: shown_file(path), reason });
    let bytes = read_bytes(path).map_err(|error| unreadable(error.to_string()))?;
    Doc::parse(&bytes).map_err(|error| {
        unreadable(if is_of(&bytes, RECORD) {
            let file = shown_file(path);
            format!("this is a record, not a report; 'hlswarm replay {file}' plays it, and with --report FILE.json writes its report")
        } else {
            error.to_string()
        })
    })
}

/// Returns the line about a file that is a report in the place of a record; `None` if it is something else.
pub(super) fn report_for_record(path: &Path) -> Option<String> {
    let mut begin = Vec::new();
    let file = File::open(path).ok().filter(|file| file.metadata().is_ok_and(|found| found.is_file()))?;
    file.take(BEGIN_BYTES as u64).read_to_end(&mut begin).ok()?;
    let file = shown_file(path);
    is_of(&begin, REPORT).then(|| format!("this is a report, not a record; 'hlswarm report {file}' shows it"))
}

/// Reports whether a document names a schema of this kind at its begin, as both kinds do.
fn is_of(bytes: &[u8], kind: &str) -> bool {
    let begin = bytes.get(..bytes.len().min(BEGIN_BYTES)).unwrap_or_default();
    begin.starts_with(b"{") && begin.windows(kind.len()).any(|part| part == kind.as_bytes())
}

/// Reads a file and one byte more than a document may have: that byte shows that it is too large.
fn read_bytes(path: &Path) -> io::Result<Vec<u8>> {
    let file = File::open(path)?;
    if file.metadata()?.is_dir() {
        return Err(io::Error::new(
            io::ErrorKind::IsADirectory,
            "this is a directory; expected a JSON report",
        ));
    }
    let mut bytes = Vec::new();
    file.take(Doc::MAX_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Writes a document to the files, or prints it in `format` if there are none.
fn write(doc: &Doc, files: &ReportFiles, format: ReportFormat) -> Result<ExitStatus, Failure> {
    if files.is_empty() {
        print(&format.render_doc(doc).unwrap_or_default())?;
        return Ok(0.into());
    }
    let failed = files.write_doc(doc);
    failed.iter().for_each(|line| stdio::say(&format!("hlswarm: {line}")));
    Ok(if failed.is_empty() { 0 } else { exit_code::UNWRITTEN }.into())
}

/// Prints a text on standard output. A reader that has read enough, such as `head`, misses nothing.
pub(super) fn print(text: &str) -> Result<(), Failure> {
    match stdio::print(text, None) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::Unwritten(format!("standard output: {error}")))
        }
        _ => Ok(()),
    }
}
