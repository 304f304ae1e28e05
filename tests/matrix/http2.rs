//! An HTTP/2 peer that is scripted frame by frame, over TLS. It serves segments; an HTTP/1 origin serves the playlist
//! that names them, so that every request here is one for a segment, and no header need be decoded.

use std::io;
use std::sync::Arc;

use rustls::{ServerConnection, StreamOwned};

use crate::certificates::Authority;
use crate::origin::{Answer, Log, Origin, Wire};
use crate::rows::Case;
use crate::streams::{PATIENT, vod_of};

pub const DATA: u8 = 0;
pub const HEADERS: u8 = 1;
pub const PRIORITY: u8 = 2;
pub const RST_STREAM: u8 = 3;
pub const SETTINGS: u8 = 4;
pub const PUSH_PROMISE: u8 = 5;
pub const PING: u8 = 6;
pub const GOAWAY: u8 = 7;
pub const WINDOW_UPDATE: u8 = 8;
pub const CONTINUATION: u8 = 9;
pub const END_STREAM: u8 = 1;
pub const END_HEADERS: u8 = 4;
pub const PADDED: u8 = 8;
const ACK: u8 = 1;
/// Bytes of the client's preface (RFC 9113 section 3.4).
const PREFACE_BYTES: usize = 24;

/// `:status: 200` in HPACK.
pub const OK: &[u8] = b"\x88";
/// Path under which the log counts requests.
pub const SEGMENT: &str = "/h2.ts";

/// A connection, at the moment of a request.
pub struct Peer<'a> {
    wire: &'a mut dyn Wire,
    /// Stream of the request.
    pub stream: u32,
    /// Number of the connection among those of this peer, from 0.
    pub connection: usize,
    /// Number of the request on its connection, from 0.
    pub place: usize,
}

/// Returns the bytes of a frame.
pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

impl Peer<'_> {
    /// Sends a frame.
    pub fn send(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) -> io::Result<()> {
        self.raw(&frame(kind, flags, stream, payload))
    }

    /// Sends a frame of the request's stream.
    pub fn answer(&mut self, kind: u8, flags: u8, payload: &[u8]) -> io::Result<()> {
        self.send(kind, flags, self.stream, payload)
    }

    /// Sends bytes as they are.
    pub fn raw(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.wire.write_all(bytes)?;
        self.wire.flush()
    }

    /// Sends a sound segment.
    pub fn segment(&mut self) -> io::Result<()> {
        self.answer(HEADERS, END_HEADERS, OK)?;
        self.answer(DATA, END_STREAM, &[0x47; 1_880])
    }

    /// Sends GOAWAY with this last stream and code.
    pub fn goaway(&mut self, last: u32, code: u32) -> io::Result<()> {
        self.send(GOAWAY, 0, 0, &[last.to_be_bytes(), code.to_be_bytes()].concat())
    }

    /// Sends the same bytes until the client closes the connection.
    pub fn flood(&mut self, bytes: &[u8]) -> io::Result<()> {
        let many = bytes.repeat((64 * 1024 / bytes.len()).max(1));
        loop {
            self.raw(&many)?;
        }
    }

    /// Ends the connection with TLS's own goodbye.
    pub fn close(&mut self) -> io::Result<()> {
        self.wire.goodbye()?;
        Err(io::ErrorKind::NotConnected.into())
    }
}

/// Handles one request; an error ends the connection.
pub type Script = dyn Fn(&mut Peer<'_>) -> io::Result<()> + Send + Sync;

/// Returns a case in which a VOD of a few segments is served by a peer with these settings and this script.
pub fn case(
    label: &'static str,
    settings: &'static [u8],
    script: impl Fn(&mut Peer<'_>) -> io::Result<()> + Send + Sync + 'static,
) -> Case {
    const SEGMENTS: usize = 4;
    let script: Arc<Script> = Arc::new(script);
    let start = move || shared(settings, SEGMENTS, Arc::clone(&script));
    Case::with_origin(label, start).clients(1).options(&["--insecure", "--timeout", PATIENT]).and_ok()
}

/// Starts an origin of a VOD of `segments` segments that are served by a peer with these settings and this script.
pub fn origin(
    settings: &'static [u8],
    segments: usize,
    script: impl Fn(&mut Peer<'_>) -> io::Result<()> + Send + Sync + 'static,
) -> Origin {
    shared(settings, segments, Arc::new(script))
}

fn shared(settings: &'static [u8], segments: usize, script: Arc<Script>) -> Origin {
    let peer = peer(settings, script);
    let list = vod_of((0..segments).map(|number| peer.url(&format!("/{number}.ts"))));
    let front = Origin::start(move |_| Answer::playlist(list.clone()));
    Origin { log: peer.log, ..front }
}

fn peer(settings: &'static [u8], script: Arc<Script>) -> Origin {
    let config = Authority::new().server("127.0.0.1", &[b"h2"]);
    Origin::listen("https", move |socket, connection, log| {
        let Ok(session) = ServerConnection::new(Arc::clone(&config)) else { return };
        _ = serve(&mut StreamOwned::new(session, socket), connection, log, settings, &*script);
    })
}

fn serve(
    wire: &mut dyn Wire,
    connection: usize,
    log: &Log,
    settings: &[u8],
    script: &Script,
) -> io::Result<()> {
    wire.read_exact(&mut [0; PREFACE_BYTES])?;
    let mut peer = Peer { wire, stream: 0, connection, place: 0 };
    peer.send(SETTINGS, 0, 0, settings)?;
    loop {
        let mut header = [0; 9];
        peer.wire.read_exact(&mut header)?;
        let [a, b, c, kind, flags, stream @ ..] = header;
        let mut payload = vec![0; u32::from_be_bytes([0, a, b, c]) as usize];
        peer.wire.read_exact(&mut payload)?;
        match kind {
            SETTINGS if flags & ACK == 0 => peer.send(SETTINGS, ACK, 0, b"")?,
            PING if flags & ACK == 0 => peer.send(PING, ACK, 0, &payload)?,
            HEADERS => {
                peer.stream = u32::from_be_bytes(stream);
                log.add(connection, SEGMENT);
                script(&mut peer)?;
                peer.place += 1;
            }
            _ => {}
        }
    }
}
