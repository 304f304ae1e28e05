//! File of a record. Lines wait in memory until the disk takes them, and the outcome of each line is known.
//!
//! * A write to a pipe never blocks: bytes that the pipe does not take now stay in memory. A disk that hangs delays
//!   only the recorder's thread.
//! * Memory is bounded: the recorder adds no line while [`BUFFER_BYTES`] are waiting.
//! * A file that has failed is not written again: it can no longer be complete, and it may end with half a line.

use std::collections::VecDeque;
use std::fs::{File, OpenOptions, Permissions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::OFlags;

use crate::vocabulary::Untrusted;

/// Bytes of waiting lines at which no more lines are added.
const BUFFER_BYTES: usize = 1 << 20;
/// Mode of a record: it shows who played what and when, so only its owner may read it.
const MODE: u32 = 0o600;

/// A file that is open for writing, but not yet in use.
#[derive(Debug)]
pub struct RecordFile {
    file: File,
    path: PathBuf,
    regular: bool,
    /// Facts of the run for its replay.
    pub(super) replay: serde_json::Value,
}

impl RecordFile {
    /// Opens a file for a record, and creates it if it does not exist. A pipe must have a reader.
    ///
    /// # Errors
    /// Fails if the file cannot be opened, or if another process records into it.
    pub fn create(path: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        // Not truncated yet: it may be the record of a run that goes on, or a later check may still reject the file.
        options.write(true).create(true).truncate(false).mode(MODE);
        // Linux and macOS define the flag for exactly this case: never wait for the other end of a pipe.
        options.custom_flags(OFlags::NONBLOCK.bits().cast_signed());
        let file = options.open(path)?;
        let kind = file.metadata()?.file_type();
        if kind.is_file() || kind.is_fifo() {
            lock(&file)?;
        }
        let replay = serde_json::Value::Null;
        Ok(Self { file, path: path.to_owned(), regular: kind.is_file(), replay })
    }

    /// Adds the facts of the run that a replay of the record shows and that never change.
    pub fn with_facts(self, replay: serde_json::Value) -> Self {
        Self { replay, ..self }
    }

    /// Returns the path, safe to print.
    pub fn shown(&self) -> Arc<str> {
        Untrusted::new(&self.path.to_string_lossy()).shown().into()
    }

    /// Returns the file and whether it is a regular one. Empties a regular file, and makes it readable only for its
    /// owner.
    ///
    /// # Errors
    /// Fails if the length or the mode of the file cannot be changed.
    pub(super) fn begin(self) -> io::Result<(File, bool)> {
        if self.regular {
            self.file.set_len(0)?;
            self.file.set_permissions(Permissions::from_mode(MODE))?;
        }
        Ok((self.file, self.regular))
    }
}

/// Locks a record for this process until the file is closed: a file with the lines of two runs is of use to neither.
fn lock(file: &File) -> io::Result<()> {
    match file.try_lock() {
        // A file system without locks is not a reason to reject a record.
        Err(TryLockError::WouldBlock) => Err(io::Error::other("another process is recording to it")),
        Ok(()) | Err(TryLockError::Error(_)) => Ok(()),
    }
}

/// Kind of a line, for the counters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LineOf {
    Stream(super::Stream),
    Frame,
    Sample,
    /// The first and the last line.
    Envelope,
}

/// Lines on their way to a file.
#[derive(Debug)]
pub(super) struct Writer<W> {
    out: W,
    /// Lines that the disk has not taken. The first one may be partly written.
    waiting: Vec<u8>,
    /// Kind of each of those lines, and the bytes of it that are still waiting.
    lines: VecDeque<(LineOf, usize)>,
}

/// Outcome of a flush.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flushed {
    /// Every line is written.
    All,
    /// The other end takes no more bytes for now.
    Blocked,
}

impl<W: Write> Writer<W> {
    pub(super) fn new(out: W) -> Self {
        Self { out, waiting: Vec::new(), lines: VecDeque::new() }
    }

    /// Reports whether another line may be added.
    pub(super) fn has_room(&self) -> bool {
        self.waiting.len() < BUFFER_BYTES
    }

    /// Reports whether no line is waiting.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Returns the output that the lines go to.
    pub(super) fn out(&self) -> &W {
        &self.out
    }

    /// Adds a line, which `write` appends to the buffer.
    pub(super) fn push(&mut self, of: LineOf, write: impl FnOnce(&mut Vec<u8>)) {
        let before = self.waiting.len();
        write(&mut self.waiting);
        self.lines.push_back((of, self.waiting.len() - before));
    }

    /// Writes as much as the other end takes now. Calls `whole` for each line that is written to its end, and `taken`
    /// with the bytes of each write.
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

    /// Returns the kinds of the lines that were never written to their end.
    pub(super) fn unwritten(&self) -> impl Iterator<Item = LineOf> + '_ {
        self.lines.iter().map(|(of, _)| *of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::Stream;

    /// Output that takes up to three bytes at a time, and nothing once its room is used up.
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
