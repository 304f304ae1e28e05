//! Settings of an origin, and their validation.
//!
//! * Every limit is a constant in this file. [`Settings::check`] enforces all of them; the command line uses the same
//!   constants.
//! * The origin serves only loopback unless `allow_remote` is set: it has no access control.

use std::net::{Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::time::Duration;

use super::OriginError;
use super::rule::FaultRule;

/// Default port of `hlswarm origin`.
pub const DEFAULT_PORT: u16 = 17_180;
/// Accepted durations of one segment.
pub const SEGMENT_DURATIONS: RangeInclusive<Duration> = Duration::from_millis(500)..=Duration::from_secs(60);
/// Accepted numbers of segments in a live playlist; less than three target durations are not allowed (RFC 8216bis
/// section 6.2.2).
pub const WINDOWS: RangeInclusive<u32> = 3..=1_000;
/// Accepted numbers of segments in a VOD playlist.
pub const VOD_SEGMENTS: RangeInclusive<u32> = 1..=10_000;
/// Accepted bits per second of the highest variant.
pub const BIT_RATES: RangeInclusive<u64> = 200_000..=20_000_000;
/// Accepted bits per second of all bodies together.
pub const CAPACITIES: RangeInclusive<u64> = 200_000..=100_000_000_000;
/// Accepted numbers of connections at once.
pub const CONNECTIONS: RangeInclusive<u32> = 1..=1_000_000;
/// Maximum number of fault rules: each request is tried on all of them.
pub const FAULT_RULES: usize = 100;

/// Settings of an origin.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Address for HTTP; port 0 takes any free port. TLS, if enabled, takes the next port (or any free one).
    pub listen: SocketAddr,
    /// Allows an address that other machines can reach.
    pub allow_remote: bool,
    /// Serves HTTPS too, with a self-signed certificate and HTTP/2 by ALPN.
    pub tls: bool,
    /// Duration of one segment.
    pub segment_duration: Duration,
    /// Segments in a live playlist.
    pub window: u32,
    /// Segments in a VOD playlist.
    pub vod_segments: u32,
    /// Bits per second of the highest variant.
    pub bitrate: u64,
    /// Seed of the media bytes and of the choice of requests that a fault with a share hits.
    pub seed: u64,
    /// Compresses playlists for clients that accept gzip.
    pub gzip: bool,
    /// Bits per second of all bodies together; `None`: as fast as this machine can.
    pub capacity: Option<u64>,
    /// Connections at once, beyond which requests end with 503; `None`: any number.
    pub connections: Option<u32>,
    /// Fault rules; for each request only the first rule that hits applies.
    pub faults: Vec<FaultRule>,
    /// Adds faults that come and go every minute, after those of `faults`.
    pub demo_scenario: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, DEFAULT_PORT)),
            allow_remote: false,
            tls: false,
            segment_duration: Duration::from_secs(2),
            window: 6,
            vod_segments: 30,
            bitrate: 3_000_000,
            seed: 1,
            gzip: true,
            capacity: None,
            connections: None,
            faults: Vec::new(),
            demo_scenario: false,
        }
    }
}

impl Settings {
    /// Checks that an origin can have these settings.
    ///
    /// # Errors
    /// [`OriginError::Settings`]: one sentence that says what is accepted.
    pub fn check(&self) -> Result<(), OriginError> {
        let refuse = |sentence: String| Err(OriginError::Settings(sentence));
        if !self.listen.ip().is_loopback() && !self.allow_remote {
            return refuse(format!(
                "--listen {}: other machines can reach this address; use 127.0.0.1 or ::1, or add --allow-remote",
                self.listen
            ));
        }
        if self.tls && self.listen.port() == u16::MAX {
            return refuse(
                "--listen: expected a port below 65535 with --tls, which also takes the next one".to_owned(),
            );
        }
        if !SEGMENT_DURATIONS.contains(&self.segment_duration) {
            return refuse("expected a segment duration from 500ms to 60s".to_owned());
        }
        if !WINDOWS.contains(&self.window) {
            return refuse(format!("expected a window of {} to {} segments", WINDOWS.start(), WINDOWS.end()));
        }
        if !VOD_SEGMENTS.contains(&self.vod_segments) {
            return refuse(format!(
                "expected a VOD of {} to {} segments",
                VOD_SEGMENTS.start(),
                VOD_SEGMENTS.end()
            ));
        }
        if !BIT_RATES.contains(&self.bitrate) {
            return refuse("expected a bitrate from 200k to 20M".to_owned());
        }
        if self.capacity.is_some_and(|capacity| !CAPACITIES.contains(&capacity)) {
            return refuse("expected a capacity from 200k to 100G".to_owned());
        }
        if self.connections.is_some_and(|connections| !CONNECTIONS.contains(&connections)) {
            return refuse("expected 1 to 1,000,000 connections".to_owned());
        }
        if self.faults.len() > FAULT_RULES {
            return refuse(format!("--fault: at most {FAULT_RULES} rules are accepted"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_make_sense() {
        assert!(Settings::default().check().is_ok());
    }

    #[test]
    fn each_limit_is_refused_with_a_sentence() {
        let good = Settings::default;
        let remote = SocketAddr::from(([0, 0, 0, 0], 0));
        for (settings, word) in [
            (Settings { listen: remote, ..good() }, "other machines"),
            (Settings { listen: SocketAddr::from(([127, 0, 0, 1], 65_535)), tls: true, ..good() }, "65535"),
            (Settings { segment_duration: Duration::from_millis(1), ..good() }, "500ms"),
            (Settings { segment_duration: Duration::from_secs(61), ..good() }, "60s"),
            (Settings { window: 2, ..good() }, "3 to 1000"),
            (Settings { vod_segments: 0, ..good() }, "1 to 10000"),
            (Settings { bitrate: 21_000_000, ..good() }, "20M"),
            (Settings { capacity: Some(1), ..good() }, "200k"),
            (Settings { connections: Some(0), ..good() }, "1,000,000"),
            (Settings { faults: vec!["any:404".parse().unwrap(); 101], ..good() }, "100"),
        ] {
            let sentence = settings.check().unwrap_err().to_string();
            assert!(sentence.contains(word), "{sentence}");
        }
        assert!(Settings { listen: remote, allow_remote: true, ..good() }.check().is_ok());
    }
}
