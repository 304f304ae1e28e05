//! The screen where panels do not fit: the four lines and one line for each number that decides.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::line::Row;
use crate::tui::model::{Model, Text};
use crate::tui::theme::Theme;

/// Below this panels do not fit.
const PANELS: (u16, u16) = (80, 24);
/// Below this only the verdict does.
const LINES: (u16, u16) = (40, 10);

pub(super) fn is_small(area: Rect) -> bool {
    area.width < PANELS.0 || area.height < PANELS.1
}

pub(super) fn draw(model: &Model, theme: Theme, area: Rect, buffer: &mut Buffer) {
    if area.width < LINES.0 || area.height < LINES.1 {
        super::verdict(&model.top, theme, area, buffer);
        return;
    }
    super::top(&model.top, theme, Rect { height: 4, ..area }, buffer);
    let footer = Rect { y: area.bottom() - 1, height: 1, ..area };
    Row::at(footer, buffer, theme).indent().texts(&model.footer, 2);
    let body = Rect { y: area.y + 4, height: area.height - 5, ..area };
    for (line, (name, texts)) in body.rows().zip(lines(model)) {
        Row::at(line, buffer, theme).indent().column(&Text::label(name), 10).texts(&texts, 2);
    }
}

fn lines(model: &Model) -> Vec<(&'static str, Vec<Text>)> {
    let overview = &model.overview;
    let p95 = overview.latency.iter().map(|latency| {
        let [_, p95, ..] = &latency.values;
        Text::plain(format!("{} {}", latency.name, p95.text))
    });
    let errors: Vec<Text> = match model.errors.lines.as_slice() {
        [] => vec![Text::plain(model.errors.none.clone())],
        lines => {
            lines.iter().map(|line| Text::new(line.role, format!("{} {}", line.count, line.name))).collect()
        }
    };
    vec![
        ("clients", overview.states.clone()),
        ("traffic", overview.traffic.clone()),
        ("errors", errors),
        ("p95 ms", p95.collect()),
        ("playback", overview.playback.clone()),
    ]
}
