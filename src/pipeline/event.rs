//! What clients and the controller tell: small plain values, put into words only where somebody reads them.
//!
//! Nothing in an event can hold a secret: requests are told by their kind and outcome, never by their address. The
//! one text, the note of a mark, is made harmless where the mark is made.

use std::sync::Arc;
use std::time::Duration;

use crate::vocabulary::{ClientState, Kind, Outcome, RunState, Untrusted, units};

/// The two kinds of things that go through the pipeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stream {
    /// One sample for each client and second.
    Progress,
    /// What happened.
    Events,
}

impl Stream {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Progress, Self::Events];

    /// The place in a table of two.
    pub(super) const fn index(self) -> usize {
        self as usize
    }
}

/// Something that happened, or how a client stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Microseconds since the start of the run.
    pub at_us: u64,
    /// The client's number; `None`: the whole run.
    pub client: Option<u64>,
    /// What happened.
    pub what: Happening,
}

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Happening {
    /// How a client stands; the one kind that is [`Stream::Progress`].
    Sample(Sample),
    /// A client was admitted.
    Joined,
    /// A client has gone.
    Left(Departure),
    /// A client went from one state to another.
    State {
        /// Before.
        from: ClientState,
        /// Now.
        to: ClientState,
    },
    /// A request ended badly.
    Fault {
        /// What was requested.
        request: Kind,
        /// How it ended.
        outcome: Outcome,
    },
    /// Playback stopped because the buffer ran dry.
    StallBegan,
    /// Playback goes on.
    StallEnded {
        /// How long it had stood still, in microseconds.
        lasted_us: u64,
    },
    /// The run went over to another state.
    Run(RunState),
    /// The load was changed.
    Load {
        /// What was done: `target`, `hold` or `resume`.
        change: &'static str,
        /// Clients wanted before.
        from: u32,
        /// Clients wanted now.
        to: u32,
        /// Who changed it.
        by: &'static str,
    },
    /// The operator marked this moment.
    Mark {
        /// Why, harmless to print.
        note: Arc<str>,
    },
}

/// Why a client is no longer there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Departure {
    /// It played the stream to its end.
    Finished,
    /// It was removed, or the run ended.
    Removed,
    /// What failed had been tried as often as its player does.
    GaveUp,
    /// It had stayed as long as it should.
    SessionOver,
    /// Its task panicked.
    Panicked,
}

impl Departure {
    /// The word in records.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Finished => "finished",
            Self::Removed => "removed",
            Self::GaveUp => "gave_up",
            Self::SessionOver => "session_over",
            Self::Panicked => "panicked",
        }
    }
}

/// How a client stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// What it does.
    pub state: ClientState,
    /// Media played, in microseconds.
    pub position_us: u64,
    /// Media in its buffer, in microseconds.
    pub buffer_us: u64,
    /// Time since it began minus media played, in microseconds.
    pub drift_us: u64,
    /// Requests started.
    pub requests: u64,
    /// Requests that did not end ok.
    pub failures: u64,
    /// Body bytes.
    pub bytes: u64,
    /// Stalls that began.
    pub stalls: u64,
}

impl Event {
    /// What the operator marked; the note is made harmless.
    pub fn mark(at_us: u64, note: &str) -> Self {
        let note = Untrusted::new(note).shown().into();
        Self { at_us, client: None, what: Happening::Mark { note } }
    }

    /// The stream that it belongs to.
    pub fn stream(&self) -> Stream {
        if matches!(self.what, Happening::Sample(_)) { Stream::Progress } else { Stream::Events }
    }
}

impl Happening {
    /// The kind in records and in the log.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Sample(_) => "progress",
            Self::Joined => "joined",
            Self::Left(_) => "left",
            Self::State { .. } => "state",
            Self::Fault { .. } => "fault",
            Self::StallBegan => "stall_began",
            Self::StallEnded { .. } => "stall_ended",
            Self::Run(_) => "run",
            Self::Load { .. } => "load",
            Self::Mark { .. } => "mark",
        }
    }

    /// Whether it is something that went wrong.
    pub const fn is_trouble(&self) -> bool {
        matches!(self, Self::Fault { .. } | Self::StallBegan | Self::Left(Departure::Panicked))
    }

    /// What happened, for the log.
    pub fn text(&self) -> String {
        match self {
            Self::Sample(sample) => sample.state.name().to_owned(),
            Self::Joined => "joined".to_owned(),
            Self::Left(why) => format!("left: {}", why.name()),
            Self::State { from, to } => format!("{} -> {}", from.name(), to.name()),
            Self::Fault { request, outcome } => format!("{} failed: {outcome}", request.name()),
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
    /// Its number, from 1; those that were lost on the way have none.
    pub number: u64,
    /// What happened, to whom, when.
    pub event: Event,
}

impl LogEntry {
    /// Time since the start of the run.
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
        let fault = Happening::Fault { request: Kind::Segment, outcome: Outcome::Http(HttpFailure::of(503)) };
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
