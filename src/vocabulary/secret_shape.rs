//! Recognises secrets by their shape where no syntax marks them: tokens that CDNs sign into paths, titles and content
//! types that carry them, mistyped command lines.
//!
//! * A token is long, or mixes digits and letters as encoded bytes do and names do not.
//! * A false alarm hides a name; a miss publishes a credential. A doubtful text is therefore hidden.
//! * This is the second line of defence: queries, user names and header values are never printed at all.

use std::borrow::Cow;

use super::percent::percent_decoded;

/// Placeholder for hidden text.
pub const HIDDEN: &str = "***";

/// Minimum length of a run that is hidden for its length: a name this long has separators in it.
const LONG_RUN: usize = 32;
/// Minimum length of a run that is hidden even if `-` and `_` divide it into words.
const LONG_NAME: usize = 40;
/// Longest word between `-` and `_` that counts as part of a name.
const WORD: usize = 20;
/// Minimum number of changes between digits and letters that makes a long run a token, such as a UUID.
const LONG_CHANGES: usize = 5;
/// Minimum length of a run that is judged by its mixture. In a shorter one the mixture is chance.
const MIXED_RUN: usize = 16;
/// Minimum share of neighbouring characters that change between digits and letters, or from lower to upper case.
/// Encoded bytes have about 45 %, names such as `index_1920x1080_h264` below 20 %.
const MIXED_SHARE: f64 = 0.25;
/// Longest file ending that is shown beside a hidden name.
const ENDING: usize = 5;

/// Path segments that announce a secret in the next one.
const ANNOUNCES: [&str; 16] = [
    "token",
    "tokens",
    "auth",
    "sig",
    "sign",
    "signature",
    "secret",
    "session",
    "sessionid",
    "sid",
    "jwt",
    "apikey",
    "api_key",
    "password",
    "pwd",
    "access_token",
];
/// Words that announce a secret as the next word of a text.
const SCHEMES: [&str; 4] = ["bearer", "basic", "token", "digest"];

/// Returns `path` with every segment that looks like a secret replaced.
pub fn shown_path(path: &str) -> String {
    let mut announced = false;
    let segments = path.split('/').map(|segment| {
        let hide = std::mem::replace(&mut announced, announces(segment)) && ending(segment).is_none();
        if hide && !segment.is_empty() { Cow::Borrowed(HIDDEN) } else { shown_segment(segment) }
    });
    segments.collect::<Vec<_>>().join("/")
}

fn announces(segment: &str) -> bool {
    ANNOUNCES.iter().any(|word| segment.eq_ignore_ascii_case(word))
}

/// Returns one path segment with everything that looks like a secret replaced. Its parameters (RFC 3986 section 3.3)
/// are always replaced.
pub fn shown_segment(segment: &str) -> Cow<'_, str> {
    let plain = if segment.contains('%') { percent_decoded(segment) } else { segment.to_owned() };
    let shown = match plain.split_once([';', '?', '#', '&']) {
        Some((name, _)) => format!("{}{HIDDEN}", shown_word(name)),
        // An encoded slash begins another segment.
        None => plain.split('/').map(shown_word).collect::<Vec<_>>().join("/"),
    };
    if shown == plain { Cow::Borrowed(segment) } else { Cow::Owned(shown) }
}

/// Returns `text` with each word replaced that looks like a secret or follows a word that announces one.
pub fn shown_text(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut announced = false;
    for word in text.split_inclusive(char::is_whitespace) {
        let (word, space) = word.split_at(word.trim_end().len());
        let bare = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
        let announces = SCHEMES.iter().any(|scheme| bare.eq_ignore_ascii_case(scheme));
        if std::mem::replace(&mut announced, announces) && !word.is_empty() {
            shown.push_str(HIDDEN);
        } else {
            push_word(word, &mut shown);
        }
        shown.push_str(space);
    }
    shown
}

/// Appends `word` to `shown`, with the secrets in its URLs and pieces replaced. A word may hold several URLs: JSON has
/// no white space between them.
fn push_word(word: &str, shown: &mut String) {
    let mut rest = word;
    while let Some(at) = rest.find("://") {
        let (before, address) = rest.split_at(at);
        let scheme = before.rfind(|c: char| !c.is_ascii_alphanumeric()).map_or(0, |last| last + 1);
        // The last character before the scheme may be longer than one byte.
        let (before, scheme) = before.split_at_checked(scheme).unwrap_or((before, ""));
        let (address, after) = address.split_at(address.find(['<', '>', '"', '\'']).unwrap_or(address.len()));
        push_pieces(before, shown);
        shown.push_str(&shown_address(scheme, address.trim_start_matches("://")));
        rest = after;
    }
    push_pieces(rest, shown);
}

/// Separators between words without white space in markup and lists.
const DELIMITERS: [char; 10] = ['<', '>', ';', ',', '(', ')', '[', ']', '{', '}'];

fn push_pieces(word: &str, shown: &mut String) {
    for piece in word.split_inclusive(DELIMITERS) {
        let (name, delimiter) = piece.split_at(piece.trim_end_matches(DELIMITERS).len());
        shown.push_str(&name.split('/').map(shown_word).collect::<Vec<_>>().join("/"));
        shown.push_str(delimiter);
    }
}

/// Returns a URL within a text without user, query and fragment, and with the secrets of its path replaced.
fn shown_address(scheme: &str, rest: &str) -> String {
    let (place, query) = match rest.split_once(['?', '#']) {
        Some((place, _)) => (place, HIDDEN),
        None => (rest, ""),
    };
    let (authority, path) = place.split_at(place.find(['/', '\\']).unwrap_or(place.len()));
    let host = authority.rsplit('@').next().unwrap_or_default();
    format!("{}://{host}{}{query}", shown_word(scheme), shown_path(path))
}

/// Returns a word without slashes, with its secrets replaced.
fn shown_word(word: &str) -> String {
    if let Some((name, value)) = word.split_once('=') {
        // `hdnts=exp=1~hmac=2`, and padded base64.
        let hide = !value.trim_matches(['=', '"', '\'']).is_empty() || is_secret(name);
        let name = if is_name(name) { name } else { HIDDEN };
        return if hide { format!("{name}={HIDDEN}") } else { word.to_owned() };
    }
    if let Some((user, host)) = word.rsplit_once('@').filter(|(user, _)| !user.is_empty()) {
        return if user.contains(':') { format!("{HIDDEN}@{host}") } else { word.to_owned() };
    }
    if !is_secret(word) {
        return word.to_owned();
    }
    ending(word).map_or(HIDDEN.to_owned(), |ending| format!("{HIDDEN}.{ending}"))
}

/// Reports whether a text names something and is too short to be a secret itself.
fn is_name(text: &str) -> bool {
    text.len() < MIXED_RUN
        && !text.is_empty()
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.\"'<".contains(c))
}

/// Returns the ending of a file name.
fn ending(segment: &str) -> Option<&str> {
    let (_, ending) = segment.rsplit_once('.')?;
    let is_ending = (1..=ENDING).contains(&ending.len())
        && ending.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && ending.bytes().any(|byte| byte.is_ascii_alphabetic());
    is_ending.then_some(ending)
}

/// Reports whether a word contains a run that looks like a secret, or is one as a whole (`aaaa.bbbb.cccc`).
fn is_secret(word: &str) -> bool {
    let stem = ending(word).map_or(word, |ending| word.get(..word.len() - ending.len() - 1).unwrap_or(word));
    let runs = stem.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '+')));
    let mut runs = runs.filter(|run| !run.is_empty());
    is_mixed(stem) || runs.any(|run| is_token(run) || is_json_web_token(run))
}

/// Reports whether a run begins with `{"` in base64, as a JSON web token does.
fn is_json_web_token(run: &str) -> bool {
    run.starts_with("eyJ") && run.len() >= 8
}

fn is_token(run: &str) -> bool {
    let longest = run.split(['-', '_']).map(str::len).max().unwrap_or_default();
    let long = run.len() >= LONG_RUN && (longest > WORD || changes_in(run) >= LONG_CHANGES);
    run.len() >= LONG_NAME || long || is_mixed(run)
}

/// Reports whether digits, small and capital letters alternate as in encoded bytes.
fn is_mixed(run: &str) -> bool {
    run.len() >= MIXED_RUN && changes_in(run) as f64 >= run.len() as f64 * MIXED_SHARE
}

fn changes_in(run: &str) -> usize {
    run.as_bytes().windows(2).filter(|pair| matches!(pair, [one, other] if changes(*one, *other))).count()
}

fn changes(one: u8, other: u8) -> bool {
    let digit_and_letter = (one.is_ascii_digit() && other.is_ascii_alphabetic())
        || (one.is_ascii_alphabetic() && other.is_ascii_digit());
    digit_and_letter || (one.is_ascii_lowercase() && other.is_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_of_files_and_folders_are_shown() {
        for path in [
            "/live/ts/master.m3u8",
            "/live/index_1920x1080_6000k_h264_main.m3u8",
            "/vod/My-Very-Long-Title-Season-1-Episode-2/1080p.mp4",
            "/hls/chunklist_w1937284756_b2500000.m3u8",
            "/seg-1-f1-v1-a1.ts",
            "/2026-11-26T10:17:27Z/00000000000000000042.m4s",
            "/media_w98765_tkd2lu_0001234.aac",
            "/@user/LiveStreamOfTheYear/playlist.m3u8",
            "/f%C3%BCr%20alle/a.m3u8",
            "",
        ] {
            assert_eq!(shown_path(path), path);
        }
    }

    #[test]
    fn tokens_are_hidden_in_whatever_way_a_cdn_signs_them_into_a_path() {
        for (path, shown) in [
            ("/live/0123456789abcdef0123456789abcdef/a.m3u8", "/live/***/a.m3u8"),
            ("/live/0123456789abcdef0123456789abcdef.m3u8", "/live/***.m3u8"),
            ("/s/kF3XA1r_2YJ9c8fX6VZpLg,1700000000/a.ts", "/s/***/a.ts"),
            ("/a.m3u8;token=hunter2", "/a.m3u8***"),
            ("/a.m3u8%3Btoken=hunter2", "/a.m3u8***"),
            ("/hdnts=exp=1700000000~acl=/*~hmac=ab12/a.m3u8", "/hdnts=***/***=***/a.m3u8"),
            ("/exp=1700000000~acl=%2f*~hmac=ab12/a.m3u8", "/exp=***/***=***/a.m3u8"),
            ("/eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln/a.m3u8", "/***.c2ln/a.m3u8"),
            ("/eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.dBjftJeZ4CVPmB92K27uhbUJU1p1r/a", "/***/a"),
            ("/550e8400-e29b-41d4-a716-446655440000/a.m3u8", "/***/a.m3u8"),
            ("/token/hunter2/a.m3u8", "/token/***/a.m3u8"),
            ("/v1/Zm9vYmFyMTIzNDU2Nzg5MA==/a.m3u8", "/v1/***=***/a.m3u8"),
            ("/p/a1B2c3.D4e5F6.g7H8i9/a.m3u8", "/p/***/a.m3u8"),
        ] {
            assert_eq!(shown_path(path), shown);
        }
    }

    #[test]
    fn texts_lose_their_tokens_and_keep_their_words() {
        for (text, shown) in [
            ("text/html", "text/html"),
            ("<html><body>Not found</body></html>", "<html><body>Not found</body></html>"),
            ("text/eyJhbGciOiJIUzI1NiJ9", "text/***"),
            ("Bearer hunter2", "Bearer ***"),
            ("title token=hunter2 end", "title token=*** end"),
            ("see HTTPS://u:hunter2@h/p?hunter2#x now", "see HTTPS://h/p*** now"),
            ("line 12 of 3,400", "line 12 of 3,400"),
            ("<html>^[]52;c;ZXZpbA==^Gx <p class=\"a\">", "<html>^[]52;c;ZXZpbA=*** <p class=***>"),
            ("ä<a href=\"https://u:hunter2@h/p;hunter2\">", "ä<a href=\"https://h/p***\">"),
            ("«https://u:hunter2@h/p;hunter2»", "«https://h/p***"),
            (
                "{\"a\":\"http://a/\",\"b\":\"https://u:hunter2@h/p?hunter2\"}",
                "{\"a\":\"http://a/\",\"b\":\"https://h/p***\"}",
            ),
        ] {
            assert_eq!(shown_text(text), shown);
        }
    }

    proptest! {
        #[test]
        fn encoded_bytes_are_hidden(bytes in proptest::collection::vec(any::<u8>(), 30..64)) {
            use base64::Engine as _;
            let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            let url = base64::prelude::BASE64_URL_SAFE_NO_PAD.encode(&bytes);
            for token in [hex, url] {
                let shown = shown_path(&format!("/live/{token}/a.m3u8"));
                prop_assert_eq!(shown, "/live/***/a.m3u8");
            }
        }

        #[test]
        fn any_text_is_taken(text in any::<String>()) {
            shown_path(&text);
            shown_text(&text);
        }
    }
}
