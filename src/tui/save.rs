//! Writes files to the working folder: the screen as text and as SVG, and the report as a page and as a card.
//!
//! Files are named after their moment of the run. Existing files are never touched.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::time::Duration;

use ratatui::buffer::Buffer;

use super::svg;
use super::theme::Theme;
use crate::report::{Doc, ReportFormat};
use crate::vocabulary::units;

/// Maximum number of saves in the same second; each gets a name of its own.
const SAME_SECOND: u32 = 100;

/// Writes the screen at this moment of the run, and the card of a report; returns the names of the files.
///
/// # Errors
/// Fails if the files cannot be written.
pub(super) fn screen(
    buffer: &Buffer,
    theme: Theme,
    at: Duration,
    report: Option<&Doc>,
) -> io::Result<String> {
    let name = write_free(at, "svg", &svg::svg(buffer, theme))?;
    write_new(&format!("{name}.txt"), &text(buffer))?;
    let Some(doc) = report else { return Ok(format!("{name}.svg and .txt")) };
    write_new(&format!("{name}-card.svg"), &ReportFormat::Svg.render_doc(doc)?)?;
    Ok(format!("{name}.svg, .txt, -card.svg"))
}

/// Writes a report as a page; returns the name of the file.
///
/// # Errors
/// Fails if the file cannot be written.
pub(super) fn page(doc: &Doc, at: Duration) -> io::Result<String> {
    let name = write_free(at, "html", &ReportFormat::Html.render_doc(doc)?)?;
    Ok(format!("{name}.html"))
}

/// Writes a file of a name that is free; returns the name without its extension.
fn write_free(at: Duration, extension: &str, text: &str) -> io::Result<String> {
    let time = units::clock(at).replace(':', "");
    for number in 0..SAME_SECOND {
        let again = if number == 0 { String::new() } else { format!("-{number}") };
        let name = format!("hlswarm-{time}{again}");
        match write_new(&format!("{name}.{extension}"), text) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
            Ok(()) => return Ok(name),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

fn write_new(name: &str, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(name)?;
    file.write_all(text.as_bytes())
}

/// Returns the screen line by line, without trailing spaces.
fn text(buffer: &Buffer) -> String {
    let mut text = String::new();
    for line in buffer.content.chunks(usize::from(buffer.area.width).max(1)) {
        let line: String = line.iter().map(|cell| cell.symbol()).collect();
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::layout::Rect;
    use ratatui::style::Style;

    #[test]
    fn lines_end_where_their_text_does() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 8, 2));
        buffer.set_string(1, 0, "a b", Style::new());
        assert_eq!(text(&buffer), " a b\n\n");
    }
}
