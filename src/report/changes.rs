//! Lines of the text report about the operator and the brake: marks and changes of the load.

use super::doc::{Doc, Part};
use crate::run_state::{ChangeKind, ChangeSource};
use crate::vocabulary::units;

/// Maximum number of marks that are listed.
const MARKS: usize = 20;
/// Maximum number of changes of the load that are listed.
const CHANGES: usize = 12;
/// Maximum number of holds by the brake that are listed.
const HOLDS: usize = 4;

/// Returns the operator's marks, one line each, the operator's changes in one line, those through the control socket in
/// another and the holds of the brake in a third. Each list is cut at its maximum.
pub(super) fn lines(doc: &Doc) -> Vec<String> {
    let marks = doc.at("/marks").list();
    let more = marks.len().saturating_sub(MARKS);
    let marks = marks.take(MARKS).enumerate();
    let mut lines: Vec<_> = marks
        .map(|(number, mark)| {
            format!("mark    m{} {} {}", number + 1, clock(mark.at("/at_s")), mark.at("/note").word())
        })
        .collect();
    if more > 0 {
        lines.push(format!("        and {more} more marks"));
    }
    let changes: Vec<Part<'_>> = doc.at("/load_changes").list().collect();
    for (source, name) in [(ChangeSource::Operator, "the operator"), (ChangeSource::Control, "ctl")] {
        let list = list(changes_by(&changes, source), CHANGES);
        lines.extend(list.map(|list| format!("changes by {name}: {list}")));
    }
    let holds = list(holds_by_brake(&changes), HOLDS);
    lines.extend(holds.map(|list| format!("brake   held the ramp during a storm of 429 and 503: {list}")));
    lines
}

/// Returns the changes that have this source: `100 -> 200 at 00:00:31`, `hold at 00:01:12`.
fn changes_by(changes: &[Part<'_>], source: ChangeSource) -> Vec<String> {
    let changes = changes.iter().filter(|change| is_by(**change, source));
    let shown = changes.map(|change| {
        let (word, at) = (change.at("/change").word(), clock(change.at("/at_s")));
        match word == ChangeKind::Target.name() {
            true => format!("{} -> {} at {at}", change.at("/from").count(), change.at("/to").count()),
            false => format!("{word} at {at}"),
        }
    });
    shown.collect()
}

fn is_by(change: Part<'_>, source: ChangeSource) -> bool {
    change.at("/by").text() == source.name()
}

fn is(change: Part<'_>, kind: ChangeKind) -> bool {
    change.at("/change").text() == kind.name()
}

fn clock(seconds: Part<'_>) -> String {
    units::clock(seconds.seconds())
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
fn holds_by_brake(changes: &[Part<'_>]) -> Vec<String> {
    let is_hold = |change: &Part<'_>| is_by(*change, ChangeSource::Brake) && is(*change, ChangeKind::Hold);
    let holds = changes.iter().enumerate().filter(|(_, change)| is_hold(change));
    let times = holds.map(|(place, hold)| {
        // The operator may resume it or make the hold theirs.
        let mut after = changes.iter().skip(place + 1);
        let end = after.find(|change| is(**change, ChangeKind::Resume) || is(**change, ChangeKind::Hold));
        let end = end.map_or("the end".to_owned(), |end| clock(end.at("/at_s")));
        format!("{} to {end}", clock(hold.at("/at_s")))
    });
    times.collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn change(at_s: f64, kind: ChangeKind, by: ChangeSource) -> Value {
        json!({ "at_s": at_s, "change": kind.name(), "from": 100, "to": 100, "by": by.name() })
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
        let changes: Vec<Part<'_>> = changes.iter().map(Part::new).collect();
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
