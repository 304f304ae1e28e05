//! Writes the picture that is on the screen to two files of the working folder: as text, and as SVG.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::time::Duration;

use ratatui::buffer::Buffer;

use super::svg;
use crate::vocabulary::units;

/// Pictures of the same second that have names of their own.
const SAME_SECOND: u32 = 100;

/// Writes the picture of this moment of the run; returns the names of its files.
///
/// # Errors
/// The files cannot be written. What existed before is never touched.
pub(super) fn save(buffer: &Buffer, at: Duration) -> io::Result<String> {
    let time = units::clock(at).replace(':', "");
    for number in 0..SAME_SECOND {
        let again = if number == 0 { String::new() } else { format!("-{number}") };
        let name = format!("hlswarm-{time}{again}");
        match write_new(&format!("{name}.svg"), &svg::svg(buffer)) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
            Ok(()) => {
                write_new(&format!("{name}.txt"), &text(buffer))?;
                return Ok(format!("{name}.svg and .txt"));
            }
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

fn write_new(name: &str, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(name)?;
    file.write_all(text.as_bytes())
}

/// The screen line by line, without the spaces at the ends of lines.
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
