//! A name server, and a mount namespace in which the program asks it: its address stands in resolv.conf(5), whose
//! place is fixed. Both need the rights of root.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Ipv6Addr, TcpListener, TcpStream, UdpSocket};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;

use tempfile::TempDir;

/// Port of name servers, which resolv.conf(5) cannot change.
const PORT: u16 = 53;
/// Bytes of a message before its question.
const HEADER: usize = 12;
const A: u16 = 1;
const AAAA: u16 = 28;
const SERVER_FAILURE: u16 = 2;
const NO_SUCH_NAME: u16 = 3;
/// Addresses of a name with many: as many as fit the 512 bytes of a datagram (RFC 1035 section 4.2.1).
const MANY: u8 = 25;
/// Addresses of a name with more, which is answered over TCP alone.
const CROWD: u16 = 200;
/// Bit of an answer that is too long for a datagram.
const TRUNCATED: u16 = 0x0200;
/// Reason for which names cannot be tested.
pub const NOT_ROOT: &str =
    "a name server needs port 53, and a resolv.conf of its own a mount namespace: run as root";

/// A running name server.
pub struct Names {
    folder: Arc<TempDir>,
    /// First labels of the names that were asked for in vain.
    unanswered: Unanswered,
}

type Unanswered = Arc<Mutex<Vec<Vec<u8>>>>;

/// Way of a question and its answer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Datagram,
    Stream,
}

impl Names {
    /// Returns the name server of all rows; `None` if this process may not start one, or may not make a mount
    /// namespace.
    pub fn shared() -> Option<&'static Self> {
        static NAMES: OnceLock<Option<Names>> = OnceLock::new();
        NAMES.get_or_init(Self::start).as_ref()
    }

    fn start() -> Option<Self> {
        let [_, _, a, b] = std::process::id().to_be_bytes();
        // Its own address, so that several of these tests can run at once.
        let address = Ipv4Addr::new(127, 77, a, b.max(1));
        let socket = UdpSocket::bind((address, PORT)).ok()?;
        let listener = TcpListener::bind((address, PORT)).ok()?;
        let folder = Arc::new(crate::program::folder());
        std::fs::write(folder.path().join("resolv.conf"), format!("nameserver {address}\n")).unwrap();
        let names = Self { folder, unanswered: Arc::default() };
        let script = names.script("true");
        let mut try_it = Command::new("sh");
        try_it.args(["-c", &script]).stdout(Stdio::null()).stderr(Stdio::null());
        if !try_it.status().is_ok_and(|status| status.success()) {
            return None;
        }
        let unanswered = Arc::clone(&names.unanswered);
        thread::spawn(move || serve(&socket, &unanswered));
        thread::spawn(move || listener.incoming().flatten().for_each(|stream| _ = serve_stream(stream)));
        Some(names)
    }

    /// Returns the number of unanswered questions for a name with this first label.
    pub fn unanswered(&self, label: &str) -> usize {
        self.unanswered.lock().unwrap().iter().filter(|first| **first == label.as_bytes()).count()
    }

    /// Returns the folder that must outlive every run of a script.
    pub fn folder(&self) -> Arc<TempDir> {
        Arc::clone(&self.folder)
    }

    /// Returns a script for the shell that runs `command` where this name server is the system's.
    pub fn script(&self, command: &str) -> String {
        let file = self.folder.path().join("resolv.conf");
        let inner = format!("mount --bind {} /etc/resolv.conf && exec {command}", file.display());
        format!("exec unshare -m sh -c '{inner}' \"$0\" \"$@\"")
    }
}

/// Answers questions by the first label of their name.
fn serve(socket: &UdpSocket, unanswered: &Unanswered) {
    let mut buffer = [0; 1_500];
    while let Ok((length, from)) = socket.recv_from(&mut buffer) {
        match answer(&buffer[..length], Way::Datagram) {
            Some(answer) => _ = socket.send_to(&answer, from),
            None => unanswered.lock().unwrap().push(first_label(&buffer[..length]).to_vec()),
        }
    }
}

/// Answers one question, which has its length before it (RFC 1035 section 4.2.2).
fn serve_stream(mut stream: TcpStream) -> Option<()> {
    let mut length = [0; 2];
    stream.read_exact(&mut length).ok()?;
    let mut query = vec![0; u16::from_be_bytes(length).into()];
    stream.read_exact(&mut query).ok()?;
    let answer = answer(&query, Way::Stream)?;
    let length = u16::try_from(answer.len()).ok()?.to_be_bytes();
    stream.write_all(&[&length[..], &answer].concat()).ok()
}

/// Returns the first label of the name that is asked for.
fn first_label(query: &[u8]) -> &[u8] {
    &query[HEADER + 1..HEADER + 1 + usize::from(query[HEADER])]
}

/// Returns the answer to a question (RFC 1035 section 4); `None` for silence.
fn answer(query: &[u8], way: Way) -> Option<Vec<u8>> {
    let end = HEADER + query[HEADER..].iter().position(|byte| *byte == 0)?;
    let question = &query[HEADER..end + 5];
    let first = first_label(query);
    let kind = u16::from_be_bytes([query[end + 1], query[end + 2]]);
    let loopback = Ipv4Addr::LOCALHOST.octets().to_vec();
    let (code, addresses) = match (first, kind) {
        (b"nx", _) => (NO_SUCH_NAME, Vec::new()),
        (b"fail", _) => (SERVER_FAILURE, Vec::new()),
        (b"silent" | b"mute", _) => return None,
        (b"many", A) => (0, (1..=MANY).map(|last| vec![127, 0, 0, last]).collect()),
        (b"crowd", A) if way == Way::Datagram => (TRUNCATED, Vec::new()),
        // The one that answers is in the middle.
        (b"crowd", A) => {
            (0, (0..CROWD).map(|at| vec![127, 0, 0, ((at + CROWD / 2) % CROWD + 1) as u8]).collect())
        }
        (b"dead6", AAAA) => (0, vec![Ipv6Addr::LOCALHOST.octets().to_vec()]),
        (_, A) => (0, vec![loopback]),
        _ => (0, Vec::new()),
    };
    let count = u16::try_from(addresses.len()).unwrap();
    // A response to a recursive question, with one question.
    let header = [0x8180 | code, 1, count, 0, 0].map(u16::to_be_bytes).concat();
    let mut answer = [&query[..2], &header, question].concat();
    for address in addresses {
        // The name is that of the question; class IN, a TTL of a second.
        answer.extend([0xc0, 0x0c]);
        answer.extend([kind, 1, 0, 1, u16::try_from(address.len()).unwrap()].map(u16::to_be_bytes).concat());
        answer.extend(address);
    }
    Some(answer)
}
