//! Parser for `Set-Cookie` lines (RFC 6265 sections 5.2 and 5.3).

use std::time::Duration;

use super::date::unix_seconds;
use super::{Cookie, Received, is_within};
use crate::vocabulary::limits;
use crate::vocabulary::secret_url::Endpoint;

/// Maximum length of an attribute's value; longer ones are ignored (RFC 6265bis section 5.6).
const ATTRIBUTE_BYTES: usize = 1_024;
/// Maximum size of a cookie, both of name and value and with domain and path: browsers ignore larger ones.
const COOKIE_BYTES: usize = limits::COOKIE_JAR_BYTES / 2;
/// Second-level labels under which countries register names: a cookie for such a domain would reach unrelated sites.
const REGISTRIES: [&str; 10] = ["ac", "co", "com", "edu", "gov", "mil", "ne", "net", "or", "org"];

/// The attributes of a `Set-Cookie` line that decide the scope and lifetime of the cookie.
#[derive(Default)]
struct Attributes<'a> {
    domain: Option<&'a str>,
    path: Option<&'a str>,
    secure: bool,
    expires_s: Option<i64>,
    max_age_s: Option<i64>,
}

impl<'a> Attributes<'a> {
    fn read(text: &'a [u8]) -> Self {
        let mut attributes = Self::default();
        for attribute in text.split(|byte| *byte == b';') {
            let Ok(attribute) = std::str::from_utf8(attribute) else { continue };
            let (name, value) = attribute.split_once('=').unwrap_or((attribute, ""));
            let (name, value) = (name.trim(), value.trim());
            if value.len() > ATTRIBUTE_BYTES {
                continue;
            }
            match name.to_ascii_lowercase().as_str() {
                "domain" => attributes.domain = Some(value.strip_prefix('.').unwrap_or(value)),
                "path" => attributes.path = Some(value).filter(|path| path.starts_with('/')),
                "secure" => attributes.secure = true,
                "expires" => attributes.expires_s = unix_seconds(value).or(attributes.expires_s),
                "max-age" => attributes.max_age_s = max_age(value).or(attributes.max_age_s),
                _ => {}
            }
        }
        attributes
    }

    /// Returns the lifetime of the cookie in seconds, where `Max-Age` takes precedence over `Expires`. `None`: the
    /// cookie lives as long as the client.
    fn lifetime_s(&self, received: Received) -> Option<i64> {
        self.max_age_s.or_else(|| self.expires_s.map(|at| at.saturating_sub(received.unix_s)))
    }
}

/// Parses a `Set-Cookie` line. Returns the cookie, and true to keep it or false to remove it. `None`: the line is
/// ignored.
pub(super) fn read(
    line: &[u8],
    endpoint: &Endpoint,
    path: &str,
    received: Received,
) -> Option<(Cookie, bool)> {
    // A control character could add a header to later requests.
    if line.iter().any(|byte| byte.is_ascii_control() && *byte != b'\t') {
        return None;
    }
    let end = line.iter().position(|byte| *byte == b';').unwrap_or(line.len());
    let (pair, rest) = line.split_at_checked(end)?;
    let (name, value) = pair.split_at_checked(pair.iter().position(|byte| *byte == b'=')?)?;
    let (name, value) = (name.trim_ascii(), value.get(1..)?.trim_ascii());
    if name.is_empty() || name.len() + value.len() > COOKIE_BYTES || value.contains(&b'\t') {
        return None;
    }
    let attributes = Attributes::read(rest);
    let host = endpoint.host.as_str();
    let (domain, host_only) = scope(host, attributes.domain)?;
    if attributes.secure && !endpoint.tls || !keeps_prefix(name, &attributes, endpoint, host_only) {
        return None;
    }
    let lifetime_s = attributes.lifetime_s(received);
    let lifetime = |seconds: i64| Duration::from_secs(seconds.unsigned_abs());
    let cookie = Cookie {
        pair: [name, b"=", value].concat().into(),
        name_length: name.len(),
        domain: domain.into(),
        host_only,
        path: attributes.path.unwrap_or_else(|| default_path(path)).into(),
        secure: attributes.secure,
        // A date beyond the range of the clock counts as no date.
        expires: lifetime_s.and_then(|seconds| received.at.checked_add(lifetime(seconds))),
        number: 0,
    };
    (cookie.bytes() <= COOKIE_BYTES).then_some((cookie, lifetime_s.is_none_or(|seconds| seconds > 0)))
}

/// Returns the domain of a cookie, and true if it is for that host alone. `None`: the host may not set this domain.
fn scope(host: &str, domain: Option<&str>) -> Option<(String, bool)> {
    let domain = domain.map(str::to_ascii_lowercase).filter(|domain| !domain.is_empty() && domain != host);
    match domain {
        None => Some((host.to_owned(), true)),
        Some(domain) => (is_within(host, &domain) && !is_registry(&domain)).then_some((domain, false)),
    }
}

/// Guesses from the form of `domain` whether unrelated parties register names below it.
fn is_registry(domain: &str) -> bool {
    match domain.rsplit_once('.') {
        None => true,
        Some((second, top)) => top.is_empty() || (top.len() == 2 && REGISTRIES.contains(&second)),
    }
}

/// Reports whether the attributes keep the promise of a `__Host-` or `__Secure-` name (RFC 6265bis section 4.1.3).
fn keeps_prefix(name: &[u8], attributes: &Attributes<'_>, endpoint: &Endpoint, host_only: bool) -> bool {
    let starts =
        |prefix: &[u8]| name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
    let secure = attributes.secure && endpoint.tls;
    if starts(b"__Host-") {
        return secure && host_only && attributes.domain.is_none() && attributes.path == Some("/");
    }
    !starts(b"__Secure-") || secure
}

/// Returns the directory of a path (RFC 6265 section 5.1.4).
fn default_path(path: &str) -> &str {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    path.rsplit_once('/').map(|(folder, _)| folder).filter(|folder| folder.starts_with('/')).unwrap_or("/")
}

fn max_age(value: &str) -> Option<i64> {
    let digits = value.strip_prefix('-').unwrap_or(value);
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let seconds = digits.parse().unwrap_or(i64::MAX);
    is_number.then_some(if value.starts_with('-') { 0 } else { seconds })
}
