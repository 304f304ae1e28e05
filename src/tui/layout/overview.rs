//! Places of the overview.

use ratatui::layout::{Rect, Size};

use super::{Breadth, RULE, body, lines, take, take_bottom, take_right};

/// Ramp and states, one line each.
const CLIENTS: u16 = 2 + RULE;
/// Ramp and five states.
const STATES: u16 = 6 + RULE;
/// Heading and three lines; more where there is room.
const LATENCY: u16 = 4 + RULE;
const LATENCY_WIDE: u16 = 8 + RULE;
/// One line; a second one where there is room.
const TRAFFIC: u16 = 1 + RULE;
/// Minimum and maximum height of the errors; at medium size they take all that is left.
const ERRORS: std::ops::RangeInclusive<u16> = 5..=11;
/// Minimum height of a list that is worth its rule.
const TABLE: u16 = 5;
/// Columns of the right side.
const RIGHT: u16 = 50;
const RIGHT_WIDE: u16 = 62;
/// Columns of a chart's scale.
pub(in crate::tui) const SCALE: u16 = 10;
/// Columns of the latency table without its small charts.
const LATENCY_COLUMNS: u16 = 13 + 4 * 8 + 4;
/// Minimum width of a useful small chart.
const SPARK_LEAST: u16 = 8;

/// Panels that can have the focus.
pub(in crate::tui) const PANELS: usize = 4;

/// Areas of the panels.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::tui) struct Places {
    pub(in crate::tui) clients: Rect,
    pub(in crate::tui) latency: Rect,
    pub(in crate::tui) traffic: Rect,
    pub(in crate::tui) errors: Rect,
    pub(in crate::tui) charts: [Rect; 4],
    pub(in crate::tui) axis: Rect,
    pub(in crate::tui) log: Rect,
    pub(in crate::tui) worst: Rect,
}

impl Places {
    #[cfg(test)]
    pub(super) fn all(&self) -> Vec<Rect> {
        let panels = [self.clients, self.latency, self.traffic, self.errors, self.axis, self.log, self.worst];
        panels.into_iter().chain(self.charts).collect()
    }

    /// Returns the columns of a chart's bars.
    pub(in crate::tui) fn chart_columns(&self) -> usize {
        let charted = self.charts.iter().find(|chart| !chart.is_empty());
        charted.map_or(0, |chart| usize::from(super::inside(*chart).width.saturating_sub(SCALE)))
    }

    /// Returns the columns that the table of latencies leaves to small charts; 0 if they are too few.
    pub(in crate::tui) fn spark_columns(&self) -> u16 {
        let left = super::inside(self.latency).width.saturating_sub(LATENCY_COLUMNS);
        if left >= SPARK_LEAST { left } else { 0 }
    }

    pub(in crate::tui) fn error_lines(&self) -> usize {
        lines(self.errors, 0)
    }

    pub(in crate::tui) fn log_lines(&self) -> usize {
        lines(self.log, 0)
    }

    pub(in crate::tui) fn worst_lines(&self) -> usize {
        lines(self.worst, 1)
    }
}

/// Returns the places in a body of this size.
pub(in crate::tui) fn places(room: Size) -> Places {
    match Breadth::new(room) {
        Breadth::Wide => wide(body(room)),
        Breadth::Medium => medium(body(room)),
        Breadth::Narrow => narrow(body(room)),
    }
}

fn narrow(mut rest: Rect) -> Places {
    let clients = take(&mut rest, CLIENTS);
    let latency = take(&mut rest, LATENCY);
    let spare = rest.height.saturating_sub(TRAFFIC + ERRORS.start());
    let traffic = take(&mut rest, TRAFFIC + spare.min(1));
    let for_errors = match rest.height {
        height if height >= ERRORS.start() + TABLE => (height - TABLE).min(*ERRORS.end()),
        height => height,
    };
    let errors = take(&mut rest, for_errors);
    Places { clients, latency, traffic, errors, worst: rest, ..Places::default() }
}

fn medium(mut rest: Rect) -> Places {
    let mut right = take_right(&mut rest, RIGHT);
    let log = take_bottom(&mut rest, TABLE);
    let axis = take_bottom(&mut rest, 1);
    let half = rest.height.div_ceil(2);
    let first = take(&mut rest, half);
    let clients = take(&mut right, CLIENTS);
    let latency = take(&mut right, LATENCY);
    let traffic = take(&mut right, TRAFFIC + 1);
    let charts = [first, rest, Rect::ZERO, Rect::ZERO];
    Places { clients, latency, traffic, errors: right, charts, axis, log, ..Places::default() }
}

fn wide(mut rest: Rect) -> Places {
    let mut right = take_right(&mut rest, RIGHT_WIDE);
    let log = take_bottom(&mut rest, TABLE + 3);
    let axis = take_bottom(&mut rest, 1);
    let height = rest.height / 4;
    let charts = [height, height, height, rest.height - 3 * height].map(|height| take(&mut rest, height));
    let clients = take(&mut right, STATES);
    let latency = take(&mut right, LATENCY_WIDE);
    let traffic = take(&mut right, TRAFFIC + 1);
    let for_errors = (right.height / 2).min(*ERRORS.end());
    let errors = take(&mut right, for_errors);
    Places { clients, latency, traffic, errors, charts, axis, log, worst: right }
}
