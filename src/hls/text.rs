//! Texts of a playlist: shared, cheap to clone, and never printed raw.
//!
//! * A [`Reference`] holds no control character, and is empty only if a segment has no usable URL.
//! * Their `Debug` is sanitised; that of a [`Reference`] shows only the file name, because the rest may be secret.

use std::{borrow::Cow, fmt, sync::Arc};

use crate::vocabulary::Untrusted;
use crate::vocabulary::secret_shape::{self, shown_segment};

/// Text of a playlist that is not a URL: a codec list, a group, a name.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Text(Arc<str>);

impl Text {
    /// Returns the raw text, to compare and to compute with. To print it, use [`Text::shown`].
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the text safe to print, with anything that looks like a token replaced.
    pub fn shown(&self) -> String {
        Untrusted::new(&secret_shape::shown_text(&self.0)).shown()
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.shown())
    }
}

/// Absolute or relative URL (RFC 3986), not yet resolved against that of its playlist. May contain secrets.
///
/// The default is empty and refers to nothing; in a playlist only a segment that is a gap has it. The reference of a
/// [`Segment`](super::Segment) borrows from its list if it can.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct Reference<T = Arc<str>>(T);

impl Reference {
    /// Creates a reference from `text`, unless it is empty or holds a control character.
    pub(super) fn new(text: &str) -> Option<Self> {
        let usable = !text.is_empty() && !holds_control(text);
        usable.then(|| Self(text.into()))
    }
}

impl<'a> Reference<Cow<'a, str>> {
    /// Wraps a text that has passed [`Reference::new`].
    pub(super) fn from_checked(text: Cow<'a, str>) -> Self {
        Self(text)
    }

    /// Returns an owned copy.
    pub(super) fn to_shared(&self) -> Reference {
        Reference(self.as_str().into())
    }
}

impl<T: AsRef<str>> Reference<T> {
    /// Returns the text to resolve. Contains secrets: never print it.
    pub fn as_str(&self) -> &str {
        self.0.as_ref()
    }

    /// Returns the URL without query and fragment: the part that stays the same if only a token is renewed.
    pub(super) fn without_query(&self) -> &str {
        self.as_str().split(['?', '#']).next().unwrap_or_default()
    }

    /// Returns the last segment of the path without path parameters: the part that stays if hosts and folders change.
    pub(super) fn file_name(&self) -> &str {
        let file = self.without_query().rsplit('/').next().unwrap_or_default();
        file.split(';').next().unwrap_or_default()
    }

    /// Returns the path safe to print, with anything that looks like a token replaced, as in a
    /// [`SecretUrl`](crate::vocabulary::SecretUrl).
    pub fn shown_path(&self) -> String {
        let path = self.without_query().rsplit('@').next().unwrap_or_default();
        Untrusted::new(&secret_shape::shown_path(path)).shown()
    }

    /// Returns the file name, safe to print.
    pub fn shown(&self) -> String {
        let file = self.without_query().rsplit(['/', '@']).next().unwrap_or_default();
        Untrusted::new(&shown_segment(file)).shown()
    }
}

impl<T: AsRef<str>> fmt::Debug for Reference<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Reference({:?})", self.shown())
    }
}

/// Reports whether `text` holds a control character: C0, DEL or C1.
pub(super) fn holds_control(text: &str) -> bool {
    let low = text.bytes().any(|byte| byte < b' ' || byte == 0x7f);
    low || (!text.is_ascii() && text.chars().any(char::is_control))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_holds_no_control_character_and_is_not_empty() {
        for bad in ["", "a\x1b[2Jb", "a\tb", "a\u{9b}b", "a\x7f"] {
            assert_eq!(Reference::new(bad), None, "{bad:?}");
        }
        assert_eq!(Reference::new("ä b.ts?x").expect("usable").as_str(), "ä b.ts?x");
    }

    #[test]
    fn debug_prints_neither_tokens_nor_control_characters() {
        for secret in
            ["a.ts?t=hunter2#hunter2", "https://u:hunter2@h/hunter2/a.ts?/hunter2", "//u:hunter2@a.ts"]
        {
            let reference = Reference::new(secret).expect("usable");
            assert_eq!(format!("{reference:?}"), "Reference(\"a.ts\")");
        }
        assert_eq!(format!("{:?}", Text::from("a\x1bb")), "\"a^[b\"");
        let path = Reference::new("https://u:hunter2@h/v0/0123456789abcdef0123456789abcdef/a.m3u8?hunter2");
        assert_eq!(path.expect("usable").shown_path(), "h/v0/***/a.m3u8");
    }
}
