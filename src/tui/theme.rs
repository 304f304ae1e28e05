//! Colours and signs by meaning.
//!
//! * Colour is for abnormal states and for data, and always comes with a sign, a word or an order.
//! * In true colour the tables of `vocabulary::palette` decide. Of the 16 colours only red, green, yellow, blue,
//!   magenta and cyan are used: they stand out on dark and light terminals alike.
//! * The ground of the terminal is never set. Cells within a chart may have one in true colour, because both of their
//!   colours are ours then.
//! * Without colour nothing is lost: bold, dim, reversed and the marks of the bands remain.

use ratatui::style::{Color, Modifier, Style};

use crate::vocabulary::palette::{
    DARK, GROUND_DARK, GROUND_LIGHT, LIGHT, RAMP_DARK, RAMP_LIGHT, SAFE_DARK, SAFE_LIGHT, VERDICT_TEXT,
    VERDICTS, mix, on_ramp,
};
use crate::vocabulary::{Rgb, Tone};

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
    /// A text or sign in the colour of its data, such as a part of a legend.
    In(Tone),
    /// Words of a legend whose first letter, `■`, is in this tone.
    Legend(Tone),
    /// Words of a legend that must be seen: all of them are in the colour of trouble.
    LegendAlarm(Tone),
    /// The rule of the panel that has the focus.
    Focus,
    /// A text on a ground of its own: a verdict, or the shown tab ([`Tone::Ground`]).
    Chip(Tone),
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
    /// True colour on a dark ground.
    Dark,
    /// True colour on a light ground.
    Light,
    /// True colour that colour-blind readers can tell apart, on a dark ground.
    ColourBlind,
    /// True colour that colour-blind readers can tell apart, on a light ground.
    ColourBlindLight,
    /// No colours.
    Mono,
}

/// Colours that a cell can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// Any colour; a cell within a chart may have a ground of its own.
    True,
    /// The terminal's own 16 colours, without grounds.
    Sixteen,
    /// No colours.
    None,
}

/// Palette and characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Theme {
    /// The colours.
    pub palette: Palette,
    /// The characters.
    pub charset: Charset,
}

/// Glyphs of a ramp in ASCII and in blocks, from few to many.
const DENSITIES: [&str; 8] = [".", ":", "-", "=", "+", "*", "#", "@"];
const SHADES: [&str; 4] = ["░", "▒", "▓", "█"];
/// The 16 colours of a ramp, from few to many.
const RAMP_SIXTEEN: [Color; 4] = [Color::Blue, Color::Magenta, Color::Red, Color::Yellow];
/// Brightness of a strip's smallest amount, as a share of its full colour.
const LEAST_STRIP: f64 = 0.35;

impl Theme {
    /// Returns the style of a role.
    pub fn style(self, role: Role) -> Style {
        let bold = |tone: Tone| self.colour(tone).add_modifier(Modifier::BOLD);
        match role {
            Role::Plain => self.colour(Tone::Text),
            Role::Label => self.colour(Tone::Label),
            Role::Title => bold(Tone::Text),
            Role::Good => self.colour(Tone::Ok),
            Role::Warning => bold(Tone::Warn),
            // Without colour, only reversed text stands out enough from a warning.
            Role::Failing if self.depth() == Depth::None => bold(Tone::Fail).add_modifier(Modifier::REVERSED),
            Role::Failing => bold(Tone::Fail),
            Role::Untrusted if self.depth() == Depth::None => Style::new().add_modifier(Modifier::UNDERLINED),
            Role::Untrusted => self.colour(Tone::Untrusted),
            Role::Mark | Role::Focus => bold(Tone::Bright),
            Role::In(tone) => self.colour(tone),
            Role::Legend(_) => self.colour(Tone::Label),
            Role::LegendAlarm(Tone::Warn) => bold(Tone::Warn),
            Role::LegendAlarm(_) => bold(Tone::Fail),
            Role::Selected => self.ground(Tone::Ground, None),
            Role::Chip(tone) => self.chip(tone),
        }
    }

    /// Returns the style of what is drawn in a tone: a band, a line, a mark. It has no ground.
    pub fn colour(self, tone: Tone) -> Style {
        use Tone::{Bright, Fail2, Fail3, Idle, Label, Missing, Other2, Rule, Warn};
        let style = match self.rgb(tone) {
            Some(rgb) => Style::new().fg(colour(rgb)),
            None if self.depth() == Depth::None => Style::new(),
            None => sixteen(tone).map_or(Style::new(), |colour| Style::new().fg(colour)),
        };
        match (tone, self.depth()) {
            (Bright, _) | (Warn, Depth::Sixteen) => style.add_modifier(Modifier::BOLD),
            (Label | Rule | Idle | Fail2 | Fail3 | Other2 | Missing, Depth::Sixteen)
            | (Label | Rule | Idle, Depth::None) => style.add_modifier(Modifier::DIM),
            _ => style,
        }
    }

    /// Returns the colours that a cell can have: only in true colour may it have a ground of its own.
    pub const fn depth(self) -> Depth {
        match self.palette {
            Palette::Ansi => Depth::Sixteen,
            Palette::Mono => Depth::None,
            _ => Depth::True,
        }
    }

    /// Reports whether a cell within a chart may show two colours: one of the glyph, one of the ground. In ASCII it may
    /// not, because there is no glyph that fills half of a cell.
    pub fn has_grounds(self) -> bool {
        self.depth() == Depth::True && self.charset == Charset::Unicode
    }

    /// Returns the colour and the glyph of an amount from 0 to 1 on the ramp, from few to many. The glyph carries the
    /// amount where the colour does not.
    pub fn shade(self, amount: f64) -> (Color, &'static str) {
        let steps = if self.charset == Charset::Ascii { &DENSITIES[..] } else { &SHADES[..] };
        let step = |of: usize| ((amount.clamp(0.0, 1.0) * of as f64) as usize).min(of - 1);
        let glyph = steps.get(step(steps.len())).copied().unwrap_or(" ");
        match self.depth() {
            Depth::True if self.charset == Charset::Unicode => (colour(on_ramp(self.ramp(), amount)), "█"),
            Depth::True => (colour(on_ramp(self.ramp(), amount)), glyph),
            Depth::Sixteen => {
                (RAMP_SIXTEEN.get(step(RAMP_SIXTEEN.len())).copied().unwrap_or(Color::Reset), glyph)
            }
            Depth::None => (Color::Reset, glyph),
        }
    }

    /// Returns the style of an amount from 0 to 1 of one tone, from dim to its full colour.
    pub fn dimmed(self, tone: Tone, amount: f64) -> Style {
        match self.rgb(tone) {
            Some(full) => {
                let ground = if self.is_light() { GROUND_LIGHT } else { GROUND_DARK };
                let share = LEAST_STRIP + (1.0 - LEAST_STRIP) * amount.clamp(0.0, 1.0);
                Style::new().fg(colour(mix(ground, full, share)))
            }
            None if amount < 0.5 => self.colour(tone).add_modifier(Modifier::DIM),
            None => self.colour(tone),
        }
    }

    /// Returns the colour of a share of clients in trouble: from that of playing over that of waiting to that of
    /// stalled; `None` without true colour.
    pub fn trouble(self, share: f64) -> Option<Color> {
        let [play, warn, fail] = [Tone::Play, Tone::Warn, Tone::Fail].map(|tone| self.rgb(tone));
        let (play, warn, fail) = (play?, warn?, fail?);
        let share = share.clamp(0.0, 1.0) * 2.0;
        Some(colour(if share < 1.0 { mix(play, warn, share) } else { mix(warn, fail, share - 1.0) }))
    }

    /// Returns the glyph of a cell that a band fills: a block, or a mark of its own where colours cannot tell the bands
    /// apart.
    pub fn fill(self, tone: Tone) -> &'static str {
        if self.depth() != Depth::None && self.charset == Charset::Unicode {
            return "█";
        }
        match tone {
            Tone::Play => ":",
            Tone::Data | Tone::Bright => "=",
            Tone::Start => "o",
            Tone::Warn => "+",
            Tone::Fail => "#",
            Tone::Fail2 | Tone::Fail3 => "%",
            Tone::Other | Tone::Other2 => "x",
            Tone::Missing => "-",
            Tone::Untrusted => "~",
            _ => ".",
        }
    }

    /// Returns the sign of a tone in a legend: a square in its colour, or the mark of its band.
    pub fn swatch(self, tone: Tone) -> &'static str {
        match self.fill(tone) {
            "█" => "■",
            mark => mark,
        }
    }

    /// Returns the sign that stands before a word of this role.
    pub const fn sign(self, role: Role) -> &'static str {
        match (self.charset, role) {
            (Charset::Unicode, Role::Good | Role::Chip(Tone::Ok)) => "● ",
            (Charset::Unicode, Role::Warning | Role::Chip(Tone::Warn)) => "▲ ",
            (Charset::Unicode, Role::Failing | Role::Chip(Tone::Fail)) => "✗ ",
            (Charset::Unicode, Role::Untrusted | Role::Chip(Tone::Untrusted)) => "≈ ",
            (Charset::Unicode, Role::Mark) => "◆ ",
            (Charset::Ascii, Role::Warning | Role::Chip(Tone::Warn)) => "!! ",
            (Charset::Ascii, Role::Failing | Role::Chip(Tone::Fail)) => "XX ",
            (Charset::Ascii, Role::Untrusted | Role::Chip(Tone::Untrusted)) => "~~ ",
            (Charset::Ascii, Role::Mark) => "* ",
            _ => "",
        }
    }

    /// Reports whether the colours are made for a light ground.
    pub const fn is_light(self) -> bool {
        matches!(self.palette, Palette::Light | Palette::ColourBlindLight)
    }

    const fn ramp(self) -> &'static [Rgb; crate::vocabulary::palette::RAMP] {
        if self.is_light() { &RAMP_LIGHT } else { &RAMP_DARK }
    }

    /// Returns the true colour of a tone; `None` for a palette without.
    fn rgb(self, tone: Tone) -> Option<Rgb> {
        let (table, changes): (_, &[(Tone, Rgb)]) = match self.palette {
            Palette::Ansi | Palette::Mono => return None,
            Palette::Dark => (&DARK, &[]),
            Palette::Light => (&LIGHT, &[]),
            Palette::ColourBlind => (&DARK, &SAFE_DARK),
            Palette::ColourBlindLight => (&LIGHT, &SAFE_LIGHT),
        };
        let changed = changes.iter().find(|(of, _)| *of == tone).map(|(_, rgb)| *rgb);
        changed.or_else(|| table.get(tone.index()).copied())
    }

    /// Returns a ground in true colour, and reversed text otherwise.
    fn ground(self, tone: Tone, text: Option<Rgb>) -> Style {
        let verdict = VERDICTS.iter().find(|(of, _)| *of == tone).map(|(_, rgb)| *rgb);
        match (self.rgb(tone), text) {
            (Some(rgb), None) => Style::new().bg(colour(verdict.unwrap_or(rgb))),
            (Some(rgb), Some(text)) => Style::new().bg(colour(verdict.unwrap_or(rgb))).fg(colour(text)),
            (None, _) => Style::new().add_modifier(Modifier::REVERSED),
        }
    }

    fn chip(self, tone: Tone) -> Style {
        let text =
            if tone == Tone::Ground { self.rgb(Tone::Bright) } else { self.rgb(tone).map(|_| VERDICT_TEXT) };
        let style = self.ground(tone, text).add_modifier(Modifier::BOLD);
        match (self.depth(), sixteen(tone)) {
            (Depth::Sixteen, Some(colour)) => style.fg(colour),
            _ => style,
        }
    }
}

/// Returns the one of the 16 colours that stands for a tone; `None` for the terminal's own.
const fn sixteen(tone: Tone) -> Option<Color> {
    match tone {
        Tone::Play | Tone::Data => Some(Color::Cyan),
        Tone::Start => Some(Color::Blue),
        Tone::Warn => Some(Color::Yellow),
        Tone::Fail | Tone::Fail2 | Tone::Fail3 | Tone::Missing => Some(Color::Red),
        Tone::Other | Tone::Other2 | Tone::Untrusted => Some(Color::Magenta),
        Tone::Ok => Some(Color::Green),
        Tone::Text | Tone::Label | Tone::Rule | Tone::Idle | Tone::Bright | Tone::Ground => None,
    }
}

const fn colour((red, green, blue): Rgb) -> Color {
    Color::Rgb(red, green, blue)
}

/// Colours that the operator asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ThemeName {
    /// The best that the terminal says it can show.
    #[default]
    Auto,
    /// The terminal's own 16 colours.
    Ansi,
    /// True colour on a dark ground.
    Dark,
    /// True colour on a light ground.
    Light,
    /// True colour that colour-blind readers can tell apart.
    ColourBlind,
    /// No colours.
    Mono,
}

/// Variables with which a terminal describes its colours. An empty one counts as unset.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TerminalColours {
    /// `COLORTERM`: `truecolor` or `24bit` if the terminal has true colour.
    pub colorterm: Option<String>,
    /// `COLORFGBG`: the numbers of the colours of text and ground, such as `15;0`.
    pub colorfgbg: Option<String>,
    /// Set if `NO_COLOR` is (<https://no-color.org>).
    pub no_color: bool,
}

impl ThemeName {
    /// Names on the command line.
    pub const NAMES: [(&str, Self); 6] = [
        ("auto", Self::Auto),
        ("ansi", Self::Ansi),
        ("dark", Self::Dark),
        ("light", Self::Light),
        ("cb", Self::ColourBlind),
        ("mono", Self::Mono),
    ];

    /// Chooses the palette. The terminal is not asked anything: a late answer would count as typed keys.
    pub fn palette(self, terminal: &TerminalColours) -> Palette {
        let is_light = terminal.colorfgbg.as_deref().is_some_and(has_light_ground);
        let is_true =
            terminal.colorterm.as_deref().is_some_and(|name| ["truecolor", "24bit"].contains(&name));
        match self {
            Self::Auto if terminal.no_color => Palette::Mono,
            Self::Auto if is_true && is_light => Palette::Light,
            Self::Auto if is_true => Palette::Dark,
            Self::Auto | Self::Ansi => Palette::Ansi,
            Self::Dark => Palette::Dark,
            Self::Light => Palette::Light,
            Self::ColourBlind if is_light => Palette::ColourBlindLight,
            Self::ColourBlind => Palette::ColourBlind,
            Self::Mono => Palette::Mono,
        }
    }
}

/// Reports whether the last colour of `COLORFGBG`, that of the ground, is one of the two whites.
fn has_light_ground(colours: &str) -> bool {
    colours.rsplit(';').next().is_some_and(|ground| ["7", "15"].contains(&ground))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PALETTES: [Palette; 6] = [
        Palette::Ansi,
        Palette::Dark,
        Palette::Light,
        Palette::ColourBlind,
        Palette::ColourBlindLight,
        Palette::Mono,
    ];

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

    #[test]
    fn the_bands_of_a_chart_are_told_apart_without_colour() {
        let bands =
            [Tone::Fail, Tone::Warn, Tone::Start, Tone::Play, Tone::Missing, Tone::Other, Tone::Fail2];
        for theme in [
            Theme { palette: Palette::Mono, charset: Charset::Unicode },
            Theme { palette: Palette::Ansi, charset: Charset::Ascii },
        ] {
            for (place, tone) in bands.iter().enumerate() {
                assert!(theme.swatch(*tone).is_ascii());
                for other in &bands[place + 1..] {
                    assert_ne!(theme.fill(*tone), theme.fill(*other));
                }
            }
        }
        assert_eq!(Theme::default().swatch(Tone::Play), "■");
    }

    #[test]
    fn only_true_colour_sets_a_ground_and_mono_sets_no_colour_at_all() {
        let roles = [Role::Selected, Role::Chip(Tone::Fail), Role::Chip(Tone::Ground), Role::In(Tone::Play)];
        for palette in PALETTES {
            let theme = Theme { palette, charset: Charset::Unicode };
            for role in roles.into_iter().chain(Tone::ALL.map(Role::In)).chain(Tone::ALL.map(Role::Chip)) {
                let style = theme.style(role);
                assert!(style.bg.is_none() || theme.depth() == Depth::True, "{palette:?} {role:?}");
                assert!(style.fg.is_none() || theme.depth() != Depth::None, "{palette:?} {role:?}");
            }
            assert_eq!(theme.has_grounds(), theme.depth() == Depth::True);
            assert_eq!(theme.trouble(0.5).is_some(), theme.depth() == Depth::True);
        }
    }

    #[test]
    fn a_ramp_goes_from_few_to_many_in_every_theme() {
        for palette in PALETTES {
            for charset in [Charset::Unicode, Charset::Ascii] {
                let theme = Theme { palette, charset };
                assert_ne!(theme.shade(0.0), theme.shade(1.0), "{palette:?} {charset:?}");
                assert_eq!(theme.shade(-1.0), theme.shade(0.0));
                assert_eq!(theme.shade(f64::INFINITY), theme.shade(1.0));
                assert_eq!(charset == Charset::Ascii, theme.shade(0.3).1.is_ascii());
            }
        }
    }

    #[test]
    fn the_terminal_chooses_the_palette_unless_the_operator_does() {
        let terminal = |colorterm: &str, colorfgbg: &str, no_color| TerminalColours {
            colorterm: Some(colorterm.to_owned()),
            colorfgbg: Some(colorfgbg.to_owned()),
            no_color,
        };
        for (colorterm, colorfgbg, no_color, auto) in [
            ("", "", false, Palette::Ansi),
            ("yes", "0;15", false, Palette::Ansi),
            ("truecolor", "", false, Palette::Dark),
            ("24bit", "15;0", false, Palette::Dark),
            ("24bit", "0;15", false, Palette::Light),
            ("truecolor", "0;default;7", false, Palette::Light),
            ("truecolor", "0;17", false, Palette::Dark),
            ("truecolor", "0;15", true, Palette::Mono),
        ] {
            let terminal = terminal(colorterm, colorfgbg, no_color);
            assert_eq!(ThemeName::Auto.palette(&terminal), auto, "{terminal:?}");
            assert_eq!(ThemeName::Dark.palette(&terminal), Palette::Dark, "{terminal:?}");
            assert_eq!(ThemeName::Mono.palette(&terminal), Palette::Mono, "{terminal:?}");
        }
        assert_eq!(ThemeName::Auto.palette(&TerminalColours::default()), Palette::Ansi);
        assert_eq!(ThemeName::ColourBlind.palette(&terminal("", "0;7", true)), Palette::ColourBlindLight);
        assert_eq!(ThemeName::ColourBlind.palette(&terminal("", "", false)), Palette::ColourBlind);
    }
}
