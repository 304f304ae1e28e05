//! An origin that answers as a test's script says, byte by byte, with one thread for each connection.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

/// Action after the bytes of an answer have been written.
pub enum Then {
    /// Keeps the connection for the next request.
    Keep,
    /// Closes the connection.
    Close,
    /// Sends nothing more until the client closes the connection.
    Hang,
}

/// An answer: the bytes on the wire, and the action that follows.
pub struct Answer {
    pub bytes: Vec<u8>,
    pub then: Then,
}

impl Answer {
    /// Returns a whole response with a length.
    pub fn whole(status: &str, content_type: &str, body: &[u8]) -> Self {
        let head = format!(
            "HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        Self { bytes: [head.as_bytes(), body].concat(), then: Then::Keep }
    }

    /// Returns the same answer with one more header line.
    pub fn with(mut self, line: &str) -> Self {
        let status_line = self.bytes.iter().position(|byte| *byte == b'\n').unwrap() + 1;
        self.bytes.splice(status_line..status_line, format!("{line}\r\n").into_bytes());
        self
    }

    /// Returns a segment.
    pub fn segment() -> Self {
        Self::whole("200 OK", "video/mp2t", &[0x47; 1_880])
    }

    /// Returns a playlist.
    pub fn playlist(text: &str) -> Self {
        Self::whole("200 OK", "application/vnd.apple.mpegurl", text.as_bytes())
    }

    /// Returns a segment that announces `announced` bytes, holds `sent` bytes, and then hangs or closes as `then`
    /// says.
    pub fn part_of_segment(announced: usize, sent: usize, then: Then) -> Self {
        let head =
            format!("HTTP/1.1 200 OK\r\nContent-Type: video/mp2t\r\nContent-Length: {announced}\r\n\r\n");
        Self { bytes: [head.as_bytes(), &vec![0x47; sent]].concat(), then }
    }
}

/// A request, as the script sees it.
pub struct Asked {
    pub path: String,
    /// Number of the connection, from 0 in the order in which they were accepted.
    pub connection: usize,
    /// Address of the client.
    pub peer: SocketAddr,
    headers: Vec<(String, String)>,
}

impl Asked {
    /// Returns the values of all header lines named `name` (lower case), joined as RFC 9110 section 5.3 says.
    pub fn header(&self, name: &str) -> Option<String> {
        let values: Vec<_> =
            self.headers.iter().filter(|(is, _)| is == name).map(|(_, value)| value.as_str()).collect();
        (!values.is_empty()).then(|| values.join(", "))
    }
}

/// A running origin. Its threads end with the test's process.
pub struct Scripted {
    address: SocketAddr,
}

impl Scripted {
    /// Starts an origin whose `script` receives the path of each request.
    pub fn start(script: impl Fn(&str) -> Answer + Send + Sync + 'static) -> Self {
        Self::start_with(move |asked| script(&asked.path))
    }

    /// Starts an origin whose `script` receives each whole request.
    pub fn start_with(script: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> Self {
        Self::listen(TcpListener::bind("127.0.0.1:0").unwrap(), script)
    }

    /// Starts an origin on the IPv6 loopback address; `None` on a machine without one.
    pub fn start_on_ipv6(script: impl Fn(&str) -> Answer + Send + Sync + 'static) -> Option<Self> {
        Some(Self::listen(TcpListener::bind("[::1]:0").ok()?, move |asked| script(&asked.path)))
    }

    /// Starts an origin on this address.
    pub fn start_on(address: &str, script: impl Fn(&str) -> Answer + Send + Sync + 'static) -> Self {
        Self::listen(TcpListener::bind(address).unwrap(), move |asked| script(&asked.path))
    }

    fn listen(listener: TcpListener, script: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> Self {
        let address = listener.local_addr().unwrap();
        let script = Arc::new(script);
        thread::spawn(move || {
            for (connection, stream) in listener.incoming().map_while(Result::ok).enumerate() {
                let script = Arc::clone(&script);
                thread::spawn(move || serve(stream, connection, &*script));
            }
        });
        Self { address }
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

/// Answers the requests of one connection. An error ends the connection: the client has gone, as it may.
fn serve(
    stream: TcpStream,
    connection: usize,
    script: &(dyn Fn(&Asked) -> Answer + Send + Sync),
) -> Option<()> {
    let mut requests = BufReader::new(stream.try_clone().ok()?);
    let peer = stream.peer_addr().ok()?;
    let mut writer = stream;
    loop {
        let mut first = String::new();
        requests.read_line(&mut first).ok().filter(|read| *read > 0)?;
        let path = first.split(' ').nth(1)?.to_owned();
        let mut asked = Asked { path, connection, peer, headers: Vec::new() };
        loop {
            let mut line = String::new();
            requests.read_line(&mut line).ok().filter(|read| *read > 0)?;
            let Some((name, value)) = line.split_once(':') else { break };
            asked.headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        let answer = script(&asked);
        writer.write_all(&answer.bytes).ok()?;
        match answer.then {
            Then::Keep => {}
            Then::Close => return None,
            Then::Hang => _ = requests.read_line(&mut String::new()),
        }
    }
}
