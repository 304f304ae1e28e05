//! Views, panels of the overview, and the time span of charts.

use std::time::Duration;

use crate::tui::keys::Turn;

/// A view of the run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::tui) enum View {
    /// The key numbers, as panels and charts.
    #[default]
    Overview,
    /// All clients, as a map and with one line each.
    Clients,
    /// All kinds of failed requests, and the findings about the stream.
    Errors,
    /// The load tester itself.
    Generator,
    /// The events of the run and its clients, one line each.
    Log,
    /// The report of a run that has ended.
    Report,
    /// Latencies by kind and phase.
    Latency,
    /// The stream itself: its ladder, its playlists, its edges.
    Stream,
}

impl View {
    pub(in crate::tui) const ALL: [Self; 8] = [
        Self::Overview,
        Self::Clients,
        Self::Errors,
        Self::Generator,
        Self::Log,
        Self::Report,
        Self::Latency,
        Self::Stream,
    ];

    /// Returns the key of the view.
    pub(in crate::tui) fn number(self) -> usize {
        Self::ALL.iter().position(|view| *view == self).map_or(1, |place| place + 1)
    }

    /// Returns the name in the line of views.
    pub(in crate::tui) const fn name(self) -> &'static str {
        match self {
            Self::Overview => "Overview",
            Self::Clients => "Clients",
            Self::Errors => "Errors",
            Self::Generator => "Generator",
            Self::Log => "Log",
            Self::Report => "Report",
            Self::Latency => "Latency",
            Self::Stream => "Stream",
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
    /// All panels, in the order in which Tab reaches them.
    pub(in crate::tui) const ALL: [Self; crate::tui::layout::overview::PANELS] =
        [Self::Clients, Self::Latency, Self::Traffic, Self::Errors];
}

/// Time span of the charts.
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

    /// Returns the name on the screen.
    pub(in crate::tui) const fn name(self) -> &'static str {
        match self {
            Self::TwoMinutes => "last 2 m",
            Self::TenMinutes => "last 10 m",
            Self::Hour => "last 1 h",
            Self::Run => "whole run",
        }
    }

    /// Returns the length of the span; `None` for the run so far.
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
