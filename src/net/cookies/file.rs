//! Cookies of a file in the format of Netscape, which curl and browsers' extensions write.
//!
//! A line has seven fields with tabs between them: domain, whether hosts below it get the cookie, path, whether it needs
//! TLS, the end of its life in seconds since 1970 (0: none), name and value. No message shows a value.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::time::Duration;

use super::{Cookie, Received, add_pair, put};
use crate::vocabulary::{KnownSecrets, Untrusted, limits};

/// Maximum size of a file: more than a client keeps, with room for comments.
const FILE_BYTES: u64 = 1024 * 1024;
/// Mark of a cookie that scripts of a page do not see.
const HTTP_ONLY: &str = "#HttpOnly_";
const FIELDS: usize = 7;

/// Cookies that each client begins with.
#[derive(Clone, Default)]
pub struct InitialCookies(Vec<Cookie>);

/// A file of cookies that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("--cookie-jar {file}: {reason}; expected a cookie file as curl writes it")]
pub struct CookieFileError {
    file: String,
    reason: String,
}

impl InitialCookies {
    /// Reads a file.
    ///
    /// # Errors
    /// The file cannot be read, has a line of another form, or more cookies than a client keeps.
    pub fn read(path: &Path) -> Result<Self, CookieFileError> {
        let wrong = |reason: String| CookieFileError {
            file: Untrusted::new(&path.to_string_lossy()).shown(),
            reason,
        };
        let mut text = String::new();
        let file = File::open(path).map_err(|error| wrong(error.to_string()))?;
        file.take(FILE_BYTES).read_to_string(&mut text).map_err(|error| wrong(error.to_string()))?;
        Self::parse(&text, Received::now()).map_err(wrong)
    }

    fn parse(text: &str, now: Received) -> Result<Self, String> {
        let mut cookies: Vec<Cookie> = Vec::new();
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.strip_prefix(HTTP_ONLY).unwrap_or(line);
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            let (cookie, is_alive) =
                cookie(line, now).ok_or_else(|| format!("line {number} is not a cookie"))?;
            let others = cookies.iter().filter(|kept| !kept.is_same(&cookie)).count();
            _ = put(&mut cookies, cookie, is_alive, now.at);
            // A jar that is full drops the oldest ones.
            if cookies.len() != others + usize::from(is_alive) {
                let (most, kib) = (limits::COOKIES_PER_CLIENT, limits::COOKIE_JAR_BYTES / 1024);
                return Err(format!("more cookies than a client keeps ({most}, or {kib} KiB)"));
            }
        }
        Ok(Self(cookies))
    }

    /// Reports whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds the cookies to the secrets of a run.
    pub(in crate::net) fn add_to(&self, secrets: &mut KnownSecrets) {
        self.0.iter().for_each(|cookie| add_pair(secrets, &cookie.pair));
    }

    pub(super) fn to_vec(&self) -> Vec<Cookie> {
        self.0.clone()
    }
}

impl std::fmt::Debug for InitialCookies {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "InitialCookies({})", self.0.len())
    }
}

/// Returns the cookie of a line, and whether it is still alive.
fn cookie(line: &str, now: Received) -> Option<(Cookie, bool)> {
    if line.chars().any(|c| c.is_control() && c != '\t') {
        return None;
    }
    let fields: Vec<_> = line.splitn(FIELDS, '\t').collect();
    let [domain, below, path, secure, expires, name, value] = fields.try_into().ok()?;
    let flag = |text: &str| match text {
        "TRUE" => Some(true),
        "FALSE" => Some(false),
        _ => None,
    };
    let (below, secure, expires): (bool, bool, i64) = (flag(below)?, flag(secure)?, expires.parse().ok()?);
    let domain = domain.trim_start_matches('.').to_ascii_lowercase();
    let is_sound =
        !domain.is_empty() && path.starts_with('/') && !name.is_empty() && !value.contains(['\t', ';']);
    if !is_sound || name.contains(['=', ';']) {
        return None;
    }
    let left = u64::try_from(expires.saturating_sub(now.unix_s)).unwrap_or_default();
    let cookie = Cookie {
        pair: format!("{name}={value}").into_bytes().into(),
        name_length: name.len(),
        domain: domain.into(),
        host_only: !below,
        path: path.into(),
        secure,
        expires: if expires == 0 { None } else { now.at.checked_add(Duration::from_secs(left)) },
        number: 0,
    };
    Some((cookie, expires == 0 || left > 0))
}

#[cfg(test)]
mod tests {
    use super::super::Jar;
    use super::*;
    use crate::vocabulary::SecretUrl;
    use std::time::Instant;

    fn parse(text: &str) -> Result<InitialCookies, String> {
        InitialCookies::parse(text, Received { at: Instant::now(), unix_s: 1_000 })
    }

    /// Returns the `Cookie` header of a request, empty without one.
    fn sent(cookies: &InitialCookies, url: &str) -> String {
        let url = SecretUrl::parse(url).expect(url);
        let mut sent = String::new();
        Jar::new(cookies).line(&url.endpoint(), url.wire_path(), None, &mut |line| {
            sent = String::from_utf8_lossy(line).into_owned();
        });
        sent
    }

    const FILE: &str = "# Netscape HTTP Cookie File\n\n.example.com\tTRUE\t/\tFALSE\t0\ta\t1\n\
        #HttpOnly_cdn.example.com\tFALSE\t/live\tTRUE\t2000\tb\t2=2\n\
        example.com\tFALSE\t/\tFALSE\t999\told\tx\n\
        example.com\tFALSE\t/\tFALSE\t0\tempty\t\n";

    #[test]
    fn a_file_of_curl_gives_each_host_its_cookies() {
        let cookies = parse(FILE).expect("cookies");
        for (url, expected) in [
            ("http://example.com/x", "a=1; empty="),
            ("http://cdn.example.com/live/x", "a=1"),
            ("https://cdn.example.com/live/x", "b=2=2; a=1"),
            ("https://cdn.example.com/other", "a=1"),
            ("https://b.cdn.example.com/live/x", "a=1"),
            ("http://notexample.com/", ""),
        ] {
            assert_eq!(sent(&cookies, url), expected, "{url}");
        }
        assert!(!format!("{cookies:?}").contains("2=2"));
    }

    #[test]
    fn a_line_of_another_form_is_named_by_its_number_and_not_shown() {
        for line in [
            "hunter2",
            "h\tTRUE\t/\tFALSE\t0\thunter2",
            "h\tyes\t/\tFALSE\t0\ta\thunter2",
            "h\tTRUE\tx\tFALSE\t0\ta\thunter2",
            "h\tTRUE\t/\tFALSE\tnever\ta\thunter2",
            "h\tTRUE\t/\tFALSE\t0\ta\thunter2\u{1b}",
            "h\tTRUE\t/\tFALSE\t0\t\thunter2",
            "h\tTRUE\t/\tFALSE\t0\ta\thunter2; b=3",
        ] {
            let said = parse(&format!("# comment\n{line}\n")).expect_err(line);
            assert_eq!(said, "line 2 is not a cookie", "{line}");
        }
        let many: String = (0..60).map(|at| format!("h\tTRUE\t/\tFALSE\t0\tc{at}\t1\n")).collect();
        assert!(
            parse(&many).is_err_and(|said| said.contains("more cookies than a client keeps (50, or 8 KiB)"))
        );
        assert!(parse("").expect("none").is_empty());
    }
}
