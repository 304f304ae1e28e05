//! Secrets that a run knows, and their removal from a text that an origin chose: an error page may echo the request.
//!
//! Each secret is known in the forms in which an echo has it: as it is, percent-decoded, percent-encoded, and escaped as
//! in HTML and JSON. Letters match in either case. What an origin transforms otherwise cannot be recognised.

use super::percent::percent_decoded;
use super::secret_shape::{HIDDEN, shown_path};
use super::secret_url::SecretUrl;

/// Minimum length of a secret that is searched for: a shorter one occurs by chance, and hides nothing worth hiding.
const LEAST: usize = 3;
/// Minimum length of a word of a header value that is searched for on its own.
const LEAST_WORD: usize = 6;
/// Separators of the words of a header value.
const SEPARATORS: [char; 6] = [' ', ',', ';', '=', '"', '\t'];

/// Secrets of a run, in all their forms. Its `Debug` shows their number alone.
#[derive(Clone, Default)]
pub struct KnownSecrets(Vec<Box<str>>);

impl KnownSecrets {
    /// Adds the secrets of a URL: user and password, each value of the query, and tokens in the path.
    pub fn add_url(&mut self, url: &SecretUrl) {
        let (path, query) = url.wire_path().split_once('?').unwrap_or((url.wire_path(), ""));
        for value in query.split('&').map(|pair| pair.split_once('=').map_or(pair, |(_, value)| value)) {
            self.add(value);
        }
        let shown = shown_path(path);
        let hidden = path.split('/').zip(shown.split('/')).filter(|(segment, shown)| segment != shown);
        hidden.for_each(|(segment, _)| self.add(segment));
        let (user, password) = url.credentials().unwrap_or_default();
        self.add(&user);
        self.add(&password);
    }

    /// Adds the value of a header, and its longer words: the token without `Bearer`, the value of a cookie.
    pub fn add_header(&mut self, value: &[u8]) {
        let value = String::from_utf8_lossy(value);
        self.add(&value);
        value.split(SEPARATORS).filter(|word| word.len() >= LEAST_WORD).for_each(|word| self.add(word));
    }

    fn add(&mut self, secret: &str) {
        let plain = percent_decoded(secret);
        let encoded: String = url::form_urlencoded::byte_serialize(plain.as_bytes()).collect();
        let html =
            plain.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
        let json = plain.replace('\\', "\\\\").replace('"', "\\\"").replace('/', "\\/");
        for form in [secret, &plain, &encoded, &html, &json].map(|form| form.trim().to_ascii_lowercase()) {
            if form.len() >= LEAST && !self.0.iter().any(|known| **known == *form) {
                self.0.push(form.into());
            }
        }
        // A secret that holds another one is replaced as a whole.
        self.0.sort_by_key(|form| std::cmp::Reverse(form.len()));
    }

    /// Returns the length of the longest form, in bytes.
    pub fn longest(&self) -> usize {
        self.0.first().map_or(0, |form| form.len())
    }

    /// Returns `text` with each secret replaced.
    pub fn hidden_in(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, secret| replaced(&text, secret))
    }
}

impl std::fmt::Debug for KnownSecrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "KnownSecrets({})", self.0.len())
    }
}

/// Replaces each occurrence of `secret`, which is in lower case.
fn replaced(text: &str, secret: &str) -> String {
    // Lower case of ASCII alone keeps every place.
    let lower = text.to_ascii_lowercase();
    let (mut shown, mut from) = (String::with_capacity(text.len()), 0);
    while let Some(at) = lower.get(from..).and_then(|rest| rest.find(secret)).map(|at| from + at) {
        shown.push_str(text.get(from..at).unwrap_or_default());
        shown.push_str(HIDDEN);
        from = at + secret.len();
    }
    shown.push_str(text.get(from..).unwrap_or_default());
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> KnownSecrets {
        let mut known = KnownSecrets::default();
        let url =
            "https://user:pass%2Fword@a.test/live/4f9c1e7ab3d05862f1c94e7da0b83561/x.m3u8?sig=ab%2Bcd&v=1";
        known.add_url(&SecretUrl::parse(url).expect("a URL"));
        known.add_header(b"Bearer to/k&en");
        known.add_header(b"given=hunter2-cookie; lang=en");
        known
    }

    #[test]
    fn each_secret_is_hidden_in_each_of_its_forms() {
        for echo in [
            "user",
            "pass/word",
            "pass%2Fword",
            "pass%2fword",
            "PASS\\/WORD",
            "4f9c1e7ab3d05862f1c94e7da0b83561",
            "ab+cd",
            "ab%2Bcd",
            "to/k&en",
            "to/k&amp;en",
            "to\\/k&en",
            "to%2Fk%26en",
            "Bearer to/k&en",
            "hunter2-cookie",
        ] {
            assert_eq!(known().hidden_in(&format!("[{echo}] é [{echo}]")), "[***] é [***]", "{echo}");
        }
        for text in ["no such segment: 1, en", "v=1", ""] {
            assert_eq!(known().hidden_in(text), text);
        }
        assert_eq!(known().longest(), "given%3dhunter2-cookie%3b+lang%3den".len());
        assert_eq!(format!("{:?}", KnownSecrets::default()), "KnownSecrets(0)");
    }
}
