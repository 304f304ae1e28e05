//! A URL that may carry secrets: user and password, tokens in the query, tokens in the path.
//!
//! * `Display` and `Debug` never print userinfo, fragment or a query value, nor anything that looks like a token in
//!   the path ([`secret_shape`]). Each method that returns secrets says so, for instance [`SecretUrl::wire`], whose
//!   text goes to a socket only.
//! * A value that a client has for itself ([`SecretUrl::filled`]) is hidden in the path of every URL that it is led to.
//! * A URL from the operator or a redirect must be `http` or `https`. A playlist may refer to anything: a reference
//!   that cannot be requested stays in place as a URL whose [`Access`] says so, and nothing is opened for it.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use url::{Position, Url};

use super::fingerprint::fingerprint;
use super::percent::{percent_decoded, percent_decoded_bytes, percent_encoded};
use super::secret_shape::{self, HIDDEN, shown_segment};
use super::{limits, placeholder, untrusted::Untrusted};

/// Maximum width of a scheme when shown, in columns.
const REFUSED_COLUMNS: usize = 20;

/// Signs that may stand in a path segment as they are (RFC 3986 section 3.3).
const IN_SEGMENT: &[u8] = b"-._~!$&'()*+,;=:@";
/// Signs that may stand in the value of a parameter as they are. Servers read a plus sign there as a space.
const IN_PARAMETER: &[u8] = b"-._~!$'()*,;:@/?=";

/// Length from which on a value of a client is hidden inside a path segment too.
const VALUE_BYTES: usize = 4;

/// Base64 with or without padding, and with stray trailing bits, as browsers read `data:` URLs.
const FORGIVING_BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// A URL whose secrets are never printed.
///
/// Clones share it: a client passes the URL of its playlist on with each request.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct SecretUrl(Arc<Inner>);

#[derive(Clone, PartialEq, Eq, Hash)]
struct Inner {
    url: Url,
    /// Values of the client, raw and as they stand in a path; hidden wherever a path has one of them.
    values: Option<Arc<[String]>>,
}

impl Deref for Inner {
    type Target = Url;

    fn deref(&self) -> &Url {
        &self.url
    }
}

impl Inner {
    /// Returns the path without the values of the client. A short one is hidden only where it is a whole segment:
    /// elsewhere it is as likely chance.
    fn path_without_values(&self) -> Cow<'_, str> {
        let mut path = Cow::Borrowed(self.url.path());
        for value in self.values.iter().flat_map(|values| values.iter()) {
            if value.len() >= VALUE_BYTES && path.contains(value.as_str()) {
                path = path.replace(value.as_str(), HIDDEN).into();
            } else if path.split('/').any(|segment| segment == value) {
                let shown = |segment| if segment == value { HIDDEN } else { segment };
                path = path.split('/').map(shown).collect::<Vec<_>>().join("/").into();
            }
        }
        path
    }
}

/// The way to obtain the resource at a URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Request it.
    Request,
    /// Read it from the URL itself: `data:`.
    Inline,
    /// Not at all: another scheme, or not a URL.
    Refused,
}

/// Placeholder for a text that is not a URL. It is refused, like every scheme except `http`, `https` and `data`.
const BROKEN: &str = "about:invalid";

/// Reason why a text is not a URL that can be requested. Contains none of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// The scheme is neither `http` nor `https`.
    #[error("only http:// and https:// are accepted")]
    Scheme,
    /// The URL has no host.
    #[error("the URL has no host")]
    Host,
    /// The text is not a URL, is longer than [`limits::URL_BYTES`], or contains control characters.
    #[error("this is not a URL")]
    Syntax,
    /// The value of a placeholder makes a path segment `.` or `..`, which leads elsewhere.
    #[error("a path segment becomes . or ..")]
    DotSegment,
}

/// Scheme, host and port: the target of a connection and the scope of credentials.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Endpoint {
    /// True if the connection uses TLS.
    pub tls: bool,
    /// The host as in the URL, without the brackets of an IPv6 literal.
    pub host: String,
    /// The port; the scheme's default if the URL has none.
    pub port: u16,
}

impl Endpoint {
    /// Returns `host:port` for the `Host` header, with an IPv6 literal in brackets and without a default port.
    pub fn authority(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        let default = if self.tls { 443 } else { 80 };
        if self.port == default { host } else { format!("{host}:{}", self.port) }
    }
}

impl SecretUrl {
    /// Parses an absolute URL.
    ///
    /// # Errors
    /// See [`UrlError`].
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        Self::checked(text, None, Url::parse)
    }

    /// Resolves `reference` (RFC 3986) against this URL.
    ///
    /// # Errors
    /// See [`UrlError`]; an empty reference is [`UrlError::Syntax`], because in a playlist it is a mistake.
    pub fn join(&self, reference: &str) -> Result<Self, UrlError> {
        if reference.is_empty() {
            return Err(UrlError::Syntax);
        }
        Self::checked(reference, self.0.values.as_ref(), |text| self.0.join(text))
    }

    /// Resolves any reference of a playlist against this URL; see [`SecretUrl::access`] for the result.
    pub fn refer(&self, reference: &str) -> Self {
        self.join(reference).unwrap_or_else(|_| {
            // It was not joined. If it is not http or https, it is either absolute or broken.
            let other = Url::parse(reference).ok().filter(|url| !is_web(url));
            Self(other.map_or_else(|| self.broken(), |url| Arc::new(Inner { url, values: None })))
        })
    }

    fn broken(&self) -> Arc<Inner> {
        let broken = |url| Arc::new(Inner { url, values: None });
        Url::parse(BROKEN).map_or_else(|_| Arc::clone(&self.0), broken)
    }

    /// Returns a copy that shares nothing with this URL: worker threads that count the clones of one URL would wait
    /// for one another.
    #[must_use]
    pub fn unshared(&self) -> Self {
        Self(Arc::new(Inner::clone(&self.0)))
    }

    /// Returns the names of the placeholders in path and query. Those of a path are percent-encoded by the URL standard.
    pub fn placeholders(&self) -> Vec<String> {
        let parts = [self.0.path(), self.0.query().unwrap_or_default()].map(with_braces);
        parts.iter().flat_map(|part| placeholder::names(part)).map(str::to_owned).collect()
    }

    /// Returns this URL with the value of each placeholder in its place. Characters that would end the part of the URL in
    /// which it stands are percent-encoded: a path segment, or the value of a parameter. A placeholder in the place of
    /// whole parameters (`?{query}`) is filled with its value as it is. The values are hidden from then on.
    ///
    /// # Errors
    /// [`UrlError::DotSegment`], or [`UrlError::Syntax`] if the URL becomes too long.
    pub fn filled<'a>(&self, value: impl Fn(&str) -> Option<&'a str>) -> Result<Self, UrlError> {
        let mut url = self.0.url.clone();
        let mut values = Vec::new();
        for given in
            self.placeholders().iter().filter_map(|name| value(name)).filter(|given| !given.is_empty())
        {
            url.set_path(&format!("/{given}"));
            let inside = url.path().strip_prefix('/').unwrap_or_default().to_owned();
            values.extend(
                [inside, percent_encoded(given, IN_SEGMENT)].into_iter().filter(|form| form != given),
            );
            values.push(given.to_owned());
        }
        let in_segment = |name: &str, _: &str| Some(percent_encoded(value(name)?, IN_SEGMENT).into());
        let path = placeholder::fill_at(&with_braces(self.0.path()), in_segment);
        // The URL standard removes such segments, whatever their spelling.
        if path.split('/').any(|segment| matches!(percent_decoded(segment).as_str(), "." | "..")) {
            return Err(UrlError::DotSegment);
        }
        url.set_path(&path);
        if let Some(query) = self.0.query() {
            let in_query = |name: &str, before: &str| {
                let is_value = before.rsplit('&').next().is_some_and(|parameter| parameter.contains('='));
                let given = value(name)?;
                Some(if is_value { percent_encoded(given, IN_PARAMETER).into() } else { given.into() })
            };
            url.set_query(Some(&placeholder::fill_at(&with_braces(query), in_query)));
        }
        // The longest first: it may contain another one.
        values.sort_by_key(|value| std::cmp::Reverse(value.len()));
        if url.as_str().len() > limits::URL_BYTES {
            return Err(UrlError::Syntax);
        }
        Ok(Self(Arc::new(Inner { url, values: Some(values.into()) })))
    }

    /// Returns the way to obtain the resource at this URL.
    pub fn access(&self) -> Access {
        match self.0.scheme() {
            "http" | "https" => Access::Request,
            "data" => Access::Inline,
            _ => Access::Refused,
        }
    }

    /// Explains to the operator why the URL is refused; shows nothing but the scheme.
    pub fn refusal(&self) -> String {
        match self.0.scheme() {
            "about" => "this is not a URL".to_owned(),
            scheme => format!("{}: URLs are not requested", Untrusted::new(scheme).shown_in(REFUSED_COLUMNS)),
        }
    }

    /// Returns the bytes in a `data:` URL (RFC 2397, read as the Fetch standard says).
    ///
    /// # Errors
    /// [`UrlError::Syntax`] if it contains none.
    pub fn inline(&self) -> Result<Vec<u8>, UrlError> {
        let (media_type, text) = self.wire_path().split_once(',').ok_or(UrlError::Syntax)?;
        let bytes = percent_decoded_bytes(text);
        let coding = media_type.rsplit(';').next().unwrap_or_default().trim();
        if !coding.eq_ignore_ascii_case("base64") {
            return Ok(bytes);
        }
        let dense: Vec<u8> = bytes.into_iter().filter(|byte| !byte.is_ascii_whitespace()).collect();
        FORGIVING_BASE64.decode(dense).map_err(|_| UrlError::Syntax)
    }

    fn checked(
        text: &str,
        values: Option<&Arc<[String]>>,
        parse: impl Fn(&str) -> Result<Url, url::ParseError>,
    ) -> Result<Self, UrlError> {
        if text.len() > limits::URL_BYTES || text.chars().any(|c| c.is_control()) {
            return Err(UrlError::Syntax);
        }
        let url = parse(text).map_err(|error| match error {
            url::ParseError::EmptyHost => UrlError::Host,
            _ => UrlError::Syntax,
        })?;
        if !is_web(&url) {
            return Err(UrlError::Scheme);
        }
        if url.host_str().is_none_or(str::is_empty) {
            return Err(UrlError::Host);
        }
        Ok(Self(Arc::new(Inner { url, values: values.cloned() })))
    }

    /// Returns the endpoint that a connection for this URL goes to.
    pub fn endpoint(&self) -> Endpoint {
        let tls = self.0.scheme() == "https";
        let host = match self.0.host() {
            Some(url::Host::Ipv6(address)) => address.to_string(),
            _ => self.0.host_str().unwrap_or_default().to_owned(),
        };
        Endpoint { tls, host, port: self.0.port_or_known_default().unwrap_or(if tls { 443 } else { 80 }) }
    }

    /// Returns the host, as the URL standard parses it: `0x7f000001` is the address 127.0.0.1. `None` without a host.
    pub fn host(&self) -> Option<url::Host<&str>> {
        self.0.host()
    }

    /// Reports whether the URL is `https`.
    pub fn is_secure(&self) -> bool {
        self.0.scheme() == "https"
    }

    /// Reports whether this URL is at `endpoint`; allocates nothing.
    pub fn is_at(&self, endpoint: &Endpoint) -> bool {
        let is_host = || match self.0.host() {
            // An address has several spellings, and that of a URL is not that of an endpoint for each of them.
            Some(url::Host::Ipv6(address)) => endpoint.host.parse() == Ok(address),
            _ => self.0.host_str().unwrap_or_default() == endpoint.host,
        };
        (self.0.scheme() == "https") == endpoint.tls
            && is_host()
            && self.0.port_or_known_default() == Some(endpoint.port)
    }

    /// Returns path and query as sent on the wire. Contains secrets: never print it.
    pub fn wire_path(&self) -> &str {
        &self.0[Position::BeforePath..Position::AfterQuery]
    }

    /// Returns the whole URL without userinfo and fragment, as sent on the wire. Contains secrets: never print it.
    pub fn wire(&self) -> String {
        format!("{}://{}{}", self.0.scheme(), self.endpoint().authority(), self.wire_path())
    }

    /// Reports whether the path has this ending, ignoring ASCII case.
    pub fn path_ends_with(&self, ending: &str) -> bool {
        let path = self.0.path();
        let from = path.len().checked_sub(ending.len());
        from.and_then(|from| path.get(from..)).is_some_and(|end| end.eq_ignore_ascii_case(ending))
    }

    /// Returns the query without its `?`. Contains secrets: never print it.
    pub fn query(&self) -> Option<&str> {
        self.0.query()
    }

    /// Returns user and password, percent-decoded, if the URL carries them. Secrets: never print them.
    pub fn credentials(&self) -> Option<(String, String)> {
        if self.0.username().is_empty() && self.0.password().is_none() {
            return None;
        }
        let decode = |text: &str| percent_decoded(text);
        Some((decode(self.0.username()), decode(self.0.password().unwrap_or_default())))
    }

    /// Returns a fingerprint of the endpoint, the path and the names of the query: two runs with the same one had the
    /// same target. User, password and values of the query are left out, because a weak one could be guessed from it.
    pub fn fingerprint(&self) -> String {
        let authority = self.endpoint().authority();
        // A token alone, also one with the padding of base64, looks like a name without a value.
        let named = self.0.query_pairs().filter(|(_, value)| !value.trim_matches('=').is_empty());
        let names: Vec<_> = named.map(|(name, _)| name).collect();
        let place = [self.0.scheme(), &authority, self.0.path()];
        fingerprint(place.into_iter().chain(names.iter().map(AsRef::as_ref)))
    }

    /// Reports whether the URL has a secret in a usual place: user, password, query, or a token in the path.
    pub fn has_secrets(&self) -> bool {
        let path = self.0.path();
        self.0.values.is_some()
            || self.credentials().is_some()
            || self.0.query().is_some()
            || secret_shape::shown_path(path) != path
    }

    /// Returns the last segment of the path, the file's name, safe to print.
    pub fn file_name(&self) -> String {
        if !is_web(&self.0) {
            return self.to_string();
        }
        let path = self.0.path_without_values();
        let name = path.rsplit('/').next().unwrap_or_default();
        Untrusted::new(&shown_segment(name)).shown()
    }
}

/// Returns a part of a URL with the braces that the URL standard percent-encodes.
fn with_braces(part: &str) -> String {
    part.replace("%7B", "{").replace("%7b", "{").replace("%7D", "}").replace("%7d", "}")
}

fn is_web(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https")
}

impl fmt::Display for SecretUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !is_web(&self.0) {
            // It may contain a key.
            return write!(f, "{}:***", Untrusted::new(self.0.scheme()).shown_in(REFUSED_COLUMNS));
        }
        // Placeholders are shown as they were given.
        let path = secret_shape::shown_path(&with_braces(&self.0.path_without_values()));
        let mut text = format!("{}://{}{path}", self.0.scheme(), self.endpoint().authority());
        if self.0.query().is_some_and(|query| !query.is_empty()) {
            text.push('?');
            text.push_str(HIDDEN);
        }
        f.write_str(&Untrusted::new(&text).shown())
    }
}

impl fmt::Debug for SecretUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretUrl({self})")
    }
}

#[cfg(test)]
mod tests;
