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
            ids: self.shown("ids").map(Into::into),
            words: self.shown("words").map(Into::into),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::line;
    use crate::vocabulary::outcome::Fault;

    const FIRST: &str = "{\"kind\":\"record\",\"schema\":\"hlswarm.record/1\"}\n";

    /// Reads a record with this line after its first one.
    fn read(text: &[u8]) -> Result<RecordLine, Unreadable> {
        let record = [FIRST.as_bytes(), text].concat();
        let mut reader = RecordReader::new(&record[..]);
        assert!(matches!(reader.next(), Ok(RecordLine::Run(_))));
        let line = reader.next();
        let [lines, bytes] = reader.read_so_far();
        assert!(line.is_err() || (lines, bytes) == (2, record.len() as u64));
        line
    }

    #[test]
    fn every_event_that_a_replay_needs_is_read_as_it_was_written() {
        let outcome = Fault::ConnReset.into();
        let details = |edge, cache| FailureDetails {
            url: "https://a.test/1.ts?***".into(),
            took_us: 12,
            edge,
            cache,
            ids: cache.map(|_| "cf-ray 8f2a".into()),
            words: cache.map(|_| "no \"server\"".into()),
        };
        let edge = Some(([10, 0, 0, 1], 443).into());
        let fault = |details| Happening::Fault { request: Kind::Segment, outcome, details };
        let asked = WatchedRequest {
            asked_us: 7,
            kind: Kind::Segment,
            sequence: Some(18),
            first_byte_us: None,
            end: None,
        };
        let first = WatchedRequest { first_byte_us: Some(50), ..asked };
        let end = RequestEnd { took_us: 90, bytes: 4, outcome: Outcome::Ok };
        let load = |change, by| Happening::Load { change, from: 3, to: 9, by };
        for what in [
            Happening::Joined,
            Happening::Left(Departure::Panicked),
            Happening::Left(Departure::Left(LeaveReason::SessionOver)),
            Happening::State { from: ClientState::Starting, to: ClientState::Dead },
            fault(None),
            fault(Some(Box::new(details(edge, Some(CacheStatus::Aged))))),
            fault(Some(Box::new(details(None, None)))),
            Happening::Request(asked),
            Happening::Request(first),
            Happening::Request(WatchedRequest { end: Some(end), ..first }),
            Happening::Request(WatchedRequest { end: Some(end), sequence: None, ..asked }),
            Happening::StallBegan,
            Happening::StallEnded { lasted_us: 5 },
            Happening::Run(RunState::Hold),
            load("target", "operator"),
            load("stop", "max_bytes"),
            Happening::Mark { note: "a \"note\"".into() },
        ] {
            let event = Event { at_us: 7, client: Some(3), what };
            let mut text = Vec::new();
            line::event(&mut text, &event);
            let read = read(&text);
            assert!(matches!(&read, Ok(RecordLine::Event(again)) if *again == event), "{event:?}: {read:?}");
        }
    }

    #[test]
    fn a_line_that_is_none_ends_the_reading_and_one_of_a_later_version_does_not() {
        let of = |text: &str| read(text.as_bytes()).map_err(|why| why.to_string());
        for (text, why) in [
            ("", "the record was cut off"),
            ("{\"kind\":\"joined\",\"at_us\":1}", "the record was cut off"),
            ("{\"kind\":\"joined\",\n", "line 2: it is not JSON"),
            ("{\"at_us\":1}\n", "line 2: it has no kind"),
            ("{\"kind\":\"joined\",\"at_us\":8640000000001}\n", "line 2: its time is none of a run"),
            ("{\"kind\":\"sample\",\"at_us\":1}\n", "line 2: a field is missing or of another type"),
            ("{\"kind\":\"end\",\"at_us\":1}\n", "line 2: a field is missing or of another type"),
        ] {
            assert_eq!(of(text).expect_err(text), why, "{text}");
        }
        for text in
            ["{\"kind\":\"later\",\"at_us\":1}\n", "{\"kind\":\"left\",\"at_us\":1,\"why\":\"later\"}\n"]
        {
            assert!(matches!(of(text), Ok(RecordLine::Other)), "{text}");
        }
        let end = "{\"kind\":\"end\",\"at_us\":1,\"progress_offered\":9,\"progress_dropped\":2,\
                   \"events_offered\":1,\"events_dropped\":5}\n";
        let Ok(RecordLine::End { progress, events }) = of(end) else { panic!("no end") };
        assert_eq!(progress, Counts { offered: 9, delivered: 7, dropped: 2 });
        assert_eq!(
            events,
            Counts { offered: 1, delivered: 0, dropped: 5 },
            "also if they contradict each other"
        );
    }

    #[test]
    fn texts_are_made_safe_to_print() {
        let mark = "{\"kind\":\"mark\",\"at_us\":1,\"note\":\"\\u001b[2J\"}\n";
        let Ok(RecordLine::Event(event)) = read(mark.as_bytes()) else { panic!("no event") };
        assert_eq!(event.what.text(), "mark: ^[[2J");
    }
}
