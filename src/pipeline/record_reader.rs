//! Reads a record, which may come from anywhere: lines are bounded, texts are sanitised, and a line that is damaged or
//! cut ends the reading.

use std::fmt;
use std::io::{self, BufRead, Read as _};
use std::sync::Arc;

use serde_json::Value;

use super::event::{Event, FailureDetails, Happening, RequestEnd, WatchedRequest};
use super::gauges::Counts;
use super::line::SCHEMA;
use super::sample_line::SampleLine;
use crate::vocabulary::{
    CacheStatus, ClientState, Departure, HardStop, Kind, LeaveReason, Outcome, RunState, Untrusted,
};

/// Longest line that is read: a sample in which hundreds of thousands of clients join.
const LINE_BYTES: u64 = 64 << 20;
/// Most values of a line; each takes 32 bytes in memory.
const LINE_VALUES: usize = 8_000_000;
/// Latest time that is read, in microseconds: a hundred days.
const LATEST_US: u64 = 100 * 86_400 * 1_000_000;

/// A line of a record.
#[derive(Debug)]
pub enum RecordLine {
    /// The first line.
    Run(Value),
    /// Changes up to a sample.
    Sample(Box<SampleLine>),
    /// Something that happened.
    Event(Event),
    /// The last line: counts of samples of clients, and of events.
    End {
        /// Samples of clients.
        progress: Counts,
        /// Events.
        events: Counts,
    },
    /// A line that a replay does not need.
    Other,
}

/// End of a record before its last line.
#[derive(Debug)]
pub enum Unreadable {
    /// The file ends within a line or before its last one.
    Cut,
    /// This line is none of a record, for this reason.
    Damaged(u64, &'static str),
    /// The file cannot be read.
    Io(io::Error),
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cut => f.write_str("the record was cut off"),
            Self::Damaged(line, why) => write!(f, "line {line}: {why}"),
            Self::Io(error) => write!(f, "the record cannot be read on: {error}"),
        }
    }
}

/// Reader of a record.
pub struct RecordReader<'a> {
    source: Box<dyn BufRead + 'a>,
    line: Vec<u8>,
    lines: u64,
    bytes: u64,
}

impl fmt::Debug for RecordReader<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordReader").field("lines", &self.lines).finish_non_exhaustive()
    }
}

impl<'a> RecordReader<'a> {
    /// Creates a reader of a record from its first byte.
    pub fn new(source: impl BufRead + 'a) -> Self {
        Self { source: Box::new(source), line: Vec::new(), lines: 0, bytes: 0 }
    }

    /// Returns the number of lines and bytes that were read.
    pub fn read_so_far(&self) -> [u64; 2] {
        [self.lines, self.bytes]
    }

    /// Reads the next line.
    ///
    /// # Errors
    /// See [`Unreadable`]. There is nothing to read after an error.
    pub fn next(&mut self) -> Result<RecordLine, Unreadable> {
        self.line.clear();
        let mut source = (&mut *self.source).take(LINE_BYTES);
        source.read_until(b'\n', &mut self.line).map_err(Unreadable::Io)?;
        let damaged = |why| Unreadable::Damaged(self.lines + 1, why);
        if self.line.len() as u64 == LINE_BYTES {
            return Err(damaged("it is too long"));
        }
        if self.line.pop() != Some(b'\n') {
            return Err(Unreadable::Cut);
        }
        // Each value but the first follows one of these signs, which texts may have besides.
        if self.line.iter().filter(|sign| matches!(sign, b',' | b'[' | b'{')).count() > LINE_VALUES {
            return Err(damaged("it has too many values"));
        }
        let value: Value = serde_json::from_slice(&self.line).map_err(|_| damaged("it is not JSON"))?;
        let line = if self.lines == 0 { first(value) } else { other(&value) };
        let line = line.map_err(damaged)?;
        self.lines += 1;
        self.bytes += self.line.len() as u64 + 1;
        Ok(line)
    }
}

/// Reads the first line.
fn first(value: Value) -> Result<RecordLine, &'static str> {
    let is_record = value.get("kind").and_then(Value::as_str) == Some("record");
    match value.get("schema").and_then(Value::as_str) {
        Some(SCHEMA) if is_record => Ok(RecordLine::Run(value)),
        Some(_) if is_record => Err("its schema is that of another version of hlswarm"),
        _ => Err("expected the first line of a record, as --record FILE writes it"),
    }
}

/// Reads any other line.
fn other(value: &Value) -> Result<RecordLine, &'static str> {
    let line = Fields(value);
    let kind = line.text("kind").ok_or("it has no kind")?;
    if line.number("at_us").is_none_or(|at_us| at_us > LATEST_US) {
        return Err("its time is none of a run");
    }
    let read = match kind {
        "sample" => SampleLine::read(value).map(|sample| RecordLine::Sample(Box::new(sample))),
        "end" => {
            let [progress, events] = ["progress", "events"].map(|stream| line.counts(stream));
            progress.zip(events).map(|(progress, events)| RecordLine::End { progress, events })
        }
        _ => match line.happening(kind) {
            Some(what) => line.event(what).map(RecordLine::Event),
            // A kind of a later version, or one that a replay does not need.
            None => Some(RecordLine::Other),
        },
    };
    read.ok_or("a field is missing or of another type")
}

/// Fields of a line.
#[derive(Clone, Copy)]
struct Fields<'a>(&'a Value);

impl<'a> Fields<'a> {
    fn text(self, name: &str) -> Option<&'a str> {
        self.0.get(name)?.as_str()
    }

    fn number(self, name: &str) -> Option<u64> {
        self.0.get(name)?.as_u64()
    }

    fn count(self, name: &str) -> Option<u32> {
        self.number(name)?.try_into().ok()
    }

    fn shown(self, name: &str) -> Option<String> {
        self.text(name).map(|text| Untrusted::new(text).shown())
    }

    fn counts(self, stream: &str) -> Option<Counts> {
        let [offered, dropped] = ["offered", "dropped"].map(|what| self.number(&format!("{stream}_{what}")));
        let (offered, dropped) = offered.zip(dropped)?;
        Some(Counts { offered, delivered: offered.saturating_sub(dropped), dropped })
    }

    fn event(self, what: Happening) -> Option<Event> {
        Some(Event { at_us: self.number("at_us")?, client: self.number("client"), what })
    }

    fn state(self, name: &str) -> Option<ClientState> {
        let name = self.text(name)?;
        ClientState::ALL.into_iter().find(|state| state.name() == name)
    }

    fn request_kind(self) -> Option<Kind> {
        let name = self.text("request")?;
        Kind::ALL.into_iter().find(|kind| kind.name() == name)
    }

    fn outcome(self) -> Option<Outcome> {
        Outcome::from_name(self.text("outcome")?)
    }

    /// Reads an event of this kind; `None` if it is none, or if a field is missing.
    fn happening(self, kind: &str) -> Option<Happening> {
        Some(match kind {
            "joined" => Happening::Joined,
            "left" => Happening::Left(departure(self.text("why")?)?),
            "state" => Happening::State { from: self.state("from")?, to: self.state("to")? },
            "fault" => Happening::Fault {
                request: self.request_kind()?,
                outcome: self.outcome()?,
                details: self.details().map(Box::new),
            },
            "asked" | "first_byte" | "request" => Happening::Request(self.request(kind)?),
            "stall_began" => Happening::StallBegan,
            "stall_ended" => Happening::StallEnded { lasted_us: self.number("lasted_us")? },
            "run" => {
                let name = self.text("state")?;
                Happening::Run(RunState::ALL.into_iter().find(|state| state.name() == name)?)
            }
            "load" => Happening::Load {
                change: known(&["target", "hold", "resume", "stop"], self.text("change")?)?,
                from: self.count("from")?,
                to: self.count("to")?,
                by: source(self.text("by")?)?,
            },
            "mark" => Happening::Mark { note: Arc::from(self.shown("note")?) },
            _ => return None,
        })
    }

    /// Reads the details of a failed request, if it has any.
    fn details(self) -> Option<FailureDetails> {
        let caches = [CacheStatus::Hit, CacheStatus::Miss, CacheStatus::Aged];
        let cache = self.text("cache");
        Some(FailureDetails {
            url: self.shown("url")?.into(),
            took_us: self.number("took_us")?,
            edge: self.text("edge").and_then(|edge| edge.parse().ok()),
            cache: caches.into_iter().find(|status| Some(status.name()) == cache),
        })
    }

    fn request(self, kind: &str) -> Option<WatchedRequest> {
        let asked_us = self.number(if kind == "asked" { "at_us" } else { "asked_us" })?;
        let end = || {
            let (took_us, bytes) = (self.count("took_us")?, self.number("bytes")?);
            Some(RequestEnd { took_us, bytes, outcome: self.outcome()? })
        };
        Some(WatchedRequest {
            asked_us: asked_us.min(LATEST_US),
            kind: self.request_kind()?,
            sequence: self.number("sequence"),
            first_byte_us: self.count("first_byte_us"),
            end: if kind == "request" { Some(end()?) } else { None },
        })
    }
}

fn departure(name: &str) -> Option<Departure> {
    let left = [LeaveReason::GaveUp, LeaveReason::SessionOver].map(Departure::Left);
    let all = [Departure::Finished, Departure::Removed, Departure::Panicked].into_iter().chain(left);
    all.into_iter().find(|departure| departure.name() == name)
}

/// Returns the word for the originator of a change of the load.
fn source(name: &str) -> Option<&'static str> {
    let stop = || HardStop::ALL.map(HardStop::name);
    known(&["plan", "preflight", "operator", "brake"], name).or_else(|| known(&stop(), name))
}

fn known(words: &[&'static str], word: &str) -> Option<&'static str> {
    words.iter().find(|known| **known == word).copied()
}
