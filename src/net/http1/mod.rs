//! Reads an HTTP/1.1 response from bytes as they come: pure, no socket, so that every split can be tested.
//!
//! * A response is complete exactly when its framing says so (RFC 9112 section 6.3); an ambiguous framing is a fault,
//!   never a guess: two different lengths, a length beside a transfer coding, a coding other than chunked.
//! * The head is parsed where it lies when it came in one piece; only a head that is split is copied.
//! * Every size is limited: head, header lines, interim responses, chunk lines, trailers.

mod chunked;

use std::time::Duration;

use crate::base::outcome::Fault;
use crate::base::{CacheStatus, limits};

use chunked::{CHUNK_START, Chunk, take, take_chunked};

/// What the head of a response says, as far as a client of streams cares.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// The status code, 100..=999.
    pub status: u16,
    /// `Content-Type`, if it is text.
    pub content_type: Option<String>,
    /// `Content-Encoding`, lower case, if it is there and not `identity`.
    pub content_encoding: Option<String>,
    /// `Location`, if it is text.
    pub location: Option<String>,
    /// `ETag`, if it is text.
    pub etag: Option<String>,
    /// Whether a cache had it, where a header says so.
    pub cache: Option<CacheStatus>,
    /// `Age`: for how long a cache has had it.
    pub age: Option<Duration>,
    /// Whether `Cache-Control` or `Expires` says how long it may be kept.
    pub has_lifetime: bool,
    /// Whether the connection may be used again after the body.
    pub keep_alive: bool,
    /// The values of all `Set-Cookie` lines: secrets.
    pub cookies: Vec<Box<[u8]>>,
}

/// How the end of a body is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Framing {
    /// This many bytes are still to come.
    Length(u64),
    Chunked(Chunk),
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
    /// A head that came in pieces, so far.
    partial: Vec<u8>,
    head: Option<Head>,
    framing: Option<Framing>,
    interim: u32,
}

impl Reader {
    /// The final head, once it is known.
    pub fn head(&self) -> Option<&Head> {
        self.head.as_ref()
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
            None => parse_head(&self.partial).and(Err(Fault::ConnEof)),
        }
    }

    /// Reads a head, interim or final, and returns how much of `input` it took; `None`: more is needed.
    ///
    /// A head that comes in pieces is parsed again only once its end has come: parsing with every piece would let
    /// a peer that sends single bytes cost us the square of the limit.
    fn read_head(&mut self, input: &[u8]) -> Result<Option<usize>, Fault> {
        let held = self.partial.len();
        let parsed = if held == 0 {
            parse_head(input)?
        } else {
            // Only as much as a head may have: the rest of the input stays where it is.
            let room = limits::HEAD_BYTES.saturating_sub(held).min(input.len());
            self.partial.extend_from_slice(input.get(..room).unwrap_or_default());
            if ends_head(self.partial.get(held.saturating_sub(2)..).unwrap_or_default()) {
                parse_head(&self.partial)?
            } else {
                None
            }
        };
        let Some((length, head, framing)) = parsed else {
            if held == 0 {
                self.partial.extend_from_slice(input);
            }
            let too_long = self.partial.len() >= limits::HEAD_BYTES;
            return if too_long { Err(Fault::ConnProtocol) } else { Ok(None) };
        };
        self.partial = Vec::new();
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
        // What was held came before this input.
        Ok(Some(length.saturating_sub(held)))
    }
}

/// Whether a head ends within `bytes`: an empty line, its CR optional.
fn ends_head(bytes: &[u8]) -> bool {
    bytes.windows(2).any(|pair| pair == b"\n\n") || bytes.windows(3).any(|three| three == b"\n\r\n")
}

/// Parses a head; `None`: it is not complete. Returns its length, its meaning and the framing of its body.
fn parse_head(input: &[u8]) -> Result<Option<(usize, Head, Framing)>, Fault> {
    let mut lines = [httparse::EMPTY_HEADER; limits::HEADER_LINES];
    let mut response = httparse::Response::new(&mut lines);
    let length = match response.parse(input) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(_) => return Err(Fault::ConnProtocol),
    };
    if length > limits::HEAD_BYTES {
        return Err(Fault::ConnProtocol);
    }
    let status = response.code.filter(|code| *code >= 100).ok_or(Fault::ConnProtocol)?;
    let mut head = Head { status, keep_alive: response.version == Some(1), ..Head::default() };
    let mut said = Said::default();
    for line in response.headers.iter() {
        said.read(line, &mut head)?;
    }
    let framing = said.framing(status)?;
    head.keep_alive &= framing != Framing::Close;
    Ok(Some((length, head, framing)))
}

/// What the headers said about framing.
#[derive(Debug, Default)]
struct Said {
    length: Option<u64>,
    chunked: bool,
}

impl Said {
    fn read(&mut self, line: &httparse::Header<'_>, head: &mut Head) -> Result<(), Fault> {
        let text = || std::str::from_utf8(line.value).ok().map(|text| text.trim().to_owned());
        let name = |wanted: &str| line.name.eq_ignore_ascii_case(wanted);
        if name("content-length") {
            let length = parse_length(line.value).ok_or(Fault::ConnProtocol)?;
            if self.length.replace(length).is_some_and(|earlier| earlier != length) {
                return Err(Fault::ConnProtocol);
            }
        } else if name("transfer-encoding") {
            if self.chunked || !line.value.trim_ascii().eq_ignore_ascii_case(b"chunked") {
                return Err(Fault::ConnProtocol);
            }
            self.chunked = true;
        } else if name("connection") {
            for option in line.value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii) {
                if option.eq_ignore_ascii_case(b"close") {
                    head.keep_alive = false;
                } else if option.eq_ignore_ascii_case(b"keep-alive") {
                    head.keep_alive = true;
                }
            }
        } else if name("content-type") {
            head.content_type = text();
        } else if name("content-encoding") {
            head.content_encoding =
                text().map(|coding| coding.to_ascii_lowercase()).filter(|c| c != "identity");
        } else if name("location") {
            head.location = text();
        } else if name("set-cookie") {
            head.cookies.push(line.value.into());
        } else if name("etag") {
            head.etag = text();
        } else if name("cache-control") || name("expires") {
            head.has_lifetime = true;
        } else if let Some(status) = CacheStatus::read(line.name, line.value) {
            head.age = head.age.or(age_of(line.name, line.value));
            head.cache = head.cache.into_iter().chain([status]).reduce(CacheStatus::stronger);
        }
        Ok(())
    }

    /// RFC 9112 section 6.3, for the response to a GET.
    fn framing(&self, status: u16) -> Result<Framing, Fault> {
        match (status, self.chunked, self.length) {
            (100..=199 | 204 | 304, ..) => Ok(Framing::Length(0)),
            (_, true, Some(_)) => Err(Fault::ConnProtocol),
            (_, true, None) => Ok(Framing::Chunked(CHUNK_START)),
            (_, false, Some(length)) => Ok(Framing::Length(length)),
            (_, false, None) => Ok(Framing::Close),
        }
    }
}

/// The value of `Age` (RFC 9111 section 5.1), if this is that header.
pub(super) fn age_of(name: &str, value: &[u8]) -> Option<Duration> {
    let value = std::str::from_utf8(value).ok().filter(|_| name.eq_ignore_ascii_case("age"))?;
    value.trim().parse().ok().map(Duration::from_secs)
}

/// Digits only: no sign, no list, no space inside.
fn parse_length(value: &[u8]) -> Option<u64> {
    let value = value.trim_ascii();
    if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(value).ok()?.parse().ok()
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
            Self::Chunked(chunk) => take_chunked(chunk, input, body),
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
