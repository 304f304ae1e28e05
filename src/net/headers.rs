//! Headers of every request: those that identify the run, and the operator's from `--header` and `--header-env`.
//!
//! * Header values are secrets: no error and no `Debug` shows one.
//! * Headers and credentials of the operator go only to the endpoint of the given URL: not to the target of a
//!   redirect on another endpoint, and not to another host that a playlist names.
//! * The operator's cookies and those that the server has set become one `Cookie` line ([`Jar`]).
//! * The run-id header stays on every request, so that the operator of an origin can find and block a load test.

use std::fmt;
use std::io::Write as _;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};

use super::cookies::Jar;
use super::{Body, Request};
use crate::vocabulary::secret_url::Endpoint;
use crate::vocabulary::{HttpProfile, KnownSecrets, SecretUrl};

/// Header with the id of the run; an origin can look for it.
const RUN_ID: HeaderName = HeaderName::from_static("x-load-test");

/// Length of `bytes=`, a hyphen and two numbers of twenty digits.
const RANGE_BYTES: usize = 47;

/// Headers that the transport writes itself; a second one would make the request ambiguous.
const RESERVED: [HeaderName; 6] = [
    header::HOST,
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::TRANSFER_ENCODING,
    header::TE,
    header::UPGRADE,
];

/// Reason to refuse a header of the operator. Never shows the value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// Not `Name: value`.
    #[error("expected 'Name: value'")]
    Syntax,
    /// The name is one that hlswarm writes itself.
    #[error("hlswarm sets the header {0} itself; leave it out")]
    Reserved(String),
}

/// The headers of every request of a run.
#[derive(Clone)]
pub struct Headers {
    own: HeaderMap,
    given: HeaderMap,
    /// The given `Cookie` lines, joined into one.
    cookies: Option<Box<[u8]>>,
    scope: Endpoint,
}

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let given: Vec<_> = self.given.keys().collect();
        f.debug_struct("Headers").field("given", &given).field("scope", &self.scope).finish_non_exhaustive()
    }
}

impl Headers {
    /// Builds the headers of a run against `target` from its credentials and from `given`, in curl's form
    /// (`Name: value`).
    ///
    /// # Errors
    /// See [`HeaderError`]; a user agent that cannot be sent is [`HeaderError::Syntax`].
    pub fn new(
        target: &SecretUrl,
        user_agent: &str,
        run_id: &str,
        given: &[String],
    ) -> Result<Self, HeaderError> {
        let value = |text: &str| HeaderValue::from_str(text).map_err(|_| HeaderError::Syntax);
        let mut own = HeaderMap::new();
        own.insert(header::USER_AGENT, value(user_agent)?);
        own.insert(header::ACCEPT, HeaderValue::from_static("*/*"));
        own.insert(RUN_ID, value(run_id)?);
        let mut map = HeaderMap::new();
        if let Some((user, password)) = target.credentials() {
            let encoded = BASE64_STANDARD.encode(format!("{user}:{password}"));
            map.insert(header::AUTHORIZATION, value(&format!("Basic {encoded}"))?);
        }
        // A given `User-Agent`, `Accept` or `Authorization` replaces ours; other names may repeat.
        for line in given {
            let (name, text) = line.split_once(':').ok_or(HeaderError::Syntax)?;
            let name = HeaderName::try_from(name.trim()).map_err(|_| HeaderError::Syntax)?;
            if RESERVED.contains(&name) || name == RUN_ID {
                return Err(HeaderError::Reserved(name.to_string()));
            }
            let mut text = value(text.trim())?;
            text.set_sensitive(true);
            if name == header::USER_AGENT || name == header::ACCEPT || name == header::AUTHORIZATION {
                own.remove(&name);
                map.insert(name, text);
            } else {
                map.append(name, text);
            }
        }
        // Taken out of the map: the jar joins the given cookies with its own into one line.
        let cookies: Vec<_> = map.get_all(header::COOKIE).iter().map(HeaderValue::as_bytes).collect();
        let cookies = (!cookies.is_empty()).then(|| cookies.join(b"; ".as_slice()).into());
        map.remove(header::COOKIE);
        Ok(Self { own, given: map, cookies, scope: target.endpoint() })
    }

    /// Asks caches for what the origin has now, as browsers do for a reload, unless the operator's own header says otherwise.
    #[must_use]
    pub fn without_caches(mut self) -> Self {
        for name in [header::CACHE_CONTROL, header::PRAGMA] {
            if !self.given.contains_key(&name) {
                self.own.insert(name, HeaderValue::from_static("no-cache"));
            }
        }
        self
    }

    /// Reports whether the operator gave credentials or headers, which are secrets.
    pub fn are_given(&self) -> bool {
        !self.given.is_empty() || self.cookies.is_some()
    }

    /// Returns the values of the operator's headers, credentials and cookies.
    pub fn secrets(&self) -> KnownSecrets {
        let mut secrets = KnownSecrets::default();
        self.given.values().for_each(|value| secrets.add_header(value.as_bytes()));
        self.cookies.iter().for_each(|cookies| secrets.add_header(cookies));
        secrets
    }

    /// Returns the operator's `Accept-Encoding`.
    pub(super) fn given_encoding(&self) -> Option<&HeaderValue> {
        self.given.get(header::ACCEPT_ENCODING)
    }

    /// Reports whether `request` is conditional: 304 is a valid response to no other request.
    pub(super) fn are_conditional(&self, request: &Request<'_>, http_profile: &HttpProfile) -> bool {
        let given = [header::IF_NONE_MATCH, header::IF_MODIFIED_SINCE];
        (request.unless.is_some() && http_profile.conditional)
            || (given.iter().any(|name| self.given.contains_key(name)) && request.url.is_at(&self.scope))
    }

    /// Calls `visit` with the `Cookie` header of a request for `path` at `endpoint`, if it has one.
    pub(super) fn cookie(
        &self,
        endpoint: &Endpoint,
        path: &str,
        jar: &Jar,
        visit: &mut impl FnMut(&HeaderName, &[u8]),
    ) {
        let given = self.cookies.as_deref().filter(|_| *endpoint == self.scope);
        jar.line(endpoint, path, given, &mut |line| visit(&header::COOKIE, line));
    }

    /// Calls `visit` with all headers of `request` to `endpoint` except `Host` and `Cookie`.
    pub(super) fn for_each(
        &self,
        endpoint: &Endpoint,
        request: &Request<'_>,
        http_profile: &HttpProfile,
        visit: &mut impl FnMut(&HeaderName, &[u8]),
    ) {
        // Given headers are secrets: another endpoint must not receive them.
        let given = (*endpoint == self.scope).then_some(&self.given);
        let is_given = |name: &HeaderName| given.is_some_and(|given| given.contains_key(name));
        self.own.iter().for_each(|(name, value)| visit(name, value.as_bytes()));
        let encoding = if request.body == Body::Playlist {
            http_profile.playlist_encoding
        } else {
            http_profile.media_encoding
        };
        if let Some(encoding) = encoding.filter(|_| !is_given(&header::ACCEPT_ENCODING)) {
            visit(&header::ACCEPT_ENCODING, encoding.as_bytes());
        }
        for (name, value) in http_profile.extra {
            visit(&HeaderName::from_static(name), value.as_bytes());
        }
        given.into_iter().flatten().for_each(|(name, value)| visit(name, value.as_bytes()));
        match request.range {
            Some((first, last)) => {
                // Formatted on the stack: a request allocates nothing for its range.
                let mut text = [0; RANGE_BYTES];
                let mut rest = text.as_mut_slice();
                if write!(rest, "bytes={first}-{last}").is_ok() {
                    let unused = rest.len();
                    visit(&header::RANGE, text.get(..RANGE_BYTES - unused).unwrap_or_default());
                }
            }
            None if http_profile.whole_range => visit(&header::RANGE, b"bytes=0-"),
            None => {}
        }
        if let Some(tag) = request.unless.filter(|_| http_profile.conditional) {
            visit(&header::IF_NONE_MATCH, tag.as_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocabulary::Reuse;

    fn headers(target: &str, given: &[&str]) -> Result<Headers, HeaderError> {
        let given: Vec<_> = given.iter().map(|line| (*line).to_owned()).collect();
        Headers::new(&SecretUrl::parse(target).expect(target), "hlswarm/test", "run 1", &given)
    }

    #[test]
    fn every_header_of_the_operator_is_a_secret() {
        let are_given = |target: &str, given: &[&str]| headers(target, given).expect("headers").are_given();
        assert!(!are_given("http://a.test/", &[]));
        assert!(are_given("http://a.test/", &["Cookie: session=1"]));
        assert!(are_given("http://a.test/", &["X-Token: 1"]));
        assert!(are_given("http://user:password@a.test/", &[]));
    }

    fn sent(headers: &Headers, url: &str) -> Vec<(String, String)> {
        sent_by(headers, url, &HttpProfile::default(), None)
    }

    fn sent_by(
        headers: &Headers,
        url: &str,
        http_profile: &HttpProfile,
        range: Option<(u64, u64)>,
    ) -> Vec<(String, String)> {
        let url = SecretUrl::parse(url).expect(url);
        let total = std::time::Duration::ZERO;
        let request = Request {
            url: &url,
            range,
            unless: Some("\"tag\""),
            body: Body::Playlist,
            total,
            reuse: Reuse::Kept,
        };
        let mut sent = Vec::new();
        let mut visit = |name: &HeaderName, value: &[u8]| {
            sent.push((name.to_string(), String::from_utf8_lossy(value).into_owned()));
        };
        headers.for_each(&url.endpoint(), &request, http_profile, &mut visit);
        headers.cookie(&url.endpoint(), url.wire_path(), &Jar::default(), &mut visit);
        sent
    }

    #[test]
    fn a_player_is_told_by_its_headers() {
        let headers = headers("http://a/x", &[]).expect("valid");
        let http_profile = HttpProfile {
            playlist_encoding: None,
            whole_range: true,
            conditional: false,
            extra: &[("icy-metadata", "1")],
            ..HttpProfile::default()
        };
        let pairs = |range| -> Vec<_> { sent_by(&headers, "http://a/y", &http_profile, range).split_off(3) };
        let text = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(pairs(None), [text("icy-metadata", "1"), text("range", "bytes=0-")]);
        let widest = Some((u64::MAX - 1, u64::MAX));
        let range = format!("bytes={}-{}", u64::MAX - 1, u64::MAX);
        assert_eq!(pairs(widest), [text("icy-metadata", "1"), text("range", &range)]);
    }

    #[test]
    fn what_the_operator_gave_goes_to_the_given_endpoint_only() {
        let headers =
            headers("http://user:pa%20ss@a:81/x", &["Cookie: hunter2", "Cookie: b=2", "X-A: 1", "X-A: 2"])
                .expect("valid");
        let home = sent(&headers, "http://a:81/y");
        assert!(home.contains(&("authorization".into(), "Basic dXNlcjpwYSBzcw==".into())), "{home:?}");
        assert!(home.contains(&("cookie".into(), "hunter2; b=2".into())));
        assert_eq!(home.iter().filter(|(name, _)| name == "x-a").count(), 2);
        for elsewhere in ["http://b:81/y", "http://a/y", "https://a:81/y"] {
            let names: Vec<_> = sent(&headers, elsewhere).into_iter().map(|(name, _)| name).collect();
            assert_eq!(
                names,
                ["user-agent", "accept", "x-load-test", "accept-encoding", "if-none-match"],
                "{elsewhere}"
            );
        }
        assert!(!format!("{headers:?}").contains("hunter2"));
    }

    #[test]
    fn a_given_user_agent_and_coding_replace_ours_and_the_run_id_stays() {
        let headers = headers("http://a/x", &["User-Agent: me", "Accept-Encoding: identity"]).expect("valid");
        let sent = sent(&headers, "http://a/y");
        let of = |wanted: &str| {
            sent.iter().filter(|(name, _)| name == wanted).map(|(_, v)| v.as_str()).collect::<Vec<_>>()
        };
        assert_eq!(of("user-agent"), ["me"]);
        assert_eq!(of("accept-encoding"), ["identity"]);
        assert_eq!(of("x-load-test"), ["run 1"]);
    }

    #[test]
    fn caches_are_told_to_ask_the_origin_in_one_header_line_each() {
        let names = |given: &[&str]| -> Vec<_> {
            let headers = headers("http://a/x", given).expect("valid").without_caches();
            let lines = sent(&headers, "http://a/y").into_iter();
            lines.filter(|(name, _)| ["cache-control", "pragma"].contains(&name.as_str())).collect()
        };
        let line = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let both = [line("cache-control", "no-cache"), line("pragma", "no-cache")];
        assert_eq!(names(&[]), both);
        let own = names(&["Cache-Control: max-age=0"]);
        assert_eq!(own, [line("pragma", "no-cache"), line("cache-control", "max-age=0")]);
    }

    #[test]
    fn a_bad_header_is_refused_without_its_value() {
        for line in ["no colon hunter2", "bad name: hunter2", "X: hunter2\r\nEvil: 1"] {
            assert_eq!(headers("http://a/x", &[line]).err(), Some(HeaderError::Syntax), "{line}");
        }
        let error = headers("http://a/x", &["Host: hunter2"]).expect_err("reserved");
        assert_eq!(error.to_string(), "hlswarm sets the header host itself; leave it out");
    }
}
