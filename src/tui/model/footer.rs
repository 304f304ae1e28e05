//! The last line: a question, a prompt, or the keys that can be used now.

use crate::tui::app::{Access, App, Mode, View};
use crate::tui::keys::{Action, BINDINGS, Binding, Group};
use crate::tui::layout::stream::StreamPanel;
use crate::tui::theme::Role;
use crate::vocabulary::{RunState, units};

use super::columns::looked_at;
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
        ended.map(|text| Text::title(text).weighing(Weight::OutOfBounds)).into_iter().collect();
    // The answer to a key comes before everything else: it says what has happened.
    let weight = if ended.is_some() { Weight::Subject } else { Weight::OutOfBounds };
    line.extend(app.notice().map(|notice| Text::title(notice).weighing(weight)));
    line.extend(cursor(app));
    if ended.is_none() && app.is_ending() {
        let open = units::plural(app.live.snapshot.totals.in_flight, "open request");
        let draining = Text::new(Role::Warning, format!("draining: {open}; q again: cut"));
        line.push(draining.or_short("draining; q: cut").weighing(Weight::OutOfBounds));
    }
    let mut listed: Vec<&Binding> = BINDINGS.iter().filter(|binding| is_of_use(binding, app)).collect();
    // The keys that every view needs come first, then those of what is shown.
    listed.sort_by_key(|binding| match binding.group {
        _ if matches!(binding.action, Action::Help | Action::Stop | Action::View(_)) => 0,
        // While the ramp is held, the key that ends this must be in sight.
        _ if is_resume(binding, app) => 1,
        _ if matches!(binding.action, Action::Panel(_) | Action::Open | Action::LookBack(_)) => 1,
        Group::Lists => 2,
        _ => 3,
    });
    let listed = listed.into_iter();
    line.extend(listed.filter_map(|binding| words(binding, app)));
    line
}

/// Returns the moment that is looked at, with its numbers.
fn cursor(app: &App) -> Vec<Text> {
    // A page of the report that is text has no time to look at.
    let is_shown = app.view != View::Report || app.has_charts();
    let Some(at) = app.cursor.filter(|_| is_shown) else { return Vec::new() };
    let ago = units::whole_span(app.shown.at.saturating_sub(at));
    let mut line = vec![
        Text::new(Role::Mark, format!("at {}, {ago} ago", units::short_clock(at)))
            .weighing(Weight::OutOfBounds),
        Text::new(Role::Mark, "End").then(Role::Label, " now").weighing(Weight::Subject),
    ];
    let Some(moment) = looked_at(app) else { return line };
    let known = |value: Option<f64>, text: fn(f64) -> String| value.map_or(units::UNKNOWN.to_owned(), text);
    let clients = known(moment.active(), |clients| units::count(clients.round() as u64));
    let got = known(moment.got_bits_per_s(), units::bit_rate);
    let (failed, stalled) = (units::percent(moment.error_share()), units::percent(moment.stalled_share()));
    let numbers = [(clients, "clients"), (failed, "fail"), (stalled, "stalled"), (got, "got")];
    let texts = numbers.map(|(value, name)| Text::title(value).then(Role::Label, &format!(" {name}")));
    line.splice(1..1, texts.map(|text| text.weighing(Weight::Subject)));
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
        // It leaves a replay.
        Action::Stop => !app.is_ending() || app.access == Access::Replay,
        Action::Freeze => app.report.is_none(),
        Action::StepDown => app.is_replay() && app.report.is_none(),
        Action::Panel(_) => app.view != View::Report,
        Action::Filter => lists,
        Action::Trouble(_) => lists || app.view == View::Errors,
        Action::Window(_) => app.has_charts() && app.view != View::Report,
        Action::LookBack(_) => app.has_charts(),
        Action::Open if app.view == View::Stream => app.stream_panel() != StreamPanel::Findings,
        Action::Save | Action::SavePage => app.view == View::Report,
        Action::Open => !matches!(app.view, View::Generator | View::Report | View::Latency),
        _ => match binding.group {
            Group::Load => !app.is_ending() && app.access == Access::Full,
            Group::Lists => app.view == View::Clients,
            Group::Keep => app.report.is_none() && app.access != Access::Replay,
            Group::Look => true,
        },
    }
}

fn is_resume(binding: &Binding, app: &App) -> bool {
    binding.action == Action::Hold && app.live.state == RunState::Hold
}

fn words(binding: &Binding, app: &App) -> Option<Text> {
    let (keys, words) = binding.footer?;
    let words = match binding.action {
        Action::More => units::plural(app.step().unsigned_abs(), "client"),
        Action::Hold if is_resume(binding, app) => "resume".to_owned(),
        Action::Stop if app.access == Access::Replay => "leave".to_owned(),
        Action::Freeze if app.access == Access::Replay => "pause".to_owned(),
        Action::Open if app.view == View::Stream || app.group_at().or(app.map_line()).is_some() => {
            "its clients".to_owned()
        }
        Action::Window(_) => format!("time: {}", app.window.name()),
        _ => words.to_owned(),
    };
    let weight = match binding.action {
        Action::Help | Action::Stop => Weight::Subject,
        _ if is_resume(binding, app) => Weight::Subject,
        // Keys that move are found without words.
        Action::Trouble(_) => Weight::Decoration,
        _ => Weight::Context,
    };
    Some(Text::new(Role::Mark, keys).then(Role::Label, &format!(" {words}")).weighing(weight))
}
