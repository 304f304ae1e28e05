//! Clients that have something in common, as a list with a cursor: groups, addresses that answer, lines of the map. Enter
//! lists the clients of one.

use super::{App, Effect, Filter, View, look};
use crate::sample::{EdgeSample, WhoGroup};
use crate::tui::keys::Motion;
use crate::tui::layout;

impl App {
    /// Returns the groups that the shown view has room for.
    pub(in crate::tui) fn groups(&self) -> Vec<&WhoGroup> {
        let room = match self.view {
            View::Overview => layout::overview::layout(self.room).who_lines(),
            View::Clients => layout::clients::who_lines(self.room, self.detail_lines()),
            _ => 0,
        };
        self.steady.who.shown(room)
    }

    /// Returns the place of the chosen group among those that are shown, while they have the focus.
    pub(in crate::tui) fn group_at(&self) -> Option<usize> {
        let panel = match self.view {
            View::Overview if !self.zoomed => layout::overview::WHO_PANEL,
            View::Clients => layout::clients::WHO_PANEL,
            _ => return None,
        };
        let last = self.groups().len().checked_sub(1)?;
        self.has_focus(panel).then(|| self.group.min(last))
    }

    /// Moves the cursor among the groups.
    pub(super) fn choose_group(&mut self, at: usize, motion: Motion) {
        let last = self.groups().len().saturating_sub(1);
        self.group = look::scrolled(at, motion, last.max(1), last);
    }

    /// Lists the clients of the group at the cursor.
    pub(super) fn show_clients_of_group(&mut self, at: usize) -> Effect {
        let Some(group) = self.groups().get(at).copied() else { return Effect::None };
        match Filter::of_group(group) {
            Some(filter) => self.show_clients(filter),
            None => self.say("these clients have nothing in common but that they are few".to_owned()),
        }
    }

    /// Returns the index of the address at the cursor: the chosen one, which stays with its address, or the first.
    pub(in crate::tui) fn edge_index(&self) -> usize {
        let edges = self.steady.stream.edges_in_trouble_first();
        edges.iter().position(|edge| Some(edge.address) == self.edge).unwrap_or_default()
    }

    pub(super) fn choose_edge(&mut self, motion: Motion, page: usize) {
        let edges = self.steady.stream.edges_in_trouble_first();
        let at = look::scrolled(self.edge_index(), motion, page, edges.len().saturating_sub(1));
        self.edge = edges.get(at).map(|edge| edge.address);
    }

    /// Lists the clients that the address at the cursor answered last.
    pub(super) fn show_clients_of_edge(&mut self) -> Effect {
        let edges = self.steady.stream.edges_in_trouble_first();
        let Some(EdgeSample { address, clients, .. }) = edges.get(self.edge_index()).copied() else {
            return Effect::None;
        };
        match clients {
            0 => self.say(format!("{address} answered no client last")),
            _ => self.show_clients(Filter::of_edge(*address)),
        }
    }

    /// Returns the line of the map at the cursor, while the map has the focus.
    pub(in crate::tui) fn map_line(&self) -> Option<usize> {
        let last = self.map_lines().len().checked_sub(1)?;
        (self.view == View::Clients && self.has_focus(0)).then(|| self.map_line.min(last))
    }

    pub(super) fn choose_map_line(&mut self, at: usize, motion: Motion) {
        let last = self.map_lines().len().saturating_sub(1);
        self.map_line = look::scrolled(at, motion, last.max(1), last);
    }

    /// Lists the clients of the line of the map at the cursor.
    pub(super) fn show_clients_of_line(&mut self, at: usize) -> Effect {
        let rows = &self.steady.snapshot.clients;
        let line = self.map_lines().get(at).copied().unwrap_or_default();
        let row = |place: Option<&u32>| rows.get(*place? as usize);
        let Some((first, last)) = row(line.first()).zip(row(line.last())) else { return Effect::None };
        self.show_clients(Filter::of_joined(first, last))
    }

    /// Returns the clients in each line of the map, as places in the snapshot.
    fn map_lines(&self) -> Vec<&[u32]> {
        let joined = &self.clients.joined;
        let size = layout::clients::layout(self.room, self.detail_lines()).map_size();
        match layout::clients::clients_per_line(joined.len(), size) {
            0 => Vec::new(),
            each => joined.chunks(each).collect(),
        }
    }

    fn show_clients(&mut self, filter: Filter) -> Effect {
        let text = filter.text.clone();
        self.clients.filter = Some(filter);
        self.show(View::Clients);
        self.say(format!("clients of {text}; Esc shows all"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{Dimension, GroupKey};
    use crate::tui::app::{Access, Msg};
    use crate::tui::fixtures;
    use crate::tui::input::{Input, Key};

    fn app(keys: &[Key]) -> App {
        let mut app = App::new(fixtures::title(), Access::Full);
        app.update(Msg::Screen((160, 48).into()));
        app.update(Msg::Sample(fixtures::sample("storm")));
        press(&mut app, keys);
        app
    }

    fn press(app: &mut App, keys: &[Key]) {
        keys.iter().for_each(|key| _ = app.update(Msg::Input(Input::Key(*key))));
    }

    fn filter(app: &App) -> &str {
        app.clients.filter.as_ref().map_or("", |filter| filter.text.as_str())
    }

    #[test]
    fn enter_lists_the_clients_of_each_group_and_no_others() {
        for to_who in [&[Key::BackTab][..], &[Key::Char('2'), Key::Tab]] {
            let groups: Vec<WhoGroup> = app(to_who).groups().into_iter().cloned().collect();
            assert!(groups.len() >= 2, "{groups:?}");
            for (place, group) in groups.iter().enumerate() {
                let mut app = app(to_who);
                assert_eq!(app.group_at(), Some(0));
                press(&mut app, &vec![Key::Down; place]);
                press(&mut app, &[Key::Enter]);
                assert_eq!((app.view, app.clients.order.len()), (View::Clients, group.clients as usize));
                assert_eq!(filter(&app), format!("{}:{}", group.dimension.name(), group.name));
                press(&mut app, &[Key::Escape]);
                assert_eq!(app.clients.order.len(), app.steady.snapshot.clients.len());
            }
        }
    }

    #[test]
    fn a_group_of_all_others_cannot_be_listed_and_without_room_there_is_no_group() {
        let mut app = app(&[Key::BackTab]);
        let mut sample = (*app.steady).clone();
        sample.at += std::time::Duration::from_secs(1);
        let mut who = (*sample.who).clone();
        who.groups.iter_mut().for_each(|group| group.key = GroupKey::Others);
        sample.who = who.into();
        app.update(Msg::Sample(sample.into()));
        press(&mut app, &[Key::Enter]);
        assert_eq!((app.view, filter(&app)), (View::Overview, ""));
        assert!(app.notice().is_some());
        app.update(Msg::Screen((80, 24).into()));
        assert!(app.group_at().is_none() && app.has_focus(0), "the panel that is not there is left");
    }

    #[test]
    fn enter_lists_the_clients_of_an_edge_which_a_word_finds_too() {
        let mut app = app(&[Key::Char('8'), Key::Tab, Key::Down]);
        let edges = app.steady.stream.edges_in_trouble_first();
        let edge = edges[1].address;
        assert!(edges[0].failed_share > edges[1].failed_share);
        press(&mut app, &[Key::Enter]);
        let listed = app.clients.order.clone();
        assert_eq!((app.view, filter(&app)), (View::Clients, format!("edge:{edge}").as_str()));
        let group = app.steady.who.of(Dimension::Edge).find(|group| group.key == GroupKey::Edge(edge));
        assert_eq!(listed.len(), group.expect("a group").clients as usize);
        press(&mut app, &[Key::Escape, Key::Char('/')]);
        app.update(Msg::Input(Input::Paste(format!("edge:{edge}"))));
        press(&mut app, &[Key::Enter]);
        assert_eq!(app.clients.order, listed);
    }

    #[test]
    fn enter_lists_the_clients_of_a_line_of_the_map() {
        let mut app = app(&[Key::Char('2'), Key::BackTab]);
        assert_eq!(app.map_line(), Some(0));
        let lines: Vec<Vec<u32>> = app.map_lines().into_iter().map(<[u32]>::to_vec).collect();
        assert!(lines.len() > 2);
        press(&mut app, &[Key::Down, Key::Down, Key::Enter]);
        let mut listed = app.clients.order.clone();
        listed.sort_unstable();
        assert_eq!(listed, lines[2]);
        assert!(app.map_line().is_none(), "the list has the focus");
    }
}
