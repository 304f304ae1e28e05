//! Incremental parser for HTTP/1.1 responses, without I/O, so that every split of the input can be tested.
//!
//! * A response is complete exactly when its framing says so (RFC 9112 section 6.3). An ambiguous framing is a fault,
//!   never a guess: two different lengths, a length beside a transfer coding, a coding other than chunked.
//! * A head that arrives in one piece is parsed in place; only a head that is split is copied.
//! * The result does not depend on the split of the input.
//! * Every size is limited: head, header lines, interim responses, chunk lines, trailers.

mod chunked;
mod head;

use crate::vocabulary::limits;
use crate::vocabulary::outcome::Fault;

use super::head::Head;
use chunked::{Chunked, take};

/// Length of the longest end of a head: LF CR LF.
const END_BYTES: usize = 3;

/// Rule that determines the end of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Framing {
    /// Bytes that are still to come.
    Length(u64),
    Chunked(Chunked),
    /// The body ends when the connection closes.
    Close,
}

/// Result of reading a piece of input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// More input is needed.
    More,
    /// The response is complete; this many bytes of the input belong to it.
    Done {
        /// Bytes of the last input that were used.
        used: usize,
    },
}

/// Parser of one response.
#[derive(Debug, Default)]
pub struct Reader {
    /// See [`Head::used_once`].
    used_once: bool,
    /// Bytes so far of a head that arrives in pieces.
    partial: Vec<u8>,
    head: Option<Box<Head>>,
    framing: Option<Framing>,
    interim: u32,
    /// Bytes of empty lines before a head.
    blank: usize,
}

impl Reader {
    /// Creates a reader for a response that is not reused; see [`Head::used_once`].
    pub fn for_media() -> Self {
        Self { used_once: true, ..Self::default() }
    }

    /// Returns the final head, once it has been read.
    pub fn head(&self) -> Option<&Head> {
        self.head.as_deref()
    }

    /// Returns the number of interim responses so far.
    pub fn interim(&self) -> u32 {
        self.interim
    }

    /// Consumes the reader and returns the final head.
    pub fn into_head(self) -> Option<Box<Head>> {
        self.head
    }

    /// Reads the next input and calls `body` with each piece of the body.
    ///
    /// # Errors
    /// `conn.proto` when the input is not valid HTTP.
    pub fn feed(&mut self, input: &[u8], body: &mut impl FnMut(&Head, &[u8])) -> Result<Progress, Fault> {
        let mut used = 0;
        while self.head.is_none() {
            let rest = input.get(used..).unwrap_or_default();
            match self.read_head(rest)? {
                Some(length) => used += length,
                None => return Ok(Progress::More),
            }
        }
        let rest = input.get(used..).unwrap_or_default();
        let (Some(head), Some(framing)) = (&self.head, &mut self.framing) else {
            return Err(Fault::ConnProtocol);
        };
        let (in_body, done) = framing.take(rest, &mut |piece| body(head, piece))?;
        Ok(if done { Progress::Done { used: used + in_body } } else { Progress::More })
    }

    /// Returns the bytes of the body that are still to come, if they can be skipped unread; `u64::MAX` for a body
    /// that ends with the connection. `None` for a chunked body, or before the head has been read.
    pub fn skippable(&self) -> Option<u64> {
        match self.framing? {
            Framing::Length(left) => Some(left),
            Framing::Close => Some(u64::MAX),
            Framing::Chunked(_) => None,
        }
    }

    /// Skips this many bytes of a [skippable](Self::skippable) body and calls `body` with the number that belong to
    /// it.
    pub fn skip(&mut self, bytes: usize, body: &mut impl FnMut(&Head, u64)) -> Progress {
        let (Some(head), Some(framing)) = (&self.head, &mut self.framing) else { return Progress::More };
        if let Framing::Length(left) = framing {
            let in_body = (*left).min(bytes as u64);
            *left -= in_body;
            body(head, in_body);
            let used = usize::try_from(in_body).unwrap_or(bytes);
            return if *left == 0 { Progress::Done { used } } else { Progress::More };
        }
        body(head, bytes as u64);
        Progress::More
    }

    /// Checks that the response may end where the connection has closed.
    ///
    /// # Errors
    /// `conn.eof` before the head was complete, `body.short` before the body was.
    pub fn end(&self) -> Result<(), Fault> {
        match self.framing {
            Some(Framing::Close) => Ok(()),
            Some(_) => Err(Fault::BodyShort),
            None => Err(Fault::ConnEof),
        }
    }

    /// Reads a head, interim or final, and returns the number of bytes of `input` that it took; `None` if more are
    /// needed.
    ///
    /// A head is parsed only once its end has arrived. Parsing with every piece would let a peer that sends single
    /// bytes cost time in the square of the limit, and the split of a head would decide whether it is refused.
    fn read_head(&mut self, input: &[u8]) -> Result<Option<usize>, Fault> {
        let held = self.partial.len();
        if held == 0 {
            let blank = input.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
            self.blank += blank;
            if self.blank > limits::HEAD_BYTES {
                return Err(Fault::ConnProtocol);
            }
            let input = input.get(blank..).unwrap_or_default();
            if let Some(head) = head::length(input).and_then(|length| input.get(..length)) {
                self.begin(head)?;
                return Ok(Some(blank + head.len()));
            }
            self.partial.extend_from_slice(input.get(..limits::HEAD_BYTES).unwrap_or(input));
        } else {
            // Copy no more than the limit of a head: the rest of the input stays where it is.
            let room = limits::HEAD_BYTES.saturating_sub(held).min(input.len());
            self.partial.extend_from_slice(input.get(..room).unwrap_or_default());
            let from = held.saturating_sub(END_BYTES - 1);
            if let Some(length) = head::length(self.partial.get(from..).unwrap_or_default()) {
                let mut head = std::mem::take(&mut self.partial);
                head.truncate(from + length);
                self.begin(&head)?;
                // The held bytes were not part of this input.
                return Ok(Some(head.len().saturating_sub(held)));
            }
        }
        let is_too_long = self.partial.len() >= limits::HEAD_BYTES;
        if is_too_long || !head::may_begin(&self.partial) { Err(Fault::ConnProtocol) } else { Ok(None) }
    }

    /// Parses a complete head, interim or final.
    fn begin(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        let (head, framing) = head::parse(bytes, self.used_once)?;
        match head.status {
            101 => return Err(Fault::ConnProtocol),
            100..=199 => {
                self.interim += 1;
                if self.interim > limits::INTERIM_RESPONSES {
                    return Err(Fault::ConnProtocol);
                }
            }
            _ => (self.head, self.framing) = (Some(head), Some(framing)),
        }
        Ok(())
    }
}

impl Framing {
    /// Reads the next input. Returns the bytes of it that belong to the body, framing included, and true if the body
    /// is complete.
    fn take(&mut self, input: &[u8], body: &mut impl FnMut(&[u8])) -> Result<(usize, bool), Fault> {
        match self {
            Self::Length(left) => {
                let piece = take(input, *left);
                *left -= piece.len() as u64;
                if !piece.is_empty() {
                    body(piece);
                }
                Ok((piece.len(), *left == 0))
            }
            Self::Chunked(chunked) => chunked.take(input, body),
            Self::Close => {
                if !input.is_empty() {
                    body(input);
                }
                Ok((input.len(), false))
            }
        }
    }
}

#[cfg(test)]
mod tests;
