//! The one table of keys: what a key does, how the footer and the help overlay say it.
//!
//! Keys of a prompt (digits, Enter, Escape) are the prompt's own and not listed here.

use super::input::Key;

/// What a key asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Add one step of clients.
    More,
    /// Remove one step of clients.
    Fewer,
    /// A larger step.
    StepUp,
    /// A smaller step.
    StepDown,
    /// Stop and drain; again: at once.
    Stop,
    /// The same by Ctrl-C.
    Interrupt,
    /// Stop at once.
    StopNow,
    /// Keep the picture while the load goes on.
    Freeze,
    /// The view with this number.
    View(u8),
    /// Help.
    Help,
    /// Back: closes what is open, never ends a run.
    Back,
    /// What Ctrl-Z would do elsewhere.
    Suspend,
    /// Draw everything again.
    Redraw,
}

/// Under which heading the help overlay lists a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// What changes the load.
    Load,
    /// What changes the picture.
    Look,
}

impl Group {
    /// In the order of the help overlay.
    pub const ALL: [Self; 2] = [Self::Load, Self::Look];

    /// The heading.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Load => "LOAD",
            Self::Look => "LOOK",
        }
    }
}

/// One line of the table.
#[derive(Clone, Copy, Debug)]
pub struct Binding {
    /// What it does.
    pub action: Action,
    /// The keys that do it.
    pub keys: &'static [Key],
    /// How they are written.
    pub shown: &'static str,
    /// What the footer says, if it mentions it.
    pub short: Option<&'static str>,
    /// What the help overlay says.
    pub help: &'static str,
    /// Under which heading.
    pub group: Group,
}

const fn binding(
    group: Group,
    action: Action,
    keys: &'static [Key],
    (shown, short): (&'static str, Option<&'static str>),
    help: &'static str,
) -> Binding {
    Binding { action, keys, shown, short, help, group }
}

/// All keys, in the order of the footer and the help overlay.
pub const BINDINGS: &[Binding] = &[
    binding(
        Group::Look,
        Action::Help,
        &[Key::Char('?'), Key::Function(1)],
        ("?", Some("help")),
        "this help; again or Esc closes it",
    ),
    binding(
        Group::Load,
        Action::Stop,
        &[Key::Char('q')],
        ("q", Some("stop")),
        "stop and drain; again: stop at once",
    ),
    binding(Group::Load, Action::Interrupt, &[Key::Ctrl('c')], ("^C", None), "as q, told as an interrupt"),
    binding(Group::Load, Action::StopNow, &[Key::Char('Q')], ("Q", None), "stop at once"),
    binding(
        Group::Look,
        Action::Freeze,
        &[Key::Char(' ')],
        ("Space", Some("freeze")),
        "freeze the display, the load goes on",
    ),
    binding(
        Group::Load,
        Action::More,
        &[Key::Char('+'), Key::Char('='), Key::Up],
        ("+", Some("more")),
        "add one step of clients (also = and Up)",
    ),
    binding(
        Group::Load,
        Action::Fewer,
        &[Key::Char('-'), Key::Char('_'), Key::Down],
        ("-", Some("fewer")),
        "remove the newest clients (also _ and Down)",
    ),
    binding(Group::Load, Action::StepUp, &[Key::Char(']')], ("]", None), "larger step"),
    binding(
        Group::Load,
        Action::StepDown,
        &[Key::Char('[')],
        ("[", Some("] step")),
        "smaller step: 1 10 50 100 500 1000",
    ),
    binding(Group::Look, Action::View(1), &[Key::Char('1')], ("1", Some("overview")), "overview"),
    binding(Group::Look, Action::View(2), &[Key::Char('2')], ("2", Some("clients")), "clients, worst first"),
    binding(Group::Look, Action::Back, &[Key::Escape], ("Esc", None), "back; never ends the run"),
    binding(Group::Look, Action::Redraw, &[Key::Ctrl('l')], ("^L", None), "draw everything again"),
    binding(
        Group::Look,
        Action::Suspend,
        &[Key::Ctrl('z')],
        ("^Z", None),
        "off: it would stop every client at once",
    ),
];

/// What a key does.
pub fn action(key: Key) -> Option<Action> {
    BINDINGS.iter().find(|binding| binding.keys.contains(&key)).map(|binding| binding.action)
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
    fn every_line_can_be_found_by_its_keys() {
        for binding in BINDINGS {
            assert!(!binding.keys.is_empty());
            for key in binding.keys {
                assert_eq!(action(*key), Some(binding.action));
            }
        }
    }
}
