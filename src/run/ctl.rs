//! `ctl`: watches and steers a run on this machine through its control socket.

use std::fs::File;
use std::io::{self, Read as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::{Value, json};

use super::control_socket::token_file;
use super::{ExitStatus, Failure, stdio};
use crate::cli::{CtlAction, CtlArgs};
use crate::config::ConfigError;
use crate::control_api::{AskError, Asked, ask};
use crate::local_http::Address;
use crate::vocabulary::{Untrusted, exit_code, units};

/// Time to connect to a port of this machine.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);
/// Maximum bytes of the file of a token.
const TOKEN_BYTES: u64 = 4 * 1024;

/// Sends one request and prints the answer.
pub(super) fn ctl(args: CtlArgs) -> Result<ExitStatus, Failure> {
    let address = args.control.clone();
    let unusable =
        |reason: String| Failure::Config(ConfigError::Control { address: address.to_string(), reason });
    let token = match &args.control {
        Address::Unix(_) => None,
        Address::Tcp(address) => {
            // Without a run there is no token either, and that is not what is wrong.
            match is_served(*address) {
                Ok(()) => Some(token(*address).map_err(unusable)?),
                Err(error) => return Err(unusable(unreachable(&error))),
            }
        }
    };
    let asked = Asked { token, ..asked(&args.action) };
    let answer = match ask(&args.control, &asked) {
        Ok(answer) => answer,
        Err(AskError::Connect(error)) => return Err(unusable(unreachable(&error))),
        Err(error) => return Ok(refused(&error.to_string())),
    };
    let Ok(body) = serde_json::from_slice::<Value>(&answer.body) else {
        return Ok(refused(&AskError::Reply.to_string()));
    };
    if answer.status != 200 {
        return Ok(refused(&text(&body, "error")));
    }
    let shown = match (&args.action, args.json) {
        // The bytes of the run: a number that is parsed and printed again might lose digits.
        (CtlAction::Sample, _) | (_, true) => String::from_utf8_lossy(&answer.body).into_owned(),
        (CtlAction::Status, false) => status_line(&body) + "\n",
        (_, false) => text(&body, "message") + "\n",
    };
    match stdio::print(&shown, None) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::Unwritten(format!("standard output: {error}")))
        }
        _ => Ok(0.into()),
    }
}

/// Says why nothing can be asked at an address.
fn unreachable(error: &io::Error) -> String {
    let why = match error.kind() {
        io::ErrorKind::NotFound => "there is no such socket".to_owned(),
        io::ErrorKind::ConnectionRefused => "no run listens there".to_owned(),
        _ => error.to_string(),
    };
    format!("{why}; expected the --control of a run")
}

/// Checks whether something listens at an address of this machine.
fn is_served(address: SocketAddr) -> io::Result<()> {
    TcpStream::connect_timeout(&address, CONNECT_LIMIT).map(drop)
}

fn refused(why: &str) -> ExitStatus {
    stdio::say(&format!("hlswarm: ctl: {why}"));
    exit_code::REFUSED.into()
}

fn asked(action: &CtlAction) -> Asked {
    let (path, body) = match action {
        CtlAction::Status => ("/v1/status", None),
        CtlAction::Sample => ("/v1/sample", None),
        CtlAction::Target(clients) => ("/v1/target", Some(json!({ "clients": clients }))),
        CtlAction::Adjust(by) => ("/v1/target", Some(json!({ "by": by }))),
        CtlAction::Hold => ("/v1/hold", Some(json!({ "hold": true }))),
        CtlAction::Resume => ("/v1/hold", Some(json!({ "hold": false }))),
        CtlAction::Mark(note) => ("/v1/mark", Some(json!({ "note": note }))),
        CtlAction::Stop => ("/v1/stop", Some(json!({}))),
    };
    Asked { path, body, token: None }
}

/// Reads the token of the run that serves an address.
fn token(address: SocketAddr) -> Result<String, String> {
    let file =
        token_file(address).ok_or("there is no folder for its token; set XDG_RUNTIME_DIR as for the run")?;
    let mut token = String::new();
    let read = File::open(&file).and_then(|open| open.take(TOKEN_BYTES).read_to_string(&mut token));
    let file = Address::Unix(file);
    read.map_err(|error| format!("the token of the run cannot be read from {file}: {error}"))?;
    Ok(token.trim().to_owned())
}

/// Describes a run in one line.
fn status_line(status: &Value) -> String {
    let number = |path: &str| {
        status.pointer(path).and_then(Value::as_u64).map_or(units::UNKNOWN.to_owned(), units::count)
    };
    let elapsed = status.get("elapsed_s").and_then(Value::as_f64).unwrap_or_default();
    let elapsed = units::clock(Duration::try_from_secs_f64(elapsed).unwrap_or_default());
    let held = match text(status, "held_by").as_str() {
        "" => String::new(),
        by => format!(" by {by}"),
    };
    format!(
        "{}{held}  {} of {} clients  {elapsed}  health {}  trust {}",
        text(status, "state"),
        number("/clients/active"),
        number("/clients/target"),
        text(status, "health"),
        text(status, "trust"),
    )
}

/// Returns a text of an answer, sanitised: another program may listen there.
fn text(answer: &Value, key: &str) -> String {
    answer.get(key).and_then(Value::as_str).map_or(String::new(), |text| Untrusted::new(text).shown())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_one_line_and_says_who_holds_the_ramp() {
        let status = json!({
            "state": "HOLD", "held_by": "ctl", "clients": { "active": 1_200, "target": 2_500 },
            "elapsed_s": 61.2, "health": "OK", "trust": "\u{1b}[2JVALID"
        });
        assert_eq!(
            status_line(&status),
            "HOLD by ctl  1,200 of 2,500 clients  00:01:01  health OK  trust ^[[2JVALID"
        );
        assert!(status_line(&json!({})).contains("-- of -- clients"));
    }
}
