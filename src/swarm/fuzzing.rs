//! Entry point for fuzzing the words of failed responses; see [`crate::fuzzing`].

use super::failed_answer::first_line;
use crate::vocabulary::{KnownSecrets, limits};

/// Secret that is planted into bodies.
const PLANTED: &str = "hunter2-planted";

/// Reads any bytes as the body of a failed response that echoes a secret at its begin, in its middle and at its end.
/// Whatever surrounds the secret, it is not shown, and what is shown is safe to print.
pub fn answer(data: &[u8]) {
    let mut secrets = KnownSecrets::default();
    secrets.add_header(PLANTED.as_bytes());
    for at in [0, data.len() / 2, data.len()] {
        let (before, after) = data.split_at(at);
        let mut body = [before, PLANTED.as_bytes(), after].concat();
        body.truncate(limits::ERROR_WORDS_BYTES);
        let shown = first_line(&body, &secrets).unwrap_or_default();
        assert!(!shown.chars().any(char::is_control), "{shown:?}");
        assert!(!shown.to_ascii_lowercase().contains(PLANTED), "{shown:?}");
    }
}
