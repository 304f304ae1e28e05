//! Renders the screen as SVG, as a terminal shows it, for a report, a chat or a README.
//!
//! * Each character has the position of its column, whatever font the reader has. Blocks and lines are drawn as shapes.
//! * The output uses a fixed set of elements and attributes, no links and no scripts; all text is escaped.

use std::fmt::Write as _;

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};

use super::svg_shapes::{self, HEIGHT, WIDTH, continues, is_shape, rect};
use super::theme::Theme;
use crate::vocabulary::palette::{DARK, GROUND_DARK, GROUND_LIGHT, LIGHT, hex};
use crate::vocabulary::{Rgb, Tone};

/// Distance from the top of a cell to the line on which letters stand.
const BASELINE: u32 = 13;
const FONT_SIZE: u32 = 13;

/// Colours that stand for the terminal's own.
#[derive(Clone, Copy)]
struct Terminal {
    text: Rgb,
    ground: Rgb,
}

/// Appearance of a cell.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Look {
    fill: Rgb,
    behind: Option<Rgb>,
    bold: bool,
    dim: bool,
    italic: bool,
    underlined: bool,
}

impl Look {
    fn new(cell: &Cell, terminal: Terminal) -> Self {
        let (fill, behind) = (rgb(cell.fg), rgb(cell.bg));
        let reversed = cell.modifier.contains(Modifier::REVERSED);
        let (fill, behind) = match reversed {
            true => (behind.unwrap_or(terminal.ground), Some(fill.unwrap_or(terminal.text))),
            false => (fill.unwrap_or(terminal.text), behind),
        };
        let has = |modifier| cell.modifier.contains(modifier);
        Self {
            fill,
            behind,
            bold: has(Modifier::BOLD),
            dim: has(Modifier::DIM),
            italic: has(Modifier::ITALIC),
            underlined: has(Modifier::UNDERLINED),
        }
    }

    const fn opacity(self) -> &'static str {
        if self.dim { " opacity=\"0.6\"" } else { "" }
    }

    fn attributes(self) -> String {
        let weight = if self.bold { " font-weight=\"bold\"" } else { "" };
        let slant = if self.italic { " font-style=\"italic\"" } else { "" };
        let line = if self.underlined { " text-decoration=\"underline\"" } else { "" };
        format!("fill=\"{}\"{weight}{slant}{line}{}", hex(self.fill), self.opacity())
    }
}

/// Returns the colour as red, green and blue; `None` for the terminal's own.
const fn rgb(colour: Color) -> Option<Rgb> {
    match colour {
        Color::Rgb(red, green, blue) => Some((red, green, blue)),
        Color::Red => Some((0xf1, 0x4c, 0x4c)),
        Color::Green => Some((0x23, 0xd1, 0x8b)),
        Color::Yellow => Some((0xe5, 0xe5, 0x10)),
        Color::Blue => Some((0x3b, 0x8e, 0xea)),
        Color::Magenta => Some((0xd6, 0x70, 0xd6)),
        Color::Cyan => Some((0x29, 0xb8, 0xdb)),
        _ => None,
    }
}

/// Renders the screen as an SVG document, on the ground for which the theme is made.
pub(super) fn svg(buffer: &Buffer, theme: Theme) -> String {
    let (table, ground) = if theme.is_light() { (LIGHT, GROUND_LIGHT) } else { (DARK, GROUND_DARK) };
    let text = table.get(Tone::Text.index()).copied().unwrap_or_default();
    let terminal = Terminal { text, ground };
    let (columns, lines) = (u32::from(buffer.area.width), u32::from(buffer.area.height));
    let (width, height) = ((columns + 2) * WIDTH, (lines + 1) * HEIGHT);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" font-family=\"DejaVu Sans Mono, Menlo, Consolas, monospace\" \
         font-size=\"{FONT_SIZE}\">\n<rect width=\"{width}\" height=\"{height}\" rx=\"6\" fill=\"{}\"/>\n\
         <g transform=\"translate({WIDTH} {})\">\n",
        hex(ground),
        HEIGHT / 2
    );
    let stride = usize::from(buffer.area.width).max(1);
    for (y, line) in (0..).zip(buffer.content.chunks(stride)) {
        draw_line(&mut svg, y, line, terminal);
    }
    svg.push_str("</g>\n</svg>\n");
    svg
}

/// Draws one line; consecutive cells of the same look are drawn together.
fn draw_line(svg: &mut String, y: u32, cells: &[Cell], terminal: Terminal) {
    let look = |cell: &Cell| Look::new(cell, terminal);
    let mut x = 0;
    for run in cells.chunk_by(|one, other| look(one) == look(other)) {
        let Some(look) = run.first().map(look) else { continue };
        if let Some(behind) = look.behind {
            let width = run.len() as u32 * WIDTH;
            rect(svg, (x * WIDTH, y * HEIGHT, width, HEIGHT), &hex(behind), "");
        }
        draw_run(svg, (x, y), run, look);
        x += run.len() as u32;
    }
}

fn draw_run(svg: &mut String, (mut x, y): (u32, u32), run: &[Cell], look: Look) {
    for part in run.chunk_by(are_one) {
        let count = part.len() as u32;
        match part.first().and_then(shape) {
            Some(character) => {
                let place = (x * WIDTH, y * HEIGHT, count * WIDTH);
                svg_shapes::draw(svg, place, character, &hex(look.fill), look.opacity());
            }
            None => text(svg, (x, y), part, look),
        }
        x += count;
    }
}

/// Returns the character of a cell that is drawn as a shape.
fn shape(cell: &Cell) -> Option<char> {
    cell.symbol().chars().next().filter(|character| is_shape(*character))
}

/// Reports whether two adjacent cells are drawn as one: letters, and equal shapes that continue from side to side.
fn are_one(one: &Cell, other: &Cell) -> bool {
    match (shape(one), shape(other)) {
        (None, None) => true,
        (Some(one), Some(other)) => one == other && continues(one),
        _ => false,
    }
}

/// Writes letters, each at the position of its column. Blanks are left out.
fn text(svg: &mut String, (x, y): (u32, u32), cells: &[Cell], look: Look) {
    let (mut places, mut letters) = (String::new(), String::new());
    for (column, cell) in (x..).zip(cells).filter(|(_, cell)| !cell.symbol().trim().is_empty()) {
        for letter in cell.symbol().chars() {
            // A mark that joins a letter shares its place.
            _ = write!(places, "{}{}", if places.is_empty() { "" } else { " " }, column * WIDTH);
            push_escaped(&mut letters, letter);
        }
    }
    if !letters.is_empty() {
        let (baseline, look) = (y * HEIGHT + BASELINE, look.attributes());
        _ = writeln!(svg, "<text x=\"{places}\" y=\"{baseline}\" {look}>{letters}</text>");
    }
}

fn push_escaped(text: &mut String, letter: char) {
    match letter {
        '&' => text.push_str("&amp;"),
        '<' => text.push_str("&lt;"),
        '>' => text.push_str("&gt;"),
        '"' => text.push_str("&quot;"),
        _ => text.push(letter),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::theme::{Charset, Palette};
    use ratatui::layout::Rect;
    use ratatui::style::Style;

    fn drawn_in(theme: Theme, text: &str, style: Style) -> String {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 20, 1));
        buffer.set_string(0, 0, text, style);
        svg(&buffer, theme)
    }

    fn drawn(text: &str, style: Style) -> String {
        drawn_in(Theme::default(), text, style)
    }

    #[test]
    fn each_letter_stands_in_its_column_and_is_escaped() {
        let svg = drawn("  <b> &\"", Style::new());
        assert!(svg.contains("x=\"16 24 32 48 56\"") && !svg.contains("textLength"), "{svg}");
        assert!(svg.contains("&lt;b&gt;&amp;&quot;") && !svg.contains("<b>"), "{svg}");
        let joined = drawn("e\u{301}x", Style::new());
        assert!(joined.contains("x=\"0 0 8\""), "{joined}");
    }

    #[test]
    fn blocks_and_lines_are_shapes_and_cells_keep_their_grounds() {
        let svg = drawn("─▄▌█▀⣿", Style::new().fg(Color::Red));
        assert!(!svg.contains("<text"), "{svg}");
        assert_eq!((svg.matches("<path").count(), svg.matches("<rect").count()), (1, 1 + 4 + 8));
        let heat = drawn("▀", Style::new().fg(Color::Rgb(1, 2, 3)).bg(Color::Rgb(4, 5, 6)));
        assert!(heat.contains("fill=\"#010203\"") && heat.contains("fill=\"#040506\""), "{heat}");
        let reversed = drawn("NO", Style::new().fg(Color::Red).add_modifier(Modifier::REVERSED));
        assert!(reversed.contains("fill=\"#f14c4c\"/>"), "{reversed}");
        assert!(reversed.contains(&format!("fill=\"{}\">NO", hex(GROUND_DARK))), "{reversed}");
    }

    #[test]
    fn a_light_theme_stands_on_a_light_ground() {
        let light = Theme { palette: Palette::Light, charset: Charset::Unicode };
        let svg = drawn_in(light, "a", Style::new());
        assert!(svg.contains("rx=\"6\" fill=\"#ffffff\"") && svg.contains("fill=\"#22262e\">a"), "{svg}");
    }

    #[test]
    fn only_a_fixed_set_of_elements_is_used_and_tags_are_balanced() {
        for hostile in crate::vocabulary::untrusted::HOSTILE {
            let shown = crate::vocabulary::Untrusted::new(hostile).shown();
            let svg = drawn(&shown, Style::new());
            let mut open = Vec::new();
            for element in svg.split('<').skip(1) {
                let name = element.split([' ', '>', '/']).next().unwrap_or_default();
                assert!(["svg", "rect", "g", "text", "path", ""].contains(&name), "{name}: {svg}");
                match element.strip_prefix('/') {
                    Some(end) => assert_eq!(open.pop(), end.split('>').next(), "{svg}"),
                    None if element.contains("/>") => {}
                    None => open.push(name),
                }
            }
            assert!(open.is_empty(), "{open:?}: {svg}");
        }
    }
}
