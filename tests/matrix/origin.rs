//! An origin that plays a script, byte by byte: an [`Answer`] for each request is a list of [`Step`]s on the wire.
//!
//! Each connection has a thread, so that a script may wait. All of them end with the test's process.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// Longest request head that is read.
const HEAD_BYTES: usize = 64 * 1024;
/// Bytes that [`Step::Flood`] writes at a time, at least: the rate of a flood is not that of system calls.
const FLOOD_BYTES: usize = 64 * 1024;

/// One action on the wire.
#[derive(Clone)]
pub enum Step {
    /// Sends these bytes.
    Send(Bytes),
    /// Sends these bytes again and again, until the client closes the connection.
    Flood(Bytes),
    /// Sends these bytes one by one, each in a packet of its own, with this pause after each.
    Slowly(Bytes, Duration),
    /// Sends nothing for this long.
    Pause(Duration),
    /// Sends nothing more, until the client closes the connection.
    Silence,
    /// Closes the connection in good order.
    Close,
    /// Resets the connection.
    Reset,
}

/// The steps that answer a request. Afterwards the connection is kept for the next one, unless a step has ended it.
#[derive(Clone, Default)]
pub struct Answer(Vec<Step>);

impl Answer {
    /// Sends `bytes` as they are.
    pub fn raw(bytes: impl Into<Bytes>) -> Self {
        Self(vec![Step::Send(bytes.into())])
    }

    /// Sends a response with these header lines, its length and its body.
    pub fn whole(status: &str, headers: &[&str], body: impl Into<Bytes>) -> Self {
        let body = body.into();
        let lines: String = headers.iter().map(|line| format!("{line}\r\n")).collect();
        let head = format!("HTTP/1.1 {status}\r\n{lines}Content-Length: {}\r\n\r\n", body.len());
        Self(vec![Step::Send(head.into()), Step::Send(body)])
    }

    /// Sends a status and a short body.
    pub fn status(status: &str) -> Self {
        Self::whole(status, &["Content-Type: text/plain"], "no")
    }

    /// Sends a playlist.
    pub fn playlist(text: impl Into<Bytes>) -> Self {
        Self::playlist_with(&[], text)
    }

    /// Sends a playlist with further header lines.
    pub fn playlist_with(headers: &[&str], text: impl Into<Bytes>) -> Self {
        let all = [&["Content-Type: application/vnd.apple.mpegurl", "Cache-Control: max-age=1"], headers];
        Self::whole("200 OK", &all.concat(), text)
    }

    /// Sends a segment.
    pub fn segment() -> Self {
        Self::whole("200 OK", &["Content-Type: video/mp2t"], vec![0x47; SEGMENT_BYTES])
    }

    /// Sends the head of a response without a length or body, in which `headers` announce what follows.
    pub fn head(status: &str, headers: &str) -> Self {
        Self::raw(format!("HTTP/1.1 {status}\r\n{headers}\r\n"))
    }

    /// Sends a status with a `Location`.
    pub fn redirect(location: &str) -> Self {
        Self::whole("302 Found", &[&format!("Location: {location}")], "")
    }

    /// Adds a step.
    pub fn then(mut self, step: Step) -> Self {
        self.0.push(step);
        self
    }

    /// Adds all steps of another answer.
    pub fn and(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// Adds bytes.
    pub fn send(self, bytes: impl Into<Bytes>) -> Self {
        self.then(Step::Send(bytes.into()))
    }
}

/// Bytes of a segment of [`Answer::segment`].
pub const SEGMENT_BYTES: usize = 1_880;

/// A request as the script sees it.
pub struct Asked {
    /// Path and query; the whole first line if it is not that of a GET.
    pub path: String,
    /// Number of the connection, from 0 in the order in which they were accepted.
    pub connection: usize,
    /// Number of the request on its connection, from 0.
    pub place: usize,
    /// Number of earlier requests for the same path.
    pub earlier: usize,
    headers: Vec<(String, String)>,
}

impl Asked {
    /// Returns the value of the first header line named `name` (lower case).
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(is, _)| is == name).map(|(_, value)| value.as_str())
    }

    /// Reports whether a playlist was requested.
    pub fn is_playlist(&self) -> bool {
        self.path.contains(".m3u8")
    }
}

/// Answers each request.
pub type Script = Arc<dyn Fn(&Asked) -> Answer + Send + Sync>;

/// Requests that an origin has seen.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<Request>>>, Arc<AtomicUsize>);

/// Connection and path of a request, and the moment at which it came.
type Request = (usize, String, Instant);

impl Log {
    /// Returns the connection and path of each request so far.
    pub fn requests(&self) -> Vec<(usize, String)> {
        let requests = self.0.lock().unwrap();
        requests.iter().map(|(connection, path, _)| (*connection, path.clone())).collect()
    }

    /// Returns the number of requests whose path contains `part`.
    pub fn count(&self, part: &str) -> usize {
        self.times(part).len()
    }

    /// Returns the times of the requests whose path contains `part`.
    pub fn times(&self, part: &str) -> Vec<Instant> {
        let requests = self.0.lock().unwrap();
        requests.iter().filter(|(_, path, _)| path.contains(part)).map(|(_, _, at)| *at).collect()
    }

    /// Returns the number of accepted connections.
    pub fn connections(&self) -> usize {
        self.1.load(Ordering::SeqCst)
    }

    /// Counts a connection; returns its number.
    pub fn accept(&self) -> usize {
        self.1.fetch_add(1, Ordering::SeqCst)
    }

    /// Adds a request; returns the number of earlier ones for the same path.
    pub fn add(&self, connection: usize, path: &str) -> usize {
        let mut requests = self.0.lock().unwrap();
        let earlier = requests.iter().filter(|(_, other, _)| other == path).count();
        requests.push((connection, path.to_owned(), Instant::now()));
        earlier
    }
}

/// Bytes in both directions, encrypted or not.
pub trait Wire: Read + Write + Send {
    /// Returns the socket below.
    fn socket(&self) -> &TcpStream;

    /// Closes the connection in good order, and waits until the client has done so too.
    fn goodbye(&mut self) -> io::Result<()> {
        self.socket().shutdown(Shutdown::Write)?;
        drain(self.socket());
        Ok(())
    }
}

impl Wire for TcpStream {
    fn socket(&self) -> &TcpStream {
        self
    }
}

impl Wire for StreamOwned<ServerConnection, TcpStream> {
    fn socket(&self) -> &TcpStream {
        &self.sock
    }

    fn goodbye(&mut self) -> io::Result<()> {
        self.conn.send_close_notify();
        self.flush()?;
        self.sock.shutdown(Shutdown::Write)?;
        drain(&self.sock);
        Ok(())
    }
}

/// A listening origin.
pub struct Origin {
    pub address: SocketAddr,
    pub scheme: &'static str,
    pub log: Log,
}

impl Origin {
    /// Starts an HTTP/1 origin.
    pub fn start(script: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> Self {
        Self::of(Arc::new(script))
    }

    /// Starts an HTTP/1 origin with a shared script.
    pub fn of(script: Script) -> Self {
        Self::listen("http", move |socket, number, log| {
            serve(&mut { socket }, number, log, &*script);
        })
    }

    /// Starts the same over TLS.
    pub fn tls(config: Arc<ServerConfig>, script: Script) -> Self {
        Self::listen("https", move |socket, number, log| {
            let Ok(session) = ServerConnection::new(Arc::clone(&config)) else { return };
            serve(&mut StreamOwned::new(session, socket), number, log, &*script);
        })
    }

    /// Starts an origin that plays one answer to the first bytes of each connection, whatever they say. Its URL has
    /// this scheme.
    pub fn blunt(scheme: &'static str, answer: Answer) -> Self {
        Self::listen(scheme, move |mut socket, number, log| {
            if matches!(socket.read(&mut [0; 4096]), Ok(1..)) {
                log.add(number, "");
                _ = play(&mut socket, &answer);
                _ = socket.shutdown(Shutdown::Write);
                drain(&socket);
            }
        })
    }

    /// Starts an origin whose connections are handled by `serve`, each on its own thread.
    pub fn listen(
        scheme: &'static str,
        serve: impl Fn(TcpStream, usize, &Log) + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (log, serve) = (Log::default(), Arc::new(serve));
        let seen = log.clone();
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (log, serve) = (seen.clone(), Arc::clone(&serve));
                let number = log.accept();
                thread::spawn(move || serve(stream, number, &log));
            }
        });
        Self { address, scheme, log }
    }

    /// Returns the port.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Returns the URL of a path.
    pub fn url(&self, path: &str) -> String {
        format!("{}://{}{path}", self.scheme, self.address)
    }
}

/// Answers the requests of one connection until either side ends it.
pub fn serve(
    wire: &mut dyn Wire,
    connection: usize,
    log: &Log,
    script: &dyn Fn(&Asked) -> Answer,
) -> Option<()> {
    let mut unread = Vec::new();
    for place in 0.. {
        let mut asked = request(wire, &mut unread)?;
        (asked.connection, asked.place) = (connection, place);
        asked.earlier = log.add(connection, &asked.path);
        play(wire, &script(&asked)).ok()?;
    }
    None
}

/// Reads the head of a request; `None` if the client has gone.
fn request(wire: &mut dyn Wire, unread: &mut Vec<u8>) -> Option<Asked> {
    const END: &[u8] = b"\r\n\r\n";
    let end = loop {
        if let Some(end) = memchr::memmem::find(unread, END) {
            break end;
        }
        let mut piece = [0; 4096];
        let read = wire.read(&mut piece).ok().filter(|read| *read > 0)?;
        unread.extend_from_slice(&piece[..read]);
        if unread.len() > HEAD_BYTES {
            return None;
        }
    };
    let head = String::from_utf8_lossy(&unread[..end]).into_owned();
    unread.drain(..end + END.len());
    let (first, lines) = head.split_once("\r\n")?;
    let headers = lines.split("\r\n").filter_map(|line| line.split_once(':'));
    let headers = headers.map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned())).collect();
    // Not the second word: a path with a space or a line break in it must not pass for its beginning.
    let path = first.strip_prefix("GET ").and_then(|rest| rest.strip_suffix(" HTTP/1.1")).unwrap_or(first);
    let path = path.to_owned();
    Some(Asked { path, connection: 0, place: 0, earlier: 0, headers })
}

/// Plays the steps of an answer.
///
/// # Errors
/// Fails when the connection has ended, as a step or the client wanted.
pub fn play(wire: &mut dyn Wire, answer: &Answer) -> io::Result<()> {
    let ended = || Err(io::ErrorKind::NotConnected.into());
    for step in &answer.0 {
        match step {
            Step::Send(bytes) => wire.write_all(bytes)?,
            Step::Flood(bytes) => {
                let many = bytes.repeat((FLOOD_BYTES / bytes.len()).max(1));
                loop {
                    wire.write_all(&many)?;
                }
            }
            Step::Slowly(bytes, gap) => {
                wire.socket().set_nodelay(true)?;
                for byte in bytes.chunks(1) {
                    wire.write_all(byte)?;
                    wire.flush()?;
                    thread::sleep(*gap);
                }
            }
            Step::Pause(time) => thread::sleep(*time),
            Step::Silence => {
                wire.flush()?;
                drain(wire.socket());
                return ended();
            }
            Step::Close => {
                wire.goodbye()?;
                return ended();
            }
            Step::Reset => {
                wire.flush()?;
                reset(wire.socket());
                return ended();
            }
        }
        wire.flush()?;
    }
    Ok(())
}

/// Makes the connection end in a reset when its socket is closed, and closes it for the client at once.
pub fn reset(socket: &TcpStream) {
    rustix::net::sockopt::set_socket_linger(socket, Some(Duration::ZERO)).unwrap();
}

/// Reads until the client closes the connection, so that its last bytes cause no reset.
fn drain(mut socket: &TcpStream) {
    while matches!(socket.read(&mut [0; 4096]), Ok(1..)) {}
}
