//! All clients: the map, what those in trouble have in common, the list, and the last minute of one of them.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::frame::{Head, panel};
use super::line::Row;
use super::{client_timeline, table, who};
use crate::tui::layout::{clients, on_screen};
use crate::tui::model::{Align, BUFFER, ClientsView, Column, LAST_STATES, Text, Weight, second_tone};
use crate::tui::theme::{Role, Theme};
use crate::tui::widget;
use crate::vocabulary::Tone;

pub(super) fn draw(view: &ClientsView, theme: Theme, area: Rect, buffer: &mut Buffer) {
    let room = area.as_size();
    let detail = if view.timeline.is_some() { clients::detail_lines(room) } else { 0 };
    let places = clients::layout(room, detail);
    map(view, theme, on_screen(places.map, area), buffer);
    let places_of_who = on_screen(places.who, area);
    let head =
        Head { title: &Text::title("Who is in trouble"), aside: &view.who_of_all, focused: view.who_focused };
    let inner = table::indented(panel(head, theme, places_of_who, buffer));
    who::draw(&view.who, theme, inner, buffer);
    let list = on_screen(places.list, area);
    table::draw(&view.table, theme, list, buffer);
    drawn_cells(view, theme, list, buffer);
    if let Some(timeline) = &view.timeline {
        client_timeline::draw(timeline, theme, area, places.detail, buffer);
    }
}

fn map(view: &ClientsView, theme: Theme, area: Rect, buffer: &mut Buffer) {
    let title = Text::title("Swarm, in the order in which they joined").or_short("Swarm");
    let scale = Text::label(view.scale.as_str()).weighing(Weight::Subject);
    // The legend is drawn over the end of the rule.
    let legend = Text::label(" ".repeat(usize::from(widget::TROUBLE_LEGEND)));
    let has_legend = area.width > 2 * widget::TROUBLE_LEGEND;
    let aside = if has_legend { vec![scale, legend] } else { vec![scale] };
    let inner = panel(Head { title: &title, aside: &aside, focused: view.map_focused }, theme, area, buffer);
    if has_legend && !inner.is_empty() {
        let x = area.right().saturating_sub(widget::TROUBLE_LEGEND + 3);
        let rule = Rect { x, width: widget::TROUBLE_LEGEND, height: 1, ..area };
        widget::trouble_legend(theme, rule, buffer);
    }
    let marks = clients::marks(area);
    for (place, (y, joined)) in (marks.y..marks.bottom()).zip(&view.joined).enumerate() {
        let line = Rect { x: inner.x, y, width: marks.x - inner.x, height: 1 };
        let (sign, role) = match view.map_line == Some(place) {
            true => ("▸", Role::Mark),
            false => (" ", Role::Label),
        };
        Row::at(line, buffer, theme).text(role, sign).text(role, joined);
    }
    widget::map(&view.map, theme, marks, buffer);
}

/// Draws the buffers and the last states of the listed clients into their columns of the table.
fn drawn_cells(view: &ClientsView, theme: Theme, area: Rect, buffer: &mut Buffer) {
    let inner = table::indented(crate::tui::layout::inside(area));
    let [bar, states] = [BUFFER, LAST_STATES].map(|name| column(view.table.columns, name));
    for (line, cells) in inner.rows().skip(1).zip(&view.drawn) {
        let place = |(x, width): (u16, u16)| Rect { x: line.x + x, width, ..line }.intersection(line);
        if let Some(bar) = bar {
            let tone = if cells.buffer > 0.0 { Tone::Data } else { Tone::Fail };
            widget::bar(cells.buffer, None, tone, theme, place(bar), buffer);
        }
        if let Some(states) = states {
            widget::ribbon(&cells.states.map(second_tone), theme, place(states), buffer);
        }
    }
}

/// Returns the begin and the width of a column of a table.
fn column(columns: &[Column], name: &str) -> Option<(u16, u16)> {
    let mut end = 0;
    let mut places = columns.iter().enumerate().map(|(place, column)| {
        let begin = end + u16::from(column.align == Align::Left && place > 0);
        end = begin + column.width;
        (column.name, begin, column.width)
    });
    places.find(|(of, ..)| *of == name).map(|(_, begin, width)| (begin, width))
}
