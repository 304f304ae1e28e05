//! URLs of the exporters of the origin, from `--origin-metrics`.

use super::target_source::{TargetSourceError, target};
use crate::cli::Target;
use crate::origin_metrics::EXPORTERS;
use crate::vocabulary::SecretUrl;

/// Path of the metrics where a URL has none, as in Prometheus.
const DEFAULT_PATH: &str = "/metrics";

/// Reason why the exporters cannot be scraped. Never shows a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OriginMetricsError {
    /// A URL could not be read from its file.
    #[error("--origin-metrics {0}")]
    Source(#[from] TargetSourceError),
    /// More exporters than a run scrapes.
    #[error("--origin-metrics: {0} were given; expected at most {EXPORTERS}")]
    TooMany(usize),
}

/// Returns the URLs, each once and with a path.
///
/// # Errors
/// See [`OriginMetricsError`].
pub(super) fn urls(given: Vec<Target>) -> Result<Vec<SecretUrl>, OriginMetricsError> {
    if given.len() > EXPORTERS {
        return Err(OriginMetricsError::TooMany(given.len()));
    }
    let mut urls = Vec::new();
    for given in given {
        let url = with_path(target(given)?);
        if !urls.contains(&url) {
            urls.push(url);
        }
    }
    Ok(urls)
}

fn with_path(url: SecretUrl) -> SecretUrl {
    if url.wire_path() == "/" { url.join(DEFAULT_PATH).unwrap_or(url) } else { url }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(given: &[&str]) -> Result<Vec<String>, String> {
        let given = given.iter().map(|text| text.parse()).collect::<Result<Vec<Target>, _>>()?;
        let urls = urls(given).map_err(|error| error.to_string())?;
        Ok(urls.iter().map(|url| format!("{} {:?}", url.wire(), url.credentials())).collect())
    }

    #[test]
    fn a_url_without_a_path_is_that_of_the_metrics() {
        let given = [
            "http://h:9100",
            "https://u:p@h/",
            "http://h:9100/metrics",
            "http://h/nginx?a=b",
            "http://h/?a=b",
        ];
        let expected = [
            "http://h:9100/metrics None",
            "https://h/metrics Some((\"u\", \"p\"))",
            "http://h/nginx?a=b None",
            "http://h/?a=b None",
        ];
        assert_eq!(read(&given), Ok(expected.map(str::to_owned).into()));
    }

    #[test]
    fn bad_values_are_refused_in_one_line_without_secrets() {
        let many = ["http://h"; EXPORTERS + 1];
        let refused = read(&many).expect_err("too many");
        assert_eq!(refused, "--origin-metrics: 17 were given; expected at most 16");
        let refused = read(&["@none.txt"]).expect_err("no file");
        assert!(refused.starts_with("--origin-metrics @none.txt: No such file"), "{refused}");
        let refused = read(&["u:hunter2@h.example:9100"]).expect_err("no scheme");
        assert!(
            refused.starts_with("the scheme is missing; did you mean http://h.example:9100"),
            "{refused}"
        );
    }
}
