//! What can be looked at: views, panels of the overview, the time that charts show.

use std::time::Duration;

use crate::tui::keys::Turn;

/// A picture of the run from one side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::tui) enum View {
    /// Everything that decides.
    #[default]
    Overview,
    /// All clients as a map, one line per client.
    Clients,
    /// Every way in which requests failed, and what is wrong with the stream.
    Errors,
    /// The load tester itself.
    Generator,
    /// What happened, one line each.
    Log,
    /// The report of a run that has ended.
    Report,
}

impl View {
    pub(in crate::tui) const ALL: [Self; 6] =
        [Self::Overview, Self::Clients, Self::Errors, Self::Generator, Self::Log, Self::Report];

    /// The word in the line of views.
    pub(in crate::tui) const fn name(self) -> &'static str {
        match self {
            Self::Overview => "Overview",
            Self::Clients => "Clients",
            Self::Errors => "Errors",
            Self::Generator => "Generator",
            Self::Log => "Log",
            Self::Report => "Report",
        }
    }
}

/// A panel of the overview.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::tui) enum Panel {
    #[default]
    Clients,
    Latency,
    Traffic,
    Errors,
}

impl Panel {
    const ALL: [Self; 4] = [Self::Clients, Self::Latency, Self::Traffic, Self::Errors];

    pub(super) fn turned(self, turn: Turn) -> Self {
        turn.in_round(&Self::ALL, self)
    }
}

/// The time that charts show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::tui) enum ChartWindow {
    #[default]
    Run,
    TwoMinutes,
    TenMinutes,
    Hour,
}

impl ChartWindow {
    const ALL: [Self; 4] = [Self::TwoMinutes, Self::TenMinutes, Self::Hour, Self::Run];

    /// How it is called on the screen.
    pub(in crate::tui) const fn name(self) -> &'static str {
        match self {
            Self::TwoMinutes => "last 2 m",
            Self::TenMinutes => "last 10 m",
            Self::Hour => "last 1 h",
            Self::Run => "whole run",
        }
    }

    /// How long it is; `None`: the run so far.
    pub(in crate::tui) const fn length(self) -> Option<Duration> {
        match self {
            Self::TwoMinutes => Some(Duration::from_secs(120)),
            Self::TenMinutes => Some(Duration::from_secs(600)),
            Self::Hour => Some(Duration::from_secs(3600)),
            Self::Run => None,
        }
    }

    pub(super) fn turned(self, turn: Turn) -> Self {
        turn.in_round(&Self::ALL, self)
    }
}
