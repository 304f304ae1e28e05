//! A name server, and a mount namespace in which the program asks it: its address stands in resolv.conf(5), whose
//! place is fixed. Both need the rights of root.

use std::net::{Ipv4Addr, Ipv6Addr, UdpSocket};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::thread;

use tempfile::TempDir;

/// Port of name servers, which resolv.conf(5) cannot change.
const PORT: u16 = 53;
const A: u16 = 1;
const AAAA: u16 = 28;
const SERVER_FAILURE: u16 = 2;
const NO_SUCH_NAME: u16 = 3;
/// Addresses of a name with many: as many as fit the 512 bytes of a datagram (RFC 1035 section 4.2.1).
const MANY: u8 = 25;

/// A running name server.
pub struct Names {
    folder: Arc<TempDir>,
}

impl Names {
    /// Starts a name server; `None` if this process may not do so, or may not make a mount namespace.
    pub fn start() -> Option<Self> {
        let [_, _, a, b] = std::process::id().to_be_bytes();
        // Its own address, so that several of these tests can run at once.
        let address = Ipv4Addr::new(127, 77, a, b.max(1));
        let socket = UdpSocket::bind((address, PORT)).ok()?;
        let folder = Arc::new(crate::program::folder());
        std::fs::write(folder.path().join("resolv.conf"), format!("nameserver {address}\n")).unwrap();
        let names = Self { folder };
        let script = names.script("true");
        let mut try_it = Command::new("sh");
        try_it.args(["-c", &script]).stdout(Stdio::null()).stderr(Stdio::null());
        if !try_it.status().is_ok_and(|status| status.success()) {
            return None;
        }
        thread::spawn(move || serve(&socket));
        Some(names)
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
fn serve(socket: &UdpSocket) {
    let mut buffer = [0; 1_500];
    while let Ok((length, from)) = socket.recv_from(&mut buffer) {
        if let Some(answer) = answer(&buffer[..length]) {
            _ = socket.send_to(&answer, from);
        }
    }
}

/// Returns the answer to a question (RFC 1035 section 4); `None` for silence.
fn answer(query: &[u8]) -> Option<Vec<u8>> {
    const HEADER: usize = 12;
    let end = HEADER + query[HEADER..].iter().position(|byte| *byte == 0)?;
    let question = &query[HEADER..end + 5];
    let first = &query[HEADER + 1..HEADER + 1 + usize::from(query[HEADER])];
    let kind = u16::from_be_bytes([query[end + 1], query[end + 2]]);
    let loopback = Ipv4Addr::LOCALHOST.octets().to_vec();
    let (code, addresses) = match (first, kind) {
        (b"nx", _) => (NO_SUCH_NAME, Vec::new()),
        (b"fail", _) => (SERVER_FAILURE, Vec::new()),
        (b"silent", _) => return None,
        (b"many", A) => (0, (1..=MANY).map(|last| vec![127, 0, 0, last]).collect()),
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
