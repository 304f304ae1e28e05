//! The only table of keys: their actions, and their texts in the footer and the help overlay.
//!
//! The keys of a prompt (text, Enter, Escape) belong to the prompt and are not listed here. No key is a chord: a
//! half-typed chord would need a time limit.

use super::input::Key;

/// Action of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Add one step of clients.
    More,
    /// Remove one step of clients.
    Fewer,
    /// Choose a larger step.
    StepUp,
    /// Choose a smaller step.
    StepDown,
    /// Type a target.
    Target,
    /// Hold the ramp, or let it go on.
    Hold,
    /// Stop and drain; stop at once if the run is already ending.
    Stop,
    /// The same by Ctrl-C, without keeping the report on screen.
    Interrupt,
    /// Stop at once.
    StopNow,
    /// Show the view with this number.
    View(u8),
    /// Select the next or the previous panel.
    Panel(Turn),
    /// Show one panel alone, or all panels again.
    Zoom,
    /// Change the time span of the charts.
    Window(Turn),
    /// Look at the moment this many columns of the charts later, or earlier if negative.
    LookBack(i16),
    /// Look at the newest moment again; in a list without a cursor in time, go to its last line.
    Now,
    /// Freeze the display while the load goes on.
    Freeze,
    /// Draw everything again.
    Redraw,
    /// Explain why Ctrl-Z does not suspend the run.
    Suspend,
    /// Show the help overlay.
    Help,
    /// Go back: close one open thing, never end a run.
    Back,
    /// Move in a list.
    Move(Motion),
    /// Open the selected item.
    Open,
    /// Go to the next or the previous trouble in a list.
    Trouble(Turn),
    /// Sort by another column.
    Sort(Turn),
    /// Reverse the order.
    Reverse,
    /// Type a filter.
    Filter,
    /// Show only clients and events in trouble.
    FaultsOnly,
    /// Keep the selected client in sight.
    Follow,
    /// Mark this moment.
    Mark,
    /// Show counts since the last mark, or for the whole run.
    Scope,
    /// Write the screen to files.
    Save,
    /// Write the report as a page.
    SavePage,
    /// Copy what is selected.
    Copy,
}

/// Direction of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Forward.
    Next,
    /// Backward.
    Back,
}

impl Turn {
    /// Returns the element of `all` after `one`, or before it, wrapping around at the ends.
    pub fn in_round<T: Copy + PartialEq>(self, all: &[T], one: T) -> T {
        let at = all.iter().position(|other| *other == one).unwrap_or_default();
        let step = if self == Self::Next { 1 } else { all.len().saturating_sub(1) };
        all.get((at + step) % all.len().max(1)).copied().unwrap_or(one)
    }
}

/// A movement in a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Motion {
    /// One line down.
    Down,
    /// One line up.
    Up,
    /// One page down.
    PageDown,
    /// One page up.
    PageUp,
    /// To the first line.
    First,
    /// To the last line.
    Last,
}

impl Motion {
    /// Returns the opposite movement.
    pub const fn reversed(self) -> Self {
        match self {
            Self::Down => Self::Up,
            Self::Up => Self::Down,
            Self::PageDown => Self::PageUp,
            Self::PageUp => Self::PageDown,
            Self::First => Self::Last,
            Self::Last => Self::First,
        }
    }
}

/// Heading in the help overlay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// Keys that change the load; no other keys do.
    Load,
    /// Keys that change only the display.
    Look,
    /// Keys that move in lists and sort them.
    Lists,
    /// Keys for marks and for files of the screen.
    Keep,
}

impl Group {
    /// All headings, in the order of the help overlay.
    pub const ALL: [Self; 4] = [Self::Load, Self::Look, Self::Lists, Self::Keep];

    /// Returns the lines of the help overlay: keys and their texts. Those of a replay change its speed and no load.
    pub fn lines(self, is_replay: bool) -> impl Iterator<Item = (&'static str, &'static str)> {
        let of_replay = is_replay && self == Self::Load;
        let of_run = |action| matches!(action, Action::Freeze | Action::Suspend | Action::Mark);
        let bindings = BINDINGS.iter().filter(move |binding| {
            let is_listed = binding.group == self && !binding.help.is_empty();
            is_listed && !of_replay && !(is_replay && of_run(binding.action))
        });
        let of_replay = REPLAY.iter().filter(move |_| of_replay).copied();
        of_replay.chain(bindings.map(|binding| (binding.shown, binding.help)))
    }

    /// Returns the text of the heading.
    pub const fn name(self, is_replay: bool) -> &'static str {
        match self {
            Self::Load if is_replay => "REPLAY",
            Self::Load => "LOAD",
            Self::Look => "VIEW",
            Self::Lists => "LISTS",
            Self::Keep => "SAVE",
        }
    }
}

/// One line of the table.
#[derive(Clone, Copy, Debug)]
pub struct Binding {
    /// Action of the keys.
    pub action: Action,
    /// Keys with this action.
    pub keys: &'static [Key],
    /// Keys as the help overlay writes them.
    pub shown: &'static str,
    /// Keys and words in the footer, if the footer mentions the action; keys that belong together share one text.
    pub footer: Option<(&'static str, &'static str)>,
    /// Text in the help overlay; empty if the text of the line before covers it.
    pub help: &'static str,
    /// Heading in the help overlay.
    pub group: Group,
}

const fn load(action: Action, keys: &'static [Key], shown: &'static str, help: &'static str) -> Binding {
    Binding { action, keys, shown, footer: None, help, group: Group::Load }
}

impl Binding {
    const fn within(self, group: Group) -> Self {
        Self { group, ..self }
    }

    const fn footer(self, keys: &'static str, words: &'static str) -> Self {
        Self { footer: Some((keys, words)), ..self }
    }
}

const fn look(action: Action, keys: &'static [Key], shown: &'static str, help: &'static str) -> Binding {
    load(action, keys, shown, help).within(Group::Look)
}

const fn list(action: Action, keys: &'static [Key], shown: &'static str, help: &'static str) -> Binding {
    load(action, keys, shown, help).within(Group::Lists)
}

const fn keep(action: Action, keys: &'static [Key], shown: &'static str, help: &'static str) -> Binding {
    load(action, keys, shown, help).within(Group::Keep)
}

use Key::{Char, Ctrl};

/// All keys, in the order of the footer and, within their group, of the help overlay. The line before covers a key
/// whose text is empty.
pub const BINDINGS: &[Binding] = &[
    look(Action::Help, &[Char('?'), Key::Function(1)], "? F1", "this help").footer("?", "help"),
    load(Action::Stop, &[Char('q')], "q", "stop, drain, show report").footer("q", "stop"),
    load(Action::Interrupt, &[Ctrl('c')], "^C", "the same, then exit"),
    load(Action::StopNow, &[Char('Q')], "Q", "cut requests, then exit"),
    look(Action::Freeze, &[Char(' ')], "Space", "freeze; the load goes on").footer("Space", "freeze"),
    load(Action::More, &[Char('+'), Char('=')], "+ -  = _", "add, remove one step").footer("+ -", "clients"),
    load(Action::Fewer, &[Char('-'), Char('_')], "", ""),
    // The step is not in the footer of a run, but the speed is in that of a replay.
    load(Action::StepDown, &[Char('[')], "[ ]", "step: 1 10 50 100 500 1000").footer("[ ]", "speed"),
    load(Action::StepUp, &[Char(']')], "", ""),
    load(Action::Target, &[Char('c')], "c", "target: 2500, +50, -20%").footer("c", "target"),
    load(Action::Hold, &[Char('p')], "p", "hold or resume the ramp").footer("p", "hold"),
    keep(Action::Mark, &[Char('m')], "m", "mark now, with a note").footer("m", "mark"),
    look(Action::View(1), &[Char('1')], "1 2 3", "overview, clients, errors").footer("1-8", "views"),
    look(Action::View(2), &[Char('2')], "", ""),
    look(Action::View(3), &[Char('3')], "", ""),
    look(Action::View(4), &[Char('4')], "4 5 6", "generator, log, report"),
    look(Action::View(5), &[Char('5')], "", ""),
    look(Action::View(6), &[Char('6')], "", ""),
    look(Action::View(7), &[Char('7')], "7 8", "latency, stream"),
    look(Action::View(8), &[Char('8')], "", ""),
    look(Action::Panel(Turn::Next), &[Key::Tab], "Tab S-Tab", "next panel, previous panel")
        .footer("Tab", "panel"),
    look(Action::Panel(Turn::Back), &[Key::BackTab], "", ""),
    look(Action::Open, &[Key::Enter], "Enter", "open what has the focus").footer("Enter", "open"),
    look(Action::Zoom, &[Char('z')], "z", "the panel alone, and back"),
    look(Action::LookBack(-1), &[Key::Left], "← →", "look back (Shift: by ten)").footer("← →", "look back"),
    look(Action::LookBack(1), &[Key::Right], "", ""),
    look(Action::LookBack(-10), &[Key::ShiftLeft], "", ""),
    look(Action::LookBack(10), &[Key::ShiftRight], "", ""),
    look(Action::Now, &[Key::End], "End", "now; in lists: the last"),
    look(Action::Window(Turn::Next), &[Char('t')], "t T", "time: 2 m 10 m 1 h, the run").footer("t", "time"),
    look(Action::Window(Turn::Back), &[Char('T')], "", ""),
    look(Action::Back, &[Key::Escape], "Esc", "back; never ends the run"),
    look(Action::Redraw, &[Ctrl('l')], "^L", "redraw the screen"),
    look(Action::Suspend, &[Ctrl('z')], "^Z", "disabled: stops all clients"),
    list(Action::Move(Motion::Down), &[Char('j'), Key::Down], "j k arrows", "one line"),
    list(Action::Move(Motion::Up), &[Char('k'), Key::Up], "", ""),
    list(Action::Move(Motion::PageDown), &[Key::PageDown, Ctrl('d')], "PgUp PgDn", "one page (also ^U ^D)"),
    list(Action::Move(Motion::PageUp), &[Key::PageUp, Ctrl('u')], "", ""),
    list(Action::Move(Motion::First), &[Char('g'), Key::Home], "g G", "first, last"),
    list(Action::Move(Motion::Last), &[Char('G')], "", ""),
    list(Action::Sort(Turn::Next), &[Char('s'), Char('>')], "< > s", "sort by another column")
        .footer("< >", "sort"),
    list(Action::Sort(Turn::Back), &[Char('<')], "", ""),
    list(Action::Reverse, &[Char('r')], "r", "reverse the order"),
    list(Action::Filter, &[Char('/')], "/", "filter: 503, buffer<2, !x").footer("/", "filter"),
    list(Action::FaultsOnly, &[Char('!')], "!", "show trouble only").footer("!", "faults"),
    list(Action::Trouble(Turn::Next), &[Char('n')], "n N", "next, previous trouble").footer("n N", "trouble"),
    list(Action::Trouble(Turn::Back), &[Char('N')], "", ""),
    list(Action::Follow, &[Char('F')], "F", "follow the selected client").footer("F", "follow"),
    keep(Action::Scope, &[Char('M')], "M", "since the mark / whole run"),
    keep(Action::Save, &[Char('w'), Ctrl('s')], "w ^S", "save screen as .txt, .svg").footer("w", "save"),
    keep(Action::Copy, &[Char('y')], "y", "copy selection, or view"),
    keep(Action::SavePage, &[Char('e')], "e", "write the report as .html").footer("e", "HTML"),
];

/// Lines of the help overlay that stand in for those of the load in a replay.
const REPLAY: &[(&str, &str)] =
    &[("Space", "pause, or go on"), ("[ ]", "slower, faster"), ("q Q ^C", "leave the replay")];

/// Returns the action of a key.
pub fn action(key: Key) -> Option<Action> {
    BINDINGS.iter().find(|binding| binding.keys.contains(&key)).map(|binding| binding.action)
}

/// Reports whether an action changes the load of the run.
pub fn is_load(action: Action) -> bool {
    BINDINGS.iter().any(|binding| binding.action == action && binding.group == Group::Load)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_has_two_meanings_and_no_action_two_lines() {
        for (place, binding) in BINDINGS.iter().enumerate() {
            for other in &BINDINGS[place + 1..] {
                assert_ne!(binding.action, other.action);
                for key in binding.keys {
                    assert!(
                        !other.keys.contains(key),
                        "{key:?}: {:?} and {:?}",
                        binding.action,
                        other.action
                    );
                }
            }
        }
    }

    #[test]
    fn every_line_can_be_found_by_its_keys_and_fits_its_column_of_the_help() {
        for binding in BINDINGS {
            assert!(!binding.keys.is_empty());
            assert_eq!(binding.shown.is_empty(), binding.help.is_empty(), "{:?}", binding.action);
            assert_fits(binding.shown, binding.help);
            for key in binding.keys {
                assert_eq!(action(*key), Some(binding.action));
            }
        }
    }

    fn assert_fits(keys: &str, text: &str) {
        assert!(keys.chars().count() <= 10 && text.len() <= 27, "{text}");
    }

    #[test]
    fn the_help_of_a_replay_lists_no_key_that_only_a_run_has() {
        let lines = |is_replay| Group::ALL.into_iter().flat_map(move |group| group.lines(is_replay));
        lines(true).for_each(|(keys, text)| assert_fits(keys, text));
        let [run, replay] = [false, true].map(|is_replay| lines(is_replay).collect::<Vec<_>>());
        let gone = run.iter().filter(|line| !replay.contains(line)).map(|(keys, _)| *keys);
        let expected = ["q", "^C", "Q", "+ -  = _", "[ ]", "c", "p", "Space", "^Z", "m"];
        assert_eq!(gone.collect::<Vec<_>>(), expected);
        assert_eq!(replay.iter().filter(|line| !run.contains(line)).count(), REPLAY.len());
    }

    #[test]
    fn only_these_keys_touch_the_load() {
        let load = BINDINGS.iter().filter(|binding| binding.group == Group::Load);
        let keys: Vec<Key> = load.flat_map(|binding| binding.keys).copied().collect();
        let letters = ['q', 'Q', '+', '=', '-', '_', '[', ']', 'c', 'p'];
        assert!(
            keys.iter().all(|key| *key == Ctrl('c') || letters.iter().any(|letter| *key == Char(*letter)))
        );
        assert!(is_load(Action::More) && is_load(Action::Hold) && !is_load(Action::Mark));
    }
}
