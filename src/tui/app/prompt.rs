//! Input line for a target, a filter or the note of a mark.

use crate::tui::input::Key;
use crate::vocabulary::limits::ASKED_CLIENTS;
use crate::vocabulary::{Untrusted, units};

/// Characters that a line can hold.
const LENGTH: usize = 60;

/// Purpose of the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tui) enum PromptKind {
    /// A number of clients.
    Target,
    /// A pattern for the lines of a list.
    Filter,
    /// A note about the marked moment.
    Note,
}

impl PromptKind {
    /// Returns the label before the line.
    pub(in crate::tui) const fn label(self) -> &'static str {
        match self {
            Self::Target => "clients (2500, +50, -20%):",
            Self::Filter => "filter (503, buffer<2, !x):",
            Self::Note => "note for the mark (Enter: none):",
        }
    }

    /// Returns the label where there is little room.
    pub(in crate::tui) const fn short_label(self) -> &'static str {
        match self {
            Self::Target => "clients:",
            Self::Filter => "filter:",
            Self::Note => "note:",
        }
    }
}

/// Result of a key press on the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Typed {
    /// The line is still being typed.
    On,
    /// Enter: the line is complete.
    Done,
    /// Escape: the line is discarded.
    Cancelled,
}

/// The line and its purpose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::tui) struct Prompt {
    pub(in crate::tui) asked: PromptKind,
    pub(in crate::tui) text: String,
}

impl Prompt {
    pub(super) fn new(asked: PromptKind) -> Self {
        Self { asked, text: String::new() }
    }

    pub(super) fn press(&mut self, key: Key) -> Typed {
        match key {
            Key::Enter => return Typed::Done,
            Key::Escape => return Typed::Cancelled,
            Key::Backspace => drop(self.text.pop()),
            Key::Ctrl('u') => self.text.clear(),
            Key::Char(character) => self.insert(character),
            _ => {}
        }
        Typed::On
    }

    pub(super) fn paste(&mut self, text: &str) {
        Untrusted::new(text).shown().chars().for_each(|character| self.insert(character));
    }

    fn insert(&mut self, character: char) {
        if self.text.chars().count() < LENGTH {
            self.text.push(character);
        }
    }
}

/// Parses a typed target: a number, or a change of `now` in clients or per cent.
///
/// # Errors
/// Lists the accepted forms if `text` has none of them.
pub(super) fn target(text: &str, now: u32) -> Result<i64, String> {
    let wrong = || format!("invalid target '{text}'; expected 2500, 2.5k, +50 or -20%");
    let typed = text.trim();
    let (sign, size) = match (typed.strip_prefix('+'), typed.strip_prefix('-')) {
        (Some(size), _) => (1, size),
        (_, Some(size)) => (-1, size),
        _ => (0, typed),
    };
    let size = match size.strip_suffix('%') {
        Some(share) if sign != 0 => per_cent(share, now).ok_or_else(wrong)?,
        _ => units::parse_count(size).ok().filter(|size| *size <= ASKED_CLIENTS).ok_or_else(wrong)?,
    };
    let size = i64::try_from(size).map_err(|_| wrong())?;
    Ok(if sign == 0 { size } else { i64::from(now) + sign * size })
}

/// Returns `share` per cent of `now`, rounded; `None` if `share` is not a plain number or is too large.
fn per_cent(share: &str, now: u32) -> Option<u64> {
    let share = share.trim();
    let is_plain = share.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let share = share.parse::<f64>().ok().filter(|share| is_plain && *share <= ASKED_CLIENTS as f64)?;
    Some((share * f64::from(now) / 100.0).round() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_a_number_or_a_change() {
        for (text, expected) in [
            ("25", 25),
            ("2,500", 2_500),
            ("2.5k", 2_500),
            ("+50", 250),
            ("-20%", 160),
            ("+20 %", 240),
            ("-900", -700),
        ] {
            assert_eq!(target(text, 200), Ok(expected), "{text}");
        }
        for text in ["", "ten", "20%", "+", "--5", "1e5", "nan", "inf", "99999999999"] {
            assert!(target(text, 200).is_err(), "{text}");
        }
    }

    #[test]
    fn a_line_has_an_end_and_a_paste_holds_no_control_character() {
        let mut prompt = Prompt::new(PromptKind::Note);
        prompt.paste(&"a\x1b[2J".repeat(100));
        assert_eq!(prompt.text.chars().count(), LENGTH);
        assert!(!prompt.text.chars().any(char::is_control));
        assert_eq!(prompt.press(Key::Ctrl('u')), Typed::On);
        assert!(prompt.text.is_empty());
    }
}
