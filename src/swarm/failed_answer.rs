//! Words of the response to a failed request: what a developer of the origin asks for, without secrets of the run.

use std::mem::take;

use crate::net::{Head, Kept, Response};
use crate::vocabulary::secret_shape::shown_text;
use crate::vocabulary::{KnownSecrets, Untrusted, limits};

/// Maximum width of the words of a body, and of the identifiers of a response, in columns.
const WORDS_COLUMNS: usize = 120;
const IDS_COLUMNS: usize = 160;
/// A body with more unprintable characters than one in this many is no text.
const UNPRINTABLE: usize = 8;

/// Parts of a failed response, as they came.
pub(super) struct FailedAnswer {
    ids: Vec<(&'static str, Box<[u8]>)>,
    cookies: Vec<Box<[u8]>>,
    /// Beginning of the body, unless it is compressed.
    words: Kept,
}

impl FailedAnswer {
    /// Takes the parts out of a response; `None` if it has none, for instance because it has not failed.
    pub(super) fn take(response: &mut Response) -> Option<Self> {
        let Head { ids, cookies, codings, .. } = &mut *response.head;
        let words = take(&mut response.words);
        if ids.is_empty() && words.is_empty() {
            return None;
        }
        let words = if codings.are_any() { Kept::default() } else { words };
        Some(Self { ids: take(ids), cookies: take(cookies), words })
    }

    /// Returns the headers that identify the response, such as `cf-ray 8f2a, x-cache MISS`, and the first line with words
    /// in its body, both safe to print and without secrets: those of the request and those that the response sets.
    pub(super) fn shown(&self, mut secrets: KnownSecrets) -> (Option<Box<str>>, Option<Box<str>>) {
        self.cookies.iter().for_each(|cookie| secrets.add_header(cookie));
        let shown = |value: &[u8]| id(&secrets.hidden_in(&String::from_utf8_lossy(value)));
        let ids: Vec<String> =
            self.ids.iter().map(|(name, value)| format!("{name} {}", shown(value))).collect();
        let ids = (!ids.is_empty()).then(|| Untrusted::new(&ids.join(", ")).shown_in(IDS_COLUMNS).into());
        (ids, self.words.bytes().and_then(|bytes| first_line(&bytes, &secrets)))
    }
}

/// Returns the first line with words of a body, at most [`limits::ERROR_WORDS_BYTES`] long, without tags and secrets.
pub(super) fn first_line(bytes: &[u8], secrets: &KnownSecrets) -> Option<Box<str>> {
    let text = String::from_utf8_lossy(bytes);
    let unprintable = text.chars().filter(|c| *c == '\u{fffd}' || (c.is_control() && !c.is_whitespace()));
    if unprintable.count() * UNPRINTABLE > text.chars().count() {
        return None;
    }
    let whole = bytes.len() < limits::ERROR_WORDS_BYTES;
    // The end may be the beginning of a secret, which nothing would recognise.
    let safe = if whole { text.len() } else { text.len().saturating_sub(secrets.longest()) };
    let text = text.get(..text.floor_char_boundary(safe)).unwrap_or_default();
    let text = without_tags(&secrets.hidden_in(text));
    let line = text.lines().map(str::trim).find(|line| line.chars().any(char::is_alphanumeric))?;
    // Without the tags, pieces stand together.
    let line = shown_text(&secrets.hidden_in(line));
    // What is not printed no longer divides a secret either.
    Some(secrets.hidden_in(&Untrusted::new(&line).shown_in(WORDS_COLUMNS)).into())
}

/// Returns an identifier as it is: it looks like a secret, and is none. One that holds an assignment, as a cookie does, or
/// a path is shown as a text.
fn id(value: &str) -> String {
    let is_plain = !value.trim_end_matches('=').contains(['=', '/', '?']);
    if is_plain { value.to_owned() } else { shown_text(value) }
}

/// Returns a text without everything in angle brackets.
fn without_tags(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut is_tag = false;
    for c in text.chars() {
        match c {
            '<' => is_tag = true,
            '>' if is_tag => is_tag = false,
            '\n' => plain.push(c),
            _ if !is_tag => plain.push(c),
            _ => {}
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocabulary::SecretUrl;

    fn secrets() -> KnownSecrets {
        let mut secrets = KnownSecrets::default();
        secrets.add_url(&SecretUrl::parse("https://a.test/x?token=hunter2-query").expect("a URL"));
        secrets.add_header(b"X: hunter2-header");
        secrets
    }

    fn line(body: &str) -> Option<String> {
        first_line(body.as_bytes(), &secrets()).map(String::from)
    }

    #[test]
    fn the_first_line_with_words_is_shown_without_tags() {
        let nginx = "<html>\r\n<head><title>503 Service Temporarily Unavailable</title></head>\r\n<body>";
        assert_eq!(line(nginx).as_deref(), Some("503 Service Temporarily Unavailable"));
        assert_eq!(line("\n  upstream request timeout\nmore").as_deref(), Some("upstream request timeout"));
        let json = "{\"error\": \"no such segment\"}";
        assert_eq!(line(json).as_deref(), Some(json));
        for none in ["", "<html>", "\n --- \n", "\u{1}\u{2}\u{3}\u{4}abc"] {
            assert_eq!(line(none), None, "{none:?}");
        }
        assert_eq!(first_line(&[0xff; 40], &secrets()), None);
        let long = line(&"word ".repeat(60)).expect("a line");
        assert_eq!(long.chars().count(), WORDS_COLUMNS);
        assert_eq!(line("a\u{1b}[2Jb c d e f g").as_deref(), Some("a^[[2Jb c d e f g"));
    }

    #[test]
    fn an_echo_of_a_secret_is_hidden_wherever_the_body_is_cut() {
        for body in [
            "you sent hunter2-header",
            "GET /x?token=hunter2-query",
            "hunter2-<b>header</b>",
            "<title>hunter2-</title>query",
            "HUNTER2-HEADER",
        ] {
            let shown = line(body).unwrap_or_default();
            assert!(!shown.to_lowercase().contains("hunter2"), "{shown}");
        }
        for before in limits::ERROR_WORDS_BYTES - 40..limits::ERROR_WORDS_BYTES {
            // Hidden secrets make the line shorter, so that its end comes into sight.
            let body = "a hunter2-header ".repeat(60);
            let body = format!("{:>1$}", "", before % 17) + &body;
            let cut = &body.as_bytes()[..limits::ERROR_WORDS_BYTES];
            let shown = first_line(cut, &secrets()).expect("a line");
            assert!(!shown.contains("hun"), "{shown}");
        }
    }
}
