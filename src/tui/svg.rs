//! Renders the screen as SVG, as a terminal shows it, for a report, a chat or a README.
//!
//! * Text is pinned to its cells, whatever font the reader has. Blocks and box lines are drawn as shapes, so that
//!   neighbours meet without seams.
//! * The output uses a fixed set of elements and attributes, no links and no scripts; all text is escaped.

use std::fmt::Write as _;

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};

/// Size of a cell in pixels.
const WIDTH: u32 = 8;
const HEIGHT: u32 = 17;
/// Distance from the top of a cell to the line on which letters stand.
const BASELINE: u32 = 13;
const FONT_SIZE: u32 = 13;

const BACKGROUND: &str = "#1e1e1e";
const FOREGROUND: &str = "#d4d4d4";

/// Appearance of a cell.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Look {
    fill: &'static str,
    behind: Option<&'static str>,
    bold: bool,
    dim: bool,
    /// A colour outside the sixteen.
    true_colour: Option<(u8, u8, u8)>,
}

impl Look {
    fn new(cell: &Cell) -> Self {
        let (fill, true_colour) = match cell.fg {
            Color::Rgb(r, g, b) => (FOREGROUND, Some((r, g, b))),
            colour => (named(colour), None),
        };
        let reversed = cell.modifier.contains(Modifier::REVERSED);
        Self {
            fill: if reversed { BACKGROUND } else { fill },
            behind: reversed.then_some(fill),
            bold: cell.modifier.contains(Modifier::BOLD),
            dim: cell.modifier.contains(Modifier::DIM),
            true_colour: true_colour.filter(|_| !reversed),
        }
    }

    fn fill(self) -> String {
        match self.true_colour {
            Some((r, g, b)) => format!("#{r:02x}{g:02x}{b:02x}"),
            None => self.fill.to_owned(),
        }
    }

    fn attributes(self) -> String {
        let weight = if self.bold { " font-weight=\"bold\"" } else { "" };
        let opacity = if self.dim { " opacity=\"0.6\"" } else { "" };
        format!("fill=\"{}\"{weight}{opacity}", self.fill())
    }
}

const fn named(colour: Color) -> &'static str {
    match colour {
        Color::Red => "#f14c4c",
        Color::Green => "#23d18b",
        Color::Yellow => "#e5e510",
        Color::Blue => "#3b8eea",
        Color::Magenta => "#d670d6",
        Color::Cyan => "#29b8db",
        _ => FOREGROUND,
    }
}

/// Renders the screen as an SVG document.
pub(super) fn svg(buffer: &Buffer) -> String {
    let (columns, lines) = (u32::from(buffer.area.width), u32::from(buffer.area.height));
    let (width, height) = ((columns + 2) * WIDTH, (lines + 1) * HEIGHT);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" font-family=\"DejaVu Sans Mono, Menlo, Consolas, monospace\" \
         font-size=\"{FONT_SIZE}\">\n<rect width=\"{width}\" height=\"{height}\" rx=\"6\" fill=\"{BACKGROUND}\"/>\n\
         <g transform=\"translate({WIDTH} {})\">\n",
        HEIGHT / 2
    );
    let stride = usize::from(buffer.area.width).max(1);
    for (y, line) in (0..).zip(buffer.content.chunks(stride)) {
        draw_line(&mut svg, y, line);
    }
    svg.push_str("</g>\n</svg>\n");
    svg
}

/// Draws one line; consecutive cells of the same look are drawn together.
fn draw_line(svg: &mut String, y: u32, cells: &[Cell]) {
    let mut x = 0;
    for run in cells.chunk_by(|one, other| Look::new(one) == Look::new(other)) {
        let Some(look) = run.first().map(Look::new) else { continue };
        if let Some(behind) = look.behind {
            let width = run.len() as u32 * WIDTH;
            rect(svg, (x * WIDTH, y * HEIGHT, width, HEIGHT), behind, "");
        }
        draw_run(svg, (x, y), run, look);
        x += run.len() as u32;
    }
}

fn draw_run(svg: &mut String, (mut x, y): (u32, u32), run: &[Cell], look: Look) {
    for part in run.chunk_by(are_one) {
        let count = part.len() as u32;
        match part.first() {
            Some(cell) if is_shape(cell) => {
                shape(svg, (x * WIDTH, y * HEIGHT, count * WIDTH), cell.symbol(), look);
            }
            _ => text(svg, (x, y), &part.iter().map(Cell::symbol).collect::<String>(), look),
        }
        x += count;
    }
}

fn text(svg: &mut String, (x, y): (u32, u32), letters: &str, look: Look) {
    let begin = letters.len() - letters.trim_start_matches(' ').len();
    let letters = letters.trim_matches(' ');
    let count = letters.chars().count() as u32;
    if count == 0 {
        return;
    }
    _ = writeln!(
        svg,
        "<text x=\"{}\" y=\"{}\" textLength=\"{}\" lengthAdjust=\"spacingAndGlyphs\" xml:space=\"preserve\" {}>{}</text>",
        (x + begin as u32) * WIDTH,
        y * HEIGHT + BASELINE,
        count * WIDTH,
        look.attributes(),
        escaped(letters)
    );
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Reports whether a cell is drawn as a shape and not written as text.
fn is_shape(cell: &Cell) -> bool {
    matches!(cell.symbol().chars().next(), Some('─' | '│' | '┌' | '┐' | '└' | '┘' | '▁'..='▏' | '░'))
}

/// Reports whether two adjacent cells are drawn as one: letters, and equal shapes that continue from side to side.
fn are_one(one: &Cell, other: &Cell) -> bool {
    let goes_on = matches!(one.symbol().chars().next(), Some('─' | '▁'..='█' | '░'));
    (!is_shape(one) && !is_shape(other)) || (goes_on && one.symbol() == other.symbol())
}

/// Draws a shape as wide as its cells together.
fn shape(svg: &mut String, (x, y, width): (u32, u32, u32), symbol: &str, look: Look) {
    let fill = look.fill();
    let opacity = if look.dim { " opacity=\"0.6\"" } else { "" };
    let code = symbol.chars().next().map_or(0, u32::from);
    match symbol {
        "░" => rect(svg, (x, y, width, HEIGHT), &fill, " opacity=\"0.2\""),
        // U+2581 to U+2588 fill one to eight eighths from below; U+2589 to U+258F fill seven down to one from the
        // left.
        _ if (0x2581..=0x2588).contains(&code) => {
            let height = (HEIGHT * (code - 0x2580)).div_ceil(8);
            rect(svg, (x, y + HEIGHT - height, width, height), &fill, opacity);
        }
        _ if (0x2589..=0x258f).contains(&code) => {
            rect(svg, (x, y, (WIDTH * (0x2590 - code)).div_ceil(8), HEIGHT), &fill, opacity);
        }
        "─" => {
            let centre = y + HEIGHT / 2;
            _ = writeln!(svg, "<path d=\"M{x} {centre}h{width}\" stroke=\"{fill}\"{opacity}/>");
        }
        _ => line(svg, (x, y), symbol, &fill, opacity),
    }
}

/// Draws a box line: from the middle of the cell to the sides that its form names.
fn line(svg: &mut String, (x, y): (u32, u32), symbol: &str, stroke: &str, opacity: &str) {
    let (left, right, up, down) = match symbol {
        "│" => (false, false, true, true),
        "┌" => (false, true, false, true),
        "┐" => (true, false, false, true),
        "└" => (false, true, true, false),
        _ => (true, false, true, false),
    };
    let (middle, centre) = (x + WIDTH / 2, y + HEIGHT / 2);
    let mut path = String::new();
    for (there, to) in
        [(left, (x, centre)), (right, (x + WIDTH, centre)), (up, (middle, y)), (down, (middle, y + HEIGHT))]
    {
        if there {
            _ = write!(path, "M{middle} {centre}L{} {}", to.0, to.1);
        }
    }
    _ = writeln!(svg, "<path d=\"{path}\" stroke=\"{stroke}\"{opacity}/>");
}

fn rect(svg: &mut String, (x, y, width, height): (u32, u32, u32, u32), fill: &str, more: &str) {
    _ = writeln!(
        svg,
        "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" fill=\"{fill}\"{more}/>"
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::layout::Rect;
    use ratatui::style::Style;

    fn drawn(text: &str, style: Style) -> String {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 20, 1));
        buffer.set_string(0, 0, text, style);
        svg(&buffer)
    }

    #[test]
    fn text_is_pinned_to_its_cells_and_escaped() {
        let svg = drawn("  <b>&\"", Style::new());
        assert!(svg.contains("x=\"16\"") && svg.contains("textLength=\"40\""), "{svg}");
        assert!(svg.contains("&lt;b&gt;&amp;&quot;") && !svg.contains("<b>"), "{svg}");
    }

    #[test]
    fn blocks_and_lines_are_shapes_and_reversed_cells_have_a_ground() {
        let svg = drawn("─▄▌█", Style::new().fg(Color::Red));
        assert!(!svg.contains("<text"), "{svg}");
        assert_eq!((svg.matches("<path").count(), svg.matches("<rect").count()), (1, 1 + 3));
        let reversed = drawn("NO", Style::new().fg(Color::Red).add_modifier(Modifier::REVERSED));
        assert!(reversed.contains(&format!("fill=\"{}\"", named(Color::Red))), "{reversed}");
        assert!(reversed.contains(&format!("fill=\"{BACKGROUND}\">NO")), "{reversed}");
    }

    #[test]
    fn only_a_fixed_set_of_elements_is_used() {
        for hostile in crate::vocabulary::untrusted::HOSTILE {
            let shown = crate::vocabulary::Untrusted::new(hostile).shown();
            let svg = drawn(&shown, Style::new());
            let elements =
                svg.split('<').skip(1).map(|rest| rest.split([' ', '>', '/']).next().unwrap_or_default());
            for element in elements {
                assert!(["svg", "rect", "g", "text", "path", ""].contains(&element), "{element}: {svg}");
            }
        }
    }
}
