//! The file of a record: lines wait in memory until the disk takes them, and it is known of each what became of it.
//!
//! * A pipe is written without waiting; what it does not take now stays in memory. A disk that hangs holds up the
//!   recorder's thread, and nobody else's.
//! * Memory is bounded: with [`BUFFER_BYTES`] waiting nothing more is taken.
//! * A file that has failed is not written again: it can no longer be whole, and half a line may stand at its end.

use std::collections::VecDeque;
use std::fs::{File, OpenOptions, Permissions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::OFlags;

use crate::vocabulary::Untrusted;

/// Bytes of lines that may wait for the disk.
const BUFFER_BYTES: usize = 1 << 20;
/// A record shows who played what when: it is its owner's alone.
const MODE: u32 = 0o600;

/// A file that can be written, not yet in use.
#[derive(Debug)]
pub struct RecordFile {
    file: File,
    path: PathBuf,
    regular: bool,
}

impl RecordFile {
    /// Opens a file for a record, and creates it if there is none. A pipe must have a reader.
    ///
    /// # Errors
    /// It cannot be opened, or another process records into it.
    pub fn create(path: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        // Not truncated yet: it may be the record of a run that goes on, or a file that is refused after a look at it.
        options.write(true).create(true).truncate(false).mode(MODE);
        // Linux and macOS define the flag for exactly this: never wait for the other end of a pipe.
        options.custom_flags(OFlags::NONBLOCK.bits().cast_signed());
        let file = options.open(path)?;
        let kind = file.metadata()?.file_type();
        if kind.is_file() || kind.is_fifo() {
            lock(&file)?;
        }
        Ok(Self { file, path: path.to_owned(), regular: kind.is_file() })
    }

    /// Where it is, harmless to print.
    pub fn shown(&self) -> Arc<str> {
        Untrusted::new(&self.path.to_string_lossy()).shown().into()
    }

    /// The file and whether it is a regular one. That is emptied, and from now on readable by its owner alone.
    ///
    /// # Errors
    /// Its length or its mode cannot be changed.
    pub(super) fn begin(self) -> io::Result<(File, bool)> {
        if self.regular {
            self.file.set_len(0)?;
            self.file.set_permissions(Permissions::from_mode(MODE))?;
        }
        Ok((self.file, self.regular))
    }
}

/// Locks a record for this process, until the file is closed. Lines of two runs in one file belong to neither.
fn lock(file: &File) -> io::Result<()> {
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => Err(io::Error::other("another process is recording into it")),
        // A file system without locks is no reason to refuse a record.
        Ok(()) | Err(TryLockError::Error(_)) => Ok(()),
    }
}

/// What a line is, for those who count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LineOf {
    Stream(super::Stream),
    Frame,
    /// The first and the last line.
    Envelope,
}

/// Lines on their way to a file.
#[derive(Debug)]
pub(super) struct Writer<W> {
    out: W,
    /// Lines that the disk has not taken, the first of them perhaps in part.
    waiting: Vec<u8>,
    /// What those lines are, and how many bytes of each are still waiting.
    lines: VecDeque<(LineOf, usize)>,
}

/// Why a flush ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flushed {
    /// Nothing waits any more.
    All,
    /// The other end takes nothing now.
    Blocked,
}

impl<W: Write> Writer<W> {
    pub(super) fn new(out: W) -> Self {
        Self { out, waiting: Vec::new(), lines: VecDeque::new() }
    }

    /// Whether another line may wait.
    pub(super) fn has_room(&self) -> bool {
        self.waiting.len() < BUFFER_BYTES
    }

    /// Whether no line waits.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Where the lines go.
    pub(super) fn out(&self) -> &W {
        &self.out
    }

    /// Adds a line.
    pub(super) fn push(&mut self, of: LineOf, write: impl FnOnce(&mut Vec<u8>)) {
        let before = self.waiting.len();
        write(&mut self.waiting);
        self.lines.push_back((of, self.waiting.len() - before));
    }

    /// Writes what the other end takes now; `whole` is told of each line that is written to its end, `taken` of bytes.
    pub(super) fn flush(
        &mut self,
        mut whole: impl FnMut(LineOf),
        mut taken: impl FnMut(u64),
    ) -> io::Result<Flushed> {
        while !self.waiting.is_empty() {
            match self.out.write(&self.waiting) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(bytes) => {
                    taken(bytes as u64);
                    self.advance(bytes, &mut whole);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(Flushed::Blocked),
                Err(error) => return Err(error),
            }
        }
        Ok(Flushed::All)
    }

    fn advance(&mut self, bytes: usize, whole: &mut impl FnMut(LineOf)) {
        self.waiting.drain(..bytes);
        let mut left = bytes;
        while let Some((of, length)) = self.lines.front_mut() {
            if *length > left {
                *length -= left;
                return;
            }
            left -= *length;
            whole(*of);
            self.lines.pop_front();
        }
    }

    /// The lines that were never written whole.
    pub(super) fn unwritten(&self) -> impl Iterator<Item = LineOf> + '_ {
        self.lines.iter().map(|(of, _)| *of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::Stream;

    /// Takes a few bytes at a time, then nothing.
    struct Narrow {
        taken: Vec<u8>,
        room: usize,
    }

    impl Write for Narrow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if self.room == 0 {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            let some = bytes.len().min(3).min(self.room);
            self.taken.extend_from_slice(&bytes[..some]);
            self.room -= some;
            Ok(some)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_line_counts_as_written_when_its_last_byte_is() {
        let mut writer = Writer::new(Narrow { taken: Vec::new(), room: 9 });
        for (of, line) in [(LineOf::Frame, "12345\n"), (LineOf::Stream(Stream::Events), "abcdef\n")] {
            writer.push(of, |buffer| buffer.extend_from_slice(line.as_bytes()));
        }
        let mut written = Vec::new();
        assert_eq!(writer.flush(|of| written.push(of), |_| {}).expect("no failure"), Flushed::Blocked);
        assert_eq!(written, [LineOf::Frame]);
        assert_eq!(writer.unwritten().collect::<Vec<_>>(), [LineOf::Stream(Stream::Events)]);
        writer.out.room = 100;
        assert_eq!(writer.flush(|of| written.push(of), |_| {}).expect("no failure"), Flushed::All);
        assert_eq!(written.len(), 2);
        assert_eq!(writer.out.taken, b"12345\nabcdef\n");
    }

    #[test]
    fn a_record_is_its_owners_alone_also_where_the_file_was_there_before() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("record.ndjson");
        std::fs::write(&path, "old").expect("written");
        std::fs::set_permissions(&path, Permissions::from_mode(0o644)).expect("changed");
        let record = RecordFile::create(&path).expect("opened");
        assert!(record.shown().ends_with("record.ndjson"));
        assert_eq!(std::fs::read_to_string(&path).expect("there"), "old");
        record.begin().expect("begun");
        let metadata = std::fs::metadata(&path).expect("there");
        assert_eq!((metadata.permissions().mode() & 0o777, metadata.len()), (MODE, 0));
        assert!(RecordFile::create(&folder.path().join("none/record.ndjson")).is_err());
    }

    #[test]
    fn a_record_that_is_being_written_is_refused_and_keeps_its_lines() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("record.ndjson");
        let (mut file, _) = RecordFile::create(&path).and_then(RecordFile::begin).expect("opened");
        file.write_all(b"a line").expect("written");
        let refused = RecordFile::create(&path).expect_err("locked").to_string();
        assert!(refused.contains("another process"), "{refused}");
        assert_eq!(std::fs::read_to_string(&path).expect("there"), "a line");
        drop(file);
        RecordFile::create(&path).and_then(RecordFile::begin).expect("free again");
        assert_eq!(std::fs::read_to_string(&path).expect("there"), "");
    }
}
