//! Clients in trouble by what they have in common.

use crate::sample::{Dimension, Who};
use crate::tui::app::App;
use crate::tui::theme::Role;
use crate::verdict::{DEGRADED_SHARE, FAILING_SHARE};
use crate::vocabulary::units;

use super::Text;

/// One group of clients.
#[derive(Clone, Debug)]
pub(in crate::tui) struct WhoLine {
    /// Property that the clients share; empty for all groups of a property but the first.
    pub(in crate::tui) dimension: Text,
    pub(in crate::tui) name: Text,
    /// Share of the group in trouble, 0 to 1.
    pub(in crate::tui) share: f64,
    pub(in crate::tui) percent: Text,
}

/// Returns the groups that have room, the largest share of each property first. A property that tells no clients apart
/// has no line, unless no other does; then the first one with two groups has, or else the first one with any.
pub(super) fn lines(app: &App, room: usize) -> Vec<WhoLine> {
    of(&app.steady.who, room)
}

fn of(who: &Who, room: usize) -> Vec<WhoLine> {
    const ALL: [Dimension; 4] = [Dimension::Edge, Dimension::Variant, Dimension::Joined, Dimension::Worker];
    let mut shown: Vec<Dimension> = ALL.into_iter().filter(|dimension| who.differs(*dimension)).collect();
    if shown.is_empty() {
        let has_groups =
            |least: usize| ALL.into_iter().find(|dimension| who.of(*dimension).nth(least - 1).is_some());
        shown.extend(has_groups(2).or(has_groups(1)));
    }
    // The first property gets the line that is left over.
    let mut lines = Vec::new();
    for (place, dimension) in shown.iter().enumerate() {
        let part = (room - lines.len()).div_ceil(shown.len() - place);
        lines.extend(of_dimension(who, *dimension).take(part));
    }
    lines
}

fn of_dimension(who: &Who, dimension: Dimension) -> impl Iterator<Item = WhoLine> {
    who.of(dimension).enumerate().map(move |(place, group)| {
        let share = group.share.unwrap_or_default();
        let role = match share {
            _ if share >= FAILING_SHARE => Role::Failing,
            _ if share >= DEGRADED_SHARE => Role::Warning,
            _ => Role::Plain,
        };
        WhoLine {
            dimension: Text::label(if place == 0 { dimension.name() } else { "" }),
            name: Text::plain(group.name.clone()),
            share,
            percent: Text::new(role, units::percent(group.share)),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::fixtures;
    use crate::vocabulary::ClientState;

    fn words(who: &Who, room: usize) -> Vec<String> {
        let word =
            |line: &WhoLine| format!("{}|{}|{}", line.dimension.text, line.name.text, line.percent.text);
        of(who, room).iter().map(word).collect()
    }

    #[test]
    fn a_property_that_tells_clients_apart_takes_the_place_of_one_that_does_not() {
        let rows: Vec<_> = (0..100_u64)
            .map(|id| fixtures::row(id, if id < 10 { ClientState::Stalled } else { ClientState::Playing }))
            .collect();
        let who = Who::new(&rows, &fixtures::placements(), None);
        assert_eq!(words(&who, 2), ["joined|00:00:00, 0-9|100.0%", "|00:00:00, 10-19|0%"]);
        assert_eq!(words(&who, 0), Vec::<String>::new());
        let well: Vec<_> = (0..100_u64).map(|id| fixtures::row(id, ClientState::Playing)).collect();
        let who = Who::new(&well, &fixtures::placements(), None);
        assert_eq!(words(&who, 5), ["edge|203.0.113.7|0%", "|203.0.113.8|0%"]);
        let one_of_each = Who::new(&well[..5], &fixtures::placements(), None);
        assert_eq!(words(&one_of_each, 1), ["variant|1080p 6 Mb/s|0%"]);
        let one = Who::new(&well[..1], &fixtures::placements(), None);
        assert_eq!(words(&one, 5), ["edge|203.0.113.8|0%"]);
    }
}
