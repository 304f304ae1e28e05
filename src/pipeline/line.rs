//! Lines of a record: newline-delimited JSON, one object per line, distinguished by `kind`.
//!
//! * The first line has the kind `record` (identity of the run; `started_unix_ms` is the zero of `at_us`; `replay`: for
//!   `hlswarm replay` alone), the last one `end` (events offered and dropped): a file without it was cut off.
//! * Every other line has `at_us`, microseconds since the start of the run, and, if it concerns one client, `client`.
//!
//! | kind | other fields | stream |
//! | --- | --- | --- |
//! | `joined` | | events |
//! | `left` | `why`: finished, removed, gave_up, session_over, panicked | events |
//! | `state` | `from`, `to`: states of a client | events |
//! | `fault` | `request`: kind of the request; `outcome`: as in reports; of examples also `url`, `took_us`, `edge`, `cache`: hit, miss, aged, `ids`: headers that identify the response, `words`: first line of its body | events |
//! | `asked` | of a watched client; `request`: kind; `sequence`: media sequence number, of segments | events |
//! | `first_byte` | of its answer: `request`, `sequence`, `asked_us`, `first_byte_us`: after `asked_us` | events |
//! | `request` | its end: `request`, `sequence`, `asked_us`, `first_byte_us`: if a byte came, `took_us`, `bytes`, `outcome` | events |
//! | `stall_began` | | events |
//! | `stall_ended` | `lasted_us` | events |
//! | `run` | `state` of the run | events |
//! | `load` | `change`: target, hold, resume; `from`, `to`: clients wanted; `by`: originator | events |
//! | `mark` | `note` | events |
//! | `progress` | the fields of [`Sample`](super::Sample) | progress |
//! | `frame` | the fields of [`FrameLine`]; one per second, never dropped for lack of speed | |
//! | `sample` | all counters as changes, four times a second, for `hlswarm replay` alone: see `sample_line.rs` | |

use serde::Serialize;

use super::event::{Event, FailureDetails, Happening, WatchedRequest};
use crate::vocabulary::RunIdentity;

/// Version of the record's format.
pub const SCHEMA: &str = "hlswarm.record/1";

/// First line: which run it was.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Header {
    /// Identity of the run.
    #[serde(flatten)]
    pub(super) run: RunIdentity,
    /// Facts that a replay shows and never change: an object that only `hlswarm replay` reads.
    pub(super) replay: serde_json::Value,
}

/// State of the run at one moment, once a second.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct FrameLine {
    /// Microseconds since the start of the run.
    pub at_us: u64,
    /// State of the run.
    pub state: &'static str,
    /// Clients wanted.
    pub target: u32,
    /// Active clients: all except finished and dead ones.
    pub clients: u64,
    /// Stalled clients.
    pub stalled: u64,
    /// Requests started so far.
    pub requests_started: u64,
    /// Requests that reached their outcome so far.
    pub requests_finished: u64,
    /// Requests that failed so far, except those that were cut.
    pub errors: u64,
    /// Body bytes so far.
    pub bytes: u64,
    /// Body bits per second over the last ten seconds; `null`: unknown.
    pub bits_per_second: Option<f64>,
    /// Requests per second over the last ten seconds; `null`: unknown.
    pub requests_per_second: Option<f64>,
    /// Share of failed requests over the last ten seconds; `null`: unknown.
    pub error_share: Option<f64>,
    /// 95th percentile of the time to the first byte of segments over the last ten seconds; `null`: unknown.
    pub segment_ttfb_us_p95: Option<u64>,
    /// Verdict on the health of the stream.
    pub verdict: &'static str,
}

/// Last line: the counts of both streams.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct End {
    pub(super) at_us: u64,
    pub(super) progress_offered: u64,
    pub(super) progress_dropped: u64,
    pub(super) events_offered: u64,
    pub(super) events_dropped: u64,
}

#[derive(Serialize)]
struct Tagged<'a, T> {
    kind: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    schema: Option<&'a str>,
    #[serde(flatten)]
    fields: &'a T,
}

/// Writes the first line.
pub(super) fn header(buffer: &mut Vec<u8>, header: &Header) {
    tagged(buffer, &Tagged { kind: "record", schema: Some(SCHEMA), fields: header });
}

/// Writes the line of a frame.
pub(super) fn frame(buffer: &mut Vec<u8>, frame: &FrameLine) {
    tagged(buffer, &Tagged { kind: "frame", schema: None, fields: frame });
}

/// Writes the last line.
pub(super) fn end(buffer: &mut Vec<u8>, end: &End) {
    tagged(buffer, &Tagged { kind: "end", schema: None, fields: end });
}

fn tagged<T: Serialize>(buffer: &mut Vec<u8>, line: &Tagged<'_, T>) {
    // Serializing plain structs and numbers into memory cannot fail.
    _ = serde_json::to_writer(&mut *buffer, line);
    buffer.push(b'\n');
}

/// Writes the line of an event. Thousands of events arrive per second, so it allocates nothing for one.
pub(super) fn event(buffer: &mut Vec<u8>, event: &Event) {
    let mut line = Line(buffer);
    line.open(event);
    match &event.what {
        Happening::Sample(sample) => {
            line.text("state", sample.state.name());
            for (name, value) in [
                ("position_us", sample.position_us),
                ("buffer_us", sample.buffer_us),
                ("drift_us", sample.drift_us),
                ("requests", sample.requests),
                ("failures", sample.failures),
                ("bytes", sample.bytes),
                ("stalls", sample.stalls),
            ] {
                line.number(name, value);
            }
        }
        Happening::Joined | Happening::StallBegan => {}
        Happening::Left(why) => line.text("why", why.name()),
        Happening::State { from, to } => {
            line.text("from", from.name());
            line.text("to", to.name());
        }
        Happening::Fault { request, outcome, details } => {
            line.text("request", request.name());
            line.shown("outcome", outcome);
            if let Some(details) = details {
                line.details(details);
            }
        }
        Happening::Request(request) => line.request(request),
        Happening::StallEnded { lasted_us } => line.number("lasted_us", *lasted_us),
        Happening::Run(state) => line.text("state", state.name()),
        Happening::Load { change, from, to, by } => {
            line.text("change", change);
            line.number("from", u64::from(*from));
            line.number("to", u64::from(*to));
            line.text("by", by);
        }
        Happening::Mark { note } => line.text("note", note),
    }
    line.close();
}

/// A JSON object that is being written. Writes into memory cannot fail.
struct Line<'a>(&'a mut Vec<u8>);

impl Line<'_> {
    fn open(&mut self, event: &Event) {
        use std::io::Write as _;
        _ = write!(self.0, "{{\"kind\":\"{}\",\"at_us\":{}", event.what.kind(), event.at_us);
        if let Some(client) = event.client {
            self.number("client", client);
        }
    }

    fn number(&mut self, name: &str, value: u64) {
        use std::io::Write as _;
        _ = write!(self.0, ",\"{name}\":{value}");
    }

    fn text(&mut self, name: &str, value: &str) {
        use std::io::Write as _;
        _ = write!(self.0, ",\"{name}\":");
        _ = serde_json::to_writer(&mut *self.0, value);
    }

    /// Adds a value whose text needs no escapes.
    fn shown(&mut self, name: &str, value: &impl std::fmt::Display) {
        use std::io::Write as _;
        _ = write!(self.0, ",\"{name}\":\"{value}\"");
    }

    fn details(&mut self, details: &FailureDetails) {
        self.text("url", &details.url);
        self.number("took_us", details.took_us);
        if let Some(edge) = details.edge {
            self.shown("edge", &edge);
        }
        if let Some(cache) = details.cache {
            self.text("cache", cache.name());
        }
        for (name, text) in [("ids", &details.ids), ("words", &details.words)] {
            text.iter().for_each(|text| self.text(name, text));
        }
    }

    fn request(&mut self, request: &WatchedRequest) {
        self.text("request", request.kind.name());
        if let Some(sequence) = request.sequence {
            self.number("sequence", sequence);
        }
        if request.first_byte_us.is_some() || request.end.is_some() {
            self.number("asked_us", request.asked_us);
        }
        if let Some(first_byte_us) = request.first_byte_us {
            self.number("first_byte_us", first_byte_us.into());
        }
        let Some(end) = &request.end else { return };
        self.number("took_us", end.took_us.into());
        self.number("bytes", end.bytes);
        self.shown("outcome", &end.outcome);
    }

    fn close(&mut self) {
        self.0.extend_from_slice(b"}\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::RequestEnd;
    use crate::vocabulary::outcome::Fault;
    use crate::vocabulary::{CacheStatus, ClientState, Departure, Kind, Outcome};

    fn written(what: Happening) -> String {
        let mut buffer = Vec::new();
        event(&mut buffer, &Event { at_us: 1_500_000, client: Some(7), what });
        String::from_utf8(buffer).expect("UTF-8")
    }

    #[test]
    fn an_event_is_one_line_of_json_with_kind_time_and_client() {
        let outcome = Fault::ConnReset.into();
        assert_eq!(
            written(Happening::Fault { request: Kind::Segment, outcome, details: None }),
            "{\"kind\":\"fault\",\"at_us\":1500000,\"client\":7,\"request\":\"segment\",\"outcome\":\"conn.reset\"}\n"
        );
        let details = FailureDetails {
            url: "https://a.test/1.ts?***".into(),
            took_us: 12,
            edge: Some(([10, 0, 0, 1], 443).into()),
            cache: Some(CacheStatus::Miss),
            ids: Some("cf-ray 8f2a".into()),
            words: None,
        };
        let example = Happening::Fault { request: Kind::Segment, outcome, details: Some(Box::new(details)) };
        let fields = ",\"url\":\"https://a.test/1.ts?***\",\"took_us\":12,\"edge\":\"10.0.0.1:443\",\"cache\":\"miss\",\"ids\":\"cf-ray 8f2a\"}\n";
        assert!(written(example).ends_with(fields));
        let state = Happening::State { from: ClientState::Starting, to: ClientState::Playing };
        assert!(written(state).ends_with("\"from\":\"starting\",\"to\":\"playing\"}\n"));
        assert!(written(Happening::Left(Departure::Removed)).contains("\"why\":\"removed\""));
    }

    #[test]
    fn a_request_of_a_watched_client_is_three_lines() {
        let asked = WatchedRequest {
            asked_us: 1_500_000,
            kind: Kind::Segment,
            sequence: Some(18),
            first_byte_us: None,
            end: None,
        };
        let fields = ",\"client\":7,\"request\":\"segment\",\"sequence\":18";
        assert_eq!(
            written(Happening::Request(asked)),
            format!("{{\"kind\":\"asked\",\"at_us\":1500000{fields}}}\n")
        );
        let first = WatchedRequest { first_byte_us: Some(50), ..asked };
        let line = written(Happening::Request(first));
        assert!(line.starts_with("{\"kind\":\"first_byte\""), "{line}");
        assert!(line.ends_with("\"asked_us\":1500000,\"first_byte_us\":50}\n"), "{line}");
        let end = RequestEnd { took_us: 90, bytes: 4, outcome: Outcome::Ok };
        let (kind, sequence) = (Kind::Playlist, None);
        let line = written(Happening::Request(WatchedRequest { end: Some(end), kind, sequence, ..first }));
        assert!(
            line.starts_with("{\"kind\":\"request\",\"at_us\":1500000,\"client\":7,\"request\":\"playlist\"")
        );
        let times =
            "\"asked_us\":1500000,\"first_byte_us\":50,\"took_us\":90,\"bytes\":4,\"outcome\":\"ok\"}\n";
        assert!(line.ends_with(times), "{line}");
    }

    #[test]
    fn hostile_notes_stay_one_line_of_json() {
        for text in crate::vocabulary::untrusted::HOSTILE {
            let mut buffer = Vec::new();
            event(&mut buffer, &Event::mark(1, text));
            let line = String::from_utf8(buffer).expect("UTF-8");
            assert_eq!(line.lines().count(), 1, "{line:?}");
            assert!(line.trim_end().chars().all(|c| !c.is_control()), "{line:?}");
            serde_json::from_str::<serde_json::Value>(&line).expect("JSON");
        }
    }
}
