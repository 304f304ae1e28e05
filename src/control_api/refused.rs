//! A request that is refused: the status, and why.

use serde_json::json;

use crate::local_http::Reply;

/// Headers of every reply: no browser may guess another type, or keep one.
const HEADERS: &str = "X-Content-Type-Options: nosniff\r\nCache-Control: no-store\r\n";
const JSON: &str = "application/json";

/// Status and reason of a refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refused {
    pub(super) status: &'static str,
    pub(super) why: String,
    /// A header that the status asks for, with its line end.
    pub(super) header: &'static str,
}

impl Refused {
    pub(super) fn new(status: &'static str, why: impl Into<String>) -> Self {
        Self { status, why: why.into(), header: "" }
    }

    /// Returns the refusal of a change that the run does not make now.
    pub(super) fn conflict(why: &str) -> Self {
        Self::new("409 Conflict", why)
    }

    /// Returns the refusal of a run that is too busy to answer.
    pub(super) fn busy(why: &str) -> Self {
        Self::new("503 Service Unavailable", why)
    }

    pub(super) fn reply(self) -> Reply {
        let body = json!({ "error": self.why }).to_string() + "\n";
        Reply::new(self.status, JSON, body).with(HEADERS).with(self.header)
    }
}

/// Returns the reply to a request that is granted.
pub(super) fn granted(json: &str) -> Reply {
    Reply::new("200 OK", JSON, format!("{json}\n")).with(HEADERS)
}
