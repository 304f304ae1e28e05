//! The outcome of a request: a closed list, so that it can index a table of counters.
//!
//! * Every request ends in exactly one outcome.
//! * An HTTP status is kept exactly for 400..=599; every other status that is a failure shares one slot, "other".
//! * No status is ever invented: a timeout, reset or other failure is an outcome of its own, never an HTTP status.
//! * A failure of the local machine (files, ports, memory) is `Local`, never the origin's fault.

use std::fmt;

/// Declares the closed list of outcomes that are not an HTTP failure: variant, name in reports, meaning.
macro_rules! faults {
    ($($variant:ident $name:literal $meaning:literal,)+) => {
        /// Failure of a request that is not an HTTP status.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Fault { $(#[doc = $meaning] $variant,)+ }

        impl Fault {
            /// All faults, in the order of every table and report.
            pub const ALL: [Self; Self::COUNT] = [$(Self::$variant,)+];

            /// Number of faults.
            pub const COUNT: usize = [$($name,)+].len();

            /// Returns the name in reports and on the screen, for instance `timeout.connect`.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// Describes the fault as a sentence for the operator.
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning,)+ }
            }
        }
    };
}

faults! {
    TimeoutDns "timeout.dns" "The host name was not resolved in time.",
    TimeoutConnect "timeout.connect" "The TCP connection was not accepted in time.",
    TimeoutTls "timeout.tls" "The TLS handshake was not finished in time.",
    TimeoutFirstByte "timeout.first_byte" "No byte of the response arrived in time.",
    TimeoutIdle "timeout.idle" "The body stalled: no bytes, or too few, arrived for too long.",
    TimeoutTotal "timeout.total" "The response was not complete within its total time.",
    ConnRefused "conn.refused" "The connection was refused.",
    ConnReset "conn.reset" "The connection was reset.",
    ConnEof "conn.eof" "The connection was closed before a response began.",
    ConnUnreachable "conn.unreachable" "The host or network could not be reached.",
    ConnProtocol "conn.proto" "The response was not valid HTTP.",
    ConnProxy "conn.proxy" "The proxy could not be reached, or refused the connection.",
    TlsCert "tls.cert" "The certificate was not accepted.",
    TlsHandshake "tls.handshake" "The TLS handshake failed.",
    DnsNotFound "dns.nx" "The host name does not exist.",
    DnsServerFailure "dns.servfail" "The name servers gave no usable answer.",
    H2GoAway "h2.goaway" "The HTTP/2 connection was closed by the peer while the request was open.",
    H2Reset "h2.rst" "The HTTP/2 stream was reset by the peer.",
    H2Flow "h2.flow" "The peer broke HTTP/2 flow control.",
    H2Protocol "h2.proto" "The peer broke the rules of HTTP/2; this side closed the stream or connection.",
    BodyShort "body.short" "The body ended before its announced length, or was empty.",
    BodyLong "body.long" "More bytes arrived than were announced.",
    BodyTooBig "body.too_big" "The body was larger than the limit for its kind.",
    BodyRange "body.range" "The body was not the requested byte range.",
    BodyDecode "body.decode" "The body could not be decoded or decrypted, or a key had the wrong length.",
    BodyRatio "body.ratio" "Decoding the compressed body exceeded the limit of size or time.",
    PlaylistNotM3u8 "playlist.not_m3u8" "The body was not a playlist.",
    PlaylistSyntax "playlist.syntax" "The playlist could not be read.",
    PlaylistLimit "playlist.limit" "The playlist exceeded a size limit or the memory budget.",
    PlaylistSemantic "playlist.semantic" "The playlist named nothing that could be played.",
    PolicyScheme "policy.scheme" "The URL was not requested: it is malformed, neither http nor https, or http after https.",
    PolicyHost "policy.host" "The host is not in the scope of this run; it was not requested.",
    PolicyAddress "policy.addr" "The network address is not in the scope of this run; it was not connected to.",
    PolicyRedirects "policy.redirects" "Too many redirects.",
    LocalFiles "local.fd" "This machine ran out of file descriptors.",
    LocalPorts "local.port" "This machine ran out of local ports.",
    LocalMemory "local.mem" "This machine ran out of memory or buffers.",
    LocalInternal "local.internal" "An internal fault of the load tester.",
    Cut "cut" "hlswarm ended the request: its client was removed, or the run ended.",
}

impl Fault {
    /// Reports whether this machine lacked a resource or failed itself, which is never the origin's fault.
    pub const fn is_local(self) -> bool {
        matches!(self.class(), Class::Local)
    }

    /// Reports whether a time limit of any phase ended the request.
    pub const fn is_timeout(self) -> bool {
        matches!(self.class(), Class::Timeout)
    }
}

/// Outcome of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Outcome {
    /// Status 200, 206 or 304, or a followed redirect, with a valid body.
    Ok,
    /// A complete response whose status is a failure.
    Http(HttpFailure),
    /// Any other failure.
    Failed(Fault),
}

/// Slot of a failed HTTP status: 0..=199 for 400..=599, 200 for every other status ("other").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HttpFailure(u8);

impl HttpFailure {
    /// Number of slots in the table of HTTP failures.
    pub const SLOTS: usize = 201;

    /// Slot of every status outside 400..=599.
    pub const OTHER: Self = Self(200);

    /// The statuses of a server that takes no more requests for now: too many requests (429), unavailable (503).
    pub const BUSY: [Self; 2] = [Self::new(429), Self::new(503)];

    /// Returns the slot of `status`. The caller decides whether the status is a failure at all.
    pub const fn new(status: u16) -> Self {
        match status {
            400..=599 => Self((status - 400) as u8),
            _ => Self::OTHER,
        }
    }

    /// Returns the slot at `index`, if there is one.
    pub const fn at(index: usize) -> Option<Self> {
        if index < Self::SLOTS { Some(Self(index as u8)) } else { None }
    }

    /// Returns the index into a table of [`HttpFailure::SLOTS`] entries.
    pub const fn index(self) -> usize {
        self.0 as usize
    }

    /// Returns the exact status, or `None` for "other".
    pub const fn status(self) -> Option<u16> {
        if self.0 == Self::OTHER.0 { None } else { Some(400 + self.0 as u16) }
    }
}

impl HttpFailure {
    /// Returns the standard words for the status, such as `Service Unavailable`.
    pub fn words(self) -> &'static str {
        let Some(status) = self.status() else { return "an HTTP status outside 400 to 599" };
        let status = http::StatusCode::from_u16(status).ok();
        status
            .and_then(|status| status.canonical_reason())
            .unwrap_or("an HTTP status without a standard name")
    }
}

impl fmt::Display for HttpFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.status() {
            Some(status) => write!(f, "{status}"),
            None => f.write_str("other"),
        }
    }
}

/// Group of outcomes, for tables where single outcomes would be too many. Its name is the part that their names begin
/// with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Class {
    /// [`Outcome::Ok`].
    Ok,
    /// Statuses 400..=499.
    Http4xx,
    /// Statuses 500..=599.
    Http5xx,
    /// Every other status that is a failure.
    HttpOther,
    /// A time limit was exceeded.
    Timeout,
    /// The connection failed.
    Connection,
    /// TLS failed.
    Tls,
    /// The name was not resolved.
    Dns,
    /// HTTP/2 failed.
    Http2,
    /// The body was not valid.
    Body,
    /// The playlist was not usable.
    Playlist,
    /// The URL or its host is outside the scope of the run.
    Policy,
    /// This machine lacked a resource, or the load tester failed.
    Local,
    /// hlswarm itself ended the request.
    Cut,
}

impl Class {
    /// Number of classes.
    pub const COUNT: usize = 14;

    /// All classes, in the order of every table and report.
    pub const ALL: [Self; Self::COUNT] = [
        Self::Ok,
        Self::Http4xx,
        Self::Http5xx,
        Self::HttpOther,
        Self::Timeout,
        Self::Connection,
        Self::Tls,
        Self::Dns,
        Self::Http2,
        Self::Body,
        Self::Playlist,
        Self::Policy,
        Self::Local,
        Self::Cut,
    ];

    /// Returns the index into a table of [`Class::COUNT`] entries.
    pub const fn index(self) -> usize {
        self as usize
    }

    /// Returns the name in reports: the part of its outcomes' names before the dot.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Http4xx => "http_4xx",
            Self::Http5xx => "http_5xx",
            Self::HttpOther => "http_other",
            Self::Timeout => "timeout",
            Self::Connection => "conn",
            Self::Tls => "tls",
            Self::Dns => "dns",
            Self::Http2 => "h2",
            Self::Body => "body",
            Self::Playlist => "playlist",
            Self::Policy => "policy",
            Self::Local => "local",
            Self::Cut => "cut",
        }
    }
}

impl Fault {
    /// Returns the class that the fault is counted in.
    pub const fn class(self) -> Class {
        match self {
            Self::TimeoutDns
            | Self::TimeoutConnect
            | Self::TimeoutTls
            | Self::TimeoutFirstByte
            | Self::TimeoutIdle
            | Self::TimeoutTotal => Class::Timeout,
            Self::ConnRefused
            | Self::ConnReset
            | Self::ConnEof
            | Self::ConnUnreachable
            | Self::ConnProtocol
            | Self::ConnProxy => Class::Connection,
            Self::TlsCert | Self::TlsHandshake => Class::Tls,
            Self::DnsNotFound | Self::DnsServerFailure => Class::Dns,
            Self::H2GoAway | Self::H2Reset | Self::H2Flow | Self::H2Protocol => Class::Http2,
            Self::BodyShort
            | Self::BodyLong
            | Self::BodyTooBig
            | Self::BodyRange
            | Self::BodyDecode
            | Self::BodyRatio => Class::Body,
            Self::PlaylistNotM3u8 | Self::PlaylistSyntax | Self::PlaylistLimit | Self::PlaylistSemantic => {
                Class::Playlist
            }
            Self::PolicyScheme | Self::PolicyHost | Self::PolicyAddress | Self::PolicyRedirects => {
                Class::Policy
            }
            Self::LocalFiles | Self::LocalPorts | Self::LocalMemory | Self::LocalInternal => Class::Local,
            Self::Cut => Class::Cut,
        }
    }
}

impl Outcome {
    /// Returns the class that the outcome is counted in.
    pub const fn class(self) -> Class {
        match self {
            Self::Ok => Class::Ok,
            Self::Failed(fault) => fault.class(),
            Self::Http(failure) => match failure.status() {
                Some(400..=499) => Class::Http4xx,
                Some(_) => Class::Http5xx,
                None => Class::HttpOther,
            },
        }
    }

    /// Returns the outcome of a complete response; `redirect_followed` says whether its `Location` was followed.
    pub const fn from_status(status: u16, redirect_followed: bool) -> Self {
        match status {
            200 | 206 | 304 => Self::Ok,
            _ if redirect_followed => Self::Ok,
            _ => Self::Http(HttpFailure::new(status)),
        }
    }

    /// Returns the outcome with this name, the inverse of its [`Display`](fmt::Display); `None` if there is none.
    pub fn from_name(name: &str) -> Option<Self> {
        match name.strip_prefix("http.") {
            Some("other") => Some(Self::Http(HttpFailure::OTHER)),
            Some(status) => {
                // A number can be written in several ways, a name only in one.
                let number = status.parse().ok().filter(|_| status.len() == 3)?;
                (400..=599).contains(&number).then(|| Self::Http(HttpFailure::new(number)))
            }
            None if name == "ok" => Some(Self::Ok),
            None => Fault::ALL.into_iter().find(|fault| fault.name() == name).map(Self::Failed),
        }
    }

    /// Describes the outcome in plain words, for the operator.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Ok => "The response was complete and valid.",
            Self::Failed(fault) => fault.meaning(),
            Self::Http(failure) => failure.words(),
        }
    }

    /// Reports whether the outcome is [`Outcome::Ok`].
    pub const fn is_ok(self) -> bool {
        matches!(self, Self::Ok)
    }

    /// Reports whether the request failed. One that hlswarm cut did not.
    pub const fn is_failure(self) -> bool {
        !matches!(self.class(), Class::Ok | Class::Cut)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ok => f.write_str("ok"),
            Self::Http(failure) => write!(f, "http.{failure}"),
            Self::Failed(fault) => f.write_str(fault.name()),
        }
    }
}

impl From<Fault> for Outcome {
    fn from(fault: Fault) -> Self {
        Self::Failed(fault)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_has_the_name_that_its_outcomes_begin_with() {
        for fault in Fault::ALL {
            let first = fault.name().split('.').next();
            assert_eq!(first, Some(fault.class().name()), "{}", fault.name());
        }
        assert_eq!(HttpFailure::new(520).words(), "an HTTP status without a standard name");
        assert_eq!(HttpFailure::OTHER.words(), "an HTTP status outside 400 to 599");
        for (status, class) in [(404, Class::Http4xx), (503, Class::Http5xx), (204, Class::HttpOther)] {
            assert_eq!(Outcome::from_status(status, false).class(), class);
        }
        assert!(Class::ALL.iter().enumerate().all(|(index, class)| class.index() == index));
    }

    #[test]
    fn every_outcome_is_found_by_its_name_and_no_other_name_is_one() {
        let statuses = (0..HttpFailure::SLOTS).filter_map(HttpFailure::at).map(Outcome::Http);
        let all = statuses.chain(Fault::ALL.into_iter().map(Outcome::Failed)).chain([Outcome::Ok]);
        for outcome in all {
            assert_eq!(Outcome::from_name(&outcome.to_string()), Some(outcome));
            assert!(!outcome.meaning().is_empty(), "{outcome}");
        }
        for name in [
            "",
            "http.",
            "http.399",
            "http.600",
            "http.70000",
            "http.+04",
            "http.+404",
            "http.0404",
            "timeout",
            "OK",
            "other",
        ] {
            assert_eq!(Outcome::from_name(name), None, "{name}");
        }
    }

    #[test]
    fn every_status_has_the_slot_of_the_contract() {
        for status in (100..=999).chain([0, 1000, u16::MAX]) {
            let failure = HttpFailure::new(status);
            if (400..=599).contains(&status) {
                assert_eq!(failure.index(), usize::from(status) - 400);
                assert_eq!(failure.status(), Some(status));
                assert_eq!(failure.to_string(), status.to_string());
            } else {
                assert_eq!(failure, HttpFailure::OTHER, "{status}");
                assert_eq!(failure.to_string(), "other");
            }
        }
    }

    #[test]
    fn only_200_206_304_and_followed_redirects_are_ok() {
        for status in 100..=999 {
            let expected = matches!(status, 200 | 206 | 304);
            assert_eq!(Outcome::from_status(status, false).is_ok(), expected, "{status}");
        }
        assert!(Outcome::from_status(302, true).is_ok());
        assert_eq!(Outcome::from_status(302, false).to_string(), "http.other");
    }

    #[test]
    fn names_of_faults_are_unique_and_carry_their_family() {
        let mut names: Vec<_> = Fault::ALL.iter().map(|fault| fault.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Fault::COUNT);
        for (index, fault) in Fault::ALL.iter().enumerate() {
            assert_eq!(*fault as usize, index);
            assert_eq!(fault.is_timeout(), fault.name().starts_with("timeout."), "{}", fault.name());
            assert_eq!(fault.is_local(), fault.name().starts_with("local."), "{}", fault.name());
        }
    }
}
