//! Tests of the origin on real sockets, with a client that knows only bytes.
//!
//! Most tests end by comparing the counts of the origin with the client's own. Durations have lower bounds only: a
//! slow machine must not fail a test.

use std::io::{self, Read as _};
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::StatusCode;
use http_body_util::{BodyExt as _, Empty};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::counts::{Counters, Served};
use super::server::Addresses;
use super::{Counts, Origin, Settings};
use crate::vocabulary::Kind;

mod capacity;

const SEGMENT: &str = "/vod/fmp4/v0/segment_3.m4s";
const SEGMENT_BYTES: u64 = 750_000;

struct Running {
    addresses: Addresses,
    certificate_pem: Option<String>,
    counters: Arc<Counters>,
    stop: oneshot::Sender<()>,
    end: JoinHandle<Counts>,
}

impl Running {
    async fn start(settings: Settings) -> Self {
        let settings = Settings { listen: ([127, 0, 0, 1], 0).into(), ..settings };
        let origin = Origin::bind(settings).await.unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        Self {
            addresses: origin.addresses(),
            certificate_pem: origin.certificate_pem().map(str::to_owned),
            counters: origin.counters(),
            stop,
            end: tokio::spawn(origin.run(async {
                let _ = stopped.await;
            })),
        }
    }

    async fn with_faults(rules: &[&str]) -> Self {
        let faults = rules.iter().map(|rule| rule.parse().unwrap()).collect();
        Self::start(Settings { faults, ..Settings::default() }).await
    }

    async fn client(&self) -> Client {
        Client { stream: TcpStream::connect(self.addresses.plain).await.unwrap(), buffer: Vec::new() }
    }

    async fn finish(self) -> Counts {
        self.stop.send(()).unwrap();
        let counts = self.end.await.unwrap();
        let settled: u64 = counts.by_status.values().sum();
        assert_eq!(counts.open, 0);
        assert_eq!(counts.requests.values().sum::<u64>(), settled);
        counts
    }
}

/// HTTP/1.1 client that sends exactly what a test asks for.
struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
}

#[derive(Debug)]
struct Answer {
    status: u16,
    head: String,
    body: Vec<u8>,
    /// Error that ended the body before its announced length, if any.
    broken: Option<io::ErrorKind>,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

impl Client {
    async fn send(&mut self, method: &str, path: &str, headers: &str) {
        let request = format!("{method} {path} HTTP/1.1\r\nHost: origin\r\n{headers}\r\n");
        self.stream.write_all(request.as_bytes()).await.unwrap();
    }

    async fn more(&mut self) -> io::Result<()> {
        let count = self.stream.read_buf(&mut self.buffer).await?;
        if count == 0 { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
    }

    /// Reads the status line and headers.
    async fn head(&mut self) -> io::Result<String> {
        loop {
            if let Some(end) = self.buffer.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                let head = self.buffer.drain(..end + 4).collect();
                return Ok(String::from_utf8(head).unwrap());
            }
            self.more().await?;
        }
    }

    async fn receive(&mut self, has_body: bool) -> io::Result<Answer> {
        let head = self.head().await?;
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let mut answer = Answer { status, head, body: Vec::new(), broken: None };
        let length = answer.header("content-length").map_or(0, |length| length.parse().unwrap());
        let length = if has_body { length } else { 0 };
        while self.buffer.len() < length && answer.broken.is_none() {
            answer.broken = self.more().await.err().map(|error| error.kind());
        }
        answer.body = self.buffer.drain(..length.min(self.buffer.len())).collect();
        Ok(answer)
    }

    async fn get_with(&mut self, path: &str, headers: &str) -> Answer {
        self.send("GET", path, headers).await;
        self.receive(true).await.unwrap()
    }

    async fn get(&mut self, path: &str) -> Answer {
        self.get_with(path, "").await
    }
}

#[tokio::test]
async fn a_live_stream_is_served_over_one_connection_and_counted_exactly() {
    let origin = Running::start(Settings { gzip: false, ..Settings::default() }).await;
    let mut client = origin.client().await;
    let mut bytes = [0_u64; 3];
    let master = client.get("/live/fmp4/master.m3u8").await;
    let list = client.get("/live/fmp4/v0/index.m3u8").await;
    bytes[0] = (master.body.len() + list.body.len()) as u64;
    let list = String::from_utf8(list.body).unwrap();
    let first = list.lines().find(|line| line.starts_with("segment_")).unwrap();
    bytes[1] = client.get("/live/fmp4/v0/init.mp4").await.body.len() as u64;
    let segment = client.get(&format!("/live/fmp4/v0/{first}")).await;
    assert_eq!(segment.header("content-type"), Some("video/iso.segment"));
    bytes[2] = segment.body.len() as u64;
    let missing = client.get("/live/fmp4/v0/segment_100000.m4s").await;
    assert_eq!(missing.status, 404);
    drop(client);
    let counts = origin.finish().await;
    assert_eq!(counts.completed(Kind::Playlist, 200), Served { responses: 2, bytes: bytes[0] });
    assert_eq!(counts.completed(Kind::Init, 200), Served { responses: 1, bytes: bytes[1] });
    assert_eq!(counts.completed(Kind::Segment, 200), Served { responses: 1, bytes: bytes[2] });
    assert_eq!(
        counts.completed(Kind::Segment, 404),
        Served { responses: 1, bytes: missing.body.len() as u64 }
    );
    assert_eq!(counts.incomplete.len(), 0);
    assert_eq!(counts.connections.accepted, 1);
}

#[tokio::test]
async fn the_same_address_gives_the_same_bytes_from_every_origin() {
    let (one, other) = (Running::start(Settings::default()).await, Running::start(Settings::default()).await);
    for path in [SEGMENT, "/live/ts/v1/segment_2.ts"] {
        let bytes = one.client().await.get(path).await.body;
        assert!(bytes.len() > 100_000);
        assert!(bytes == other.client().await.get(path).await.body, "{path}");
    }
    one.finish().await;
    other.finish().await;
}

#[tokio::test]
async fn ranges_are_slices_of_the_whole() {
    let origin = Running::start(Settings::default()).await;
    let mut client = origin.client().await;
    let whole = client.get(SEGMENT).await.body;
    for (range, from, to) in
        [("0-", 0, 750_000), ("10-19", 10, 20), ("70000-140000", 70_000, 140_001), ("-5", 749_995, 750_000)]
    {
        let part = client.get_with(SEGMENT, &format!("Range: bytes={range}\r\n")).await;
        assert_eq!(part.status, 206);
        assert_eq!(part.header("content-range"), Some(format!("bytes {from}-{}/750000", to - 1).as_str()));
        assert!(part.body == whole[from..to], "{range}");
    }
    let beyond = client.get_with(SEGMENT, "Range: bytes=750000-\r\n").await;
    assert_eq!((beyond.status, beyond.header("content-range")), (416, Some("bytes */750000")));
    drop(client);
    let counts = origin.finish().await;
    assert_eq!(counts.completed(Kind::Segment, 206).bytes, 750_000 + 10 + 70_001 + 5);
    assert_eq!(counts.completed(Kind::Segment, 416), Served { responses: 1, bytes: 0 });
}

#[tokio::test]
async fn a_head_request_has_the_length_and_no_body() {
    let origin = Running::start(Settings::default()).await;
    let mut client = origin.client().await;
    client.send("HEAD", SEGMENT, "").await;
    let answer = client.receive(false).await.unwrap();
    assert_eq!((answer.status, answer.header("content-length")), (200, Some("750000")));
    // The connection is still usable, so no body came after the head.
    client.send("POST", SEGMENT, "Content-Length: 0\r\n").await;
    let refused = client.receive(true).await.unwrap();
    assert_eq!((refused.status, refused.header("allow")), (405, Some("GET, HEAD")));
    drop(client);
    let counts = origin.finish().await;
    assert_eq!(counts.completed(Kind::Segment, 200), Served { responses: 1, bytes: 0 });
}

#[tokio::test]
async fn playlists_are_compressed_on_request_and_counted_as_sent() {
    let origin = Running::start(Settings::default()).await;
    let mut client = origin.client().await;
    let path = "/vod/ts/v0/index.m3u8";
    let plain = client.get(path).await;
    let coded = client.get_with(path, "Accept-Encoding: gzip, br\r\n").await;
    assert_eq!(plain.header("content-encoding"), None);
    assert_eq!(coded.header("content-encoding"), Some("gzip"));
    let mut text = Vec::new();
    flate2::read::GzDecoder::new(coded.body.as_slice()).read_to_end(&mut text).unwrap();
    assert_eq!(text, plain.body);
    drop(client);
    let sent = (plain.body.len() + coded.body.len()) as u64;
    assert_eq!(origin.finish().await.completed(Kind::Playlist, 200), Served { responses: 2, bytes: sent });
}

#[tokio::test]
async fn a_status_fault_hits_its_share_of_its_kind() {
    let origin = Running::with_faults(&["segment:503:30%", "init:410", "playlist:451"]).await;
    let mut client = origin.client().await;
    let (mut hit, mut bytes) = (0, 0);
    for _ in 0..60 {
        let answer = client.get_with(SEGMENT, "Range: bytes=0-99\r\n").await;
        hit += u64::from(answer.status == 503);
        bytes += answer.body.len() as u64;
    }
    assert!((8..=28).contains(&hit), "{hit}");
    assert_eq!(client.get("/vod/fmp4/v0/init.mp4").await.status, 410);
    let playlist = client.get("/vod/fmp4/master.m3u8").await;
    assert_eq!(playlist.status, 451);
    drop(client);
    let counts = origin.finish().await;
    let (good, bad) = (counts.completed(Kind::Segment, 206), counts.completed(Kind::Segment, 503));
    assert_eq!((good.responses, bad.responses), (60 - hit, hit));
    assert_eq!(good.bytes + bad.bytes, bytes);
    assert_eq!(counts.completed(Kind::Init, 410).responses, 1);
    let bytes = playlist.body.len() as u64;
    assert_eq!(counts.completed(Kind::Playlist, 451), Served { responses: 1, bytes });
}

#[tokio::test]
async fn a_cut_announces_all_and_sends_half() {
    let origin = Running::with_faults(&["segment:cut"]).await;
    let mut client = origin.client().await;
    let answer = client.get(SEGMENT).await;
    assert_eq!((answer.status, answer.header("content-length")), (200, Some("750000")));
    assert_eq!(answer.broken, Some(io::ErrorKind::UnexpectedEof));
    assert_eq!(answer.body.len() as u64, SEGMENT_BYTES / 2);
    let counts = origin.finish().await;
    assert_eq!(counts.incomplete(Kind::Segment, 200), Served { responses: 1, bytes: SEGMENT_BYTES / 2 });
    assert_eq!(counts.completed.len(), 0);
}

#[tokio::test]
async fn a_reset_is_a_reset_on_the_wire() {
    let origin = Running::with_faults(&["segment:reset"]).await;
    let mut client = origin.client().await;
    let master = client.get("/vod/ts/master.m3u8").await;
    client.send("GET", SEGMENT, "").await;
    let error = client.receive(true).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    let counts = origin.finish().await;
    assert_eq!(counts.incomplete(Kind::Segment, 0), Served { responses: 1, bytes: 0 });
    assert_eq!(counts.completed(Kind::Playlist, 200).bytes, master.body.len() as u64);
    assert_eq!(counts.connections.reset, 1);
}

#[tokio::test]
async fn a_stalled_body_ends_when_its_client_goes() {
    let origin = Running::with_faults(&["segment:stall"]).await;
    let mut client = origin.client().await;
    client.send("GET", SEGMENT, "").await;
    client.head().await.unwrap();
    while (client.buffer.len() as u64) < SEGMENT_BYTES / 2 {
        client.more().await.unwrap();
    }
    assert!(timeout(Duration::from_millis(200), client.more()).await.is_err(), "more than a half came");
    assert_eq!(origin.counters.counts().open, 1);
    drop(client);
    let gone = async {
        while origin.counters.counts().open > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(Duration::from_secs(20), gone).await.unwrap();
    let half = Served { responses: 1, bytes: SEGMENT_BYTES / 2 };
    assert_eq!(origin.finish().await.incomplete(Kind::Segment, 200), half);
}

#[tokio::test]
async fn delay_and_bandwidth_take_their_time() {
    let origin = Running::with_faults(&["init:delay=300ms", "segment:bandwidth=4M"]).await;
    let mut client = origin.client().await;
    let begun = Instant::now();
    client.get("/vod/fmp4/v0/init.mp4").await;
    assert!(begun.elapsed() >= Duration::from_millis(300));
    let begun = Instant::now();
    let body = client.get_with(SEGMENT, "Range: bytes=0-399999\r\n").await.body;
    assert_eq!(body.len(), 400_000);
    // 400,000 bytes at 4 Mb/s take 800 ms.
    assert!(begun.elapsed() >= Duration::from_millis(560), "{:?}", begun.elapsed());
    drop(client);
    let counts = origin.finish().await;
    assert_eq!(counts.completed(Kind::Segment, 206), Served { responses: 1, bytes: 400_000 });
}

#[tokio::test]
async fn a_bandwidth_limit_is_lifted_when_its_rule_ends() {
    let origin = Running::with_faults(&["segment:bandwidth=8@0s+1s"]).await;
    let mut client = origin.client().await;
    // At a byte a second the body would take nine days.
    let answer = timeout(Duration::from_secs(60), client.get(SEGMENT)).await.unwrap();
    assert_eq!(answer.body.len() as u64, SEGMENT_BYTES);
    drop(client);
    assert_eq!(origin.finish().await.completed(Kind::Segment, 200).bytes, SEGMENT_BYTES);
}

#[tokio::test]
async fn a_live_playlist_moves_unless_it_is_stale() {
    let settings = Settings { segment_duration: Duration::from_millis(500), ..Settings::default() };
    let stale = Settings { faults: vec!["playlist:stale".parse().unwrap()], ..settings.clone() };
    let (moving, standing) = (Running::start(settings).await, Running::start(stale).await);
    let path = "/live/ts/v2/index.m3u8";
    let before = (moving.client().await.get(path).await.body, standing.client().await.get(path).await.body);
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert_ne!(moving.client().await.get(path).await.body, before.0);
    assert_eq!(standing.client().await.get(path).await.body, before.1);
    moving.finish().await;
    standing.finish().await;
}

#[tokio::test]
async fn a_client_that_leaves_in_the_middle_was_not_served() {
    let origin = Running::start(Settings { bitrate: 20_000_000, ..Settings::default() }).await;
    let mut client = origin.client().await;
    client.send("GET", "/vod/fmp4/v0/segment_0.m4s", "").await;
    client.head().await.unwrap();
    // The kernels buffer much of the body, maybe all of it; the client never reads it.
    tokio::time::sleep(Duration::from_millis(100)).await;
    drop(client);
    let counts = origin.finish().await;
    assert_eq!(counts.incomplete(Kind::Segment, 200).responses, 1, "{counts:?}");
    assert_eq!(counts.completed.len(), 0);
}

#[tokio::test]
async fn pipelined_requests_are_each_counted_once() {
    let origin = Running::start(Settings::default()).await;
    let mut client = origin.client().await;
    for _ in 0..20 {
        client.send("GET", SEGMENT, "Range: bytes=0-9999\r\n").await;
    }
    for _ in 0..20 {
        assert_eq!(client.receive(true).await.unwrap().body.len(), 10_000);
    }
    drop(client);
    let counts = origin.finish().await;
    assert_eq!(counts.completed(Kind::Segment, 206), Served { responses: 20, bytes: 200_000 });
}

fn tls_connector(pem: &str, protocols: &[&[u8]]) -> tokio_rustls::TlsConnector {
    use rustls::pki_types::pem::PemObject as _;
    let mut roots = rustls::RootCertStore::empty();
    roots.add(rustls::pki_types::CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
    tokio_rustls::TlsConnector::from(Arc::new(config))
}

async fn tls_stream(
    origin: &Running,
    name: &str,
    protocols: &[&[u8]],
) -> tokio_rustls::client::TlsStream<TcpStream> {
    let connector = tls_connector(origin.certificate_pem.as_deref().unwrap(), protocols);
    let stream = TcpStream::connect(origin.addresses.tls.unwrap()).await.unwrap();
    connector.connect(name.to_owned().try_into().unwrap(), stream).await.unwrap()
}

#[tokio::test]
async fn http2_is_offered_by_alpn_and_counted_exactly() {
    let origin = Running::start(Settings { tls: true, ..Settings::default() }).await;
    let stream = tls_stream(&origin, "localhost", &[b"h2", b"http/1.1"]).await;
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(b"h2".as_slice()));
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    let connection = tokio::spawn(connection);
    let paths = [SEGMENT, "/live/ts/master.m3u8", "/vod/fmp4/v1/init.mp4", "/vod/ts/v0/segment_99.ts"];
    let mut answers = Vec::new();
    for path in paths {
        let request = http::Request::get(format!("https://localhost{path}"));
        let answer = sender.send_request(request.body(Empty::<bytes::Bytes>::new()).unwrap()).await.unwrap();
        let status = answer.status();
        answers.push((status, answer.into_body().collect().await.unwrap().to_bytes().len() as u64));
    }
    drop(sender);
    connection.await.unwrap().unwrap();
    let counts = origin.finish().await;
    assert_eq!(answers[0], (StatusCode::OK, SEGMENT_BYTES));
    assert_eq!(answers[3].0, StatusCode::NOT_FOUND);
    for (kind, place) in [(Kind::Segment, 0), (Kind::Playlist, 1), (Kind::Init, 2), (Kind::Segment, 3)] {
        let (status, bytes) = answers[place];
        assert_eq!(counts.completed(kind, status.as_u16()), Served { responses: 1, bytes }, "{kind:?}");
    }
    assert_eq!(counts.connections.tls, 1);
}

#[tokio::test]
async fn http1_over_tls_ends_well_without_a_goodbye() {
    let origin = Running::start(Settings { tls: true, ..Settings::default() }).await;
    let mut stream = tls_stream(&origin, "127.0.0.1", &[]).await;
    stream.write_all(b"GET /vod/ts/master.m3u8 HTTP/1.1\r\nHost: origin\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"v2/index.m3u8\n") {
        assert!(stream.read_buf(&mut answer).await.unwrap() > 0);
    }
    drop(stream);
    let counts = origin.finish().await;
    assert_eq!(counts.completed(Kind::Playlist, 200).responses, 1, "{counts:?}");
    assert_eq!(counts.incomplete.len(), 0);
}

#[tokio::test]
async fn a_stop_lets_an_answer_end_and_refuses_new_connections() {
    let origin = Running::with_faults(&["segment:delay=400ms"]).await;
    let address = origin.addresses.plain;
    let mut client = origin.client().await;
    client.send("GET", SEGMENT, "").await;
    while origin.counters.counts().requests.is_empty() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let (counts, answer) = tokio::join!(origin.finish(), client.receive(true));
    assert_eq!(answer.unwrap().body.len() as u64, SEGMENT_BYTES);
    assert_eq!(counts.completed(Kind::Segment, 200).bytes, SEGMENT_BYTES);
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn a_stop_ends_what_does_not_end_itself() {
    let origin = Running::with_faults(&["segment:stall"]).await;
    let mut client = origin.client().await;
    client.send("GET", SEGMENT, "").await;
    client.head().await.unwrap();
    let counts = timeout(Duration::from_secs(60), origin.finish()).await.unwrap();
    assert_eq!(counts.incomplete(Kind::Segment, 200).responses, 1);
}

#[tokio::test]
async fn an_address_in_use_is_an_error() {
    let origin = Running::start(Settings::default()).await;
    let settings = Settings { listen: origin.addresses.plain, ..Settings::default() };
    let error = Origin::bind(settings).await.err().unwrap();
    assert!(error.to_string().starts_with("the origin cannot listen on 127.0.0.1:"), "{error}");
    origin.finish().await;
}
