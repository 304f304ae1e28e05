//! The other side of the API: sends one request to a run on this machine and reads the reply.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::local_http::Address;

/// Time to connect to a port, for each write, and for the reply to begin; a run answers within milliseconds.
const LIMIT: Duration = Duration::from_secs(15);
/// Maximum bytes of a reply. A report of an hour has about 2 MB.
const REPLY_BYTES: u64 = 64 * 1024 * 1024;
/// Headers that a reply may have.
const HEAD_BYTES: usize = 8 * 1024;

/// A request.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Path of the API.
    pub path: &'static str,
    /// JSON of the body; `None` only reads.
    pub body: Option<Value>,
    /// Bearer token of a server that is a port.
    pub token: Option<String>,
}

/// Reply to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Status code.
    pub status: u16,
    /// The body, which is JSON.
    pub body: Vec<u8>,
}

/// Reason why there is no reply.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// Nothing accepts connections at the address.
    #[error("{0}")]
    Connect(io::Error),
    /// The run has not answered in time.
    #[error("no answer within {} s", LIMIT.as_secs())]
    Silent,
    /// The connection failed before the reply was whole.
    #[error("no answer: {0}")]
    Exchange(io::Error),
    /// The reply is not that of a run.
    #[error("the answer is not that of a run of hlswarm")]
    Reply,
}

impl From<io::Error> for AskError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            // Which of the two a time limit is depends on the system.
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => Self::Silent,
            _ => Self::Exchange(error),
        }
    }
}

/// A connection of either kind.
trait Connection: Read + Write {}
impl<C: Read + Write> Connection for C {}

/// Sends a request to a run and waits for the reply.
///
/// # Errors
/// See [`AskError`].
pub fn ask(address: &Address, asked: &Asked) -> Result<Answer, AskError> {
    let mut connection = connect(address).map_err(AskError::Connect)?;
    let host = match address {
        Address::Unix(_) => "localhost".to_owned(),
        Address::Tcp(address) => address.to_string(),
    };
    let token =
        asked.token.as_ref().map_or(String::new(), |token| format!("Authorization: Bearer {token}\r\n"));
    let (method, body) = match &asked.body {
        None => ("GET", String::new()),
        Some(body) => ("POST", body.to_string()),
    };
    let request = format!(
        "{method} {} HTTP/1.1\r\nHost: {host}\r\n{token}Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        asked.path,
        body.len()
    );
    connection.write_all(request.as_bytes())?;
    let (deadline, mut bytes) = (Instant::now() + LIMIT, Vec::new());
    let mut piece = vec![0; 64 * 1024];
    loop {
        match connection.read(&mut piece)? {
            0 => break,
            read => bytes.extend_from_slice(piece.get(..read).unwrap_or_default()),
        }
        if bytes.len() as u64 > REPLY_BYTES {
            return Err(AskError::Reply);
        }
        if Instant::now() > deadline {
            return Err(AskError::Silent);
        }
    }
    parse(&bytes).ok_or(AskError::Reply)
}

fn connect(address: &Address) -> io::Result<Box<dyn Connection>> {
    Ok(match address {
        Address::Unix(path) => {
            let stream = UnixStream::connect(path)?;
            stream.set_read_timeout(Some(LIMIT))?;
            stream.set_write_timeout(Some(LIMIT))?;
            Box::new(stream)
        }
        Address::Tcp(address) => {
            let stream = TcpStream::connect_timeout(address, LIMIT)?;
            stream.set_read_timeout(Some(LIMIT))?;
            stream.set_write_timeout(Some(LIMIT))?;
            Box::new(stream)
        }
    })
}

/// Reads a reply; `None` if it is none, or not whole.
fn parse(bytes: &[u8]) -> Option<Answer> {
    let begin = bytes.get(..bytes.len().min(HEAD_BYTES))?;
    let end = begin.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = std::str::from_utf8(begin.get(..end)?).ok()?;
    let mut lines = head.lines();
    let status = lines.next()?.strip_prefix("HTTP/1.1 ")?.split(' ').next()?.parse().ok()?;
    let length = lines.find_map(|line| line.strip_prefix("Content-Length: "))?.parse::<usize>().ok()?;
    let body = bytes.get(end + 4..)?.to_vec();
    (body.len() == length).then_some(Answer { status, body })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_is_whole_or_none() {
        let reply = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 3\r\n\r\n{}\n";
        assert_eq!(parse(reply), Some(Answer { status: 200, body: b"{}\n".to_vec() }));
        for wrong in [&reply[..reply.len() - 1], b"SSH-2.0-OpenSSH\r\n\r\n", b"", b"HTTP/1.1 x\r\n\r\n"] {
            assert_eq!(parse(wrong), None);
        }
    }
}
