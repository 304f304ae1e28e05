//! Decoder for the chunked transfer coding (RFC 9112 section 7.1): framing byte by byte, data in whole pieces.
//!
//! Extensions and trailers are ignored within limits: per line, for all extensions and for all trailers together.

use crate::vocabulary::limits;
use crate::vocabulary::outcome::Fault;

/// Maximum trailer bytes after the last chunk, which are ignored; more are a fault.
pub(super) const TRAILER_BYTES: usize = limits::HEAD_BYTES;

/// Position of the reader in a chunked body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Chunk {
    /// In the size, before any extension: the size, its digits and the bytes of the line so far.
    Size {
        size: u64,
        digits: u8,
        line: usize,
    },
    /// In an extension, which is ignored.
    Extension {
        size: u64,
        line: usize,
    },
    /// After the CR of the size line.
    SizeLf {
        size: u64,
    },
    /// In the data: bytes still to come.
    Data {
        left: u64,
    },
    /// Before the CR LF that ends the data.
    DataCr,
    DataLf,
    /// In the trailers. `empty` is true while the line is empty; `bytes` counts all trailer bytes so far.
    Trailer {
        empty: bool,
        bytes: usize,
    },
}

const CHUNK_START: Chunk = Chunk::Size { size: 0, digits: 0, line: 0 };

/// Bytes of chunk extensions that are allowed beyond one for each body byte, so that a peer cannot send extensions
/// forever.
const EXTENSION_BYTES: u64 = 16 * 1024;

/// State of a chunked body that is being read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Chunked {
    at: Chunk,
    /// Bytes of extensions that are still allowed.
    extensions: u64,
}

impl Default for Chunked {
    fn default() -> Self {
        Self { at: CHUNK_START, extensions: EXTENSION_BYTES }
    }
}

/// Returns at most `left` bytes from the start of `input`.
pub(super) fn take(input: &[u8], left: u64) -> &[u8] {
    let length = usize::try_from(left).unwrap_or(usize::MAX).min(input.len());
    input.get(..length).unwrap_or_default()
}

impl Chunked {
    /// Reads the next input. Returns the bytes of it that belong to the body, framing included, and true if the body
    /// is complete.
    pub(super) fn take(
        &mut self,
        input: &[u8],
        body: &mut impl FnMut(&[u8]),
    ) -> Result<(usize, bool), Fault> {
        let mut used = 0;
        while let Some(&byte) = input.get(used) {
            if let Chunk::Data { left } = self.at {
                let piece = take(input.get(used..).unwrap_or_default(), left);
                body(piece);
                used += piece.len();
                self.extensions = self.extensions.saturating_add(piece.len() as u64);
                let left = left - piece.len() as u64;
                self.at = if left == 0 { Chunk::DataCr } else { Chunk::Data { left } };
                continue;
            }
            used += 1;
            match self.at.step(byte)? {
                Some(next) => self.at = next,
                None => return Ok((used, true)),
            }
            if matches!(self.at, Chunk::Extension { .. }) {
                self.extensions = self.extensions.checked_sub(1).ok_or(Fault::ConnProtocol)?;
            }
        }
        Ok((used, false))
    }
}

impl Chunk {
    /// Returns the position after one byte of framing; `None` if the body is complete.
    fn step(self, byte: u8) -> Result<Option<Self>, Fault> {
        let next = match (self, byte) {
            (Self::Size { size, digits, line }, _) if byte.is_ascii_hexdigit() => {
                let digit = char::from(byte).to_digit(16).map(u64::from).ok_or(Fault::ConnProtocol)?;
                let size = size.checked_mul(16).map(|size| size + digit).ok_or(Fault::ConnProtocol)?;
                Self::Size { size, digits: digits.saturating_add(1), line: within_line(line)? }
            }
            (Self::Size { digits: 0, .. }, _) => return Err(Fault::ConnProtocol),
            (Self::Size { size, .. } | Self::Extension { size, .. }, b'\r') => Self::SizeLf { size },
            (Self::Size { size, line, .. }, b';' | b' ' | b'\t')
            | (Self::Extension { size, line }, 0x20.. | b'\t') => {
                Self::Extension { size, line: within_line(line)? }
            }
            (Self::SizeLf { size: 0 }, b'\n') => Self::Trailer { empty: true, bytes: 0 },
            (Self::SizeLf { size }, b'\n') => Self::Data { left: size },
            (Self::DataCr, b'\r') => Self::DataLf,
            (Self::DataLf, b'\n') => CHUNK_START,
            (Self::Trailer { empty: true, .. }, b'\n') => return Ok(None),
            (Self::Trailer { bytes, .. }, _) if bytes >= TRAILER_BYTES => return Err(Fault::ConnProtocol),
            (Self::Trailer { bytes, .. }, b'\n') => Self::Trailer { empty: true, bytes: bytes + 1 },
            (Self::Trailer { empty, bytes }, b'\r') => Self::Trailer { empty, bytes: bytes + 1 },
            (Self::Trailer { bytes, .. }, _) => Self::Trailer { empty: false, bytes: bytes + 1 },
            _ => return Err(Fault::ConnProtocol),
        };
        Ok(Some(next))
    }
}

/// Counts one more byte in the line of a chunk.
fn within_line(line: usize) -> Result<usize, Fault> {
    if line < limits::CHUNK_LINE_BYTES { Ok(line + 1) } else { Err(Fault::ConnProtocol) }
}
