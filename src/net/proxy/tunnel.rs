//! Tunnel through an HTTP proxy: `CONNECT` (RFC 9110 section 9.3.6).

use http::StatusCode;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::{Destination, Refused, broken};
use crate::vocabulary::limits;
use crate::vocabulary::outcome::Fault;

/// Bytes that are looked at in one piece.
const PIECE_BYTES: usize = 1024;
const END: &[u8] = b"\r\n\r\n";

/// Asks for a tunnel and reads the head of the response, and nothing after it: that belongs to the host.
pub(super) async fn open(
    stream: &mut TcpStream,
    authorization: Option<&str>,
    destination: Destination<'_>,
) -> Result<(), Refused> {
    let host = match destination {
        Destination::Host(endpoint) if endpoint.host.contains(':') => {
            format!("[{}]:{}", endpoint.host, endpoint.port)
        }
        Destination::Host(endpoint) => format!("{}:{}", endpoint.host, endpoint.port),
        Destination::Address(address) => address.to_string(),
    };
    let authorization = authorization.map(|value| format!("Proxy-Authorization: {value}\r\n"));
    let authorization = authorization.unwrap_or_default();
    let request = format!("CONNECT {host} HTTP/1.1\r\nHost: {host}\r\n{authorization}\r\n");
    stream.write_all(request.as_bytes()).await.map_err(|error| broken(&error))?;
    match status(&head(stream).await?) {
        Some(200..=299) => Ok(()),
        Some(code) => {
            // The standard words, not those of the proxy: a reason of its own may be anything.
            let words = StatusCode::from_u16(code).ok().and_then(|status| status.canonical_reason());
            let words = words.map(|words| format!(" {words}")).unwrap_or_default();
            Err((Fault::ConnProxy, format!("the proxy answered CONNECT with {code}{words}")))
        }
        None => Err((Fault::ConnProxy, "the proxy does not speak HTTP".to_owned())),
    }
}

/// Reads to the end of a head.
async fn head(stream: &mut TcpStream) -> Result<Vec<u8>, Refused> {
    let mut reader = HeadReader::default();
    loop {
        let mut room = [0; PIECE_BYTES];
        let count = stream.peek(&mut room).await.map_err(|error| broken(&error))?;
        if count == 0 {
            return Err((Fault::ConnProxy, "the proxy closed the connection".to_owned()));
        }
        let fed = reader.feed(room.get(..count).unwrap_or_default());
        let (used, is_complete) =
            fed.ok_or_else(|| (Fault::ConnProxy, "the proxy sent a head without end".to_owned()))?;
        let used = room.get_mut(..used).unwrap_or_default();
        stream.read_exact(used).await.map_err(|error| broken(&error))?;
        if is_complete {
            return Ok(reader.0);
        }
    }
}

/// Reads a head from the pieces in which it arrives.
#[derive(Default)]
struct HeadReader(Vec<u8>);

impl HeadReader {
    /// Takes the next piece. Returns how many of its bytes belong to the head, and true once the head is complete; `None`
    /// if it is longer than [`limits::HEAD_BYTES`].
    fn feed(&mut self, piece: &[u8]) -> Option<(usize, bool)> {
        let before = self.0.len();
        self.0.extend_from_slice(piece);
        // The end may have begun in the previous piece.
        let from = before.saturating_sub(END.len() - 1);
        let found = self.0.get(from..)?.windows(END.len()).position(|part| part == END);
        let end = found.map(|at| from + at + END.len());
        self.0.truncate(end.unwrap_or(self.0.len()));
        let is_in_bounds = self.0.len() < limits::HEAD_BYTES;
        is_in_bounds.then(|| (self.0.len() - before, end.is_some()))
    }
}

/// Reads any bytes as the answer of a proxy. The result must not depend on how they are split. The last byte is the length
/// of the pieces.
#[cfg(any(test, fuzzing))]
pub(in crate::net) fn fuzz(data: &[u8]) {
    let Some((piece, wire)) = data.split_last() else { return };
    let read = |length: usize| {
        let (mut reader, mut taken) = (HeadReader::default(), 0);
        for piece in wire.chunks(length.max(1)) {
            let (used, is_complete) = reader.feed(piece)?;
            taken += used;
            if is_complete {
                return Some((taken, status(&reader.0)));
            }
        }
        None
    };
    let whole = read(wire.len());
    assert_eq!(read((*piece).into()), whole, "in pieces of {piece}");
    if let Some((taken, status)) = whole {
        assert!(taken <= wire.len() && wire.get(..taken).is_some_and(|head| head.ends_with(END)));
        assert!(status.is_none_or(|status| status < 1_000));
    }
}

/// Returns the status of a head; `None` if it is not one of HTTP/1.
fn status(head: &[u8]) -> Option<u16> {
    let rest = head.strip_prefix(b"HTTP/1.")?;
    let digits = rest.get(2..5).filter(|digits| digits.iter().all(u8::is_ascii_digit))?;
    let is_ended = matches!(rest.get(5), Some(b' ' | b'\r'));
    std::str::from_utf8(digits).ok()?.parse().ok().filter(|_| is_ended && rest.get(1) == Some(&b' '))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocabulary::secret_url::Endpoint;
    use tokio::net::TcpListener;

    #[test]
    fn a_status_is_that_of_http_1() {
        for (head, expected) in [
            ("HTTP/1.1 200 OK\r\n", Some(200)),
            ("HTTP/1.0 407\r\n", Some(407)),
            ("HTTP/1.1 2000 OK\r\n", None),
            ("HTTP/2 200 OK\r\n", None),
            ("SSH-2.0-x\r\n", None),
            ("", None),
        ] {
            assert_eq!(status(head.as_bytes()), expected, "{head}");
        }
    }

    /// Asks a proxy for a tunnel that answers with `pieces`, and returns the outcome and the next bytes.
    async fn asked(pieces: Vec<Vec<u8>>) -> (Result<(), Refused>, Vec<u8>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("bound");
        let proxy = async {
            let (mut stream, _) = listener.accept().await.expect("a client");
            let mut request = [0; 512];
            _ = stream.read(&mut request).await.expect("a request");
            for piece in pieces {
                // The client may have had enough.
                _ = stream.write_all(&piece).await;
                tokio::task::yield_now().await;
            }
        };
        let client = async {
            let mut stream = TcpStream::connect(address).await.expect("connected");
            let endpoint = Endpoint { tls: true, host: "h".to_owned(), port: 443 };
            let ended = open(&mut stream, None, Destination::Host(&endpoint)).await;
            let mut rest = Vec::new();
            if ended.is_ok() {
                stream.read_to_end(&mut rest).await.expect("the rest");
            }
            (ended, rest)
        };
        tokio::join!(proxy, client).1
    }

    #[tokio::test]
    async fn nothing_after_the_head_is_lost() {
        let (ended, rest) =
            asked(vec![b"HTTP/1.1 200 OK\r\nVia: x\r\n\r\nfirst".to_vec(), b" word".to_vec()]).await;
        assert_eq!((ended, rest.as_slice()), (Ok(()), b"first word".as_slice()));
        let split = b"HTTP/1.1 200 OK\r\n\r\nfirst".iter().map(|byte| vec![*byte]).collect();
        let (ended, rest) = asked(split).await;
        assert_eq!((ended, rest.as_slice()), (Ok(()), b"first".as_slice()));
    }

    #[tokio::test]
    async fn a_refusal_is_told_in_our_words_and_a_head_without_end_is_cut() {
        for (pieces, expected) in [
            (
                vec![b"HTTP/1.1 407 hunter2\r\n\r\n".to_vec()],
                "the proxy answered CONNECT with 407 Proxy Authentication Required",
            ),
            (vec![b"HTTP/1.1 599 hunter2\r\n\r\n".to_vec()], "the proxy answered CONNECT with 599"),
            (vec![b"hunter2\r\n\r\n".to_vec()], "the proxy does not speak HTTP"),
            (vec![], "the proxy closed the connection"),
            (vec![b"HTTP/1.1 200 OK\r\n".to_vec()], "the proxy closed the connection"),
            (vec![vec![b'x'; 4_096]; 64], "the proxy sent a head without end"),
        ] {
            let (ended, _) = asked(pieces).await;
            assert_eq!(ended, Err((Fault::ConnProxy, expected.to_owned())));
        }
    }
}
