//! The four lines that decide: what runs, whether it is served well, where it first was not, whether to believe it.

use crate::base::units;
use crate::frame::{Frame, Knee, Verdict};
use crate::tui::app::App;
use crate::tui::theme::Role;

use super::Text;

/// The four lines.
#[derive(Debug)]
pub(in crate::tui) struct Top {
    /// Program, state, time, clients.
    pub(in crate::tui) run: Vec<Text>,
    /// The target, or that the display is frozen; stands at the right.
    pub(in crate::tui) aside: Text,
    /// The verdict's word.
    pub(in crate::tui) verdict: Text,
    /// The verdict's reason.
    pub(in crate::tui) reason: String,
    /// Where the stream first was not served well.
    pub(in crate::tui) knee: Text,
    /// Whether the measurement can be trusted.
    pub(in crate::tui) measurement: Vec<Text>,
}

impl Top {
    pub(super) fn of(app: &App) -> Self {
        let role = role(app.steady.health.verdict);
        Self {
            run: run(app),
            aside: aside(app),
            verdict: Text::new(role, app.steady.health.verdict.name()),
            reason: reason(&app.steady),
            knee: knee(&app.steady),
            measurement: measurement(app),
        }
    }
}

fn run(app: &App) -> Vec<Text> {
    let frame = &app.shown;
    let end = app.title.duration.map(|end| format!(" of {}", units::clock(end))).unwrap_or_default();
    let clients = units::count(frame.active_clients());
    vec![
        Text::new(Role::Title, app.title.program.clone()),
        Text::new(Role::Title, frame.state.name()),
        Text::plain(format!("{}{end}", units::clock(frame.at))),
        Text::plain(format!("{clients} of {} clients", units::count(u64::from(frame.target)))),
    ]
}

fn aside(app: &App) -> Text {
    match app.frozen_since {
        Some(since) => {
            let seconds = app.live.at.saturating_sub(since).as_secs();
            Text::new(Role::Warning, format!("DISPLAY FROZEN {seconds} s"))
        }
        None => Text::label(app.title.target.clone()),
    }
}

pub(in crate::tui) fn role(verdict: Verdict) -> Role {
    match verdict {
        Verdict::Unknown => Role::Label,
        Verdict::Ok => Role::Good,
        Verdict::Degraded => Role::Warning,
        Verdict::Failing => Role::Failing,
    }
}

fn reason(frame: &Frame) -> String {
    let reason = frame.health.reason();
    match frame.health.verdict {
        Verdict::Unknown => reason,
        _ => format!("{reason}, since {}", units::clock(frame.health.since)),
    }
}

fn knee(frame: &Frame) -> Text {
    let named = [("errors", frame.knees.errors), ("stalls", frame.knees.stalls)];
    let mut knees: Vec<(&str, Knee)> =
        named.into_iter().filter_map(|(name, knee)| Some((name, knee?))).collect();
    knees.sort_by_key(|(_, knee)| knee.at);
    if knees.is_empty() {
        return Text::label("no trouble so far: neither errors nor stalls have reached 1%");
    }
    let told: Vec<String> = knees.into_iter().map(|(name, knee)| told(name, knee)).collect();
    Text::new(Role::Mark, format!("first over 1% {}", told.join("; ")))
}

fn told(name: &str, knee: Knee) -> String {
    let clients = units::plural(knee.clients, "client");
    let at = units::clock(knee.at);
    let throughput = knee.bits_per_second.map_or(units::UNKNOWN.to_owned(), units::bit_rate);
    format!("{name} at {clients}, {at} ({throughput})")
}

fn measurement(app: &App) -> Vec<Text> {
    let frame = &app.shown;
    let counted = |name: &str, value: u64| {
        let role = if value == 0 { Role::Label } else { Role::Warning };
        Text::new(role, format!("{name} {}", units::count(value)))
    };
    let mut line = vec![
        Text::new(Role::Untrusted, "UNASSESSED"),
        counted("late starts", frame.late_starts),
        counted("late pictures", app.late_pictures),
        Text::label(format!("dropped {}", units::UNKNOWN)),
    ];
    let faults = frame.panics + frame.snapshot.invariant_violations;
    if faults > 0 {
        line.insert(1, Text::new(Role::Failing, units::plural(faults, "internal fault")));
    }
    line
}
