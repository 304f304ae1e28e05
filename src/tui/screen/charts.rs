//! Charts over time, each below its rule, and the verdict and the ticks of their common axis.
//!
//! ```text
//!  ─ Clients ───────────────── ■ play 4,102  ■ stalled 1,904  29.4% ─
//!   10,000                  errors 1% ◆  ◆ stalls 1%
//!                                     ┊  ┊▁▂▃▄▅▆▇█████
//!        0 ▁▁▂▃▄▅▆▇█████████████████████████████████▇▇
//!  verdict ▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄
//!          ╵0:00           ╵1:00          ╵2:00 now 2:41
//! ```

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::frame::{Head, panel};
use crate::tui::layout::overview::{LABELS, MARKERS, SCALE};
use crate::tui::model::{Charts, Figure, LEGEND_ROOM, Stack, Text};
use crate::tui::theme::Theme;
use crate::tui::widget::{self, Band};

/// Draws the charts in their places; an empty place has none.
pub(super) fn draw(charts: &Charts, places: &[Rect], theme: Theme, buffer: &mut Buffer) {
    let places = places.iter().filter(|place| !place.is_empty());
    // The columns up to the present.
    let shown = charts.axis.column(charts.axis.now).map_or(0, |column| column + 1);
    for (number, (place, chart)) in places.zip(&charts.charts).enumerate() {
        let head = Head { title: &chart.title, aside: &chart.aside, focused: chart.focused };
        let has_rule = !chart.title.text.is_empty();
        let inner = if has_rule { panel(head, theme, *place, buffer) } else { bare(*place) };
        // The first chart keeps a line for the words of the moments: what is drawn must not hide them.
        let labelled = number == 0 && has_rule;
        let labels = if labelled { LABELS } else { 0 };
        let below = Rect {
            y: inner.y + labels.min(inner.height),
            height: inner.height.saturating_sub(labels),
            ..inner
        };
        figure(&chart.figure, shown, theme, below, buffer);
        legend(&chart.aside, theme, *place, buffer);
        widget::moments(&charts.moments, labelled, theme, plot(inner), buffer);
        if let Some(column) = charts.cursor {
            widget::cursor(column, theme, plot(inner), buffer);
        }
    }
}

/// Returns the area of a chart without a rule, as wide as one below a rule.
fn bare(place: Rect) -> Rect {
    Rect { x: place.x.saturating_add(1), width: place.width.saturating_sub(2), ..place }
}

/// Draws a figure and the labels of its values. `shown` is the number of columns up to the present.
fn figure(figure: &Figure, shown: u16, theme: Theme, inner: Rect, buffer: &mut Buffer) {
    let plot = plot(inner);
    let labels = Rect { width: SCALE.saturating_sub(1).min(inner.width), ..inner };
    match figure {
        Figure::Stack(stack) => {
            draw_stack(stack, theme, plot, buffer);
            widget::curve(&stack.ahead, stack.top, None, theme, plot, buffer);
            widget::scale(stack.scale.each_ref().map(String::as_str), theme, labels, buffer);
        }
        Figure::Heat(map) => {
            widget::heat(&map.grid, theme, plot, buffer);
            if let Some((height, words)) = &map.limit {
                widget::height_line(*height, words, theme, plot, buffer);
            }
            widget::heights(&map.heights, theme, labels, buffer);
            // The percentiles are those of the present: they stand beside it.
            let x = plot.x.saturating_add(shown);
            let beside = Rect { x, width: inner.right().saturating_sub(x).min(MARKERS), ..plot };
            widget::markers(&map.markers, theme, beside, buffer);
        }
    }
}

/// Returns the area of the columns within a panel.
fn plot(inner: Rect) -> Rect {
    let width = inner.width.saturating_sub(SCALE + MARKERS);
    Rect { x: inner.x.saturating_add(SCALE), width, ..inner }
}

/// Draws the bands of a stack.
pub(super) fn draw_stack(stack: &Stack, theme: Theme, plot: Rect, buffer: &mut Buffer) {
    let bands: Vec<Band<'_>> = stack
        .bands
        .iter()
        .map(|band| Band { values: &band.values, tone: band.tone, trouble: band.trouble })
        .collect();
    widget::stack(&bands, stack.top, theme, plot, buffer);
}

/// Draws the legend of a heat map where its rule has left room for it.
pub(super) fn legend(aside: &[Text], theme: Theme, place: Rect, buffer: &mut Buffer) {
    // Beyond the room, a space, a column of the rule and the free column at the side.
    let x = place.right().saturating_sub(widget::RAMP_LEGEND + 3);
    let room = Rect { x, width: widget::RAMP_LEGEND, height: 1, ..place };
    let is_free = room.positions().all(|at| buffer.cell(at).is_some_and(|cell| cell.symbol() == " "));
    if aside.iter().any(|text| text.text == LEGEND_ROOM) && is_free {
        widget::ramp_legend(theme, room, buffer);
    }
}

/// Draws the verdict over time and the ticks below it.
pub(super) fn ribbon(charts: &Charts, theme: Theme, place: Rect, buffer: &mut Buffer) {
    let inner = bare(place);
    let plot = plot(inner);
    let labels =
        Rect { width: SCALE.saturating_sub(1).min(inner.width), height: place.height.min(1), ..inner };
    widget::scale(["verdict", "", ""], theme, labels, buffer);
    widget::ribbon(&charts.verdicts, theme, Rect { height: plot.height.min(1), ..plot }, buffer);
    let below = Rect { y: plot.y.saturating_add(1), height: plot.height.saturating_sub(1), ..plot };
    widget::ticks(&charts.axis, &charts.now, theme, below, buffer);
}
