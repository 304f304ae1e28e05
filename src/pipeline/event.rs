//! Events that clients and the controller report: small plain values, formatted as text only for a reader.
//!
//! An event cannot hold a secret: it names a request by its kind and outcome. Its texts, the note of a mark and the
//! URL of an example, are made safe to print where they are made.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::vocabulary::{CacheStatus, ClientState, Departure, Kind, Outcome, RunState, Untrusted, units};

/// The two kinds of data that go through the pipeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stream {
    /// One sample for each client and second.
    Progress,
    /// Everything else that happens: joins, faults, stalls and so on.
    Events,
}

impl Stream {
    /// Both streams.
    pub const ALL: [Self; 2] = [Self::Progress, Self::Events];

    /// Returns the index into a table of two.
    pub(super) const fn index(self) -> usize {
        self as usize
    }
}

/// Something that happened, or the state of a client at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Microseconds since the start of the run.
    pub at_us: u64,
    /// Number of the client; `None`: the event concerns the whole run.
    pub client: Option<u64>,
    /// Content of the event.
    pub what: Happening,
}

/// Content of an event.
#[derive(Clone, Debug, PartialEq)]
pub enum Happening {
    /// State of a client; the only content that belongs to [`Stream::Progress`].
    Sample(Sample),
    /// A client was admitted.
    Joined,
    /// A client left.
    Left(Departure),
    /// A client changed its state.
    State {
        /// Previous state.
        from: ClientState,
        /// New state.
        to: ClientState,
    },
    /// A request failed.
    Fault {
        /// Kind of the request.
        request: Kind,
        /// Outcome of the request.
        outcome: Outcome,
        /// More about the request, if it is an example of its outcome.
        details: Option<Box<FailureDetails>>,
    },
    /// A watched client made a request, the first byte of its answer came, or the request has ended.
    Request(WatchedRequest),
    /// Playback stopped because the buffer ran dry.
    StallBegan,
    /// Playback resumed.
    StallEnded {
        /// Length of the stall, in microseconds.
        lasted_us: u64,
    },
    /// The run changed its state.
    Run(RunState),
    /// The load was changed.
    Load {
        /// Kind of change: `target`, `hold`, `resume` or `stop`.
        change: &'static str,
        /// Clients wanted before the change.
        from: u32,
        /// Clients wanted after the change.
        to: u32,
        /// Originator of the change.
        by: &'static str,
    },
    /// The operator marked this moment.
    Mark {
        /// Note of the operator, safe to print.
        note: Arc<str>,
    },
}

/// Details of a failed request.
#[derive(Clone, Debug, PartialEq)]
pub struct FailureDetails {
    /// Requested URL as [`SecretUrl`](crate::vocabulary::SecretUrl) shows it: without user and query, tokens in its path
    /// hidden, safe to print.
    pub url: Box<str>,
    /// Time from the request to its outcome, in microseconds.
    pub took_us: u64,
    /// Address that answered; `None`: no response came.
    pub edge: Option<SocketAddr>,
    /// Hit or miss of a cache, as far as the response says so.
    pub cache: Option<CacheStatus>,
    /// Headers that identify the response, without secrets of the run, safe to print.
    pub ids: Option<Box<str>>,
    /// First line of the body, without secrets of the run, safe to print.
    pub words: Option<Box<str>>,
}

/// Request of a watched client, with its redirects and local retries, as far as it has got. Times but the first count
/// from the moment at which the client made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WatchedRequest {
    /// Time at which the client made it, in microseconds since the start of the run.
    pub asked_us: u64,
    /// Kind of the request.
    pub kind: Kind,
    /// Media sequence number, of segments.
    pub sequence: Option<u64>,
    /// Time to the first byte, in microseconds; `None` before it, and if none came.
    pub first_byte_us: Option<u32>,
    /// Its end; `None` while it is open.
    pub end: Option<RequestEnd>,
}

/// End of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestEnd {
    /// Time to its outcome, in microseconds, at most 71 minutes.
    pub took_us: u32,
    /// Body bytes that came.
    pub bytes: u64,
    /// Its outcome.
    pub outcome: Outcome,
}

impl WatchedRequest {
    /// Reports whether this is a later report of `open`.
    pub(super) fn continues(&self, open: &Self) -> bool {
        let same = (self.asked_us, self.kind, self.sequence) == (open.asked_us, open.kind, open.sequence);
        same && open.end.is_none()
    }
}

/// State of a client at one moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// State of playback.
    pub state: ClientState,
    /// Media played, in microseconds.
    pub position_us: u64,
    /// Media in its buffer, in microseconds.
    pub buffer_us: u64,
    /// Time since it began minus media played, in microseconds.
    pub drift_us: u64,
    /// Requests started so far.
    pub requests: u64,
    /// Requests that did not end ok.
    pub failures: u64,
    /// Body bytes received so far.
    pub bytes: u64,
    /// Stalls that began.
    pub stalls: u64,
}

impl Event {
    /// Creates the event of an operator's mark; makes `note` safe to print.
    pub fn mark(at_us: u64, note: &str) -> Self {
        let note = Untrusted::new(note).shown().into();
        Self { at_us, client: None, what: Happening::Mark { note } }
    }

    /// Returns the stream that the event belongs to.
    pub fn stream(&self) -> Stream {
        if matches!(self.what, Happening::Sample(_)) { Stream::Progress } else { Stream::Events }
    }
}

impl Happening {
    /// Returns the kind, as records and the log name it.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Sample(_) => "progress",
            Self::Joined => "joined",
            Self::Left(_) => "left",
            Self::State { .. } => "state",
            Self::Fault { .. } => "fault",
            Self::Request(WatchedRequest { end: Some(_), .. }) => "request",
            Self::Request(WatchedRequest { first_byte_us: Some(_), .. }) => "first_byte",
            Self::Request(_) => "asked",
            Self::StallBegan => "stall_began",
            Self::StallEnded { .. } => "stall_ended",
            Self::Run(_) => "run",
            Self::Load { .. } => "load",
            Self::Mark { .. } => "mark",
        }
    }

    /// Reports whether the log shows events of this kind.
    pub const fn is_logged(&self) -> bool {
        !matches!(self, Self::Sample(_) | Self::Request(_))
    }

    /// Reports whether something went wrong.
    pub const fn is_trouble(&self) -> bool {
        matches!(self, Self::Fault { .. } | Self::StallBegan | Self::Left(Departure::Panicked))
    }

    /// Returns the length of a stall that has ended, in microseconds.
    pub const fn stalled_us(&self) -> Option<u64> {
        match self {
            Self::StallEnded { lasted_us } => Some(*lasted_us),
            _ => None,
        }
    }

    /// Describes the event for the log.
    pub fn text(&self) -> String {
        match self {
            Self::Sample(sample) => sample.state.name().to_owned(),
            Self::Joined => "joined".to_owned(),
            Self::Left(why) => format!("left: {}", why.name()),
            Self::State { from, to } => format!("{} -> {}", from.name(), to.name()),
            Self::Fault { request, outcome, .. } => format!("{} failed: {outcome}", request.name()),
            Self::Request(request) => request.kind.name().to_owned(),
            Self::StallBegan => "stall began".to_owned(),
            Self::StallEnded { lasted_us } => {
                format!("stall ended after {} ms", units::milliseconds(*lasted_us))
            }
            Self::Run(state) => state.name().to_owned(),
            Self::Load { change, from, to, by } => format!(
                "{change} {} -> {} by {by}",
                units::count(u64::from(*from)),
                units::count(u64::from(*to))
            ),
            Self::Mark { note } => format!("mark: {note}"),
        }
    }
}

/// One line of the log.
#[derive(Clone, Debug, PartialEq)]
pub struct LogEntry {
    /// Number of the event, from 1. Events that were lost on the way have no number.
    pub number: u64,
    /// The event, with its client and time.
    pub event: Event,
}

impl LogEntry {
    /// Returns the time since the start of the run.
    pub fn at(&self) -> Duration {
        Duration::from_micros(self.event.at_us)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocabulary::outcome::HttpFailure;

    #[test]
    fn what_happened_is_said_in_words() {
        let outcome = Outcome::Http(HttpFailure::new(503));
        let fault = Happening::Fault { request: Kind::Segment, outcome, details: None };
        assert_eq!((fault.kind(), fault.text().as_str()), ("fault", "segment failed: http.503"));
        assert!(fault.is_trouble() && !Happening::Joined.is_trouble());
        let load = Happening::Load { change: "target", from: 10, to: 2_500, by: "operator" };
        assert_eq!(load.text(), "target 10 -> 2,500 by operator");
    }

    #[test]
    fn the_note_of_a_mark_is_harmless() {
        assert_eq!(Event::mark(5, "deploy\x1b[2J\n2").what.text(), "mark: deploy^[[2J 2");
    }
}
