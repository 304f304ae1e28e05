//! Reads an HTTP/1.1 response from bytes as they come: pure, no socket, so that every split can be tested.
//!
//! * A response is complete exactly when its framing says so (RFC 9112 section 6.3); an ambiguous framing is a fault,
//!   never a guess: two different lengths, a length beside a transfer coding, a coding other than chunked.
//! * The head is parsed where it lies when it came in one piece; only a head that is split is copied.
//! * The same bytes are read the same however they are split.
//! * Every size is limited: head, header lines, interim responses, chunk lines, trailers.

mod chunked;
mod head;

use crate::vocabulary::limits;
use crate::vocabulary::outcome::Fault;

use super::head::Head;
use chunked::{Chunked, take};

/// Bytes of the longest end of a head: LF CR LF.
const END_BYTES: usize = 3;

/// How the end of a body is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Framing {
    /// This many bytes are still to come.
    Length(u64),
    Chunked(Chunked),
    /// Until the connection closes.
    Close,
}

/// What a piece of input led to.
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

/// Reads one response.
#[derive(Debug, Default)]
pub struct Reader {
    /// See [`Head::used_once`].
    used_once: bool,
    /// A head that came in pieces, so far.
    partial: Vec<u8>,
    head: Option<Head>,
    framing: Option<Framing>,
    interim: u32,
    /// Bytes of empty lines before a head.
    blank: usize,
}

impl Reader {
    /// Of a response that is used once.
    pub fn of_media() -> Self {
        Self { used_once: true, ..Self::default() }
    }

    /// The final head, once it is known.
    pub fn head(&self) -> Option<&Head> {
        self.head.as_ref()
    }

    /// Interim responses that came before it.
    pub fn interim(&self) -> u32 {
        self.interim
    }

    /// The final head, at the end.
    pub fn into_head(self) -> Option<Head> {
        self.head
    }

    /// Takes the next input; `body` is called with each piece of the body.
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

    /// How many bytes of the body are still to come, where they can be taken without a look at them: all but chunked
    /// bodies. `None` as well before the head is known.
    pub fn skippable(&self) -> Option<u64> {
        match self.framing? {
            Framing::Length(left) => Some(left),
            Framing::Close => Some(u64::MAX),
            Framing::Chunked(_) => None,
        }
    }

    /// Takes this many bytes of a body that is [skippable](Self::skippable); `body` is told how many belong to it.
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

    /// The connection was closed.
    ///
    /// # Errors
    /// `conn.eof` before the response was there, `body.short` before the body was.
    pub fn end(&self) -> Result<(), Fault> {
        match self.framing {
            Some(Framing::Close) => Ok(()),
            Some(_) => Err(Fault::BodyShort),
            None => Err(Fault::ConnEof),
        }
    }

    /// Reads a head, interim or final, and returns how much of `input` it took; `None`: more is needed.
    ///
    /// A head is parsed only once its end has come: parsing with every piece would let a peer that sends single
    /// bytes cost the square of the limit, and what is refused would depend on how the head is split.
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
            // Only as much as a head may have: the rest of the input stays where it is.
            let room = limits::HEAD_BYTES.saturating_sub(held).min(input.len());
            self.partial.extend_from_slice(input.get(..room).unwrap_or_default());
            let from = held.saturating_sub(END_BYTES - 1);
            if let Some(length) = head::length(self.partial.get(from..).unwrap_or_default()) {
                let mut head = std::mem::take(&mut self.partial);
                head.truncate(from + length);
                self.begin(&head)?;
                // What was held came before this input.
                return Ok(Some(head.len().saturating_sub(held)));
            }
        }
        let is_too_long = self.partial.len() >= limits::HEAD_BYTES;
        if is_too_long || !head::may_begin(&self.partial) { Err(Fault::ConnProtocol) } else { Ok(None) }
    }

    /// Takes a complete head, interim or final.
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
    /// Takes the next input and returns how much of it belongs to the body, and whether the body is complete.
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
