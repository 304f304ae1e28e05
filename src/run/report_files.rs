//! Report files: checked before the load, written one after the other, and never replaced by an older report.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::{Failure, files};
use crate::config::{ConfigError, ReportFile, shown_file};
use crate::report::{Report, ReportFormat};

/// The report files of a run.
#[derive(Debug)]
pub(super) struct ReportFiles {
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
    /// Two reports, or a report and the record, are the same file; a folder cannot be written.
    pub(super) fn prepare(files: &[ReportFile], record: Option<&Path>) -> Result<Self, Failure> {
        let record = record.and_then(|path| files::resolve(path).ok());
        let mut prepared: Vec<(ReportFile, PathBuf)> = Vec::new();
        for file in files {
            let path = files::resolve(&file.path).map_err(|error| unresolved(file, &error))?;
            let is_taken = |other: &Path| files::are_same(&path, other);
            if record.as_deref().is_some_and(is_taken) {
                return Err(refused(file, "this is also the file of --record; each needs a file of its own"));
            }
            if prepared.iter().any(|(_, other)| is_taken(other)) {
                return Err(refused(file, "given twice; each report needs a file of its own"));
            }
            files::try_folder(&path).map_err(|error| unwritten(file, &error))?;
            prepared.push((file.clone(), path));
        }
        Ok(Self { files: prepared, written: Mutex::new(Written::SoFar) })
    }

    /// Returns true if no reports were asked for.
    pub(super) fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Writes the reports so far, unless the last ones have been written.
    pub(super) fn write_interim(&self, report: &Report) {
        self.interim(|format| format.render(report).map_err(io::Error::other));
    }

    /// Writes the last reports (again if need be), and returns a line for each that could not be written.
    pub(super) fn write_last(&self, report: &Report) -> Vec<String> {
        self.last(|format| format.render(report).map_err(io::Error::other))
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
            Some(line(file, &written.err()?))
        });
        failed.collect()
    }
}

fn refused(file: &ReportFile, reason: &'static str) -> Failure {
    Failure::Config(ConfigError::Report { path: shown_file(&file.path), reason })
}

/// Returns the failure of a path that leads to no file. A link that leads nowhere is a mistake in the path; that a
/// folder may not be searched is one of this machine.
fn unresolved(file: &ReportFile, error: &io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::PermissionDenied => unwritten(file, error),
        io::ErrorKind::NotFound => refused(
            file,
            "a link into a directory that does not exist; expected a file in an existing directory",
        ),
        _ => refused(file, "a link that leads back to itself; expected a file in an existing directory"),
    }
}

fn unwritten(file: &ReportFile, error: &io::Error) -> Failure {
    Failure::Unwritten(line(file, error))
}

fn line(file: &ReportFile, error: &io::Error) -> String {
    format!("--report {}: {error}", shown_file(&file.path))
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
            let record = ReportFiles::prepare(&[file(at("r.json"))], Some(&at(other)));
            assert!(matches!(record, Err(Failure::Config(_))), "{other}");
            let report = ReportFiles::prepare(&[file(at("r.json")), file(at(other))], None);
            assert!(matches!(report, Err(Failure::Config(_))), "{other}");
        }
        assert_eq!(std::fs::read_to_string(at("r.json")).expect("there"), "precious");
        for (link, to, reason) in [
            ("circle.json", "circle.json", "leads back to itself"),
            ("astray.json", "none/r.json", "into a directory that does not exist"),
        ] {
            std::os::unix::fs::symlink(to, at(link)).expect("linked");
            match ReportFiles::prepare(&[file(at(link))], None) {
                Err(Failure::Config(error)) => assert!(error.to_string().contains(reason), "{error}"),
                other => panic!("{link}: {other:?}"),
            }
        }
        let apart = ReportFiles::prepare(&[file(at("r.json")), file(at("s.json"))], Some(&at("r.ndjson")));
        assert!(!apart.expect("accepted").is_empty());
    }

    #[test]
    fn an_interim_report_never_replaces_the_last_one() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("r.json");
        let reports = ReportFiles::prepare(&[file(path.clone())], None).expect("accepted");
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
