//! Reasons why clients leave a run: named by players and workers, written into the record.

/// Reason for a client's departure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Departure {
    /// The client played the stream to its end.
    Finished,
    /// The client was removed, or the run ended.
    Removed,
    /// The viewer left; another one takes its place.
    Left(LeaveReason),
    /// The client's task panicked.
    Panicked,
}

/// Reason why a viewer leaves of its own accord.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeaveReason {
    /// The player used up its retries, or lost its place in a live stream.
    GaveUp,
    /// The session reached its length.
    SessionOver,
}

/// Sort of a departure, in the words that dashboards of load testers use for the end of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitCategory {
    /// The viewer saw the stream to its end, or as much of it as it wanted.
    Success,
    /// The viewer left because of failures, or its task panicked.
    Error,
    /// hlswarm removed the client, or the run ended.
    Signal,
}

impl ExitCategory {
    /// Number of categories.
    pub const COUNT: usize = 3;

    /// All categories.
    pub const ALL: [Self; Self::COUNT] = [Self::Success, Self::Error, Self::Signal];

    /// Returns the name in metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Error => "error",
            Self::Signal => "signal",
        }
    }
}

impl Departure {
    /// Returns the category that the departure is counted in.
    pub const fn category(self) -> ExitCategory {
        match self {
            Self::Finished | Self::Left(LeaveReason::SessionOver) => ExitCategory::Success,
            Self::Left(LeaveReason::GaveUp) | Self::Panicked => ExitCategory::Error,
            Self::Removed => ExitCategory::Signal,
        }
    }

    /// Returns the word that records use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Finished => "finished",
            Self::Removed => "removed",
            Self::Left(LeaveReason::GaveUp) => "gave_up",
            Self::Left(LeaveReason::SessionOver) => "session_over",
            Self::Panicked => "panicked",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_keep_the_words_for_departures() {
        let left = [LeaveReason::GaveUp, LeaveReason::SessionOver].map(Departure::Left);
        let all = [Departure::Finished, Departure::Removed, left[0], left[1], Departure::Panicked];
        let words = ["finished", "removed", "gave_up", "session_over", "panicked"];
        assert_eq!(all.map(Departure::name), words);
    }
}
