//! Reads an HTTP/1.1 response from bytes as they come: pure, no socket, so that every split can be tested.
//!
//! * A response is complete exactly when its framing says so (RFC 9112 section 6.3); an ambiguous framing is a fault,
//!   never a guess: two different lengths, a length beside a transfer coding, a coding other than chunked.
//! * The head is parsed where it lies when it came in one piece; only a head that is split is copied.
//! * Every size is limited: head, header lines, interim responses, chunk lines, trailers.

use crate::base::limits;
use crate::base::outcome::Fault;

/// Trailer bytes after the last chunk; they are ignored, but not for ever.
const TRAILER_BYTES: usize = limits::HEAD_BYTES;

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
    /// Whether the connection may be used again after the body.
    pub keep_alive: bool,
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

/// Where in a chunked body the reader is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Chunk {
    /// In the size, before any extension: the size so far and its digits.
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
    /// In the trailers: whether the line is empty so far, and bytes so far.
    Trailer {
        empty: bool,
        bytes: usize,
    },
}

const CHUNK_START: Chunk = Chunk::Size { size: 0, digits: 0, line: 0 };

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
    fn read_head(&mut self, input: &[u8]) -> Result<Option<usize>, Fault> {
        let held = self.partial.len();
        let parsed = if held == 0 {
            parse_head(input)?
        } else {
            // Only as much as a head may have: the rest of the input stays where it is.
            let room = limits::HEAD_BYTES.saturating_sub(held).min(input.len());
            self.partial.extend_from_slice(input.get(..room).unwrap_or_default());
            parse_head(&self.partial)?
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

/// At most `left` bytes of the input.
fn take(input: &[u8], left: u64) -> &[u8] {
    let length = usize::try_from(left).unwrap_or(usize::MAX).min(input.len());
    input.get(..length).unwrap_or_default()
}

fn take_chunked(
    chunk: &mut Chunk,
    input: &[u8],
    body: &mut impl FnMut(&[u8]),
) -> Result<(usize, bool), Fault> {
    let mut used = 0;
    while let Some(&byte) = input.get(used) {
        if let Chunk::Data { left } = *chunk {
            let piece = take(input.get(used..).unwrap_or_default(), left);
            body(piece);
            used += piece.len();
            let left = left - piece.len() as u64;
            *chunk = if left == 0 { Chunk::DataCr } else { Chunk::Data { left } };
            continue;
        }
        used += 1;
        match chunk.step(byte)? {
            Some(next) => *chunk = next,
            None => return Ok((used, true)),
        }
    }
    Ok((used, false))
}

impl Chunk {
    /// The place after one byte of framing; `None`: the body is complete.
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

/// One more byte in the line of a chunk.
fn within_line(line: usize) -> Result<usize, Fault> {
    if line < limits::CHUNK_LINE_BYTES { Ok(line + 1) } else { Err(Fault::ConnProtocol) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Status, body and the bytes that were left over.
    type Seen = Result<(u16, Vec<u8>, usize), Fault>;

    /// Feeds the wire bytes in pieces of the given size, then closes the connection.
    fn read(wire: &[u8], piece: usize) -> Seen {
        let mut reader = Reader::default();
        let mut body = Vec::new();
        let mut fed = 0;
        for part in wire.chunks(piece.max(1)) {
            match reader.feed(part, &mut |_, bytes| body.extend_from_slice(bytes))? {
                Progress::More => fed += part.len(),
                Progress::Done { used } => {
                    let status = reader.head().expect("a head").status;
                    return Ok((status, body, wire.len() - fed - used));
                }
            }
        }
        reader.end()?;
        Ok((reader.head().expect("a head").status, body, 0))
    }

    fn ok(status: u16, body: &str, left: usize) -> Seen {
        Ok((status, body.as_bytes().to_vec(), left))
    }

    /// Wire bytes and what must come of them, however they are split.
    fn cases() -> Vec<(String, Seen)> {
        let case = |wire: &str, seen: Seen| (wire.to_owned(), seen);
        let proto = || Err(Fault::ConnProtocol);
        vec![
            case("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", ok(200, "hello", 0)),
            case("HTTP/1.1 200\r\ncontent-length:5\r\n\r\nhello", ok(200, "hello", 0)),
            case(
                "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
                ok(200, "hello", 0),
            ),
            case("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nhello", ok(200, "hel", 2)),
            case("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", ok(200, "", 0)),
            case("HTTP/1.1 204 No Content\r\nContent-Length: 9\r\n\r\n", ok(204, "", 0)),
            case("HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", ok(304, "", 0)),
            case("HTTP/1.1 999 Odd\r\nContent-Length: 1\r\n\r\nx", ok(999, "x", 0)),
            case("HTTP/1.0 200 OK\r\n\r\nuntil the end", ok(200, "until the end", 0)),
            case(
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;ext=\"a b\"\r\n world\r\n0\r\n\r\n",
                ok(200, "hello world", 0),
            ),
            case(
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\nA\r\n0123456789\r\n000\r\nTrailer: x\r\nB: y\r\n\r\n",
                ok(200, "0123456789", 0),
            ),
            case(
                "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 404 No\r\nContent-Length: 2\r\n\r\nno",
                ok(404, "no", 0),
            ),
            // Cut off.
            case("", Err(Fault::ConnEof)),
            case("HTTP/1.1 200 OK\r\nContent-", Err(Fault::ConnEof)),
            case("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel", Err(Fault::BodyShort)),
            case(
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
                Err(Fault::BodyShort),
            ),
            // Not HTTP, or ambiguous.
            case("<html>nothing of the kind</html>", proto()),
            case("HTTP/3.7 200 OK\r\n\r\n", proto()),
            case("HTTP/1.1 20 OK\r\n\r\n", proto()),
            case("HTTP/1.1 abc OK\r\n\r\n", proto()),
            case("HTTP/1.1 000 Nothing\r\nContent-Length: 0\r\n\r\n", proto()),
            case("HTTP/1.1 101 Switching\r\n\r\n", proto()),
            case("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello", proto()),
            case(
                "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                proto(),
            ),
            case("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", proto()),
            case("HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n", proto()),
            case("HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\nhello", proto()),
            case("HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n", proto()),
            case("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", proto()),
            case("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\n", proto()),
            case("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n", proto()),
            case("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabX", proto()),
            (format!("HTTP/1.1 200 OK\r\n{}\r\n", "A: b\r\n".repeat(limits::HEADER_LINES + 1)), proto()),
            (format!("HTTP/1.1 200 OK\r\nA: {}\r\n\r\n", "b".repeat(limits::HEAD_BYTES)), proto()),
            (
                format!(
                    "{}HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
                    "HTTP/1.1 100 C\r\n\r\n".repeat(101)
                ),
                proto(),
            ),
            (
                format!(
                    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;{}\r\na\r\n0\r\n\r\n",
                    "x".repeat(limits::CHUNK_LINE_BYTES)
                ),
                proto(),
            ),
            (
                format!(
                    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nT: {}\r\n\r\n",
                    "x".repeat(TRAILER_BYTES)
                ),
                proto(),
            ),
        ]
    }

    #[test]
    fn each_response_is_read_the_same_however_it_is_split() {
        for (wire, seen) in cases() {
            let shown = &wire[..wire.len().min(120)];
            for piece in [wire.len(), 1, 2, 3, 7, 64] {
                assert_eq!(read(wire.as_bytes(), piece), seen, "in pieces of {piece}: {shown:?}");
            }
        }
    }

    #[test]
    fn a_connection_is_kept_when_both_sides_can_tell_where_the_body_ends() {
        for (head, kept) in [
            ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", true),
            ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", false),
            ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: foo, Close\r\n\r\n", false),
            ("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", false),
            ("HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: Keep-Alive\r\n\r\n", true),
            ("HTTP/1.1 200 OK\r\nConnection: keep-alive\r\n\r\n", false),
        ] {
            let mut reader = Reader::default();
            reader.feed(head.as_bytes(), &mut |_, _| ()).expect(head);
            assert_eq!(reader.head().expect("a head").keep_alive, kept, "{head:?}");
        }
    }

    #[test]
    fn the_head_tells_type_coding_and_location() {
        let mut reader = Reader::default();
        let wire = "HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: /b\r\nContent-Type: text/html \r\nContent-Encoding: GZIP\r\n\r\n";
        reader.feed(wire.as_bytes(), &mut |_, _| ()).expect("valid");
        let head = reader.head().expect("a head");
        assert_eq!(head.location.as_deref(), Some("/b"));
        assert_eq!(head.content_type.as_deref(), Some("text/html"));
        assert_eq!(head.content_encoding.as_deref(), Some("gzip"));
    }

    proptest! {
        #[test]
        fn no_input_panics_and_no_body_outgrows_the_wire(
            mutations in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
            case in any::<prop::sample::Index>(),
            piece in 1_usize..64,
        ) {
            let (wire, _) = case.get(&cases()).clone();
            let mut wire = wire.into_bytes();
            wire.truncate(4_096);
            for (at, byte) in mutations {
                if !wire.is_empty() {
                    let at = at.index(wire.len());
                    wire[at] = byte;
                }
            }
            if let Ok((_, body, left)) = read(&wire, piece) {
                prop_assert!(body.len() + left <= wire.len());
            }
        }
    }
}
