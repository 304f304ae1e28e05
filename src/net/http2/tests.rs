//! Tests of a client against a peer that is scripted frame by frame.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::LocalSet;

use super::super::cookies::{InitialCookies, Jar};
use super::super::fetch::ClientConnections;
use super::super::http1::Reader;
use super::super::message::Body;
use super::super::pool::{Pool, Protocol};
use super::super::scope::Scope;
use super::super::shared::Net;
use super::super::{ConnectTimings, ConnectionInfo, Headers, Request, Settings, TlsSettings, Transport};
use super::*;
use crate::vocabulary::{ConnectionRoute, HttpProfile, Reuse, SecretUrl};

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
/// `:status: 200` in HPACK.
const OK: &[u8] = b"\x88";
/// `:status: 103` in HPACK.
const EARLY_HINTS: &[u8] = b"\x08\x03103";

/// The other end of a connection.
struct Peer(TcpStream);

impl Peer {
    async fn send(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        let length = u32::try_from(payload.len()).expect("short").to_be_bytes();
        let frame = [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat();
        // The client may have closed the connection already, which is not an error.
        _ = self.0.write_all(&frame).await;
    }

    /// Waits for a frame of this kind and returns its stream.
    async fn wait_for(&mut self, kind: u8) -> u32 {
        loop {
            let mut header = [0; 9];
            self.0.read_exact(&mut header).await.expect("a frame");
            let [a, b, c, is, _, stream @ ..] = header;
            let mut payload = vec![0; u32::from_be_bytes([0, a, b, c]) as usize];
            self.0.read_exact(&mut payload).await.expect("a payload");
            if is == kind {
                return u32::from_be_bytes(stream);
            }
        }
    }
}

/// Observer that counts the bytes and retries of a request.
#[derive(Default)]
struct Observed {
    bytes: u64,
    retries: u32,
}

impl Observer for Observed {
    fn received(&mut self, bytes: u64) {
        self.bytes += bytes;
    }

    fn body(&mut self, _piece: &[u8]) {}

    fn connected(&mut self, _opening: &ConnectionInfo, _replaces: bool) {
        panic!("no further connection");
    }

    fn retried(&mut self) {
        self.retries += 1;
    }

    fn explained(&mut self, _fault: Fault, _reason: &str) {}
}

fn settings() -> Settings {
    let headers = Headers::new(&url(), "hlswarm/test", "run 1", &[]).expect("valid");
    let tls = TlsSettings::for_test();
    let (timeout, http_profile) = (Duration::from_secs(15), HttpProfile::default());
    let budget = std::sync::Arc::default();
    let scope = Scope::for_test(&url());
    let transport = Transport::default();
    Settings {
        tls,
        transport,
        resolve: Vec::new(),
        scope,
        timeout,
        headers,
        cookies: std::sync::Arc::default(),
        keeps_cookies: true,
        http_profile,
        budget,
    }
}

fn url() -> SecretUrl {
    SecretUrl::parse("https://a/x").expect("valid")
}

async fn pair() -> (Http2, Peer) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("bound");
    let (ours, theirs) = tokio::join!(TcpStream::connect(address), listener.accept());
    let http2 = Http2::begin(Stream::Plain(ours.expect("connected"))).await.expect("begun");
    let mut peer = Peer(theirs.expect("accepted").0);
    peer.0.read_exact(&mut [0; 24]).await.expect("a preface");
    peer.send(SETTINGS, 0, 0, b"").await;
    (http2, peer)
}

/// Makes a request and returns its result and the bytes of its body.
async fn ask(http2: &mut Http2) -> (Result<Box<Head>, Broken>, u64) {
    let (url, jar, settings) = (url(), Jar::default(), settings());
    let endpoint = url.endpoint();
    let lines = HeaderLines { unique: None, settings: &settings, cookies: &jar, endpoint: &endpoint };
    let total = Duration::from_secs(60);
    let request =
        Request { url: &url, range: None, unless: None, body: Body::Media, total, reuse: Reuse::Kept };
    let mut observed = Observed::default();
    let bodies = crate::net::kept::Bodies::new(std::sync::Arc::default());
    let mut sink = Sink::new(Body::Media, &bodies, &mut observed);
    let ended = http2.exchange(&request, &lines, &Deadline::new(total), &mut sink).await;
    (ended.map(|(head, _)| head), observed.bytes)
}

/// Makes a request to a peer that runs `script` once the request has arrived. Returns the result and the bytes of the
/// body.
async fn met(script: impl AsyncFnOnce(&mut Peer, u32)) -> (Result<u16, Broken>, u64) {
    let meet = async {
        let (mut http2, mut peer) = pair().await;
        let act = async {
            let stream = peer.wait_for(HEADERS).await;
            script(&mut peer, stream).await;
            drop(peer);
        };
        let ((ended, bytes), ()) = tokio::join!(ask(&mut http2), act);
        (ended.map(|head| head.status), bytes)
    };
    LocalSet::new().run_until(meet).await
}

fn failed(fault: Fault, unprocessed: bool) -> (Result<u16, Broken>, u64) {
    (Err(Broken { fault, unprocessed }), 0)
}

#[tokio::test]
async fn a_request_that_was_not_processed_is_told_from_one_that_failed() {
    let reset = async |code: u8| {
        met(async move |peer, stream| {
            peer.send(RST_STREAM, 0, stream, &[0, 0, 0, code]).await;
            // The connection stays open until the client has seen the reset.
            peer.send(PING, 0, 0, &[0; 8]).await;
            peer.wait_for(PING).await;
        })
        .await
    };
    assert_eq!(reset(7).await, failed(Fault::H2Reset, true), "REFUSED_STREAM");
    assert_eq!(reset(8).await, failed(Fault::H2Reset, false), "CANCEL");
    let goaway = async |last: fn(u32) -> u32| {
        met(async move |peer, stream| {
            let payload = [&last(stream).to_be_bytes()[..], &[0; 4]].concat();
            peer.send(GOAWAY, 0, 0, &payload).await;
        })
        .await
    };
    assert_eq!(goaway(|_| 0).await, failed(Fault::H2GoAway, true));
    assert_eq!(goaway(|stream| stream).await, failed(Fault::H2GoAway, false));
}

#[tokio::test]
async fn the_end_of_a_connection_is_told_by_what_had_come() {
    assert_eq!(met(async |_, _| {}).await, failed(Fault::ConnEof, false));
    let in_body = met(async |peer, stream| {
        peer.send(HEADERS, END_HEADERS, stream, OK).await;
        peer.send(DATA, 0, stream, b"hello").await;
    });
    assert_eq!(in_body.await, (failed(Fault::BodyShort, false).0, 5));
    let whole = met(async |peer, stream| {
        peer.send(HEADERS, END_HEADERS, stream, OK).await;
        peer.send(DATA, END_STREAM, stream, b"hello").await;
    });
    assert_eq!(whole.await, (Ok(200), 5));
}

#[tokio::test]
async fn what_the_peer_did_wrong_is_not_counted_as_its_goodbye() {
    for (kind, stream, payload) in [
        (WINDOW_UPDATE, 0, [0; 4].as_slice()),
        (DATA, 77, b"of no stream"),
        (HEADERS, 0, OK),
        (PING, 0, b"short"),
    ] {
        let wrong = met(async |peer, _| peer.send(kind, END_HEADERS, stream, payload).await);
        assert_eq!(wrong.await, failed(Fault::H2Protocol, false), "{kind}");
    }
    let flood = met(async |peer, _| {
        for _ in 0..3_000 {
            peer.send(PING, 0, 0, &[0; 8]).await;
        }
    });
    assert_eq!(flood.await, failed(Fault::H2Protocol, false));
}

#[tokio::test]
async fn as_many_interim_responses_are_read_as_over_http_1() {
    let hints = async |count: u32| {
        met(async move |peer, stream| {
            for _ in 0..count {
                peer.send(HEADERS, END_HEADERS, stream, EARLY_HINTS).await;
            }
            peer.send(HEADERS, END_HEADERS | END_STREAM, stream, OK).await;
        })
        .await
    };
    assert_eq!(hints(limits::INTERIM_RESPONSES).await, (Ok(200), 0));
    assert_eq!(hints(limits::INTERIM_RESPONSES + 1).await, failed(Fault::ConnProtocol, false));
    assert_eq!(hints(20_000).await, failed(Fault::ConnProtocol, false));
}

#[tokio::test]
async fn a_head_is_read_the_same_over_both_protocols() {
    let fields: [(&str, &[u8]); 8] = [
        ("content-type", b"text/\xe9"),
        ("content-encoding", b"gzip"),
        ("content-encoding", b"aws-chunked"),
        ("location", b"/\xe9"),
        ("etag", b"\"a\""),
        ("age", b"12"),
        ("x-cache", b"HIT"),
        ("content-range", b"bytes 0-4/9"),
    ];
    let mut block = OK.to_vec();
    let mut wire = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n".to_vec();
    for (name, value) in fields {
        let length = |bytes: &[u8]| u8::try_from(bytes.len()).expect("short");
        block.extend([&[0, length(name.as_bytes())], name.as_bytes(), &[length(value)], value].concat());
        wire.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
    }
    wire.extend(b"\r\n");
    let mut reader = Reader::default();
    reader.feed(&wire, &mut |_, _| ()).expect("valid");
    let meet = async {
        let (mut http2, mut peer) = pair().await;
        let act = async {
            let stream = peer.wait_for(HEADERS).await;
            peer.send(HEADERS, END_HEADERS | END_STREAM, stream, &block).await;
        };
        tokio::join!(ask(&mut http2), act).0.0
    };
    assert_eq!(LocalSet::new().run_until(meet).await.as_deref().ok(), reader.head());
}

/// Cancels a request once its peer has it. If `alive` is true, other bytes arrive on the connection meanwhile.
async fn abandon(http2: &mut Http2, peer: &mut Peer, alive: bool) {
    let wait = async {
        peer.wait_for(HEADERS).await;
        if alive {
            peer.send(PING, 0, 0, &[0; 8]).await;
            peer.wait_for(PING).await;
        }
    };
    tokio::select! {
        _ = ask(http2) => panic!("nothing was answered"),
        () = wait => {}
    }
}

#[tokio::test]
async fn a_connection_that_stopped_answering_is_not_used_again() {
    let meet = async {
        let (mut http2, mut peer) = pair().await;
        abandon(&mut http2, &mut peer, false).await;
        assert!(http2.is_closed(), "nothing came in the time of a whole request");

        let (mut http2, mut peer) = pair().await;
        abandon(&mut http2, &mut peer, true).await;
        assert!(!http2.is_closed(), "it may be the resource");
        let act = async {
            let stream = peer.wait_for(HEADERS).await;
            peer.send(HEADERS, END_HEADERS | END_STREAM, stream, OK).await;
        };
        assert_eq!(tokio::join!(ask(&mut http2), act).0.0.map(|head| head.status), Ok(200));
        abandon(&mut http2, &mut peer, true).await;
        assert!(!http2.is_closed(), "a complete response came in between");
        abandon(&mut http2, &mut peer, true).await;
        assert!(http2.is_closed(), "two in a row");
    };
    LocalSet::new().run_until(meet).await;
}

/// Makes a GET over a pool with one connection, whose peer refuses this many requests. Returns the result and the
/// number of retries.
async fn refused(times: u32) -> (Result<u16, Fault>, u32) {
    let meet = async {
        let (http2, mut peer) = pair().await;
        let net = Net::new(settings());
        let pool = Rc::new(Pool::new(false, 0, &InitialCookies::default()));
        let edge = std::net::SocketAddr::from(([127, 0, 0, 1], 1));
        let route = ConnectionRoute { edge, source: edge.ip(), http2: true, resumed: None };
        let opening = Rc::new(ConnectionInfo { timings: ConnectTimings::default(), route });
        drop(pool.open(url().endpoint(), Protocol::Http2(http2), opening, 0));
        let mut wire = ClientConnections { net, pool }.wire(0);
        let act = async {
            for request in 0..2 {
                let stream = peer.wait_for(HEADERS).await;
                if request < times {
                    peer.send(RST_STREAM, 0, stream, &[0, 0, 0, 7]).await;
                } else {
                    return peer.send(HEADERS, END_HEADERS | END_STREAM, stream, OK).await;
                }
            }
        };
        let url = url();
        let total = Duration::from_secs(60);
        let request =
            Request { url: &url, range: None, unless: None, body: Body::Media, total, reuse: Reuse::Kept };
        let mut observed = Observed::default();
        let (response, ()) = tokio::join!(wire.get(&request, &mut observed), act);
        (response.map(|response| response.head.status), observed.retries)
    };
    LocalSet::new().run_until(meet).await
}

#[tokio::test]
async fn a_refused_request_is_sent_once_more_over_the_same_connection() {
    assert_eq!(refused(0).await, (Ok(200), 0));
    assert_eq!(refused(1).await, (Ok(200), 1));
    assert_eq!(refused(2).await, (Err(Fault::H2Reset), 1));
}
