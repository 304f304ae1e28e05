//! OTLP: a collector gets the numbers of the report under the names of `/metrics`, and none can harm a run.
//!
//! The messages are read by the numbers of the protocol (opentelemetry/proto/metrics/v1/metrics.proto), not by the
//! program's own declarations.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use crate::exposition::{Series, assert_equal, get, parse, port};
use crate::program::Program;

const LIMIT: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(200);

/// A request that a collector got.
struct Export {
    /// Request line and headers, in lower case.
    head: String,
    body: Vec<u8>,
}

/// A collector that answers the request with this number as its script says; no answer: it hangs.
struct Collector {
    url: String,
    exports: Arc<Mutex<Vec<Export>>>,
}

impl Collector {
    fn start(script: impl Fn(usize) -> Option<Vec<u8>> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let exports = Arc::new(Mutex::new(Vec::new()));
        let (kept, script) = (Arc::clone(&exports), Arc::new(script));
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (kept, script) = (Arc::clone(&kept), Arc::clone(&script));
                thread::spawn(move || serve(stream, &kept, &*script));
            }
        });
        Self { url, exports }
    }
}

fn serve(
    stream: TcpStream,
    exports: &Mutex<Vec<Export>>,
    script: &(dyn Fn(usize) -> Option<Vec<u8>> + Send + Sync),
) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        reader.read_line(&mut head).ok().filter(|read| *read > 0)?;
    }
    let head = head.to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
    let mut body = vec![0; length.parse().unwrap()];
    reader.read_exact(&mut body).ok()?;
    let number = {
        let mut exports = exports.lock().unwrap();
        exports.push(Export { head, body });
        exports.len() - 1
    };
    match script(number) {
        Some(answer) => (&stream).write_all(&answer).ok(),
        None => reader.read_line(&mut String::new()).ok().map(drop),
    }
}

fn answer(status: &str, body: &str) -> Option<Vec<u8>> {
    let length = body.len();
    Some(format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n\r\n{body}").into_bytes())
}

/// Returns a number of 7-bit groups, the lowest first.
fn varint(bytes: &mut &[u8]) -> u64 {
    let (mut number, mut place) = (0, 0);
    loop {
        let (first, rest) = bytes.split_first().unwrap();
        *bytes = rest;
        number |= u64::from(first & 0x7f) << place;
        place += 7;
        if first & 0x80 == 0 {
            return number;
        }
    }
}

/// Content of a field.
enum Field<'a> {
    Varint(u64),
    Fixed(u64),
    Bytes(&'a [u8]),
}

/// A message: its fields by number.
struct Message<'a>(Vec<(u64, Field<'a>)>);

impl<'a> Message<'a> {
    fn read(mut bytes: &'a [u8]) -> Self {
        let mut fields = Vec::new();
        while !bytes.is_empty() {
            let key = varint(&mut bytes);
            let field = match key & 7 {
                0 => Field::Varint(varint(&mut bytes)),
                1 => {
                    let (fixed, rest) = bytes.split_first_chunk::<8>().unwrap();
                    bytes = rest;
                    Field::Fixed(u64::from_le_bytes(*fixed))
                }
                2 => {
                    let length = varint(&mut bytes) as usize;
                    let (piece, rest) = bytes.split_at(length);
                    bytes = rest;
                    Field::Bytes(piece)
                }
                other => panic!("wire type {other}"),
            };
            fields.push((key >> 3, field));
        }
        Self(fields)
    }

    fn all(&self, number: u64) -> impl Iterator<Item = &Field<'a>> {
        self.0.iter().filter(move |(is, _)| *is == number).map(|(_, field)| field)
    }

    fn messages(&self, number: u64) -> impl Iterator<Item = Message<'a>> {
        self.all(number).map(move |field| match field {
            Field::Bytes(bytes) => Message::read(bytes),
            _ => panic!("{number} is no message"),
        })
    }

    fn text(&self, number: u64) -> String {
        match self.all(number).next() {
            Some(Field::Bytes(bytes)) => String::from_utf8(bytes.to_vec()).unwrap(),
            _ => String::new(),
        }
    }

    fn number(&self, number: u64) -> Option<u64> {
        match self.all(number).next()? {
            Field::Varint(value) | Field::Fixed(value) => Some(*value),
            Field::Bytes(_) => panic!("{number} is no number"),
        }
    }

    /// Returns packed numbers of eight bytes.
    fn packed(&self, number: u64) -> Vec<u64> {
        let Some(Field::Bytes(bytes)) = self.all(number).next() else { return Vec::new() };
        bytes.chunks_exact(8).map(|bytes| u64::from_le_bytes(bytes.try_into().unwrap())).collect()
    }

    fn attributes(&self, number: u64) -> BTreeMap<String, String> {
        let value = |pair: &Message<'_>| pair.messages(2).next().map_or(String::new(), |value| value.text(1));
        self.messages(number).map(|pair| (pair.text(1), value(&pair))).collect()
    }
}

/// Content of one request.
#[derive(Default)]
struct Sent {
    source: BTreeMap<String, String>,
    series: Vec<Series>,
    /// Values of counts, by name and labels.
    counts: BTreeMap<String, f64>,
    /// Times since which they count.
    starts: BTreeSet<u64>,
}

impl Sent {
    fn read(body: &[u8]) -> Self {
        let mut sent = Self::default();
        let request = Message::read(body);
        let source = request.messages(1).next().unwrap();
        sent.source = source.messages(1).next().unwrap().attributes(1);
        for metric in source.messages(2).flat_map(|scope| scope.messages(2).collect::<Vec<_>>()) {
            let name = metric.text(1).strip_prefix("hls_swarm_").unwrap().to_owned();
            for gauge in metric.messages(5) {
                gauge.messages(1).for_each(|point| sent.add_number(&name, &point, false));
            }
            for sum in metric.messages(7) {
                assert_eq!(
                    (sum.number(2), sum.number(3)),
                    (Some(2), Some(1)),
                    "{name} is cumulative, monotonic"
                );
                sum.messages(1).for_each(|point| sent.add_number(&name, &point, true));
            }
            for histogram in metric.messages(9) {
                assert_eq!(histogram.number(2), Some(2), "{name} is cumulative");
                histogram.messages(1).for_each(|point| sent.add_histogram(&name, &point));
            }
        }
        sent
    }

    fn add_number(&mut self, name: &str, point: &Message<'_>, counts: bool) {
        let double = point.number(4).map(f64::from_bits);
        let value = double.unwrap_or_else(|| point.number(6).unwrap() as i64 as f64);
        let labels = point.attributes(7);
        if counts {
            self.counts.insert(format!("{name}{labels:?}"), value);
            self.starts.insert(point.number(2).unwrap());
        }
        self.series.push(Series { name: name.to_owned(), labels, value });
    }

    fn add_histogram(&mut self, name: &str, point: &Message<'_>) {
        let labels = point.attributes(9);
        let (count, buckets) = (point.number(4).unwrap_or(0), point.packed(6));
        assert_eq!(buckets.iter().sum::<u64>(), count, "{name}");
        assert_eq!(buckets.len(), point.packed(7).len() + 1, "{name}");
        self.counts.insert(format!("{name}{labels:?}"), count as f64);
        self.starts.insert(point.number(2).unwrap());
        let sum = f64::from_bits(point.number(5).unwrap());
        for (ending, value) in [("count", count as f64), ("sum", sum)] {
            self.series.push(Series { name: format!("{name}_{ending}"), labels: labels.clone(), value });
        }
    }
}

fn names(series: &[Series]) -> BTreeSet<String> {
    let names = series.iter().filter(|series| !series.name.ends_with("_bucket"));
    names.map(|series| format!("{}{:?}", series.name, series.labels)).collect()
}

#[test]
fn the_last_export_has_the_numbers_of_the_report_and_the_names_of_metrics() {
    let collector = Collector::start(|_| answer("200 OK", ""));
    let load = [
        "-c",
        "5",
        "--ramp-time",
        "0",
        "-d",
        "5s",
        "--fault",
        "segment:503:20%",
        "--header",
        "X-Key: hunter2",
        "--metrics",
        "127.0.0.1:0",
        "--otlp-interval",
        "1s",
    ];
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &*format!("{}/base/", collector.url)),
        ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20hunter2"),
    ];
    let program = Program::start_with(&["demo"], &load, &variables);
    let port = port(&program);
    let mut scraped = String::new();
    let deadline = Instant::now() + LIMIT;
    // The endpoint is gone when the program has ended.
    while let Ok(body) = get(port, "/metrics") {
        assert!(Instant::now() < deadline, "still served");
        scraped = body;
        thread::sleep(PAUSE);
    }
    let run = program.end_within(LIMIT);
    run.assert_exit_code(0);
    for (name, text) in run.outputs() {
        assert!(!text.contains("hunter2"), "{name}: {text}");
    }
    let exports = collector.exports.lock().unwrap();
    for Export { head, .. } in &*exports {
        assert!(head.starts_with("post /base/v1/metrics http/1.1\r\n"), "{head}");
        assert!(head.contains("\r\ncontent-type: application/x-protobuf\r\n"), "{head}");
        assert!(head.contains("\r\nauthorization: bearer hunter2\r\n") && !head.contains("x-key"), "{head}");
    }
    let sent: Vec<_> = exports.iter().map(|export| Sent::read(&export.body)).collect();
    assert!(sent.len() >= 4, "{}", sent.len());
    let last = sent.last().unwrap();
    assert_equal(&last.series, &run.report);
    assert_eq!(names(&last.series), names(&parse(&scraped)));
    assert_eq!(last.source["service.name"], "hlswarm");
    assert_eq!(last.source["service.version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(last.source["service.instance.id"], run.report.text("/run/run_id"));
    for two in sent.windows(2) {
        assert_eq!((two[0].starts.len(), &two[0].starts), (1, &two[1].starts));
        for (name, before) in &two[0].counts {
            assert!(two[1].counts[name] >= *before, "{name}");
        }
    }
}

#[test]
fn a_collector_that_fails_is_said_once_and_harms_nothing() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let script =
        |status: &'static str, body: &'static str| Collector::start(move |_| answer(status, body)).url;
    let cases = [
        (format!("http://{closed}"), "connection refused"),
        (Collector::start(|_| None).url, "timed out"),
        (Collector::start(|_| Some(Vec::new())).url, "connection closed"),
        (Collector::start(|_| Some(b"SSH-2.0-OpenSSH\r\n\r\n".to_vec())).url, "not HTTP"),
        (script("429 Too Many Requests", "hunter2"), "HTTP 429 Too Many Requests"),
        (script("503 Service Unavailable", ""), "HTTP 503 Service Unavailable"),
        (script("200 OK", "<html>"), "the answer is not that of an OTLP collector"),
        (script("200 OK", "\x0a\x06\x08\x03\x12\x02no"), "3 points were rejected: no"),
    ];
    let load = ["--healthy", "-c", "2", "--ramp-time", "0", "-d", "4s", "--otlp-interval", "1s", "--otlp"];
    let start = |url: &str| Program::start_command(&["demo"], &[&load[..], &[url]].concat());
    let programs: Vec<_> = cases.iter().map(|(url, _)| start(url)).collect();
    for (program, (url, problem)) in programs.into_iter().zip(&cases) {
        let run = program.end_within(LIMIT);
        run.assert_exit_code(0);
        assert_eq!(run.report.count("/requests/finished"), run.report.count("/outcomes/ok"));
        let said = run.stderr();
        let is_note =
            |line: &&str| line.contains(&format!("  otlp: {url}/v1/metrics: {problem}; tried again"));
        // One that hangs has not failed when the run ends.
        let notes = usize::from(*problem != "timed out");
        assert_eq!(said.lines().filter(is_note).count(), notes, "{said}");
        assert!(said.contains(&format!(" failed, the last one too: {problem}\n")), "{said}");
        assert!(!said.contains("panicked"), "{said}");
    }
}

#[test]
fn exports_go_on_after_a_failure() {
    let collector = Collector::start(|number| match number {
        0 => answer("503 Service Unavailable", ""),
        _ => answer("200 OK", ""),
    });
    let load = ["--healthy", "-c", "1", "-d", "4s", "--otlp-interval", "1s", "--otlp", &collector.url];
    let run = Program::start_command(&["demo"], &load).end_within(LIMIT);
    run.assert_exit_code(0);
    let exports = collector.exports.lock().unwrap().len();
    assert!(exports >= 3, "{exports}");
    let expected = format!("hlswarm: otlp: 1 of {exports} exports failed, the last one arrived\n");
    assert!(run.stderr().contains(&expected), "{expected}: {}", run.stderr());
}
