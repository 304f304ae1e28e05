//! The last line: a question, a prompt, or the keys that can be used now.

use crate::tui::app::{Access, App, Mode, View};
use crate::tui::keys::{Action, BINDINGS, Binding, Group};
use crate::tui::theme::Role;
use crate::vocabulary::{RunState, units};

use super::{Text, Weight};

pub(super) fn line(app: &App) -> Vec<Text> {
    match &app.mode {
        Mode::Confirm(target) => return question(app, *target),
        Mode::Prompt(prompt) => {
            return vec![
                Text::title(prompt.asked.label())
                    .or_short(prompt.asked.short_label())
                    .weighing(Weight::Subject),
                Text::plain(format!("{}_", prompt.text)).weighing(Weight::OutOfBounds),
                Text::label("Esc: cancel"),
            ];
        }
        Mode::Normal | Mode::Help(_) => {}
    }
    let ended = if app.report.is_some() {
        Some("the run has ended; q: leave")
    } else if app.live.state == RunState::Finished {
        Some("finished: these numbers are final")
    } else {
        None
    };
    let mut line: Vec<Text> =
        ended.map(|text| Text::title(text).weighing(Weight::Subject)).into_iter().collect();
    // The answer to a key comes before everything else: it says what has happened.
    line.extend(app.notice().map(|notice| Text::title(notice).weighing(Weight::OutOfBounds)));
    line.extend(app.cursor.map(|at| {
        let ago = units::whole_span(app.shown.at.saturating_sub(at));
        let text = Text::new(Role::Mark, format!("at {}, {ago} ago", units::short_clock(at)));
        text.weighing(Weight::OutOfBounds)
    }));
    line.extend(app.cursor.map(|_| Text::new(Role::Mark, "End").then(Role::Label, " now")));
    if ended.is_none() && app.is_ending() {
        let open = units::plural(app.live.snapshot.totals.in_flight, "open request");
        let draining = Text::new(Role::Warning, format!("draining: {open}; q again: stop at once"));
        line.push(draining.or_short("draining; q: stop at once").weighing(Weight::OutOfBounds));
    }
    let mut listed: Vec<&Binding> = BINDINGS.iter().filter(|binding| is_of_use(binding, app)).collect();
    // The keys of a list come before the others.
    listed.sort_by_key(|binding| match binding.group {
        _ if matches!(binding.action, Action::Help | Action::Stop | Action::View(_)) => 0,
        Group::Lists => 1,
        _ => 2,
    });
    let listed = listed.into_iter();
    line.extend(listed.filter_map(|binding| words(binding, app)));
    line
}

fn question(app: &App, asked: i64) -> Vec<Text> {
    let limit = app.live.limit;
    let target = i64::from(limit.clamp(asked));
    let by = target - app.wanted();
    let verb = if by < 0 { "remove" } else { "add" };
    let clients = units::plural(by.unsigned_abs(), "client");
    let target = units::count(target.unsigned_abs());
    let question = if limit.is_exceeded_by(asked) {
        format!("{verb} {clients}, to {target} ({})? y: yes, else no", limit.bound)
    } else {
        format!("{verb} {clients}, to {target}? y: yes, any other key: no")
    };
    let question = Text::new(Role::Warning, question).or_short(format!("{verb} {clients}? y: yes"));
    vec![question.weighing(Weight::OutOfBounds)]
}

fn is_of_use(binding: &Binding, app: &App) -> bool {
    let lists = matches!(app.view, View::Clients | View::Log);
    match binding.action {
        Action::Stop => !app.is_ending(),
        Action::Filter => lists,
        Action::Window(_) | Action::LookBack(_) => !matches!(app.view, View::Clients | View::Report),
        Action::Open => !matches!(app.view, View::Generator | View::Report | View::Latency),
        _ => match binding.group {
            Group::Load => !app.is_ending() && app.access == Access::Full,
            Group::Lists => app.view == View::Clients,
            Group::Keep => app.report.is_none(),
            Group::Look => true,
        },
    }
}

fn words(binding: &Binding, app: &App) -> Option<Text> {
    let (keys, words) = binding.footer?;
    let text = Text::new(Role::Mark, keys).then(Role::Label, &format!(" {words}"));
    Some(match binding.action {
        Action::StepDown => {
            Text::new(Role::Mark, keys).then(Role::Label, &format!(" {words} {}", app.step()))
        }
        Action::Help | Action::Stop => text.weighing(Weight::Subject),
        _ => text,
    })
}
