//! The last line: what the next key does.

use crate::base::{RunState, units};
use crate::tui::app::{App, Mode};
use crate::tui::keys::{Action, BINDINGS, Group};
use crate::tui::theme::Role;

use super::Text;

pub(super) fn of(app: &App) -> Vec<Text> {
    if let Mode::Confirm(by) = app.mode {
        let verb = if by < 0 { "remove" } else { "add" };
        let clients = units::plural(by.unsigned_abs(), "client");
        return vec![Text::new(Role::Warning, format!("{verb} {clients}? y = yes, any other key = no"))];
    }
    let mut line = Vec::new();
    if app.live.state == RunState::Finished {
        line.push(Text::new(Role::Title, "finished: the last numbers are in"));
    } else if app.is_ending() {
        let open = units::plural(app.live.snapshot.totals.in_flight, "open request");
        line.push(Text::new(Role::Warning, format!("draining: {open}; q again: stop at once")));
    }
    if let Some(notice) = app.notice() {
        line.push(Text::new(Role::Title, notice));
    }
    let listed = BINDINGS.iter().filter(|binding| !app.is_ending() || binding.group == Group::Look);
    line.extend(listed.filter_map(|binding| {
        let short = binding.short?;
        let step =
            if binding.action == Action::StepDown { format!(" {}", app.step()) } else { String::new() };
        Some(Text::label(format!("{} {short}{step}", binding.shown)))
    }));
    line
}
