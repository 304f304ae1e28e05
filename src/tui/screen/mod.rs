//! Layout a model on the screen: takes a model and a theme, and neither divides nor formats.
//!
//! * Any size down to nothing is drawn: a text that does not fit is left out, or cut at the right with `~`.
//! * The height of a panel does not depend on its content: `layout` decides it from the size of the screen.

mod charts;
mod client_timeline;
mod clients;
mod errors;
mod frame;
mod generator;
mod help;
mod latency;
mod line;
mod log;
mod overview;
mod panels;
mod report;
mod small;
mod stream;
mod stream_charts;
mod table;
mod who;
mod zoom;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::layout;
use super::model::{Body, Model, Text, Top};
use super::theme::{Role, Theme};
use super::widget;
use crate::vocabulary::Tone;

use line::Row;

/// Draws the screen.
pub(super) fn draw(model: &Model, theme: Theme, buffer: &mut Buffer) {
    let area = buffer.area;
    if area.is_empty() {
        return;
    }
    if small::is_small(area) {
        small::draw(model, theme, area, buffer);
    } else {
        let places = layout::frame(area);
        let has_tabs = if places.tabs.is_empty() { HasTabs::No } else { HasTabs::Yes };
        top(&model.top, has_tabs, theme, places.top, buffer);
        Row::at(places.tabs, buffer, theme).indent().fitting(&model.tabs, 0);
        body(&model.body, theme, places.body, buffer);
        Row::at(places.footer, buffer, theme).indent().fitting(&model.footer, 2);
    }
    if let Some(help) = model.help {
        help::draw(help, theme, buffer);
    }
}

fn body(body: &Body, theme: Theme, area: Rect, buffer: &mut Buffer) {
    match body {
        Body::Overview(view) => overview::draw(view, theme, area, buffer),
        Body::Zoom(view) => zoom::draw(view, theme, area, buffer),
        Body::Clients(view) => clients::draw(view, theme, area, buffer),
        Body::Errors(view) => errors::draw(view, theme, area, buffer),
        Body::Latency(view) => latency::draw(view, theme, area, buffer),
        Body::Stream(view) => stream::draw(view, theme, area, buffer),
        Body::Log(view) => log::draw(view, theme, area, buffer),
        Body::Page(page) => table::draw(page, theme, area, buffer),
        Body::Report(view) => report::draw(view, theme, area, buffer),
        Body::Generator(view) => generator::draw(view, theme, area, buffer),
    }
}

/// Columns of the bar of the ramp, and the fewest that are worth it.
const RAMP: u16 = 16;
const RAMP_LEAST: u16 = 8;

/// Draws the four lines at the top, as many as there is room for.
fn top(top: &Top, has_tabs: HasTabs, theme: Theme, area: Rect, buffer: &mut Buffer) {
    let mut lines = area.rows();
    if let Some(line) = lines.next() {
        run(top, theme, line, buffer);
    }
    if let Some(line) = lines.next() {
        verdict(&top.verdict, &top.reason, theme, line, buffer);
    }
    if let Some(line) = lines.next() {
        let sign =
            top.knee.iter().find(|text| text.role == Role::Mark).map_or("", |_| theme.sign(Role::Mark));
        Row::at(line, buffer, theme).indent().text(Role::Mark, sign).dotted(&top.knee);
    }
    if let Some(line) = lines.next() {
        let role = top.measurement.first().map_or(Role::Plain, |text| text.role);
        let mut rest = line;
        if has_tabs == HasTabs::No {
            let aside = layout::take_right(&mut rest, line::width(std::slice::from_ref(&top.view), 0) + 2);
            Row::at(aside, buffer, theme).right(&top.view, aside.x);
        }
        Row::at(rest, buffer, theme).indent().text(role, theme.sign(role)).fitting(&top.measurement, 2);
    }
}

/// True if the line of views is on the screen; otherwise the last line of the head names the shown one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum HasTabs {
    Yes,
    No,
}

/// Draws the line of the run: its state, the ramp, and the stream at the right end.
fn run(top: &Top, theme: Theme, line: Rect, buffer: &mut Buffer) {
    const GAP: u16 = 2;
    let width = |text: &Text| line::width(std::slice::from_ref(text), 0);
    let mut host = top.target.clone();
    host.text = host.short.clone().unwrap_or_default();
    let inside = Rect { x: line.x + 1, width: line.width.saturating_sub(2), ..line };
    let used = line::width(&top.run, GAP);
    // The stream never changes: it makes room for what does.
    let aside = if used + GAP + width(&host) <= inside.width { GAP + width(&host) } else { 0 };
    let left = Rect { width: inside.width - aside, ..inside };
    let mut x = Row::at(left, buffer, theme).fitting(&top.run, GAP).end();
    if let Some(share) = top.ramp.filter(|_| x + GAP + RAMP_LEAST <= left.right()) {
        let bar = Rect { x: x + GAP, width: RAMP.min(left.right() - x - GAP), ..left };
        widget::bar(share, None, Tone::Data, theme, bar, buffer);
        x = bar.right();
    }
    let room = left.right().saturating_sub(x + 1);
    let pace = line::fitted(&top.pace, GAP, room);
    if !pace.is_empty() && line::width(&pace, GAP) <= room {
        x = Row::at(Rect { x: x + 1, width: room, ..left }, buffer, theme).texts(&pace, GAP).end();
    }
    if aside > 0 {
        let whole = x + GAP + width(&top.target) <= inside.right();
        let from = if whole { inside.right() - width(&top.target) } else { inside.right() - width(&host) };
        let place = Rect { x: from, width: inside.right() - from, ..inside };
        Row::at(place, buffer, theme).put(if whole { &top.target } else { &host });
    }
}

/// Draws the line of the verdict, the only line on a screen without room for more. The word has a ground of its own, so
/// that it stands out from afar.
fn verdict(verdict: &Text, reason: &[Text], theme: Theme, line: Rect, buffer: &mut Buffer) {
    let chip = match verdict.role {
        Role::Good => Role::Chip(Tone::Ok),
        Role::Warning => Role::Chip(Tone::Warn),
        Role::Failing => Role::Chip(Tone::Fail),
        Role::Untrusted => Role::Chip(Tone::Untrusted),
        other => other,
    };
    let word = format!(" {}{} ", theme.sign(verdict.role), verdict.text);
    let used = Row::at(line, buffer, theme).indent().text(chip, &word).end();
    let rest = Rect { x: used, width: line.right().saturating_sub(used), ..line };
    Row::at(rest, buffer, theme).gap(1).dotted(reason);
}
