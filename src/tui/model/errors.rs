//! What went wrong: HTTP statuses as a histogram, every other outcome under its own name below them.

use crate::base::outcome::Fault;
use crate::base::{Outcome, units};
use crate::stats::Totals;
use crate::tui::theme::Role;

/// One line of the histogram.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::tui) struct ErrorLine {
    pub(in crate::tui) name: String,
    pub(in crate::tui) count: String,
    pub(in crate::tui) share: String,
    /// Against the most frequent one, 0 to 1.
    pub(in crate::tui) bar: f64,
    pub(in crate::tui) role: Role,
}

/// The panel.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::tui) struct Errors {
    /// What stands in the frame of the panel.
    pub(in crate::tui) total: String,
    pub(in crate::tui) lines: Vec<ErrorLine>,
    /// What stands there instead of lines.
    pub(in crate::tui) none: String,
}

impl Errors {
    /// At most `room` lines; the last one says how many more there are.
    pub(super) fn of(totals: &Totals, room: usize) -> Self {
        let (finished, errors) = (totals.finished(), totals.errors());
        let mut http: Vec<(Outcome, u64)> =
            totals.http_errors().map(|code| (Outcome::Http(code.code), code.count)).collect();
        let mut others: Vec<(Outcome, u64)> =
            totals.outcomes().filter(|(outcome, _)| matches!(outcome, Outcome::Failed(_))).collect();
        // The order of the closed list decides between equals: lines must not change places for nothing.
        http.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        others.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let most = http.iter().chain(&others).map(|(_, count)| *count).max().unwrap_or(0);
        let hidden = (http.len() + others.len()).saturating_sub(room);
        // When there is not room for all, other outcomes keep a third of it.
        let room_for_http = room - others.len().min(room.div_ceil(3)).min(room);
        let room_for_http = room_for_http.max(room.saturating_sub(others.len()));
        http.truncate(room_for_http);
        let shown = http.into_iter().chain(others).take(room);
        let mut lines: Vec<ErrorLine> =
            shown.map(|(outcome, count)| line(outcome, count, finished, most)).collect();
        if let Some(last) = lines.last_mut().filter(|_| hidden > 0) {
            last.name = format!("{} +{hidden} more", last.name);
        }
        let none = match finished {
            0 => "none yet: HTTP errors and other faults will be listed here".to_owned(),
            _ => format!("none in {}", units::plural(finished, "request")),
        };
        Self { total: format!("total {}", units::count(errors)), lines, none }
    }
}

fn line(outcome: Outcome, count: u64, finished: u64, most: u64) -> ErrorLine {
    let share = (finished > 0).then(|| count as f64 / finished as f64);
    let role = match outcome {
        // What we ended ourselves is no trouble of the origin's.
        Outcome::Failed(Fault::Cut) => Role::Label,
        _ => Role::Plain,
    };
    ErrorLine {
        name: name(outcome),
        count: units::count(count),
        share: units::percent(share),
        bar: if most == 0 { 0.0 } else { count as f64 / most as f64 },
        role,
    }
}

/// The status and its words, or the name of the fault.
pub(in crate::tui) fn name(outcome: Outcome) -> String {
    match outcome {
        Outcome::Ok => "ok".to_owned(),
        Outcome::Failed(fault) => fault.name().to_owned(),
        Outcome::Http(failure) => {
            let status = failure.status().and_then(|status| http::StatusCode::from_u16(status).ok());
            let words = status.and_then(|status| status.canonical_reason());
            match words {
                Some(words) => format!("{failure} {words}"),
                None => format!("{failure} (HTTP status)"),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::outcome::HttpFailure;
    use crate::tui::stage;

    fn names(errors: &Errors) -> Vec<&str> {
        errors.lines.iter().map(|line| line.name.as_str()).collect()
    }

    #[test]
    fn statuses_stand_before_other_outcomes_and_each_by_its_count() {
        let totals = stage::totals(&[
            (Outcome::Http(HttpFailure::of(404)), 3),
            (Outcome::Http(HttpFailure::of(503)), 9),
            (Fault::ConnReset.into(), 20),
        ]);
        let errors = Errors::of(&totals, 9);
        assert_eq!(names(&errors), ["503 Service Unavailable", "404 Not Found", "conn.reset"]);
        let bars: Vec<f64> = errors.lines.iter().map(|line| line.bar).collect();
        assert_eq!(bars, [0.45, 0.15, 1.0]);
        assert_eq!(errors.total, "total 32");
    }

    #[test]
    fn where_there_is_no_room_for_all_both_sorts_are_seen_and_the_rest_is_counted() {
        let mut ended: Vec<(Outcome, u64)> =
            (400..410).map(|status| (Outcome::Http(HttpFailure::of(status)), 5)).collect();
        ended.extend([(Fault::ConnReset.into(), 1), (Fault::TimeoutIdle.into(), 2)]);
        let totals = stage::totals(&ended);
        assert_eq!(
            names(&Errors::of(&totals, 3)),
            ["400 Bad Request", "401 Unauthorized", "timeout.idle +9 more"]
        );
        for room in 0..20 {
            assert_eq!(Errors::of(&totals, room).lines.len(), room.min(12), "{room}");
        }
    }
}
