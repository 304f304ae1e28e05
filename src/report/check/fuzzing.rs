//! Entry point for fuzzing `hlswarm check FILE`; see [`crate::fuzzing`].

use super::{CheckReport, text};

/// Columns of a page.
const COLUMNS: usize = 80;

/// Checks any bytes as a playlist. Both forms of the result must be harmless, and the text must fit its page.
pub fn playlist(data: &[u8]) {
    let check = CheckReport::from_bytes("fuzz".to_owned(), data);
    for line in text(&check).lines() {
        assert!(line.chars().count() <= COLUMNS && !line.chars().any(char::is_control), "{line:?}");
    }
    let json = check.json().unwrap_or_default();
    assert!(!json.is_empty() && !json.chars().any(|c| c.is_control() && c != '\n'), "{json:?}");
}
