//! Entry point for fuzzing URLs and texts that may hold secrets; see [`crate::fuzzing`].

use unicode_width::UnicodeWidthStr as _;
use url::Url;

use super::percent::percent_decoded;
use super::secret_shape::{shown_path, shown_text};
use super::secret_url::Access;
use super::untrusted::harmless_lines;
use super::{SecretUrl, Untrusted, limits};

/// Secret that is planted into texts.
const PLANTED: &str = "hunter2";
/// URL that carries the secret in each part that is never shown.
const CARRIER: &str = "https://hunter2:hunter2@cdn.example/live/a.m3u8?hunter2#hunter2";
/// Minimum length of a component that is searched for: a shorter one may occur by chance.
const COMPONENT: usize = 4;

/// Reads the first line of any text as a URL, the second as a reference in its playlist, and the whole as a text.
/// None of them may show a secret or a control character.
pub fn secrets(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    assert_text_hides(&text);
    let mut lines = text.lines();
    let [address, reference] = [(); 2].map(|()| lines.next().unwrap_or_default());
    let (Ok(base), Ok(parts)) = (SecretUrl::parse(address), Url::parse(address)) else { return };
    assert_url_hides(&base, &parts);
    let other = base.refer(reference);
    match (other.access(), parts.join(reference)) {
        (Access::Request, Ok(parts)) => assert_url_hides(&other, &parts),
        (Access::Request, Err(error)) => assert!(base == other, "{error}: {other}"),
        (Access::Inline | Access::Refused, _) => assert_refused_hides(&other),
    }
}

/// Asserts that a text is harmless once it is shown, and that it hides a secret in a URL among its words.
fn assert_text_hides(text: &str) {
    let shown = Untrusted::new(text).shown();
    assert!(shown.width() <= limits::SHOWN_COLUMNS, "{} columns", shown.width());
    assert_plain(&shown);
    harmless_lines(text).lines().for_each(assert_plain);
    shown_path(text);
    for quote in [" ", "\"", "'", "<"] {
        let shown = shown_text(&format!("{text}{quote}{CARRIER}{quote}"));
        assert!(!shown.contains(PLANTED) || text.contains(PLANTED), "{shown:?}");
    }
}

/// Asserts that a URL goes into one line of a request, and shows none of its secrets. `parts` is the same URL.
fn assert_url_hides(url: &SecretUrl, parts: &Url) {
    let wire = url.wire();
    assert!(wire.bytes().all(|byte| byte.is_ascii_graphic()), "{wire:?}");
    assert!(url.is_at(&url.endpoint()));
    let shown = [url.to_string(), format!("{url:?}"), url.file_name(), url.refusal()];
    shown.iter().for_each(|text| assert_plain(text));
    let (scheme, authority, path) = (parts.scheme(), url.endpoint().authority(), parts.path());
    // A part that reads like what may be shown is no secret; how it is shown depends on whether there is a query.
    let public = format!("SecretUrl({scheme}://{authority}{path} {}?***)", percent_decoded(path));
    let bare = format!("SecretUrl({scheme}://{authority}{path})");
    let public = [harmless_lines(&public), harmless_lines(&bare), url.refusal()];
    let secrets = [Some(parts.username()), parts.password(), parts.query(), parts.fragment()];
    for secret in secrets.into_iter().flatten().filter(|secret| secret.len() >= COMPONENT) {
        if !public.iter().any(|text| text.contains(secret)) {
            assert!(!shown.iter().any(|text| text.contains(secret)), "{secret:?} in {shown:?}");
        }
    }
}

/// Asserts that a URL that is never requested shows its scheme alone.
fn assert_refused_hides(url: &SecretUrl) {
    _ = url.inline();
    let shown = url.to_string();
    assert!(shown.ends_with(":***") && shown == url.file_name(), "{shown}");
    [shown, url.refusal(), format!("{url:?}")].iter().for_each(|text| assert_plain(text));
}

/// Asserts that a text has no control character.
fn assert_plain(text: &str) {
    assert!(!text.chars().any(char::is_control), "{text:?}");
}
