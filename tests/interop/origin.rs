//! The origin of one test: an nginx on free loopback ports that serves a live and a VOD stream.
//!
//! | path | response |
//! | --- | --- |
//! | `/ts/master.m3u8`, `/fmp4/master.m3u8` | live, three variants |
//! | `/vod/master.m3u8` | VOD, MPEG-TS, three variants |
//! | `/moved/master.m3u8` | 302 to `/ts/master.m3u8` |
//!
//! The TLS port serves the same with HTTP/2, gzips playlists on request and presents a self-signed certificate.
//!
//! - Dropping the origin stops nginx by its process id; its requests are in the log by then.
//! - The stream continues while nginx is stopped.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, getuid, kill_process};
use tempfile::TempDir;

use crate::access_log::AccessLog;
use crate::live::LiveStream;
use crate::media::{Media, Packaging, VARIANTS, multivariant_playlist};
use crate::requirements;

/// Attempts with other ports, in case another process takes a port between our look and nginx's bind.
const PORT_ATTEMPTS: usize = 5;
/// Time limit for nginx to listen. nginx itself tries for 2.5 s to bind a port that is taken.
const START_LIMIT: Duration = Duration::from_secs(10);
/// Time limit for requests that are still being answered.
const STOP_LIMIT: Duration = Duration::from_secs(5);
const POLL: Duration = Duration::from_millis(5);

/// A running origin.
pub struct Origin {
    // Fields drop in this order, after nginx has ended: the publisher writes into the folder.
    nginx: Option<Child>,
    live: LiveStream,
    folder: TempDir,
    plain_port: u16,
    tls_port: u16,
}

impl Origin {
    /// Starts an origin, or reports what this machine lacks and returns `None`.
    pub fn start() -> Option<Self> {
        if !requirements::met() {
            return None;
        }
        let media = Media::ready();
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let www = folder.path().join("www");
        fs::create_dir(folder.path().join("temporary")).unwrap();
        publish_vod(&media, &www);
        let live = LiveStream::publish(&media, &www);
        write_certificate(folder.path());
        let mut origin = Self { nginx: None, live, folder, plain_port: 0, tls_port: 0 };
        origin.start_on_free_ports();
        Some(origin)
    }

    /// Returns the URL of `path` on the plain port.
    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.plain_port)
    }

    /// Returns the URL of `path` on the TLS port.
    pub fn tls_url(&self, path: &str) -> String {
        format!("https://localhost:{}{path}", self.tls_port)
    }

    pub const fn plain_port(&self) -> u16 {
        self.plain_port
    }

    pub const fn tls_port(&self) -> u16 {
        self.tls_port
    }

    /// Returns the path of the TLS port's certificate, as PEM.
    pub fn certificate(&self) -> PathBuf {
        self.folder.path().join("certificate.pem")
    }

    /// Returns the file that is served at `path`.
    pub fn file(&self, path: &str) -> PathBuf {
        self.folder.path().join("www").join(path.trim_start_matches('/'))
    }

    /// Returns by how much all windows of the live stream together were published later than due.
    pub fn late(&self) -> Duration {
        self.live.late()
    }

    /// Returns the log so far. A response can arrive just before its log line, so stop nginx first to read all of it.
    pub fn log(&self) -> AccessLog {
        AccessLog::read(&self.folder.path().join("access.log"))
    }

    /// Stops nginx: it finishes responses in progress, closes idle connections and refuses new ones.
    pub fn stop(&mut self) {
        let Some(mut nginx) = self.nginx.take() else { return };
        let _ = kill_process(Pid::from_child(&nginx), Signal::QUIT);
        let deadline = Instant::now() + STOP_LIMIT;
        while matches!(nginx.try_wait(), Ok(None)) {
            if Instant::now() > deadline {
                let _ = kill_process(Pid::from_child(&nginx), Signal::TERM);
                let _ = nginx.wait();
                return;
            }
            thread::sleep(POLL);
        }
    }

    /// Stops nginx and returns the log of everything that it served.
    pub fn stop_and_read_log(&mut self) -> AccessLog {
        self.stop();
        self.log()
    }

    /// Starts nginx again after [`Origin::stop`], with the same ports and the same log.
    pub fn start_again(&mut self) {
        assert!(self.nginx.is_none(), "nginx runs already");
        self.nginx = self.start_nginx();
        assert!(self.nginx.is_some(), "nginx did not start again: {}", self.error_log());
    }

    fn start_on_free_ports(&mut self) {
        for _ in 0..PORT_ATTEMPTS {
            [self.plain_port, self.tls_port] = free_ports();
            let configuration = include_str!("nginx.conf")
                .replace("@PLAIN_PORT@", &self.plain_port.to_string())
                .replace("@TLS_PORT@", &self.tls_port.to_string());
            fs::write(self.folder.path().join("nginx.conf"), configuration).unwrap();
            self.nginx = self.start_nginx();
            if self.nginx.is_some() {
                return;
            }
        }
        panic!("nginx did not start: {}", self.error_log());
    }

    /// Returns nginx once it listens, or `None` when it has ended instead.
    fn start_nginx(&self) -> Option<Child> {
        let folder = self.folder.path();
        let stderr = fs::File::create(folder.join("stderr.log")).unwrap();
        let mut command = Command::new(requirements::path_of("nginx"));
        command.arg("-p").arg(folder).args(["-c", "nginx.conf"]);
        if getuid().is_root() {
            // The workers would run as the user `nobody`, who cannot read the folder of this test.
            command.args(["-g", "user root;"]);
        }
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(stderr);
        let mut nginx = command.spawn().unwrap();
        let deadline = Instant::now() + START_LIMIT;
        while !self.listens(&nginx) {
            assert!(Instant::now() < deadline, "nginx does not listen: {}", self.error_log());
            if nginx.try_wait().unwrap().is_some() {
                return None;
            }
            thread::sleep(POLL);
        }
        Some(nginx)
    }

    /// Reports whether nginx listens: it writes its process id once its sockets do. Connecting instead would change
    /// the counts of connections, and could reach another process's server.
    fn listens(&self, nginx: &Child) -> bool {
        fs::read_to_string(self.folder.path().join("nginx.pid"))
            .is_ok_and(|pid| pid.trim() == nginx.id().to_string())
    }

    fn error_log(&self) -> String {
        ["stderr.log", "error.log"]
            .map(|name| fs::read_to_string(self.folder.path().join(name)).unwrap_or_default())
            .concat()
    }
}

impl Drop for Origin {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Returns two ports that were free a moment ago.
fn free_ports() -> [u16; 2] {
    [(); 2]
        .map(|()| TcpListener::bind("127.0.0.1:0").unwrap())
        .map(|listener| listener.local_addr().unwrap().port())
}

fn publish_vod(media: &Media, www: &Path) {
    for variant in &VARIANTS {
        let folder = www.join("vod").join(variant.name);
        fs::create_dir_all(&folder).unwrap();
        fs::copy(media.vod_playlist(Packaging::MpegTs, variant), folder.join("index.m3u8")).unwrap();
        for number in 0..crate::media::SEGMENTS {
            let segment = media.segment(Packaging::MpegTs, variant, number);
            fs::hard_link(&segment, folder.join(segment.file_name().unwrap())).unwrap();
        }
    }
    for stream in ["vod", "ts", "fmp4"] {
        fs::create_dir_all(www.join(stream)).unwrap();
        fs::write(www.join(stream).join("master.m3u8"), multivariant_playlist()).unwrap();
    }
}

fn write_certificate(folder: &Path) {
    let names = ["localhost", "127.0.0.1"].map(str::to_owned);
    let certified = rcgen::generate_simple_self_signed(names).unwrap();
    fs::write(folder.join("certificate.pem"), certified.cert.pem()).unwrap();
    fs::write(folder.join("key.pem"), certified.signing_key.serialize_pem()).unwrap();
}
