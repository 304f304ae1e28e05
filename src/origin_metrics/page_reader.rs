//! Reads a page of metrics in the text format of Prometheus, piece by piece, and sums what it says about an origin.
//!
//! * `name{label="value",...} number [timestamp]`, one a line; a comment, another family and a line that is damaged are
//!   passed over, as are numbers that are negative or not finite.
//! * Bounded: a line of more than [`LINE_BYTES`] is passed over, and a page ends after [`PAGE_BYTES`].

/// Maximum bytes of a page: a hundred times the page of a large machine.
pub const PAGE_BYTES: u64 = 16 << 20;
/// Maximum bytes of a line: the lines that are read have a hundred.
const LINE_BYTES: usize = 4 << 10;
/// Largest number that is read: more bytes than a machine sends in its life, and sums of these stay finite.
const LARGEST_NUMBER: f64 = 1e30;

/// A sum over the series of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sum {
    /// Seconds of all cores, in all modes.
    CpuSeconds,
    /// Those in which they were idle.
    IdleSeconds,
    /// Bytes that network cards sent.
    BytesOut,
    /// Bytes that they received.
    BytesIn,
    /// Bytes that the loopback device sent.
    LoopbackOut,
    /// Bytes that it received.
    LoopbackIn,
    MemoryBytes,
    Load,
    Connections,
    Reading,
    Writing,
    Waiting,
    Requests,
    NginxUp,
}

/// Number of sums.
const SUMS: usize = 14;

/// A family that is read.
#[derive(Clone, Copy)]
enum Family {
    /// Seconds by mode.
    Cpu,
    /// Bytes by device: the sum of the network cards, and that of the loopback device.
    Network(Sum, Sum),
    /// A family of one number.
    Plain(Sum),
}

/// Names of the families.
const FAMILIES: [(&str, Family); 11] = [
    ("node_cpu_seconds_total", Family::Cpu),
    ("node_network_transmit_bytes_total", Family::Network(Sum::BytesOut, Sum::LoopbackOut)),
    ("node_network_receive_bytes_total", Family::Network(Sum::BytesIn, Sum::LoopbackIn)),
    ("node_memory_MemAvailable_bytes", Family::Plain(Sum::MemoryBytes)),
    ("node_load1", Family::Plain(Sum::Load)),
    ("nginx_connections_active", Family::Plain(Sum::Connections)),
    ("nginx_connections_reading", Family::Plain(Sum::Reading)),
    ("nginx_connections_writing", Family::Plain(Sum::Writing)),
    ("nginx_connections_waiting", Family::Plain(Sum::Waiting)),
    ("nginx_http_requests_total", Family::Plain(Sum::Requests)),
    ("nginx_up", Family::Plain(Sum::NginxUp)),
];

/// Begins of the names of devices that carry the traffic of another device once more.
const REPEATING: [&str; 11] =
    ["veth", "docker", "br-", "virbr", "cni", "cali", "flannel", "bond", "team", "ifb", "dummy"];

/// Sums of a page; `None` for one without a series.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PageSums([Option<f64>; SUMS]);

impl PageSums {
    pub(super) fn get(&self, sum: Sum) -> Option<f64> {
        self.0.get(sum as usize).copied().flatten()
    }

    fn add(&mut self, sum: Sum, number: f64) {
        if let Some(into) = self.0.get_mut(sum as usize) {
            *into = Some(into.unwrap_or_default() + number);
        }
    }

    /// Reports whether the page has a family that is read.
    pub fn is_known(&self) -> bool {
        self.0.iter().any(Option::is_some)
    }

    /// Reports whether the exporter does not reach its nginx.
    pub fn is_nginx_down(&self) -> bool {
        self.get(Sum::NginxUp) == Some(0.0)
    }
}

/// Reads one page.
#[derive(Debug, Default)]
pub struct PageReader {
    /// Beginning of a line whose end has not arrived.
    line: Vec<u8>,
    /// True while the rest of a line is passed over that is too long.
    skips: bool,
    bytes: u64,
    sums: PageSums,
}

impl PageReader {
    /// Reads the next piece. Returns false once the page is too large: then nothing more is read.
    pub fn take(&mut self, piece: &[u8]) -> bool {
        self.bytes = self.bytes.saturating_add(piece.len() as u64);
        if self.bytes > PAGE_BYTES {
            return false;
        }
        let mut rest = piece;
        while let Some(at) = rest.iter().position(|byte| *byte == b'\n') {
            let (line, more) = rest.split_at(at);
            self.end_line(line);
            rest = more.get(1..).unwrap_or_default();
        }
        self.keep(rest);
        true
    }

    /// Ends the page; its last line may lack its end.
    pub fn finish(mut self) -> PageSums {
        self.end_line(&[]);
        self.sums
    }

    fn keep(&mut self, part: &[u8]) {
        self.skips |= self.line.len() + part.len() > LINE_BYTES;
        if !self.skips {
            self.line.extend_from_slice(part);
        }
    }

    fn end_line(&mut self, end: &[u8]) {
        if self.line.is_empty() && !self.skips && end.len() <= LINE_BYTES {
            return self.read(end);
        }
        self.keep(end);
        let line = std::mem::take(&mut self.line);
        if !std::mem::take(&mut self.skips) {
            self.read(&line);
        }
        // The next line that comes in pieces finds its memory again.
        self.line = line;
        self.line.clear();
    }

    fn read(&mut self, line: &[u8]) {
        if !line.starts_with(b"node_") && !line.starts_with(b"nginx_") {
            return;
        }
        let Ok(line) = std::str::from_utf8(line) else { return };
        let (name, rest) = line.split_at(line.find(['{', ' ', '\t']).unwrap_or(line.len()));
        let Some((_, family)) = FAMILIES.iter().find(|(known, _)| *known == name) else { return };
        let wanted = match family {
            Family::Cpu => "mode",
            Family::Network(..) => "device",
            Family::Plain(_) => "",
        };
        let Some((label, rest)) = label(rest, wanted) else { return };
        let number = rest.split_ascii_whitespace().next().and_then(|number| number.parse::<f64>().ok());
        let Some(number) = number.filter(|number| (0.0..=LARGEST_NUMBER).contains(number)) else { return };
        match *family {
            Family::Cpu => {
                self.sums.add(Sum::CpuSeconds, number);
                self.sums.add(Sum::IdleSeconds, if label == "idle" { number } else { 0.0 });
            }
            Family::Network(_, loopback) if label == "lo" || label == "lo0" => {
                self.sums.add(loopback, number)
            }
            Family::Network(card, _) if !is_repeating(label) => self.sums.add(card, number),
            Family::Network(..) => {}
            Family::Plain(sum) => self.sums.add(sum, number),
        }
    }
}

/// Reports whether a device carries the traffic of another one: a bridge, a VLAN, the end of a container.
fn is_repeating(device: &str) -> bool {
    device.contains('.') || REPEATING.iter().any(|begin| device.starts_with(begin))
}

/// Returns the value of a label, as it is written, and the text after all labels; the value is empty without that label,
/// and the whole is `None` if the labels are damaged.
fn label<'a>(text: &'a str, wanted: &str) -> Option<(&'a str, &'a str)> {
    let Some(mut rest) = text.strip_prefix('{') else { return Some(("", text)) };
    let mut found = "";
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        if let Some(after) = rest.strip_prefix('}') {
            return Some((found, after));
        }
        let (name, value) = rest.split_once('=')?;
        let value = value.trim_start().strip_prefix('"')?;
        let end = closing_quote(value)?;
        if name.trim_end() == wanted {
            found = value.get(..end)?;
        }
        rest = value.get(end + 1..)?;
    }
}

/// Returns the place of the first quote without a backslash before it.
fn closing_quote(text: &str) -> Option<usize> {
    let mut is_escaped = false;
    for (place, byte) in text.bytes().enumerate() {
        match byte {
            b'"' if !is_escaped => return Some(place),
            b'\\' => is_escaped = !is_escaped,
            _ => is_escaped = false,
        }
    }
    None
}
