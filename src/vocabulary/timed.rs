//! Durations that a run measures: a closed list, in the order of every report.

use super::Kind;

/// A duration that is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Timed {
    /// Resolving a name.
    Dns,
    /// Opening a TCP connection.
    Connect,
    /// The TLS handshake.
    Tls,
    /// Time from a client's first request to the first frame that it plays.
    Startup,
    /// Delay of a viewer against the live stream, taken with each playlist that brought something new.
    LiveLatency,
    /// Time from sending the request to the first byte of the response, for requests that ended ok.
    FirstByte(Kind),
    /// Time from the first byte to the last byte of the response, for requests that ended ok.
    Body(Kind),
    /// Time from the start of the request (including a connection it needed) to its end, for requests that ended ok.
    Total(Kind),
    /// The same for requests that failed; timeouts count with their full waiting time.
    Failed(Kind),
}

impl Timed {
    /// Number of durations that are measured.
    pub const COUNT: usize = 5 + 4 * Kind::COUNT;

    /// Returns all durations that are measured, in the order of the reports.
    pub fn all() -> impl Iterator<Item = Self> {
        let per_kind =
            |kind| [Self::FirstByte(kind), Self::Body(kind), Self::Total(kind), Self::Failed(kind)];
        [Self::Dns, Self::Connect, Self::Tls, Self::Startup, Self::LiveLatency]
            .into_iter()
            .chain(Kind::ALL.into_iter().flat_map(per_kind))
    }

    /// Returns the index in a table of [`Timed::COUNT`].
    pub const fn index(self) -> usize {
        match self {
            Self::Dns => 0,
            Self::Connect => 1,
            Self::Tls => 2,
            Self::Startup => 3,
            Self::LiveLatency => 4,
            Self::FirstByte(kind) => 5 + 4 * kind.index(),
            Self::Body(kind) => 6 + 4 * kind.index(),
            Self::Total(kind) => 7 + 4 * kind.index(),
            Self::Failed(kind) => 8 + 4 * kind.index(),
        }
    }

    /// Returns the name in reports: `segment_ttfb`, `segment_body`, `segment`, `segment_failed`, `dns`, ...
    pub fn name(self) -> String {
        match self {
            Self::Dns => "dns".to_owned(),
            Self::Connect => "connect".to_owned(),
            Self::Tls => "tls".to_owned(),
            Self::Startup => "startup".to_owned(),
            Self::LiveLatency => "live_latency".to_owned(),
            Self::FirstByte(kind) => format!("{}_ttfb", kind.name()),
            Self::Body(kind) => format!("{}_body", kind.name()),
            Self::Total(kind) => kind.name().to_owned(),
            Self::Failed(kind) => format!("{}_failed", kind.name()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_timed_thing_has_its_own_place() {
        for (index, timed) in Timed::all().enumerate() {
            assert_eq!(timed.index(), index, "{}", timed.name());
        }
        assert_eq!(Timed::all().count(), Timed::COUNT);
    }
}
