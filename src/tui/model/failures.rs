//! The panel of failures: one line for each failed outcome, in the colour that it has in all charts.

use crate::sample::FailureLine;
use crate::tui::app::{App, Panel};
use crate::tui::theme::Role;
use crate::vocabulary::outcome::Fault;
use crate::vocabulary::palette::tones_of;
use crate::vocabulary::{Outcome, Tone, units};

use super::columns::{Columns, spark_axis};
use super::{Text, errors};

/// One failed outcome.
#[derive(Clone, Debug)]
pub(in crate::tui) struct FailedLine {
    pub(in crate::tui) tone: Tone,
    pub(in crate::tui) name: Text,
    /// Failures per second over time.
    pub(in crate::tui) spark: Vec<Option<f64>>,
    /// Columns of that chart.
    pub(in crate::tui) spark_columns: u16,
    /// Failures per second, their share of all requests, and their number.
    pub(in crate::tui) cells: [Text; 3],
}

/// The panel.
#[derive(Clone, Debug, Default)]
pub(in crate::tui) struct Failures {
    pub(in crate::tui) focused: bool,
    pub(in crate::tui) title: Text,
    pub(in crate::tui) aside: Vec<Text>,
    pub(in crate::tui) lines: Vec<FailedLine>,
    /// Text shown instead of lines.
    pub(in crate::tui) none: String,
}

impl Failures {
    /// Builds at most `room` lines with small charts of `spark` columns, and says in the title how many are left out.
    pub(super) fn new(app: &App, room: usize, spark: u16) -> Self {
        let totals = app.scope.totals(&app.steady);
        let (finished, codes) = (totals.finished(), app.shown.history.codes());
        let mut counted: Vec<(&FailureLine, u64)> = app
            .steady
            .failures
            .iter()
            .filter(|line| line.outcome != Outcome::from(Fault::Cut))
            .map(|line| (line, totals.ended(line.outcome)))
            .filter(|(_, count)| *count > 0)
            .collect();
        // Equal counts keep the order of their first occurrence: lines must not change places for no reason.
        counted.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let hidden = counted.len().saturating_sub(room);
        let (tones, columns) = (tones_of(codes), Columns::new(&app.shown.history, spark_axis(app, spark)));
        // A code that has no column in the charts is drawn like all others.
        let line = |(line, count): (&FailureLine, u64)| {
            let code = codes.iter().position(|code| *code == line.outcome);
            let tone = code.and_then(|code| tones.get(code).copied()).unwrap_or(Tone::Label);
            let role = if line.per_second > 0.0 { Role::Plain } else { Role::Label };
            FailedLine {
                tone,
                name: Text::new(role, errors::name(line.outcome)),
                spark: code.map(|code| columns.most(&|moment| moment.code_per_s(code))).unwrap_or_default(),
                spark_columns: spark,
                cells: [
                    Text::new(role, units::rate(Some(line.per_second))),
                    Text::new(role, units::percent(totals.outcome_share(line.outcome))),
                    Text::plain(units::count(count)),
                ],
            }
        };
        let lines = counted.into_iter().take(room).map(line).collect();
        let since = app.scope.since(&app.steady).map_or("", |_| ", since the mark");
        Self {
            focused: app.panel() == Some(Panel::Errors),
            title: match hidden {
                0 => Text::title("Failures"),
                _ => Text::title(format!("Failures, {hidden} more")).or_short("Failures"),
            },
            aside: vec![Text::label(format!("now/s  of all    total{since}"))],
            lines,
            // An empty panel must show whether any request has finished at all.
            none: match finished {
                0 => "no request has finished yet".to_owned(),
                _ => format!("none in {}", units::plural(finished, "request")),
            },
        }
    }
}
