//! The file that holds the calibration of this machine, in the user's state folder.

use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;

use crate::capacity::{Calibration, CalibrationError};
use crate::generator;

/// Name of the file, below the state folder.
const NAME: &str = "hlswarm/calibration.json";
/// Maximum size of the file: it holds some dozens of numbers.
const BYTES: u64 = 64 * 1024;

/// Returns the path of the file; `None` without a state folder. A relative `XDG_STATE_HOME` is not used, as the
/// specification demands (<https://specifications.freedesktop.org/basedir-spec/latest/>).
pub(super) fn path() -> Option<PathBuf> {
    let folder = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let state = folder("XDG_STATE_HOME").or_else(|| folder("HOME").map(|home| home.join(".local/state")));
    state.map(|state| state.join(NAME))
}

/// Reads the calibration that was made here by this build; `None` if there is no file.
///
/// # Errors
/// The reason why the file cannot be used.
pub(super) fn read() -> Result<Option<Calibration>, CalibrationError> {
    let Some(file) = path().and_then(|path| File::open(path).ok()) else { return Ok(None) };
    let mut text = String::new();
    let length = file.take(BYTES).read_to_string(&mut text).map_err(|_| CalibrationError::Format)?;
    if length as u64 >= BYTES {
        return Err(CalibrationError::Format);
    }
    let calibration = Calibration::parse(&text)?;
    let machine = generator::machine().ok_or(CalibrationError::Machine)?;
    calibration.check(&machine, env!("CARGO_PKG_VERSION"), &build())?;
    Ok(Some(calibration))
}

/// Returns the identifier of this executable: its length and the time of its last change.
pub(super) fn build() -> String {
    let found = std::env::current_exe().and_then(std::fs::metadata).ok();
    found.map_or_else(String::new, |file| format!("{}-{}.{:09}", file.len(), file.mtime(), file.mtime_nsec()))
}
