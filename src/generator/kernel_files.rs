//! Files of the kernel, below a root that tests replace.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// Maximum bytes read of one file. A host with a thousand mounts has a mountinfo of some 200 KB.
const FILE_BYTES: u64 = 1 << 20;

/// Reader of the kernel's files.
#[derive(Clone, Debug)]
pub(super) struct KernelFiles {
    root: PathBuf,
}

impl Default for KernelFiles {
    fn default() -> Self {
        Self { root: PathBuf::from("/") }
    }
}

impl KernelFiles {
    /// Reads a file; `None` if it is not there, too large or no text.
    pub(super) fn read(&self, path: &str) -> Option<String> {
        let mut text = String::new();
        let length = File::open(self.path(path)).ok()?.take(FILE_BYTES).read_to_string(&mut text).ok()?;
        (length < FILE_BYTES as usize).then_some(text)
    }

    /// Reports whether a file is there.
    pub(super) fn has(&self, path: &str) -> bool {
        self.path(path).exists()
    }

    fn path(&self, path: &str) -> PathBuf {
        // Joining an absolute path would replace the root.
        self.root.join(Path::new(path.trim_start_matches('/')))
    }
}

/// Files of a made-up machine, in a folder that is removed when this is dropped.
#[cfg(test)]
pub(super) mod made_up {
    use std::fs;

    use tempfile::TempDir;

    use super::*;

    /// A machine whose files a test writes.
    #[derive(Debug)]
    pub(in crate::generator) struct Machine {
        pub(in crate::generator) files: KernelFiles,
        _folder: TempDir,
    }

    impl Machine {
        /// Creates a machine with these files.
        pub(in crate::generator) fn new(files: &[(&str, &str)]) -> Self {
            let folder = tempfile::tempdir().expect("a folder");
            let machine = Self { files: KernelFiles { root: folder.path().to_owned() }, _folder: folder };
            files.iter().for_each(|(path, text)| machine.write(path, text));
            machine
        }

        /// Writes a file, with its folders.
        pub(in crate::generator) fn write(&self, path: &str, text: &str) {
            let path = self.files.path(path);
            fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            fs::write(path, text).expect("written");
        }

        /// Removes a file.
        pub(in crate::generator) fn remove(&self, path: &str) {
            fs::remove_file(self.files.path(path)).expect("removed");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_not_there_or_no_text_is_unknown() {
        let machine = made_up::Machine::new(&[("/proc/stat", "cpu  1\n")]);
        assert_eq!(machine.files.read("/proc/stat").as_deref(), Some("cpu  1\n"));
        assert!(machine.files.has("/proc/stat") && !machine.files.has("/proc/meminfo"));
        assert_eq!([machine.files.read("/proc/meminfo"), machine.files.read("/proc")], [None, None]);
        let large = "x".repeat(FILE_BYTES as usize);
        machine.write("/proc/stat", &large);
        assert_eq!(machine.files.read("/proc/stat"), None);
    }
}
