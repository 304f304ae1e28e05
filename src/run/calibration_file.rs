//! File of the calibration of this machine, in the user's folder for state.
//!
//! * The XDG base directory specification says where: `$XDG_STATE_HOME`, by default `~/.local/state`. It asks to ignore
//!   a relative path.
//! * The file comes from outside: its length is bounded, and every number is checked. A file that was made by another
//!   build, or on another machine, is not used.

use std::ffi::OsString;
use std::fs::{self, DirBuilder, File};
use std::io::{self, Read as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::files;
use crate::capacity::{Calibration, CalibrationError};
use crate::generator;
use crate::report::Calibrated;

/// Maximum length of the file; one has some 3 KB.
const FILE_BYTES: u64 = 64 * 1024;
/// Mode of the folder: for its owner alone.
const FOLDER_MODE: u32 = 0o700;
const FOLDER: &str = "hlswarm";
const FILE: &str = "calibration.json";

/// Reason why there is no calibration to use.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoCalibration {
    /// There is none: no selftest has been run on this machine.
    #[error("no selftest has been run on this machine")]
    Missing,
    /// The file cannot be read.
    #[error("the file of an earlier selftest cannot be read: {0}")]
    Unreadable(#[from] io::Error),
    /// The file cannot be used.
    #[error("the result of an earlier selftest is not used: {0}")]
    Unusable(#[from] CalibrationError),
}

/// Returns the path of the file; `None` if the environment names no folder.
pub(super) fn path() -> Option<PathBuf> {
    path_from(std::env::var_os("XDG_STATE_HOME"), std::env::var_os("HOME"))
}

fn path_from(state: Option<OsString>, home: Option<OsString>) -> Option<PathBuf> {
    let absolute = |path: OsString| Some(PathBuf::from(path)).filter(|path| path.is_absolute());
    let state = state.and_then(absolute);
    let state = state.or_else(|| Some(home.and_then(absolute)?.join(".local/state")))?;
    Some(state.join(FOLDER).join(FILE))
}

/// Returns the identifier of this executable: its length and the time of its last change.
pub(super) fn build() -> io::Result<String> {
    let program = fs::metadata(std::env::current_exe()?)?;
    Ok(format!("{:x}-{:x}.{:x}", program.size(), program.mtime(), program.mtime_nsec()))
}

/// Reads the calibration that was made by this build on this machine.
pub(super) fn read() -> Result<Calibration, NoCalibration> {
    let calibration = read_from(&path().ok_or(NoCalibration::Missing)?)?;
    let machine = generator::machine().ok_or(CalibrationError::Machine)?;
    calibration.check(&machine, env!("CARGO_PKG_VERSION"), &build()?)?;
    Ok(calibration)
}

/// Reads the calibration for the report of a run, or the reason why there is none.
pub(super) fn for_report() -> Calibrated {
    read().map(Arc::new).map_err(|error| error.to_string().into())
}

fn read_from(path: &Path) -> Result<Calibration, NoCalibration> {
    let found = fs::metadata(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => NoCalibration::Missing,
        _ => NoCalibration::Unreadable(error),
    })?;
    if !found.is_file() {
        // A pipe would hold up the run until it has a writer.
        return Err(CalibrationError::Format.into());
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(FILE_BYTES + 1).read_to_end(&mut bytes)?;
    let text = std::str::from_utf8(&bytes).ok().filter(|text| text.len() as u64 <= FILE_BYTES);
    Ok(Calibration::parse(text.ok_or(CalibrationError::Format)?)?)
}

/// Creates the folder of the file and checks that a file can be created there: before the measurement, which takes
/// minutes.
pub(super) fn prepare(path: &Path) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(folder)?;
    }
    files::try_folder(path)
}

/// Writes the calibration. Whatever happens, the file is then either whole or as it was.
pub(super) fn write(path: &Path, calibration: &Calibration) -> io::Result<()> {
    let text = serde_json::to_string_pretty(calibration)? + "\n";
    files::replace_private(&files::resolve(path)?, text.as_bytes())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::capacity::calibration_for_tests;

    #[test]
    fn the_folder_is_that_of_the_specification() {
        let path = |state: Option<&str>, home: Option<&str>| {
            path_from(state.map(OsString::from), home.map(OsString::from))
        };
        let file = |text: &str| Some(PathBuf::from(text));
        assert_eq!(path(Some("/s"), Some("/h")), file("/s/hlswarm/calibration.json"));
        assert_eq!(path(None, Some("/h")), file("/h/.local/state/hlswarm/calibration.json"));
        for ignored in ["", "state", "./state"] {
            assert_eq!(path(Some(ignored), Some("/h")), path(None, Some("/h")), "{ignored}");
        }
        assert_eq!([path(None, None), path(Some("s"), Some("h"))], [None, None]);
    }

    #[test]
    fn a_calibration_is_kept_for_its_owner_alone_and_read_back() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("state/hlswarm/calibration.json");
        assert!(matches!(read_from(&path), Err(NoCalibration::Missing)));
        prepare(&path).expect("prepared");
        write(&path, &calibration_for_tests()).expect("written");
        assert_eq!(read_from(&path).expect("read"), calibration_for_tests());
        let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
        assert_eq!([mode(&path), mode(path.parent().expect("a folder"))], [0o600, 0o700]);
        let names = fs::read_dir(path.parent().expect("a folder")).expect("a folder");
        assert_eq!(names.count(), 1, "nothing else is left behind");
        assert!(prepare(&path.join("below/a.json")).is_err(), "a file is in the way");
    }

    #[test]
    fn a_file_that_is_no_calibration_is_not_used() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(FILE);
        let whole = serde_json::to_string(&calibration_for_tests()).expect("JSON");
        let padded = format!("{whole}{}", " ".repeat(FILE_BYTES as usize));
        for text in ["", "null", &padded, &whole[..whole.len() - 1], &whole.replace("0.05", "1e999")] {
            fs::write(&path, text).expect("written");
            assert!(matches!(read_from(&path), Err(NoCalibration::Unusable(_))), "{}", text.len());
        }
        fs::write(&path, [0xff; 100]).expect("written");
        assert!(matches!(read_from(&path), Err(NoCalibration::Unusable(_))));
        assert!(read_from(folder.path()).is_err(), "a folder");
    }

    #[test]
    fn this_executable_has_an_identifier() {
        assert_eq!(build().expect("a build"), build().expect("a build"));
    }
}
