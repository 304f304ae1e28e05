//! Tells requests of the operator from those of others.
//!
//! A Unix socket needs no check: only its owner can connect. A port can be reached by other users of this machine, and by
//! every web page that is open in a browser on it. A page cannot read the token, cannot choose the `Host` that its name
//! leads to, cannot leave out `Origin` where it writes, and cannot send JSON without asking first.

use super::refused::Refused;
use crate::local_http::{Method, Request};

/// Check of all requests to one server.
#[derive(Clone)]
pub enum Guard {
    /// The server is a socket of its owner alone.
    Owner,
    /// The server is a port.
    Token {
        /// Address and port as `Host` must have them.
        host: String,
        /// The bearer token.
        token: String,
    },
}

impl Guard {
    /// Returns the refusal of a request that may not be the operator's.
    pub(super) fn refusal(&self, request: &Request) -> Option<Refused> {
        let Self::Token { host, token } = self else { return None };
        let given = |name| request.header(name);
        if given("host").as_deref() != Some(host) {
            return Some(Refused::new("403 Forbidden", format!("Host: expected {host}")));
        }
        let from_elsewhere = given("origin").is_some_and(|origin| origin != format!("http://{host}"))
            || given("sec-fetch-site").is_some_and(|site| !["same-origin", "none"].contains(&site.as_str()));
        if from_elsewhere {
            return Some(Refused::new("403 Forbidden", "requests of other web pages are refused"));
        }
        let authorization = given("authorization").unwrap_or_default();
        let (scheme, credentials) = authorization.split_once(' ').unwrap_or_default();
        if !scheme.eq_ignore_ascii_case("bearer") || !are_equal(credentials.trim(), token) {
            let why = "expected Authorization: Bearer TOKEN, with the token of the file that the run names";
            let header = "WWW-Authenticate: Bearer\r\n";
            return Some(Refused { header, ..Refused::new("401 Unauthorized", why) });
        }
        None
    }

    /// Returns the refusal of a body that a page could send without asking first.
    pub(super) fn refusal_of_body(&self, request: &Request) -> Option<Refused> {
        let is_json = request.header("content-type").is_some_and(|kind| {
            kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
        });
        let is_refused = matches!(self, Self::Token { .. }) && request.method == Method::Post && !is_json;
        is_refused
            .then(|| Refused::new("415 Unsupported Media Type", "expected Content-Type: application/json"))
    }
}

/// Compares a token in a time that does not tell how much of it is right.
fn are_equal(given: &str, token: &str) -> bool {
    let differences = given.bytes().zip(token.bytes()).fold(0, |all, (one, other)| all | (one ^ other));
    given.len() == token.len() && std::hint::black_box(differences) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(headers: &str) -> Option<&'static str> {
        let guard = Guard::Token { host: "127.0.0.1:17092".to_owned(), token: "0123abcd".to_owned() };
        let request =
            Request::parse(format!("POST /v1/stop HTTP/1.1\r\n{headers}\r\n").as_bytes()).expect("a request");
        let refused = guard.refusal(&request).or_else(|| guard.refusal_of_body(&request))?;
        Some(refused.status.split(' ').next().unwrap_or_default())
    }

    #[test]
    fn a_request_through_a_port_needs_all_that_a_page_cannot_forge() {
        let good =
            "Host: 127.0.0.1:17092\r\nAuthorization: Bearer 0123abcd\r\nContent-Type: application/json\r\n";
        assert_eq!(refusal(good), None);
        assert_eq!(
            refusal(&good.replace("Bearer", "bearer").replace("json\r", "json; charset=utf-8\r")),
            None
        );
        assert_eq!(
            refusal(&format!("{good}Origin: http://127.0.0.1:17092\r\nSec-Fetch-Site: none\r\n")),
            None
        );
        for (from, to, status) in [
            ("127.0.0.1:17092", "localhost:17092", "403"),
            ("127.0.0.1:17092", "127.0.0.1", "403"),
            ("Host: 127.0.0.1:17092\r\n", "", "403"),
            ("Host:", "Host: evil.example\r\nHost:", "403"),
            ("Host:", "Origin: https://evil.example\r\nHost:", "403"),
            ("Host:", "Origin: null\r\nHost:", "403"),
            ("Host:", "Sec-Fetch-Site: cross-site\r\nHost:", "403"),
            ("0123abcd", "0123abce", "401"),
            ("0123abcd", "0123abc", "401"),
            ("0123abcd", "", "401"),
            ("Bearer", "Basic", "401"),
            ("Authorization: Bearer 0123abcd\r\n", "", "401"),
            ("application/json", "text/plain", "415"),
            ("Content-Type: application/json\r\n", "", "415"),
        ] {
            assert_eq!(refusal(&good.replacen(from, to, 1)), Some(status), "{from} -> {to}");
        }
    }

    #[test]
    fn the_owner_of_a_socket_needs_nothing() {
        let request = Request::parse(b"POST /v1/stop HTTP/1.1\r\n\r\n").expect("a request");
        assert_eq!(Guard::Owner.refusal(&request), None);
        assert_eq!(Guard::Owner.refusal_of_body(&request), None);
    }
}
