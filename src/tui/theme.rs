//! Colours and signs by meaning.
//!
//! * Normal text has the terminal's own colour. Colour is for abnormal states and always comes with a sign and a
//!   word.
//! * Of the 16 colours only red, green, yellow, blue and magenta are used: they stand out on dark and light terminals
//!   alike. A background is never set, except by reversing.
//! * Without colour nothing is lost: bold, dim and reversed remain.

use ratatui::style::{Color, Modifier, Style};

/// Meaning of a piece of text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Role {
    /// A value.
    #[default]
    Plain,
    /// A heading, a unit, or a value without significance.
    Label,
    /// A good state; used only in verdicts.
    Good,
    /// A warning.
    Warning,
    /// A failure.
    Failing,
    /// A measurement that is not known to be good.
    Untrusted,
    /// A mark or a knee.
    Mark,
    /// The line under the cursor.
    Selected,
    /// A title.
    Title,
}

/// Characters that the terminal can show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Charset {
    /// Box lines, blocks and braille.
    #[default]
    Unicode,
    /// Printable ASCII only.
    Ascii,
}

/// Set of colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Palette {
    /// The terminal's own 16 colours.
    #[default]
    Ansi,
    /// Colours that colour-blind people can distinguish (Okabe and Ito), for terminals with true colour.
    ColourBlind,
    /// No colours.
    Mono,
}

/// Palette and characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Theme {
    /// The colours.
    pub palette: Palette,
    /// The characters.
    pub charset: Charset,
}

impl Theme {
    /// Returns the style of a role.
    pub fn style(self, role: Role) -> Style {
        let plain = Style::new();
        match role {
            Role::Plain => plain,
            Role::Label => plain.add_modifier(Modifier::DIM),
            Role::Title => plain.add_modifier(Modifier::BOLD),
            Role::Selected => plain.add_modifier(Modifier::REVERSED),
            Role::Good => self.coloured(Color::Green, Color::Rgb(0, 158, 115)),
            Role::Warning => {
                self.coloured(Color::Yellow, Color::Rgb(230, 159, 0)).add_modifier(Modifier::BOLD)
            }
            Role::Failing => self.failing(),
            Role::Untrusted => self.coloured(Color::Magenta, Color::Rgb(204, 121, 167)),
            Role::Mark => self.coloured(Color::Blue, Color::Rgb(0, 114, 178)).add_modifier(Modifier::BOLD),
        }
    }

    /// Returns the style of a failure. Without colour, only reversed text stands out enough from a warning.
    fn failing(self) -> Style {
        let style = self.coloured(Color::Red, Color::Rgb(213, 94, 0)).add_modifier(Modifier::BOLD);
        if self.palette == Palette::Mono { style.add_modifier(Modifier::REVERSED) } else { style }
    }

    /// Returns the style of a chart's bar: a reversed block would look like a hole.
    pub fn bar(self, role: Role) -> Style {
        self.style(role).remove_modifier(Modifier::REVERSED | Modifier::DIM)
    }

    fn coloured(self, ansi: Color, true_colour: Color) -> Style {
        match self.palette {
            Palette::Ansi => Style::new().fg(ansi),
            Palette::ColourBlind => Style::new().fg(true_colour),
            Palette::Mono => Style::new(),
        }
    }

    /// Returns the sign that stands before a word of this role.
    pub const fn sign(self, role: Role) -> &'static str {
        match (self.charset, role) {
            (Charset::Unicode, Role::Good) => "● ",
            (Charset::Unicode, Role::Warning) => "▲ ",
            (Charset::Unicode, Role::Failing) => "✗ ",
            (Charset::Unicode, Role::Untrusted) => "≈ ",
            (Charset::Unicode, Role::Mark) => "» ",
            (Charset::Ascii, Role::Warning) => "!! ",
            (Charset::Ascii, Role::Failing) => "XX ",
            (Charset::Ascii, Role::Untrusted) => "~~ ",
            (Charset::Ascii, Role::Mark) => ">> ",
            _ => "",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_abnormal_state_is_told_apart_without_colour() {
        for charset in [Charset::Unicode, Charset::Ascii] {
            let mono = Theme { palette: Palette::Mono, charset };
            let roles = [Role::Plain, Role::Warning, Role::Failing, Role::Untrusted, Role::Mark];
            for (place, role) in roles.iter().enumerate() {
                assert_eq!((mono.style(*role).fg, mono.style(*role).bg), (None, None));
                for other in &roles[place + 1..] {
                    assert_ne!(mono.sign(*role), mono.sign(*other));
                }
            }
        }
    }
}
