//! Writes files that the operator named: whole or not at all, and never through a name that another user could plant.
//!
//! * A temporary file is in the folder of its target, has a random name, and is created exclusively: an existing file
//!   or symbolic link is an error. It is synced before it takes the name of its target.
//! * A target that is a symbolic link stays one: the file that it points to is replaced.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use rand::TryRng as _;

/// Maximum number of symbolic links followed in a row: as many as Linux follows.
const LINKS: usize = 40;
/// Mode of a new file before the umask, as for a shell's `>`.
const MODE: u32 = 0o666;
/// Mode of a file that only its owner can use.
const PRIVATE: u32 = 0o600;

/// Returns the file that a path leads to after following its symbolic links. The file may be missing; its folder must
/// exist.
pub(super) fn resolve(path: &Path) -> io::Result<PathBuf> {
    let mut path = path.to_owned();
    for _ in 0..LINKS {
        let folder = fs::canonicalize(folder_of(&path))?;
        let Some(name) = path.file_name() else { return Ok(folder) };
        path = folder.join(name);
        match fs::read_link(&path) {
            Ok(target) => path = folder.join(target),
            // Not a link, or nothing there yet.
            Err(_) => return Ok(path),
        }
    }
    Err(io::Error::other("too many symbolic links"))
}

/// Reports whether two resolved paths are the same file: by path, or as two names of one file.
pub(super) fn are_same(one: &Path, other: &Path) -> bool {
    let identity = |path| fs::metadata(path).ok().map(|file| (file.dev(), file.ino()));
    one == other || identity(one).is_some_and(|file| Some(file) == identity(other))
}

/// Replaces or creates a file. Even after a crash it is either whole or as it was before.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let part = Temporary::create(folder_of(path), MODE)?;
    // A replaced file keeps its permissions.
    if let Ok(before) = fs::metadata(path) {
        part.file.set_permissions(before.permissions())?;
    }
    put(part, path, bytes)
}

/// Replaces or creates a file that only its owner can use, as [`replace`] does.
pub(super) fn replace_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    put(Temporary::create(folder_of(path), PRIVATE)?, path, bytes)
}

/// Gives a new file its bytes, and then its name.
fn put(part: Temporary, path: &Path, bytes: &[u8]) -> io::Result<()> {
    part.write(bytes)?;
    fs::rename(&part.path, path)?;
    part.keep();
    // The data are safe. If the folder cannot be synced, a crash may lose the name.
    _ = File::open(folder_of(path)).and_then(|folder| folder.sync_all());
    Ok(())
}

/// Checks whether a file can be created next to this one.
pub(super) fn try_folder(path: &Path) -> io::Result<()> {
    Temporary::create(folder_of(path), PRIVATE).map(drop)
}

/// A file that is removed on drop.
#[derive(Debug)]
pub(super) struct Temporary {
    file: File,
    path: PathBuf,
    kept: bool,
}

impl Temporary {
    /// Creates a file in the system's folder of temporary files that only its owner can use.
    pub(super) fn private(bytes: &[u8]) -> io::Result<Self> {
        let file = Self::create(&std::env::temp_dir(), PRIVATE)?;
        file.write(bytes)?;
        Ok(file)
    }

    /// Returns the path of the file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    fn create(folder: &Path, mode: u32) -> io::Result<Self> {
        let random = rand::rngs::SysRng.try_next_u64().map_err(io::Error::other)?;
        let path = folder.join(format!(".hlswarm-{random:016x}.part"));
        // Exclusive creation does not follow a link at the end of the path.
        let file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&path)?;
        Ok(Self { file, path, kept: false })
    }

    fn write(&self, bytes: &[u8]) -> io::Result<()> {
        (&self.file).write_all(bytes)?;
        self.file.sync_all()
    }

    /// Keeps the file, which has its final name by now.
    fn keep(mut self) {
        self.kept = true;
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.kept {
            // If the folder is gone, the file is gone too.
            _ = fs::remove_file(&self.path);
        }
    }
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::Permissions;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).expect("a folder");
        let mut names: Vec<_> =
            entries.map(|entry| entry.expect("read").file_name().into_string().expect("UTF-8")).collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_is_replaced_whole_with_its_mode_and_nothing_else_is_left() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("r.json");
        fs::write(&path, "old").expect("written");
        fs::set_permissions(&path, Permissions::from_mode(0o640)).expect("changed");
        replace(&path, b"new").expect("replaced");
        assert_eq!(fs::read_to_string(&path).expect("there"), "new");
        assert_eq!(fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o640);
        assert_eq!(names(folder.path()), ["r.json"]);
    }

    #[test]
    fn a_file_that_cannot_be_replaced_leaves_no_part_behind() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("r.json");
        fs::create_dir(&path).expect("a folder in the way");
        assert!(replace(&path, b"new").is_err());
        assert_eq!(names(folder.path()), ["r.json"]);
        assert!(replace(&folder.path().join("none/r.json"), b"new").is_err());
    }

    #[test]
    fn two_temporary_files_have_different_names_and_are_gone_when_they_are_dropped() {
        let one = Temporary::private(b"secret").expect("created");
        let other = Temporary::private(b"secret").expect("created");
        assert_ne!(one.path(), other.path());
        let mode = fs::metadata(one.path()).expect("there").permissions().mode() & 0o777;
        assert_eq!(mode, PRIVATE);
        let path = one.path().to_owned();
        drop(one);
        assert!(!path.exists());
    }

    #[test]
    fn links_lead_to_the_file_that_is_meant_and_a_circle_to_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        let real = fs::canonicalize(folder.path()).expect("there");
        symlink("missing.json", at("dangling.json")).expect("a link");
        symlink(at("dangling.json"), at("twice.json")).expect("a link");
        symlink("circle.json", at("circle.json")).expect("a link");
        for name in ["missing.json", "dangling.json", "twice.json", "../missing.json"] {
            let name = name.replace("..", &format!("../{}", real.file_name().unwrap().to_string_lossy()));
            assert_eq!(resolve(&at(&name)).expect("resolved"), real.join("missing.json"), "{name}");
        }
        assert!(resolve(&at("circle.json")).is_err());
        assert!(resolve(&at("none/r.json")).is_err());
        replace(&resolve(&at("twice.json")).expect("resolved"), b"new").expect("replaced");
        assert!(at("twice.json").is_symlink());
        assert_eq!(fs::read_to_string(at("missing.json")).expect("there"), "new");
    }

    #[test]
    fn one_file_is_the_same_by_every_spelling_and_name() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        fs::write(at("a"), "").expect("written");
        fs::write(at("b"), "").expect("written");
        fs::hard_link(at("a"), at("c")).expect("linked");
        let resolved = |name: &str| resolve(&at(name)).expect("resolved");
        assert!(are_same(&resolved("a"), &resolved("./a")));
        assert!(are_same(&resolved("a"), &resolved("c")));
        assert!(!are_same(&resolved("a"), &resolved("b")));
        assert!(are_same(&resolved("new"), &resolved("./new")));
    }
}
