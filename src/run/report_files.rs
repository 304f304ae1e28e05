//! Report files: checked before the load, written one after the other, and never replaced by an older report.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::{Failure, files};
use crate::config::{ConfigError, ReportFile, shown_file};
use crate::report::{Doc, Report, ReportFormat};

/// Refusal of a report that would overwrite the record.
pub(super) const RECORD: &str = "this is also the file of --record; each needs a file of its own";

/// The report files of a run, or of a command that renders reports.
#[derive(Debug)]
pub(super) struct ReportFiles {
    /// Option that asked for them.
    option: &'static str,
    files: Vec<(ReportFile, PathBuf)>,
    /// Lock held while reports are written, so that an interim report cannot replace the last one.
    written: Mutex<Written>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Written {
    SoFar,
    Last,
}

impl ReportFiles {
    /// Resolves the files of the reports before anything is sent. Each report needs its own file, in a writable
    /// folder.
    ///
    /// # Errors
    /// Two reports, or a report and a file of `taken`, are the same file; a folder cannot be written.
    pub(super) fn prepare(
        option: &'static str,
        files: &[ReportFile],
        taken: &[(&Path, &'static str)],
    ) -> Result<Self, Failure> {
        let taken: Vec<_> =
            taken.iter().filter_map(|(path, reason)| Some((files::resolve(path).ok()?, *reason))).collect();
        let mut prepared: Vec<(ReportFile, PathBuf)> = Vec::new();
        for file in files {
            let path = files::resolve(&file.path).map_err(|error| unresolved(option, file, &error))?;
            let unwritten = |error: io::Error| Failure::Unwritten(line(option, file, &error));
            let is_taken = |other: &Path| files::are_same(&path, other);
            if let Some((_, reason)) = taken.iter().find(|(other, _)| is_taken(other)) {
                return Err(refused(option, file, reason));
            }
            if prepared.iter().any(|(_, other)| is_taken(other)) {
                return Err(refused(option, file, "given twice; each report needs a file of its own"));
            }
            files::try_folder(&path).map_err(unwritten)?;
            prepared.push((file.clone(), path));
        }
        Ok(Self { option, files: prepared, written: Mutex::new(Written::SoFar) })
    }

    /// Returns true if no reports were asked for.
    pub(super) fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Writes the reports so far, unless the last ones have been written.
    pub(super) fn write_interim(&self, report: &Report) {
        let doc = Doc::new(report);
        self.interim(|format| render(&doc, format));
    }

    /// Writes the last reports (again if need be), and returns a line for each that could not be written.
    pub(super) fn write_last(&self, doc: &serde_json::Result<Doc>) -> Vec<String> {
        self.last(|format| render(doc, format))
    }

    /// Writes a document to the files, and returns a line for each that could not be written.
    pub(super) fn write_doc(&self, doc: &Doc) -> Vec<String> {
        self.write(|format| format.render_doc(doc).map_err(io::Error::other))
    }

    fn interim(&self, text: impl Fn(ReportFormat) -> io::Result<String>) {
        let written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        if *written == Written::SoFar {
            // The end of the run reports a file that cannot be written.
            _ = self.write(text);
        }
    }

    fn last(&self, text: impl Fn(ReportFormat) -> io::Result<String>) -> Vec<String> {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        *written = Written::Last;
        self.write(text)
    }

    fn write(&self, text: impl Fn(ReportFormat) -> io::Result<String>) -> Vec<String> {
        let failed = self.files.iter().filter_map(|(file, path)| {
            let written = text(file.format).and_then(|text| files::replace(path, text.as_bytes()));
            Some(line(self.option, file, &written.err()?))
        });
        failed.collect()
    }
}

fn render(doc: &serde_json::Result<Doc>, format: ReportFormat) -> io::Result<String> {
    let doc = doc.as_ref().map_err(|error| io::Error::other(error.to_string()))?;
    format.render_doc(doc).map_err(io::Error::other)
}

/// Returns the failure of a path that leads to no file. A link that leads nowhere is a mistake in the path; that a
/// folder may not be searched is one of this machine.
fn unresolved(option: &'static str, file: &ReportFile, error: &io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::PermissionDenied => Failure::Unwritten(line(option, file, error)),
        io::ErrorKind::NotFound => refused(
            option,
            file,
            "a link into a directory that does not exist; expected a file in an existing directory",
        ),
        _ => refused(
            option,
            file,
            "a link that leads back to itself; expected a file in an existing directory",
        ),
    }
}

fn refused(option: &'static str, file: &ReportFile, reason: &'static str) -> Failure {
    Failure::Config(ConfigError::Report { option, path: shown_file(&file.path), reason })
}

fn line(option: &str, file: &ReportFile, error: &io::Error) -> String {
    format!("{option} {}: {error}", shown_file(&file.path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: PathBuf) -> ReportFile {
        ReportFile { path, format: ReportFormat::Json }
    }

    #[test]
    fn one_file_for_two_purposes_and_a_link_to_nothing_are_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("r.json"), "precious").expect("written");
        std::fs::hard_link(at("r.json"), at("hard.json")).expect("linked");
        std::os::unix::fs::symlink("r.json", at("soft.json")).expect("linked");
        for other in ["r.json", "./r.json", "hard.json", "soft.json"] {
            let record = ReportFiles::prepare("--report", &[file(at("r.json"))], &[(&at(other), RECORD)]);
            assert!(matches!(record, Err(Failure::Config(_))), "{other}");
            let report = ReportFiles::prepare("--report", &[file(at("r.json")), file(at(other))], &[]);
            assert!(matches!(report, Err(Failure::Config(_))), "{other}");
        }
        assert_eq!(std::fs::read_to_string(at("r.json")).expect("there"), "precious");
        for (link, to, reason) in [
            ("circle.json", "circle.json", "leads back to itself"),
            ("astray.json", "none/r.json", "into a directory that does not exist"),
        ] {
            std::os::unix::fs::symlink(to, at(link)).expect("linked");
            match ReportFiles::prepare("--report", &[file(at(link))], &[]) {
                Err(Failure::Config(error)) => assert!(error.to_string().contains(reason), "{error}"),
                other => panic!("{link}: {other:?}"),
            }
        }
        let files = [file(at("r.json")), file(at("s.json"))];
        let apart = ReportFiles::prepare("--report", &files, &[(&at("r.ndjson"), RECORD)]);
        assert!(!apart.expect("accepted").is_empty());
    }

    #[test]
    fn an_interim_report_never_replaces_the_last_one() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("r.json");
        let reports = ReportFiles::prepare("--report", &[file(path.clone())], &[]).expect("accepted");
        let now = || std::fs::read_to_string(&path).expect("there");
        reports.interim(|_| Ok("so far".to_owned()));
        assert_eq!(now(), "so far");
        assert!(reports.last(|_| Ok("last".to_owned())).is_empty());
        reports.interim(|_| Ok("late".to_owned()));
        assert_eq!(now(), "last");
        assert!(reports.last(|_| Ok("corrected".to_owned())).is_empty());
        assert_eq!(now(), "corrected");
    }
}
