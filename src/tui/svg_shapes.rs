//! Blocks, braille and lines of the screen as shapes of an SVG, so that neighbouring cells meet without seams.

use std::fmt::Write as _;

/// Size of a cell in pixels.
pub(super) const WIDTH: u32 = 8;
pub(super) const HEIGHT: u32 = 17;

/// Side and distance of the dots of braille.
const DOT: u32 = 2;
/// Length of a dash and of the gap after it.
const DASHES: &str = " stroke-dasharray=\"2\"";

/// Reports whether a character is drawn as a shape and not written as text.
pub(super) fn is_shape(character: char) -> bool {
    matches!(character, '▀'..='▓' | '■' | '\u{2800}'..='\u{28ff}') || line(character).is_some()
}

/// Reports whether equal neighbours of this shape are one longer shape.
pub(super) fn continues(character: char) -> bool {
    matches!(character, '▀'..='█' | '░'..='▓' | '─' | '━' | '╌')
}

/// Draws a shape at `x`, `y`, as wide as its cells together. `more` holds further attributes.
pub(super) fn draw(
    svg: &mut String,
    (x, y, width): (u32, u32, u32),
    character: char,
    fill: &str,
    more: &str,
) {
    let code = u32::from(character);
    match character {
        '░'..='▓' => {
            let share = code - 0x2590;
            rect(svg, (x, y, width, HEIGHT), fill, &format!(" opacity=\"0.{}\"", share * 2));
        }
        '▀' => rect(svg, (x, y, width, HEIGHT - height(4)), fill, more),
        // U+2581 to U+2588 fill one to eight eighths from below; U+2589 to U+258F fill seven down to one from the left.
        '▁'..='█' => {
            let height = height(code - 0x2580);
            rect(svg, (x, y + HEIGHT - height, width, height), fill, more);
        }
        '▉'..='▏' => rect(svg, (x, y, (WIDTH * (0x2590 - code)).div_ceil(8), HEIGHT), fill, more),
        '▐' => rect(svg, (x + WIDTH / 2, y, WIDTH / 2, HEIGHT), fill, more),
        '■' => rect(svg, (x + 1, y + 6, WIDTH - 2, WIDTH - 2), fill, more),
        '\u{2800}'..='\u{28ff}' => braille(svg, (x, y), code, fill, more),
        _ => draw_line(svg, (x, y, width), character, fill, more),
    }
}

/// Returns the height of this many eighths.
const fn height(eighths: u32) -> u32 {
    (HEIGHT * eighths).div_ceil(8)
}

/// Draws the dots of a braille character: bits 0 to 2 down the left side, 3 to 5 down the right, 6 and 7 at the bottom.
fn braille(svg: &mut String, (x, y): (u32, u32), code: u32, fill: &str, more: &str) {
    const PLACES: [(u32, u32); 8] = [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (0, 3), (1, 3)];
    for (bit, (column, line)) in PLACES.into_iter().enumerate() {
        if code >> bit & 1 == 1 {
            rect(svg, (x + 1 + column * 2 * DOT, y + 1 + line * 2 * DOT, DOT, DOT), fill, more);
        }
    }
}

/// Sides of a cell that a line reaches from its middle.
#[derive(Clone, Copy, Default)]
struct Sides {
    left: bool,
    right: bool,
    up: bool,
    down: bool,
    heavy: bool,
    dashed: bool,
}

/// Returns the form of a line; `None` for a character that is none.
fn line(character: char) -> Option<Sides> {
    let none = Sides::default();
    let (flat, upright) = (Sides { left: true, right: true, ..none }, Sides { up: true, down: true, ..none });
    Some(match character {
        '─' => flat,
        '━' => Sides { heavy: true, ..flat },
        '╌' => Sides { dashed: true, ..flat },
        '╸' => Sides { left: true, heavy: true, ..none },
        '│' => upright,
        '┊' => Sides { dashed: true, ..upright },
        '╵' => Sides { up: true, ..none },
        '┌' | '╭' => Sides { right: true, down: true, ..none },
        '┐' | '╮' => Sides { left: true, down: true, ..none },
        '┗' => Sides { right: true, up: true, heavy: true, ..none },
        '┛' => Sides { left: true, up: true, heavy: true, ..none },
        '┷' => Sides { up: true, heavy: true, ..flat },
        '└' | '╰' => Sides { right: true, up: true, ..none },
        '┘' | '╯' => Sides { left: true, up: true, ..none },
        '├' => Sides { right: true, ..upright },
        '┤' => Sides { left: true, ..upright },
        _ => return None,
    })
}

fn draw_line(svg: &mut String, (x, y, width): (u32, u32, u32), character: char, stroke: &str, more: &str) {
    let Some(sides) = line(character) else { return };
    let (middle, centre) = (x + WIDTH / 2, y + HEIGHT / 2);
    let mut path = String::new();
    if sides.left && sides.right {
        _ = write!(path, "M{x} {centre}h{width}");
    }
    let ends = [
        (sides.left && !sides.right, (x, centre)),
        (sides.right && !sides.left, (x + WIDTH, centre)),
        (sides.up, (middle, y)),
        (sides.down, (middle, y + HEIGHT)),
    ];
    for (_, (x, y)) in ends.into_iter().filter(|(there, _)| *there) {
        _ = write!(path, "M{middle} {centre}L{x} {y}");
    }
    let weight = if sides.heavy { " stroke-width=\"2\"" } else { "" };
    let dashes = if sides.dashed { DASHES } else { "" };
    _ = writeln!(svg, "<path d=\"{path}\" stroke=\"{stroke}\"{weight}{dashes}{more}/>");
}

pub(super) fn rect(svg: &mut String, (x, y, width, height): (u32, u32, u32, u32), fill: &str, more: &str) {
    _ = writeln!(
        svg,
        "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" fill=\"{fill}\"{more}/>"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_glyph_of_our_charts_is_a_shape_within_its_cell() {
        for character in "▀▁▂▃▄▅▆▇█▏▎▍▌▋▊▉░▒▓■─━╌╸│┊╵┌┐└┘╭╮╰╯├┤⠁⣿⢸".chars()
        {
            assert!(is_shape(character), "{character}");
            let mut svg = String::new();
            draw(&mut svg, (8, 17, WIDTH), character, "#fff", "");
            assert!(!svg.is_empty(), "{character}");
            for rect in svg.lines().filter(|line| line.starts_with("<rect")) {
                let of = |name: &str| {
                    let after = rect.split_once(&format!(" {name}=\"")).expect(name).1;
                    after.split('"').next().and_then(|value| value.parse::<u32>().ok()).expect(name)
                };
                assert!(of("x") >= 8 && of("x") + of("width") <= 16, "{character}: {rect}");
                assert!(of("y") >= 17 && of("y") + of("height") <= 34, "{character}: {rect}");
            }
        }
        assert!(!is_shape('a') && !is_shape(' ') && !is_shape('◆'));
    }
}
