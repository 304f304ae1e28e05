//! Lines of the text report about the operator and the brake: marks and changes of the load.

use std::time::Duration;

use super::{LoadChangeReport, Report};
use crate::run_state::{ChangeKind, ChangeSource};
use crate::vocabulary::units;

/// Maximum number of marks that are listed.
const MARKS: usize = 20;
/// Maximum number of changes of the load that are listed.
const CHANGES: usize = 12;
/// Maximum number of holds by the brake that are listed.
const HOLDS: usize = 4;

/// Returns the operator's marks, one line each, the operator's changes in one line and the holds of the brake in
/// another. Each list is cut at its maximum.
pub(super) fn lines(report: &Report) -> Vec<String> {
    let marks = report.marks.iter().enumerate().take(MARKS);
    let mut lines: Vec<_> = marks
        .map(|(number, mark)| format!("mark    m{} {} {}", number + 1, clock(mark.at_s), mark.note))
        .collect();
    if report.marks.len() > MARKS {
        lines.push(format!("        and {} more marks", report.marks.len() - MARKS));
    }
    let by_operator = report.load_changes.iter().filter(|change| change.by == ChangeSource::Operator);
    let changes = by_operator.map(|change| match change.change {
        ChangeKind::Target => format!("{} -> {} at {}", change.from, change.to, clock(change.at_s)),
        other => format!("{} at {}", other.name(), clock(change.at_s)),
    });
    let changes = list(changes.collect(), CHANGES);
    lines.extend(changes.map(|list| format!("changes by the operator: {list}")));
    let holds = list(holds_by_brake(&report.load_changes), HOLDS);
    lines.extend(holds.map(|list| format!("brake   held the ramp during a storm of 429 and 503: {list}")));
    lines
}

fn clock(seconds: f64) -> String {
    units::clock(Duration::try_from_secs_f64(seconds).unwrap_or_default())
}

/// Joins texts to one list, cut after `most` of them; `None` if there are none.
fn list(texts: Vec<String>, most: usize) -> Option<String> {
    let shown = texts.len().min(most);
    let more = match texts.len() - shown {
        0 => String::new(),
        more => format!(", and {more} more"),
    };
    let list = texts.get(..shown).filter(|shown| !shown.is_empty())?.join(", ");
    Some(format!("{list}{more}"))
}

/// Returns the times of the holds by the brake: `00:00:31 to 00:01:12`, `00:05:40 to the end`.
fn holds_by_brake(changes: &[LoadChangeReport]) -> Vec<String> {
    let holds = changes
        .iter()
        .enumerate()
        .filter(|(_, change)| change.by == ChangeSource::Brake && change.change == ChangeKind::Hold);
    let times = holds.map(|(place, hold)| {
        // The operator may resume it or make the hold theirs.
        let mut after = changes.iter().skip(place + 1);
        let end = after.find(|change| matches!(change.change, ChangeKind::Resume | ChangeKind::Hold));
        let end = end.map_or("the end".to_owned(), |end| clock(end.at_s));
        format!("{} to {end}", clock(hold.at_s))
    });
    times.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(at_s: f64, kind: ChangeKind, by: ChangeSource) -> LoadChangeReport {
        LoadChangeReport { at_s, change: kind, from: 100, to: 100, by }
    }

    #[test]
    fn a_hold_of_the_brake_ends_with_the_next_resume_or_hold_or_never() {
        use ChangeKind::{Hold, Resume, Target};
        use ChangeSource::{Brake, Operator, Plan};
        let changes = [
            change(0.0, Target, Plan),
            change(30.2, Hold, Brake),
            change(40.0, Target, Operator),
            change(72.9, Resume, Brake),
            change(120.0, Hold, Brake),
            change(130.0, Resume, Operator),
            change(200.0, Hold, Operator),
            change(210.0, Resume, Operator),
            change(300.0, Hold, Brake),
            change(310.0, Hold, Operator),
            change(320.0, Resume, Operator),
            change(400.0, Hold, Brake),
        ];
        let expected =
            ["00:00:30 to 00:01:12", "00:02:00 to 00:02:10", "00:05:00 to 00:05:10", "00:06:40 to the end"];
        assert_eq!(holds_by_brake(&changes), expected);
        assert!(holds_by_brake(&changes[6..8]).is_empty());
    }

    #[test]
    fn a_list_is_cut_at_its_maximum() {
        let texts = |count: usize| (0..count).map(|number| number.to_string()).collect();
        assert_eq!(list(texts(0), 2), None);
        assert_eq!(list(texts(2), 2).as_deref(), Some("0, 1"));
        assert_eq!(list(texts(5), 2).as_deref(), Some("0, 1, and 3 more"));
    }
}
