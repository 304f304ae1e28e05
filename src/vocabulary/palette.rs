//! Colours by meaning, for everything that draws: the console, the page and the card.
//!
//! * One quiet hue for what is fine, amber and red for trouble, a ramp for density. A colour never stands alone: order,
//!   a glyph or a word says the same.
//! * The tables are for the usual grounds, [`GROUND_DARK`] and [`GROUND_LIGHT`]. Text has a contrast of at least 12 to
//!   1 there, labels and coloured words of at least 4.5 to 1.

use super::outcome::{Class, Outcome};

/// Red, green and blue.
pub type Rgb = (u8, u8, u8);

/// Declares the closed list of meanings of a colour: variant, dark colour, light colour, meaning.
macro_rules! tones {
    ($($tone:ident $dark:literal $light:literal $meaning:literal,)+) => {
        /// Meaning of a colour.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum Tone { $(#[doc = $meaning] $tone,)+ }

        impl Tone {
            /// All tones, in the order of the tables.
            pub const ALL: [Self; Self::COUNT] = [$(Self::$tone,)+];

            /// Number of tones.
            pub const COUNT: usize = [$($dark,)+].len();
        }

        /// Colours for a dark ground.
        pub const DARK: [Rgb; Tone::COUNT] = [$(rgb($dark),)+];

        /// Colours for a light ground.
        pub const LIGHT: [Rgb; Tone::COUNT] = [$(rgb($light),)+];
    };
}

tones! {
    Text 0xd7_dce5 0x22_262e "A value.",
    Label 0x8d_96a8 0x6a_7280 "A heading or a unit.",
    Rule 0x45_4d5e 0xc4_c9d4 "A line between panels.",
    Idle 0x2a_303c 0xe6_e9ef "The empty part of a bar.",
    Bright 0xff_ffff 0x00_0000 "The focus, a knee, a key.",
    Play 0x2b_6f8f 0x9c_cbe6 "Clients that play, or bits that arrived; a fill, not a text.",
    Data 0x62_b6ea 0x0b_6fb0 "A line, bar or mark of data.",
    Start 0x8e_a6ff 0x3f_59c9 "Clients that start.",
    Warn 0xf0_b03c 0x9a_6200 "Clients that wait, a warning, or a 4xx status.",
    Fail 0xff_5d5d 0xc9_252d "Clients that stalled, a failure, or the first 5xx status.",
    Fail2 0xe0_607f 0xa3_223a "The second 5xx status.",
    Fail3 0xb3_4a70 0x7d_1128 "Every further 5xx status; a fill, not a text.",
    Other 0xa5_7ae8 0x5e_35b1 "An outcome without a status, such as a timeout.",
    Other2 0xc6_78dd 0x8e_44ad "The next outcome without a status.",
    Missing 0x6b_2430 0xf7_c6c6 "Bits that the clients need and do not get; a fill, not a text.",
    Ok 0x4f_c08d 0x0a_7d4f "A good verdict.",
    Untrusted 0xd7_9be0 0x8e_3b96 "A measurement that is not judged or not trusted.",
    Ground 0x1f_435c 0xbc_dcf2 "The ground of the selected line and of the shown tab.",
}

impl Tone {
    /// Returns the index into a table of [`Tone::COUNT`] entries.
    pub const fn index(self) -> usize {
        self as usize
    }
}

/// Usual ground of a dark terminal.
pub const GROUND_DARK: Rgb = rgb(0x1e_1e1e);
/// Usual ground of a light terminal.
pub const GROUND_LIGHT: Rgb = rgb(0xff_ffff);

/// Changes to [`DARK`] for colour-blind readers: vermilion, sky blue and bluish green, after Okabe and Ito
/// (<https://jfly.uni-koeln.de/color/>). Vermilion is a little lighter than theirs, to be read as text.
pub const SAFE_DARK: [(Tone, Rgb); 3] =
    [(Tone::Fail, rgb(0xe0_650f)), (Tone::Start, rgb(0x56_b4e9)), (Tone::Ok, rgb(0x00_9e73))];
/// Changes to [`LIGHT`] for colour-blind readers. The others are told apart there as they are.
pub const SAFE_LIGHT: [(Tone, Rgb); 1] = [(Tone::Fail, rgb(0xb3_4700))];

/// Grounds of a verdict, on which it stands in white; they serve on both grounds.
pub const VERDICTS: [(Tone, Rgb); 4] = [
    (Tone::Fail, rgb(0xc4_313b)),
    (Tone::Warn, rgb(0x96_6000)),
    (Tone::Ok, rgb(0x2f_7d5b)),
    (Tone::Untrusted, rgb(0x8e_3b96)),
];
/// Colour of the words of a verdict.
pub const VERDICT_TEXT: Rgb = rgb(0xff_ffff);

/// Number of colours between which a ramp is mixed.
pub const RAMP: usize = 9;
/// Colours from few to many on a dark ground. Lightness rises all the way, so the ramp also reads without colour.
pub const RAMP_DARK: [Rgb; RAMP] = [
    rgb(0x20_242e),
    rgb(0x24_2a52),
    rgb(0x3a_2d7d),
    rgb(0x6a_2c8f),
    rgb(0xa3_2f86),
    rgb(0xd6_4a6a),
    rgb(0xf3_794a),
    rgb(0xfb_b43d),
    rgb(0xfd_f2a0),
];
/// Colours from few to many on a light ground. Lightness falls all the way.
pub const RAMP_LIGHT: [Rgb; RAMP] = [
    rgb(0xf3_f4f8),
    rgb(0xdf_e1f3),
    rgb(0xc3_bfe6),
    rgb(0xb4_93d2),
    rgb(0xb2_64b3),
    rgb(0xb2_3a86),
    rgb(0x96_264f),
    rgb(0x6b_1d2c),
    rgb(0x3b_1214),
];

/// Number of shades of a ramp. More cost bytes on the way to a terminal and cannot be told apart.
pub const SHADES: u32 = 24;
/// Shade of a single one among many: it must be seen.
const LEAST_SHADE: f64 = 0.10;

/// Returns the colour of an amount from 0 to 1 on a ramp, in one of [`SHADES`] shades.
pub fn on_ramp(ramp: &[Rgb; RAMP], amount: f64) -> Rgb {
    let steps = f64::from(SHADES - 1);
    let place = (amount.clamp(0.0, 1.0) * steps).round() * (RAMP - 1) as f64 / steps;
    let low = (place as usize).min(RAMP - 2);
    match ramp.get(low..low + 2) {
        Some([fewer, more]) => mix(*fewer, *more, place - low as f64),
        _ => ramp[0],
    }
}

/// Returns the amount from 0 to 1 that stands for `count` where `most` is the largest count of the picture; `None` for
/// a count of 0, which is not drawn. The scale is logarithmic: a few failures among thousands must be seen.
pub fn amount(count: u32, most: u32) -> Option<f64> {
    let share = f64::from(count).ln_1p() / f64::from(most.max(1)).ln_1p();
    (count > 0).then(|| LEAST_SHADE + (1.0 - LEAST_SHADE) * share.min(1.0))
}

/// Mixes two colours: `share` 0 is the first, 1 the second.
pub fn mix(one: Rgb, other: Rgb, share: f64) -> Rgb {
    let share = share.clamp(0.0, 1.0);
    let part =
        |one: u8, other: u8| (f64::from(one) + (f64::from(other) - f64::from(one)) * share).round() as u8;
    (part(one.0, other.0), part(one.1, other.1), part(one.2, other.2))
}

/// Returns the colour as HTML and SVG write it: `#62b6ea`.
pub fn hex((red, green, blue): Rgb) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

/// Returns the tones of failed outcomes, listed in the order in which they first appeared. A tone depends on the class
/// and on the outcomes before it in that class, so an outcome keeps its colour to the end of the run.
pub fn tones_of(outcomes: &[Outcome]) -> Vec<Tone> {
    let (mut servers, mut others) = (0, 0);
    let tone = |outcome: &Outcome| match outcome.class() {
        Class::Http4xx => Tone::Warn,
        Class::Http5xx => {
            servers += 1;
            [Tone::Fail, Tone::Fail2].get(servers - 1).copied().unwrap_or(Tone::Fail3)
        }
        // A fault of this machine says nothing about the origin.
        Class::Local => Tone::Untrusted,
        _ => {
            others += 1;
            if others % 2 == 1 { Tone::Other } else { Tone::Other2 }
        }
    };
    outcomes.iter().map(tone).collect()
}

const fn rgb(code: u32) -> Rgb {
    ((code >> 16) as u8, (code >> 8) as u8, code as u8)
}

#[cfg(test)]
mod tests {
    use super::super::outcome::{Fault, HttpFailure};
    use super::*;

    /// Returns the relative luminance (<https://www.w3.org/TR/WCAG22/#dfn-relative-luminance>).
    fn luminance((red, green, blue): Rgb) -> f64 {
        let linear = |part: u8| {
            let part = f64::from(part) / 255.0;
            if part <= 0.040_45 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
    }

    fn contrast(one: Rgb, other: Rgb) -> f64 {
        let (one, other) = (luminance(one), luminance(other));
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }

    /// Returns the table with the changes for colour-blind readers.
    fn safe(mut table: [Rgb; Tone::COUNT], changes: &[(Tone, Rgb)]) -> [Rgb; Tone::COUNT] {
        for (tone, colour) in changes {
            table[tone.index()] = *colour;
        }
        table
    }

    #[test]
    fn every_word_can_be_read_on_its_ground() {
        use Tone::{
            Bright, Data, Fail, Fail2, Ground, Label, Ok, Other, Other2, Start, Text, Untrusted, Warn,
        };
        let tables = [(DARK, GROUND_DARK), (LIGHT, GROUND_LIGHT)];
        let blind = [(safe(DARK, &SAFE_DARK), GROUND_DARK), (safe(LIGHT, &SAFE_LIGHT), GROUND_LIGHT)];
        for (table, ground) in tables.into_iter().chain(blind) {
            let of = |tone: Tone| contrast(table[tone.index()], ground);
            assert!(of(Text) >= 12.0, "{}", of(Text));
            for tone in [Bright, Label, Data, Start, Warn, Fail, Fail2, Other, Other2, Ok, Untrusted] {
                assert!(of(tone) >= 4.5, "{tone:?} on {ground:?}: {}", of(tone));
            }
            for tone in [Text, Bright] {
                let on = contrast(table[tone.index()], table[Ground.index()]);
                assert!(on >= 7.0, "{tone:?} on the selected line: {on}");
            }
        }
        for (tone, ground) in VERDICTS {
            let on = contrast(VERDICT_TEXT, ground);
            assert!(on >= 4.5, "{tone:?}: {on}");
        }
    }

    #[test]
    fn a_ramp_also_reads_without_colour() {
        let rises = |ramp: [Rgb; RAMP]| ramp.windows(2).all(|pair| luminance(pair[0]) < luminance(pair[1]));
        let mut light = RAMP_LIGHT;
        light.reverse();
        assert!(rises(RAMP_DARK) && rises(light));
        assert_eq!((on_ramp(&RAMP_DARK, 0.0), on_ramp(&RAMP_DARK, 1.0)), (RAMP_DARK[0], RAMP_DARK[RAMP - 1]));
        let mut shades: Vec<Rgb> =
            (0..=1_000).map(|step| on_ramp(&RAMP_DARK, f64::from(step) / 1e3)).collect();
        shades.dedup();
        assert_eq!(shades.len(), SHADES as usize);
    }

    #[test]
    fn one_among_many_is_seen_and_none_is_not() {
        assert_eq!(amount(0, 500), None);
        assert!(amount(1, u32::MAX).is_some_and(|amount| amount > LEAST_SHADE));
        assert_eq!((amount(500, 500), amount(7, 0)), (Some(1.0), Some(1.0)));
    }

    #[test]
    fn an_outcome_keeps_its_colour_when_others_follow() {
        let http = |status| Outcome::Http(HttpFailure::new(status));
        let all = [
            http(503),
            Fault::TimeoutFirstByte.into(),
            http(404),
            http(502),
            Fault::ConnReset.into(),
            http(500),
            http(504),
            Fault::LocalPorts.into(),
        ];
        let tones = tones_of(&all);
        use Tone::{Fail, Fail2, Fail3, Other, Other2, Untrusted, Warn};
        assert_eq!(tones, [Fail, Other, Warn, Fail2, Other2, Fail3, Fail3, Untrusted]);
        for length in 0..all.len() {
            assert_eq!(tones_of(&all[..length]), tones[..length]);
        }
        assert_eq!(hex(DARK[Tone::Data.index()]), "#62b6ea");
    }
}
