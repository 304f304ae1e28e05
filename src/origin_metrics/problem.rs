//! Closed list of the reasons for which a scrape brings no values.

use std::borrow::Cow;

use crate::vocabulary::outcome::{Fault, HttpFailure};

/// Reason for which a scrape brings no values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScrapeProblem {
    /// The page has none of the families that are read.
    NothingKnown,
    /// The exporter runs and does not reach its nginx.
    NginxDown,
    /// The exporter sends elsewhere.
    Redirect,
    /// Another status than 200.
    Status(HttpFailure),
    /// The request failed.
    Fault(Fault),
}

/// Numbers from which on [`ScrapeProblem::code`] counts faults, and statuses.
const FAULTS: u64 = 100;
const STATUSES: u64 = 1_000;

impl ScrapeProblem {
    /// Returns the problem of a response with this status; `None` if it has a page.
    pub fn of_status(status: u16) -> Option<Self> {
        match status {
            200 => None,
            300..400 => Some(Self::Redirect),
            _ => Some(Self::Status(HttpFailure::new(status))),
        }
    }

    /// Returns the problem in a few words.
    pub fn words(self) -> Cow<'static, str> {
        let words = match self {
            Self::NothingKnown => "no metrics of node_exporter or nginx-prometheus-exporter",
            Self::NginxDown => "it does not reach its nginx (nginx_up is 0)",
            Self::Redirect => "a redirect, which is not followed",
            Self::Status(status) => return Cow::Owned(format!("HTTP {status} {}", status.words())),
            Self::Fault(fault) => match fault {
                fault if fault.is_timeout() => "timed out",
                Fault::ConnRefused => "connection refused",
                Fault::ConnReset | Fault::ConnEof => "connection closed",
                Fault::ConnUnreachable => "host unreachable",
                Fault::ConnProtocol => "not HTTP",
                Fault::TlsCert => "certificate not accepted",
                Fault::TlsHandshake => "TLS handshake failed",
                Fault::DnsNotFound => "unknown host",
                Fault::BodyTooBig => "a page of more than 16 MiB",
                Fault::PolicyAddress => "an address that no run connects to",
                fault => fault.name(),
            },
        };
        Cow::Borrowed(words)
    }

    /// Returns a number other than 0 for the problem.
    pub const fn code(self) -> u64 {
        match self {
            Self::NothingKnown => 1,
            Self::NginxDown => 2,
            Self::Redirect => 3,
            Self::Fault(fault) => FAULTS + fault as u64,
            Self::Status(status) => STATUSES + status.index() as u64,
        }
    }

    /// Returns the problem of a number; `None` if it is that of none.
    pub fn from_code(code: u64) -> Option<Self> {
        let index = |from: u64| usize::try_from(code.checked_sub(from)?).ok();
        match code {
            1 => Some(Self::NothingKnown),
            2 => Some(Self::NginxDown),
            3 => Some(Self::Redirect),
            STATUSES.. => index(STATUSES).and_then(HttpFailure::at).map(Self::Status),
            _ => index(FAULTS).and_then(|index| Fault::ALL.get(index).copied()).map(Self::Fault),
        }
    }
}
