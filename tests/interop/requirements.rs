//! Requirements of the interop tests: the programs that a machine must have, and the message when one is missing.

use std::env;
use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Programs that make and serve the stream.
const PROGRAMS: [&str; 2] = ["nginx", "ffmpeg"];

/// Environment variable that forbids skips. Set it to `1` where a skipped test would hide that nothing was tested.
const REQUIRE: &str = "HLSWARM_REQUIRE_INTEROP";

/// Folders in which Debian installs nginx. They are not in the search path of an ordinary user.
const SYSTEM_FOLDERS: [&str; 2] = ["/usr/sbin", "/usr/local/sbin"];

/// Reports whether the programs that make and serve the stream are installed; see [`are_met`].
pub fn met() -> bool {
    are_met(&PROGRAMS)
}

/// Reports whether every program is installed. Otherwise prints what is missing to stderr, or panics if skips are
/// forbidden.
pub fn are_met(programs: &[&str]) -> bool {
    let Some(missing) = missing_in(&search_path(), programs) else { return true };
    assert!(env::var(REQUIRE).as_deref() != Ok("1"), "{REQUIRE}=1, and missing: {missing}");
    skip(&missing);
    false
}

/// Prints to stderr what is missing for a test that is skipped.
pub fn skip(missing: &str) {
    // Write to the stream itself: the test harness captures `println!` and drops it when the test passes. Write in
    // one piece, because other tests print at the same time.
    let _ = std::io::stderr().write_all(format!("skipped: {missing} not installed\n").as_bytes());
}

/// Returns the full path of a program that a test can do without.
pub fn optional(program: &str) -> Option<PathBuf> {
    find(program, &search_path())
}

/// Returns the full path of `program`.
pub fn path_of(program: &str) -> PathBuf {
    find(program, &search_path()).unwrap_or_else(|| panic!("{program} is not installed"))
}

fn missing_in(folders: &[PathBuf], programs: &[&str]) -> Option<String> {
    let missing: Vec<&str> =
        programs.iter().copied().filter(|program| find(program, folders).is_none()).collect();
    (!missing.is_empty()).then(|| missing.join(", "))
}

fn find(program: &str, folders: &[PathBuf]) -> Option<PathBuf> {
    folders.iter().map(|folder| folder.join(program)).find(|path| path.is_file())
}

fn search_path() -> Vec<PathBuf> {
    let path: OsString = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).chain(SYSTEM_FOLDERS.map(|folder| Path::new(folder).to_owned())).collect()
}

#[test]
fn what_is_missing_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let folders = [folder.path().to_owned()];
    assert_eq!(missing_in(&folders, &PROGRAMS).as_deref(), Some("nginx, ffmpeg"));
    std::fs::write(folder.path().join("nginx"), "").unwrap();
    assert_eq!(missing_in(&folders, &PROGRAMS).as_deref(), Some("ffmpeg"));
    std::fs::write(folder.path().join("ffmpeg"), "").unwrap();
    assert_eq!(missing_in(&folders, &PROGRAMS), None);
}
