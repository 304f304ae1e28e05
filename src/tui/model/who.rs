//! Clients in trouble by what they have in common.

use crate::sample::WhoGroup;
use crate::tui::app::App;
use crate::tui::theme::Role;
use crate::verdict::{DEGRADED_SHARE, FAILING_SHARE};
use crate::vocabulary::units;

use super::Text;

/// One group of clients.
#[derive(Clone, Debug)]
pub(in crate::tui) struct WhoLine {
    pub(in crate::tui) is_chosen: bool,
    /// Property that the clients share; empty for all groups of a property but the first.
    pub(in crate::tui) dimension: Text,
    pub(in crate::tui) name: Text,
    /// Share of the group in trouble, 0 to 1.
    pub(in crate::tui) share: f64,
    pub(in crate::tui) percent: Text,
}

/// Returns the lines of the groups that have room.
pub(super) fn lines(app: &App) -> Vec<WhoLine> {
    of(&app.groups(), app.group_at())
}

fn of(groups: &[&WhoGroup], chosen: Option<usize>) -> Vec<WhoLine> {
    let mut before = None;
    let line = |(place, group): (usize, &&WhoGroup)| {
        let is_first = before.replace(group.dimension) != Some(group.dimension);
        let share = group.share.unwrap_or_default();
        let role = match share {
            _ if share >= FAILING_SHARE => Role::Failing,
            _ if share >= DEGRADED_SHARE => Role::Warning,
            _ => Role::Plain,
        };
        WhoLine {
            is_chosen: chosen == Some(place),
            dimension: Text::label(if is_first { group.dimension.name() } else { "" }),
            name: Text::plain(group.name.clone()),
            share,
            percent: Text::new(role, units::percent(group.share)),
        }
    };
    groups.iter().enumerate().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::Who;
    use crate::tui::fixtures;
    use crate::vocabulary::ClientState;

    fn words(who: &Who, room: usize) -> Vec<String> {
        let word =
            |line: &WhoLine| format!("{}|{}|{}", line.dimension.text, line.name.text, line.percent.text);
        of(&who.shown(room), None).iter().map(word).collect()
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
