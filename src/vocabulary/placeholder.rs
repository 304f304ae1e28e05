//! Placeholders in a URL or a header: `{name}` stands for a value that each client has for itself.
//!
//! A name is of ASCII letters, digits, `-`, `_` and `.`, and begins with a letter or `_`. Other braces are text: JSON in a
//! header has many.

use std::borrow::Cow;

/// Maximum length of a name: a longer one is no name.
const NAME_BYTES: usize = 64;

/// Returns the names of the placeholders in `text`, in their order.
pub fn names(text: &str) -> impl Iterator<Item = &str> {
    pieces(text).filter_map(|piece| match piece {
        Piece::Name(name) => Some(name),
        Piece::Text(_) => None,
    })
}

/// Returns `text` with each placeholder replaced whose value is known.
pub fn fill<'a>(text: &str, value: impl Fn(&str) -> Option<&'a str>) -> String {
    fill_at(text, |name, _| value(name).map(Cow::Borrowed))
}

/// Returns `text` with each placeholder replaced whose value is known; the value may depend on the text before it.
pub(super) fn fill_at<'a>(text: &str, value: impl Fn(&str, &str) -> Option<Cow<'a, str>>) -> String {
    let mut filled = String::new();
    for piece in pieces(text) {
        match piece {
            Piece::Text(text) => filled.push_str(text),
            Piece::Name(name) => match value(name, &filled) {
                Some(value) => filled.push_str(&value),
                None => filled.extend(["{", name, "}"]),
            },
        }
    }
    filled
}

enum Piece<'a> {
    Text(&'a str),
    Name(&'a str),
}

fn pieces(text: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        if let Some(name) = leading(rest) {
            rest = rest.get(name.len() + 2..).unwrap_or_default();
            return Some(Piece::Name(name));
        }
        let next = rest.char_indices().skip(1).find(|(at, _)| rest.get(*at..).and_then(leading).is_some());
        let (text, after) = rest.split_at(next.map_or(rest.len(), |(at, _)| at));
        rest = after;
        Some(Piece::Text(text))
    })
}

/// Returns the name of the placeholder with which `text` begins.
fn leading(text: &str) -> Option<&str> {
    let name = text.strip_prefix('{')?;
    let name = name.get(..name.bytes().take(NAME_BYTES + 1).position(|byte| byte == b'}')?)?;
    let is_first = |byte: &u8| byte.is_ascii_alphabetic() || *byte == b'_';
    let is_other = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    (name.as_bytes().first().is_some_and(is_first) && name.bytes().all(is_other)).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_names_in_braces_and_other_braces_are_text() {
        let text = "{a}/x{token-2}{{b.c}}{\"json\": {}}{1}{é}{";
        assert_eq!(names(text).collect::<Vec<_>>(), ["a", "token-2", "b.c"]);
        let value = |name: &str| match name {
            "a" => Some("1"),
            "b.c" => Some("{a}"),
            _ => None,
        };
        assert_eq!(fill(text, value), "1/x{token-2}{{a}}{\"json\": {}}{1}{é}{");
        assert_eq!(names(&format!("{{{}}}", "x".repeat(65))).count(), 0);
        assert_eq!(fill("é{a", value), "é{a");
    }
}
