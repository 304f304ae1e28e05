//! Reads the orders of requests: paths, and the JSON of their bodies.

use serde_json::{Map, Value};

use super::refused::Refused;
use crate::local_http::{Method, Request};
use crate::vocabulary::limits::ASKED_CLIENTS;
use crate::vocabulary::{Steer, Untrusted};

/// Paths, and whether they change something.
const PATHS: [(&str, Kind); 6] = [
    ("/v1/status", Kind::Read),
    ("/v1/sample", Kind::Read),
    ("/v1/target", Kind::Write),
    ("/v1/hold", Kind::Write),
    ("/v1/mark", Kind::Write),
    ("/v1/stop", Kind::Write),
];
/// Width at which an unknown key is repeated.
const KEY_COLUMNS: usize = 40;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Read,
    Write,
}

/// Order of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Status,
    Sample,
    Steer(Steer),
    /// Marks this moment, with a note that has not been sanitised.
    Mark(String),
    Stop,
}

/// Returns the refusal of a path that does not exist, or of a method that it does not have.
pub(super) fn refusal(request: &Request) -> Option<Refused> {
    let Some((_, kind)) = PATHS.iter().find(|(path, _)| *path == request.path) else {
        let paths: Vec<_> = PATHS.iter().map(|(path, _)| *path).collect();
        return Some(Refused::new("404 Not Found", format!("expected {}", paths.join(", "))));
    };
    let refused = |why, header| Some(Refused { header, ..Refused::new("405 Method Not Allowed", why) });
    match (kind, request.method) {
        (Kind::Read, Method::Get | Method::Head) | (Kind::Write, Method::Post) => None,
        (Kind::Read, _) => refused("expected GET", "Allow: GET, HEAD\r\n"),
        (Kind::Write, _) => refused("expected POST", "Allow: POST\r\n"),
    }
}

/// Reads the order of a request whose path and method are right.
pub(super) fn order(path: &str, body: &[u8]) -> Result<Order, Refused> {
    match path {
        "/v1/status" => Ok(Order::Status),
        "/v1/sample" => Ok(Order::Sample),
        "/v1/target" => target(body).map(Order::Steer),
        "/v1/hold" => match object(body, &["hold"])?.get("hold") {
            Some(Value::Bool(true)) => Ok(Order::Steer(Steer::Hold)),
            Some(Value::Bool(false)) => Ok(Order::Steer(Steer::Resume)),
            _ => Err(wrong("expected {\"hold\": true} or {\"hold\": false}")),
        },
        "/v1/mark" => match object(body, &["note"])?.get("note") {
            None => Ok(Order::Mark(String::new())),
            Some(Value::String(note)) => Ok(Order::Mark(note.clone())),
            Some(_) => Err(wrong("expected {\"note\": \"TEXT\"}")),
        },
        _ => object(body, &[]).map(|_| Order::Stop),
    }
}

fn target(body: &[u8]) -> Result<Steer, Refused> {
    let given = object(body, &["clients", "by"])?;
    let number = |key: &str| {
        given.get(key).map(|value| value.as_i64().filter(|number| number.unsigned_abs() <= ASKED_CLIENTS))
    };
    match (number("clients"), number("by")) {
        (Some(Some(clients)), None) if clients >= 0 => {
            Ok(Steer::Target(u32::try_from(clients).unwrap_or(u32::MAX)))
        }
        (None, Some(Some(by))) => Ok(Steer::Adjust(by)),
        _ => Err(wrong("expected {\"clients\": N}, a whole number from 0, or {\"by\": N} for a change")),
    }
}

/// Reads a JSON object with no other keys than these. No body is an empty object.
fn object(body: &[u8], keys: &[&str]) -> Result<Map<String, Value>, Refused> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Map::new());
    }
    let Ok(Value::Object(object)) = serde_json::from_slice(body) else {
        return Err(wrong("expected a JSON object"));
    };
    if let Some(unknown) = object.keys().find(|key| !keys.contains(&key.as_str())) {
        let unknown = Untrusted::new(unknown).shown_in(KEY_COLUMNS);
        let expected = if keys.is_empty() { "no key".to_owned() } else { keys.join(" or ") };
        return Err(wrong(format!("unknown key '{unknown}'; expected {expected}")));
    }
    Ok(object)
}

fn wrong(why: impl Into<String>) -> Refused {
    Refused::new("400 Bad Request", why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_read_and_mistakes_say_what_is_expected() {
        let read = |path: &str, body: &str| order(path, body.as_bytes());
        for (path, body, expected) in [
            ("/v1/target", "{\"clients\": 25}", Order::Steer(Steer::Target(25))),
            ("/v1/target", "{\"by\":-50}", Order::Steer(Steer::Adjust(-50))),
            ("/v1/hold", "{\"hold\": true}", Order::Steer(Steer::Hold)),
            ("/v1/hold", "{\"hold\": false}", Order::Steer(Steer::Resume)),
            ("/v1/mark", "{\"note\": \"deploy\"}", Order::Mark("deploy".to_owned())),
            ("/v1/mark", "", Order::Mark(String::new())),
            ("/v1/stop", " {} ", Order::Stop),
            ("/v1/stop", "", Order::Stop),
            ("/v1/status", "", Order::Status),
        ] {
            assert_eq!(read(path, body), Ok(expected), "{path} {body}");
        }
        for (path, body) in [
            ("/v1/target", ""),
            ("/v1/target", "{\"clients\": -1}"),
            ("/v1/target", "{\"clients\": 2.5}"),
            ("/v1/target", "{\"clients\": \"25\"}"),
            ("/v1/target", "{\"clients\": 99999999999}"),
            ("/v1/target", "{\"clients\": 5, \"by\": 5}"),
            ("/v1/target", "{\"client\": 5}"),
            ("/v1/target", "[5]"),
            ("/v1/hold", "{}"),
            ("/v1/hold", "{\"hold\": 1}"),
            ("/v1/mark", "{\"note\": 5}"),
            ("/v1/stop", "{\"now\": true}"),
            ("/v1/stop", "stop"),
        ] {
            let refused = read(path, body).expect_err(body);
            assert!(refused.status.starts_with("400") && refused.why.contains("expected"), "{refused:?}");
        }
        let refused = read("/v1/stop", "{\"\\u001b[2J\": 1}").expect_err("a key");
        assert_eq!(refused.why, "unknown key '^[[2J'; expected no key");
    }
}
