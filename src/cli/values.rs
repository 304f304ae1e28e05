//! Parsers for the values of options. Each error says what is accepted. It repeats nothing of the value, except a
//! URL without its secrets.

use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use crate::origin::FaultRule;
use crate::origin::settings::{BIT_RATES, CAPACITIES, CONNECTIONS, SEGMENT_DURATIONS, VOD_SEGMENTS, WINDOWS};
use crate::player::SessionLength;
use crate::swarm::DataOrder;
use crate::tui::ThemeName;
use crate::vocabulary::secret_url::UrlError;
use crate::vocabulary::{OnHangup, ReplaySpeed, SecretUrl, limits, units};

/// Values that `--clients` accepts.
pub(super) const ACCEPTED_CLIENTS: &str =
    "expected 1 to 1,000,000, such as 250 or 2.5k; 0 only with --duration";

pub(super) fn url(text: &str) -> Result<SecretUrl, String> {
    SecretUrl::parse(text).map_err(|error| match with_scheme(text, error) {
        Some(url) => format!("the scheme is missing; did you mean {url}?"),
        None => format!("{error}; expected http://host/path or https://host/path"),
    })
}

/// Returns the URL that was probably meant, if only its scheme is missing.
fn with_scheme(text: &str, error: UrlError) -> Option<SecretUrl> {
    let text = text.trim().trim_start_matches(['/', '\\']);
    let (authority, _) = text.split_at(text.find(['/', '\\', '?', '#']).unwrap_or(text.len()));
    let host = authority.rsplit('@').next().unwrap_or_default();
    let (name, port) = host.rsplit_once(':').unwrap_or((host, ""));
    let is_port = port.bytes().all(|byte| byte.is_ascii_digit());
    let is_host = is_port && (name.contains('.') || name == "localhost" || name.ends_with(']'));
    if text.contains("://") || !is_host || error == UrlError::Host {
        return None;
    }
    // An explicit port or a numeric address suggests a test server, which seldom has a certificate.
    let in_clear = name == "localhost"
        || name.parse::<std::net::IpAddr>().is_ok()
        || (!port.is_empty() && !port.ends_with("443"));
    SecretUrl::parse(&format!("{}://{text}", if in_clear { "http" } else { "https" })).ok()
}

pub(super) fn clients(text: &str) -> Result<u32, String> {
    let clients = units::parse_count(text).ok().and_then(|count| u32::try_from(count).ok());
    clients.filter(|clients| *clients <= limits::CLIENTS).ok_or_else(|| ACCEPTED_CLIENTS.to_owned())
}

/// Values that `--max-requests` accepts.
const ACCEPTED_REQUESTS: &str = "expected a whole number of at least 1, such as 2500 or 2M";

pub(super) fn most_requests(text: &str) -> Result<u64, String> {
    let requests = units::parse_count(text).ok().filter(|requests| *requests > 0);
    requests.ok_or_else(|| ACCEPTED_REQUESTS.to_owned())
}

/// Parses a seed of at most 53 bits, so that every reader of JSON keeps it: JavaScript and jq have no more.
pub(super) fn seed(text: &str) -> Result<u64, String> {
    whole(text, 0..=limits::SEED_MAX)
}

fn whole(text: &str, range: RangeInclusive<u64>) -> Result<u64, String> {
    // Not `parse_count`, which accepts short forms such as 2.5k: a seed needs every digit.
    text.trim().parse().ok().filter(|number| range.contains(number)).ok_or_else(|| {
        format!(
            "expected a whole number from {} to {}",
            units::count(*range.start()),
            units::count(*range.end())
        )
    })
}

fn small(text: &str, range: RangeInclusive<u32>) -> Result<u32, String> {
    let number = whole(text, u64::from(*range.start())..=u64::from(*range.end()))?;
    u32::try_from(number).map_err(|_| "expected a smaller number".to_owned())
}

pub(super) fn window(text: &str) -> Result<u32, String> {
    small(text, WINDOWS)
}

pub(super) fn vod_segments(text: &str) -> Result<u32, String> {
    small(text, VOD_SEGMENTS)
}

pub(super) fn segment_duration(text: &str) -> Result<Duration, String> {
    let length = units::parse_duration(text).ok().filter(|length| SEGMENT_DURATIONS.contains(length));
    length.ok_or_else(|| "expected a duration from 500ms to 60s".to_owned())
}

pub(super) fn origin_bit_rate(text: &str) -> Result<u64, String> {
    let rate = units::parse_bit_rate(text).ok().filter(|rate| BIT_RATES.contains(rate));
    rate.ok_or_else(|| "expected a bandwidth from 200k to 20M".to_owned())
}

pub(super) fn origin_capacity(text: &str) -> Result<u64, String> {
    let rate = units::parse_bit_rate(text).ok().filter(|rate| CAPACITIES.contains(rate));
    rate.ok_or_else(|| "expected a rate from 200k to 100G".to_owned())
}

pub(super) fn origin_connections(text: &str) -> Result<u32, String> {
    let number = text.parse().ok().filter(|number| CONNECTIONS.contains(number));
    let [least, most] =
        [CONNECTIONS.start(), CONNECTIONS.end()].map(|number| units::count(u64::from(*number)));
    number.ok_or_else(|| format!("expected {least} to {most}"))
}

/// Parses the largest number of clients of a search.
pub(super) fn most_clients(text: &str) -> Result<u32, String> {
    clients(text)
        .ok()
        .filter(|clients| *clients > 0)
        .ok_or_else(|| format!("expected 1 to {}, such as 250 or 2.5k", units::count(limits::CLIENTS.into())))
}

/// Parses the time for which a level of a search is measured.
pub(super) fn hold(text: &str) -> Result<Duration, String> {
    within(text, Duration::from_secs(2)..=Duration::from_secs(60), "expected a time from 2s to 60s")
}

/// Parses the time before a level of a search is measured.
pub(super) fn settle(text: &str) -> Result<Duration, String> {
    within(text, Duration::from_secs(1)..=Duration::from_secs(60), "expected a time from 1s to 60s")
}

fn within(text: &str, accepted: RangeInclusive<Duration>, words: &str) -> Result<Duration, String> {
    units::parse_duration(text).ok().filter(|time| accepted.contains(time)).ok_or_else(|| words.to_owned())
}

/// Parses the time between two exports.
#[cfg(feature = "otlp")]
pub(super) fn otlp_interval(text: &str) -> Result<Duration, String> {
    within(text, Duration::from_secs(1)..=Duration::from_secs(3_600), "expected a time from 1s to 1h")
}

/// Parses the precision of a search.
pub(super) fn precision(text: &str) -> Result<f64, String> {
    let share = units::parse_share(text).ok().filter(|share| (0.0..=0.5).contains(share));
    share.ok_or_else(|| "expected a share from 0% to 50%, such as 3%".to_owned())
}

/// Parses how often the result of a search must hold.
pub(super) fn repeats(text: &str) -> Result<u32, String> {
    text.parse().ok().filter(|number| (1..=10).contains(number)).ok_or_else(|| "expected 1 to 10".to_owned())
}

pub(super) fn listen(text: &str) -> Result<SocketAddr, String> {
    let accepted = || "expected an address and a port, such as 127.0.0.1:17180 or [::1]:0".to_owned();
    text.trim().parse().map_err(|_| accepted())
}

/// Way to keep caches from answering.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoCache {
    /// A header asks them to.
    Header,
    /// Each URL is one that they have not seen.
    Query,
}

/// Accepts a file for lines that belong neither to a report nor to the messages of the run.
pub(super) fn output_file(text: &str) -> Result<PathBuf, String> {
    match text {
        "-" => Err("expected a file; standard output has the report, standard error the messages".to_owned()),
        _ => Ok(text.into()),
    }
}

pub(super) fn no_cache(text: &str) -> Result<NoCache, String> {
    match text {
        "header" => Ok(NoCache::Header),
        "query" => Ok(NoCache::Query),
        _ => Err("expected header or query".to_owned()),
    }
}

/// Parses an address of this machine.
pub(super) fn address(text: &str) -> Result<IpAddr, String> {
    let expected = || "expected an IP address of this machine, such as 192.0.2.7 or ::1".to_owned();
    text.trim().trim_start_matches('[').trim_end_matches(']').parse().map_err(|_| expected())
}

pub(super) fn metrics(text: &str) -> Result<SocketAddr, String> {
    let accepted = || {
        "expected an address and a port, such as 127.0.0.1:17091; give the URL before --metrics".to_owned()
    };
    text.trim().parse().map_err(|_| accepted())
}

/// Checks a fault rule and returns its text, because the origin that applies it is another process.
pub(super) fn fault(text: &str) -> Result<String, String> {
    text.parse::<FaultRule>().map(|_| text.to_owned())
}

pub(super) fn run_length(text: &str) -> Result<Duration, String> {
    above_zero(text)
        .ok_or_else(|| "expected a duration above 0, such as 45s or 10m, up to 366 days".to_owned())
}

pub(super) fn timeout(text: &str) -> Result<Duration, String> {
    above_zero(text).ok_or_else(|| "expected a duration above 0, such as 500ms or 15s".to_owned())
}

fn above_zero(text: &str) -> Option<Duration> {
    units::parse_duration(text).ok().filter(|length| !length.is_zero())
}

pub(super) fn session(text: &str) -> Result<SessionLength, String> {
    if text == "endless" { Ok(SessionLength::Endless) } else { text.parse() }
}

pub(super) fn data_order(text: &str) -> Result<DataOrder, String> {
    match text {
        "sequential" => Ok(DataOrder::Sequential),
        "random" => Ok(DataOrder::Random),
        _ => Err("expected sequential or random".to_owned()),
    }
}

pub(super) fn on_hangup(text: &str) -> Result<OnHangup, String> {
    match text {
        "stop" => Ok(OnHangup::Stop),
        "continue" => Ok(OnHangup::Continue),
        _ => Err("expected stop or continue".to_owned()),
    }
}

pub(super) fn speed(text: &str) -> Result<ReplaySpeed, String> {
    let times = text.parse().ok().filter(|times| (0.01..=1e6).contains(times)).map(ReplaySpeed::of);
    let max = (text == "max").then_some(ReplaySpeed::MAX);
    times.or(max).ok_or_else(|| "expected a number such as 10 or 0.5, or max".to_owned())
}

pub(super) fn moment(text: &str) -> Result<Duration, String> {
    units::parse_duration(text).map_err(|_| "expected a time, such as 45s or 10m".to_owned())
}

pub(super) fn theme(text: &str) -> Result<ThemeName, String> {
    let named = ThemeName::NAMES.iter().find(|(name, _)| *name == text);
    named.map(|(_, theme)| *theme).ok_or_else(|| "expected auto, ansi, dark, light, cb or mono".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_of_clients_take_what_the_key_c_takes() {
        for (text, expected) in
            [("10", 10), ("10k", 10_000), ("2.5k", 2_500), ("1,000", 1_000), ("1M", 1_000_000)]
        {
            assert_eq!(clients(text), Ok(expected), "{text}");
        }
        for text in ["1000001", "2M", "+5", "50%", "2.5", "nan", "1e3", ""] {
            assert_eq!(clients(text), Err(ACCEPTED_CLIENTS.to_owned()), "{text}");
        }
    }

    #[test]
    fn a_missing_scheme_is_named_and_the_suggestion_holds_no_secret() {
        for (text, suggestion) in [
            ("cdn.example/a.m3u8", "https://cdn.example/a.m3u8"),
            ("//cdn.example/a.m3u8", "https://cdn.example/a.m3u8"),
            ("u:hunter2@cdn.example/a?hunter2", "https://cdn.example/a?***"),
            ("127.0.0.1:8080/a", "http://127.0.0.1:8080/a"),
            ("cdn.example:8443/a", "https://cdn.example:8443/a"),
            ("[::1]:80/a", "http://[::1]/a"),
        ] {
            assert_eq!(
                url(text),
                Err(format!("the scheme is missing; did you mean {suggestion}?")),
                "{text}"
            );
        }
        for text in
            ["hunter2", "ftp://h.example/hunter2", "data:text/plain,hunter2", "http://", "http://:80/hunter2"]
        {
            let error = url(text).expect_err(text);
            assert!(error.ends_with("expected http://host/path or https://host/path"), "{error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
