//! The help overlay: the table of keys, one block a group, and the meaning of the signs.

use ratatui::buffer::Buffer;
use ratatui::widgets::{Clear, Widget};

use super::frame::{Head, panel};
use super::line::Row;
use crate::tui::keys::Group;
use crate::tui::layout::help::{KEYS, layout};
use crate::tui::model::{Help, Text};
use crate::tui::theme::{Role, Theme};

pub(super) fn draw(help: Help, theme: Theme, buffer: &mut Buffer) {
    let Help { scroll, is_replay } = help;
    let places = layout(buffer.area.as_size(), is_replay);
    Clear.render(places.overlay, buffer);
    let more = scroll < places.last_scroll();
    let aside =
        [Text::label(if more { "j k: more; other keys work" } else { "Esc: close; other keys work" })];
    let title = Text::title("Help");
    panel(Head { title: &title, aside: &aside, focused: true }, theme, places.overlay, buffer);
    for (area, groups) in places.columns {
        let lines = groups.flat_map(|group| block(group, is_replay, theme));
        for (line, (keys, words)) in area.rows().zip(lines.skip(scroll)) {
            Row::at(line, buffer, theme).column(&keys, KEYS).put(&words);
        }
    }
}

/// Returns the lines of a group: its heading, its keys and an empty line.
fn block(group: usize, is_replay: bool, theme: Theme) -> Vec<(Text, Text)> {
    let mut lines = match Group::ALL.get(group) {
        Some(group) => {
            let heading = (Text::title(group.name(is_replay)), Text::default());
            let keys = group.lines(is_replay);
            let keys = keys.map(|(keys, text)| (Text::new(Role::Mark, keys), Text::plain(text)));
            std::iter::once(heading).chain(keys).collect()
        }
        None => signs(theme),
    };
    lines.push(Default::default());
    lines
}

fn signs(theme: Theme) -> Vec<(Text, Text)> {
    let signs = [
        (Role::Warning, "degraded: 1% fail or stall"),
        (Role::Failing, "failing: 5%"),
        (Role::Untrusted, "measurement in doubt"),
        (Role::Mark, "knee: where trouble began"),
    ];
    let heading = (Text::title("SIGNS"), Text::default());
    let signs = signs.map(|(role, meaning)| (Text::new(role, theme.sign(role)), Text::plain(meaning)));
    let mut lines: Vec<_> = std::iter::once(heading).chain(signs).collect();
    lines.push((Text::plain("--"), Text::plain("unknown (never shown as 0)")));
    lines.push((Text::plain("+2"), Text::plain("texts without room here")));
    lines
}
