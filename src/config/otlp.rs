//! The collector that the metrics are sent to, from `--otlp` and the variables of OpenTelemetry.
//!
//! Variables are read as the specification of the OTLP exporter says: an empty one is not set, one of metrics replaces that
//! of all signals, and only the endpoint of all signals gets a path. Headers are secrets: no message shows a value.

use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::{HeaderMap, HeaderName, HeaderValue, header};

use super::target_source::{TargetSourceError, target};
use crate::cli::OtlpArgs;
use crate::vocabulary::SecretUrl;
use crate::vocabulary::percent::percent_decoded;

/// Endpoint and headers of metrics, and of all signals.
const ENDPOINTS: [&str; 2] = ["OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"];
const HEADERS: [&str; 2] = ["OTEL_EXPORTER_OTLP_METRICS_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS"];
const OPTION: &str = "--otlp";
/// Path of metrics below an endpoint of all signals.
const PATH: &str = "/v1/metrics";
/// Time between two exports, unless another is given.
const INTERVAL: Duration = Duration::from_secs(10);
/// Headers that the exporter sets itself.
const OWN: [HeaderName; 5] = [
    header::HOST,
    header::CONTENT_TYPE,
    header::CONTENT_LENGTH,
    header::TRANSFER_ENCODING,
    header::CONNECTION,
];

/// Reason why the metrics cannot be sent. Never shows a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OtlpError {
    /// The URL could not be read from its file.
    #[error("{0} {1}")]
    Source(&'static str, TargetSourceError),
    /// The URL of a variable is none, or the path of metrics does not fit behind it.
    #[error("{0}: {1}")]
    Endpoint(&'static str, String),
    /// Headers that cannot be sent.
    #[error(
        "{0}: expected name=value pairs with commas between them, such as x-key=abc,authorization=Bearer%20abc"
    )]
    Headers(&'static str),
    /// A header that has its value already.
    #[error("{0}: hlswarm sets the header {1} itself")]
    Own(&'static str, HeaderName),
    /// An interval without a collector.
    #[error("--otlp-interval needs --otlp, or the variable OTEL_EXPORTER_OTLP_ENDPOINT")]
    NoCollector,
}

/// The collector.
#[derive(Clone, Debug)]
pub struct OtlpSettings {
    /// URL of its metrics.
    pub url: SecretUrl,
    /// Headers that the operator gave, with the login of the URL; their values are marked as secrets.
    pub headers: HeaderMap,
    /// Time between two exports.
    pub interval: Duration,
}

impl OtlpSettings {
    /// Reports whether the operator gave a secret.
    pub fn have_secrets(&self) -> bool {
        self.url.has_secrets() || !self.headers.is_empty()
    }
}

/// Returns the collector that the options and the variables name; `None` if there is none.
///
/// # Errors
/// See [`OtlpError`].
pub(super) fn settings(
    args: OtlpArgs,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<Option<OtlpSettings>, OtlpError> {
    let set = |names: [&'static str; 2]| {
        names.into_iter().find_map(|name| {
            Some((name, variable(name)?.trim().to_owned())).filter(|(_, value)| !value.is_empty())
        })
    };
    let url = match (args.otlp, set(ENDPOINTS)) {
        (Some(given), _) => with_path(OPTION, target(given).map_err(|why| OtlpError::Source(OPTION, why))?)?,
        (None, Some((name, value))) => {
            let url = value.parse().map_err(|why| OtlpError::Endpoint(name, why));
            let url = target(url?).map_err(|why| OtlpError::Source(name, why))?;
            if name == ENDPOINTS[0] { url } else { with_path(name, url)? }
        }
        (None, None) if args.otlp_interval.is_some() => return Err(OtlpError::NoCollector),
        (None, None) => return Ok(None),
    };
    let mut headers = HeaderMap::new();
    if let Some((user, password)) = url.credentials() {
        let login = format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:{password}")));
        headers.extend(HeaderValue::try_from(login).ok().map(|login| (header::AUTHORIZATION, login)));
    }
    if let Some((name, value)) = set(HEADERS) {
        add_headers(name, &value, &mut headers)?;
    }
    headers.values_mut().for_each(|value| value.set_sensitive(true));
    Ok(Some(OtlpSettings { url, headers, interval: args.otlp_interval.unwrap_or(INTERVAL) }))
}

/// Returns an endpoint of all signals with the path of metrics. One that ends with it was copied from elsewhere. `source` is
/// the option or the variable that named it.
fn with_path(source: &'static str, url: SecretUrl) -> Result<SecretUrl, OtlpError> {
    if url.path_ends_with(PATH) {
        return Ok(url);
    }
    let (path, query) = match url.wire_path().split_once('?') {
        Some((path, query)) => (path, format!("?{query}")),
        None => (url.wire_path(), String::new()),
    };
    // Two slashes at the beginning would name another host.
    let path = path.trim_matches('/');
    let path = if path.is_empty() { String::new() } else { format!("/{path}") };
    let whole = url.join(&format!("{path}{PATH}{query}"));
    whole.map_err(|why| OtlpError::Endpoint(source, format!("with {PATH}, {why}")))
}

/// Adds the headers of a variable, which have the form of W3C baggage: percent-encoded values.
fn add_headers(variable: &'static str, text: &str, headers: &mut HeaderMap) -> Result<(), OtlpError> {
    let wrong = || OtlpError::Headers(variable);
    for pair in text.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').ok_or_else(wrong)?;
        let name = HeaderName::try_from(name.trim()).map_err(|_| wrong())?;
        if OWN.contains(&name) {
            return Err(OtlpError::Own(variable, name));
        }
        let value = HeaderValue::try_from(percent_decoded(value.trim())).map_err(|_| wrong())?;
        headers.insert(name, value);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// URL and headers.
    type Read = (String, Vec<(String, String)>);

    fn read(otlp: Option<&str>, variables: &[(&str, &str)]) -> Result<Option<Read>, String> {
        let otlp = otlp.map(|text| text.parse().expect(text));
        let variable = |name: &str| {
            let found = variables.iter().find(|(is, _)| *is == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        let settings = settings(OtlpArgs { otlp, otlp_interval: None }, variable);
        let settings = settings.map_err(|error| error.to_string())?;
        Ok(settings.map(|settings| {
            assert!(!format!("{settings:?}").contains("hunter2"), "{settings:?}");
            let text = |value: &HeaderValue| value.to_str().expect("text").to_owned();
            let headers = settings.headers.iter();
            (settings.url.wire(), headers.map(|(name, value)| (name.to_string(), text(value))).collect())
        }))
    }

    #[test]
    fn an_endpoint_gets_the_path_of_metrics_and_the_option_comes_first() {
        let [metrics, all] = ENDPOINTS;
        for (otlp, variables, expected) in [
            (Some("http://h:4318"), &[][..], "http://h:4318/v1/metrics"),
            (Some("http://h/a/"), &[(metrics, "http://b"), (all, "http://c")], "http://h/a/v1/metrics"),
            (Some("https://h/api/v1/otlp?k=1"), &[], "https://h/api/v1/otlp/v1/metrics?k=1"),
            (Some("http://h//a//"), &[], "http://h/a/v1/metrics"),
            (Some("http://h:4318/v1/metrics"), &[], "http://h:4318/v1/metrics"),
            (None, &[(all, "http://c:4318")], "http://c:4318/v1/metrics"),
            (None, &[(metrics, " http://b/x "), (all, "http://c")], "http://b/x"),
            (None, &[(metrics, ""), (all, "http://c/y")], "http://c/y/v1/metrics"),
        ] {
            let (url, headers) = read(otlp, variables).expect(expected).expect(expected);
            assert_eq!((url.as_str(), headers), (expected, vec![]), "{otlp:?} {variables:?}");
        }
        assert_eq!(read(None, &[(all, ""), ("OTEL_EXPORTER_OTLP_HEADERS", "a=b")]), Ok(None));
    }

    #[test]
    fn headers_are_decoded_and_replace_the_login_of_the_url() {
        let [metrics, all] = HEADERS;
        let pairs = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect::<Vec<_>>()
        };
        let headers = |url, variables: &[(&str, &str)]| read(Some(url), variables).expect(url).expect(url).1;
        assert_eq!(headers("http://u:hunter2@h", &[]), pairs(&[("authorization", "Basic dTpodW50ZXIy")]));
        let given = [(all, " X-Key = a%2Cb%3D , authorization=Bearer%20hunter2,, ")];
        let expected = pairs(&[("authorization", "Bearer hunter2"), ("x-key", "a,b=")]);
        let mut read = headers("http://u:p@h", &given);
        read.sort();
        assert_eq!(read, expected);
        assert_eq!(headers("http://h", &[(metrics, "a=1"), (all, "b=2")]), pairs(&[("a", "1")]));
    }

    #[test]
    fn what_cannot_be_used_is_one_line_without_a_value() {
        for (variables, expected) in [
            (("OTEL_EXPORTER_OTLP_ENDPOINT", "hunter2"), "OTEL_EXPORTER_OTLP_ENDPOINT: "),
            (("OTEL_EXPORTER_OTLP_ENDPOINT", "ftp://u:hunter2@h"), "only http:// and https:// are accepted"),
            (("OTEL_EXPORTER_OTLP_HEADERS", "hunter2"), "OTEL_EXPORTER_OTLP_HEADERS: expected name=value"),
            (("OTEL_EXPORTER_OTLP_HEADERS", "a b=hunter2"), "expected name=value pairs"),
            (("OTEL_EXPORTER_OTLP_HEADERS", "a=hunter2%0A"), "expected name=value pairs"),
            (("OTEL_EXPORTER_OTLP_METRICS_HEADERS", "Host=hunter2"), "hlswarm sets the header host itself"),
        ] {
            let url = (!variables.0.ends_with("ENDPOINT")).then_some("http://h");
            let said = read(url, &[variables]).expect_err(expected);
            assert!(said.contains(expected) && !said.contains("hunter2") && !said.contains('\n'), "{said}");
        }
        let interval = OtlpArgs { otlp: None, otlp_interval: Some(Duration::from_secs(5)) };
        assert_eq!(settings(interval, |_| None).err(), Some(OtlpError::NoCollector));
    }
}
