//! Entry point for fuzzing the keyboard's bytes; see [`crate::fuzzing`].

use super::input::{Decoder, Input};

/// Maximum length of a pasted text: a kilobyte, each byte of which may become a replacement character of three.
const PASTED_BYTES: usize = 3 * 1024;

/// Decodes any bytes from a terminal: the keys must not depend on how the bytes are split, and a paste is bounded.
pub fn keys(data: &[u8]) {
    let whole = decoded(data, data.len());
    for piece in [1, 2, 3, 7] {
        assert_eq!(decoded(data, piece), whole, "in pieces of {piece}");
    }
    for input in whole {
        if let Input::Paste(text) = input {
            assert!(text.len() <= PASTED_BYTES, "{} bytes pasted", text.len());
        }
    }
}

/// Decodes the bytes in pieces, and then a silence.
fn decoded(data: &[u8], piece: usize) -> Vec<Input> {
    let (mut decoder, mut inputs) = (Decoder::default(), Vec::new());
    data.chunks(piece.max(1)).for_each(|piece| decoder.push(piece, &mut inputs));
    // The first silence may make an Escape of what has begun. The second drops the rest.
    for _ in 0..2 {
        decoder.silence(&mut inputs);
    }
    assert!(decoder.patience().is_none(), "something is still awaited after two silences");
    inputs
}
