//! A proxy that relays as a test says: HTTP with `CONNECT` and whole URLs, and SOCKS 5.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// Behaviour of a proxy.
#[derive(Clone)]
pub enum Manner {
    /// Relays to this machine, whatever the host is called.
    Relay,
    /// Relays to those that log in with this user and password.
    RelayFor(&'static str, &'static str),
    /// Sends these bytes in answer to the first request, and closes the connection.
    Say(Vec<u8>),
    /// Accepts a SOCKS greeting, and answers the request with this reply.
    Reply(u8),
    /// Sends nothing.
    Silent,
}

/// A running proxy. Its threads end with the test's process.
pub struct Relay {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Relay {
    pub fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let seen: Arc<Mutex<Vec<String>>> = Arc::default();
        let log = Arc::clone(&seen);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (manner, log) = (manner.clone(), Arc::clone(&log));
                // An error ends the connection: one of both sides has gone, as it may.
                thread::spawn(move || serve(stream, &manner, &log));
            }
        });
        Self { address, seen }
    }

    /// Returns the URL of the proxy; `login` is `user:password@`, or empty.
    pub fn url(&self, scheme: &str, login: &str) -> String {
        format!("{scheme}://{login}{}", self.address)
    }

    /// Returns what was asked of the proxy: `CONNECT host:port`, `GET url`, or `SOCKS host:port`.
    pub fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

fn serve(stream: TcpStream, manner: &Manner, log: &Mutex<Vec<String>>) -> io::Result<()> {
    let mut first = [0];
    if stream.peek(&mut first)? == 0 {
        return Ok(());
    }
    let note = |text: String| log.lock().unwrap().push(text);
    match manner {
        Manner::Silent => {
            _ = (&stream).read_to_end(&mut Vec::new());
            Ok(())
        }
        Manner::Say(bytes) => {
            let count = (&stream).read(&mut [0; 1_024])?;
            note(format!("{count} bytes"));
            (&stream).write_all(bytes)
        }
        _ if first == [5] => socks(&stream, manner, &note),
        _ => http(&stream, manner, &note),
    }
}

/// Connects to this machine at the port of `authority`.
fn host(authority: &str) -> io::Result<TcpStream> {
    let port = authority.rsplit(':').next().and_then(|port| port.parse().ok()).unwrap_or(80);
    TcpStream::connect(("127.0.0.1", port))
}

/// Copies bytes both ways until both sides have ended.
fn relay(one: &TcpStream, other: &TcpStream) -> io::Result<()> {
    let (from, to) = (one.try_clone()?, other.try_clone()?);
    let back = thread::spawn(move || {
        _ = io::copy(&mut &from, &mut &to);
        _ = to.shutdown(Shutdown::Write);
    });
    _ = io::copy(&mut &*other, &mut &*one);
    _ = one.shutdown(Shutdown::Write);
    back.join().map_err(|_| io::ErrorKind::Other.into())
}

fn http(stream: &TcpStream, manner: &Manner, note: &dyn Fn(String)) -> io::Result<()> {
    let mut requests = BufReader::new(stream.try_clone()?);
    loop {
        let (mut head, mut line) = (String::new(), String::new());
        while line != "\r\n" {
            line.clear();
            if requests.read_line(&mut line)? == 0 {
                return Ok(());
            }
            head.push_str(&line);
        }
        let words: Vec<_> = head.split(' ').take(2).map(str::to_owned).collect();
        note(words.join(" "));
        if let Manner::RelayFor(user, password) = manner {
            use base64::Engine as _;
            let login = base64::prelude::BASE64_STANDARD.encode(format!("{user}:{password}"));
            if !head
                .to_ascii_lowercase()
                .contains(&format!("proxy-authorization: basic {login}").to_ascii_lowercase())
            {
                let refusal = "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n";
                (&*stream).write_all(refusal.as_bytes())?;
                continue;
            }
        }
        if words[0] == "CONNECT" {
            let host = host(&words[1])?;
            (&*stream).write_all(b"HTTP/1.1 200 Connection established\r\nVia: test\r\n\r\n")?;
            return relay(stream, &host);
        }
        forward(stream, &head, &words[1])?;
    }
}

/// Sends a request to its host, without the header lines that are for the proxy, and its response back.
fn forward(stream: &TcpStream, head: &str, url: &str) -> io::Result<()> {
    let (authority, path) = url.strip_prefix("http://").and_then(|url| url.split_once('/')).unwrap();
    let mut host = host(authority)?;
    let lines = head
        .lines()
        .skip(1)
        .filter(|line| !line.is_empty() && !line.to_ascii_lowercase().starts_with("proxy-"));
    let lines: String = lines.map(|line| format!("{line}\r\n")).collect();
    host.write_all(format!("GET /{path} HTTP/1.1\r\n{lines}Connection: close\r\n\r\n").as_bytes())?;
    let mut response = BufReader::new(host);
    let (mut head, mut line) = (String::new(), String::new());
    while line != "\r\n" {
        line.clear();
        response.read_line(&mut line)?;
        head.push_str(&line);
    }
    let length =
        head.lines().find_map(|line| line.strip_prefix("Content-Length: ")).unwrap().parse().unwrap();
    let mut body = vec![0; length];
    response.read_exact(&mut body)?;
    (&*stream).write_all(&[head.as_bytes(), &body].concat())
}

fn socks(stream: &TcpStream, manner: &Manner, note: &dyn Fn(String)) -> io::Result<()> {
    let read = |length: usize| {
        let mut bytes = vec![0; length];
        (&*stream).read_exact(&mut bytes).map(|()| bytes)
    };
    let count = read(2)?[1];
    let methods = read(count.into())?;
    if let Manner::RelayFor(user, password) = manner {
        if !methods.contains(&2) {
            return (&*stream).write_all(&[5, 0xff]);
        }
        (&*stream).write_all(&[5, 2])?;
        let length = read(2)?[1];
        let is_user = read(length.into())? == user.as_bytes();
        let length = read(1)?[0];
        let is_known = read(length.into())? == password.as_bytes() && is_user;
        (&*stream).write_all(&[1, u8::from(!is_known)])?;
        if !is_known {
            return Ok(());
        }
    } else {
        (&*stream).write_all(&[5, 0])?;
    }
    let name = match read(4)?[3] {
        1 => read(4)?.iter().map(u8::to_string).collect::<Vec<_>>().join("."),
        3 => {
            let length = read(1)?[0];
            String::from_utf8(read(length.into())?).unwrap()
        }
        _ => read(16).map(|_| "IPv6".to_owned())?,
    };
    let port = read(2)?;
    let authority = format!("{name}:{}", u16::from_be_bytes([port[0], port[1]]));
    note(format!("SOCKS {authority}"));
    let reply = |code: u8| [5, code, 0, 3, 4, b'n', b'a', b'm', b'e', 0, 9];
    if let Manner::Reply(code) = manner {
        return (&*stream).write_all(&reply(*code));
    }
    let host = host(&authority)?;
    (&*stream).write_all(&reply(0))?;
    relay(stream, &host)
}
