//! An origin that does what a test says, byte by byte: one thread for each connection.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

/// What is done with a request, beside the bytes that are written first.
pub enum Then {
    /// The connection is kept for the next request.
    Keep,
    /// The connection is closed.
    Close,
    /// Nothing more is said until the client goes away.
    Hang,
}

/// An answer: bytes as they go onto the wire, and what follows.
pub struct Answer {
    pub bytes: Vec<u8>,
    pub then: Then,
}

impl Answer {
    /// A whole response with a length.
    pub fn whole(status: &str, content_type: &str, body: &[u8]) -> Self {
        let head = format!(
            "HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        Self { bytes: [head.as_bytes(), body].concat(), then: Then::Keep }
    }

    /// The same with one more header line.
    pub fn with(mut self, line: &str) -> Self {
        let status_line = self.bytes.iter().position(|byte| *byte == b'\n').unwrap() + 1;
        self.bytes.splice(status_line..status_line, format!("{line}\r\n").into_bytes());
        self
    }

    /// A segment.
    pub fn segment() -> Self {
        Self::whole("200 OK", "video/mp2t", &[0x47; 1_880])
    }

    /// A playlist.
    pub fn playlist(text: &str) -> Self {
        Self::whole("200 OK", "application/vnd.apple.mpegurl", text.as_bytes())
    }

    /// A segment that announces `announced` bytes, has `sent`, and then hangs or closes.
    pub fn part_of_segment(announced: usize, sent: usize, then: Then) -> Self {
        let head =
            format!("HTTP/1.1 200 OK\r\nContent-Type: video/mp2t\r\nContent-Length: {announced}\r\n\r\n");
        Self { bytes: [head.as_bytes(), &vec![0x47; sent]].concat(), then }
    }
}

/// A request, as the script is told it.
pub struct Asked {
    pub path: String,
    /// Which connection it came over, from 0 in the order in which they were accepted.
    pub connection: usize,
    headers: Vec<(String, String)>,
}

impl Asked {
    /// The values of all header lines of this name, in lower case, joined as RFC 9110 section 5.3 says.
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
    /// Answers each request, of which `script` is told the path.
    pub fn start(script: impl Fn(&str) -> Answer + Send + Sync + 'static) -> Self {
        Self::start_with(move |asked| script(&asked.path))
    }

    /// Answers each request, of which `script` is told all.
    pub fn start_with(script: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
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

/// Errors end the connection: the client has gone, which is its right.
fn serve(
    stream: TcpStream,
    connection: usize,
    script: &(dyn Fn(&Asked) -> Answer + Send + Sync),
) -> Option<()> {
    let mut requests = BufReader::new(stream.try_clone().ok()?);
    let mut writer = stream;
    loop {
        let mut first = String::new();
        requests.read_line(&mut first).ok().filter(|read| *read > 0)?;
        let path = first.split(' ').nth(1)?.to_owned();
        let mut asked = Asked { path, connection, headers: Vec::new() };
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
